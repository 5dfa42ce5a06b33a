"""The codes of reports: why an upload has its status. A closed list."""

from __future__ import annotations

from enum import StrEnum
from typing import Literal, Self

Status = Literal["waiting", "submitted", "available", "rejected", "failed"]


class Code(StrEnum):
    """Why a file has its status: the closed list of `code` in a report, and what each means (the README shows it)."""

    of: str
    meaning: str

    def __new__(cls, code: str, of: str, meaning: str) -> Self:
        """A code, the status or statuses it goes with, and its meaning."""
        member = str.__new__(cls, code)
        member._value_ = code
        member.of = of
        member.meaning = meaning
        return member

    # waiting
    RECEIVED = "received", "waiting", "it has been received"
    CONTINUING = "continuing", "waiting", "it is large, and its upload goes on at once where it stopped"
    AUDIENCE_PROCESSING = "audience_processing", "waiting", "TikTok is processing the audience's last change"
    BEHIND_OLDER_FILE = "behind_older_file", "waiting", "an older file of the audience goes first"
    OUTCOME_UNKNOWN = (
        "outcome_unknown",
        "waiting",
        "TikTok did not answer; it is asked what it did before anything is sent twice",
    )
    TIKTOK_THROTTLED = "tiktok_throttled", "waiting", "TikTok's limit of requests is reached"
    TIKTOK_UNAVAILABLE = "tiktok_unavailable", "waiting", "TikTok is busy or out of reach"
    TOKEN_REFUSED = "token_refused", "waiting", "TikTok refuses the access token: put a valid one in the secret"
    PERMISSION_REFUSED = (
        "permission_refused",
        "waiting",
        "TikTok refuses to work for the advertiser: check `ADVERTISER_ID`, grant the app the permission",
    )
    SECRET_UNUSABLE = "secret_unusable", "waiting", "the secret is empty or malformed"
    AUDIENCE_EXPIRED = "audience_expired", "waiting", "the audience has expired: delete it in Ads Manager"
    AUDIENCE_GONE = "audience_gone", "waiting", "the audience was deleted a moment ago; the file makes a new one"
    AUDIENCE_LIMIT_REACHED = (
        "audience_limit_reached",
        "waiting",
        "the advertiser has 400 audiences: delete one in Ads Manager",
    )
    REPLACED_TODAY = "replaced_today", "waiting", "TikTok replaces an audience once a day"
    # waiting (a later file) or failed (the file that made the audience)
    AUDIENCE_TOO_SMALL = (
        "audience_too_small",
        "waiting or failed",
        "the audience matches fewer than 1,000 people: delete it in Ads Manager",
    )
    # submitted, available
    SUBMITTED = "submitted", "submitted", "TikTok has taken it and is processing"
    AVAILABLE = "available", "available", "the audience is ready"
    # rejected: the key
    WRONG_LAYOUT = "wrong_layout", "rejected", "the key has too few or too many folders"
    UNKNOWN_IDENTIFIER_TYPE = "unknown_identifier_type", "rejected", "the folder is not an identifier type"
    UNKNOWN_ACTION = "unknown_action", "rejected", "the folder is not append, remove or replace"
    WRONG_FILE_EXTENSION = "wrong_file_extension", "rejected", "the name does not end in .csv, .txt, .csv.gz or .txt.gz"
    WRONG_AUDIENCE_NAME = (
        "wrong_audience_name",
        "rejected",
        "the audience's name is empty, too long or has control characters",
    )
    # rejected: the content
    EMPTY_FILE = "empty_file", "rejected", "it has no rows"
    NO_VALID_ROW = "no_valid_row", "rejected", "not one row is an identifier of the type"
    TOO_MANY_REJECTED = "too_many_rejected", "rejected", "more rows are faulty than `maxRejectedRatio` allows"
    UTF16 = "utf16", "rejected", "it is UTF-16: save it as UTF-8"
    EXCEL_WORKBOOK = "excel_workbook", "rejected", "it is an Excel workbook: save it as CSV"
    NOT_TEXT = "not_text", "rejected", "it is a PDF document or a picture: upload text"
    NOT_HASHED = "not_hashed", "rejected", "its rows are device ids that were not hashed"
    PARQUET = "parquet", "rejected", "it is Parquet: export it as CSV"
    ZIP_ARCHIVE = "zip_archive", "rejected", "it is a zip archive: unzip it, or use .gz"
    BROKEN_GZIP = "broken_gzip", "rejected", "it cannot be decompressed"
    GZIP_BOMB = "gzip_bomb", "rejected", "it decompresses to far more than identifiers can"
    TOO_MANY_PARTS = "too_many_parts", "rejected", "it needs more than 500 uploads: split it"
    NO_PROGRESS = (
        "no_progress",
        "rejected",
        "it has too much in it that is no row, or is too large a .gz, to be read in one invocation",
    )
    # rejected: the order of things
    SUPERSEDED = "superseded", "rejected", "a newer file was applied, which it would undo"
    NOTHING_TO_REMOVE_FROM = "nothing_to_remove_from", "rejected", "there is no such audience"
    # failed
    OBJECT_MISSING = "object_missing", "failed", "the version was deleted before it was read"
    REQUEST_REFUSED = "request_refused", "failed", "TikTok says the request is wrong"
    FILE_REFUSED = "file_refused", "failed", "TikTok refuses the file"
    TOO_FEW_LEFT = "too_few_left", "failed", "fewer than 1,000 people would remain"
    PROCESSING_FAILED = "processing_failed", "failed", "TikTok could not process it, or the audience is gone"
