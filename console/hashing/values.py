"""Normalization of raw values before hashing, by kind of identifier.

The rules are TikTok's: an email address is trimmed and lower-cased, a phone number is converted to E.164, and a device
id is lower-cased and keeps its hyphens.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from handler.cleaning.empty_values import empty_value_hashes, is_null_marker
from handler.model import IdentifierType


class Kind(StrEnum):
    """A kind of raw identifier."""

    EMAIL = "email"
    PHONE = "phone"
    DEVICE_ID = "device id"

    @property
    def plural(self) -> str:
        """The plural for messages."""
        return {Kind.EMAIL: "email addresses", Kind.PHONE: "phone numbers", Kind.DEVICE_ID: "device ids"}[self]


class ValueFault(StrEnum):
    """A reason why a value cannot be hashed."""

    NOT_AN_EMAIL = "not_an_email"
    NOT_A_PHONE_NUMBER = "not_a_phone_number"
    NO_COUNTRY = "no_country"
    EXCEL_NOTATION = "excel_notation"
    NOT_A_DEVICE_ID = "not_a_device_id"
    OTHER_HASH = "other_hash"
    MISSING_COLUMN = "missing_column"


FAULT_SENTENCES: Final = {
    ValueFault.NOT_AN_EMAIL: (
        "The value is not an email address. Correct the line, or check that the right column was chosen."
    ),
    ValueFault.NOT_A_PHONE_NUMBER: (
        "The value is not a phone number. Correct the line, or check that the right column was chosen."
    ),
    ValueFault.NO_COUNTRY: "The phone number has no country code. Give the country, for example --country US.",
    ValueFault.EXCEL_NOTATION: (
        "Excel rounded the number (as in 4.47E+11), so its last digits are lost. "
        "Format the column as text in the original file, and export it again."
    ),
    ValueFault.NOT_A_DEVICE_ID: (
        "The value is not a device id, which has 32 hexadecimal digits in five groups, separated by hyphens. "
        "Correct the line, or check that the right column was chosen."
    ),
    ValueFault.OTHER_HASH: (
        "The value is a hash of the wrong length for --type, or a device id without hyphens. "
        "Export the raw values (device ids with hyphens), or choose another type."
    ),
    ValueFault.MISSING_COLUMN: "The line has too few columns. Check its delimiters and quotes.",
}


class FaultError(Exception):
    """A value cannot be hashed. The exception never contains the value.

    Attributes:
        fault: the reason.
    """

    def __init__(self, fault: ValueFault) -> None:
        super().__init__(fault.value)
        self.fault = fault


@dataclass(frozen=True)
class Rules:
    """The rules for normalizing and hashing the values of a file.

    Attributes:
        country: the ISO 3166 country code for phone numbers without a country code, such as `US`.
        plus: True if phone numbers are hashed with their `+`.
        algorithm: `sha256` or `md5`.
    """

    country: str | None = None
    plus: bool = True
    algorithm: str = "sha256"

    @property
    def digits(self) -> int:
        """The number of hexadecimal digits in a hash."""
        return 64 if self.algorithm == "sha256" else 32


KINDS: Final = {
    IdentifierType.EMAIL_SHA256: Kind.EMAIL,
    IdentifierType.PHONE_SHA256: Kind.PHONE,
    IdentifierType.IDFA_SHA256: Kind.DEVICE_ID,
    IdentifierType.GAID_SHA256: Kind.DEVICE_ID,
    IdentifierType.FIRST_SHA256: Kind.DEVICE_ID,
    IdentifierType.IDFA_MD5: Kind.DEVICE_ID,
    IdentifierType.GAID_MD5: Kind.DEVICE_ID,
    IdentifierType.FIRST_MD5: Kind.DEVICE_ID,
}

# The common characters that are allowed both before and after the `@`.
EMAIL_CHARACTERS: Final = b"abcdefghijklmnopqrstuvwxyz0123456789_-"
_BEYOND_ASCII = (
    "\x80-\ufffc\U00010000-\U0010ffff"  # without U+FFFD, the replacement character for bytes that cannot be decoded
)
_LOCAL_PART = f"[{re.escape(EMAIL_CHARACTERS.decode())}.!#$%&'*+/=?^`{{|}}~{_BEYOND_ASCII}]+"
_LABEL = f"[{re.escape(EMAIL_CHARACTERS.decode())}{_BEYOND_ASCII}]+"
_EMAIL = re.compile(rf"{_LOCAL_PART}@{_LABEL}(?:\.{_LABEL})+")
_NAMED_EMAIL = re.compile("[^<>]*<([^<>]*)>")
DEVICE_ID: Final = re.compile("[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}")
_HASH = re.compile(r"(?:0x|\\x)?([0-9a-f]{64}|[0-9a-f]{40}|[0-9a-f]{32})")
# An optional word (`tel:`, `p:`, `Mobile: `), the number, and an optional extension.
_PHONE = re.compile(
    r"(?:[^\W\d_]+ ?: ?)?"
    r"\(?(\+? ?[0-9(][0-9()./ \u2010-\u2015\u2212-]{5,24})"
    r"(?:[,;]? ?(?:ext(?:n|ension)?|x|#)[.:=]? ?[0-9]{1,6})?",
    re.IGNORECASE,
)
_EXCEL_NOTATION = re.compile(r"[0-9](?:[.,][0-9]+)?E\+?[0-9]{1,3}", re.IGNORECASE)
_INTEGRAL_FLOAT = re.compile(r"(\+?[0-9]{7,15})[.,]0")
MIN_INTERNATIONAL_DIGITS = 11  # a shorter number without `+` is read only as a national number
EMPTY_VALUE_HASHES: Final = frozenset(row.decode() for digits in (64, 32) for row in empty_value_hashes(digits).rows)
# Spaces, invisible characters, quotes, and Excel's notations for text: `'x` and `="x"`.
_STRIPPED_CHARACTERS = (
    " \t\r\n\v\f\x1a\u00a0\u00ad\u2009\u200a\u200b\u200c\u200d\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u202f"
    "\u2060\u2066\u2067\u2068\u2069\u3000\ufeff\"'`=\u2018\u2019\u201a\u201c\u201d\u201e\u00ab\u00bb"
)


def stripped(value: str) -> str:
    """Return a value without the spaces, invisible characters and quotes around it."""
    return value.strip(_STRIPPED_CHARACTERS)


def is_empty_value(value: str) -> bool:
    """Return whether a stripped value is empty, only dashes and zeros, a NULL marker, or the hash of an empty value."""
    return not value.strip("0-") or is_null_marker(value.encode()) or value.lower() in EMPTY_VALUE_HASHES


def extract_hash(value: str) -> str:
    r"""Return the SHA-256, SHA-1 or MD5 in lower case without a prefix `0x` or `\x`; empty if the value is no hash."""
    match = _HASH.fullmatch(value.lower())
    return match[1] if match else ""


def extract_email(value: str) -> str:
    """Return the email address in lower case; empty if the stripped value is not an email address.

    Example:
        >>> extract_email("Jane Doe <Jane@Example.com>"), extract_email("mailto:a@example.com"), extract_email("jane")
        ('jane@example.com', 'a@example.com', '')
    """
    value = value.lower()
    if named := _NAMED_EMAIL.fullmatch(value):
        value = stripped(named[1])
    value = value.removeprefix("mailto:")
    # A character that is not printable is invisible in the file, and the resulting hash would match no one.
    return value if _EMAIL.fullmatch(value) and value.isprintable() else ""


def extract_phone(value: str) -> str:
    """Return the phone number as it is written, without a leading word or an extension; empty if there is none.

    Example:
        >>> extract_phone("Mobile: 202-555-0123 x5"), extract_phone("unknown")
        ('202-555-0123', '')
    """
    if not value.isascii():  # full-width digits, narrow spaces, text direction marks
        value = "".join(filter(str.isprintable, unicodedata.normalize("NFKC", value)))
    if number := _INTEGRAL_FLOAT.fullmatch(value):  # pandas writes integer columns with missing values as floats
        return number[1]
    match = _PHONE.fullmatch(value)
    return match[1].strip() if match else ""


def normalize(kind: Kind, value: str, rules: Rules) -> str:
    """Return the normalized text to hash for a stripped value; empty if the value identifies no one.

    Raises:
        FaultError: the value cannot be normalized.

    Example:
        >>> normalize(Kind.EMAIL, "Jane.Doe@Example.com", Rules())
        'jane.doe@example.com'
        >>> normalize(Kind.PHONE, "0170 1234567", Rules(country="DE"))
        '+491701234567'
    """
    return _NORMALIZERS[kind](value, rules)


def _email(value: str, _: Rules) -> str:
    address = extract_email(value)
    if not address:
        raise FaultError(ValueFault.NOT_AN_EMAIL)
    return address


def _device_id(value: str, _: Rules) -> str:
    value = value.lower()
    if not value.translate(_ZEROS_REMOVED):
        return ""
    if not DEVICE_ID.fullmatch(value):
        raise FaultError(ValueFault.NOT_A_DEVICE_ID)
    return value


_ZEROS_REMOVED = str.maketrans("", "", "0-")


def _phone(value: str, rules: Rules) -> str:
    if _EXCEL_NOTATION.fullmatch(value):
        raise FaultError(ValueFault.EXCEL_NOTATION)
    number = extract_phone(value)
    if not number:
        raise FaultError(ValueFault.NOT_A_PHONE_NUMBER)
    e164 = _e164(number, rules.country)
    return e164 if rules.plus else e164[1:]


def _e164(value: str, country: str | None) -> str:
    import phonenumbers  # noqa: PLC0415 - importing its metadata takes 0.2 seconds

    def read(text: str, region: str | None) -> phonenumbers.PhoneNumber | None:
        try:
            number = phonenumbers.parse(text, region)
        except phonenumbers.NumberParseException:
            return None
        return number if phonenumbers.is_possible_number(number) else None

    if value.startswith("00"):
        value = "+" + value[2:]
    digits = re.sub("[^0-9]", "", value)
    if value.startswith("+"):
        chosen = read(value, None)
    else:
        chosen = national = read(value, country) if country else None
        # A valid international number without `+`, such as 37493828222, counts as international if it starts with the
        # code of `country`, or if it is not also a valid national number.
        international = read("+" + digits, None) if len(digits) >= MIN_INTERNATIONAL_DIGITS else None
        if international and phonenumbers.is_valid_number(international):
            own_code = country and digits.startswith(str(phonenumbers.country_code_for_region(country)))
            if own_code or not (national and phonenumbers.is_valid_number(national)):
                chosen = international
    if chosen is None:
        raise FaultError(ValueFault.NOT_A_PHONE_NUMBER if country or value.startswith("+") else ValueFault.NO_COUNTRY)
    return str(phonenumbers.format_number(chosen, phonenumbers.PhoneNumberFormat.E164))


_NORMALIZERS: Final[dict[Kind, Callable[[str, Rules], str]]] = {
    Kind.EMAIL: _email,
    Kind.PHONE: _phone,
    Kind.DEVICE_ID: _device_id,
}
