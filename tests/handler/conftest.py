"""Fixtures of the handler's tests, and the one place that checks that nothing personal is written anywhere."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator

import pytest

from sandbox.aws import aws_server
from sandbox.tiktok import TikTokEmulator
from tests.handler.world import ADVERTISER_ID, TOKEN, World

# A hash of any length the project knows, in any case, or an address. ETags and digests of ours are not 32 or 64 long
# where they stand alone: the scan looks only where people's data could be.
PERSONAL = re.compile(rb"(?<![0-9A-Za-z])(?:[0-9a-fA-F]{64}|[\w.+-]+@[\w-]+\.[a-z]+)(?![0-9A-Za-z])")


@pytest.fixture(scope="session")
def aws_url() -> Iterator[str]:
    server = aws_server()
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def world(aws_url: str, capsys: pytest.CaptureFixture[str]) -> Iterator[World]:
    with TikTokEmulator(accounts={ADVERTISER_ID: TOKEN}, processing_seconds=3600) as tiktok:
        world = World(aws_url, tiktok)
        yield world
        written = [world.log.getvalue().encode(), *_printed(world, capsys)]
        written += [
            world.s3.get_object(Bucket=world.bucket, Key=key)["Body"].read()
            for prefix in ("reports/", "audiences/", "pending/")
            for key in world.keys(prefix)
        ]
        written += [message.encode() for message in world.messages()]
        for text in written:
            assert TOKEN.encode() not in text
            assert not PERSONAL.search(text), PERSONAL.search(text)


def _printed(world: World, capsys: pytest.CaptureFixture[str]) -> list[bytes]:
    printed = capsys.readouterr()
    world.printed.append(printed.out)
    return [text.encode() for text in (*world.printed, printed.err)]
