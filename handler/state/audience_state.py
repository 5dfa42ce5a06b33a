"""The state of one audience in the bucket, `audiences/<identifier type>/<name>.json`.

Most importantly, it contains the lease, the registered id, the change that is about to be made or whose outcome is
unknown (`intent`), the change that TikTok is processing (`change`), the recently applied uploads, and a temporary
refusal by TikTok (`hold`).
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
# After this, an applied upload is dropped, and an older upload that arrives later may be rejected as out of order.
KEEP_APPLIED = timedelta(hours=48)
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
        files: the uploads of the change; for a list, only the first file, because its stored list contains them all.
        list: the digest of the list of a replace; None for appends and removes.
        began_at: the time just before the call was sent; if the call is repeated, before it was sent the first time.
        matched_before: the number of matched people before an update; None for a create.
        seen_processing: the time when a function first saw that TikTok was processing the change; None until then.
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
    """An upload that TikTok accepted, or the first file of a list that it accepted.

    A remove without an audience also counts as applied.

    Attributes:
        uploaded_at: the upload time; for a list, the upload time of its oldest file.
        sent_at: the `began_at` of the change, or the time when a remove without an audience was rejected.
        rows: the number of accepted rows, of all files for a list.
    """

    key: str
    version_id: str
    action: str
    uploaded_at: str
    sent_at: str
    rows: int


class Hold(TypedDict):
    """A kind of change that TikTok temporarily refuses. An update of this kind is not sent again before `until`.

    Attributes:
        call: the `call` of the refused change.
        code: the name of the refusal's `Code` member, such as `REPLACED_TODAY`.
        reason: the refusal's sentence for reports.
    """

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
    """The reads of an upload that S3 refused.

    Attributes:
        seconds: the seconds between the refused reads, without gaps of more than 15 minutes.
        last: the time of the last refused read.
    """

    seconds: float
    last: str


class State(TypedDict):
    """The state of one audience.

    Attributes:
        holder, held_until: the invocation that holds the lease, and the time when the lease expires; None without a
            lease.
        audience_id: TikTok's id of the registered audience; None if there is none.
        intent: the change that is about to be made, or whose outcome is unknown.
        change: the change that TikTok is processing.
        hold: the kind of change that TikTok temporarily refuses; None if there is none.
        applied: uploads that were applied in the last 48 hours, or are newer than an unfinished upload.
        appended_up_to, removed_up_to, replaced_up_to: for each action, the upload time of the newest upload that was
            dropped from `applied`.
        list_rows: the number of accepted rows of the last list that became available; None if there is none.
        told: the `WaitingReason` of the waiting uploads; None if none was written.
        unreadable: the `ReadFailures` of uploads, by upload digest.
        stalled: the number of consecutive invocations that ran out of time before they finished a part, by the digest
            of the upload or list. `copy:` precedes the digest of a copy that is being compared with its source.
        history_seen: the time of the newest entry in the audience's history at TikTok when the last change finished.
        message_seen: TikTok's message when the last change was sent, or when a change finished and the audience was
            valid. TikTok may repeat it.
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
    """Return a stored state in the current schema. Schema 1 lacks a few keys, in the state and in its changes."""
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
    """Drop applied uploads after 48 hours, unless an older upload is unfinished.

    Of the dropped uploads, the state keeps only the newest upload time of each action.

    Args:
        state: the audience's state.
        oldest_waiting: the upload time of the oldest unfinished upload; None if there is none.
        now: the current time in UTC.
    """
    kept: list[Applied] = []
    for each in state["applied"]:
        uploaded_at = parse_iso(each["uploaded_at"])
        if now - parse_iso(each["sent_at"]) < KEEP_APPLIED or (oldest_waiting and oldest_waiting <= uploaded_at):
            kept.append(each)
            continue
        name = _UP_TO[each["action"]]
        state[name] = max(state[name] or "", each["uploaded_at"])
    state["applied"] = kept
