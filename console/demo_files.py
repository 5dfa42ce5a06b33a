"""Sample files for testing a deployment. They contain made-up people only."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path

PEOPLE = 1500  # TikTok requires 1,000 for an audience
# The two-line sample file of the original AWS guidance for TikTok: the same phone number twice.
_FOODIES = b"3d562b4ba5680ddba530ca888ec699e921b74fcbf5b89e34868d2c9afcd82fb9\n" * 2
_UPLOAD = "tiktok-activation upload {path} --advertiser ADVERTISER --audience {audience} --type {type}"


def write(directory: Path) -> list[tuple[Path, str, str]]:
    """Write the sample files, and return the path, the description and an example command of each.

    Raises:
        OSError: the folder cannot be written to.
    """
    directory.mkdir(parents=True, exist_ok=True)
    written = []
    for name, (content, what, command) in _SAMPLES.items():
        path = directory / name
        path.write_bytes(content())
        written.append((path, what, command.format(path=path)))
    return written


def _customers() -> bytes:
    lines = ["email;phone;first_name;city"]
    lines += [f"Person{number}@Example.com;+49 170 {number:07};Anna;Köln" for number in range(PEOPLE)]
    lines[10] = "no address;4,47E+11;Ben;Bonn"
    lines[20] = ";;Cem;Ulm"
    return ("\r\n".join(lines) + "\r\n").encode("utf-16")


def _device_ids() -> bytes:
    ids = (hashlib.md5(f"device {number}".encode(), usedforsecurity=False).hexdigest() for number in range(PEOPLE))
    return (
        "".join(f"{each[:8]}-{each[8:12]}-4{each[13:16]}-8{each[17:20]}-{each[20:]}\n" for each in ids).upper().encode()
    )


def _hashed(first: int, end: int) -> bytes:
    emails = (f"person{number}@example.com".encode() for number in range(first, end))
    return "".join(f"{hashlib.sha256(each).hexdigest()}\n" for each in emails).encode()


def _with_mistakes() -> bytes:
    return b"email_sha256\r\n" + _hashed(0, 30).replace(b"\n", b"\r\n") + b"jane@example.com\r\n" * 10


def _command(audience: str, kind: str, more: str = "") -> str:
    return _UPLOAD.replace("{audience}", audience).replace("{type}", kind) + more


_SAMPLES: dict[str, tuple[Callable[[], bytes], str, str]] = {
    "customers.csv": (
        _customers,
        "a shop's export: raw emails and phone numbers, semicolons, UTF-16, one invalid email and one missing email",
        _command("demo-customers", "email_sha256", " --hash --column email --wait"),
    ),
    "devices.txt": (
        _device_ids,
        "raw advertising ids in upper case, one per line",
        _command("demo-players", "first_sha256", " --hash --wait"),
    ),
    "newsletter.csv": (
        lambda: _hashed(0, PEOPLE),
        "hashed emails, ready to upload",
        _command("demo-newsletter", "email_sha256", " --wait"),
    ),
    "unsubscribed.csv": (
        lambda: _hashed(0, 100),
        "hashed emails of people to remove again",
        _command("demo-newsletter", "email_sha256", " --action remove --wait"),
    ),
    "with_mistakes.csv": (
        _with_mistakes,
        "hashed and plain emails: rejected, because too many rows are invalid",
        "tiktok-activation check {path} --type email_sha256",
    ),
    "test_foodies_phone_sha256_audience.csv": (
        lambda: _FOODIES,
        "the two-line sample of the original guidance: too few people for a TikTok audience",
        _command("foodies-custom-audience", "phone_sha256"),
    ),
}
