"""Choose the audience for a turn's uploads, and check that it can be created or changed now."""

from __future__ import annotations

from collections.abc import Sequence

from handler import reasons
from handler.activation.audience_status import Stage, needs_details, stage, without_old_message
from handler.activation.turn import Turn
from handler.clock import parse_iso
from handler.errors import NotEditable
from handler.model import Action
from handler.report_codes import Code
from handler.state.pending_pointers import upload_digest
from handler.tiktok.responses import Audience


def check_hold(turn: Turn, action: Action) -> None:
    """Check that TikTok did not recently refuse this kind of change.

    Raises:
        NotEditable: TikTok refused it less than an hour ago. The change is sent again later.
    """
    hold = turn.lease.state["hold"]
    if hold and hold["call"] == action and turn.run.now() < parse_iso(hold["until"]):
        raise NotEditable(Code[hold["code"]], hold["reason"])


def register_unregistered(turn: Turn, keys: Sequence[str]) -> None:
    """Register recent objects without a report in the identifier type folders of these keys.

    Without settling, nothing is registered.

    Raises:
        Waiting: there are such objects, so the turn ends until they have settled.
    """
    run = turn.run
    if not run.settle:
        return
    known = {pointer.digest for pointer in turn.pointers}
    known |= {upload_digest(each["key"], each["version_id"]) for each in turn.lease.state["applied"]}
    if turn.versions.register_unregistered(keys, known):
        raise reasons.settling()


def choose_audience(turn: Turn) -> tuple[Audience | None, str]:
    """Return the audience that the uploads belong to, or None if it must be created, and a note for the reports.

    Raises:
        Waiting: the audience accepts no change now, or a call to TikTok failed.
    """
    run, lease = turn.run, turn.lease
    registered = lease.state["audience_id"]
    found = run.account.find(lease.audience, registered, turn.registered_elsewhere)
    if not found:
        return None, ""
    audience = without_old_message(found[0], lease.state)
    if needs_details(audience, None, run.now()):
        details = run.account.details(audience.id)
        audience = without_old_message(details.completed_from(found[0]) if details else audience, lease.state)
    match stage(audience, None, None, run.now()):
        case Stage.READY:
            others = [each for each in found[1:] if each.name == lease.audience.name]
            note = reasons.several_audiences(1 + len(others), audience.id) if others else ""
            if audience.name and audience.name != lease.audience.name:
                note += reasons.renamed(audience.name)
            return audience, note
        case Stage.TOO_SMALL:
            raise reasons.audience_too_small()
        case Stage.EXPIRED:
            raise reasons.audience_expired()
        case _:
            raise reasons.audience_processing()
