"""The emulator's controls for other processes: HTTP below /_emulator/, each one method of the emulator.

POST   accounts    {"advertiser_id", "access_token"}        adds an advertiser, or replaces its token
POST   settings    {"processing_seconds": 2, ...}           changes some settings
POST   clock       {"advance_seconds": 3600}                moves the emulator's clock, also back
POST   unmatched   {"identifiers": [...]}                   identifiers that match no user from now on
GET    audiences   ?advertiser_id=                          all audiences, with more than TikTok would tell
POST   audiences   {"advertiser_id", "count", "name_prefix", ...}   seeds some, returns {"audience_ids": [...]}
POST   rename      {"audience_id", "name"}                  renames an audience, as a person in Ads Manager
POST   delete      {"audience_id"}                          deletes an audience, as a person in Ads Manager
GET    members     ?audience_id=                            its identifiers or rows
GET    calls       DELETE clears                            all calls, in order
POST   faults      {"call", "kind", ...}, DELETE clears     makes calls fail
DELETE files                                                makes every file_path unknown
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from sandbox.tiktok.server import Reply

if TYPE_CHECKING:
    from sandbox.tiktok.emulator import TikTokEmulator

_Control = Callable[["TikTokEmulator", Mapping[str, Any]], object]

# Each takes the emulator and the fields of query and body.
_CONTROLS: dict[tuple[str, str], _Control] = {
    ("POST", "accounts"): lambda emulator, given: emulator.set_account(given["advertiser_id"], given["access_token"]),
    ("POST", "settings"): lambda emulator, given: emulator.configure(**given),
    ("POST", "clock"): lambda emulator, given: emulator.advance(float(given["advance_seconds"])),
    ("POST", "unmatched"): lambda emulator, given: emulator.set_unmatched(given["identifiers"]),
    ("GET", "audiences"): lambda emulator, given: emulator.audiences(given.get("advertiser_id")),
    ("POST", "audiences"): lambda emulator, given: {"audience_ids": emulator.seed(**given)},
    ("POST", "rename"): lambda emulator, given: emulator.rename(given["audience_id"], given["name"]),
    ("POST", "delete"): lambda emulator, given: emulator.delete(given["audience_id"]),
    ("GET", "members"): lambda emulator, given: sorted(emulator.members(given["audience_id"])),
    ("GET", "calls"): lambda emulator, _: emulator.calls(),
    ("DELETE", "calls"): lambda emulator, _: emulator.clear_calls(),
    ("POST", "faults"): lambda emulator, given: emulator.fault(**given),
    ("DELETE", "faults"): lambda emulator, _: emulator.clear_faults(),
    ("DELETE", "files"): lambda emulator, _: emulator.forget_files(),
}


def control(emulator: TikTokEmulator, method: str, path: str, given: Mapping[str, Any]) -> Reply:
    """Answer a control request; a method that returns nothing is answered with {}.

    Raises:
        KeyError, TypeError, ValueError: the request is wrong.
    """
    action = _CONTROLS.get((method, path.strip("/")))
    if action is None:
        return Reply({"error": f"no such control: {method} {path}"}, 404)
    result = action(emulator, given)
    return Reply({} if result is None else result)
