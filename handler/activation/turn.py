"""One audience's turn: its lease, its waiting uploads, and what is known about them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from functools import cached_property

from handler.activation import order
from handler.activation.invocation import Invocation
from handler.activation.list_turn import MAX_WAIT
from handler.activation.overtaking import Overtaking
from handler.activation.versions import Versions
from handler.errors import Damaged, Missing
from handler.model import Action
from handler.report_codes import Code
from handler.state.audience_state import AUDIENCES, prune_applied
from handler.state.lease import Lease
from handler.state.lists import StoredList, read_list
from handler.state.pointers import Pointer


class Turn:
    """One audience's turn.

    Attributes:
        run: the invocation.
        lease: the lease on the audience.
        versions: the object versions behind its uploads.
        overtaking: filters for the rows of its uploads.
    """

    def __init__(self, run: Invocation, lease: Lease, pointers: Sequence[Pointer]) -> None:
        self.run = run
        self.lease = lease
        self.pointers = pointers
        self.versions = Versions(run)
        self.overtaking = Overtaking(run, lease.state, lease.audience.identifier_type)
        oldest = min((pointer.uploaded_at for pointer in pointers), default=None)
        prune_applied(lease.state, oldest, run.now())

    def waiting(self) -> list[Pointer]:
        """Return the pointers of uploads that are not at their end and can be handled in this invocation."""
        return [
            pointer
            for pointer in self.pointers
            if pointer.digest not in self.run.broken | self.run.unreadable and not self.run.ledger.is_finished(pointer)
        ]

    def held_up_since(self) -> datetime | None:
        """Return the upload time of the first file of a list that cannot be handled in this invocation; None without.

        Its list must not go without it, and nothing newer before it. After a day it holds up nothing any more.
        """
        run = self.run
        times = [
            pointer.uploaded_at
            for pointer in self.pointers
            if pointer.digest in run.broken | run.unreadable
            and pointer.action is Action.REPLACE
            and run.now() - pointer.registered_at < MAX_WAIT
            and not run.ledger.is_finished(pointer)
        ]
        return min(times, default=None)

    @cached_property
    def lists(self) -> dict[str, StoredList]:
        """The stored lists of the waiting replaces, by digest, as they were when the turn began."""
        replaces = (pointer for pointer in self.pointers if pointer.list_digest)
        digests = sorted({order.digest_of_list(pointer, self.run.settle) for pointer in replaces})
        found = {digest: read_list(self.run.store, self.lease.audience, digest) for digest in digests}
        return {digest: stored for digest, stored in found.items() if stored}

    @cached_property
    def deleted_lists(self) -> dict[str, datetime]:
        """When all files of a list that shares its end had been deleted, by digest: what comes next is another list."""
        shared = {Code.AMBIGUOUS_REPLACE, Code.WITHDRAWN}
        times = {
            digest: self.versions.all_deleted_at((file["key"], file["version_id"]) for file in stored["files"])
            for digest, stored in self.lists.items()
            if stored["code"] in shared
        }
        return {digest: at for digest, at in times.items() if at}

    def registered_elsewhere(self) -> set[str]:
        """Return the ids that are registered for other audience names of the same identifier type."""
        own = self.lease.audience
        prefix = f"{AUDIENCES}{own.identifier_type}/"
        ids = set()
        for key in self.run.store.keys(prefix):
            name = key.removeprefix(prefix).removesuffix(".json")
            if "/" in name or name == own.name:  # the object of a list, or the audience itself
                continue
            try:
                ids.add(self.run.store.read(key).content.get("audience_id"))
            except (Missing, Damaged):
                self.run.logger.exception("state unreadable", extra={"key": key})
        return ids - {None}
