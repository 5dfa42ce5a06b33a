"""Rules for a whole file or list: one without rows, without a usable row, or with too many faulty rows is refused."""

from __future__ import annotations

from collections import Counter

from handler import reasons
from handler.cleaning.counts import RejectionReason, SeveralColumns, Tally
from handler.errors import Rejected
from handler.model import Action, IdentifierType

MD5_DIGITS = 32
_MIN_DEVICE_IDS = 8


def check_hashed(rows: bytes, digits: int, begin: int = 0, width: int = 0) -> None:
    """Refuse device ids that only lost their hyphens: each has as many digits as an MD5.

    Both platforms' ids are random UUIDs (RFC 4122, version 4), which have a 4 as their 13th digit and one of 8, 9, a
    and b as their 17th. One MD5 in 64 does by chance. So rows are device ids if eight different ones or more look like
    that, and these are more than half: few hashes or made-up ids between them must not hide them. Fifteen MD5s do by
    chance with a probability of 2 in 10^11, any other number of them with a smaller one.

    Args:
        rows: clean rows of the same length.
        digits: the number of digits of each identifier.
        begin: the position of the identifier in a row.
        width: bytes of a row; those of an identifier and a line feed if left out.

    Raises:
        Rejected: they are device ids.
    """
    if digits != MD5_DIGITS:
        return
    width = width or digits + 1
    versions = rows[begin + 12 :: width]
    # One MD5 in 16 has this digit. To count different rows takes longer than their MD5, so most blocks end here.
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
    """Refuse a file that cannot be sent after all of its rows were counted, or a list by the sum of its files' counts.

    Raises:
        Skipped: it has no rows, so that there is nothing to append or remove.
        Rejected: a replace without rows or with a row cut off; no valid row; a larger share of faulty rows than
            allowed, of all rows or of a column's cells.
    """
    if not tally.total and not tally.null_markers:
        raise reasons.empty_file(subject, action)
    if not tally.accepted:
        raise _no_valid_row(tally, identifier_type, subject)
    if tally.cut_off and action is Action.REPLACE:
        raise reasons.cut_off(_last_line(tally))
    if tally.faulty_share > max_rejected_ratio:
        fault = _fault(tally, identifier_type)
        raise reasons.too_many_rejected(subject, tally.faulty, tally.total, max_rejected_ratio, fault)
    for column in tally.columns:
        if column.faulty_share > max_rejected_ratio:
            fault = _fault(tally, identifier_type, column.name)
            raise reasons.too_many_rejected(
                subject, column.faulty, column.filled, max_rejected_ratio, fault, column=column.name
            )


def check_list_file(tally: Tally, identifier_type: IdentifierType) -> None:
    """Refuse a list for one of its files. One may have nothing to send: no rows, NULL markers or hashes of nothing.

    The share of faulty rows counts over the whole list, see `check_file`.

    Raises:
        Rejected: it has rows but no valid one, or its last row is cut off.
    """
    if _stands_for_nobody(tally):
        return
    if not tally.accepted:
        raise _no_valid_row(tally, identifier_type, "file")
    if tally.cut_off:
        raise reasons.cut_off(_last_line(tally))


def _stands_for_nobody(tally: Tally) -> bool:
    return not tally.accepted and tally.rejected == tally.empty_value_rows


def _no_valid_row(tally: Tally, identifier_type: IdentifierType, subject: reasons.Subject) -> Rejected:
    if _stands_for_nobody(tally):
        return reasons.only_nothing(subject, tally.null_markers, tally.empty_value_rows)
    return reasons.no_valid_row(subject, tally.total, _fault(tally, identifier_type))


def _fault(tally: Tally, identifier_type: IdentifierType, column: str | None = None) -> reasons.Fault:
    """Return the most frequent fault of all rows, or of the reported cells of a column."""
    counts = Counter(tally.rejected_by_reason)
    rejections = [each for each in tally.rejections if column in {None, each.column}]
    if column or not counts:
        counts = Counter(each.reason.value for each in rejections)
    counts.pop(RejectionReason.HASH_OF_NOTHING, None)
    counts.pop(RejectionReason.COLUMN_LEFT_OUT, None)
    reason = counts.most_common(1)[0][0] if counts else RejectionReason.NOT_HEX.value
    first = next((each for each in rejections if each.reason == reason), None)
    several = tally.several or SeveralColumns()
    return reasons.Fault(
        reason,
        line=first.line if first else None,
        digits=first.digits if first else None,
        right=_column(several, next(iter(several.right))) if len(several.right) == 1 else None,
        action=_column(several, several.action) if several.action else None,
        all_right=len(several.right) > 1,
        plain=several.plain,
        wanted=identifier_type.digits,
        device=not identifier_type.startswith(("email", "phone")),
    )


def _column(several: SeveralColumns, number: int) -> str:
    name = several.names.get(number)
    return f'column {number} ("{name}")' if name else f"column {number}"


def _last_line(tally: Tally) -> int | None:
    return next((each.line for each in reversed(tally.rejections) if each.reason is RejectionReason.CUT_OFF), None)
