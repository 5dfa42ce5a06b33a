"""Every sentence that a user reads, one function per outcome.

A sentence says what happened, where, and what to do. None holds an identifier. Functions return the outcome to raise.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from handler.errors import (
    CredentialsRefused,
    Failed,
    FileRefused,
    NotEditable,
    Outcome,
    OutcomeUnknown,
    Rejected,
    Skipped,
    Throttled,
    TooFewLeft,
    UnexpectedResponse,
    UnknownAudience,
    UploadAgain,
    Waiting,
)
from handler.model import Action
from handler.report_codes import Code

# --- Object keys ---------------------------------------------------------------------------------


# --- The content of files ------------------------------------------------------------------------

Subject = Literal["file", "list"]


@dataclass(frozen=True)
class Fault:
    """The most frequent fault of a file's rows.

    Attributes:
        reason: the row's `reason` in the report.
        line: the first line that has it; None if it is not among the reported ones.
        digits: the number of hexadecimal digits in that line if it has the wrong length.
        right: the column that holds identifiers, if a row has several columns and exactly one does.
        action: the column that says whether a person is added or removed.
        wanted: digits of an identifier of the type: 32 or 64; 0 for columns.
        device: True if the identifiers are device ids.
    """

    reason: str
    line: int | None = None
    digits: int | None = None
    right: str | None = None
    action: str | None = None
    wanted: int = 64
    device: bool = False


def wrong_kind(code: Code, kind: str, advice: str) -> Rejected:
    """Refuse a file that is not text by its first bytes."""
    return Rejected(code, f"The file is {kind}. {advice}")


def compressed_twice() -> Rejected:
    """Refuse compressed data within compressed data."""
    return Rejected(
        Code.BROKEN_GZIP,
        "The file is compressed twice. Compress the text file only once, and upload it again.",
    )


def damaged_compression(packing: str) -> Rejected:
    """Refuse a compressed file that cannot be decompressed."""
    return Rejected(
        Code.BROKEN_GZIP,
        f"The {packing} file is damaged and cannot be decompressed. Compress the text file again, and upload it.",
    )


def cut_off_compression(packing: str) -> Rejected:
    """Refuse a compressed file without its end."""
    return Rejected(
        Code.BROKEN_GZIP,
        f"The {packing} file is cut off: its end is missing. Check the export or the transfer, and upload it again.",
    )


def decompression_bomb(ratio: int) -> Rejected:
    """Refuse a compressed file that grows more than identifiers can."""
    return Rejected(
        Code.GZIP_BOMB,
        f"The file grows more than {ratio}-fold when it is decompressed, which files of identifiers do not. "
        "Check how it was made.",
    )


def device_ids_not_hashed() -> Rejected:
    """Refuse device ids that only lost their hyphens."""
    return Rejected(
        Code.NOT_HASHED,
        "The rows are device ids that are not hashed, only written without hyphens. "
        "Hash them with their hyphens, and upload the file again.",
    )


def empty_file(action: Action) -> Outcome:
    """Return the outcome of a file without rows: a normal end, except that a replace must not empty an audience."""
    if action is Action.REPLACE:
        return Rejected(
            Code.EMPTY_FILE,
            "The file has no rows, and a replace without rows would empty the audience. The audience is unchanged. "
            "Check the export, and upload the whole list.",
        )
    return Skipped(
        Code.EMPTY_FILE, f"The file has no rows, so there is nothing to {action}. No action is needed if that is right."
    )


def empty_list() -> Rejected:
    """Refuse a list without rows."""
    return Rejected(
        Code.EMPTY_FILE,
        "No file of the list has rows, and a replace without rows would empty the audience. The audience is "
        "unchanged. Check the export, and upload the whole list.",
    )


def only_nothing(subject: Subject, null_markers: int, hashes: int) -> Rejected:
    """Refuse a file of only NULL markers or hashes of nothing: a broken join must not look like an empty list."""
    kinds = [f"NULL markers ({null_markers:,})"] if null_markers else []
    kinds += [f"hashes of an empty or missing value ({hashes:,})"] if hashes else []
    return Rejected(
        Code.NO_VALID_ROW,
        f"The {subject} has no identifiers, only {' and '.join(kinds)}. The audience is unchanged. "
        "Check the query or join that the export uses, and upload it again.",
    )


def no_valid_row(subject: Subject, total: int, fault: Fault) -> Rejected:
    """Refuse a file of which no row can be used."""
    return Rejected(Code.NO_VALID_ROW, f"None of the {total:,} rows in the {subject} can be used. {_explained(fault)}")


def too_many_rejected(subject: Subject, faulty: int, total: int, max_ratio: float, fault: Fault) -> Rejected:
    """Refuse a file with too many faulty rows."""
    return Rejected(
        Code.TOO_MANY_REJECTED,
        f"{faulty:,} of the {total:,} rows in the {subject} cannot be used. The limit is {100 * max_ratio:g} %, so the "
        f"audience is unchanged. {_explained(fault)}",
    )


def too_many_in_column(
    subject: Subject, column: str, *, faulty: int, filled: int, max_ratio: float, fault: Fault
) -> Rejected:
    """Refuse a file with too many faulty cells in one column."""
    return Rejected(
        Code.TOO_MANY_REJECTED,
        f'{faulty:,} of the {filled:,} cells in the column "{column}" of the {subject} cannot be used. The limit is '
        f"{100 * max_ratio:g} %, so the audience is unchanged. {_explained(fault)}",
    )


def cut_off(line: int | None) -> Rejected:
    """Refuse a replace whose last row is incomplete."""
    return Rejected(
        Code.CUT_OFF,
        f"The last row{_in_line(line)} is cut off, so the list is probably incomplete, and a replace needs the whole "
        "list. The audience is unchanged. Check the export or the transfer, and upload the list again.",
    )


def adds_and_removes(column: str) -> Rejected:
    """Refuse a file with a column that says whether a person is added or removed."""
    return Rejected(
        Code.WRONG_COLUMNS,
        f"The file mixes additions and removals: {column} says whether a person is added or removed. Upload the added "
        "people under append and the removed ones under remove, without that column.",
    )


def plain_text_column(column: str) -> Rejected:
    """Refuse a file with identifiers in plain text."""
    return Rejected(
        Code.NOT_HASHED,
        f"The file has identifiers in plain text in {column}. Hash them with SHA-256, name the column MAID_SHA256, and "
        "upload the file again.",
    )


def no_identifier_column(allowed: Sequence[str], *, has_header: bool) -> Rejected:
    """Refuse a file whose first line names no column of identifiers."""
    what = "The header names no column of identifiers" if has_header else "The first line is not a header"
    return Rejected(
        Code.WRONG_COLUMNS,
        f"{what}. A file of the type multiple_types needs a first line with column names: one or more of "
        f"{', '.join(allowed)}. Add or rename them, and upload the file again.",
    )


def too_many_columns(header: str, most: int) -> Rejected:
    """Refuse a file with the same header too often."""
    return Rejected(
        Code.WRONG_COLUMNS,
        f"The file has more than {most} columns of the kind {header}, and TikTok accepts {most}. Leave out the others, "
        "and upload the file again.",
    )


_FAULTS = {
    "not_hashed": ("are not hashed", "Hash the identifiers with {algorithm} before you upload them."),
    "wrong_length": (
        "have too few or too many digits",
        "Check that the identifier type in the folder's name is the one of the file.",
    ),
    "not_hex": ("are not hashes", "Upload hashes as hexadecimal digits (0-9, a-f), one per line."),
    "more_than_one_column": ("have more than one column", "Upload the column of identifiers alone."),
    "too_long": ("are longer than any identifier", "Upload one identifier per line."),
    "cut_off": ("are cut off", "Check the export or the transfer, and upload the file again."),
    "hash_of_nothing": ("are hashes of an empty value", "Leave out rows without a value before hashing."),
    "wrong_number_of_fields": (
        "have more or fewer fields than the header",
        "Check the delimiter and the quotes in these lines.",
    ),
}


def _explained(fault: Fault) -> str:
    """Return two sentences: what is wrong with the rows and where it begins, and what to do."""
    what, advice = _FAULTS[fault.reason]
    algorithm = "MD5" if fault.wanted == _MD5_DIGITS else "SHA-256"
    advice = advice.format(algorithm=algorithm) + _other_length(fault)
    if fault.reason == "more_than_one_column" and fault.action:
        what = f"have more than one column, and {fault.action} says whether a person is added or removed"
        advice = (
            "Upload the added people under append and the removed ones under remove, each with the identifiers alone."
        )
    elif fault.reason == "more_than_one_column" and fault.right:
        advice = f"Upload {fault.right} alone: it holds the identifiers."
    first = f", first{_in_line(fault.line)}" if fault.line else ""
    return f"Most of them {what}{first}. {advice}"


_MD5_DIGITS = 32


def _other_length(fault: Fault) -> str:
    if fault.digits == 32:  # noqa: PLR2004 - digits of an MD5
        if fault.device:
            return (
                " Hashes of 32 digits are MD5: use a folder that ends in _md5, or hash the ids first if they only lost "
                "their hyphens."
            )
        return " Hashes of 32 digits are MD5: TikTok accepts email addresses and phone numbers as SHA-256 only."
    if fault.digits == 40:  # noqa: PLR2004 - digits of a SHA-1
        return " Hashes of 40 digits are SHA-1, which TikTok does not accept."
    if fault.digits == 64:  # noqa: PLR2004 - digits of a SHA-256
        return " Hashes of 64 digits are SHA-256: use a folder that ends in _sha256."
    return ""


def _in_line(line: int | None) -> str:
    return f" in line {line:,}" if line else ""


# --- TikTok's answers ----------------------------------------------------------------------------
#
# `said` is TikTok's code, message and request id in parentheses, with a space before them; empty without a response.


def throttled() -> Throttled:
    """TikTok's rate limit is reached."""
    return Throttled(
        Code.TIKTOK_THROTTLED,
        "TikTok's rate limit for the app is reached. The connector tries the upload again at a later sweep.",
    )


def tiktok_busy(said: str) -> Waiting:
    """TikTok answered that it is busy, or did not answer."""
    return Waiting(
        Code.TIKTOK_UNAVAILABLE,
        f"TikTok is busy or cannot be reached{said}. The connector tries the upload again at a later sweep.",
    )


def part_without_path() -> Waiting:
    """TikTok accepted a part and returned no `file_path`."""
    return Waiting(
        Code.TIKTOK_UNAVAILABLE,
        "TikTok accepted a part of the file but did not return its path. The connector uploads it again at a later "
        "sweep.",
    )


def listing_incomplete() -> Waiting:
    """TikTok's list of audiences did not add up to its own total."""
    return Waiting(
        Code.TIKTOK_UNAVAILABLE,
        "TikTok's list of audiences changed while it was read. The connector reads it again at a later sweep.",
    )


def unexpected_response() -> UnexpectedResponse:
    """TikTok's response about audiences does not have the documented form."""
    return UnexpectedResponse(
        Code.TIKTOK_UNAVAILABLE,
        "TikTok's response about its audiences cannot be read. The upload goes through once it can.",
    )


def outcome_unknown() -> OutcomeUnknown:
    """TikTok's answer to a call that must not be repeated was lost."""
    return OutcomeUnknown(
        Code.OUTCOME_UNKNOWN,
        "TikTok did not say whether it accepted the file. The connector asks TikTok before it sends anything again.",
    )


def token_refused(said: str) -> CredentialsRefused:
    """TikTok refuses the access token."""
    return CredentialsRefused(
        Code.TOKEN_REFUSED,
        f"TikTok refused the access token{said}. Put a valid ACCESS_TOKEN into the connector's secret; "
        "the upload goes through at the next sweep.",
    )


def permission_refused(said: str, advertiser_id: str) -> CredentialsRefused:
    """The token does not give access to the advertiser, or the advertiser does not exist."""
    return CredentialsRefused(
        Code.PERMISSION_REFUSED,
        f"TikTok refused access to advertiser {advertiser_id}{said}. Check that this ADVERTISER_ID is right, and give "
        "the app and its user (Operator or Admin) audience management for it; the upload goes through at the next "
        "sweep.",
    )


def terms_not_accepted(said: str, advertiser_id: str) -> CredentialsRefused:
    """The advertiser has not accepted the Custom Audience Terms."""
    return CredentialsRefused(
        Code.TERMS_NOT_ACCEPTED,
        f"Advertiser {advertiser_id} has not accepted TikTok's Custom Audience Terms{said}. "
        "Accept them in Ads Manager; the upload goes through at the next sweep.",
    )


def secret_unusable(fault: str, *, needs_advertiser_id: bool) -> CredentialsRefused:
    """The connector's secret is empty or malformed.

    Args:
        fault: a sentence without the period, such as "The secret is empty".
        needs_advertiser_id: false if the advertiser id comes from the configuration.
    """
    content = '{"ACCESS_TOKEN": "...", "ADVERTISER_ID": "..."}' if needs_advertiser_id else '{"ACCESS_TOKEN": "..."}'
    return CredentialsRefused(
        Code.SECRET_UNUSABLE,
        f"{fault}. Put {content} into the connector's secret; the upload goes through at the next sweep.",
    )


def upload_again(said: str) -> UploadAgain:
    """TikTok lost a part or received it damaged, more often than it is uploaded again."""
    return UploadAgain(
        Code.FILE_REFUSED, f"TikTok lost the uploaded file several times{said}. Upload it to the bucket once more."
    )


def file_refused(said: str) -> FileRefused:
    """TikTok refuses the content of a part."""
    return FileRefused(
        Code.FILE_REFUSED, f"TikTok refused the file{said}. Check its content and upload a corrected file."
    )


def request_refused(said: str) -> Failed:
    """TikTok says that a call is wrong, for no reason that the connector knows."""
    return Failed(
        Code.REQUEST_REFUSED,
        f"TikTok says that the connector's request is wrong{said}. Tell the person who runs the connector.",
    )


def too_few_left(said: str) -> TooFewLeft:
    """A change would leave too few people."""
    return TooFewLeft(
        Code.TOO_FEW_LEFT,
        f"TikTok refused the change because fewer than 1,000 people would remain{said}. "
        "The audience is unchanged; upload a file that leaves at least 1,000 people in it.",
    )


def audience_processing() -> NotEditable:
    """TikTok is still processing the last change to the audience."""
    return NotEditable(
        Code.AUDIENCE_PROCESSING,
        "TikTok is processing the last change to this audience, which takes up to 48 hours. "
        "The upload goes through afterwards.",
    )


def replaced_today(said: str) -> NotEditable:
    """The audience was replaced less than a day ago."""
    return NotEditable(
        Code.REPLACED_TODAY,
        f"TikTok accepts one replace of an audience per day{said}. The upload goes through tomorrow.",
    )


def unknown_audience() -> UnknownAudience:
    """The audience was deleted while an upload was on its way."""
    return UnknownAudience(
        Code.AUDIENCE_GONE,
        "The audience was just deleted in Ads Manager. The upload creates a new one at a later sweep.",
    )


def audience_limit_reached() -> Waiting:
    """The advertiser has as many audiences as TikTok allows."""
    return Waiting(
        Code.AUDIENCE_LIMIT_REACHED,
        "The advertiser has 400 audiences, TikTok's limit. Delete one in Ads Manager; the upload goes through at the "
        "next sweep.",
    )


# --- Order, lists and audiences ------------------------------------------------------------------
