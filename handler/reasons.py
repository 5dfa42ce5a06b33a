"""Every sentence that a user reads, one function per outcome.

A sentence says what happened, where, and what to do. None holds an identifier. Functions return the outcome to raise.
"""

from __future__ import annotations

from handler.errors import OutcomeUnknown, UnexpectedResponse, UnknownAudience
from handler.report_codes import Code

# --- Object keys ---------------------------------------------------------------------------------


# --- The content of files ------------------------------------------------------------------------


# --- TikTok's answers ----------------------------------------------------------------------------


def outcome_unknown() -> OutcomeUnknown:
    """TikTok's answer to a call that must not be repeated was lost."""
    return OutcomeUnknown(
        Code.OUTCOME_UNKNOWN,
        "TikTok did not say whether it accepted the file. The connector asks TikTok before it sends anything again.",
    )


def unknown_audience() -> UnknownAudience:
    """The audience was deleted while an upload was on its way."""
    return UnknownAudience(
        Code.AUDIENCE_GONE,
        "The audience was just deleted in Ads Manager. The upload creates a new one at a later sweep.",
    )


def unexpected_response() -> UnexpectedResponse:
    """TikTok's response about audiences does not have the documented form."""
    return UnexpectedResponse(
        Code.TIKTOK_UNAVAILABLE,
        "TikTok's response about its audiences cannot be read. The upload goes through once it can.",
    )


# --- Order, lists and audiences ------------------------------------------------------------------
