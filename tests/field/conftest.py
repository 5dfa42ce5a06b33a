"""Fixtures of the acceptance tests. After each test with a `connector`, all output is searched for personal data."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from sandbox.tiktok.emulator import TikTokEmulator
from tests.field.connector import FieldConnector
from tests.handler.world import ADVERTISER_ID
from tests.privacy import TOKEN, assert_nothing_personal
from tests.servers import InProcessAws


@pytest.fixture(scope="session")
def aws() -> InProcessAws:
    return InProcessAws()


@pytest.fixture
def connector(aws: InProcessAws, capsys: pytest.CaptureFixture[str]) -> Iterator[FieldConnector]:
    with TikTokEmulator(accounts={ADVERTISER_ID: TOKEN}, processing_seconds=3600) as tiktok:
        connector = FieldConnector(aws, tiktok, capsys)
        yield connector
        connector.metric_totals()
        assert_nothing_personal([*connector.written(), *connector.printed])
