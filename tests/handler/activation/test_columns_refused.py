"""A file with columns that TikTok refuses: the reason says what is not documented about the format."""

from __future__ import annotations

import pytest

from tests.handler.world import World, people

ROWS = "".join(f"{first},{second}\n" for first, second in zip(people(0, 1500), people(5000, 1500), strict=True))


@pytest.mark.parametrize("folder", ["append/", "replace/"])
def test_the_reason_says_that_empty_fields_are_not_documented(world: World, folder: str) -> None:
    world.tiktok.fault("create", "code", code=40006, message="Invalid file content.", times=None)
    key = f"tiktok/vip/multiple_types/{folder}x.csv"
    report = world.activate(key, f"email_sha256,phone_sha256\n{ROWS}".encode())
    assert (report["status"], report["code"]) == ("failed", "request_refused")
    assert "Invalid file content" in report["reason"]
    assert "empty fields" in report["reason"]
