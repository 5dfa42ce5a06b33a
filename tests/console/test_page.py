"""Tests of the web page's guard, column detection, and chart."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from starlette.types import Message

from console.web.chart import HEIGHT, WIDTH, draw_chart
from console.web.receive import detect_columns
from console.web.security import COOKIE, Guard

TOKEN, PORT = "token-of-this-session", 8420
HOST = f"127.0.0.1:{PORT}"
INSIDE = {"host": HOST, "cookie": f"{COOKIE}-{PORT}={TOKEN}"}


@dataclass(frozen=True)
class PageResponse:
    status: int
    headers: Mapping[str, str]
    text: str


def ask(headers: Mapping[str, str], method: str = "GET", query: str = "") -> PageResponse:
    """Send one request to a page behind the guard."""

    def page(_: Request) -> PlainTextResponse:
        return PlainTextResponse("inside")

    app = Guard(Starlette(routes=[Route("/", page, methods=["GET", "POST"])]), TOKEN, PORT)
    sent: list[Message] = []

    async def receive() -> Message:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Message) -> None:
        sent.append(message)

    scope = {
        "type": "http",
        "method": method,
        "path": "/",
        "query_string": query.encode(),
        "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
    }
    asyncio.run(app(scope, receive, send))
    start, *rest = sent
    found = {name.decode(): value.decode() for name, value in start["headers"]}
    return PageResponse(start["status"], found, b"".join(each.get("body", b"") for each in rest).decode())


def test_the_token_is_exchanged_for_a_cookie_that_gives_access() -> None:
    response = ask({"host": HOST}, query=f"token={TOKEN}")
    assert (response.status, response.headers["location"]) == (303, "/")
    cookie = response.headers["set-cookie"].lower()
    assert cookie.startswith(INSIDE["cookie"].lower())
    assert "httponly" in cookie
    assert "samesite=strict" in cookie
    response = ask(INSIDE)
    assert response.text == "inside"
    assert "default-src 'none'" in response.headers["content-security-policy"]
    assert response.headers["referrer-policy"] == "same-origin"


@pytest.mark.parametrize("query", ["", "token=guessed", "token="])
def test_a_request_without_the_token_is_refused(query: str) -> None:
    response = ask({"host": HOST, "cookie": f"{COOKIE}-{PORT}=guessed"}, query=query)
    assert (response.status, "inside" in response.text) == (403, False)
    assert "content-security-policy" in response.headers


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1:9999", f"evil.example:{PORT}", "127.0.0.1"])
def test_a_foreign_host_is_refused(host: str) -> None:
    assert ask({**INSIDE, "host": host}).status == 403


@pytest.mark.parametrize("origin", ["http://evil.example", "null", "http://127.0.0.1:9999", f"https://{HOST}"])
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_foreign_origin_is_refused(origin: str, method: str) -> None:
    assert ask({**INSIDE, "origin": origin}, method).status == 403


def test_a_post_request_needs_an_origin() -> None:
    assert ask(INSIDE, "POST").status == 403
    assert ask({**INSIDE, "origin": f"http://{HOST}"}, "POST").text == "inside"


def test_column_detection_returns_names_and_counts_but_no_values() -> None:
    found = detect_columns(b"email,phone,first_name\nprivate@example.com,+491701234567,Anna\n,,Ben\n")
    assert [(each["name"], each["filled"], each["kinds"]) for each in found["columns"]] == [
        ("email", 1, ["email"]),
        ("phone", 1, ["phone"]),
        ("first_name", 2, []),
    ]
    assert found["type"] == "multiple_types"
    assert "private" not in str(found)
    assert "1234567" not in str(found)


def test_all_points_of_a_chart_are_inside_its_box() -> None:
    chart = draw_chart([("2026-01-01T00:00:00Z", 0), ("2026-01-05T00:00:00Z", 5000), ("2026-01-09T00:00:00Z", 2000)])
    coordinates = [tuple(map(float, each.split(","))) for each in chart.line.split()]
    assert all(0 <= x <= WIDTH and 0 <= y <= HEIGHT for x, y in coordinates)
    assert chart.title == "0 to 2,000 matched users in 3 changes"
    assert draw_chart([("2026-01-01T00:00:00Z", 7)]).title == "7 matched users"
