"""The emulator's controls for other processes: HTTP below /_emulator/, each one method of `TikTokEmulator`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

# Method and path -> method of the emulator; the fields of the query and the JSON body are its parameters.
_CONTROLS = {
    ("POST", "accounts"): "set_account",
    ("POST", "settings"): "configure",
    ("POST", "clock"): "advance",
    ("POST", "unmatched"): "set_unmatched",
    ("GET", "audiences"): "audiences",
    ("POST", "audiences"): "seed",
    ("POST", "rename"): "rename",
    ("POST", "delete"): "delete",
    ("POST", "apply"): "apply",
    ("GET", "members"): "members",
    ("GET", "calls"): "calls",
    ("DELETE", "calls"): "clear_calls",
    ("POST", "faults"): "fault",
    ("DELETE", "faults"): "clear_faults",
    ("DELETE", "files"): "forget_files",
}


def control(emulator: object, method: str, path: str, given: Mapping[str, Any]) -> tuple[int, Any]:
    """Return HTTP status and content of the answer to a control request; a method that returns nothing gives {}.

    Raises:
        KeyError, TypeError, ValueError: the request is wrong.
    """
    name = _CONTROLS.get((method, path.strip("/")))
    if name is None:
        return 404, {"error": f"no such control: {method} {path}"}
    result = getattr(emulator, name)(**given)
    return 200, {} if result is None else sorted(result) if isinstance(result, set) else result
