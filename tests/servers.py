"""The embedded AWS inside the test process: without a socket, or over one for functions in other processes."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from datetime import UTC, datetime
from http import HTTPStatus
from itertools import count
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, unquote, urlsplit
from uuid import uuid4

import boto3
from botocore import UNSIGNED
from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.config import Config
from moto.backends import get_backend
from moto.core.botocore_stubber import MockRawResponse
from moto.core.request import normalize_request
from werkzeug.exceptions import HTTPException

from sandbox.aws.moto_corrections import Application
from sandbox.aws.server import aws_server

if TYPE_CHECKING:
    from mypy_boto3_events import EventBridgeClient
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_secretsmanager import SecretsManagerClient
    from mypy_boto3_sqs import SQSClient

    Clients = tuple[S3Client, SQSClient, SecretsManagerClient]

Hook = Callable[[str, str], str | None]
ACCOUNT = "123456789012"
_VERSION_HEADER = "x-amz-version-id"
_NAME = re.compile(rb"[a-z]+-[0-9a-f]{12}")  # the format of the names that `World` and `ChaosRun` create
_SIGNATURE = "AWS4-HMAC-SHA256 Credential=test/20260131/us-east-1/s3/aws4_request, SignedHeaders=host, Signature=0"
_sequence = count()


@contextmanager
def embedded_aws(application: Application | None = None) -> Iterator[str]:
    """Serve moto over a socket and yield the URL.

    Args:
        application: the WSGI application to serve, for example one that wraps moto; None serves moto itself.
    """
    server = aws_server(application=application)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.port}"
    server.shutdown()
    thread.join()
    server.server_close()


@dataclass
class RequestHooks:
    """Hooks around each request for one bucket, queue or secret.

    A hook receives the method and the path, `/<bucket>/<key>` or `/AmazonSQS.SendMessage`. If it returns a status line
    such as "403 Forbidden", that replaces the response. A hook may also wait or raise.

    Attributes:
        before: called before the request. If it returns a status line, the request is not carried out.
        after: called after the request was carried out.
        now: the clock of the bucket.
    """

    before: Hook = lambda *_: None
    after: Hook = lambda *_: None
    now: Callable[[], datetime] = lambda: datetime.now(UTC)


class InProcessAws:
    """S3, SQS, Secrets Manager and EventBridge for boto3 clients of this process, without a socket.

    Each bucket, queue or secret can have its own hooks. In a bucket with hooks, `LastModified` follows their clock, and
    every object version gets a unique ETag, as in a bucket with SSE-KMS.
    """

    def __init__(self) -> None:
        self._routes = [
            (re.compile(url), respond)
            for service in ("s3", "sqs", "secretsmanager", "events")
            for url, respond in _backend(service).urls.items()
        ]
        self._hooks: dict[str, RequestHooks] = {}
        self._conditional_writes = threading.Lock()  # moto's check and write are not atomic; S3's are
        session = boto3.session.Session(aws_access_key_id="test", aws_secret_access_key="test", region_name="us-east-1")
        # A fixed user agent: botocore would compose one for each request. Requests are unsigned, because signing takes
        # longer than moto's work. `_send` adds a signature that nothing checks.
        config = Config(s3={"addressing_style": "path"}, user_agent="tests", signature_version=UNSIGNED)
        self.clients: Clients = (
            session.client("s3", config=config),
            session.client("sqs", config=config),
            session.client("secretsmanager", config=config),
        )
        self.events: EventBridgeClient = session.client("events", config=config)
        for client in (*self.clients, self.events):
            client.meta.events.register("before-send", self._send)  # type: ignore[arg-type] # not in the stubs

    def hooks(self, name: str) -> RequestHooks:
        """Replace the hooks for requests that name this bucket, queue or secret, and return the new ones."""
        self._hooks[name] = RequestHooks()
        return self._hooks[name]

    def _send(self, request: AWSPreparedRequest, **_more: object) -> AWSResponse:
        request.headers["Authorization"] = _SIGNATURE
        method, url = str(request.method), urlsplit(request.url)
        path = unquote(url.path)
        _, name, *key = path.split("/", 2)
        if target := request.headers.get("X-Amz-Target"):
            assert isinstance(request.body, bytes)
            found = _NAME.search(request.body)
            name, path = found[0].decode() if found else "", f"/{_text(target)}"
        hooks = self._hooks.get(name, RequestHooks())
        if refused := hooks.before(method, path):
            return _refusal(request.url, refused)
        conditional = method == "PUT" and ("If-Match" in request.headers or "If-None-Match" in request.headers)
        with self._conditional_writes if conditional else nullcontext():
            status, headers, body = self._respond(request)
            if name in self._hooks and key and status < HTTPStatus.BAD_REQUEST and _writes(method, url.query):
                _set_time_and_etag(name, key[0], headers, hooks.now())
        if lost := hooks.after(method, path):
            return _refusal(request.url, lost)
        return _response(request.url, status, headers, body)

    def _respond(self, request: AWSPreparedRequest) -> tuple[int, dict[str, Any], str | bytes]:
        """Return moto's response. Moto's own routing is bypassed: it reloads the service modules for each request."""
        location = request.url.partition("?")[0]
        respond = next(respond for url, respond in self._routes if url.match(location))
        normalized: Any = normalize_request(request)
        try:
            response: tuple[int, dict[str, Any], str | bytes] = respond(
                normalized, normalized.raw_url, normalized.headers
            )
        except HTTPException as error:
            return error.code or 500, dict(error.get_headers()), error.get_body()
        return response


def _backend(service: Any) -> Any:
    regions = get_backend(service)[ACCOUNT]
    return regions["us-east-1" if "us-east-1" in regions else "aws"]


def _text(header: str | bytes) -> str:
    return header if isinstance(header, str) else header.decode()


def _refusal(url: str, status_line: str) -> AWSResponse:
    return _response(url, int(status_line.split(maxsplit=1)[0]), {"Content-Length": "0"}, b"")


def _response(url: str, status: int, headers: dict[str, Any], body: str | bytes) -> AWSResponse:
    raw: Any = MockRawResponse(body)
    return AWSResponse(url, status, headers, raw)  # type: ignore[arg-type] # moto passes the same class


def _writes(method: str, query: str) -> bool:
    """Return true if a request to an object creates a version of it or a delete marker."""
    arguments = parse_qs(query, keep_blank_values=True)
    if method == "POST":
        return "uploadId" in arguments
    return method in {"PUT", "DELETE"} and not arguments.keys() & {"partNumber", "tagging", "versionId", "uploadId"}


def _set_time_and_etag(bucket: str, key: str, headers: dict[str, Any], last_modified: datetime) -> None:
    version_id = next((value for name, value in headers.items() if name.lower() == _VERSION_HEADER), "null")
    version = set_last_modified(bucket, key, version_id, last_modified)
    if version and hasattr(version, "etag"):
        version._etag = uuid4().hex + "-1" * ("-" in version.etag)
        for name in [name for name in headers if name.lower() == "etag"]:
            headers[name] = version.etag


def stored(bucket: str, key: str) -> bytes | None:
    """Return the content of an object in a bucket of this process, or None if there is no object.

    The content is read directly from moto's memory, which takes a hundredth of the time of a request.
    """
    version = _backend("s3").buckets[bucket].keys.get(key)
    return version.value if hasattr(version, "value") else None


def stored_keys(bucket: str, prefix: str = "") -> list[str]:
    """Return the keys in a bucket of this process, read directly from moto's memory."""
    keys = _backend("s3").buckets[bucket].keys
    return [key for key in keys if key.startswith(prefix) and hasattr(keys.get(key), "value")]


def set_last_modified(bucket: str, key: str, version_id: str, last_modified: datetime) -> Any:
    """Set the LastModified of an object version or delete marker, if the bucket is in this process.

    Returns:
        moto's object, or None if this process has no such version.
    """
    buckets = _backend("s3").buckets
    versions = buckets[bucket].keys.getlist(key, []) if bucket in buckets else []
    for version in versions:
        if version.version_id == version_id:
            # S3 returns times in whole seconds. The microseconds keep versions of the same second in writing order.
            microsecond = next(_sequence) % 1_000_000
            version.last_modified = last_modified.astimezone(UTC).replace(microsecond=microsecond, tzinfo=None)
            return version
    return None
