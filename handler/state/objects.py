"""Objects in the connector's bucket: small JSON ones, written conditionally, and the uploaded files as streams."""

from __future__ import annotations

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from handler.errors import Conflict, Damaged, Failed, Missing
from handler.report_codes import Code

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

CHUNK_BYTES = 1 << 18
# S3 answers a lost conditional write with 412, two at the same moment with 409, and If-Match on nothing with 404.
_LOST = {"PreconditionFailed", "ConditionalRequestConflict", "NoSuchKey"}
_ABSENT = {"NoSuchKey", "NoSuchVersion", "404"}


@dataclass(frozen=True)
class Stored:
    """A JSON object as read: its content and the ETag that a conditional write needs."""

    content: Any
    etag: str


class ObjectStore:
    """One bucket. AWS's own errors pass through, so that the message fails and comes back."""

    def __init__(self, client: S3Client, bucket: str) -> None:
        self._client = client
        self.bucket = bucket

    def read(self, key: str) -> Stored:
        """Read a JSON object.

        Raises:
            Missing: there is none.
            Damaged: it is no JSON object.
        """
        try:
            answer = self._client.get_object(Bucket=self.bucket, Key=key)
        except ClientError as error:
            if _code(error) in _ABSENT:
                raise Missing(f"There is no object {key}.") from None
            raise
        try:
            content = json.loads(answer["Body"].read())
        except ValueError:
            content = None
        if not isinstance(content, dict):
            raise Damaged(f"{key} is no JSON object.")
        return Stored(content, answer["ETag"])

    def put(self, key: str, content: object) -> None:
        """Write a JSON object whatever is there."""
        self._client.put_object(Bucket=self.bucket, Key=key, Body=_encode(content), ContentType="application/json")

    def write(self, key: str, content: object, *, etag: str | None) -> str:
        """Write a JSON object if it is still the one of that ETag (None: if there is none); return the new ETag.

        Raises:
            Conflict: it is not.
        """
        body = _encode(content)
        try:
            if etag is None:
                answer = self._client.put_object(
                    Bucket=self.bucket, Key=key, Body=body, ContentType="application/json", IfNoneMatch="*"
                )
            else:
                answer = self._client.put_object(
                    Bucket=self.bucket, Key=key, Body=body, ContentType="application/json", IfMatch=etag
                )
        except ClientError as error:
            if _code(error) not in _LOST:
                raise
            # The first try may have been done and only its answer lost: then what is there is what was to be written.
            if etag_there := self._etag_of(key, body):
                return etag_there
            raise Conflict(f"Another function wrote {key} first.") from None
        return answer["ETag"]

    def _etag_of(self, key: str, body: bytes) -> str | None:
        try:
            answer = self._client.get_object(Bucket=self.bucket, Key=key)
        except ClientError:
            return None
        return answer["ETag"] if answer["Body"].read() == body else None

    def delete(self, key: str) -> None:
        """Delete an object; that it is gone already is fine."""
        self._client.delete_object(Bucket=self.bucket, Key=key)

    def keys(self, prefix: str) -> Iterator[str]:
        """All keys that begin with `prefix`, in order."""
        for page in self._client.get_paginator("list_objects_v2").paginate(Bucket=self.bucket, Prefix=prefix):
            for entry in page.get("Contents", []):
                yield entry["Key"]

    def exists(self, key: str, version_id: str) -> bool:
        """Whether this version of an uploaded file is there."""
        try:
            self._client.head_object(Bucket=self.bucket, Key=key, VersionId=version_id)
        except ClientError as error:
            if _code(error) in _ABSENT:
                return False
            raise
        return True

    def stream(self, key: str, version_id: str, first_byte: int = 0) -> Iterator[bytes]:
        """The bytes of one version of an uploaded file, from `first_byte` on, in chunks of 256 KiB.

        Raises:
            Failed: that version is gone.
        """
        try:
            if first_byte:
                answer = self._client.get_object(
                    Bucket=self.bucket, Key=key, VersionId=version_id, Range=f"bytes={first_byte}-"
                )
            else:
                answer = self._client.get_object(Bucket=self.bucket, Key=key, VersionId=version_id)
        except ClientError as error:
            if _code(error) in _ABSENT:
                raise Failed(
                    Code.OBJECT_MISSING,
                    "This version of the file was deleted before it was read: upload the file again.",
                ) from None
            if _code(error) == "InvalidRange":  # the last part ended with the file
                return
            raise
        with closing(answer["Body"]) as body:
            yield from _read_ahead(body.iter_chunks(CHUNK_BYTES))


def _read_ahead(chunks: Iterator[bytes]) -> Iterator[bytes]:
    """The same chunks, each received and decrypted while the one before is cleaned and hashed."""
    with ThreadPoolExecutor(1, thread_name_prefix="s3") as reader:
        coming = reader.submit(next, chunks, b"")
        while chunk := coming.result():
            coming = reader.submit(next, chunks, b"")
            yield chunk


def _encode(content: object) -> bytes:
    return json.dumps(content, ensure_ascii=False, indent=1).encode() + b"\n"


def _code(error: ClientError) -> str:
    return error.response.get("Error", {}).get("Code", "")
