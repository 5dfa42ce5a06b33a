"""The grammar of object keys.

`tiktok/<audience>/<identifier type>/<file>`, or with one more folder that names the action:
`tiktok/<audience>/<identifier type>/<append|remove|replace>/<file>`.
"""

from __future__ import annotations

import json
import unicodedata

from handler.errors import Rejected
from handler.model import Action, AudienceKey, IdentifierType, Target
from handler.report_codes import Code

UPLOADS = "tiktok/"
EXTENSIONS = (".csv", ".txt", ".csv.gz", ".txt.gz")
# An S3 key holds 1,024 bytes; the report's adds "reports/", a version id and ".json" to the file's.
MAX_KEY_BYTES = 900
SHORT_LAYOUT, LONG_LAYOUT = 4, 5  # folders of a key, the file included
MAX_NAME_LENGTH = 128  # characters, TikTok's limit on custom_audience_name


def parse_key(key: str) -> Target:
    """Read what an object key asks for.

    Raises:
        Rejected: the key does not follow the layout; the reason says where and what is allowed.
    """
    folders = key.split("/")
    if folders[0] != "tiktok" or len(folders) not in {SHORT_LAYOUT, LONG_LAYOUT}:
        raise Rejected(
            Code.WRONG_LAYOUT,
            f"The file lies {'too deep' if len(folders) > LONG_LAYOUT else 'in the wrong folder'}: upload it to "
            "tiktok/<audience>/<identifier type>/<file>.csv, or one folder deeper to append, remove or replace.",
        )
    name, type_name, file_name = folders[1].strip(), folders[2], folders[-1]
    _check_name(name)
    try:
        identifier_type = IdentifierType(type_name.lower())
    except ValueError:
        raise Rejected(
            Code.UNKNOWN_IDENTIFIER_TYPE,
            f"The folder {_quoted(type_name)} is not an identifier type: "
            f"upload the file to one of {', '.join(IdentifierType)}.",
        ) from None
    action = Action.APPEND if len(folders) == SHORT_LAYOUT else _action(folders[3])
    if not file_name.lower().endswith(EXTENSIONS):
        raise Rejected(
            Code.WRONG_FILE_EXTENSION,
            f"The file's name must end in one of {', '.join(EXTENSIONS)}: {_instead(file_name.lower())}.",
        )
    return Target(AudienceKey(identifier_type, name), action)


def _action(folder: str) -> Action:
    try:
        return Action(folder.lower())
    except ValueError:
        raise Rejected(
            Code.UNKNOWN_ACTION,
            f"The folder {_quoted(folder)} is not an action: upload the file to one of {', '.join(Action)}.",
        ) from None


def _instead(file_name: str) -> str:
    """What to do with a file of another kind; it is not its name alone that is wrong."""
    if file_name.endswith((".xlsx", ".xls", ".ods", ".numbers")):
        return "save the sheet as CSV and upload that"
    if file_name.endswith((".zip", ".7z", ".rar", ".bz2", ".zst")):
        return "unpack it and upload the CSV, or compress that with gzip"
    if file_name.endswith((".parquet", ".avro", ".orc", ".json", ".jsonl", ".pdf")):
        return "export it as CSV, one identifier a line, and upload that"
    return "rename it and upload it again"


def _check_name(name: str) -> None:
    if not name:
        raise Rejected(Code.WRONG_AUDIENCE_NAME, "The audience's folder has a blank name: name it after the audience.")
    if len(name) > MAX_NAME_LENGTH:
        raise Rejected(
            Code.WRONG_AUDIENCE_NAME,
            f"The audience's name has {len(name)} characters, and TikTok takes {MAX_NAME_LENGTH}: shorten it.",
        )
    if name in {".", ".."} or any(unicodedata.category(character) == "Cc" for character in name):
        raise Rejected(
            Code.WRONG_AUDIENCE_NAME, "The audience's name is a dot, two dots or has a control character: rename it."
        )


def _quoted(folder: str) -> str:
    """A folder's name as a sentence can hold it: a hostile one may be long or unprintable."""
    return json.dumps(folder[:40], ensure_ascii=False)
