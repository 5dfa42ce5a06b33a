"""The requests that the client sends to TikTok, without the credentials and the base URL."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple


class CallRequest(NamedTuple):
    """The method, path and arguments of one call to TikTok.

    Attributes:
        method: the HTTP method.
        call: the last components of the URL path, such as `list` or `file/upload`.
        arguments: takes the advertiser id and returns keyword arguments for `requests`.
        repeatable: true if a retry does no harm even if TikTok carried out the first try.
    """

    method: str
    call: str
    arguments: Callable[[str], dict[str, Any]]
    repeatable: bool = True


def get_request(call: str, query: Mapping[str, Any]) -> CallRequest:
    """Return a GET request for a call that only reads."""
    return CallRequest("GET", call, lambda advertiser_id: {"params": {"advertiser_id": advertiser_id, **query}})


def post_request(call: str, body: Mapping[str, Any]) -> CallRequest:
    """Return a POST request for a call that makes a change, which is not safe to repeat."""
    return CallRequest(
        "POST", call, lambda advertiser_id: {"json": {"advertiser_id": advertiser_id, **body}}, repeatable=False
    )
