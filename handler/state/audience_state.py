"""The state of one audience in the bucket, `audiences/<identifier type>/<name>.json`.

It holds the lease, the registered id, the change that is about to be made (`intent`), the change that TikTok is
processing (`change`), the uploads applied lately, and what TikTok has refused for now (`hold`).
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, Literal, TypedDict, cast

from handler.clock import iso, parse_iso
from handler.errors import NotEditable
from handler.model import Action, AudienceKey

SCHEMA = 2
AUDIENCES = "audiences/"
HOLD = timedelta(hours=1)  # a refusal lasts for hours, so no call is made before this
KEEP_APPLIED = timedelta(hours=48)  # an upload whose event arrives later is applied only if the order is certain
_UP_TO: dict[str, Literal["appended_up_to", "removed_up_to", "replaced_up_to"]] = {
    "append": "appended_up_to",
    "remove": "removed_up_to",
    "replace": "replaced_up_to",
}


class FileRef(TypedDict):
    """An object version."""

    key: str
    version_id: str


class Change(TypedDict):
    """One create or update call at TikTok, from intent to final result.

    Attributes:
        call: the call, or the action of an update.
        audience_id: None until a create has answered.
        files: the uploads of the change; empty for a list, whose own object has them.
        list: digest of the list of a replace; None for appends and removes.
        began_at: the time before the call went out.
        matched_before: matched people before an update.
        seen_processing: the time when TikTok was first seen processing it.
        reported: true once the reports of its uploads say `submitted`.
    """

    call: Literal["create", "append", "remove", "replace"]
    audience_id: str | None
    files: list[FileRef]
    list: str | None
    began_at: str
    matched_before: int | None
    seen_processing: str | None
    reported: bool


class Applied(TypedDict):
    """An upload, or the first file of a list, that was applied. `rows` are its accepted rows."""

    key: str
    version_id: str
    action: str
    uploaded_at: str
    sent_at: str
    rows: int


class Hold(TypedDict):
    """A kind of change that TikTok refused for now. It is not asked for again before `until`."""

    call: str
    until: str
    code: str
    reason: str


class WaitingReason(TypedDict):
    """The code that all uploads registered up to a time have been given as the reason why they wait.

    Attributes:
        last: the number of those that were registered in the last second of that time.
    """

    code: str
    registered_up_to: str
    last: int


class ReadFailures(TypedDict):
    """Failed reads of an upload: seconds during which reads failed, and the time of the last failure."""

    seconds: float
    last: str


class State(TypedDict):
    """The memory of one audience between invocations.

    Attributes:
        applied: uploads applied in the last 48 hours, or while anything older waits.
        appended_up_to, removed_up_to, replaced_up_to: upload times of the newest applied uploads that `applied` no
            longer holds.
        list_rows: accepted rows of the last applied list.
        told: see `WaitingReason`.
        unreadable: by upload digest, see `ReadFailures`.
        stalled: by upload digest, invocations in a row that finished no part of it.
        history_seen: time of the newest history entry that an ended change left at TikTok.
        message_seen: TikTok's message when the audience was last ready; TikTok may repeat it.
    """

    schema: int
    name: str
    identifier_type: str
    holder: str | None
    held_until: str | None
    audience_id: str | None
    intent: Change | None
    change: Change | None
    hold: Hold | None
    applied: list[Applied]
    appended_up_to: str | None
    removed_up_to: str | None
    replaced_up_to: str | None
    list_rows: int | None
    told: WaitingReason | None
    unreadable: dict[str, ReadFailures]
    stalled: dict[str, int]
    history_seen: str | None
    message_seen: str | None


def state_key(audience: AudienceKey) -> str:
    """Return the key of an audience's state."""
    return f"{AUDIENCES}{audience.path}.json"


def new_state(audience: AudienceKey) -> State:
    """Return the state of a new audience."""
    return {
        "schema": SCHEMA,
        "name": audience.name,
        "identifier_type": audience.identifier_type.value,
        "holder": None,
        "held_until": None,
        "audience_id": None,
        "intent": None,
        "change": None,
        "hold": None,
        "applied": [],
        "appended_up_to": None,
        "removed_up_to": None,
        "replaced_up_to": None,
        "list_rows": None,
        "told": None,
        "unreadable": {},
        "stalled": {},
        "history_seen": None,
        "message_seen": None,
    }


def upgraded_state(audience: AudienceKey, content: dict[str, Any]) -> State:
    """Return a stored state in today's form. Schema 1 lacks a few keys, and its changes have no `list`."""
    state = cast("State", {**new_state(audience), **content, "schema": SCHEMA})
    for name in ("intent", "change"):
        if content.get(name):
            state[name] = cast("Change", {"list": None, "reported": False, **content[name]})
    return state


def set_hold(state: State, call: str, refused: NotEditable, now: datetime) -> None:
    """Remember that TikTok accepts no such change for now."""
    state["hold"] = {"call": call, "until": iso(now + HOLD), "code": refused.code.name, "reason": refused.reason}


def remove_applied(state: State, change: Change) -> None:
    """Stop counting a change's uploads as applied, because it failed. An earlier change of theirs still counts."""
    failed = {(each["key"], each["version_id"], change["began_at"]) for each in change["files"]}
    state["applied"] = [
        each for each in state["applied"] if (each["key"], each["version_id"], each["sent_at"]) not in failed
    ]


def pruned_up_to(state: State, action: Action) -> str:
    """Return the upload time of the newest applied upload of an action that `applied` no longer holds; "" for none."""
    return state[_UP_TO[action]] or ""


def prune_applied(state: State, oldest_waiting: datetime | None, now: datetime) -> None:
    """Drop applied uploads after 48 hours, unless an older upload still waits. Only their newest times are kept."""
    kept: list[Applied] = []
    for each in state["applied"]:
        uploaded_at = parse_iso(each["uploaded_at"])
        if now - parse_iso(each["sent_at"]) < KEEP_APPLIED or (oldest_waiting and oldest_waiting <= uploaded_at):
            kept.append(each)
            continue
        name = _UP_TO[each["action"]]
        state[name] = max(state[name] or "", each["uploaded_at"])
    state["applied"] = kept
