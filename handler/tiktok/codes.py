"""The meanings of TikTok's return codes, and the error for each meaning.

Source: the appendix "Return Codes" of TikTok's developer portal and third-party copies of it. The HTTP status is 200
for most errors, so `code` in the response decides. `wording.py` refines the meaning according to the message.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import Enum

from handler import reasons
from handler.errors import Outcome

OK = 0
READ_CALLS = {"list", "get", "apply/log"}  # calls that change nothing and contain no file


class Meaning(Enum):
    """The meanings of TikTok's responses."""

    SUCCESS = "success"
    THROTTLED = "too many requests"
    BUSY = "busy"
    UPLOAD_AGAIN = "the uploaded part is unknown, expired or damaged"
    FILE_REFUSED = "the file is refused"
    NOT_EDITABLE = "the audience accepts no change now"
    UNKNOWN_AUDIENCE = "the audience does not exist"
    TOO_FEW_LEFT = "fewer than 1,000 people would remain"
    REPLACED_TODAY = "the audience was already replaced today"
    AUDIENCE_LIMIT = "the advertiser has 400 audiences"
    TOKEN_REFUSED = "the access token is refused"  # noqa: S105 - a meaning, not a password
    PERMISSION_REFUSED = "a permission is missing"
    TERMS_NOT_ACCEPTED = "the Custom Audience Terms are not accepted"
    REQUEST_REFUSED = "the request is invalid"


_CODES: dict[Meaning, set[int]] = {
    Meaning.SUCCESS: {OK, 20001},  # 20001: partial success
    # TikTok applies the rate limit to the developer app, so all advertisers of an app share it. Unlike most 401xx
    # codes, 40100, 40132 and 40133 are not about the token.
    Meaning.THROTTLED: {40016, 40100, 40132, 40133, 61000},
    Meaning.BUSY: {40200, 40201, 40202},
    Meaning.UPLOAD_AGAIN: {40900, 40905, 40910},
    Meaning.FILE_REFUSED: {40062, 40906, 40907, 40908, 40909, 40915},
    # 41000: the function's IP address is in a country that TikTok blocks. As with the other codes, a person has to act.
    Meaning.PERMISSION_REFUSED: {40001, 40003, 40118, 40125, 40130, 40300, 40301, 41000},
    Meaning.REQUEST_REFUSED: {
        40000, 40002, 40006, 40007, 40008, 40010, 40011, 40012, 40050, 40051, 40061, 40700,
    },
}  # fmt: skip
_MEANINGS = {code: meaning for meaning, codes in _CODES.items() for code in codes}
_TOKEN_CODES = range(40101, 40200)  # codes about the token, except those in `_CODES`, which is looked up first
_FIRST_SERVER_CODE = 50000


def meaning_of_code(code: int) -> Meaning:
    """Return the meaning of a code. A code that is not in `_CODES` has the meaning of its range.

    Args:
        code: `code` in TikTok's response.
    """
    if code in _MEANINGS:
        return _MEANINGS[code]
    if code in _TOKEN_CODES:
        return Meaning.TOKEN_REFUSED
    return Meaning.BUSY if code >= _FIRST_SERVER_CODE else Meaning.REQUEST_REFUSED


def is_listed(code: int) -> bool:
    """Return true if `_CODES` lists this code."""
    return code in _MEANINGS


_OUTCOMES: Mapping[Meaning, Callable[[str], Outcome]] = {
    Meaning.THROTTLED: lambda _: reasons.throttled(),
    Meaning.BUSY: reasons.tiktok_busy,
    Meaning.TOKEN_REFUSED: reasons.token_refused,
    Meaning.UPLOAD_AGAIN: reasons.upload_again,
    Meaning.FILE_REFUSED: reasons.file_refused,
    Meaning.NOT_EDITABLE: lambda _: reasons.audience_processing(),
    Meaning.UNKNOWN_AUDIENCE: lambda _: reasons.unknown_audience(),
    Meaning.TOO_FEW_LEFT: reasons.too_few_left,
    Meaning.REPLACED_TODAY: reasons.replaced_today,
    Meaning.AUDIENCE_LIMIT: lambda _: reasons.audience_limit_reached(),
    Meaning.REQUEST_REFUSED: reasons.request_refused,
}


def refusal(meaning: Meaning, details: str, advertiser_id: str) -> Outcome:
    """Return the error for an unsuccessful response.

    Args:
        meaning: the meaning of the response.
        details: the response's code, message and request id, as `TikTokResponse.details` returns them.
        advertiser_id: the advertiser of the call. Reasons may show it, because it is not secret.
    """
    if meaning is Meaning.PERMISSION_REFUSED:
        return reasons.permission_refused(details, advertiser_id)
    if meaning is Meaning.TERMS_NOT_ACCEPTED:
        return reasons.terms_not_accepted(details, advertiser_id)
    return _OUTCOMES[meaning](details)
