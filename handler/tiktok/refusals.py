"""The mapping from the meaning of TikTok's response to the error that the connector raises."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from handler import reasons
from handler.errors import Outcome
from handler.tiktok.codes import Meaning
from handler.tiktok.responses import TikTokResponse

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
_FOR_ADVERTISER: Mapping[Meaning, Callable[[str, str], Outcome]] = {
    Meaning.PERMISSION_REFUSED: reasons.permission_refused,
    Meaning.TERMS_NOT_ACCEPTED: reasons.terms_not_accepted,
}


def refusal(response: TikTokResponse, advertiser_id: str) -> Outcome:
    """Return the error for a response without success.

    Args:
        response: TikTok's response, or a placeholder for a missing one.
        advertiser_id: the advertiser of the call. Reasons may show it, because it is not secret.
    """
    details = _details(response)
    if response.meaning in _FOR_ADVERTISER:
        return _FOR_ADVERTISER[response.meaning](details, advertiser_id)
    return _OUTCOMES[response.meaning](details)


def _details(response: TikTokResponse) -> str:
    """Return code, message and request id in parentheses after a space, or an empty string without a response."""
    if not response.code:
        return ""
    return f" (code {response.code}: {response.message.rstrip('.')}; request {response.request_id})"
