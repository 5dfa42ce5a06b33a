"""Report codes: the reasons why an upload has its status, documented in `docs/codes.md`."""

from __future__ import annotations

from enum import StrEnum
from typing import Literal, Self

Status = Literal["waiting", "submitted", "available", "skipped", "rejected", "failed"]


class Code(StrEnum):
    """The closed list of values of `code` in a report.

    Attributes:
        status: the status or statuses that a report with the code can have.
        meaning: a description of what happened.
    """

    status: str
    meaning: str

    def __new__(cls, code: str, status: str, meaning: str) -> Self:
        """Create a code with its status or statuses and its meaning."""
        member = str.__new__(cls, code)
        member._value_ = code
        member.status = status
        member.meaning = meaning
        return member

    # waiting
    RECEIVED = "received", "waiting", "the upload is registered"
    SETTLING = "settling", "waiting", "the connector waits a short time for more uploads to the same audience"
    CONTINUING = "continuing", "waiting", "the file is large; its upload to TikTok continues where it stopped"
    AUDIENCE_PROCESSING = "audience_processing", "waiting", "TikTok is processing the last change to the audience"
    BEHIND_OLDER_FILE = "behind_older_file", "waiting", "an older upload to the same audience is sent first"
    OUTCOME_UNKNOWN = (
        "outcome_unknown",
        "waiting",
        "TikTok's response was lost; the connector checks with TikTok before it sends anything again",
    )
    TIKTOK_THROTTLED = "tiktok_throttled", "waiting", "TikTok's rate limit is reached"
    TIKTOK_UNAVAILABLE = "tiktok_unavailable", "waiting", "TikTok is busy or cannot be reached"
    TOKEN_REFUSED = "token_refused", "waiting", "TikTok refuses the access token; put a valid one into the secret"
    PERMISSION_REFUSED = (
        "permission_refused",
        "waiting",
        "TikTok refuses access to the advertiser; check `ADVERTISER_ID` and the app's permission",
    )
    TERMS_NOT_ACCEPTED = (
        "terms_not_accepted",
        "waiting",
        "the advertiser has not accepted TikTok's Custom Audience Terms",
    )
    SECRET_UNUSABLE = "secret_unusable", "waiting", "the secret is empty or malformed"
    AUDIENCE_EXPIRED = "audience_expired", "waiting", "the audience has expired; delete it in Ads Manager"
    AUDIENCE_GONE = "audience_gone", "waiting", "the audience was just deleted; the upload creates a new one"
    AUDIENCE_LIMIT_REACHED = (
        "audience_limit_reached",
        "waiting",
        "the advertiser has 400 audiences; delete one in Ads Manager",
    )
    REPLACED_TODAY = "replaced_today", "waiting", "TikTok accepts only one replace of an audience per day"
    # waiting (a later upload) or failed (the upload that created the audience)
    AUDIENCE_TOO_SMALL = (
        "audience_too_small",
        "waiting or failed",
        "the audience matches fewer than 1,000 people; delete it in Ads Manager",
    )
    # waiting for 24 hours, then rejected
    SHRINKS_TOO_MUCH = (
        "shrinks_too_much",
        "waiting or rejected",
        "the list has far fewer rows than the audience's last list; confirm it or upload the right one",
    )
    # submitted, available
    SUBMITTED = "submitted", "submitted", "TikTok has accepted the upload and is processing it"
    AVAILABLE = "available", "available", "the audience is ready"
    # skipped
    OVERTAKEN = "overtaken", "skipped", "newer uploads include everyone in it, so there is nothing left to do"
    SUPERSEDED = "superseded", "skipped", "a newer replace or a newer version of the file takes its place"
    UNCHANGED_COPY = "unchanged_copy", "skipped", "the file was copied onto itself, and its rows are unchanged"
    WITHDRAWN = "withdrawn", "skipped", "the upload was deleted or withdrawn before it was sent"
    # skipped (append and remove) or rejected (replace)
    EMPTY_FILE = "empty_file", "skipped or rejected", "the file has no rows"
    # rejected: the key
    WRONG_LAYOUT = (
        "wrong_layout",
        "rejected",
        "the file is not in the required folders, or `tiktok/` is spelled differently",
    )
    UNKNOWN_IDENTIFIER_TYPE = "unknown_identifier_type", "rejected", "the folder name is not an identifier type"
    UNKNOWN_ACTION = "unknown_action", "rejected", "the folder name is not append, remove or replace"
    WRONG_FILE_EXTENSION = (
        "wrong_file_extension",
        "rejected",
        "the file name has the extension of a spreadsheet, an archive or another format that cannot be read",
    )
    WRONG_AUDIENCE_NAME = (
        "wrong_audience_name",
        "rejected",
        "the audience name is blank, too long or contains control characters",
    )
    # rejected: the content
    NO_VALID_ROW = "no_valid_row", "rejected", "no row has a valid identifier of the identifier type"
    TOO_MANY_REJECTED = (
        "too_many_rejected",
        "rejected",
        "more rows, or more cells in a column, are faulty than `maxRejectedRatio` allows",
    )
    WRONG_COLUMNS = "wrong_columns", "rejected", "the file's columns cannot be used"
    CUT_OFF = "cut_off", "rejected", "the last row of the list is cut off"
    UTF16 = "utf16", "rejected", "the file is UTF-16; save it as UTF-8"
    EXCEL_WORKBOOK = (
        "excel_workbook",
        "rejected",
        "the file is an Excel workbook or another spreadsheet; save it as CSV",
    )
    NOT_TEXT = "not_text", "rejected", "the file is not text; it is, for example, a PDF document or a picture"
    NOT_HASHED = "not_hashed", "rejected", "the identifiers are not hashed"
    PARQUET = "parquet", "rejected", "the file is Parquet; export it as CSV"
    ZIP_ARCHIVE = (
        "zip_archive",
        "rejected",
        "the file is an archive or has an unsupported compression format; unpack it, or use gzip",
    )
    BROKEN_GZIP = "broken_gzip", "rejected", "the file cannot be decompressed or is compressed twice"
    GZIP_BOMB = "gzip_bomb", "rejected", "the file expands far more than a file of identifiers can"
    TOO_MANY_PARTS = "too_many_parts", "rejected", "the upload needs more than 500 parts, TikTok's limit; split it"
    NO_PROGRESS = (
        "no_progress",
        "rejected",
        "the file takes too long to read; it is too large, or most of its content is not rows",
    )
    # rejected: lists and order
    LIST_REJECTED = "list_rejected", "rejected", "a file in the list's folder cannot be used, so the list was not sent"
    INCOMPLETE_LIST = (
        "incomplete_list",
        "rejected",
        "files of the list were still missing 24 hours after the last one arrived",
    )
    AMBIGUOUS_REPLACE = (
        "ambiguous_replace",
        "rejected",
        "several lists were uploaded at about the same time, so it is unclear which one to use",
    )
    OUT_OF_ORDER = "out_of_order", "rejected", "the upload would undo a newer upload that was already applied"
    NOTHING_TO_REMOVE_FROM = (
        "nothing_to_remove_from",
        "rejected",
        "there is no audience with this name and identifier type",
    )
    # failed
    OBJECT_MISSING = "object_missing", "failed", "the file was permanently deleted before it was read"
    OBJECT_ARCHIVED = "object_archived", "failed", "the file is archived and cannot be read"
    OBJECT_KEY_REFUSED = (
        "object_key_refused",
        "failed",
        "the file is encrypted with a key other than the connector's",
    )
    OBJECT_UNREADABLE = (
        "object_unreadable",
        "failed",
        "AWS denies access to this file, although other files can be read",
    )
    REQUEST_REFUSED = "request_refused", "failed", "TikTok refuses the request as invalid"
    FILE_REFUSED = "file_refused", "failed", "TikTok refuses the file"
    TOO_FEW_LEFT = "too_few_left", "failed", "fewer than 1,000 people would remain in the audience"
    PROCESSING_FAILED = (
        "processing_failed",
        "failed",
        "TikTok could not process the upload, or the audience was deleted or expired",
    )
