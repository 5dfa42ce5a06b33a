"""The state of one audience in the bucket, `audiences/<identifier type>/<name>.json`.

It contains the lease, the registered id, the change that is about to be made (`intent`), the change that TikTok is
processing (`change`), the recently applied uploads, and a temporary refusal by TikTok (`hold`).
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, Literal, TypedDict, cast

from handler.clock import iso, parse_iso
from handler.errors import NotEditable
from handler.model import Action, AudienceKey

SCHEMA = 2
AUDIENCES = "audiences/"
HOLD_TIME = timedelta(hours=1)  # a refusal lasts for hours, so the next call is made only after this time
KEEP_APPLIED = timedelta(hours=48)  # an upload that is registered later is applied only if its order is certain
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
        call: `create`, or the action of an update.
        audience_id: None until TikTok has responded to a create.
        files: the uploads of the change; for a list only the first file, because its stored list contains them all.
        list: the digest of the list of a replace; None for appends and removes.
        began_at: the time before the call was sent.
        matched_before: the number of matched people before an update.
        seen_processing: the time when a function first saw TikTok process the change.
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
    """An applied upload, or the first file of an applied list. `rows` is the number of accepted rows."""

    key: str
    version_id: str
    action: str
    uploaded_at: str
    sent_at: str
    rows: int


class Hold(TypedDict):
    """A kind of change that TikTok temporarily refuses. The connector does not request it again before `until`."""

    call: str
    until: str
    code: str
    reason: str


class WaitingReason(TypedDict):
    """The code that was last written to the reports of all waiting uploads.

    Attributes:
        registered_up_to: the registration time of the newest of these uploads.
        last: the number of these uploads that were registered in that second.
    """

    code: str
    registered_up_to: str
    last: int


class ReadFailures(TypedDict):
    """Failed reads of an upload.

    Attributes:
        seconds: the number of seconds during which reads failed.
        last: the time of the last failure.
    """

    seconds: float
    last: str


class State(TypedDict):
    """The state of one audience.

    Attributes:
        applied: uploads that were applied in the last 48 hours, or are newer than an upload that still waits.
        appended_up_to, removed_up_to, replaced_up_to: the upload time of the newest applied upload of each action
            that `applied` no longer contains.
        list_rows: the number of accepted rows of the last applied list.
        told: the `WaitingReason` of the waiting uploads; None if none was written.
        unreadable: the `ReadFailures` of uploads, by upload digest.
        stalled: by upload digest, the number of consecutive invocations that finished no part.
        history_seen: the time of the newest entry that a finished change left in the history at TikTok.
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
    """Return a stored state in the current schema. Schema 1 lacks a few keys, and its changes have no `list`."""
    state = cast("State", {**new_state(audience), **content, "schema": SCHEMA})
    for name in ("intent", "change"):
        if content.get(name):
            state[name] = cast("Change", {"list": None, "reported": False, **content[name]})
    return state


def set_hold(state: State, call: str, refused: NotEditable, now: datetime) -> None:
    """Record that TikTok temporarily refuses this kind of change."""
    state["hold"] = {"call": call, "until": iso(now + HOLD_TIME), "code": refused.code.name, "reason": refused.reason}


def remove_applied(state: State, change: Change) -> None:
    """Remove the uploads of a failed change from `applied`. Entries of earlier changes with the same uploads remain."""
    failed = {(each["key"], each["version_id"], change["began_at"]) for each in change["files"]}
    state["applied"] = [
        each for each in state["applied"] if (each["key"], each["version_id"], each["sent_at"]) not in failed
    ]


def pruned_up_to(state: State, action: Action) -> str:
    """Return the upload time of the newest upload of an action that was pruned from `applied`, or an empty string."""
    return state[_UP_TO[action]] or ""


def prune_applied(state: State, oldest_waiting: datetime | None, now: datetime) -> None:
    """Drop applied uploads after 48 hours, unless an older upload still waits, and keep only their newest times."""
    kept: list[Applied] = []
    for each in state["applied"]:
        uploaded_at = parse_iso(each["uploaded_at"])
        if now - parse_iso(each["sent_at"]) < KEEP_APPLIED or (oldest_waiting and oldest_waiting <= uploaded_at):
            kept.append(each)
            continue
        name = _UP_TO[each["action"]]
        state[name] = max(state[name] or "", each["uploaded_at"])
    state["applied"] = kept
