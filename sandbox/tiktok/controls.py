"""The emulator's controls for other processes: HTTP below /_emulator/, each one method of the emulator.

POST   accounts    {"advertiser_id", "access_token"}        adds an advertiser, or replaces its token
POST   settings    {"processing_seconds": 2, ...}           changes some settings
POST   clock       {"seconds": 3600}                        moves the emulator's clock, also back
POST   unmatched   {"identifiers": [...]}                   identifiers that match no user from now on
GET    audiences   ?advertiser_id=                          all audiences, with more than TikTok would tell
POST   audiences   {"advertiser_id", "count", "name_prefix", ...}   seeds some, returns their ids
POST   rename      {"audience_id", "name"}                  renames an audience, as a person in Ads Manager
POST   delete      {"audience_id"}                          deletes an audience, as a person in Ads Manager
POST   apply       {"audience_id", "adgroup_id", "adgroup_name", "usage_mode"}   applies it to an ad group
GET    members     ?audience_id=                            its identifiers or rows
GET    calls       DELETE clears                            all calls, in order
POST   faults      {"call", "kind", ...}, DELETE clears     makes calls fail
DELETE files                                                makes every file_path unknown
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sandbox.tiktok.server import Reply

# Method and path -> method of the emulator, which takes the fields of query and body.
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


def control(emulator: object, method: str, path: str, given: Mapping[str, Any]) -> Reply:
    """Answer a control request; a method that returns nothing is answered with {}.

    Raises:
        KeyError, TypeError, ValueError: the request is wrong.
    """
    name = _CONTROLS.get((method, path.strip("/")))
    if name is None:
        return Reply({"error": f"no such control: {method} {path}"}, 404)
    result = getattr(emulator, name)(**given)
    return Reply({} if result is None else sorted(result) if isinstance(result, set) else result)
