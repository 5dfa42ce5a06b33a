"""Read uploads: stream an object from S3, clean it and cut it into parts until the invocation is about to end."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from handler import reasons
from handler.activation.invocation import Invocation
from handler.cleaning.counts import Progress
from handler.cleaning.parts import Part, parts
from handler.model import IdentifierType
from handler.state.reports import Report


def identifier_type_of(report: Report) -> IdentifierType:
    """Return the identifier type of an upload whose key is valid."""
    if report["audience"] is None:
        raise AssertionError("An upload with an invalid key is never read.")
    return IdentifierType(report["audience"]["identifier_type"])


def read_parts(
    run: Invocation,
    key: str,
    version_id: str,
    identifier_type: IdentifierType,
    *,
    start: Progress | None = None,
    keep: Callable[[bytes], bytes] | None = None,
) -> Iterator[Part]:
    """Yield the parts of an object version.

    Args:
        run: the invocation.
        key: the object's key.
        version_id: the object's version id.
        identifier_type: the type of the identifiers.
        start: the position where an earlier invocation stopped; by default the beginning.
        keep: a filter for the accepted rows; by default all rows are kept.

    Raises:
        Rejected: the file has an unsupported format or unusable columns, is damaged, or has identifiers that are not
            hashed.
        Failed: the object cannot be read.
        OutOfTime: the invocation is about to end.
    """
    return parts(
        lambda first_byte: run.store.stream(key, version_id, first_byte),
        identifier_type,
        run.settings.max_part_bytes,
        start=start,
        keep=keep,
        check_time=lambda: check_time(run),
    )


def check_time(run: Invocation) -> None:
    """Check that the invocation has time left to continue reading.

    Raises:
        OutOfTime: only the reserve for finishing the invocation is left.
    """
    if run.deadline.near():
        raise reasons.out_of_time()
