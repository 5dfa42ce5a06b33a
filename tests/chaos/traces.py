"""Checks of the traces of a run: no calls after a limit except quick retries, and no personal data in any output."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator

from tests.chaos.run import ChaosRun
from tests.chaos.uploads import TYPES, line
from tests.chaos.wire import WireCall

MAX_TRIES = 3  # tries of one call, as in the handler's client
_HEX = re.compile(r"[0-9a-fA-F]{32,64}")


def limits_ignored(calls: Iterable[WireCall]) -> Iterator[str]:
    """Describe each invocation that, at a minute or day limit, made different calls or more than three tries of one.

    A call while no limit is exhausted resets the count, so that the next limit is counted separately.
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
            yield f"an invocation of {met[0].at:%d %H:%M:%S} made calls after the {met[0].limit}: {names}"


def personal_data(run: ChaosRun) -> Iterator[str]:
    """Describe each output of the function that contains an identifier, an email address or a token."""
    secret = {
        value
        for advertiser in run.advertisers
        for upload in advertiser.workload.uploads
        for person in upload.file.people
        for value in line((upload.audience or ("", TYPES[0]))[1], person).split(",")
    }
    tokens = [token for advertiser in run.advertisers for token in advertiser.tokens]
    for where, text in _texts(run):
        if any(token in text for token in tokens):
            yield f"{where} holds a token"
        if "@example.com" in text:
            yield f"{where} holds an email address"
        if any(found.lower() in secret for found in _HEX.findall(text)):
            yield f"{where} holds an identifier"


def _texts(run: ChaosRun) -> Iterator[tuple[str, str]]:
    yield "the log", run.log.getvalue()
    yield "the printed output", run.printed.getvalue()
    for advertiser in run.advertisers:
        for text in run.texts(advertiser):
            yield f"the bucket or queue of {advertiser.name}", text
