"""Uploads to a connector's bucket: the key, and the bytes as one request or in parts, in constant memory."""

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

PART_BYTES = 16 << 20  # 10,000 parts of it are 160 GB
_SENDERS = 3  # parts on their way at a time
MAX_NAME_LENGTH = 128


def object_keys(names: Sequence[str], audience: str, identifier_type: str, action: str, now: datetime) -> list[str]:
    """Return the object keys of the files of one upload; several files become one run, named after the time.

    Raises:
        ConsoleError: the audience's name cannot be one.
    """
    audience = audience.strip()
    if not audience or len(audience) > MAX_NAME_LENGTH or "/" in audience or not audience.isprintable():
        raise ConsoleError(
            f"An audience's name has 1 to {MAX_NAME_LENGTH} characters and no slash. Change --audience.", Exit.USAGE
        )
    folder = f"tiktok/{audience}/{identifier_type}/{action}/"
    if len(names) > 1:
        folder += f"{now:%Y-%m-%dT%H-%M-%SZ}/"
    taken: set[str] = set()
    return [folder + _unique(data_name(name), taken) for name in names]


def data_name(name: str) -> str:
    """Return a file name that the connector takes for data: hidden names and those of unfinished files are not.

    Example:
        >>> data_name("_export.csv"), data_name("customers")
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
    """Upload a stream of bytes; return the version id. The bucket encrypts it with the connector's key.

    Args:
        connector: whose bucket.
        key: of the object.
        chunks: its bytes.
        confirm: called when all bytes are known and before S3 shows the object. What it raises stops the upload.

    Raises:
        ConsoleError: AWS refuses; nothing is left in the bucket then.
    """
    client = aws.s3(connector)
    parts = _parts(chunks)
    first = next(parts, b"")
    second = next(parts, None)
    with aws.explained("upload to the bucket", connector):
        if second is None:
            confirm()
            answer = client.put_object(Bucket=connector.bucket, Key=key, Body=first, ContentType="text/csv")
            return answer.get("VersionId", "null")
        return _multipart(client, connector.bucket, key, _again(first, second, parts), confirm)


def _again(first: bytes, second: bytes, parts: Iterator[bytes]) -> Iterator[bytes]:
    yield first
    del first
    yield second
    del second
    yield from parts


def _parts(chunks: Iterable[bytes]) -> Iterator[bytes]:
    gathered: list[bytes] = []
    size = 0
    for chunk in chunks:
        gathered.append(chunk)
        size += len(chunk)
        if size >= PART_BYTES:
            yield b"".join(gathered)
            gathered, size = [], 0
    if gathered:
        yield b"".join(gathered)


def _multipart(client: S3Client, bucket: str, key: str, parts: Iterator[bytes], confirm: Callable[[], None]) -> str:
    upload_id = client.create_multipart_upload(Bucket=bucket, Key=key, ContentType="text/csv")["UploadId"]

    def send(number: int, body: bytes) -> CompletedPartTypeDef:
        answer = client.upload_part(Bucket=bucket, Key=key, UploadId=upload_id, PartNumber=number, Body=body)
        return {"ETag": answer["ETag"], "PartNumber": number}

    done: list[CompletedPartTypeDef] = []
    try:
        with ThreadPoolExecutor(_SENDERS) as senders:
            under_way: deque[Future[CompletedPartTypeDef]] = deque()
            for number, body in enumerate(parts, 1):
                under_way.append(senders.submit(send, number, body))
                if len(under_way) >= _SENDERS:
                    done.append(under_way.popleft().result())
            done += [each.result() for each in under_way]
        confirm()
        answer = client.complete_multipart_upload(
            Bucket=bucket, Key=key, UploadId=upload_id, MultipartUpload={"Parts": done}
        )
    except BaseException:
        client.abort_multipart_upload(Bucket=bucket, Key=key, UploadId=upload_id)
        raise
    return answer.get("VersionId", "null")
