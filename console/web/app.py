"""The web page's application: overview, file details, health checks, and file uploads."""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import Mapping
from http import HTTPStatus
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from jinja2 import Environment, PackageLoader
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from console import queues
from console.credential_check import credentials_problem
from console.doctor import run_checks
from console.errors import ConsoleError
from console.hashing.plans import TYPES
from console.hashing.sources import HEAD_BYTES
from console.reports import ReportReader, file_json, is_final, matched_by_audience, waits_until
from console.stack import Connector
from console.web import receive
from console.web.chart import draw_chart
from console.web.security import Guard
from handler.model import Action

_MAX_FILES = 200
_MAX_HEADER_BYTES = 4096
_TEMPLATES = Environment(loader=PackageLoader("console.web"), autoescape=True, trim_blocks=True, lstrip_blocks=True)
_TEMPLATES.filters["number"] = lambda value: "-" if value is None else f"{value:,}"
_TEMPLATES.filters["time"] = lambda text: text.replace("T", " ").replace("Z", " UTC") if text else ""


def create_app(connectors: Mapping[str, Connector], token: str, port: int) -> Guard:
    """Return the page's application behind its guard.

    Args:
        connectors: the connectors by advertiser.
        token: the token of this session.
        port: the port on 127.0.0.1 where the page is served.
    """
    page = _Page(connectors)
    routes = [
        Route("/", page.overview),
        Route("/advertisers/{advertiser}/files/{file}", page.file),
        Route("/advertisers/{advertiser}/doctor", page.doctor),
        Route("/advertisers/{advertiser}/redrive", page.redrive, methods=["POST"]),
        Route("/advertisers/{advertiser}/uploads", page.upload, methods=["POST"]),
        Route("/advertisers/{advertiser}/outcomes/{file}/{version}", page.outcome),
        Route("/detect", page.detect, methods=["POST"]),
        Mount("/static", StaticFiles(directory=Path(__file__).parent / "static")),
    ]
    handlers: Any = {ConsoleError: _console_error, HTTPException: _http_error, Exception: _unexpected_error}
    return Guard(Starlette(routes=routes, exception_handlers=handlers), token, port)


def file_id(key: str) -> str:
    """Return an opaque id for an object key, to keep keys out of URLs, which the browser stores in its history."""
    return hashlib.sha256(key.encode()).hexdigest()[:24]


class _Page:
    """The page's request handlers. Starlette runs the methods that are not async in a thread, so they may block."""

    def __init__(self, connectors: Mapping[str, Connector]) -> None:
        self._connectors = connectors
        self._readers = {name: ReportReader(connector) for name, connector in connectors.items()}

    def overview(self, _: Request) -> Response:
        """Return the overview page with audiences, files, and the upload form."""
        choices = {"types": TYPES, "actions": [each.value for each in Action], "names": list(self._connectors)}
        return _html(
            "overview.html", advertisers=[*map(self._state, self._connectors)], choices=choices, head_bytes=HEAD_BYTES
        )

    def _state(self, name: str) -> dict[str, Any]:
        try:
            reports, total = self._readers[name].newest(_MAX_FILES)
        except ConsoleError as error:
            return {"name": name, "error": str(error)}
        audiences = [
            {"name": audience, "type": kind, "matched": points[-1][1], "at": points[-1][0], "chart": draw_chart(points)}
            for (audience, kind), points in matched_by_audience(reports).items()
        ]
        files = [
            {
                **file_json(report),
                "id": file_id(report["file"]["key"]),
                "name": report["file"]["key"].rsplit("/", 1)[-1],
            }
            for report in reports
        ]
        pending = [file for file in files if file["status"] in {"waiting", "submitted"}]
        return {"name": name, "audiences": audiences, "files": files, "total": total, "pending": pending}

    def file(self, request: Request) -> Response:
        """Return the page of one file with all its versions."""
        name, key = self._find(request)
        versions = self._readers[name].versions(key)
        shown = [{**report, "until": waits_until(report)} for report in versions]
        return _html("file.html", advertiser=name, key=key, versions=shown)

    def doctor(self, request: Request) -> Response:
        """Return the page with the health checks and the dead letters."""
        connector = self._connector(request)
        checks = run_checks(connector, lambda: credentials_problem(connector))
        try:
            letters = queues.dead_letters(connector)
        except ConsoleError:
            letters = []
        return _html("doctor.html", advertiser=connector.label, checks=checks, letters=letters)

    def redrive(self, request: Request) -> Response:
        """Move the dead letters back to the queue, and redirect to the page with the health checks."""
        connector = self._connector(request)
        queues.redrive(connector)
        return RedirectResponse(f"/advertisers/{request.path_params['advertiser']}/doctor", status_code=303)

    async def detect(self, request: Request) -> Response:
        """Return the columns of a file. The request body is the first bytes of the file."""
        head = bytearray()
        async for chunk in request.stream():
            head += chunk
            if len(head) > HEAD_BYTES:
                break
        return JSONResponse(await run_in_threadpool(receive.detect_columns, bytes(head[:HEAD_BYTES])))

    async def upload(self, request: Request) -> Response:
        """Upload a file. The body is the file, and the header `X-Upload` contains the options as URL-encoded JSON."""
        header = request.headers.get("x-upload", "")
        try:
            upload_options = json.loads(unquote(header)) if len(header) <= _MAX_HEADER_BYTES else None
        except ValueError:
            upload_options = None
        connector = self._connector(request)
        chunks = receive.read_body(request.stream(), asyncio.get_running_loop())
        result = await run_in_threadpool(
            receive.receive_file, connector, receive.FileRequest.read(upload_options), chunks
        )
        if result["key"]:
            result["id"] = file_id(result["key"])
        return JSONResponse(result, status_code=200 if result["key"] else 422)

    def outcome(self, request: Request) -> Response:
        """Return the status of one upload; null until the connector has registered the upload."""
        name, key = self._find(request, missing_is_fine=True)
        report = self._readers[name].read(key, request.path_params["version"]) if key else None
        if report is None:
            return JSONResponse({"status": None})
        return JSONResponse({**file_json(report), "ended": is_final(report)})

    def _connector(self, request: Request) -> Connector:
        try:
            return self._connectors[request.path_params["advertiser"]]
        except KeyError:
            raise HTTPException(404) from None

    def _find(self, request: Request, *, missing_is_fine: bool = False) -> tuple[str, str]:
        """Return the advertiser and the object key for the path of a request.

        Raises:
            HTTPException: the advertiser does not exist, or there is no report for the file. With `missing_is_fine`,
                the key is empty if there is no report.
        """
        self._connector(request)
        name, wanted = request.path_params["advertiser"], request.path_params["file"]
        for location in self._readers[name].locations():
            if file_id(location.key) == wanted:
                return name, location.key
        if missing_is_fine:
            return name, ""
        raise HTTPException(404)


def _html(template: str, **values: Any) -> Response:
    return HTMLResponse(_TEMPLATES.get_template(template).render(**values))


def _console_error(request: Request, error: Exception) -> Response:
    return _error(request, str(error), 400)


def _http_error(request: Request, error: Exception) -> Response:
    status = error.status_code if isinstance(error, HTTPException) else 500
    if status == HTTPStatus.NOT_FOUND:
        text = "This page does not exist. Go back to the overview."
    else:
        text = "The page does not support this request. Go back to the overview."
    return _error(request, text, status)


def _unexpected_error(request: Request, error: Exception) -> Response:
    """Return an error page with only the exception's type, because its message may contain a raw value."""
    return _error(request, f"An internal error occurred ({type(error).__name__}). Reload the page and try again.", 500)


def _error(request: Request, text: str, status: int) -> Response:
    if "text/html" in request.headers.get("accept", ""):
        return HTMLResponse(_TEMPLATES.get_template("error.html").render(text=text), status_code=status)
    return JSONResponse({"error": text}, status_code=status)
