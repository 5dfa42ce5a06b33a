"""TikTok with answers that the emulator would not give: the handler's own session goes through an alteration."""

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


class OddTikTok(HTTPAdapter):
    """A way to the emulator on which answers are altered."""

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
    """Alter the next answers to a call; -1 is all of them."""
    url = f"{world.tiktok.url}/open_api/v1.3/dmp/custom_audience/{call}"
    world.here.session.mount(url, OddTikTok(alter, times, status))


def data(content: object) -> Alter:
    return lambda answer: {**answer, "data": content}


def without(*fields: str) -> Alter:
    """The answer of `list` or `get` without these fields of every audience."""

    def remove(answer: dict[str, Any]) -> object:
        for item in answer["data"]["list"]:
            for field in fields:
                item.pop(field, None)
                item.get("audience_details", {}).pop(field, None)
        return answer

    return remove
