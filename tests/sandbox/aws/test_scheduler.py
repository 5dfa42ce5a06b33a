"""The rates of schedules."""

from __future__ import annotations

import pytest

from sandbox.aws.scheduler import rate_seconds


def test_a_rate_is_converted_to_seconds() -> None:
    assert [rate_seconds(f"rate({rate})") for rate in ("1 minute", "10 minutes")] == [60, 600]


def test_another_kind_of_schedule_is_refused() -> None:
    for expression in ("cron(0 12 * * ? *)", "rate(2 hours)", "rate(minute)"):
        with pytest.raises(ValueError, match="is not a rate"):
            rate_seconds(expression)
