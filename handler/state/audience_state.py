"""The state of one audience in the bucket, and the lease on it: only who holds it changes anything at TikTok.

`audiences/<identifier type>/<name>.json` holds the lease, the id that was registered, the change that is about to be
made (`intent`), the change that TikTok is processing (`change`), and what it has refused for now (`hold`).
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Literal, TypedDict

from handler.clock import iso, parse_iso
from handler.errors import NotEditable
from handler.model import Action, AudienceKey
from handler.report_codes import Code

HOLD = timedelta(hours=1)  # what TikTok refuses for now it refuses for hours: until then no call is wasted on it


class FileRef(TypedDict):
    """An object version."""

    key: str
    version_id: str


class Change(TypedDict):
    """One call to TikTok that changes an audience, from intent to end.

    Attributes:
        call: what TikTok is asked for.
        audience_id: None until a create has answered.
        began_at: before the call went out.
        matched_before: people matched before an update.
        seen_processing: when TikTok was first seen processing it.
    """

    call: Literal["create", "append", "remove", "replace"]
    audience_id: str | None
    files: list[FileRef]
    began_at: str
    matched_before: int | None
    seen_processing: str | None


class Hold(TypedDict):
    """A kind of change that TikTok refused for now, which is not asked for again until then.

    Attributes:
        code, reason: the name of a `Code` and a sentence: why the files wait that ask for it.
    """

    call: str
    until: str
    code: str
    reason: str


class State(TypedDict):
    """What is known of one audience between invocations.

    Attributes:
        appended_up_to, removed_up_to, replaced_up_to: upload times of the newest files that were applied.
        history_seen: time of the newest entry of TikTok's history that an ended change left.
        message_seen: what TikTok said of the audience when it was last ready: it may go on saying so.
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
    appended_up_to: str | None
    removed_up_to: str | None
    replaced_up_to: str | None
    history_seen: str | None
    message_seen: str | None


def hold_back(state: State, call: str, refused: NotEditable, now: datetime) -> None:
    """Remember that TikTok takes no such change for now."""
    until = iso(now + HOLD)
    state["hold"] = {"call": call, "until": until, "code": refused.code.name, "reason": refused.reason}


def held_back(state: State, call: str, now: datetime) -> NotEditable | None:
    """Why such a change is not asked for yet, if it is not."""
    hold = state["hold"]
    if hold and hold["call"] == call and now < parse_iso(hold["until"]):
        return NotEditable(Code[hold["code"]], hold["reason"])
    return None


def mark_applied(state: State, action: Action, uploaded_at: str) -> None:
    """Remember that a file uploaded at this time has been applied."""
    match action:
        case Action.APPEND:
            state["appended_up_to"] = max(state["appended_up_to"] or "", uploaded_at)
        case Action.REMOVE:
            state["removed_up_to"] = max(state["removed_up_to"] or "", uploaded_at)
        case Action.REPLACE:
            state["replaced_up_to"] = max(state["replaced_up_to"] or "", uploaded_at)


def is_superseded(state: State, action: Action, uploaded_at: str) -> bool:
    """Whether a file comes too late: applied now, it would undo a newer one.

    An older remove after a newer append or remove takes out who asked to be, and goes through; an older replace would
    take out everybody that was added since. Upload times are whole seconds; within one, the order is replace, append,
    remove, so that nobody who was to be taken out stays in.
    """
    removed, replaced = state["removed_up_to"] or "", state["replaced_up_to"] or ""
    appended = state["appended_up_to"] or ""
    match action:
        case Action.APPEND:
            return uploaded_at <= removed or uploaded_at < replaced
        case Action.REMOVE:
            return uploaded_at < replaced
        case Action.REPLACE:
            return uploaded_at <= max(removed, appended) or uploaded_at < replaced


def new_state(key: AudienceKey) -> State:
    """Return the state of an audience that nothing is known of."""
    return {
        "schema": 1,
        "name": key.name,
        "identifier_type": key.identifier_type.value,
        "holder": None,
        "held_until": None,
        "audience_id": None,
        "intent": None,
        "change": None,
        "hold": None,
        "appended_up_to": None,
        "removed_up_to": None,
        "replaced_up_to": None,
        "history_seen": None,
        "message_seen": None,
    }
