"""Every sentence that a user reads, one function per outcome; `partial` makes those whose sentence never differs.

A sentence says what happened, where, and what to do. None holds an identifier. Functions return the outcome to raise.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import partial
from typing import Literal, NamedTuple

from handler.errors import (
    CredentialsRefused,
    Failed,
    NotEditable,
    Outcome,
    OutcomeUnknown,
    OutOfTime,
    Rejected,
    Skipped,
    Throttled,
    UnknownAudience,
    UploadAgain,
    Waiting,
)
from handler.model import Action, IdentifierType
from handler.report_codes import Code

# --- Object keys ---------------------------------------------------------------------------------

_LAYOUT = "tiktok/<audience>/<identifier type>/<file>, or with a folder append, remove or replace before the file name"


def wrong_top_folder(name: str) -> Rejected:
    """The key begins with another spelling of `tiktok/`."""
    return Rejected(
        Code.WRONG_LAYOUT,
        f"The top folder is {_quoted(name)}, but it must be tiktok in lower case. Upload the file to {_LAYOUT}.",
    )


wrong_layout = partial(
    Rejected,
    Code.WRONG_LAYOUT,
    f"The file is not in the folder of an audience and an identifier type. Upload it to {_LAYOUT}.",
)


def unknown_identifier_type(name: str) -> Rejected:
    """The folder in the place of the identifier type is not one."""
    return Rejected(
        Code.UNKNOWN_IDENTIFIER_TYPE,
        f"The folder {_quoted(name)} is not an identifier type. Upload the file to one of {', '.join(IdentifierType)}.",
    )


def unknown_action(name: str) -> Rejected:
    """The folder in the place of the action is not one."""
    return Rejected(
        Code.UNKNOWN_ACTION,
        f"The folder {_quoted(name)} is not an action. Upload the file to one of {', '.join(Action)}; "
        "the folder of a run goes below it.",
    )


name_of_spreadsheet = partial(
    Rejected,
    Code.WRONG_FILE_EXTENSION,
    "The file's name is that of a spreadsheet. Save the sheet as CSV and upload that file.",
)
name_of_archive = partial(
    Rejected,
    Code.WRONG_FILE_EXTENSION,
    "The file's name is that of an archive or of an unsupported compression. "
    "Unpack it and upload the CSV file, or compress that with gzip.",
)
name_of_encrypted = partial(
    Rejected,
    Code.WRONG_FILE_EXTENSION,
    "The file's name is that of an encrypted file. Decrypt it, and upload the CSV file in it.",
)
name_of_document = partial(
    Rejected,
    Code.WRONG_FILE_EXTENSION,
    "The file's name is that of a format that is not plain text. "
    "Export the identifiers as CSV, one per line, and upload that file.",
)
empty_audience_name = partial(
    Rejected,
    Code.WRONG_AUDIENCE_NAME,
    "The audience's folder has an empty name. Upload the file to a folder named after the audience.",
)


def long_audience_name(length: int, max_length: int) -> Rejected:
    """The audience's name is longer than TikTok accepts."""
    return Rejected(
        Code.WRONG_AUDIENCE_NAME,
        f"The audience's name has {length} characters; TikTok accepts {max_length}. "
        "Upload the file under a shorter name.",
    )


control_character_in_name = partial(
    Rejected,
    Code.WRONG_AUDIENCE_NAME,
    "The audience's name has a control character. Upload the file to a folder without it.",
)


def _quoted(name: str) -> str:
    """Return a name or the end of a key as a sentence can hold it: a hostile one may be long or unprintable."""
    return json.dumps(name[-200:], ensure_ascii=not name.isprintable())


# --- The content of files ------------------------------------------------------------------------

Subject = Literal["file", "list"]
_MD5_DIGITS = 32


class Fault(NamedTuple):
    """The most frequent fault of a file's rows.

    Attributes:
        reason: the row's `reason` in the report.
        line: the first line that has it; None if it is not among the reported ones.
        digits: the number of hexadecimal digits in that line if it has the wrong length.
        identifier_column: the column that holds identifiers, if a row has several columns and exactly one does.
        action_column: the column that says whether a person is added or removed.
        many_identifier_columns: True if more than one column holds identifiers.
        plain_text: True if no column does, and cells look like email addresses or phone numbers.
        expected_digits: digits of an identifier of the type: 32 or 64; 0 for columns.
        device_ids: True if the identifiers are device ids.
    """

    reason: str
    line: int | None = None
    digits: int | None = None
    identifier_column: str | None = None
    action_column: str | None = None
    many_identifier_columns: bool = False
    plain_text: bool = False
    expected_digits: int = 64
    device_ids: bool = False


def wrong_kind(code: Code, kind: str, advice: str) -> Rejected:
    """Refuse a file that is not text by its first bytes."""
    return Rejected(code, f"The file is {kind}. {advice}")


compressed_twice = partial(
    Rejected, Code.BROKEN_GZIP, "The file is compressed twice. Compress the text file only once, and upload it again."
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


device_ids_not_hashed = partial(
    Rejected,
    Code.NOT_HASHED,
    "Most rows are device ids that are not hashed, only written without hyphens. "
    "Hash them with their hyphens, and upload the file again.",
)


def empty_file(subject: Subject, action: Action) -> Outcome:
    """Return the outcome of a file without rows: a normal end, except that a replace must not empty an audience."""
    if action is Action.REPLACE:
        return Rejected(
            Code.EMPTY_FILE,
            f"The {subject} has no rows, and a replace without rows would empty the audience. The audience is "
            "unchanged. Check the export, and upload the whole list.",
        )
    return Skipped(
        Code.EMPTY_FILE,
        f"The {subject} has no rows, so there is nothing to {action}. No action is needed if that is right.",
    )


def only_empty_values(subject: Subject, null_markers: int, hashes: int) -> Rejected:
    """Refuse a file of only NULL markers or hashes of nothing: a broken join must not look like an empty list."""
    kinds = [f"NULL markers ({null_markers:,})"] if null_markers else []
    kinds += [f"hashes of an empty or missing value ({hashes:,})"] if hashes else []
    return Rejected(
        Code.NO_VALID_ROW,
        f"The {subject} has no identifiers, only {' and '.join(kinds)}. The audience is unchanged. "
        "Check the query or join that the export uses, and upload it again.",
    )


def no_valid_row(subject: Subject, total: int, fault: Fault) -> Rejected:
    """Refuse a file without a usable row."""
    return Rejected(Code.NO_VALID_ROW, f"None of the {total:,} rows in the {subject} can be used. {_explained(fault)}")


def too_many_rejected(
    subject: Subject, faulty: int, total: int, max_ratio: float, fault: Fault, *, column: str | None = None
) -> Rejected:
    """Refuse a file with too many faulty rows, or with too many faulty cells in one column."""
    where = f'cells in the column "{column}" of the {subject}' if column else f"rows in the {subject}"
    return Rejected(
        Code.TOO_MANY_REJECTED,
        f"{faulty:,} of the {total:,} {where} cannot be used. The limit is {100 * max_ratio:g}%, so the audience is "
        f"unchanged. {_explained(fault)}",
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


def plain_text_column(number: int) -> Rejected:
    """Refuse a file with a column of identifiers in plain text."""
    return Rejected(
        Code.NOT_HASHED,
        f'The file has identifiers in plain text in column {number} ("MAID"). Hash them with SHA-256, name the column '
        "MAID_SHA256, and upload the file again.",
    )


def no_identifier_column(allowed: Sequence[str], *, has_header: bool) -> Rejected:
    """Refuse a file whose first line names no column of identifiers."""
    what = "The header names no column of identifiers" if has_header else "The first line is not a header"
    return Rejected(
        Code.WRONG_COLUMNS,
        f"{what}. A file of the type multiple_types needs a first line with column names: one or more of "
        f"{', '.join(allowed)}. Add or rename them, and upload the file again.",
    )


def too_many_columns(header: str, max_columns: int) -> Rejected:
    """Refuse a file with the same header too often."""
    return Rejected(
        Code.WRONG_COLUMNS,
        f"The file has more than {max_columns} columns of the kind {header}, and TikTok accepts {max_columns}. "
        "Leave out the others, and upload the file again.",
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

# Other advice for a file with columns, where a name in the header says what the folder says otherwise.
_COLUMN_ADVICE = {
    "wrong_length": "Check that the column's name says how it is hashed.",
    "not_hex": "Upload hashes as hexadecimal digits (0-9, a-f).",
    "too_long": "Check the delimiter and the quotes in these lines.",
}


def _explained(fault: Fault) -> str:
    """Return two sentences: the most frequent fault of the rows and where it begins, and what to do."""
    what, advice = _FAULTS[fault.reason]
    if not fault.expected_digits:
        advice = _COLUMN_ADVICE.get(fault.reason, advice)
    algorithm = "MD5" if fault.expected_digits == _MD5_DIGITS else "SHA-256"
    advice = advice.format(algorithm=algorithm) + _other_length(fault)
    if fault.reason == "more_than_one_column" and fault.action_column:
        what = f"have more than one column, and {fault.action_column} says whether a person is added or removed"
        advice = (
            "Upload the added people under append and the removed ones under remove, each with the identifiers alone."
        )
    elif fault.reason == "more_than_one_column" and fault.identifier_column:
        advice = f"Upload {fault.identifier_column} alone: it holds the identifiers."
    elif fault.reason == "more_than_one_column" and fault.many_identifier_columns:
        advice = (
            "Upload one column of identifiers alone, or the file with a header row under the identifier type "
            "multiple_types."
        )
    elif fault.reason == "more_than_one_column" and fault.plain_text:
        what = "have more than one column, and the identifiers are not hashed"
        advice = f"Hash one column with {algorithm}, as tiktok-activation hash does, and upload it alone."
    first = f", first{_in_line(fault.line)}" if fault.line else ""
    return f"Most often they {what}{first}. {advice}"


def _other_length(fault: Fault) -> str:
    if fault.digits == _MD5_DIGITS:
        if not fault.expected_digits:
            return " Hashes of 32 digits are MD5, which TikTok accepts for device ids only."
        if fault.device_ids:
            return (
                " Hashes of 32 digits are MD5: use a folder that ends in _md5, or hash the ids first if they only lost "
                "their hyphens."
            )
        return " Hashes of 32 digits are MD5: TikTok accepts email addresses and phone numbers as SHA-256 only."
    if fault.digits == 40:  # noqa: PLR2004 - digits of a SHA-1
        return " Hashes of 40 digits are SHA-1, which TikTok does not accept."
    if fault.digits == 64:  # noqa: PLR2004 - digits of a SHA-256
        return " Hashes of 64 digits are SHA-256" + (
            ": use a folder that ends in _sha256." if fault.expected_digits else "."
        )
    return ""


def _in_line(line: int | None) -> str:
    return f" in line {line:,}" if line else ""


# --- TikTok's answers ----------------------------------------------------------------------------
#
# `said` is TikTok's code, message and request id in parentheses, with a space before them; empty without a response.


throttled = partial(
    Throttled,
    Code.TIKTOK_THROTTLED,
    "TikTok's rate limit for the app is reached. The connector tries the upload again at a later sweep.",
)


def tiktok_busy(said: str) -> Waiting:
    """TikTok answered that it is busy, or did not answer."""
    return Waiting(
        Code.TIKTOK_UNAVAILABLE,
        f"TikTok is busy or cannot be reached{said}. The connector tries the upload again at a later sweep.",
    )


unusable_response = partial(
    Waiting,
    Code.TIKTOK_UNAVAILABLE,
    "TikTok's response is incomplete or cannot be read. The connector tries the upload again at a later sweep.",
)
outcome_unknown = partial(
    OutcomeUnknown,
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


def file_refused(said: str) -> Failed:
    """TikTok refuses the content of a part."""
    return Failed(Code.FILE_REFUSED, f"TikTok refused the file{said}. Check its content and upload a corrected file.")


def request_refused(said: str) -> Failed:
    """TikTok says that a call is wrong, for no reason that the connector knows."""
    return Failed(
        Code.REQUEST_REFUSED,
        f"TikTok says that the connector's request is wrong{said}. Upload the file once more. If TikTok refuses it "
        "again, the person who runs the connector should send this report to its maintainers.",
    )


def too_few_left(said: str) -> Failed:
    """A change would leave too few people."""
    return Failed(
        Code.TOO_FEW_LEFT,
        f"TikTok refused the change because fewer than 1,000 people would remain{said}. "
        "The audience is unchanged; upload a file that leaves at least 1,000 people in it.",
    )


audience_processing = partial(
    NotEditable,
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


unknown_audience = partial(
    UnknownAudience,
    Code.AUDIENCE_GONE,
    "The audience was just deleted in Ads Manager. The upload creates a new one at a later sweep.",
)
audience_limit_reached = partial(
    Waiting,
    Code.AUDIENCE_LIMIT_REACHED,
    "The advertiser has 400 audiences, TikTok's limit. Delete one in Ads Manager; the upload goes through at the "
    "next sweep.",
)


# --- Objects -------------------------------------------------------------------------------------


object_missing = partial(
    Failed,
    Code.OBJECT_MISSING,
    "This version of the file was deleted for good before it was read. Upload the file again.",
)
object_archived = partial(
    Failed,
    Code.OBJECT_ARCHIVED,
    "The file is archived, for example in GLACIER, and cannot be read. Upload it again in the storage class STANDARD.",
)
object_key_refused = partial(
    Failed,
    Code.OBJECT_KEY_REFUSED,
    "The file is encrypted with a KMS key that is not the connector's, so it cannot be read. "
    "Upload it again without naming a key; the bucket then uses its own.",
)


def object_unreadable(aws_code: str) -> Failed:
    """S3 has refused for an hour to let this object be read."""
    return Failed(
        Code.OBJECT_UNREADABLE,
        f"AWS has refused to read the file for an hour ({aws_code}), while other objects of the bucket can be read. "
        "Check the object's encryption and permissions, and upload the file again.",
    )


out_of_time = partial(
    OutOfTime,
    Code.CONTINUING,
    "The file is large. Its upload continues at once where it stopped; nothing needs to be done.",
)
no_progress = partial(
    Rejected,
    Code.NO_PROGRESS,
    "The file could not be read within one invocation, several times in a row. It is too large, or too much of it "
    "is not rows. Check its content, split it, and upload it again without compression.",
)


# --- Order, lists and audiences ------------------------------------------------------------------

SETTLING = "The connector waits a short time for more uploads of the same audience. The upload goes through by itself."

LIST_SENT_AGAIN = "Another file of this list arrived, so the list is sent again with all its files."

NEW_VERSION = "A new version of that file makes the list complete."
DELETE_FILE = "Delete the file there, and upload all files of the list again."


settling = partial(Waiting, Code.SETTLING, SETTLING)
behind_older_upload = partial(
    Waiting,
    Code.BEHIND_OLDER_FILE,
    "An older upload to the same audience goes first. This one goes through by itself afterwards.",
)
audience_too_small = partial(
    Waiting,
    Code.AUDIENCE_TOO_SMALL,
    "TikTok matched fewer than 1,000 people in this audience, so it accepts no more uploads. "
    "Delete it in Ads Manager; this upload then creates a new one.",
)
audience_expired = partial(
    Waiting,
    Code.AUDIENCE_EXPIRED,
    "The audience has expired and accepts no more uploads. Delete it in Ads Manager; this upload then creates a "
    "new one.",
)
overtaken = partial(
    Skipped,
    Code.OVERTAKEN,
    "Newer uploads, which were applied before, name everybody in this one, so there is nothing left to do.",
)
superseded = partial(
    Skipped, Code.SUPERSEDED, "A newer replace has set the whole audience, so this older upload was not sent."
)
newer_version = partial(
    Skipped,
    Code.SUPERSEDED,
    "A newer version of the same file was uploaded shortly afterwards, so this one was not sent.",
)


def unchanged_copy(*, after_other_uploads: bool) -> Skipped:
    """The object was copied onto itself with the same rows."""
    warning = (
        " Other uploads of the audience were applied since the file was first uploaded. If this file is meant to be "
        "applied again, upload it as a new file."
    )
    return Skipped(
        Code.UNCHANGED_COPY,
        "The object was copied onto itself and its rows are the same as before, so nothing was sent."
        + (warning if after_other_uploads else ""),
        alarm=after_other_uploads,
    )


withdrawn = partial(
    Skipped,
    Code.WITHDRAWN,
    "The file was deleted before its turn, so it was not sent. If that was not intended, upload it again.",
)
list_withdrawn = partial(
    Skipped,
    Code.WITHDRAWN,
    "A file of this list was deleted before its turn, so the whole list was not sent. "
    "If that was not intended, upload all files of the list again.",
)


def list_rejected(key: str, fault: Outcome, advice: str = NEW_VERSION) -> Rejected:
    """One file of a list is faulty, or a file in its folder has a name that says that it cannot be read."""
    return Rejected(
        Code.LIST_REJECTED,
        "A list is sent as a whole or not at all, and this file in its folder cannot be used: "
        f"{_quoted(key)}. {fault.reason} {advice}",
    )


empty_file_of_list = partial(
    Skipped, Code.EMPTY_FILE, "The file has no identifiers. The other files of its list were sent."
)
list_lacks_files = partial(
    Waiting, Code.SETTLING, "The manifest names files that have not arrived yet. The list goes through once they have."
)
list_being_written = partial(
    Waiting,
    Code.SETTLING,
    "The list's folder holds _temporary/, so a job is still writing it. The list goes through once that is gone.",
)
manifest_is_older = partial(
    Waiting,
    Code.SETTLING,
    "The manifest is older than a file that it names. The list goes through once a new manifest has arrived.",
)
incomplete_list = partial(
    Rejected,
    Code.INCOMPLETE_LIST,
    "Files of the list are still missing 24 hours after the last one arrived, so the audience is left as it is. "
    "Check the job that exports it, and upload the whole list again.",
)


def manifest_unreadable(key: str) -> Rejected:
    """A manifest is not in Redshift's format."""
    return Rejected(
        Code.LIST_REJECTED,
        f"The manifest {_quoted(key)} cannot be read, so the list is not sent. "
        "Write it as Redshift does, or delete it, and upload the list again.",
    )


def manifest_names_other_files(key: str) -> Rejected:
    """A manifest names files outside the list's folder or bucket."""
    return Rejected(
        Code.LIST_REJECTED,
        f"The manifest {_quoted(key)} names files in another bucket or folder, so the list is not sent. "
        "Unload the list into one folder of this bucket, and upload it again.",
    )


ambiguous_replace = partial(
    Rejected,
    Code.AMBIGUOUS_REPLACE,
    "Several lists for this audience were uploaded within an hour, so it is unclear which one is meant, and none "
    "was sent. Put all files of one list into one folder below replace/, and upload them again.",
)


def shrinks_too_much(rows: int, last_rows: int) -> Waiting:
    """A list has far fewer rows than the last one."""
    return Waiting(
        Code.SHRINKS_TOO_MUCH,
        f"The list has {rows:,} rows, and the audience's last list had {last_rows:,}. If that is right, upload an "
        "empty file named _CONFIRMED into its folder within 24 hours. If not, upload the right list.",
    )


def shrank_without_confirmation(rows: int, last_rows: int) -> Rejected:
    """A list that shrank was not confirmed for a day."""
    return Rejected(
        Code.SHRINKS_TOO_MUCH,
        f"The list has {rows:,} rows, the audience's last list had {last_rows:,}, and nobody confirmed it within 24 "
        "hours. The audience is left as it is. Upload the right list, with a _CONFIRMED file if it is meant to shrink.",
    )


def note_on_columns() -> str:
    """Return a note for a file with columns that TikTok refuses: a part of the format is not documented."""
    return (
        " TikTok does not document if a file with several identifiers per person may have empty fields. "
        "If this file has any, upload the identifiers as files of one type each."
    )


out_of_order = partial(
    Rejected,
    Code.OUT_OF_ORDER,
    "The upload arrived after a newer one was applied to the audience, and would undo it, so it was not sent. "
    "If it is still meant, upload it again.",
)
list_out_of_order = partial(
    Rejected,
    Code.OUT_OF_ORDER,
    "An upload that is newer than the first file of this list was applied to the audience, and the list would undo "
    "it, so it was not sent. If the list is still meant, upload all of its files again.",
)
newer_upload_unreadable = partial(
    Rejected,
    Code.OUT_OF_ORDER,
    "A newer upload was applied to the audience and can no longer be read, so its people cannot be left out of "
    "this one. If this upload is still meant, upload it again.",
)
too_large_to_overtake = partial(
    Rejected,
    Code.OUT_OF_ORDER,
    "A newer upload was applied to the audience, and both are too large to leave its people out of this one. "
    "If this upload is still meant, upload it again.",
)


def nothing_to_remove_from(note: str) -> Rejected:
    """There is no audience to remove anybody from."""
    return Rejected(
        Code.NOTHING_TO_REMOVE_FROM,
        "There is no audience of this name and identifier type to remove anybody from. Check the names of the "
        f"folders.{note}",
    )


def too_many_parts(max_parts: int) -> Rejected:
    """The upload needs more parts than one call takes."""
    return Rejected(
        Code.TOO_MANY_PARTS,
        f"The upload needs more than {max_parts} parts, TikTok's limit for one change. "
        "Split it into several audiences.",
    )


deleted_while_processing = partial(
    Failed,
    Code.PROCESSING_FAILED,
    "The audience was deleted in Ads Manager before TikTok had processed the upload. Upload the file again.",
)


def created_too_small(message: str) -> Failed:
    """The upload created an audience that matches too few people."""
    return Failed(
        Code.AUDIENCE_TOO_SMALL,
        f"TikTok matched fewer than 1,000 people, so the audience cannot be used or added to.{message} "
        "Delete it in Ads Manager and upload a larger file.",
    )


def too_few_left_after_change(message: str) -> Failed:
    """TikTok did not make a change because too few people would remain."""
    return Failed(
        Code.TOO_FEW_LEFT,
        f"TikTok did not make the change, because fewer than 1,000 people would remain.{message} "
        "Keep at least 1,000 people in the audience.",
    )


expired_while_processing = partial(
    Failed,
    Code.PROCESSING_FAILED,
    "The audience expired before TikTok had processed the upload. Delete it in Ads Manager, and upload the file again.",
)


def processing_failed(message: str) -> Failed:
    """TikTok could not process a change."""
    return Failed(
        Code.PROCESSING_FAILED, f"TikTok could not process the upload.{message} Check the file and upload it again."
    )


def submitted(notes: str) -> str:
    """Return the sentence of an upload that TikTok has accepted."""
    return f"TikTok has accepted the upload and processes it within 48 hours.{notes}"


def available(matched: int, notes: str) -> str:
    """Return the sentence of an upload whose audience is ready."""
    return f"The audience is ready. {matched:,} people match.{notes}"


def available_without_growth(matched: int, notes: str) -> str:
    """Return the sentence of an append after which the audience has not grown."""
    return (
        f"The audience is ready, but it has not grown: {matched:,} people match, as before. Likely causes: email "
        "addresses were not lowercased before hashing, the folder names the wrong identifier type, or the people were "
        f"already in the audience. Hash the identifiers again as docs/uploading.md describes.{notes}"
    )


def rows_left_out(rejected: int, total: int) -> str:
    """Return a note about rejected rows, empty if there are none."""
    return f" {rejected:,} of {total:,} rows were left out; `rejections` gives lines and reasons." if rejected else ""


def columns_left_out(names: Sequence[str]) -> str:
    """Return a note about columns of hashes with unknown names, empty if there are none."""
    if not names:
        return ""
    return (
        f" Not sent, although they hold hashes: {', '.join(names)}. If these columns are identifiers, name them as "
        "docs/uploading.md says, and upload the file again."
    )


def rows_overtaken(overtaken: int) -> str:
    """Return a note about overtaken rows, empty if there are none."""
    return f" {overtaken:,} rows were left out because newer uploads name them." if overtaken else ""


def few_rows(rows: int) -> str:
    """Return a warning about an audience that is created with too few rows."""
    return f" With {rows:,} rows it cannot match TikTok's minimum of 1,000 people."


def several_audiences(count: int, audience_id: str) -> str:
    """Return a note about other audiences of the same name and type."""
    return f" TikTok has {count} audiences of this name and type; {audience_id} was used."


def renamed(current_name: str) -> str:
    """Return a note about an audience that was renamed in Ads Manager."""
    return f" The audience is now named {_quoted(current_name)} in Ads Manager."


def other_identifier_types(types: Sequence[str]) -> str:
    """Return a note about audiences that a remove does not touch, empty if there are none."""
    if not types:
        return ""
    return f" Audiences of the same name with other identifier types were not changed: {', '.join(types)}."
