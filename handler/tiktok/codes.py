"""What TikTok's return codes mean for a file: the one place that knows them.

Source: the appendix "Return Codes" of TikTok's developer portal and third-party copies of it. HTTP is 200 on most
errors; `code` in the answer decides. Codes that are not listed are read by their range and the call, on the safe side.
"""

from __future__ import annotations

import re
from enum import Enum

OK = 0
PARTIAL = 20001  # done in part: go on


class Meaning(Enum):
    """The classes of TikTok's codes."""

    FINE = "fine"
    THROTTLED = "too many requests"  # counted per developer app: all advertisers of the app share the limit
    BUSY = "busy"
    UPLOAD_AGAIN = "the uploaded part is unknown, expired or damaged"
    FILE_REFUSED = "the file is refused"
    NOT_EDITABLE = "the audience takes no change now"
    UNKNOWN_AUDIENCE = "there is no such audience"
    TOO_FEW_LEFT = "fewer than 1,000 people would remain"
    REPLACED_TODAY = "one replace a day"
    AUDIENCE_LIMIT = "400 audiences"
    TOKEN_REFUSED = "the access token is refused"  # noqa: S105 - a class of codes
    PERMISSION_REFUSED = "a permission is missing"
    REQUEST_REFUSED = "the request is wrong"


_THROTTLED = {40016, 40100, 40132, 40133, 61000}  # 40100 is not about authentication
_BUSY = {40200, 40201, 40202, 50000, 50002, 60001}
_UPLOAD_AGAIN = {40900, 40905, 40910}
_FILE_REFUSED = {40062, 40906, 40907, 40908, 40909, 40915}
_TOKEN = {40101, 40102, 40103, 40104, 40105, *range(40106, 40111), 40113, *range(40115, 40118), 40119, 40124}
_PERMISSION = {40001, 40118, 40125, 40130, 40300, 40301}
# The request is wrong by TikTok's own word; of any other code below the servers' range nothing is known.
_REQUEST = {40000, 40003, 40006, 40007, 40008, 40010, 40011, 40012, 40050, 40051, 40061, 40700}
_INVALID = 40002
_SERVER_RANGE = 50000
# Of a message of any length; what is cut off there is far behind what is quoted.
_READ_CHARACTERS = 2000

_ASKING = {"list", "get"}  # calls that change nothing and carry no file
_CHANGING = {"create", "update"}
_AT_FAULT = {Meaning.UPLOAD_AGAIN, Meaning.FILE_REFUSED, Meaning.REQUEST_REFUSED}

# 40002 is TikTok's general "invalid", so its message has to tell. Only the first is quoted by a source word for word;
# the others are guesses, each for the calls where it makes sense. A guess that is wrong lets a file wait for ever with
# wrong advice, so an unknown wording ends as "the request is wrong", with the message in the report.
_1000 = r"1,?000(?![,.]?\d)(?! *(?:bytes|char|files))"
_MESSAGES = [
    ({*_CHANGING, *_ASKING, "file/upload"}, Meaning.NOT_EDITABLE,
     r"not editable|check audience status|unfinished|\bin progress\b|being processed"),
    (_CHANGING, Meaning.UPLOAD_AGAIN, r"file_?paths?\b.*(?:(?:not|n't) (?:exist|found)|expired)"),
    ({"update", "get"}, Meaning.UNKNOWN_AUDIENCE,
     # Up to four words between: "audience with id 7 does not exist", but not "audience: file_paths[0] does not exist".
     r"no such audience|audiences?(?:_ids?)?\W+(?:(?!file|path|permission|name)[\w']+\W+){0,4}?"
     r"(?:\w*(?:not|n't) (?:be )?(?:exist|found)|no longer exists|(?:is|was|been|already) deleted)"),
    ({"update"}, Meaning.REPLACED_TODAY,
     r"(?=.*\breplaced?\b)(?=.*\b(?:once|one|only|limit\w*|already|more)\b)"
     r".*(?:\b(?:a|per|each|every|one) day\b|\bdaily\b|\btoday\b|\b24 ?h)"),
    (_CHANGING, Meaning.TOO_FEW_LEFT,
     rf"(?:(?:less|fewer) than|at least|below|under|minimum of) {_1000}|audience size .*(?:small|minimum)"),
    ({"create"}, Meaning.AUDIENCE_LIMIT,
     # The number of audiences, not of characters in a name or of files.
     r"\A(?!.*(?:name|length|character|\bfiles?\b|file_?path))(?=.*(?:limit|maximum|exceed|quota|too many|up to))"
     r".*(?:\baudiences\b|audience (?:number|count|quota|limit))"),
]  # fmt: skip
_PATTERNS = [(calls, meaning, re.compile(words, re.IGNORECASE | re.DOTALL)) for calls, meaning, words in _MESSAGES]


def classify(code: int, message: str, call: str, http_status: int = 200) -> Meaning:
    """Say what an answer means.

    Args:
        code: `code` of the answer.
        message: its `message`; needed only for 40002.
        call: `list`, `get`, `create`, `update` or `file/upload`.
        http_status: an HTTP status of 500 and up wins over the code.
    """
    if http_status >= 500:  # noqa: PLR2004 - HTTP's server errors
        return Meaning.BUSY
    meaning = _read_code(code, message, call)
    if call in _ASKING and meaning in _AT_FAULT:
        # Whatever hinders TikTok from telling what there is, no file is at fault: it is asked again later. A listing
        # asks for nothing but the advertiser: if that request is wrong, so is the secret's ADVERTISER_ID.
        wrong = call == "list" and (code in _REQUEST or code == _INVALID)
        return Meaning.PERMISSION_REFUSED if wrong else Meaning.BUSY
    return meaning


def _read_code(code: int, message: str, call: str) -> Meaning:
    if code in {OK, PARTIAL}:
        return Meaning.FINE
    for codes, meaning in (
        (_THROTTLED, Meaning.THROTTLED),
        (_BUSY, Meaning.BUSY),
        (_TOKEN, Meaning.TOKEN_REFUSED),
        (_PERMISSION, Meaning.PERMISSION_REFUSED),
        (_UPLOAD_AGAIN, Meaning.UPLOAD_AGAIN),
        (_FILE_REFUSED, Meaning.FILE_REFUSED),
    ):
        if code in codes:
            return meaning
    if code == _INVALID:
        return _read_message(message, call)
    return Meaning.BUSY if code >= _SERVER_RANGE else Meaning.REQUEST_REFUSED


def _read_message(message: str, call: str) -> Meaning:
    read = message[:_READ_CHARACTERS]
    fitting = (meaning for calls, meaning, words in _PATTERNS if call in calls and words.search(read))
    return next(fitting, Meaning.REQUEST_REFUSED)


# Whatever TikTok quotes back, no hash, address, number or token may pass into a report or a log. Long ids of TikTok's
# and dates go with them; codes and figures such as 1,000 stay.
_PERSONAL = re.compile(
    r"""
    \S+\s?(?:@|%40)\s?\S+                     # an e-mail address
    | [0-9a-f-]{16,}                           # a hash, a device id, or the beginning of one
    | \+?\d(?:[\s()./\u2013-]{0,3}\d){7,}      # a phone number: eight digits, grouped or not
    | \bact\.\S+                              # how TikTok's access tokens begin
    | (?=(?:[^\s\d]*\d){4})\S{20,}             # a token of another form, or a hash in base 64
    | [\w.!~+/=-]{32,}
    """,
    re.IGNORECASE | re.VERBOSE,
)


def scrub(message: str) -> str:
    """TikTok's words without anything that could identify a person or be a token, cut at 300 characters."""
    return _PERSONAL.sub("[removed]", message[:_READ_CHARACTERS])[:300]
