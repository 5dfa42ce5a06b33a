"""Every sentence that a user reads, one function per outcome.

A sentence says what happened, where, and what to do. None holds an identifier. Functions return the outcome to raise.
"""

from __future__ import annotations

from handler.errors import (
    CredentialsRefused,
    Failed,
    FileRefused,
    NotEditable,
    OutcomeUnknown,
    Throttled,
    TooFewLeft,
    UnexpectedResponse,
    UnknownAudience,
    UploadAgain,
    Waiting,
)
from handler.report_codes import Code

# --- Object keys ---------------------------------------------------------------------------------


# --- The content of files ------------------------------------------------------------------------


# --- TikTok's answers ----------------------------------------------------------------------------
#
# `said` is TikTok's code, message and request id in parentheses, with a space before them; empty without a response.


def throttled() -> Throttled:
    """TikTok's rate limit is reached."""
    return Throttled(
        Code.TIKTOK_THROTTLED,
        "TikTok's rate limit for the app is reached. The connector tries the upload again at a later sweep.",
    )


def tiktok_busy(said: str) -> Waiting:
    """TikTok answered that it is busy, or did not answer."""
    return Waiting(
        Code.TIKTOK_UNAVAILABLE,
        f"TikTok is busy or cannot be reached{said}. The connector tries the upload again at a later sweep.",
    )


def part_without_path() -> Waiting:
    """TikTok accepted a part and returned no `file_path`."""
    return Waiting(
        Code.TIKTOK_UNAVAILABLE,
        "TikTok accepted a part of the file but did not return its path. The connector uploads it again at a later "
        "sweep.",
    )


def listing_incomplete() -> Waiting:
    """TikTok's list of audiences did not add up to its own total."""
    return Waiting(
        Code.TIKTOK_UNAVAILABLE,
        "TikTok's list of audiences changed while it was read. The connector reads it again at a later sweep.",
    )


def unexpected_response() -> UnexpectedResponse:
    """TikTok's response about audiences does not have the documented form."""
    return UnexpectedResponse(
        Code.TIKTOK_UNAVAILABLE,
        "TikTok's response about its audiences cannot be read. The upload goes through once it can.",
    )


def outcome_unknown() -> OutcomeUnknown:
    """TikTok's answer to a call that must not be repeated was lost."""
    return OutcomeUnknown(
        Code.OUTCOME_UNKNOWN,
        "TikTok did not say whether it accepted the file. The connector asks TikTok before it sends anything again.",
    )


def token_refused(said: str) -> CredentialsRefused:
    """TikTok refuses the access token."""
    return CredentialsRefused(
        Code.TOKEN_REFUSED,
        f"TikTok refused the access token{said}. Put a valid ACCESS_TOKEN into the connector's secret; "
        "the upload goes through at the next sweep.",
    )


def permission_refused(said: str, advertiser_id: str) -> CredentialsRefused:
    """The token does not give access to the advertiser, or the advertiser does not exist."""
    return CredentialsRefused(
        Code.PERMISSION_REFUSED,
        f"TikTok refused access to advertiser {advertiser_id}{said}. Check that this ADVERTISER_ID is right, and give "
        "the app and its user (Operator or Admin) audience management for it; the upload goes through at the next "
        "sweep.",
    )


def terms_not_accepted(said: str, advertiser_id: str) -> CredentialsRefused:
    """The advertiser has not accepted the Custom Audience Terms."""
    return CredentialsRefused(
        Code.TERMS_NOT_ACCEPTED,
        f"Advertiser {advertiser_id} has not accepted TikTok's Custom Audience Terms{said}. "
        "Accept them in Ads Manager; the upload goes through at the next sweep.",
    )


def secret_unusable(fault: str, *, needs_advertiser_id: bool) -> CredentialsRefused:
    """The connector's secret is empty or malformed.

    Args:
        fault: a sentence without the period, such as "The secret is empty".
        needs_advertiser_id: false if the advertiser id comes from the configuration.
    """
    content = '{"ACCESS_TOKEN": "...", "ADVERTISER_ID": "..."}' if needs_advertiser_id else '{"ACCESS_TOKEN": "..."}'
    return CredentialsRefused(
        Code.SECRET_UNUSABLE,
        f"{fault}. Put {content} into the connector's secret; the upload goes through at the next sweep.",
    )


def upload_again(said: str) -> UploadAgain:
    """TikTok lost a part or received it damaged, more often than it is uploaded again."""
    return UploadAgain(
        Code.FILE_REFUSED, f"TikTok lost the uploaded file several times{said}. Upload it to the bucket once more."
    )


def file_refused(said: str) -> FileRefused:
    """TikTok refuses the content of a part."""
    return FileRefused(
        Code.FILE_REFUSED, f"TikTok refused the file{said}. Check its content and upload a corrected file."
    )


def request_refused(said: str) -> Failed:
    """TikTok says that a call is wrong, for no reason that the connector knows."""
    return Failed(
        Code.REQUEST_REFUSED,
        f"TikTok says that the connector's request is wrong{said}. Tell the person who runs the connector.",
    )


def too_few_left(said: str) -> TooFewLeft:
    """A change would leave too few people."""
    return TooFewLeft(
        Code.TOO_FEW_LEFT,
        f"TikTok refused the change because fewer than 1,000 people would remain{said}. "
        "The audience is unchanged; upload a file that leaves at least 1,000 people in it.",
    )


def audience_processing() -> NotEditable:
    """TikTok is still processing the last change to the audience."""
    return NotEditable(
        Code.AUDIENCE_PROCESSING,
        "TikTok is processing the last change to this audience, which takes up to 48 hours. "
        "The upload goes through afterwards.",
    )


def replaced_today(said: str) -> NotEditable:
    """The audience was replaced less than a day ago."""
    return NotEditable(
        Code.REPLACED_TODAY,
        f"TikTok accepts one replace of an audience per day{said}. The upload goes through tomorrow.",
    )


def unknown_audience() -> UnknownAudience:
    """The audience was deleted while an upload was on its way."""
    return UnknownAudience(
        Code.AUDIENCE_GONE,
        "The audience was just deleted in Ads Manager. The upload creates a new one at a later sweep.",
    )


def audience_limit_reached() -> Waiting:
    """The advertiser has as many audiences as TikTok allows."""
    return Waiting(
        Code.AUDIENCE_LIMIT_REACHED,
        "The advertiser has 400 audiences, TikTok's limit. Delete one in Ads Manager; the upload goes through at the "
        "next sweep.",
    )


# --- Order, lists and audiences ------------------------------------------------------------------
