"""What TikTok's return codes mean for a file: the one place that knows them.

Source: the appendix "Return Codes" of TikTok's developer portal and third-party copies of it. HTTP is 200 on most
errors; `code` in the answer decides. Codes that are not listed are read by their range, on the safe side.
"""

from __future__ import annotations

import re
from enum import Enum

OK = 0
PARTIAL = 20001  # done in part: go on


class Meaning(Enum):
    """The classes of TikTok's codes."""

    FINE = "fine"
    THROTTLED = "too many requests"  # counted per developer app: all advertisers of the app share the limit
    BUSY = "busy"
    UPLOAD_AGAIN = "the uploaded part is unknown, expired or damaged"
    FILE_REFUSED = "the file is refused"
    NOT_EDITABLE = "the audience takes no change now"
    UNKNOWN_AUDIENCE = "there is no such audience"
    TOO_FEW_LEFT = "fewer than 1,000 people would remain"
    REPLACED_TODAY = "one replace a day"
    AUDIENCE_LIMIT = "400 audiences"
    TOKEN_REFUSED = "the access token is refused"  # noqa: S105 - a class of codes
    PERMISSION_REFUSED = "a permission is missing"
    REQUEST_REFUSED = "the request is wrong"


_THROTTLED = {40016, 40100, 40132, 40133, 61000}  # 40100 is not about authentication
_BUSY = {40200, 40201, 40202, 50000, 50002, 60001}
_UPLOAD_AGAIN = {40900, 40905, 40910}
_FILE_REFUSED = {40062, 40906, 40907, 40908, 40909, 40915}
_TOKEN = {40101, 40102, 40103, 40104, 40105, *range(40106, 40111), 40113, *range(40115, 40118), 40119, 40124}
_PERMISSION = {40001, 40118, 40125, 40130, 40300, 40301}
_SERVER_RANGE = 50000

# 40002 is TikTok's general "invalid", so its message has to tell. Only the first is quoted by a source word for word;
# the others are read broadly: an unknown wording ends as "the request is wrong", with the message in the report.
_MESSAGES = [
    (re.compile(r"not editable|audience status", re.IGNORECASE), Meaning.NOT_EDITABLE),
    (re.compile(r"audience.*(not exist|n't exist|not found|deleted)|no such audience", re.IGNORECASE | re.DOTALL),
     Meaning.UNKNOWN_AUDIENCE),
    (re.compile(r"replace.*(once|one|per|a|24).*(day|hour)|(day|daily|24 hours).*replac", re.IGNORECASE | re.DOTALL),
     Meaning.REPLACED_TODAY),
    (re.compile(r"unfinished|in progress|being processed", re.IGNORECASE), Meaning.NOT_EDITABLE),
    (re.compile(r"less than 1,?000|fewer than 1,?000|at least 1,?000|audience size", re.IGNORECASE),
     Meaning.TOO_FEW_LEFT),
    (re.compile(r"(audiences?|number).*(limit|maximum|exceed)|(limit|maximum).*audiences?", re.IGNORECASE | re.DOTALL),
     Meaning.AUDIENCE_LIMIT),
]  # fmt: skip


def classify(code: int, message: str, http_status: int = 200) -> Meaning:
    """Say what an answer means.

    Args:
        code: `code` of the answer.
        message: its `message`; needed only for 40002.
        http_status: an HTTP status of 429 or 500 and up wins over the code.
    """
    if http_status == 429:  # noqa: PLR2004 - HTTP's Too Many Requests
        return Meaning.THROTTLED
    if http_status >= 500:  # noqa: PLR2004 - HTTP's server errors
        return Meaning.BUSY
    if code in {OK, PARTIAL}:
        return Meaning.FINE
    for codes, meaning in (
        (_THROTTLED, Meaning.THROTTLED),
        (_BUSY, Meaning.BUSY),
        (_UPLOAD_AGAIN, Meaning.UPLOAD_AGAIN),
        (_FILE_REFUSED, Meaning.FILE_REFUSED),
        (_TOKEN, Meaning.TOKEN_REFUSED),
        (_PERMISSION, Meaning.PERMISSION_REFUSED),
    ):
        if code in codes:
            return meaning
    if code == 40002:  # noqa: PLR2004 - see _MESSAGES
        return next((meaning for pattern, meaning in _MESSAGES if pattern.search(message)), Meaning.REQUEST_REFUSED)
    return Meaning.BUSY if code >= _SERVER_RANGE else Meaning.REQUEST_REFUSED


# Whatever TikTok quotes back, no hash, address, number or token may pass into a report or a log.
_PERSONAL = re.compile(r"\S+@\S+|[0-9A-Fa-f-]{24,}|\+?\d[\d ()-]{8,}\d|[\w-]{32,}")


def scrub(message: str) -> str:
    """TikTok's words without anything that could identify a person or be a token, cut at 300 characters."""
    return _PERSONAL.sub("[removed]", message)[:300]
