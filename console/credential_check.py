"""Tests of TikTok credentials: list the audiences, and upload a file that creates no audience."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from console.stack import Connector
from console.tiktok import RefusedError, TikTok, stored_credentials
from handler.report_codes import Code
from handler.tiktok.credentials import Credentials

_REFUSED = {Code.PERMISSION_REFUSED, Code.TOKEN_REFUSED, Code.TERMS_NOT_ACCEPTED}
_ANALYST = " The token can list audiences. This is usual for a user with the role Analyst."


def check_credentials(connector: Connector, credentials: Credentials) -> dict[str, Any]:
    """Test credentials at TikTok.

    Returns:
        `can_list`, `can_upload`, `audiences` (the number of customer-file audiences, or None), and `problem` (a message
        if TikTok refuses the credentials, otherwise None).

    Raises:
        RefusedError: TikTok cannot be reached, or refused a call for a reason other than the credentials.
    """
    tiktok = TikTok(connector, credentials)
    result: dict[str, Any] = {"can_list": False, "can_upload": False, "audiences": None, "problem": None}

    def count() -> None:
        result["audiences"] = sum(audience.is_customer_file for audience in tiktok.audiences())

    result["can_list"], result["problem"] = _allowed(count, credentials, "list the audiences of")
    if result["can_list"]:
        result["can_upload"], result["problem"] = _allowed(
            tiktok.upload_test_file, credentials, "upload files for", _ANALYST
        )
    return result


def _allowed(
    call: Callable[[], None], credentials: Credentials, action: str, permission_hint: str = ""
) -> tuple[bool, str | None]:
    try:
        call()
    except RefusedError as refused:
        if refused.code not in _REFUSED:
            raise
        hint = permission_hint if refused.code is Code.PERMISSION_REFUSED else ""
        problem = f"The credentials cannot be used to {action} advertiser {credentials.advertiser_id}. {refused}{hint}"
        return False, problem
    return True, None


def credentials_problem(connector: Connector) -> str | None:
    """Return an error message if TikTok refuses the stored credentials, otherwise None.

    Raises:
        ConsoleError: the secret cannot be used, or the credentials cannot be tested, see `check_credentials`.
    """
    problem: str | None = check_credentials(connector, stored_credentials(connector))["problem"]
    return problem


def connect(connector: Connector) -> TikTok:
    """Return the advertiser's TikTok account, accessed with the stored credentials.

    Raises:
        ConsoleError: the secret has no credentials, or cannot be read.
    """
    return TikTok(connector, stored_credentials(connector))
