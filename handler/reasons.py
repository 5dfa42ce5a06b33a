"""Every sentence that a user reads in a report: one function per outcome, or a `partial` if the text never varies.

A reason says what happened, where, and what to do. It never contains an identifier. Functions that return an outcome do
not raise it; the caller does. The others return the reason of a success, or a note to append to a reason.
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

_LAYOUT = (
    "tiktok/<audience>/<identifier type>/<file>, optionally with an append, remove or replace folder before the file "
    "name"
)


def wrong_top_folder(name: str) -> Rejected:
    """Return the outcome for a key whose first folder is another spelling of `tiktok/`."""
    return Rejected(
        Code.WRONG_LAYOUT,
        f"The top-level folder is {_quoted(name)}, but it must be tiktok, in lower case. Upload the file to {_LAYOUT}.",
    )


wrong_layout = partial(
    Rejected,
    Code.WRONG_LAYOUT,
    f"The file is not in an identifier type folder inside an audience folder. Upload it to {_LAYOUT}.",
)


def unknown_identifier_type(name: str) -> Rejected:
    """Return the outcome for a key whose identifier type folder has an unknown name."""
    return Rejected(
        Code.UNKNOWN_IDENTIFIER_TYPE,
        f"The folder name {_quoted(name)} is not an identifier type. Upload the file to a folder with one of these "
        f"names: {', '.join(IdentifierType)}.",
    )


def unknown_action(name: str) -> Rejected:
    """Return the outcome for a key whose action folder has an unknown name."""
    return Rejected(
        Code.UNKNOWN_ACTION,
        f"The folder name {_quoted(name)} is not an action. Upload the file to a folder named append, remove or "
        "replace. Other folders, such as a date, go inside that folder.",
    )


def wrong_extension(kind: str, advice: str) -> Rejected:
    """Return the outcome for a file whose name has the extension of an unsupported format."""
    return Rejected(Code.WRONG_FILE_EXTENSION, f"The file name has the extension of {kind}. {advice}")


empty_audience_name = partial(
    Rejected,
    Code.WRONG_AUDIENCE_NAME,
    "The name of the audience folder is blank. Upload the file to a folder named after the audience.",
)


def long_audience_name(length: int, max_length: int) -> Rejected:
    """Return the outcome for an audience name that is longer than TikTok allows."""
    return Rejected(
        Code.WRONG_AUDIENCE_NAME,
        f"The audience name has {length} characters, but TikTok allows at most {max_length}. "
        "Upload the file to an audience folder with a shorter name.",
    )


control_character_in_name = partial(
    Rejected,
    Code.WRONG_AUDIENCE_NAME,
    "The audience name contains an invisible control character. Upload the file to an audience folder without it.",
)


def _quoted(name: str) -> str:
    """Return the last 200 characters of a name or key in quotes, with unprintable characters escaped."""
    return json.dumps(name[-200:], ensure_ascii=not name.isprintable())


# --- The content of files ------------------------------------------------------------------------

Subject = Literal["file", "list"]
_MD5_DIGITS = 32


class ColumnHints(NamedTuple):
    """Hints about the columns of a file that should have one column but has rows with more.

    Attributes:
        identifier_column: the label of the only column with identifiers, such as `column 2 ("hash")`; None if there is
            no such column or more than one.
        action_column: the label of the column that says whether a person is added or removed; None if there is none.
        several_identifier_columns: true if more than one column has identifiers.
        plain_text: true if no column has identifiers and cells look like email addresses or phone numbers.
    """

    identifier_column: str | None = None
    action_column: str | None = None
    several_identifier_columns: bool = False
    plain_text: bool = False


class Fault(NamedTuple):
    """The most frequent fault in the rows of a file.

    Attributes:
        reason: the row's `reason` in the report.
        line: the first line with this fault; None if the report does not list it.
        digits: the number of hexadecimal digits in that line if it has the wrong length.
        hints: hints about the columns, if rows have more than one column.
        expected_digits: digits of an identifier of the type: 32 or 64; 0 for a file with columns.
        device_ids: true if the identifiers are device ids.
    """

    reason: str
    line: int | None = None
    digits: int | None = None
    hints: ColumnHints = ColumnHints()
    expected_digits: int = 64
    device_ids: bool = False


def wrong_kind(code: Code, kind: str, advice: str) -> Rejected:
    """Return the outcome for a file of an unsupported type."""
    return Rejected(code, f"The file is {kind}. {advice}")


compressed_twice = partial(
    Rejected, Code.BROKEN_GZIP, "The file is compressed twice. Compress the text file only once, and upload it again."
)


def damaged_compression(compression: str) -> Rejected:
    """Return the outcome for a compressed file that cannot be decompressed."""
    return Rejected(
        Code.BROKEN_GZIP,
        f"The {compression} file is damaged and cannot be decompressed. Compress the text file again, and upload it.",
    )


def cut_off_compression(compression: str) -> Rejected:
    """Return the outcome for a truncated compressed file."""
    return Rejected(
        Code.BROKEN_GZIP,
        f"The {compression} file is incomplete: its end is missing. Check the export or the file transfer, and upload "
        "the file again.",
    )


def decompression_bomb(ratio: int) -> Rejected:
    """Return the outcome for a compressed file that expands more than a file of identifiers can."""
    return Rejected(
        Code.GZIP_BOMB,
        f"The file expands to more than {ratio} times its size when it is decompressed, which a file of identifiers "
        "cannot do. Check how the file was created, and upload a correct one.",
    )


device_ids_not_hashed = partial(
    Rejected,
    Code.NOT_HASHED,
    "Most rows are device ids that are written without hyphens, not hashes. "
    "Hash the device ids with their hyphens, and upload the file again.",
)


def empty_file(subject: Subject, action: Action) -> Outcome:
    """Return the outcome for a file or list without rows: skipped, or rejected if a replace would empty an audience."""
    if action is Action.REPLACE:
        return Rejected(
            Code.EMPTY_FILE,
            f"The {subject} has no rows, and a replace without rows would empty the audience. The audience is "
            "unchanged. Check the export, and upload the complete list.",
        )
    return Skipped(
        Code.EMPTY_FILE,
        f"The {subject} has no rows, so there is nothing to {action}. If that is correct, you do not need to do "
        "anything.",
    )


def only_empty_values(subject: Subject, null_markers: int, hashes: int) -> Rejected:
    """Return the outcome for a file with only NULL markers and hashes of empty values, as a broken join exports it."""
    kinds = [f"NULL markers ({null_markers:,})"] if null_markers else []
    kinds += [f"hashes of an empty or missing value ({hashes:,})"] if hashes else []
    return Rejected(
        Code.NO_VALID_ROW,
        f"The {subject} has no identifiers, only {' and '.join(kinds)}. The audience is unchanged. "
        f"Check the query or join that produced the {subject}, and upload it again.",
    )


def no_valid_row(subject: Subject, total: int, fault: Fault) -> Rejected:
    """Return the outcome for a file without a valid row."""
    return Rejected(
        Code.NO_VALID_ROW, f"None of the {total:,} rows in the {subject} can be used. {_explanation(fault)}"
    )


def too_many_rejected(
    subject: Subject, faulty: int, total: int, max_ratio: float, fault: Fault, *, column: str | None = None
) -> Rejected:
    """Return the outcome for a file with too many faulty rows, or with too many faulty cells in one column."""
    where = f'cells in the column "{column}" of the {subject}' if column else f"rows with a value in the {subject}"
    return Rejected(
        Code.TOO_MANY_REJECTED,
        f"{faulty:,} of the {total:,} {where} cannot be used, which exceeds the limit of {100 * max_ratio:g}%. The "
        f"audience is unchanged. {_explanation(fault)}",
    )


def cut_off(line: int | None) -> Rejected:
    """Return the outcome for a replace whose last row is incomplete."""
    where = f" (line {line:,})" if line else ""
    return Rejected(
        Code.CUT_OFF,
        f"The last row{where} is cut off, so the list is probably incomplete, and a replace needs the complete list. "
        "The audience is unchanged. Check the export or the file transfer, and upload the list again.",
    )


def adds_and_removes(column: str) -> Rejected:
    """Return the outcome for a file with a column that says whether a person is added or removed."""
    return Rejected(
        Code.WRONG_COLUMNS,
        f"The file mixes additions and removals: {column} says whether a person is added or removed. Upload the people "
        "to add to the append folder and the people to remove to the remove folder, both without that column.",
    )


def plain_text_column(number: int) -> Rejected:
    """Return the outcome for a file with a column of identifiers in plain text."""
    return Rejected(
        Code.NOT_HASHED,
        f'Column {number} ("MAID") of the file has identifiers in plain text. Hash them with SHA-256, rename the '
        "column to MAID_SHA256, and upload the file again.",
    )


def no_identifier_column(allowed: Sequence[str], *, has_header: bool) -> Rejected:
    """Return the outcome for a file whose first line names no identifier column."""
    what = "The header row names no identifier column" if has_header else "The first line is not a header row"
    return Rejected(
        Code.WRONG_COLUMNS,
        f"{what}. A file in a multiple_types folder needs a header row with one or more of these column names: "
        f"{', '.join(allowed)}. Add or rename the columns, and upload the file again.",
    )


header_not_found = partial(
    Rejected,
    Code.WRONG_COLUMNS,
    "The file begins with too many blank lines, so the connector cannot find the header row. Remove the blank lines "
    "before the header row, and upload the file again.",
)


def too_many_columns(header: str, max_columns: int) -> Rejected:
    """Return the outcome for a file with too many columns of one kind."""
    return Rejected(
        Code.WRONG_COLUMNS,
        f"The file has more than {max_columns} {header} columns, but TikTok accepts at most {max_columns}. "
        "Remove the extra columns, and upload the file again.",
    )


# For each `reason` of a row: the end of "The most common problem is that ...", and the advice.
_FAULTS = {
    "not_hashed": ("identifiers are not hashed", "Hash the identifiers with {algorithm} before you upload them."),
    "wrong_length": (
        "hashes have too few or too many digits",
        "Check that the file is in the folder of the right identifier type.",
    ),
    "not_hex": ("rows are not hashes", "Upload hashes as hexadecimal digits (0-9, a-f), one per line."),
    "more_than_one_column": ("rows have more than one column", "Upload only the column of identifiers."),
    "too_long": ("rows are longer than any identifier", "Upload one identifier per line."),
    "cut_off": ("the last row is cut off", "Check the export or the file transfer, and upload the file again."),
    "hash_of_nothing": ("rows are hashes of an empty value", "Remove rows without a value before hashing."),
    "wrong_number_of_fields": (
        "rows have more or fewer fields than the header",
        "Check the delimiter and the quotation marks in these lines.",
    ),
}

# Different advice for a file with columns, because the header, not the folder, names the identifier types.
_COLUMN_ADVICE = {
    "wrong_length": "Check that the column name states the hash algorithm that was used.",
    "not_hex": "Upload hashes as hexadecimal digits (0-9, a-f).",
    "too_long": "Check the delimiter and the quotation marks in these lines.",
}


def _explanation(fault: Fault) -> str:
    """Return the most frequent fault of the rows and the first line that has it, followed by the advice."""
    what, advice = _FAULTS[fault.reason]
    if not fault.expected_digits:
        advice = _COLUMN_ADVICE.get(fault.reason, advice)
    algorithm = "MD5" if fault.expected_digits == _MD5_DIGITS else "SHA-256"
    advice = advice.format(algorithm=algorithm) + _other_length(fault)
    hints = fault.hints
    if fault.reason == "more_than_one_column" and hints.action_column:
        what = f"rows have more than one column, and {hints.action_column} says whether a person is added or removed"
        advice = (
            "Upload the people to add to the append folder and the people to remove to the remove folder, with only "
            "the identifiers in each file."
        )
    elif fault.reason == "more_than_one_column" and hints.identifier_column:
        advice = f"Upload only {hints.identifier_column}, which has the identifiers."
    elif fault.reason == "more_than_one_column" and hints.several_identifier_columns:
        advice = (
            "Upload only one column of identifiers, or upload the file with a header row to a multiple_types folder."
        )
    elif fault.reason == "more_than_one_column" and hints.plain_text:
        what = "rows have more than one column, and the identifiers are not hashed"
        advice = (
            f"Hash one column with {algorithm}, for example with the command tiktok-activation hash, and upload only "
            "that column."
        )
    first = f" (first in line {fault.line:,})" if fault.line else ""
    return f"The most common problem is that {what}{first}. {advice}"


def _other_length(fault: Fault) -> str:
    if fault.digits == _MD5_DIGITS:
        if not fault.expected_digits:
            return " Hashes of 32 digits are MD5, which TikTok accepts only for device ids."
        if fault.device_ids:
            return (
                " Hashes of 32 digits are MD5. Upload them to a folder that ends in _md5. If they are device ids "
                "without hyphens, hash them first."
            )
        return " Hashes of 32 digits are MD5, but TikTok accepts email addresses and phone numbers only as SHA-256."
    if fault.digits == 40:  # noqa: PLR2004 - digits of a SHA-1
        return " Hashes of 40 digits are SHA-1, which TikTok does not accept."
    if fault.digits == 64:  # noqa: PLR2004 - digits of a SHA-256
        advice = " Upload them to a folder that ends in _sha256." if fault.expected_digits else ""
        return f" Hashes of 64 digits are SHA-256.{advice}"
    return ""


# --- TikTok's responses --------------------------------------------------------------------------
#
# `details` is TikTok's code, message and request id in parentheses, with a space before them; empty without a response.


throttled = partial(
    Throttled,
    Code.TIKTOK_THROTTLED,
    "The app has reached TikTok's rate limit. The connector retries the upload automatically.",
)


def tiktok_busy(details: str) -> Waiting:
    """Return the outcome for a response that says that TikTok is busy, or for a missing response."""
    return Waiting(
        Code.TIKTOK_UNAVAILABLE,
        f"TikTok is busy or cannot be reached{details}. The connector retries the upload automatically.",
    )


unusable_response = partial(
    Waiting,
    Code.TIKTOK_UNAVAILABLE,
    "TikTok's response is incomplete or cannot be read. The connector retries the upload automatically.",
)
outcome_unknown = partial(
    OutcomeUnknown,
    Code.OUTCOME_UNKNOWN,
    "TikTok did not confirm whether it accepted the upload. The connector checks with TikTok before it sends anything "
    "again.",
)


def token_refused(details: str) -> CredentialsRefused:
    """Return the outcome for an access token that TikTok refuses."""
    return CredentialsRefused(
        Code.TOKEN_REFUSED,
        f"TikTok refused the access token{details}. Put a valid ACCESS_TOKEN into the connector's secret in AWS "
        "Secrets Manager. The upload is then sent automatically.",
    )


def permission_refused(details: str, advertiser_id: str) -> CredentialsRefused:
    """Return the outcome for a token without access to the advertiser, or for an advertiser that does not exist."""
    return CredentialsRefused(
        Code.PERMISSION_REFUSED,
        f"TikTok refused access to advertiser {advertiser_id}{details}. Check that this ADVERTISER_ID is correct, and "
        "give the app and its user (Operator or Admin) permission to manage the advertiser's audiences. The "
        "upload is then sent automatically.",
    )


def terms_not_accepted(details: str, advertiser_id: str) -> CredentialsRefused:
    """Return the outcome for an advertiser that has not accepted the Custom Audience Terms."""
    return CredentialsRefused(
        Code.TERMS_NOT_ACCEPTED,
        f"Advertiser {advertiser_id} has not accepted TikTok's Custom Audience Terms{details}. "
        "Accept them in Ads Manager. The upload is then sent automatically.",
    )


def secret_unusable(fault: str, *, needs_advertiser_id: bool) -> CredentialsRefused:
    """Return the outcome for a secret that is empty or malformed.

    Args:
        fault: a sentence without the period, such as "The secret is empty".
        needs_advertiser_id: false if the advertiser id comes from the configuration.
    """
    content = '{"ACCESS_TOKEN": "...", "ADVERTISER_ID": "..."}' if needs_advertiser_id else '{"ACCESS_TOKEN": "..."}'
    return CredentialsRefused(
        Code.SECRET_UNUSABLE,
        f"{fault}. Put {content} into the connector's secret in AWS Secrets Manager. The upload is then sent "
        "automatically.",
    )


def upload_again(details: str) -> UploadAgain:
    """Return the outcome for a part that TikTok no longer has or received damaged."""
    return UploadAgain(
        Code.FILE_REFUSED,
        f"TikTok lost the file or received it damaged several times{details}. Upload the file again.",
    )


def file_refused(details: str) -> Failed:
    """Return the outcome for a part whose content TikTok refuses."""
    return Failed(
        Code.FILE_REFUSED, f"TikTok refused the file{details}. Check its content, and upload a corrected file."
    )


def request_refused(details: str) -> Failed:
    """Return the outcome for a request that TikTok refuses for a reason that the connector does not know."""
    return Failed(
        Code.REQUEST_REFUSED,
        f"TikTok refused the connector's request as invalid{details}. Upload the file again. If TikTok refuses it "
        "again, ask the person who runs the connector to send this report to its maintainers.",
    )


def too_few_left(details: str) -> Failed:
    """Return the outcome for a change that would leave too few people."""
    return Failed(
        Code.TOO_FEW_LEFT,
        f"TikTok refused the change because fewer than 1,000 people would remain in the audience{details}. "
        "The audience is unchanged. Upload a file that leaves at least 1,000 people in it.",
    )


audience_processing = partial(
    NotEditable,
    Code.AUDIENCE_PROCESSING,
    "TikTok is processing the last change to this audience, which takes up to 48 hours. "
    "The upload is sent automatically afterward.",
)


def replaced_today(details: str) -> NotEditable:
    """Return the outcome for an audience that was already replaced within the last day."""
    return NotEditable(
        Code.REPLACED_TODAY,
        f"TikTok accepts only one replace of an audience per day{details}. The connector retries the upload "
        "automatically.",
    )


unknown_audience = partial(
    UnknownAudience,
    Code.AUDIENCE_GONE,
    "The audience was just deleted in Ads Manager. The connector retries the upload automatically and creates a new "
    "audience.",
)
audience_limit_reached = partial(
    Waiting,
    Code.AUDIENCE_LIMIT_REACHED,
    "The advertiser has 400 audiences, which is TikTok's limit. Delete an audience in Ads Manager. The upload is then "
    "sent automatically.",
)


# --- Objects -------------------------------------------------------------------------------------


object_missing = partial(
    Failed,
    Code.OBJECT_MISSING,
    "This version of the file was permanently deleted before the connector could read it. Upload the file again.",
)
object_archived = partial(
    Failed,
    Code.OBJECT_ARCHIVED,
    "The file is in an archive storage class, such as GLACIER, and cannot be read. Upload it again with the storage "
    "class STANDARD.",
)
object_key_refused = partial(
    Failed,
    Code.OBJECT_KEY_REFUSED,
    "The file is encrypted with a KMS key other than the connector's, so it cannot be read. "
    "Upload it again without specifying a key; the bucket then uses its own key.",
)


def object_unreadable(aws_code: str) -> Failed:
    """Return the outcome for an object that S3 has refused to return for an hour."""
    return Failed(
        Code.OBJECT_UNREADABLE,
        f"AWS has denied access to the file for an hour ({aws_code}), although other files in the bucket can be read. "
        "Check the encryption and permissions of the file, and upload it again.",
    )


out_of_time = partial(
    OutOfTime,
    Code.CONTINUING,
    "The file is large, so the connector uploads it in several steps. It continues automatically where it stopped.",
)
no_progress = partial(
    Rejected,
    Code.NO_PROGRESS,
    "The connector ran out of time several times while it was reading the file. The file is too large, or most of its "
    "content is not rows. Check the content, split the file, and upload it again without compression.",
)


# --- Order, lists and audiences ------------------------------------------------------------------

LIST_SENT_AGAIN = "Another file of this list arrived, so the connector sends the list again with all its files."

NEW_VERSION = "To send the list, upload a corrected version of that file."
DELETE_FILE = "Delete that file, and upload all files of the list again."


settling = partial(
    Waiting,
    Code.SETTLING,
    "The connector waits a short time for more uploads to the same audience. The upload is then sent automatically.",
)
behind_older_upload = partial(
    Waiting,
    Code.BEHIND_OLDER_FILE,
    "An older upload to the same audience is sent first. This upload is sent automatically afterward.",
)
audience_too_small = partial(
    Waiting,
    Code.AUDIENCE_TOO_SMALL,
    "TikTok matched fewer than 1,000 people in this audience, so it accepts no more uploads. "
    "Delete the audience in Ads Manager. This upload then creates a new one.",
)
audience_expired = partial(
    Waiting,
    Code.AUDIENCE_EXPIRED,
    "The audience has expired and accepts no more uploads. Delete it in Ads Manager. This upload then creates a new "
    "one.",
)
overtaken = partial(
    Skipped,
    Code.OVERTAKEN,
    "Newer uploads that were already applied include everyone in this upload, so there is nothing left to do.",
)
superseded = partial(
    Skipped, Code.SUPERSEDED, "A newer replace has replaced the entire audience, so this older upload was not sent."
)
newer_version = partial(
    Skipped,
    Code.SUPERSEDED,
    "A newer version of the same file was uploaded shortly afterward, so this version was not sent.",
)


def unchanged_copy(*, after_other_uploads: bool) -> Skipped:
    """Return the outcome for an object that was copied onto itself with the same rows."""
    warning = (
        " Other uploads to the audience have been applied since the file was first uploaded. To apply this file again, "
        "upload it as a new file."
    )
    return Skipped(
        Code.UNCHANGED_COPY,
        "The file was copied onto itself, and its rows are the same as before, so nothing was sent."
        + (warning if after_other_uploads else ""),
        alarm=after_other_uploads,
    )


withdrawn = partial(
    Skipped,
    Code.WITHDRAWN,
    "The file was deleted before the connector could send it. If that was not intended, upload it again.",
)
list_withdrawn = partial(
    Skipped,
    Code.WITHDRAWN,
    "A file of this list was deleted before the connector could send the list, so no file of the list was sent. "
    "If that was not intended, upload all files of the list again.",
)


def list_rejected(key: str, fault: Outcome, advice: str = NEW_VERSION) -> Rejected:
    """Return the outcome for a list with a faulty file, or with a file in its folder that cannot be read."""
    return Rejected(
        Code.LIST_REJECTED,
        f"The list was not sent because one file in its folder cannot be used: {_quoted(key)}. {fault.reason} {advice}",
    )


empty_file_of_list = partial(
    Skipped, Code.EMPTY_FILE, "The file has no identifiers. The other files of its list were sent."
)
list_lacks_files = partial(
    Waiting, Code.SETTLING, "The manifest names files that have not arrived yet. The list is sent once they arrive."
)
list_being_written = partial(
    Waiting,
    Code.SETTLING,
    "The list's folder contains a _temporary folder, so a job is still writing the list. The list is sent once the "
    "_temporary folder is deleted.",
)
manifest_is_older = partial(
    Waiting,
    Code.SETTLING,
    "The manifest is older than a file that it names. The list is sent once a new manifest arrives.",
)
incomplete_list = partial(
    Rejected,
    Code.INCOMPLETE_LIST,
    "The list was still incomplete 24 hours after its last file arrived, so it was not sent. The audience is "
    "unchanged. Check the job that exports the list, and upload the complete list again.",
)


def manifest_unreadable(key: str) -> Rejected:
    """Return the outcome for a list whose manifest cannot be read or is not in Redshift's format."""
    return Rejected(
        Code.LIST_REJECTED,
        f"The manifest {_quoted(key)} cannot be read or does not have the format of Amazon Redshift, so the list was "
        "not sent. Correct or delete the manifest, and upload the list again.",
    )


def manifest_names_other_files(key: str) -> Rejected:
    """Return the outcome for a list whose manifest names files outside the list's folder or bucket."""
    return Rejected(
        Code.LIST_REJECTED,
        f"The manifest {_quoted(key)} names files in another bucket or folder, so the list was not sent. "
        "Export the list again, to one folder of this bucket.",
    )


ambiguous_replace = partial(
    Rejected,
    Code.AMBIGUOUS_REPLACE,
    "Several lists for this audience were uploaded at about the same time, so it is unclear which one to use, and none "
    "was sent. Put all files of one list into one folder inside the replace folder, and upload them again.",
)


def shrinks_too_much(rows: int, last_rows: int) -> Waiting:
    """Return the outcome for a list with far fewer rows than the last one."""
    return Waiting(
        Code.SHRINKS_TOO_MUCH,
        f"The list has {rows:,} rows, but the audience's last list had {last_rows:,}. If that is correct, upload an "
        "empty file named _CONFIRMED to the list's folder within 24 hours. If not, upload the correct list.",
    )


def shrank_without_confirmation(rows: int, last_rows: int) -> Rejected:
    """Return the outcome for a list that shrank and was not confirmed within a day."""
    return Rejected(
        Code.SHRINKS_TOO_MUCH,
        f"The list has {rows:,} rows, but the audience's last list had {last_rows:,}, and nobody confirmed the change "
        "within 24 hours. The audience is unchanged. Upload the correct list, together with a _CONFIRMED file if it is "
        "meant to be smaller.",
    )


# A note for a file with columns that TikTok refuses.
NOTE_ON_COLUMNS = (
    " TikTok does not document whether a file with several identifiers per person may have empty fields. "
    "If this file has empty fields, upload each identifier type as a separate file."
)


out_of_order = partial(
    Rejected,
    Code.OUT_OF_ORDER,
    "The upload arrived after a newer upload was applied to the audience. It would undo the newer upload, so it was "
    "not sent. To apply it anyway, upload it again.",
)
list_out_of_order = partial(
    Rejected,
    Code.OUT_OF_ORDER,
    "An upload that is newer than the first file of this list was applied to the audience. The list would undo that "
    "upload, so it was not sent. To apply the list anyway, upload all of its files again.",
)
newer_upload_unreadable = partial(
    Rejected,
    Code.OUT_OF_ORDER,
    "A newer upload was applied to the audience and can no longer be read. The connector cannot leave out the people "
    "in the newer upload, so this upload was not sent. To apply it anyway, upload it again.",
)
too_large_to_overtake = partial(
    Rejected,
    Code.OUT_OF_ORDER,
    "A newer upload was applied to the audience, and both uploads are very large. The connector cannot leave out the "
    "people in the newer upload, so this upload was not sent. To apply it anyway, upload it again.",
)


def nothing_to_remove_from(note: str) -> Rejected:
    """Return the outcome for a remove whose audience does not exist."""
    return Rejected(
        Code.NOTHING_TO_REMOVE_FROM,
        "There is no audience with this name and identifier type, so there is no one to remove. Check the names of "
        f"the folders.{note}",
    )


def too_many_parts(max_parts: int) -> Rejected:
    """Return the outcome for an upload that needs more parts than one call accepts."""
    return Rejected(
        Code.TOO_MANY_PARTS,
        f"The upload is too large: it needs more than {max_parts} parts, TikTok's limit for one change. "
        "Split it into several audiences.",
    )


deleted_while_processing = partial(
    Failed,
    Code.PROCESSING_FAILED,
    "The audience was deleted in Ads Manager before TikTok finished processing the upload. Upload the file again.",
)


# `message` quotes TikTok's message about the audience, with a space before it; empty if TikTok gives none.


def created_too_small(message: str) -> Failed:
    """Return the outcome for an upload that created an audience with too few matches."""
    return Failed(
        Code.AUDIENCE_TOO_SMALL,
        f"TikTok matched fewer than 1,000 people, so the audience cannot be used and accepts no more uploads.{message} "
        "Delete it in Ads Manager, and upload a larger file.",
    )


def too_few_left_after_change(message: str) -> Failed:
    """Return the outcome for an accepted change that TikTok did not apply because too few people would remain."""
    return Failed(
        Code.TOO_FEW_LEFT,
        f"TikTok did not apply the change because fewer than 1,000 people would remain in the audience.{message} "
        "Upload a file that leaves at least 1,000 people in it.",
    )


expired_while_processing = partial(
    Failed,
    Code.PROCESSING_FAILED,
    "The audience expired before TikTok finished processing the upload. Delete the audience in Ads Manager, and upload "
    "the file again.",
)


def processing_failed(message: str) -> Failed:
    """Return the outcome for a change that TikTok could not process."""
    return Failed(
        Code.PROCESSING_FAILED, f"TikTok could not process the upload.{message} Check the file, and upload it again."
    )


def submitted(notes: str) -> str:
    """Return the reason of an upload that TikTok has accepted."""
    return f"TikTok has accepted the upload. Processing takes up to 48 hours.{notes}"


def available(matched: int, notes: str) -> str:
    """Return the reason of an upload whose audience is ready."""
    return f"The audience is ready. TikTok matched {matched:,} people.{notes}"


def available_without_growth(matched: int, notes: str) -> str:
    """Return the reason of an append after which the audience has not grown."""
    return (
        f"The audience is ready, but it has not grown: TikTok matched {matched:,} people, as before. Likely causes: "
        "email addresses were not in lower case when they were hashed, the file is in the folder of the wrong "
        "identifier type, or the people were already in the audience. Check how the identifiers were hashed; "
        f"docs/uploading.md describes how to hash them.{notes}"
    )


def rows_left_out(rejected: int, total: int) -> str:
    """Return a note about rejected rows, or an empty string if there are none."""
    if not rejected:
        return ""
    return f" {rejected:,} of {total:,} rows were left out. The report's `rejections` list the lines and reasons."


def columns_left_out(names: Sequence[str]) -> str:
    """Return a note about columns of hashes with unknown names, or an empty string if there are none."""
    if not names:
        return ""
    return (
        f" These columns were not sent, although they contain hashes: {', '.join(names)}. If they are identifiers, "
        "rename the columns as described in docs/uploading.md, and upload the file again."
    )


def rows_overtaken(overtaken: int) -> str:
    """Return a note about overtaken rows, or an empty string if there are none."""
    return f" {overtaken:,} rows were left out because newer uploads include the same people." if overtaken else ""


def few_rows(rows: int) -> str:
    """Return a warning about an audience that is created with too few rows."""
    return f" With {rows:,} rows, the audience cannot reach TikTok's minimum of 1,000 matched people."


def several_audiences(count: int, audience_id: str) -> str:
    """Return a note about other audiences with the same name and identifier type."""
    return f" TikTok has {count} audiences with this name and identifier type. The connector used {audience_id}."


def renamed(current_name: str) -> str:
    """Return a note about an audience that was renamed in Ads Manager."""
    return f" The audience is now named {_quoted(current_name)} in Ads Manager."


def other_identifier_types(types: Sequence[str]) -> str:
    """Return a note about audiences that a remove does not change, or an empty string if there are none."""
    if not types:
        return ""
    return f" Audiences with the same name but other identifier types were not changed: {', '.join(types)}."
