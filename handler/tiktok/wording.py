"""The tables of TikTok's wording: what its messages mean.

Several meanings share a code, and the states of an audience have no code at all, so the messages have to tell. Almost
no source quotes them: a row without a comment on its source is a guess. A wrong guess makes an upload wait with wrong
advice, so a message that fits no row stays what its code says, and the report quotes it.

A row fits a message if one phrase of each group in `needs` occurs in it and no phrase of `excludes` does. Phrases are
plain substrings of the message in lower case.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import product
from string import punctuation, whitespace
from typing import NamedTuple

from handler.tiktok.codes import READ_CALLS, Meaning
from handler.tiktok.redact import MAX_READ

START = "\n"  # stands before the first word of a message, so that a phrase can ask for it


def _phrases(*words: Iterable[str]) -> tuple[str, ...]:
    """Return every combination of these words."""
    return tuple("".join(combination) for combination in product(*words))


class Wording(NamedTuple):
    """A row: the phrases that tell a meaning.

    Attributes:
        needs: groups of phrases. One phrase of each group has to occur.
        excludes: phrases that must not occur.
    """

    needs: tuple[tuple[str, ...], ...]
    excludes: tuple[str, ...] = ()

    def fits(self, message: str) -> bool:
        """Return true if the row describes this message."""
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
            # Third-party copies of TikTok's portal quote the first two, another vendor's documentation the third.
            (("not editable", "check audience status", "unfinished", "in progress", "being processed"),)
        ),
    ),
    (_CHANGING, Meaning.UPLOAD_AGAIN, Wording((("file_path", "file path", "filepath"), (*_NOT_FOUND, "expired")))),
    (
        {"update", "get", "delete"},
        Meaning.UNKNOWN_AUDIENCE,
        Wording(
            (("audience",), (*_NOT_FOUND, *_DELETED, "no such audience")),
            # Something else does not exist. An audience that wrongly counts as gone would be created again.
            excludes=("file", "path", "permission", "name", *_ADVERTISER),
        ),
    ),
    (
        {"update"},
        Meaning.REPLACED_TODAY,
        # Another vendor's documentation: "no more than one replace operation per day".
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
            # The limit of something else.
            excludes=("name", "length", "character", "file"),
        ),
    ),
]


def meaning_of_message(call: str, message: str) -> Meaning | None:
    """Return the meaning of the message of a refused call, or None if no row of the table fits.

    Args:
        call: the last components of its path, such as `list` or `file/upload`.
        message: `message` in TikTok's response, in any case.
    """
    fitting = (meaning for calls, meaning, wording in _REFUSALS if call in calls and wording.fits(message))
    return next(fitting, None)


# --- Messages about an audience: `msg`, `error_msg`, and `msg` in its history --------------------

# What is said of an audience that is being processed ("at least 1,000 are needed") or of a change that is done
# ("21000 users", "0 errors") must fit no row: a file that went through would fail. A failure that is worded otherwise
# is only noticed later.

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
_ROWS = ("rows", "lines", "identifiers")  # a change that skipped some rows is done
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
    """Return true if TikTok says of an audience or a change that too few people match."""
    return any(wording.fits(message) for wording in _TOO_SMALL)


def says_failed(message: str) -> bool:
    """Return true if TikTok says that a change failed."""
    return says_too_small(message) or any(wording.fits(message) for wording in _FAILED)


def names_an_error(error_msg: str) -> bool:
    """Return true if an audience's `error_msg` holds an error. Empty values, zeros and "ok" do not."""
    text = error_msg.lower().strip(whitespace + punctuation)
    return bool(text.strip("0" + whitespace + punctuation)) and text not in _NO_ERROR
