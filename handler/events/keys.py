"""The layout of object keys.

tiktok/<audience>/<identifier type>/<file>                       append
tiktok/<audience>/<identifier type>/<action>/<file>              append, remove or replace
tiktok/<audience>/<identifier type>/<action>/<run>/.../<file>    files of one run
"""

from __future__ import annotations

import re
import unicodedata
from functools import cache

from handler import reasons
from handler.model import Action, AudienceKey, IdentifierType, Target

UPLOADS = "tiktok/"
# An S3 key has at most 1,024 bytes. The report's key adds "reports/", a version id and ".json" to the upload's key.
MAX_KEY_BYTES = 900
MAX_NAME_LENGTH = 128  # characters, TikTok's limit on custom_audience_name
SUCCESS_MARKER, CONFIRMED_MARKER, TEMPORARY_FOLDER = "_SUCCESS", "_CONFIRMED", "_temporary"

_MIN_COMPONENTS = 4  # tiktok, audience, identifier type, file
_FOLDERS_ABOVE = 3  # tiktok, audience, identifier type
# Endings of files that tools write in addition to or instead of data; see `is_ignored`.
_IGNORED_ENDINGS = (
    "_$folder$", ".crc", ".metadata", ".dfm", ".tmp", ".temp", ".part", ".partial", ".filepart", ".crdownload",
    ".download", ".opdownload", ".writing", ".uploading", ".inprogress", "._copying_", "~",
)  # fmt: skip
_EMACS_COPY = re.compile(r"#.+#")
# The checksum of another file. `emails.sha256` counts as data, because silently ignoring a list would be worse.
_CHECKSUM = re.compile(r".+\.(?:csv|txt|gz|bz2)\.(?:md5|sha-?(?:1|256|512))", re.IGNORECASE)
_DATA_ENDINGS = (".csv", ".txt", ".gz", ".bz2")
MANIFEST_ENDING = "manifest"  # Redshift's `<prefix>manifest`
# File extensions of unsupported formats, the name of the format, and what to do. For all other names, the content
# decides.
_UNSUPPORTED: list[tuple[tuple[str, ...], str, str]] = [
    (
        (".xlsx", ".xls", ".xlsm", ".xlsb", ".ods", ".numbers"),
        "a spreadsheet",
        "Save the sheet as CSV, and upload the CSV file.",
    ),
    (
        (".zip", ".7z", ".rar", ".tar", ".tgz", ".tar.gz", ".tbz2", ".xz", ".zst", ".lz4", ".snappy", ".lzo", ".br"),
        "an archive or of an unsupported compression format",
        "Unpack the file, and upload the CSV file inside it, plain or compressed with gzip.",
    ),
    (
        (".gpg", ".pgp", ".age", ".enc"),
        "an encrypted file",
        "Decrypt the file, and upload the CSV file inside it.",
    ),
    (
        (
            ".parquet", ".avro", ".orc", ".json", ".jsonl", ".ndjson", ".xml", ".html", ".pdf", ".doc", ".docx",
            ".png", ".jpg", ".jpeg", ".gif",
        ),
        "an unsupported format",
        "Export the identifiers as CSV, one per line, and upload that file.",
    ),
]  # fmt: skip
_HIVE_PARTITION = re.compile(r"[^=/]+=[^/]*")

_UUID = r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}"
# UUIDs, with or without hyphens, and ULIDs.
_ID = rf"{_UUID} | (?<![0-9a-z]) (?: [0-9a-f]{{32}} | [0-7][0-9a-hjkmnp-tv-z]{{25}} ) (?![0-9a-z])"
_MONTH, _DAY = "(?: 0[1-9] | 1[0-2] )", r"(?: 3[01] | [12]\d | 0[1-9] )"
_MONTH_OR_DAY = r"(?: 3[01] | [12]\d | 0?[1-9] )"  # a month or day with one or two digits
_MONTH_NAME = """(?: jan(?:uary)? | feb(?:ruary)? | mar(?:ch)? | apr(?:il)? | may | june? | july? | aug(?:ust)? |
    sept?(?:ember)? | oct(?:ober)? | nov(?:ember)? | dec(?:ember)? )"""
# Redshift and Snowflake append their counters to a prefix, which may end with a date: `20260131` and `0000_part_00`,
# `2026_01_31` and `_0_7_10`. Days and months between underscores therefore need two digits, and digits after a date are
# a time only in the forms of `_TIME`.
_DATE = rf"""
    (?<!\d) (?:19|20)\d\d (?: _ {_MONTH} _ {_DAY} | ([-.]) {_MONTH_OR_DAY} \1 {_MONTH_OR_DAY} )
    | (?<!\d) 20\d\d {_MONTH} {_DAY}
    | (?<!\d) (?: {_MONTH_OR_DAY} ([-.]) {_MONTH_OR_DAY} \2 | {_DAY} _ {_DAY} _ | {_DAY} {_DAY} ) (?:19|20)\d\d (?!\d)
    | (?<!\d) {_MONTH_OR_DAY} [-_ ]? {_MONTH_NAME} [-_ ]? (?:20)?\d\d (?!\d)
    | (?<![a-z]) {_MONTH_NAME} [-_ ]? {_MONTH_OR_DAY} ,?[-_ ]? 20\d\d (?!\d)
"""
# A time after a date. A time without separators needs seconds, unless it follows a `T` or the date directly, because
# `_0900` may be a counter. Leading zeros, as in `_000007`, mark a counter unless a `T` precedes them.
_TIME = r"""
    (?: [T_ -][0-2] | \ at\ [0-2]? )\d ([-:._h]) [0-5]\d (?: \3 [0-5]\d )? (?!\d)
        (?: [-.]\d{1,6} Z? (?![0-9a-z]) )? (?: \+[01]\d:?[0-5]\d (?!\d) )?
    | T [0-2]\d (?:[0-5]\d){0,2} (?!\d) (?: \.\d{1,6} (?!\d) )?
    | [_-]? (?!0000) [0-2]\d [0-5]\d [0-5]\d (?: \d{3} | \d{6} )? (?!\d)
    | (?<=\d{8}) (?!00) [0-2]\d [0-5]\d (?! \d | _part_ )
"""
_UNIX_TIME = r"(?<!\d) 1[5-9]\d{8} (?:\d{3}){0,3} (?!\d) (?: \.\d{3,7} (?!\d) )?"  # from 2017 to 2033
_ALGORITHM = r"(?: sha[ _-]?(?:224|256|384|512) | sha-?1 | md5 | utf[ _-]?(?:8|16) ) (?!\d)"
# Parts of a name that stay when counters are replaced: ids of an export, dates and times, years, months and weeks, Unix
# times, and names of hash algorithms and encodings.
_KEPT = rf"""
    {_ID} | (?: {_DATE} ) (?: {_TIME} )? | (?<!\d) (?:19|20)\d\d (?: -[01]\d | -?W\d\d )? (?!\d)
    | {_UNIX_TIME} | {_ALGORITHM}
"""
# Athena's UNLOAD writes the query's time and id, then a different UUID for each file.
_ATHENA = re.compile(rf"\d{{8}}_\d{{6}}_\d{{5}}_[a-z0-9]{{5}}_(?={_UUID})")
_DMS_COUNTER = re.compile(r"(?<=LOAD)[0-9A-F]{8}(?=\.|$)")  # hexadecimal
_COUNTER = re.compile(r"\d+")


def is_ignored(key: str) -> bool:
    """Return true if a key is not that of a data file.

    Such keys are folder markers, hidden files and folders, markers such as `_SUCCESS`, manifests, checksums and other
    metadata that tools write, and files in transfer. The rules combine those of Hadoop, which Spark, Hive, Athena and
    Glue share, with those of transfer tools.

    Example:
        >>> is_ignored("tiktok/vip/email_sha256/replace/_SUCCESS")
        True
        >>> is_ignored("tiktok/vip/email_sha256/replace/part-00000.csv")
        False
    """
    if key.endswith("/"):
        return True
    components = _components(key)
    folders, name = components[:-1], components[-1] if components else ""
    if any(component.startswith(".") for component in components):
        return True
    if any(folder.startswith("_") for folder in folders[_FOLDERS_ABOVE:]):
        return True
    lower = name.lower()
    if len(components) >= _MIN_COMPONENTS and name.startswith("_") and not lower.endswith(_DATA_ENDINGS):
        return True
    if _EMACS_COPY.fullmatch(name) or _CHECKSUM.fullmatch(name):
        return True
    return lower.endswith(_IGNORED_ENDINGS) or is_manifest(name)


def is_manifest(file_name: str) -> bool:
    """Return true if a file name is that of a Redshift manifest."""
    return file_name.lower().endswith(MANIFEST_ENDING)


def parse_key(key: str) -> Target:
    """Return the audience and action that the key of a data file names.

    Raises:
        Rejected: the key does not follow the layout, or its audience name or file extension is not allowed.

    Example:
        >>> target = parse_key("tiktok/vip/EMAIL_SHA256/replace/2026-01-31/day=31/part-00000.csv")
        >>> target.audience.name, target.audience.identifier_type.value, target.action.value, target.run
        ('vip', 'email_sha256', 'replace', '2026-01-31')
    """
    if not key.startswith(UPLOADS):
        raise reasons.wrong_top_folder(key.partition("/")[0])
    components = _components(key)
    if len(components) < _MIN_COMPONENTS:
        raise reasons.wrong_layout()
    name, type_name, file_name = unicodedata.normalize("NFC", components[1].strip()), components[2], components[-1]
    _check_name(name)
    try:
        identifier_type = IdentifierType(type_name.strip().lower())
    except ValueError:
        raise reasons.unknown_identifier_type(type_name) from None
    folders = components[_FOLDERS_ABOVE:-1]
    action = _action(folders[0]) if folders else Action.APPEND
    _check_file_name(file_name)
    return Target(AudienceKey(identifier_type, name), action, _run(folders[1:]), file_name)


def list_id(target: Target) -> str:
    """Return the id of the list of a file under `replace/`: its run, or its name without counters."""
    return f"run:{target.run}" if target.run is not None else f"files:{without_counters(target.file_name)}"


def without_counters(file_name: str) -> str:
    """Return a file name with each counter replaced by `#`.

    Digits in dates, times, ids of an export, hash algorithms and encodings are not counters.

    Example:
        >>> without_counters("customers_2026-01-31_part7.csv")
        'customers_2026-01-31_part#.csv'
    """
    if athena := _ATHENA.match(file_name):
        return athena.group() + "#"
    result, end = "", 0
    for kept in _kept().finditer(file_name):
        result += _mask(file_name[end : kept.start()]) + kept.group()
        end = kept.end()
    return result + _mask(file_name[end:])


@cache
def _kept() -> re.Pattern[str]:
    return re.compile(_KEPT, re.IGNORECASE | re.VERBOSE)  # takes milliseconds, so not at import


def _mask(text: str) -> str:
    return _COUNTER.sub("#", _DMS_COUNTER.sub("#", text))


def has_counter(file_name: str) -> bool:
    """Return true if a file name contains a counter, which means that a tool wrote the file."""
    return without_counters(file_name) != file_name


def type_folder(key: str) -> str:
    """Return the key's prefix through the identifier type folder, in the original spelling.

    Example:
        >>> type_folder("tiktok//vip/Email_SHA256/remove/a.csv")
        'tiktok//vip/Email_SHA256/'
    """
    end, found = 0, 0
    while found < _FOLDERS_ABOVE:
        start, end = end, key.index("/", end) + 1
        found += end - start > 1  # an empty component does not count
    return key[:end]


def list_folder(key: str) -> str:
    """Return the prefix of the folder with a list's markers: the key's folder without Hive partitions at its end.

    Example:
        >>> list_folder("tiktok/vip/email_sha256/replace/daily/country=de/part-00000.csv")
        'tiktok/vip/email_sha256/replace/daily/'
    """
    prefix = key[: key.rfind("/") + 1]
    while True:
        parent = prefix[: prefix.rstrip("/").rfind("/") + 1]
        if not _HIVE_PARTITION.fullmatch(prefix[len(parent) :].strip("/")):
            return prefix
        prefix = parent


def _components(key: str) -> list[str]:
    return [component for component in key.split("/") if component]


def _run(folders: list[str]) -> str | None:
    while folders and _HIVE_PARTITION.fullmatch(folders[-1]):
        folders = folders[:-1]
    return "/".join(folders) or None


def _action(name: str) -> Action:
    try:
        return Action(name.strip().lower())
    except ValueError:
        raise reasons.unknown_action(name) from None


def _check_file_name(file_name: str) -> None:
    for extensions, kind, advice in _UNSUPPORTED:
        if file_name.lower().endswith(extensions):
            raise reasons.wrong_extension(kind, advice)


def _check_name(name: str) -> None:
    if not name:
        raise reasons.empty_audience_name()
    if len(name) > MAX_NAME_LENGTH:
        raise reasons.long_audience_name(len(name), MAX_NAME_LENGTH)
    if any(unicodedata.category(character) == "Cc" for character in name):
        raise reasons.control_character_in_name()
