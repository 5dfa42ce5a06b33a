"""Detection of a file's type from its first bytes: text, compressed text, or an unsupported format."""

from __future__ import annotations

import re
from typing import Literal

from handler import reasons
from handler.errors import Rejected
from handler.report_codes import Code

HEAD_BYTES = 1 << 16  # enough to find the entries that identify an Excel workbook, whatever program wrote it

Compression = Literal["gzip", "bzip2"]
_GZIP = b"\x1f\x8b"
_BZIP2 = re.compile(rb"BZh[1-9](?:1AY&SY|\x17rE8P\x90)")  # followed by a block, or by the end of an empty stream
_TAR = (257, b"ustar")  # offset and bytes
_ZIP = (b"PK\x03\x04", b"PK\x05\x06", b"PK\x07\x08")
_EXCEL_PART = re.compile(rb"\[Content_Types\]\.xml|xl/[_a-zA-Z]{4}|mimetypeapplication/vnd\.oasis")
_JSON = re.compile(rb"(?:\xef\xbb\xbf)?\s*(?:\{\s*[\"}]|\[\s*[\[{\"\]])")
_MARKUP = re.compile(rb"(?:\xef\xbb\xbf)?\s*<(?:\?xml|!doctype|html)", re.IGNORECASE)
# Control characters that do not occur in text. Tabs, line ends, Ctrl-Z (end of file in DOS) and zeros (padding) do.
_CONTROL = bytes(byte for byte in range(32) if byte not in b"\0\t\n\x0b\x0c\r\x1a")
_MIN_DIFFERENT_CONTROL = 8  # Hive and other tools use one or two control characters as delimiters
_MIN_CONTROL_SHARE = 0.02  # in random bytes, the share is about 0.1
_UTF16_BYTES = 8  # a zero byte among this many bytes at the beginning of a file indicates UTF-16

# What the user should do.
_EXPORT = "Export the list as CSV with one identifier per line, and upload the CSV file."
_SAVE = "Save the sheet as CSV UTF-8, and upload the CSV file."
_UNPACK = "Unpack it, and upload the text file from it, uncompressed or compressed with gzip."
_DECRYPT = "Decrypt it, and upload the decrypted text file."
_RESAVE = "Save it as CSV UTF-8, and upload it again."
# First bytes, report code, name of the file type, and what to do.
_SIGNATURES: list[tuple[bytes, Code, str, str]] = [
    (b"\xff\xfe", Code.UTF16, "UTF-16 text", _RESAVE),
    (b"\xfe\xff", Code.UTF16, "UTF-16 text", _RESAVE),
    (b"\xd0\xcf\x11\xe0", Code.EXCEL_WORKBOOK, "an Excel workbook", _SAVE),
    (b"PAR1", Code.PARQUET, "a Parquet file", _EXPORT),
    (b"ORC", Code.NOT_TEXT, "an ORC file", _EXPORT),
    (b"Obj\x01", Code.NOT_TEXT, "an Avro file", _EXPORT),
    (b"%PDF", Code.NOT_TEXT, "a PDF document", _EXPORT),
    (b"{\\rtf", Code.NOT_TEXT, "a text document with formatting (RTF)", _EXPORT),
    (b"SQLite format 3", Code.NOT_TEXT, "a database", _EXPORT),
    (b"-----BEGIN PGP", Code.NOT_TEXT, "encrypted with PGP", _DECRYPT),
    (b"-----BEGIN AGE", Code.NOT_TEXT, "encrypted with age", _DECRYPT),
    (b"age-encryption.org", Code.NOT_TEXT, "encrypted with age", _DECRYPT),
    (b"Salted__", Code.NOT_TEXT, "encrypted with OpenSSL", _DECRYPT),
    (
        b"\0\x05\x16\x07",
        Code.NOT_TEXT,
        "a macOS metadata file without rows",
        "Upload the file of the same name without the leading ._ instead.",
    ),
    *[
        (magic, Code.NOT_TEXT, "a picture", _EXPORT)
        for magic in (b"\x89PNG", b"\xff\xd8\xff", b"GIF8", b"RIFF", b"II*\0", b"MM\0*")
    ],
    *[
        (magic, Code.ZIP_ARCHIVE, f"compressed with {name}, which the connector cannot read", _UNPACK)
        for magic, name in (
            (b"\x28\xb5\x2f\xfd", "Zstandard"),
            (b"7z\xbc\xaf\x27\x1c", "7-Zip"),
            (b"Rar!\x1a\x07", "RAR"),
            (b"\xfd7zXZ\0", "xz"),
            (b"\x04\x22\x4d\x18", "LZ4"),
            (b"\xff\x06\0\0sNaPpY", "Snappy"),
            (b"\x1f\x9d", "compress"),
        )
    ],
]


def detect_compression(head: bytes) -> Compression | None:
    """Return the compression of a file; None if it is neither gzip nor bzip2."""
    if head.startswith(_GZIP):
        return "gzip"
    return "bzip2" if _BZIP2.match(head) else None


def check_file_type(head: bytes) -> None:
    """Reject a file that is not plain text with rows.

    Args:
        head: the first 64 KiB of the decompressed file, or all of a smaller file.

    Raises:
        Rejected: the file is a workbook, an archive, a document or another unsupported format.
    """
    for magic, code, file_type, advice in _SIGNATURES:
        if head.startswith(magic):
            raise reasons.wrong_kind(code, file_type, advice)
    if head.startswith(_ZIP):
        raise _zip_rejection(head)
    if head.startswith(_TAR[1], _TAR[0]):
        raise reasons.wrong_kind(Code.ZIP_ARCHIVE, "a tar archive", _UNPACK)
    if detect_compression(head):
        raise reasons.compressed_twice()
    if b"\0" in head[:_UTF16_BYTES]:
        raise reasons.wrong_kind(Code.UTF16, "UTF-16 text or a binary file", _RESAVE)
    if _JSON.match(head):
        raise reasons.wrong_kind(Code.NOT_TEXT, "JSON", _EXPORT)
    if _MARKUP.match(head):
        raise reasons.wrong_kind(Code.NOT_TEXT, "a web page or an XML document", _EXPORT)
    if _is_binary(head):
        advice = "Decrypt or unpack it, and upload the resulting text file."
        raise reasons.wrong_kind(Code.NOT_TEXT, "a binary file and may be encrypted", advice)


def _zip_rejection(head: bytes) -> Rejected:
    if _EXCEL_PART.search(head):
        return reasons.wrong_kind(Code.EXCEL_WORKBOOK, "an Excel workbook or another spreadsheet", _SAVE)
    return reasons.wrong_kind(Code.ZIP_ARCHIVE, "a zip archive", _UNPACK)


def _is_binary(head: bytes) -> bool:
    others = head.translate(None, _CONTROL)
    if len(head) - len(others) < max(_MIN_DIFFERENT_CONTROL, _MIN_CONTROL_SHARE * len(head)):
        return False
    return len(set(head) & set(_CONTROL)) >= _MIN_DIFFERENT_CONTROL
