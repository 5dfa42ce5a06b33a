"""The codes and messages with which the emulated TikTok refuses requests, and its messages for failed changes.

`handler/tiktok/codes.py` has the source of the codes. Codes that it does not list, and messages that nobody quotes, are
invented. 40002 is the code for every invalid request.
"""

from __future__ import annotations

WRONG_REQUEST = 40002
PARTIAL_SUCCESS = 20001


class Refusal(Exception):  # noqa: N818 - a response of TikTok, not an error of the emulator
    """A response with a code other than 0. Its HTTP status is 200."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


UNKNOWN_ROUTE = (40400, "The requested route does not exist.")
TOKEN_MISSING = (40104, "Access token is empty.")
TOKEN_INVALID = (40105, "Access token is incorrect or has been revoked.")
NO_PERMISSION = (40001, "No permission to operate the advertiser.")
SIGNATURE_WRONG = (40900, "The file signature does not match the file.")
FILE_UNKNOWN = (40905, "The file does not exist.")
FILE_EMPTY = (40906, "The file is empty.")
FILE_TOO_LARGE = (40907, "The file is too large.")
FILE_NAME_WRONG = (40908, "The file type is not supported: its name must end in .csv or .txt.")
FILE_TYPE_DIFFERS = (40909, "calculate_type must be the same as that of all files.")
# Third parties quote the next three messages without a code. The last two of them are parts of one abridged quote.
NOT_EDITABLE = (WRONG_REQUEST, "Audience is not editable, please check audience status")
REPLACE_UNFINISHED = (
    WRONG_REQUEST,
    "This replace operation is rejected as there is an existing unfinished replace operation for this audience.",
)
REPLACED_TODAY = (WRONG_REQUEST, "There can be no more than one replace operation per day.")
UNKNOWN_AUDIENCE = (WRONG_REQUEST, "custom_audience_id: the audience does not exist.")
NOT_CUSTOMER_FILE = (WRONG_REQUEST, "Only a customer file audience can be updated with files.")
NOT_OWNER = (WRONG_REQUEST, "Only the owner of an audience can change it.")
TOO_MANY_AUDIENCES = (WRONG_REQUEST, "The number of audiences has reached the limit of 400.")

# Values for `msg` and `error_msg` of an audience, and for `msg` of a history entry. No source lists the real values.
MSG_TOO_SMALL = "Audience too small: fewer than 1,000 users were matched."
MSG_TOO_FEW_LEFT = "The operation failed: the audience size would be less than 1,000 after it."
MSG_FAULTY_ROWS = "The operation failed: {rows} rows of its files are not valid identifiers."
