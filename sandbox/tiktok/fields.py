"""The fields of each call of the emulated TikTok, with their types and ranges from TikTok's OpenAPI files.

Fields that no client of this project sends are left out. They are refused like misspelled fields.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from werkzeug.datastructures import FileStorage

from sandbox.tiktok.people import MULTIPLE_TYPES, WIDTHS
from sandbox.tiktok.refusals import WRONG_REQUEST, Refusal

_FILE_PATH_LENGTH = 16
_TYPES = frozenset({*WIDTHS, MULTIPLE_TYPES})


@dataclass(frozen=True)
class Field:
    """One field of a call: its kind, its allowed values, and the range of its value or length."""

    kind: Literal["file", "id", "text", "flag", "number", "ids", "paths"]
    required: bool = False
    choices: frozenset[str] = frozenset()
    min: int = 0
    max: int = 2**63 - 1


_ADVERTISER_ID = {"advertiser_id": Field("id", required=True)}
_AUDIENCE_IDS = {"custom_audience_ids": Field("ids", required=True, min=1, max=100)}
_PAGE = {"page": Field("number", min=1), "page_size": Field("number", min=1, max=100)}
_ENHANCEMENT = {"audience_enhancement": Field("flag")}  # the SDK sends this field
FIELDS: dict[str, dict[str, Field]] = {
    "upload": {
        **_ADVERTISER_ID,
        "file_signature": Field("text", required=True),
        "calculate_type": Field("text", required=True, choices=_TYPES),
        "file": Field("file", required=True),
    },
    "create": {
        **_ADVERTISER_ID,
        "custom_audience_name": Field("text", required=True, min=1, max=128),
        "calculate_type": Field("text", required=True, choices=_TYPES),
        "file_paths": Field("paths", required=True, min=1, max=500),
        "audience_sub_type": Field("text", choices=frozenset({"NORMAL"})),  # the SDK sends this field
        **_ENHANCEMENT,
    },
    "update": {
        **_ADVERTISER_ID,
        "custom_audience_id": Field("id", required=True),
        "custom_audience_name": Field("text", min=1, max=128),
        "file_paths": Field("paths", min=1, max=500),  # the OpenAPI file has no range; this is the range for create
        "action": Field("text", choices=frozenset({"APPEND", "REMOVE", "REPLACE"})),
        **_ENHANCEMENT,
    },
    "list": {**_ADVERTISER_ID, **_PAGE},
    "get": {**_ADVERTISER_ID, **_AUDIENCE_IDS},
    "delete": {**_ADVERTISER_ID, **_AUDIENCE_IDS},
    # The OpenAPI file has no ranges. These are the ranges for get and list.
    "apply_log": {**_ADVERTISER_ID, **_AUDIENCE_IDS, **_PAGE},
}


def checked(call: str, given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields of a call, after checking their names and values.

    Unknown fields are refused, because a misspelled `action` would mean REPLACE.

    Raises:
        Refusal: a field is unknown, invalid or missing. The message names it.
    """
    known = FIELDS[call]
    for name, value in given.items():
        problem = _problem(known[name], value) if name in known else "Unknown field."
        if problem:
            raise Refusal(WRONG_REQUEST, f"{name}: {problem}")
    for name, field in known.items():
        if field.required and name not in given:
            raise Refusal(WRONG_REQUEST, f"{name}: Missing data for required field.")
    return dict(given)


def from_query(call: str, query: Mapping[str, str]) -> dict[str, Any]:
    """Return the fields of a GET call from its query, in which lists and numbers are JSON and other fields are text.

    Raises:
        Refusal: the value of a list or number is not JSON. The message names the field.
    """
    given: dict[str, Any] = {}
    for name, text in query.items():
        field = FIELDS[call].get(name)
        try:
            given[name] = json.loads(text) if field and field.kind in {"ids", "number"} else text
        except ValueError:
            raise Refusal(WRONG_REQUEST, f"{name}: Not valid JSON.") from None
    return given


def _problem(field: Field, value: object) -> str | None:
    is_valid, expected = _KINDS[field.kind]
    if not is_valid(value):
        return f"Not a valid {expected}."
    if field.choices and value not in field.choices:
        return f"Must be one of: {', '.join(sorted(field.choices))}."
    size = value if isinstance(value, int) else len(value) if isinstance(value, str | list) else field.min
    return None if field.min <= size <= field.max else f"Length or value must be {field.min} to {field.max}."


def _is_id(value: object) -> bool:
    return isinstance(value, str) and re.fullmatch(r"[0-9]{1,19}", value) is not None


def _is_path(value: object) -> bool:
    return isinstance(value, str) and len(value) == _FILE_PATH_LENGTH


_KINDS: dict[str, tuple[Callable[[object], bool], str]] = {
    "file": (lambda value: isinstance(value, FileStorage), "file"),
    "id": (_is_id, "string of digits"),
    "text": (lambda value: isinstance(value, str), "string"),
    "flag": (lambda value: isinstance(value, bool), "boolean"),
    "number": (lambda value: isinstance(value, int) and not isinstance(value, bool), "integer"),
    "ids": (lambda value: isinstance(value, list) and all(map(_is_id, value)), "list of strings of digits"),
    "paths": (lambda value: isinstance(value, list) and all(map(_is_path, value)), "list of 16-character strings"),
}
