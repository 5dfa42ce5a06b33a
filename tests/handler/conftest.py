"""Fixtures of the handler's tests. After each test with a `world`, all output is searched for personal data."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from sandbox.tiktok.emulator import TikTokEmulator
from tests.handler.world import ADVERTISER_ID, World
from tests.privacy import TOKEN, assert_nothing_personal
from tests.servers import InProcessAws


@pytest.fixture(scope="session")
def aws() -> InProcessAws:
    return InProcessAws()


@pytest.fixture
def world(aws: InProcessAws, capsys: pytest.CaptureFixture[str]) -> Iterator[World]:
    with TikTokEmulator(accounts={ADVERTISER_ID: TOKEN}, processing_seconds=3600) as tiktok:
        world = World(aws, tiktok)
        yield world
        printed = capsys.readouterr()
        assert_nothing_personal([*world.written(), *world.printed, printed.out, printed.err])
