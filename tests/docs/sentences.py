"""Examples of all outcomes of a report, for `docs/codes.md`: each code with its reasons."""

from __future__ import annotations

import inspect
from collections import defaultdict
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from handler import reasons
from handler.cleaning.decompression import MAX_RATIO
from handler.cleaning.file_types import check_file_type
from handler.cleaning.headers import HEADERS, MAX_SAME_HEADER
from handler.errors import Outcome
from handler.events.keys import parse_key
from handler.model import Action, IdentifierType
from handler.reasons import ColumnHints, Fault
from handler.report_codes import Code

_FOLDER = "tiktok/vip/email_sha256/"
_DETAILS = " (code 40001: No permission; request 2026...)"
_COLUMN = 'column 2 ("audience_action")'
_NO_HASH = Fault("not_hashed", line=2)

# Name of a function in `reasons` -> the outcomes to show. Partials, which need no arguments, have no entry.
EXAMPLES: dict[str, Sequence[Callable[[], Outcome]]] = {
    "wrong_top_folder": [lambda: reasons.wrong_top_folder("TikTok")],
    "unknown_identifier_type": [lambda: reasons.unknown_identifier_type("emails")],
    "unknown_action": [lambda: reasons.unknown_action("remvoe")],
    "long_audience_name": [lambda: reasons.long_audience_name(140, 128)],
    "wrong_extension": [
        lambda: _raised(parse_key, f"{_FOLDER}a.xlsx"),
        lambda: _raised(parse_key, f"{_FOLDER}a.zip"),
        lambda: _raised(parse_key, f"{_FOLDER}a.gpg"),
        lambda: _raised(parse_key, f"{_FOLDER}a.parquet"),
    ],
    "wrong_kind": [
        lambda: _raised(check_file_type, b"\xff\xfe"),
        lambda: _raised(check_file_type, b"\xd0\xcf\x11\xe0"),
        lambda: _raised(check_file_type, b"PAR1"),
        lambda: _raised(check_file_type, b"%PDF"),
        lambda: _raised(check_file_type, b"PK\x03\x04"),
    ],
    "damaged_compression": [lambda: reasons.damaged_compression("gzip")],
    "cut_off_compression": [lambda: reasons.cut_off_compression("gzip")],
    "decompression_bomb": [lambda: reasons.decompression_bomb(MAX_RATIO)],
    "empty_file": [
        lambda: reasons.empty_file("file", Action.APPEND),
        lambda: reasons.empty_file("file", Action.REPLACE),
    ],
    "only_empty_values": [lambda: reasons.only_empty_values("file", 0, 5000)],
    "no_valid_row": [
        lambda: reasons.no_valid_row("file", 5000, _NO_HASH),
        lambda: reasons.no_valid_row(
            "file", 5000, Fault("more_than_one_column", line=1, hints=ColumnHints('column 2 ("hash")'))
        ),
        lambda: reasons.no_valid_row("file", 5000, Fault("wrong_length", line=1, digits=32)),
    ],
    "too_many_rejected": [
        lambda: reasons.too_many_rejected("file", 900, 5000, 0.1, _NO_HASH),
        lambda: reasons.too_many_rejected("file", 900, 5000, 0.1, _NO_HASH, column="hashed_phone"),
    ],
    "cut_off": [lambda: reasons.cut_off(5000)],
    "adds_and_removes": [lambda: reasons.adds_and_removes(_COLUMN)],
    "plain_text_column": [lambda: reasons.plain_text_column(1)],
    "no_identifier_column": [lambda: reasons.no_identifier_column(list(HEADERS), has_header=True)],
    "too_many_columns": [lambda: reasons.too_many_columns("email_SHA256", MAX_SAME_HEADER)],
    "tiktok_busy": [lambda: reasons.tiktok_busy("")],
    "token_refused": [lambda: reasons.token_refused("")],
    "permission_refused": [lambda: reasons.permission_refused(_DETAILS, "7100000000000000001")],
    "terms_not_accepted": [lambda: reasons.terms_not_accepted("", "7100000000000000001")],
    "secret_unusable": [lambda: reasons.secret_unusable("The secret is empty", needs_advertiser_id=True)],
    "upload_again": [lambda: reasons.upload_again("")],
    "file_refused": [lambda: reasons.file_refused("")],
    "request_refused": [lambda: reasons.request_refused("")],
    "too_few_left": [lambda: reasons.too_few_left("")],
    "replaced_today": [lambda: reasons.replaced_today("")],
    "object_unreadable": [lambda: reasons.object_unreadable("AccessDenied")],
    "unchanged_copy": [lambda: reasons.unchanged_copy(after_other_uploads=True)],
    "list_rejected": [
        lambda: reasons.list_rejected(
            "tiktok/vip/.../part-00007.csv",
            reasons.wrong_kind(
                Code.PARQUET,
                "a Parquet file",
                "Export the list as CSV with one identifier per line, and upload the CSV file.",
            ),
        ),
        lambda: reasons.list_rejected(
            "tiktok/vip/.../part-00007.xlsx", _raised(parse_key, f"{_FOLDER}a.xlsx"), reasons.DELETE_FILE
        ),
    ],
    "manifest_unreadable": [lambda: reasons.manifest_unreadable("tiktok/vip/.../manifest")],
    "manifest_names_other_files": [lambda: reasons.manifest_names_other_files("tiktok/vip/.../manifest")],
    "shrinks_too_much": [lambda: reasons.shrinks_too_much(20, 200_000)],
    "shrank_without_confirmation": [lambda: reasons.shrank_without_confirmation(20, 200_000)],
    "nothing_to_remove_from": [
        lambda: reasons.nothing_to_remove_from(reasons.other_identifier_types([IdentifierType.EMAIL_SHA256]))
    ],
    "too_many_parts": [lambda: reasons.too_many_parts(500)],
    "created_too_small": [lambda: reasons.created_too_small("")],
    "too_few_left_after_change": [lambda: reasons.too_few_left_after_change("")],
    "processing_failed": [lambda: reasons.processing_failed("")],
}
# Reasons of reports that are not raised as exceptions.
OTHERS = {
    Code.RECEIVED: ["The upload is registered."],
    Code.SUBMITTED: [reasons.submitted("")],
    Code.AVAILABLE: [
        reasons.available(4200, reasons.rows_left_out(12, 5012)),
        reasons.available(4200, reasons.columns_left_out(["customer hash"])),
        reasons.available_without_growth(4200, ""),
    ],
}


def _raised(check: Callable[[Any], object], value: str | bytes) -> Outcome:
    """Return the outcome that a check of a key or of the content of a file raises."""
    try:
        check(value)
    except Outcome as outcome:
        return outcome
    raise AssertionError(value)


def outcome_functions() -> set[str]:
    """Return the names of the public functions in `reasons` that return an outcome. Partials are not included."""
    found = inspect.getmembers(reasons, inspect.isfunction)
    return {
        name
        for name, function in found
        if function.__module__ == reasons.__name__ and not name.startswith("_") and _returns_outcome(function)
    }


def _returns_outcome(function: Callable[..., object]) -> bool:
    kind = getattr(reasons, str(inspect.signature(function).return_annotation), None)
    return inspect.isclass(kind) and issubclass(kind, Outcome)


def sentences() -> dict[Code, list[str]]:
    """Return the reasons for each code, in the order of the functions in `reasons`."""
    found: dict[Code, list[str]] = defaultdict(list, {code: list(texts) for code, texts in OTHERS.items()})
    for name, made in vars(reasons).items():
        for example in [made] if isinstance(made, partial) else EXAMPLES.get(name, []):
            outcome = example()
            if outcome.reason not in found[outcome.code]:
                found[outcome.code].append(outcome.reason)
    return dict(found)
