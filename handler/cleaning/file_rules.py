"""Rules for an entire file or list.

A file or list without rows is skipped, or rejected if it is a replace. A file or list without a valid row, with too
many faulty rows or cells, or with device ids that are not hashed is rejected, and so is a replace whose last row is cut
off.
"""

from __future__ import annotations

from collections import Counter

from handler import reasons
from handler.cleaning.counts import RejectionReason, Tally
from handler.errors import Rejected
from handler.model import Action, IdentifierType

MD5_DIGITS = 32
_MIN_DEVICE_IDS = 8


def check_hashed(rows: bytes, digits: int, begin: int = 0, width: int = 0) -> None:
    """Reject device ids without hyphens: they have as many digits as an MD5.

    Device ids on iOS and Android are random UUIDs (RFC 4122, version 4): the 13th digit is 4, and the 17th is 8, 9, a
    or b. One MD5 in 64 has both by chance. Rows are considered device ids if at least eight different rows match this
    pattern and they are the majority, so that a few hashes or made-up ids among them do not hide them. MD5s are
    mistaken for device ids with a probability of at most about 2 in 10^11, reached with fifteen different rows.

    Args:
        rows: clean rows of equal length.
        digits: the number of digits of each identifier.
        begin: the offset of the identifier in a row.
        width: the number of bytes in a row; by default one identifier and a line feed.

    Raises:
        Rejected: the rows are device ids.
    """
    if digits != MD5_DIGITS:
        return
    width = width or digits + 1
    versions = rows[begin + 12 :: width]
    # Fast path: one MD5 in 16 has a 4 as its 13th digit by chance, so a block with this digit in at most one row of
    # eight is not checked further. Collecting the different rows would take longer than computing the block's MD5. The
    # count includes repeated rows, so thousands of repetitions of one hash can hide device ids.
    if versions.count(b"4") <= len(versions) // 8:
        return
    different = {rows[at : at + digits] for at in range(begin, len(rows), width)}
    alike = sum(row[12:13] == b"4" and row[16:17] in b"89ab" for row in different)
    if alike >= _MIN_DEVICE_IDS and alike > len(different) // 2:
        raise reasons.device_ids_not_hashed()


def check_file(
    tally: Tally,
    action: Action,
    max_rejected_ratio: float,
    identifier_type: IdentifierType,
    subject: reasons.Subject = "file",
) -> None:
    """Check the final counts of a file, or the merged counts of a list's files.

    Raises:
        Skipped: an append or remove has no rows.
        Rejected: a replace has no rows or its last row is cut off; no row is valid; or the share of faulty rows, or of
            faulty cells in a column, is above `max_rejected_ratio`.
    """
    if not tally.total and not tally.null_markers:
        raise reasons.empty_file(subject, action)
    if not tally.accepted:
        raise _no_valid_row(tally, identifier_type, subject)
    if tally.cut_off and action is Action.REPLACE:
        raise reasons.cut_off(_cut_off_line(tally))
    if tally.faulty_share > max_rejected_ratio:
        fault = _fault(tally, identifier_type)
        with_value = tally.accepted + tally.faulty
        raise reasons.too_many_rejected(subject, tally.faulty, with_value, max_rejected_ratio, fault)
    for column in tally.columns:
        if column.faulty_share > max_rejected_ratio:
            fault = _fault(tally, identifier_type, column.name)
            raise reasons.too_many_rejected(
                subject, column.faulty, column.filled, max_rejected_ratio, fault, column=column.name
            )


def check_list_file(tally: Tally, identifier_type: IdentifierType) -> None:
    """Check the final counts of one file of a list.

    A file of a list may be empty or have only NULL markers and hashes of empty values. `check_file` checks the share
    of faulty rows for the entire list.

    Raises:
        Rejected: the file has faulty rows but no valid one, or its last row is cut off.
    """
    if _has_only_empty_values(tally):
        return
    if not tally.accepted:
        raise _no_valid_row(tally, identifier_type, "file")
    if tally.cut_off:
        raise reasons.cut_off(_cut_off_line(tally))


def _has_only_empty_values(tally: Tally) -> bool:
    return not tally.accepted and tally.rejected == tally.empty_value_rows


def _no_valid_row(tally: Tally, identifier_type: IdentifierType, subject: reasons.Subject) -> Rejected:
    if _has_only_empty_values(tally):
        return reasons.only_empty_values(subject, tally.null_markers, tally.empty_value_rows)
    return reasons.no_valid_row(subject, tally.total, _fault(tally, identifier_type))


def _fault(tally: Tally, identifier_type: IdentifierType, column: str | None = None) -> reasons.Fault:
    """Return the most frequent fault of all rows, or of the reported cells of one column."""
    counts = Counter(tally.rejected_by_reason)
    rejections = [each for each in tally.rejections if column in {None, each.column}]
    if column or not counts:
        counts = Counter(each.reason.value for each in rejections)
    counts.pop(RejectionReason.HASH_OF_NOTHING, None)
    counts.pop(RejectionReason.COLUMN_LEFT_OUT, None)
    reason = counts.most_common(1)[0][0] if counts else RejectionReason.NOT_HEX.value
    first = next((each for each in rejections if each.reason == reason), None)
    return reasons.Fault(
        reason,
        line=first.line if first else None,
        digits=first.digits if first else None,
        hints=tally.column_hints or reasons.ColumnHints(),
        expected_digits=identifier_type.digits,
        device_ids=not identifier_type.startswith(("email", "phone")),
    )


def _cut_off_line(tally: Tally) -> int | None:
    return next((each.line for each in reversed(tally.rejections) if each.reason is RejectionReason.CUT_OFF), None)
