"""Files with columns that TikTok refuses: the reason says that TikTok does not document empty fields."""

from __future__ import annotations

import pytest

from tests.handler.world import World, people

HEADER = "email_sha256,phone_sha256\n"
ROWS = "".join(f"{first},{second}\n" for first, second in zip(people(0, 1500), people(5000, 1500), strict=True))


@pytest.mark.parametrize("folder", ["append/", "replace/"])
def test_the_reason_says_that_empty_fields_are_not_documented(world: World, folder: str) -> None:
    world.tiktok.fault("create", "code", code=40006, message="Invalid file content.", times=None)
    key = f"tiktok/vip/multiple_types/{folder}x.csv"
    report = world.activate(key, f"{HEADER}{ROWS}".encode())
    assert (report["status"], report["code"]) == ("failed", "request_refused")
    assert "Invalid file content" in report["reason"]
    assert "empty fields" in report["reason"]


def test_the_reason_says_so_if_tiktok_refuses_the_file_during_processing(world: World) -> None:
    """In this case, TikTok shows its message in the audience."""
    key = "tiktok/vip/multiple_types/append/x.csv"
    world.activate("tiktok/vip/multiple_types/base.csv", f"{HEADER}{ROWS}".encode())
    world.sweep(hours=1)
    world.tiktok.configure(accepts_empty_fields=False)
    world.activate(key, f"{HEADER}{people(9000, 1)[0]},\n".encode())
    world.sweep(hours=1)
    report = world.report(key)
    assert (report["status"], report["code"]) == ("failed", "processing_failed")
    assert "empty fields" in report["reason"]
