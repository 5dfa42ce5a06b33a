"""HTTP adapters that alter the responses of the TikTok emulator or shorten the timeout."""

from __future__ import annotations

import json
from collections.abc import Callable
from io import BytesIO
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from urllib3 import HTTPResponse

from tests.handler.world import World

Alter = Callable[[dict[str, Any]], object]


class AlteredResponses(HTTPAdapter):
    """An adapter that alters the next responses: `times` of them, or all if `times` is -1."""

    def __init__(self, alter: Alter, times: int, status: int) -> None:
        super().__init__()
        self._alter, self._left, self._status = alter, times, status

    def send(self, request: requests.PreparedRequest, *args: Any, **kwargs: Any) -> requests.Response:
        response = super().send(request, *args, **kwargs)
        if not self._left:
            return response
        self._left -= 1
        altered = self._alter(response.json())
        body = altered if isinstance(altered, bytes) else json.dumps(altered).encode()
        return self.build_response(request, HTTPResponse(BytesIO(body), status=self._status, preload_content=False))


def alter(world: World, call: str, alter: Alter, times: int = -1, status: int = 200) -> None:
    """Alter the next `times` responses to a call; -1 alters all of them."""
    world.function.session.mount(_url(world, call), AlteredResponses(alter, times, status))


class ShortTimeout(HTTPAdapter):
    """An adapter with a fixed timeout."""

    def __init__(self, seconds: float) -> None:
        super().__init__()
        self._seconds = seconds

    def send(self, request: requests.PreparedRequest, *args: Any, **kwargs: Any) -> requests.Response:
        return super().send(request, *args, **kwargs | {"timeout": self._seconds})


def set_timeout(world: World, call: str, seconds: float) -> None:
    """Set the timeout of a call, in seconds."""
    world.function.session.mount(_url(world, call), ShortTimeout(seconds))


def _url(world: World, call: str) -> str:
    return f"{world.tiktok.url}/open_api/v1.3/dmp/custom_audience/{call}"


def data(content: object) -> Alter:
    """Return an alteration that replaces `data` in the response."""
    return lambda response: {**response, "data": content}


def without(*fields: str) -> Alter:
    """Return an alteration of `list` or `get` that removes these fields from every audience."""

    def remove(response: dict[str, Any]) -> object:
        for item in response["data"]["list"]:
            for field in fields:
                item.pop(field, None)
                item.get("audience_details", {}).pop(field, None)
        return response

    return remove
