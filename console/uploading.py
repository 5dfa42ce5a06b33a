"""Uploads to a connector's bucket: object keys, and single or multipart uploads in constant memory."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import datetime
from pathlib import PurePath
from typing import TYPE_CHECKING

from console import aws
from console.errors import ConsoleError, Exit
from console.stack import Connector

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import CompletedPartTypeDef

PART_BYTES = 16 << 20  # S3 allows 10,000 parts, so a file can have at least 156 GiB
_MAX_CONCURRENT_PARTS = 3
MAX_NAME_LENGTH = 128


def object_keys(names: Sequence[str], audience: str, identifier_type: str, action: str, now: datetime) -> list[str]:
    """Return the object keys for the given files. Several files become one run, named after the current time.

    Raises:
        ConsoleError: the audience's name is not valid.
    """
    audience = audience.strip()
    if not audience or len(audience) > MAX_NAME_LENGTH or "/" in audience or not audience.isprintable():
        raise ConsoleError(
            f"An audience name must have 1 to {MAX_NAME_LENGTH} characters, without slashes or control characters. "
            "Change the name.",
            Exit.USAGE,
        )
    folder = f"tiktok/{audience}/{identifier_type}/{action}/"
    if len(names) > 1:
        folder += f"{now:%Y-%m-%dT%H-%M-%SZ}/"
    taken: set[str] = set()
    return [folder + _unique(data_file_name(name), taken) for name in names]


def data_file_name(name: str) -> str:
    """Return a file name that the connector does not ignore: no leading `.` or `_`, and an extension for data.

    Example:
        >>> data_file_name("_export.csv"), data_file_name("customers")
        ('export.csv', 'customers.csv')
    """
    base = PurePath(name).name.lstrip("._") or "upload"
    lower = base.lower()
    return base if lower.endswith((".csv", ".txt", ".csv.gz", ".txt.gz", ".bz2")) else f"{base}.csv"


def _unique(name: str, taken: set[str]) -> str:
    candidate, number = name, 1
    while candidate in taken:
        number += 1
        stem, dot, ending = name.partition(".")
        candidate = f"{stem}-{number}{dot}{ending}"
    taken.add(candidate)
    return candidate


def upload(
    connector: Connector, key: str, chunks: Iterable[bytes], *, confirm: Callable[[], None] = lambda: None
) -> str:
    """Upload a stream of bytes and return the version id. The bucket encrypts the object with the connector's key.

    Args:
        connector: the connector to upload to.
        key: the object's key.
        chunks: the object's bytes.
        confirm: called after all bytes were read and before the object becomes visible. An exception from it cancels
            the upload.

    Raises:
        ConsoleError: AWS returned an error. A multipart upload is aborted, so that no parts stay in the bucket.
    """
    client = aws.s3(connector)
    parts = _parts(chunks)
    first = next(parts, b"")
    second = next(parts, None)
    with aws.translate_errors("upload to the bucket", connector):
        if second is None:
            confirm()
            response = client.put_object(Bucket=connector.bucket, Key=key, Body=first, ContentType="text/csv")
            return response.get("VersionId", "null")
        return _multipart(client, connector.bucket, key, _rejoined(first, second, parts), confirm)


def _rejoined(first: bytes, second: bytes, parts: Iterator[bytes]) -> Iterator[bytes]:
    yield first
    del first
    yield second
    del second
    yield from parts


def _parts(chunks: Iterable[bytes]) -> Iterator[bytes]:
    buffer: list[bytes] = []
    size = 0
    for chunk in chunks:
        buffer.append(chunk)
        size += len(chunk)
        if size >= PART_BYTES:
            yield b"".join(buffer)
            buffer, size = [], 0
    if buffer:
        yield b"".join(buffer)


def _multipart(client: S3Client, bucket: str, key: str, parts: Iterator[bytes], confirm: Callable[[], None]) -> str:
    upload_id = client.create_multipart_upload(Bucket=bucket, Key=key, ContentType="text/csv")["UploadId"]

    def send(number: int, body: bytes) -> CompletedPartTypeDef:
        response = client.upload_part(Bucket=bucket, Key=key, UploadId=upload_id, PartNumber=number, Body=body)
        return {"ETag": response["ETag"], "PartNumber": number}

    done: list[CompletedPartTypeDef] = []
    try:
        with ThreadPoolExecutor(_MAX_CONCURRENT_PARTS) as executor:
            pending_parts: deque[Future[CompletedPartTypeDef]] = deque()
            for number, body in enumerate(parts, 1):
                pending_parts.append(executor.submit(send, number, body))
                if len(pending_parts) >= _MAX_CONCURRENT_PARTS:
                    done.append(pending_parts.popleft().result())
            done += [each.result() for each in pending_parts]
        confirm()
        response = client.complete_multipart_upload(
            Bucket=bucket, Key=key, UploadId=upload_id, MultipartUpload={"Parts": done}
        )
    except BaseException:
        client.abort_multipart_upload(Bucket=bucket, Key=key, UploadId=upload_id)
        raise
    return response.get("VersionId", "null")
