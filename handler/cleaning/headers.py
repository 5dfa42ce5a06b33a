"""The header row of a file with columns: finds the identifier columns by their names."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from typing import NamedTuple

from handler import reasons
from handler.cleaning.action_columns import is_action_name
from handler.cleaning.records import split_fields
from handler.cleaning.row_repair import DELIMITERS, is_header, may_precede_header, normalize_spaces, stripped

# TikTok's headers, in the order in which columns are sent, with the number of digits of their identifiers. Source: the
# page "Create a Customer File Audience" of TikTok's developer portal.
HEADERS = {"email_SHA256": 64, "phone_SHA256": 64, "MAID_SHA256": 64, "MAID_MD5": 32}
MAX_SAME_HEADER = 3  # columns with the same header in one file, TikTok's limit
_EMAIL = """
    email emails e_mail mail em hem email_address e_mail_address mail_address email_adresse e_mail_adresse mail_adresse
    correo correo_electronico courriel
"""
_PHONE = """
    phone phones mobile cell tel telephone ph msisdn phone_number phone_no phone_num mobile_number mobile_no cell_number
    cell_phone cell_phone_number mobile_phone mobile_phone_number telephone_number
    telefon telefonnummer rufnummer handy handynummer mobil mobilnummer telefono telefone celular movil
"""
_DEVICE = """
    maid madid idfa gaid aaid adid ifa first device_id advertising_id mobile_ad_id mobile_advertising_id ad_id
"""
_KINDS = {
    spelling.replace("_", ""): kind
    for kind, spellings in (("email", _EMAIL), ("phone", _PHONE), ("MAID", _DEVICE))
    for spelling in spellings.split()
}
# Parts of a name that do not change the kind of identifier: the algorithm, a number, and words that exports add.
_ALGORITHM = re.compile(r"sha_?(?:2_)?256|sha_?2(?!_?\d)|md_?5|hashed|hash|hex")
_FILLERS = re.compile(
    r"^(?:primary|secondary|home|work|customer|user|alternate|other|normalized|lower(?:case)?|personal|business|billing"
    r"|shipping|contact|account|google|gps|android|ios|apple)|(?:normalized|lower(?:case)?|lc|e164|\d+)$"
)
_OTHER_ALGORITHM = re.compile(r"sha_?(?:1(?!\d)|224|384|512)|base64|b64")


@dataclass(frozen=True)
class Column:
    """An identifier column.

    Attributes:
        index: the position in the file, from 0.
        name: the name in the file's header.
        header: TikTok's header.
        digits: the number of hexadecimal digits of each identifier.
    """

    index: int
    name: str
    header: str
    digits: int


class Layout(NamedTuple):
    """The columns of a file.

    Attributes:
        delimiter: the byte between fields.
        names: the names of all columns.
        columns: the identifier columns, in the order in which they are sent.
        plain_text: the indices of columns for identifiers in plain text. TikTok's template has one; it must be empty.
        header: TikTok's header row, with a line feed.
        cell_bytes: all bytes except the delimiter and the line feed.
    """

    delimiter: bytes
    names: tuple[str, ...]
    columns: tuple[Column, ...]
    plain_text: tuple[int, ...]
    header: bytes
    cell_bytes: bytes

    @property
    def width(self) -> int:
        """The number of fields in each row."""
        return len(self.names)

    @property
    def left_out(self) -> list[int]:
        """The indices of the columns that are left out."""
        used = {column.index for column in self.columns}
        return [index for index in range(self.width) if index not in used]


def read_layout(head: bytes) -> Layout | None:
    """Return the columns of a file according to its header row; None if `head` has only blank lines or `sep=;` lines.

    Raises:
        Rejected: the first other line is not a header row; or it names no column of hashed identifiers, more than three
            of one kind, or a column that says whether a person is added or removed.
    """
    line = next((line for line in head.splitlines() if not may_precede_header(stripped(line))), None)
    if line is None:
        return None
    delimiter, names = _delimiter_and_names(normalize_spaces(line))
    columns = [
        Column(index, name, header, HEADERS[header])
        for index, name in enumerate(names)
        if (header := header_of(name)) is not None
    ]
    for index, name in enumerate(names, 1):
        if is_action_name(name):
            raise reasons.adds_and_removes(f'column {index} ("{name}")')
    plain_text = tuple(index for index, name in enumerate(names) if _words(name) == "maid")
    if plain_text and not columns:
        raise reasons.plain_text_column(plain_text[0] + 1)
    if not columns:
        raise reasons.no_identifier_column(list(HEADERS), has_header=is_header(stripped(line)))
    columns.sort(key=lambda column: list(HEADERS).index(column.header))
    for header in HEADERS:
        if sum(column.header == header for column in columns) > MAX_SAME_HEADER:
            raise reasons.too_many_columns(header, MAX_SAME_HEADER)
    return Layout(
        delimiter,
        tuple(names),
        tuple(columns),
        plain_text,
        ",".join(column.header for column in columns).encode() + b"\n",
        bytes(byte for byte in range(256) if byte not in delimiter + b"\n"),
    )


def header_of(name: str) -> str | None:
    """Return TikTok's header for a column name; None if it does not name a column of hashed identifiers.

    Example:
        >>> header_of("Hashed Email"), header_of("idfa_md5"), header_of("first_name")
        ('email_SHA256', 'MAID_MD5', None)
    """
    words = _words(name)
    if words == "hem":  # hashed email
        return "email_SHA256"
    algorithms = set(_ALGORITHM.findall(words))
    if not algorithms or _OTHER_ALGORITHM.search(words):
        return None
    kind = _KINDS.get(_FILLERS.sub("", _FILLERS.sub("", _ALGORITHM.sub("", words).replace("_", ""))))
    md5 = bool(algorithms & {"md5", "md_5"})
    if kind is None or (md5 and kind != "MAID"):
        return None
    return f"{kind}_{'MD5' if md5 else 'SHA256'}"


def _words(name: str) -> str:
    letters = unicodedata.normalize("NFKD", name.lower())  # separates accents from letters
    return re.sub(r"[^a-z0-9]+", "_", re.sub(r"[\u0300-\u036f]", "", letters)).strip("_")


def _delimiter_and_names(line: bytes) -> tuple[bytes, list[str]]:
    """Return the delimiter and the column names of a header row.

    The delimiter is the one that gives the most identifier columns. Ties go to the one that gives the most columns.
    """
    found: list[tuple[int, int, bytes, list[str]]] = []
    for byte in DELIMITERS:
        delimiter = bytes([byte])
        fields, _, _ = split_fields(line, delimiter)
        names = [normalize_spaces(field).strip().strip(b"\"'").decode(errors="replace") for field in fields]
        found.append((sum(header_of(name) is not None for name in names), len(names), delimiter, names))
    _, _, delimiter, names = max(found, key=lambda each: each[:2])
    return delimiter, names
