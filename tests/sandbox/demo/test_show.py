"""The demo's output: it fits in 80 columns, summarizes the result, and has colors only on a terminal."""

from __future__ import annotations

import io
from typing import Any, cast

from rich.console import Console

from sandbox.demo.connectors import Connectors
from sandbox.demo.samples import other_samples, samples
from sandbox.demo.scenario import Plan
from sandbox.demo.show import files, summary
from sandbox.demo.watch import Watch

PLAN: Plan = {"acme": samples("acme"), "globex": other_samples("globex")}


def watched() -> Watch:
    """Return a watch with reports that have the expected results of all samples."""
    watch = Watch(cast("Connectors", None))
    for name, some in PLAN.items():
        for sample in some:
            if sample.status:
                accepted, rejected = sample.rows or (None, None)
                report: dict[str, Any] = {
                    "status": sample.status,
                    "code": sample.code,
                    "rows": {"accepted": accepted, "rejected": rejected},
                }
                watch.reports[name, sample.key] = report
    return watch


def printed(**options: Any) -> str:
    out = io.StringIO()
    Console(file=out, width=80, **options).print(files(watched(), PLAN))
    return out.getvalue()


def test_the_table_fits_into_80_columns_without_colors() -> None:
    text = printed()
    assert "\x1b" not in text
    assert max(map(len, text.splitlines())) <= 80
    assert [line for line in text.splitlines() if line.startswith("  newsletter.csv")]
    codes = {sample.code.replace("_", " ") for some in PLAN.values() for sample in some if sample.status}
    assert not [code for code in codes if code not in text], "no code may be truncated"


def test_a_terminal_gets_colors() -> None:
    assert "\x1b" in printed(force_terminal=True)


def test_the_summary_counts_the_files_by_status() -> None:
    every = [sample for some in PLAN.values() for sample in some if sample.status]
    counted = {status: sum(sample.status == status for sample in every) for status in ("available", "skipped")}
    text = summary(PLAN)
    assert text.startswith(f"{counted['available']} of {len(every)} available; {counted['skipped']} skipped, ")
    assert text.endswith("failed on purpose.")
