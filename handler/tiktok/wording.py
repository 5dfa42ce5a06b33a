"""Tables of phrases that give the meaning of TikTok's messages.

Several meanings share a code, and the states of an audience have no code at all, so only the messages distinguish them.
Few sources quote these messages: a row without a comment on its source is a guess. A wrong guess gives an upload a
wrong status or wrong advice. A message that matches no row therefore keeps the meaning of its code, and the report
quotes it.

A row matches a message if the message contains one phrase of each group in `needs` and no phrase of `excludes`. Phrases
are plain substrings of the message in lower case.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import product
from string import punctuation, whitespace
from typing import NamedTuple

from handler.tiktok.codes import READ_CALLS, Meaning
from handler.tiktok.redact import MAX_READ

START = "\n"  # inserted before the first word of a message, so that a phrase can match the start


def _phrases(*words: Iterable[str]) -> tuple[str, ...]:
    """Return every concatenation of one word from each group."""
    return tuple("".join(combination) for combination in product(*words))


class Wording(NamedTuple):
    """A row of a table: the phrases that identify a meaning.

    Attributes:
        needs: groups of phrases. The message must contain one phrase of each group.
        excludes: phrases that the message must not contain.
    """

    needs: tuple[tuple[str, ...], ...]
    excludes: tuple[str, ...] = ()

    def matches(self, message: str) -> bool:
        """Return true if the row matches a message."""
        text = START + message[:MAX_READ].lower().lstrip(whitespace + punctuation)
        found = all(any(phrase in text for phrase in group) for group in self.needs)
        return found and not any(phrase in text for phrase in self.excludes)


# --- Messages of refused calls -------------------------------------------------------------------

_CHANGING = {"create", "update"}
_EVERY = {*READ_CALLS, *_CHANGING, "file/upload"}

_NOT_FOUND = ("not exist", "n't exist", "not found", "n't found", "not be found", "no longer exists")
_DELETED = _phrases(("is", "was", "been", "already"), [" deleted"])
_ADVERTISER = _phrases(["advertiser"], ("_id", " id", " not", " does", " was", " is", " cannot", " has"))
_THOUSAND = ("1,000", "1000")
_OTHER_FIGURES = ("1,000,0", "10000", "1000 byte", "1,000 byte", "1000 char", "1,000 char", "1000 files", "1,000 files")

_REFUSALS: list[tuple[set[str], Meaning, Wording]] = [
    (_EVERY, Meaning.TERMS_NOT_ACCEPTED, Wording((("terms",),), excludes=("in terms of",))),
    (
        _EVERY,
        Meaning.NOT_EDITABLE,
        Wording(
            # Sources: third-party copies of TikTok's portal for the first two, another vendor's documentation for the
            # third.
            (("not editable", "check audience status", "unfinished", "in progress", "being processed"),)
        ),
    ),
    (_CHANGING, Meaning.UPLOAD_AGAIN, Wording((("file_path", "file path", "filepath"), (*_NOT_FOUND, "expired")))),
    (
        {"update", "get", "delete"},
        Meaning.UNKNOWN_AUDIENCE,
        Wording(
            (("audience",), (*_NOT_FOUND, *_DELETED, "no such audience")),
            # Messages with these phrases are about something else that does not exist. An audience that wrongly counts
            # as deleted would be created again.
            excludes=("file", "path", "permission", "name", *_ADVERTISER),
        ),
    ),
    (
        {"update"},
        Meaning.REPLACED_TODAY,
        # Source: another vendor's documentation, "no more than one replace operation per day".
        Wording(
            (
                ("replace",),
                ("once", "one", "only", "limit", "already", "more"),
                (*_phrases(("a", "per", "each", "every", "one"), [" day"]), "daily", "today", "24 h", "24h"),
            )
        ),
    ),
    (
        _CHANGING,
        Meaning.TOO_FEW_LEFT,
        Wording(
            (_phrases(("less than ", "fewer than ", "at least ", "below ", "under ", "minimum of "), _THOUSAND),),
            excludes=_OTHER_FIGURES,
        ),
    ),
    (_CHANGING, Meaning.TOO_FEW_LEFT, Wording((("audience size",), ("small", "minimum")))),
    (
        {"create"},
        Meaning.AUDIENCE_LIMIT,
        Wording(
            (
                ("limit", "maximum", "exceed", "quota", "too many", "up to"),
                ("audiences", *_phrases(["audience "], ("number", "count", "quota", "limit"))),
            ),
            # Messages with these phrases are about the limit of something else.
            excludes=("name", "length", "character", "file"),
        ),
    ),
]


def meaning_of_message(call: str, message: str) -> Meaning | None:
    """Return the meaning of the message of a refused call, or None if no row matches.

    Args:
        call: the last components of the URL path, such as `list` or `file/upload`.
        message: `message` in TikTok's response, in upper or lower case.
    """
    meanings = (meaning for calls, meaning, wording in _REFUSALS if call in calls and wording.matches(message))
    return next(meanings, None)


# --- Messages about an audience: `msg`, `error_msg`, and `msg` in its history --------------------

# Messages about an audience that is being processed ("at least 1,000 are needed") or about a finished change ("21000
# users", "0 errors") must match no row, because the upload would wrongly fail. A failure that no row matches is only
# noticed later.

_FEWER = ("less than ", "fewer than ", "below ", "under ")
_TOO_SMALL = [
    Wording((("too small", "too few"),)),
    Wording((_phrases(_FEWER, (*_THOUSAND, "the minimum", "the required minimum")),), excludes=_OTHER_FIGURES),
    Wording(
        (("insufficient", "not enough"), ("people", "users", "members", "matches", "matched", "data", "size")),
        excludes=("permission", "quota"),
    ),
]

_WORK = (
    "operation", "change", "creation", "update", "append", "remove", "removal", "replace", "replacement", "process",
    "processing", "task", "upload", "import", "audience",
)  # fmt: skip
_DO = ("create", "update", "append", "remove", "replace", "process", "upload", "import", "complete")
_DONE = ("created", "updated", "appended", "removed", "replaced", "processed", "uploaded", "imported", "completed")
_ENDED_BADLY = ("failed", "refused", "rejected", "aborted", "canceled", "cancelled", "unsuccessful")
_NOT = ("could not ", "cannot ", "can't ", "unable to ")
_ROWS = ("rows", "lines", "identifiers")  # a change that skipped some rows is finished
_NONE_FAILED = ("failed: 0", "failed 0", "failed rows", "failures", "failure: 0")
_NO_ERRORS = ("errors", "error: 0")
_FAILED = [
    Wording(
        (_phrases(_WORK, (" ", " has ", " was ", " is ", " has been ", " have been "), _ENDED_BADLY),),
        excludes=_NONE_FAILED,
    ),
    Wording((_phrases(_WORK, [" failure"]),), excludes=_NONE_FAILED),
    Wording((_phrases(_WORK, [" error"]),), excludes=_NO_ERRORS),
    Wording((_phrases(("failed to ", "failure to "), _DO),), excludes=_phrases(_ROWS, (" failed", " have failed"))),
    Wording(
        ((*_phrases(_NOT, _DO), *_phrases(_NOT, ["be "], _DONE)),),
        excludes=_phrases(_ROWS, (" could not", " cannot", " can't")),
    ),
    Wording((_phrases([START], ("failed", "failure")),), excludes=_NONE_FAILED),
    Wording((_phrases([START], ("error", "internal error", "system error", "unknown error")),), excludes=_NO_ERRORS),
]
_NO_ERROR = {
    "ok", "success", "successful", "successfully", "none", "null", "na", "n/a", "no error", "no errors", "0 error",
    "0 errors",
}  # fmt: skip


def says_too_small(message: str) -> bool:
    """Return true if the message says that an audience or a change matches too few people."""
    return any(wording.matches(message) for wording in _TOO_SMALL)


def says_failed(message: str) -> bool:
    """Return true if the message says that a change failed."""
    return says_too_small(message) or any(wording.matches(message) for wording in _FAILED)


def names_an_error(error_msg: str) -> bool:
    """Return true if an audience's `error_msg` contains an error; empty values, zeros and "ok" are not errors."""
    text = error_msg.lower().strip(whitespace + punctuation)
    return bool(text.strip("0" + whitespace + punctuation)) and text not in _NO_ERROR
