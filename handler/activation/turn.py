"""One audience's turn: the lease, the waiting uploads, and cached information about them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import cached_property

from handler.activation import exports
from handler.activation.invocation import Invocation
from handler.activation.overtaking import Overtaking
from handler.activation.versions import Versions
from handler.errors import Damaged, Missing
from handler.model import Action
from handler.report_codes import Code
from handler.state.audience_state import AUDIENCES, prune_applied
from handler.state.lease import Lease
from handler.state.lists import StoredList, read_list
from handler.state.pending_pointers import Pointer

# After this time, a list that lacks files or that shrank without a confirmation is rejected, and a list file that
# cannot be handled no longer blocks other uploads.
MAX_WAIT = timedelta(hours=24)


class Turn:
    """The processing of one audience's uploads while the lease is held.

    Attributes:
        run: the invocation.
        lease: the lease on the audience.
        pointers: the pending pointers of its uploads.
        versions: the object versions of its uploads.
        overtaking: the filters for the rows of its uploads.
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
        """Return the pointers of unfinished uploads that this invocation can handle."""
        return [
            pointer
            for pointer in self.pointers
            if pointer.digest not in self.run.broken | self.run.unreadable and not self.run.ledger.is_finished(pointer)
        ]

    def held_up_since(self) -> datetime | None:
        """Return the upload time of the oldest list file that this invocation cannot handle; None if there is none.

        The list must not be sent without the file, and newer uploads must not be sent before the list. A day after
        its registration, the file no longer blocks other uploads.
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
        """The stored lists of the waiting replaces by digest, as of the first access in this turn."""
        replaces = (pointer for pointer in self.pointers if pointer.list_digest)
        digests = sorted({exports.digest_of_list(pointer, self.run.settle) for pointer in replaces})
        found = {digest: read_list(self.run.store, self.lease.audience, digest) for digest in digests}
        return {digest: stored for digest, stored in found.items() if stored}

    @cached_property
    def deleted_lists(self) -> dict[str, datetime]:
        """By digest, the time by which all files of an ambiguous or withdrawn list were deleted.

        Files uploaded after this time start a new list.
        """
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
            if "/" in name or name == own.name:  # a list object, or the state of this audience
                continue
            try:
                ids.add(self.run.store.read(key).content.get("audience_id"))
            except (Missing, Damaged):
                self.run.logger.exception("state unreadable", extra={"key": key})
        return ids - {None}
