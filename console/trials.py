"""Credentials tried at TikTok: a listing, and an upload that creates nothing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from console.stack import Connector
from console.tiktok import RefusedError, TikTok, stored_credentials
from handler.report_codes import Code
from handler.tiktok.credentials import Credentials

_REFUSED = {Code.PERMISSION_REFUSED, Code.TOKEN_REFUSED, Code.TERMS_NOT_ACCEPTED}


def attempt(connector: Connector, given: Credentials) -> dict[str, Any]:
    """Try credentials at TikTok.

    Returns:
        `can_list`, `can_upload`, `audiences` (a count or None), and `problem`: a sentence, or None.

    Raises:
        ConsoleError: TikTok cannot be reached.
    """
    tiktok = TikTok(connector, given)
    result: dict[str, Any] = {"can_list": False, "can_upload": False, "audiences": None, "problem": None}

    def count() -> None:
        result["audiences"] = sum(audience.is_customer_file for audience in tiktok.audiences())

    result["can_list"], result["problem"] = _allowed(count, given, "list the audiences of")
    if result["can_list"]:
        result["can_upload"], result["problem"] = _allowed(tiktok.try_upload, given, "upload files for")
        if result["problem"]:
            result["problem"] += " It may list audiences, so the user who authorized the app has the role Analyst."
    return result


def _allowed(call: Callable[[], None], given: Credentials, action: str) -> tuple[bool, str | None]:
    try:
        call()
    except RefusedError as refused:
        if refused.code not in _REFUSED:
            raise
        return False, f"The token may not {action} advertiser {given.advertiser_id}. {refused}"
    return True, None


def credentials_problem(connector: Connector) -> str | None:
    """Return a sentence if TikTok refuses the stored credentials."""
    problem: str | None = attempt(connector, stored_credentials(connector))["problem"]
    return problem


def connected(connector: Connector) -> TikTok:
    """Return a connection to TikTok with the stored credentials."""
    return TikTok(connector, stored_credentials(connector))
