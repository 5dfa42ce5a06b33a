"""Normalization: one raw value to the bytes that are hashed, by kind of identifier.

The rules are TikTok's: an email is trimmed and lower-cased, a phone number is written in E.164, a device id is in lower
case and keeps its hyphens.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from handler.cleaning.nothing import hashes_of_nothing, is_null_marker
from handler.model import IdentifierType


class Kind(StrEnum):
    """The kind of a raw value."""

    EMAIL = "email"
    PHONE = "phone"
    DEVICE_ID = "device id"


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
    ValueFault.NOT_AN_EMAIL: "Not an email address. Correct the line, or check that the right column was taken.",
    ValueFault.NOT_A_PHONE_NUMBER: "Not a phone number. Correct the line, or check that the right column was taken.",
    ValueFault.NO_COUNTRY: "A phone number without its country. Give --country, for example --country US.",
    ValueFault.EXCEL_NOTATION: (
        "Excel has rounded the number (like 4.47E+11), so its last digits are lost. "
        "Format the column as text in the original and export it again."
    ),
    ValueFault.NOT_A_DEVICE_ID: "Not a device id. It needs 32 hexadecimal digits in five groups with hyphens between.",
    ValueFault.OTHER_HASH: (
        "A hash of another length than --type needs, or a device id without its hyphens. "
        "Export the raw values, device ids with hyphens, or choose another type."
    ),
    ValueFault.MISSING_COLUMN: "The line has fewer columns than the first one. Check its delimiters and quotes.",
}


class FaultError(Exception):
    """A value that cannot be normalized; it never holds the value."""

    def __init__(self, fault: ValueFault) -> None:
        super().__init__(fault.value)
        self.fault = fault


@dataclass(frozen=True)
class Rules:
    """Choices for a whole file.

    Attributes:
        country: ISO 3166 code for phone numbers without a country code, such as `US`.
        plus: phone numbers are hashed with their `+`.
        algorithm: `sha256` or `md5`.
    """

    country: str | None = None
    plus: bool = True
    algorithm: str = "sha256"

    @property
    def digits(self) -> int:
        """Hexadecimal digits of a hash."""
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

# In both halves of an address; the others are rare, or belong to one half.
EMAIL_CHARACTERS: Final = b"abcdefghijklmnopqrstuvwxyz0123456789_-"
_BEYOND_ASCII = "\x80-\ufffc\U00010000-\U0010ffff"  # without the mark of a character that could not be decoded
_LOCAL_PART = f"[{re.escape(EMAIL_CHARACTERS.decode())}.!#$%&'*+/=?^`{{|}}~{_BEYOND_ASCII}]+"
_LABEL = f"[{re.escape(EMAIL_CHARACTERS.decode())}{_BEYOND_ASCII}]+"
_EMAIL = re.compile(rf"{_LOCAL_PART}@{_LABEL}(?:\.{_LABEL})+")
_NAMED_EMAIL = re.compile("[^<>]*<([^<>]*)>")
DEVICE_ID: Final = re.compile("[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}")
_HASH = re.compile(r"(?:0x|\\x)?([0-9a-f]{64}|[0-9a-f]{40}|[0-9a-f]{32})")
# A word (`tel:`, `p:`, `Mobile: `), the number, an extension.
_PHONE = re.compile(
    r"(?:[^\W\d_]+ ?: ?)?"
    r"\(?(\+? ?[0-9(][0-9()./ \u2010-\u2015\u2212-]{5,24})"
    r"(?:[,;]? ?(?:ext(?:n|ension)?|x|#)[.:=]? ?[0-9]{1,6})?",
    re.IGNORECASE,
)
_EXCEL_NOTATION = re.compile(r"[0-9](?:[.,][0-9]+)?E\+?[0-9]{1,3}", re.IGNORECASE)
_WHOLE_FLOAT = re.compile(r"(\+?[0-9]{7,15})[.,]0")
MIN_INTERNATIONAL_DIGITS = 11  # shorter ones without `+` are national numbers of some country
HASHES_OF_NOTHING: Final = frozenset(row.decode() for digits in (64, 32) for row in hashes_of_nothing(digits).rows)
# Spaces, invisible characters, quotes, and Excel's marks for text: `'x` and `="x"`.
_AROUND = (
    " \t\r\n\v\f\x1a\u00a0\u00ad\u2009\u200a\u200b\u200c\u200d\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u202f"
    "\u2060\u2066\u2067\u2068\u2069\u3000\ufeff\"'`=\u2018\u2019\u201a\u201c\u201d\u201e\u00ab\u00bb"
)


def bare(value: str) -> str:
    """Return a value without spaces, invisible characters and quotes around it."""
    return value.strip(_AROUND)


def is_nothing(value: str) -> bool:
    """Return whether a bare value stands for no value: empty, a dash, zeros, a NULL marker, or the hash of one."""
    return not value.strip("0-") or is_null_marker(value.encode()) or value.lower() in HASHES_OF_NOTHING


def hash_in(value: str) -> str:
    r"""Return the hash that a bare value is, in lower case, without a database's `0x` or `\x`; empty if it is none."""
    match = _HASH.fullmatch(value.lower())
    return match[1] if match else ""


def email_in(value: str) -> str:
    """Return the address that a bare value is, in lower case; empty if it is none.

    Example:
        >>> email_in("Jane Doe <Jane@Example.com>"), email_in("mailto:jane@example.com"), email_in("jane")
        ('jane@example.com', 'jane@example.com', '')
    """
    value = value.lower()
    if named := _NAMED_EMAIL.fullmatch(value):
        value = bare(named[1])
    value = value.removeprefix("mailto:")
    # What is not printable cannot be seen in the file, and would make the hash of nobody.
    return value if _EMAIL.fullmatch(value) and value.isprintable() else ""


def phone_in(value: str) -> str:
    """Return the phone number that a bare value is, as it is written, without a word before it and an extension.

    Example:
        >>> phone_in("Mobile: 202-555-0123 x5"), phone_in("unknown")
        ('202-555-0123', '')
    """
    if not value.isascii():  # full-width digits, narrow spaces, marks for the direction of writing
        value = "".join(filter(str.isprintable, unicodedata.normalize("NFKC", value)))
    if whole := _WHOLE_FLOAT.fullmatch(value):  # a column of numbers with gaps, as data frames write it
        return whole[1]
    match = _PHONE.fullmatch(value)
    return match[1].strip() if match else ""


def normalize(kind: Kind, value: str, rules: Rules) -> str:
    """Return the text that is hashed for a bare value; empty if it stands for nobody.

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
    address = email_in(value)
    if not address:
        raise FaultError(ValueFault.NOT_AN_EMAIL)
    return address


def _device_id(value: str, _: Rules) -> str:
    value = value.lower()
    if not value.translate(_NO_ZEROS):
        return ""
    if not DEVICE_ID.fullmatch(value):
        raise FaultError(ValueFault.NOT_A_DEVICE_ID)
    return value


_NO_ZEROS = str.maketrans("", "", "0-")


def _phone(value: str, rules: Rules) -> str:
    if _EXCEL_NOTATION.fullmatch(value):
        raise FaultError(ValueFault.EXCEL_NOTATION)
    number = phone_in(value)
    if not number:
        raise FaultError(ValueFault.NOT_A_PHONE_NUMBER)
    e164 = _e164(number, rules.country)
    return e164 if rules.plus else e164[1:]


def _e164(value: str, country: str | None) -> str:
    # Imported where it is needed: its metadata takes a fifth of a second.
    import phonenumbers  # noqa: PLC0415

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
        # Without its `+` an international number, such as 37493828222, is taken only if there is no doubt.
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
