"""Objects in the connector's bucket: small JSON objects with conditional writes, and uploads as streams of bytes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import datetime
from typing import TYPE_CHECKING, Any, NamedTuple

from botocore.exceptions import ClientError

from handler import reasons
from handler.errors import Conflict, Damaged, Missing

if TYPE_CHECKING:
    from botocore.response import StreamingBody
    from mypy_boto3_s3 import S3Client

CHUNK_BYTES = 1 << 18
# S3 returns 412 if the condition of a write is false, 409 for concurrent writes, and 404 if the object does not exist.
_LOST = {"PreconditionFailed", "ConditionalRequestConflict", "NoSuchKey"}
_ABSENT = {"NoSuchKey", "NoSuchVersion", "404"}
_ARCHIVED = "InvalidObjectState"
_DENIED = {"AccessDenied", "403", "Forbidden"}


class Stored(NamedTuple):
    """The content of a JSON object, and the ETag that a conditional write needs."""

    content: Any
    etag: str


class Version(NamedTuple):
    """One entry of a listing of versions.

    Attributes:
        modified_at: LastModified in UTC, in whole seconds.
        is_delete_marker: true if the entry is a delete marker.
        is_latest: true for the newest entry of its key.
        etag, size: None for a delete marker.
    """

    key: str
    version_id: str
    modified_at: datetime
    is_delete_marker: bool
    is_latest: bool
    etag: str | None = None
    size: int | None = None


class Head(NamedTuple):
    """The part of an object version's metadata that the connector uses."""

    modified_at: datetime
    kms_key_id: str | None


class ObjectStore:
    """One bucket. AWS errors other than the documented ones are not caught, so that the message is delivered again.

    Attributes:
        bucket: the name of the bucket.
        kms_key_id: the ARN of the KMS key that encrypts the connector's own objects; None until one has been read, or
            if they are not encrypted with a KMS key.
    """

    def __init__(self, client: S3Client, bucket: str) -> None:
        self._client = client
        self.bucket = bucket
        self.kms_key_id: str | None = None

    def read(self, key: str) -> Stored:
        """Read a JSON object.

        Raises:
            Missing: the object does not exist.
            Damaged: the content is not a JSON object.
        """
        try:
            response = self._client.get_object(Bucket=self.bucket, Key=key)
        except ClientError as error:
            if _code(error) in _ABSENT:
                raise Missing(f"There is no object {key}.") from None
            raise
        self.kms_key_id = response.get("SSEKMSKeyId") or self.kms_key_id
        try:
            content = json.loads(response["Body"].read())
        except ValueError:
            content = None
        if not isinstance(content, dict):
            raise Damaged(f"{key} is not a JSON object.")
        return Stored(content, response["ETag"])

    def put(self, key: str, content: object) -> None:
        """Write a JSON object unconditionally."""
        self._client.put_object(Bucket=self.bucket, Key=key, Body=_encode(content), ContentType="application/json")

    def write(self, key: str, content: object, *, etag: str | None) -> str:
        """Write a JSON object only if its ETag is still `etag`. If `etag` is None, write it only if it does not exist.

        Returns:
            The new ETag.

        Raises:
            Conflict: the object was written or deleted in the meantime.
        """
        body = _encode(content)
        condition: Any = {"IfNoneMatch": "*"} if etag is None else {"IfMatch": etag}
        try:
            response = self._client.put_object(
                Bucket=self.bucket, Key=key, Body=body, ContentType="application/json", **condition
            )
        except ClientError as error:
            if _code(error) not in _LOST:
                raise
            # The first try may have succeeded although its response was lost. The object then has the new content.
            if current_etag := self._etag_of(key, body):
                return current_etag
            raise Conflict(f"Another function wrote {key} first.") from None
        return response["ETag"]

    def _etag_of(self, key: str, body: bytes) -> str | None:
        try:
            response = self._client.get_object(Bucket=self.bucket, Key=key)
        except ClientError:
            return None
        return response["ETag"] if response["Body"].read() == body else None

    def delete(self, key: str) -> None:
        """Delete an object if it exists."""
        self._client.delete_object(Bucket=self.bucket, Key=key)

    def keys(self, prefix: str) -> Iterator[str]:
        """Yield all keys that start with `prefix`, in order."""
        for page in self._client.get_paginator("list_objects_v2").paginate(Bucket=self.bucket, Prefix=prefix):
            for entry in page.get("Contents", []):
                yield entry["Key"]

    def versions(self, prefix: str) -> Iterator[Version]:
        """Yield all versions and delete markers of the keys that start with `prefix`."""
        for page in self._client.get_paginator("list_object_versions").paginate(Bucket=self.bucket, Prefix=prefix):
            entries: list[Any] = [*page.get("Versions", []), *page.get("DeleteMarkers", [])]
            for entry in entries:
                etag = entry.get("ETag")  # a delete marker has neither an ETag nor a size
                yield Version(
                    entry["Key"],
                    entry["VersionId"],
                    entry["LastModified"].replace(microsecond=0),
                    is_delete_marker=etag is None,
                    is_latest=entry["IsLatest"],
                    etag=etag and etag.strip('"'),
                    size=entry.get("Size"),
                )

    def head(self, key: str, version_id: str) -> Head | None:
        """Return the metadata of an object version, or None if it does not exist or S3 refuses to return it."""
        try:
            response = self._client.head_object(Bucket=self.bucket, Key=key, VersionId=version_id)
        except ClientError as error:
            if _code(error) in _ABSENT | _DENIED | {"400", "405"}:
                return None
            raise
        return Head(response["LastModified"].replace(microsecond=0), response.get("SSEKMSKeyId"))

    def read_text(self, key: str, version_id: str, max_bytes: int) -> str:
        """Return the first `max_bytes` bytes of one object version as text.

        Raises:
            Failed: as for `stream`.
        """
        with closing(self._open(key, version_id)) as body:
            return body.read(max_bytes).decode(errors="replace")

    def stream(self, key: str, version_id: str, first_byte: int = 0) -> Iterator[bytes]:
        """Yield the content of one version of an upload from `first_byte` on, in chunks of 256 KiB.

        Raises:
            Failed: the version was deleted, is archived, or is encrypted with a key other than the connector's.
        """
        try:
            body = self._open(key, version_id, first_byte)
        except ClientError as error:
            if _code(error) == "InvalidRange":  # `first_byte` is the end of the file
                return
            raise
        with closing(body):
            yield from _read_ahead(body.iter_chunks(CHUNK_BYTES))

    def _open(self, key: str, version_id: str, first_byte: int = 0) -> StreamingBody:
        """Return the stream of one version of an upload from `first_byte` on.

        Raises:
            Failed: as for `stream`.
        """
        byte_range: Any = {"Range": f"bytes={first_byte}-"} if first_byte else {}
        try:
            response = self._client.get_object(Bucket=self.bucket, Key=key, VersionId=version_id, **byte_range)
        except ClientError as error:
            if _code(error) in _ABSENT:
                raise reasons.object_missing() from None
            if _code(error) == _ARCHIVED:
                raise reasons.object_archived() from None
            if self._has_other_key(error, key, version_id):
                raise reasons.object_key_refused() from None
            raise
        return response["Body"]

    def _has_other_key(self, error: ClientError, key: str, version_id: str) -> bool:
        """Return true if S3 denies access to an object because its KMS key is not the connector's."""
        message = error.response.get("Error", {}).get("Message", "")
        if not _code(error).startswith("KMS.") and "kms" not in message.lower() and _code(error) not in _DENIED:
            return False
        head = self.head(key, version_id)
        return bool(head and head.kms_key_id and self.kms_key_id and head.kms_key_id != self.kms_key_id)


def _read_ahead(chunks: Iterator[bytes]) -> Iterator[bytes]:
    """Yield the chunks, and receive each one in a thread while the caller processes the previous one."""
    with ThreadPoolExecutor(1, thread_name_prefix="s3") as reader:
        next_chunk = reader.submit(next, chunks, b"")
        while chunk := next_chunk.result():
            next_chunk = reader.submit(next, chunks, b"")
            yield chunk


def _encode(content: object) -> bytes:
    return json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"


def _code(error: ClientError) -> str:
    return error.response.get("Error", {}).get("Code", "")
