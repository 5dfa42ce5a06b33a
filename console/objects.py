"""Uploaded objects: find a version, upload a file again, and write the marker that confirms a list."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

from console import aws
from console.errors import ConsoleError
from console.stack import Connector

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import ObjectVersionTypeDef

MAX_PUT_BYTES = 5 << 30  # S3's limit for one PutObject call


def newest_version(connector: Connector, key: str) -> ObjectVersionTypeDef:
    """Return the newest stored version of an object, even if the object was deleted later.

    Raises:
        ConsoleError: there is no version, or the versions cannot be listed.
    """
    client = aws.s3(connector)
    with aws.translate_errors("find the file", connector):
        pages = client.get_paginator("list_object_versions").paginate(Bucket=connector.bucket, Prefix=key)
        found = [version for page in pages for version in page.get("Versions", ()) if version.get("Key") == key]
    if not found:
        raise ConsoleError(
            f"There is no file {key} in the bucket {connector.bucket}. "
            "Check the key, or upload the file from its source."
        )
    return max(found, key=lambda version: version["LastModified"])


def reupload(connector: Connector, key: str) -> str:
    """Upload the newest version of an object again, and return the new version id.

    A single `PutObject` call sends the bytes, because the connector may skip a copy or a multipart upload as
    `unchanged_copy`.

    Raises:
        ConsoleError: the file does not exist, it is larger than 5 GB, or AWS returned an error.
    """
    version = newest_version(connector, key)
    size = version["Size"]
    if size > MAX_PUT_BYTES:
        raise ConsoleError(
            f"The file {key} is larger than 5 GB, the limit of this command. Upload the file from its source."
        )
    client = aws.s3(connector)
    with aws.translate_errors("upload the file again", connector):
        body = io.BufferedReader(_StoredVersion(client, connector.bucket, key, version["VersionId"], size), 1 << 20)
        response = client.put_object(
            Bucket=connector.bucket, Key=key, Body=body, ContentLength=size, ContentType="text/csv"
        )
    return response.get("VersionId", "null")


class _StoredVersion(io.RawIOBase):
    """An object version as a seekable file. boto3 seeks to find its size, and to send it again after an error."""

    def __init__(self, client: S3Client, bucket: str, key: str, version_id: str, size: int) -> None:
        self._where = {"Bucket": bucket, "Key": key, "VersionId": version_id}
        self._client = client
        self._size = size
        self._position = 0
        self._body: object | None = None

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        start = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self._size}[whence]
        if start + offset != self._position:
            self._position = start + offset
            self._body = None
        return self._position

    def tell(self) -> int:
        return self._position

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]  # io passes a writable memoryview
        if self._position >= self._size:
            return 0
        if self._body is None:
            place = {**self._where, "Range": f"bytes={self._position}-"}
            self._body = self._client.get_object(**place)["Body"]  # type: ignore[arg-type]
        data: bytes = self._body.read(len(buffer))  # type: ignore[attr-defined]
        buffer[: len(data)] = data
        self._position += len(data)
        return len(data)


def put_marker(connector: Connector, key: str) -> None:
    """Write a marker, which is an empty object.

    Raises:
        ConsoleError: AWS returned an error.
    """
    with aws.translate_errors("write the marker", connector):
        aws.s3(connector).put_object(Bucket=connector.bucket, Key=key, Body=b"")


def confirmation_key(key: str) -> str:
    """Return the key of the `_CONFIRMED` marker for a file's list: in the file's folder, above Hive partitions.

    Example:
        >>> confirmation_key("tiktok/vip/email_sha256/replace/daily/country=de/part-00000.csv")
        'tiktok/vip/email_sha256/replace/daily/_CONFIRMED'
    """
    folder = key.rpartition("/")[0]
    while "=" in folder.rpartition("/")[2]:
        folder = folder.rpartition("/")[0]
    return f"{folder}/_CONFIRMED"
