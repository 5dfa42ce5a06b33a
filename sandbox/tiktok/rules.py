"""What the emulated TikTok lets pass: the fields of each call, the limits, and the codes and words of its refusals.

Fields, limits and enumerations are those of TikTok's own OpenAPI files, code numbers those of its SDK's list. Where
neither says which code or which words TikTok uses, the choice is made here and nowhere else.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, replace
from typing import Any, Literal

MATCHED_AT_LEAST = (
    1000  # TikTok's OpenAPI: a change fails "if the audience size is less than 1,000 after the operation"
)
DAY = 86_400.0
EXPIRES_AFTER_DAYS = 365  # TikTok's OpenAPI: after the last change, unless retention_in_days fixes it
EXPIRING_DAYS = 7  # our choice: no source says when is_expiring turns true
CUSTOMER_FILE = "Customer File Audience"

WIDTHS = {  # identifier type -> bytes of its hash
    **dict.fromkeys(("EMAIL_SHA256", "PHONE_SHA256", "IDFA_SHA256", "GAID_SHA256", "FIRST_SHA256"), 32),
    **dict.fromkeys(("IDFA_MD5", "GAID_MD5", "FIRST_MD5"), 16),
}
CREATE_TYPES = frozenset({*WIDTHS, "MULTIPLE_TYPES"})
UPLOAD_TYPES = frozenset({*CREATE_TYPES, "MAID_SHA256", "MAID_MD5"})


class Refusal(Exception):  # noqa: N818 - TikTok refuses; nothing here went wrong
    """An answer with another code than 0; the HTTP status is 200 all the same."""

    def __init__(self, code: int, message: str, http_status: int = 200) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.http_status = http_status


PARTIAL = 20001  # an answer to what was done in part, with what it gives
# Codes from the SDK's list; the words are ours but for NOT_EDITABLE.
NO_SUCH_CALL = (40400, "The requested route does not exist.")
TOO_FREQUENT = (40100, "Too many requests. Please retry in some time.")
TOKEN_MISSING = (40104, "Access token is empty.")
TOKEN_INVALID = (40105, "Access token is incorrect or has been revoked.")
NOT_PERMITTED = (40001, "No permission to operate the advertiser.")
SIGNATURE_WRONG = (40900, "The file signature does not match the file.")
FILE_UNKNOWN = (40905, "The file does not exist.")
FILE_EMPTY = (40906, "The file is empty.")
FILE_TOO_LARGE = (40907, "The file is too large.")
FILE_NAME_WRONG = (40908, "The file type is not supported: its name must end in .csv or .txt.")
FILE_TYPE_DIFFERS = (40909, "calculate_type must be the same as that of all files.")
FILE_EXPIRED = (40910, "The file has expired.")
# 40002 is all a source says of these; only the first is quoted from one.
NOT_EDITABLE = (40002, "Audience is not editable, please check audience status")
NO_SUCH_AUDIENCE = (40002, "custom_audience_id: the audience does not exist.")
NOT_CUSTOMER_FILE = (40002, "Only a customer file audience can be updated with files.")
NOT_OWNER = (40002, "Only the owner of an audience can change it.")
TOO_MANY_AUDIENCES = (40002, "The number of audiences has reached the limit of {limit}.")
TOO_FEW_LEFT = (40002, "The audience size would be less than 1,000 after the operation.")
REPLACED_TODAY = (40002, "Only one REPLACE operation is allowed per audience per day.")

# What `msg`, `error_msg` and a history entry's `msg` say. No source lists their values.
SAYS_TOO_SMALL = "Audience too small: fewer than 1,000 users were matched."
SAYS_TOO_FEW_LEFT = "The operation failed: the audience size would be less than 1,000 after it."
SAYS_BAD_ROWS = "The operation failed: {rows} rows of its files are not valid identifiers."


@dataclass(frozen=True)
class Settings:
    """How this TikTok behaves where the real one varies or is not known. Times are seconds of the emulator's clock.

    Attributes:
        processing_seconds: from an accepted create or update to its end.
        match_rate: share of an audience's people that TikTok knows.
        stays_valid: whether `is_valid` stays true while an update is processed.
        history_at: when the history shows a change.
        size_rule_at: whether a change that leaves fewer than 1,000 people is refused at once or fails at its end.
        says_too_small: whether `msg` says so of an audience that matched fewer than 1,000.
        list_lag_seconds: how long `list` leaves out a new audience; `get` never does.
        lists_calculate_type: whether `list` tells the identifier type; `get` always does.
        one_replace_a_day: whether a second REPLACE within 24 hours is refused.
        audience_limit: own audiences of one advertiser.
        max_file_bytes: largest file of one upload.
        file_path_seconds: life of a `file_path`; None is for ever.
        calls_per_second: of all advertisers together, as TikTok counts per developer app; None is no limit.
    """

    processing_seconds: float = 2.0
    match_rate: float = 1.0
    stays_valid: bool = False
    history_at: Literal["end", "submit", "never"] = "end"
    size_rule_at: Literal["processing", "call"] = "processing"
    says_too_small: bool = True
    list_lag_seconds: float = 0.0
    lists_calculate_type: bool = True
    one_replace_a_day: bool = True
    audience_limit: int = 400
    max_file_bytes: int = 250_000_000
    file_path_seconds: float | None = None
    calls_per_second: int | None = None


_CHOICES = {"history_at": {"end", "submit", "never"}, "size_rule_at": {"processing", "call"}}
_OPTIONAL = {"file_path_seconds", "calls_per_second"}


def merged(settings: Settings, changes: Mapping[str, Any]) -> Settings:
    """The settings with some of them changed.

    Raises:
        ValueError: an unknown setting, or a value of the wrong kind.
    """
    known = {field.name for field in fields(Settings)}
    for name, value in changes.items():
        if name not in known:
            raise ValueError(f"unknown setting {name}: known are {', '.join(sorted(known))}")
        present = getattr(Settings, name)
        if name in _CHOICES:
            right = value in _CHOICES[name]
        elif isinstance(present, bool):
            right = isinstance(value, bool)
        else:
            right = (value is None and name in _OPTIONAL) or (
                isinstance(value, int | float) and not isinstance(value, bool) and value >= 0
            )
        if not right:
            raise ValueError(f"setting {name} cannot be {value!r}")
    return replace(settings, **changes)


@dataclass(frozen=True)
class Field:
    """One field of a call: its kind, whether it is required, its choices, and how long or large it may be."""

    kind: Literal["id", "text", "flag", "number", "ids", "paths", "object"]
    required: bool = False
    choices: frozenset[str] = frozenset()
    least: int = 0
    most: int = 2**63 - 1


_ADVERTISER = {"advertiser_id": Field("id", required=True)}
_ENHANCEMENT = {"audience_enhancement": Field("flag")}
_AUDIENCE_IDS = Field("ids", required=True, least=1, most=100)
FIELDS: dict[str, dict[str, Field]] = {
    "upload": {
        **_ADVERTISER,
        "file_signature": Field("text", required=True),
        "calculate_type": Field("text", required=True, choices=UPLOAD_TYPES),
        "name": Field("text"),
        "file_name": Field("text"),  # what the SDK calls `name`
        "context_info": Field("text"),
    },
    "create": {
        **_ADVERTISER,
        "custom_audience_name": Field("text", required=True, least=1, most=128),
        "calculate_type": Field("text", required=True, choices=CREATE_TYPES),
        "file_paths": Field("paths", required=True, least=1, most=500),
        "audience_sub_type": Field("text", choices=frozenset({"NORMAL", "REACH_FREQUENCY"})),
        "retention_in_days": Field("number", least=1, most=365),
        **_ENHANCEMENT,
    },
    "update": {
        **_ADVERTISER,
        "custom_audience_id": Field("id", required=True),
        "custom_audience_name": Field("text", least=1, most=128),
        # The file gives no range here; that of create is taken.
        "file_paths": Field("paths", least=1, most=500),
        "action": Field("text", choices=frozenset({"APPEND", "REMOVE", "REPLACE"})),
        "audience_sub_type": Field("text", choices=frozenset({"REACH_FREQUENCY"})),
        "context_info": Field("object"),
        **_ENHANCEMENT,
    },
    "list": {
        **_ADVERTISER,
        "custom_audience_ids": Field("ids", least=1, most=100),
        "page": Field("number", least=1),
        "page_size": Field("number", least=1, most=100),
    },
    "get": {
        **_ADVERTISER,
        "custom_audience_ids": _AUDIENCE_IDS,
        "history_size": Field("number", least=1, most=100),
    },
    "delete": {**_ADVERTISER, "custom_audience_ids": _AUDIENCE_IDS},
}


def checked(call: str, given: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of a call, if all are documented, of the right type and within their range.

    A field that is not documented is refused, so that a misspelt `action`, which would mean REPLACE, is noticed.

    Raises:
        Refusal: 40002 with a message that names the field.
    """
    known = FIELDS[call]
    for name, value in given.items():
        if name not in known:
            raise Refusal(40002, f"{name}: Unknown field.")
        problem = _problem(known[name], value)
        if problem:
            raise Refusal(40002, f"{name}: {problem}")
    for name, field in known.items():
        if field.required and name not in given:
            raise Refusal(40002, f"{name}: Missing data for required field.")
    return dict(given)


def from_query(call: str, query: Mapping[str, str]) -> dict[str, Any]:
    """The fields of a GET call: lists are JSON in a query, numbers are digits; the rest stays text.

    Raises:
        Refusal: 40002 with a message that names the field.
    """
    given: dict[str, Any] = {}
    for name, text in query.items():
        field = FIELDS[call].get(name)
        try:
            decode = field is not None and field.kind in {"ids", "paths", "number"}
            given[name] = json.loads(text) if decode else text
        except ValueError:
            raise Refusal(40002, f"{name}: Not valid JSON.") from None
    return given


def _problem(field: Field, value: object) -> str | None:
    check, expected = _KINDS[field.kind]
    if not check(value):
        return f"Not a valid {expected}."
    if field.choices and value not in field.choices:
        return f"Must be one of: {', '.join(sorted(field.choices))}."
    size = value if isinstance(value, int) else len(value) if isinstance(value, str | list) else field.least
    return None if field.least <= size <= field.most else f"Length or value must be {field.least} to {field.most}."


def _is_id(value: object) -> bool:
    return isinstance(value, str) and re.fullmatch(r"[0-9]{1,19}", value) is not None


def _is_path(value: object) -> bool:
    return isinstance(value, str) and len(value) == 16  # noqa: PLR2004 - TikTok's OpenAPI


_KINDS: dict[str, tuple[Callable[[object], bool], str]] = {
    "id": (_is_id, "string of digits"),
    "text": (lambda value: isinstance(value, str), "string"),
    "flag": (lambda value: isinstance(value, bool), "boolean"),
    "number": (lambda value: isinstance(value, int) and not isinstance(value, bool), "integer"),
    "object": (lambda value: isinstance(value, dict), "object"),
    "ids": (lambda value: isinstance(value, list) and all(map(_is_id, value)), "list of strings of digits"),
    "paths": (lambda value: isinstance(value, list) and all(map(_is_path, value)), "list of 16-character strings"),
}
