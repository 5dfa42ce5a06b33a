"""Faults that a run must not show in its traces: calls after a limit, and anybody's identifier, address or token."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator

from tests.chaos.run import ChaosRun
from tests.chaos.uploads import TYPES, line
from tests.chaos.wire import WireCall

MAX_TRIES = 3  # "a few quick retries in the call"
_HEX = re.compile(r"[0-9a-fA-F]{32,64}")


def limits_ignored(calls: Iterable[WireCall]) -> Iterator[str]:
    """An invocation that meets a minute or day limit ends its calls, after a few quick retries of this one.

    If a call gets through between two limits, they are two.
    """
    limited: dict[str, list[WireCall]] = defaultdict(list)
    for call in calls:
        met = limited[call.invocation]
        if not call.limit:
            met.clear()
            continue
        met.append(call)
        names = [each.name for each in met]
        if len(met) > MAX_TRIES or len(set(names)) > 1:
            yield f"an invocation of {met[0].at:%d %H:%M:%S} went on after the {met[0].limit}: {names}"


def personal_data(run: ChaosRun) -> Iterator[str]:
    """No identifier, address or token is in anything that the function wrote or printed."""
    secret = {
        value
        for one in run.advertisers
        for upload in one.workload.uploads
        for person in upload.file.people
        for value in line((upload.audience or ("", TYPES[0]))[1], person).split(",")
    }
    tokens = [token for one in run.advertisers for token in one.tokens]
    for where, text in _texts(run):
        if any(token in text for token in tokens):
            yield f"{where} holds a token"
        if "@example.com" in text:
            yield f"{where} holds an email address"
        if any(found.lower() in secret for found in _HEX.findall(text)):
            yield f"{where} holds an identifier"


def _texts(run: ChaosRun) -> Iterator[tuple[str, str]]:
    yield "the log", run.log.getvalue()
    yield "what was printed, metrics included,", run.printed.getvalue()
    for one in run.advertisers:
        for text in run.texts(one):
            yield f"the bucket or queue of {one.name}", text
