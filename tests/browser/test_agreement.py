"""Test that `check` and the function agree on the demo's samples and on generated files, plain and compressed."""

from __future__ import annotations

import bz2
import gzip
import random
import time
from collections.abc import Mapping
from typing import Any

from console.function import evaluate_file
from sandbox.demo.samples import samples
from tests.browser.conftest import Sandbox
from tests.handler.cleaning.fuzz import make_file

FILES = 40
PACKS = (bytes, bytes, gzip.compress, bz2.compress)


def corpus() -> dict[str, tuple[str, bytes]]:
    """Return the identifier type and the content of each file, by name."""
    source = random.Random(13)  # noqa: S311 - repeatable test data
    files = {f"fuzz{number}": ("email_sha256", make_file(source, 64)) for number in range(FILES)}
    files = {name: (kind, source.choice(PACKS)(content)) for name, (kind, content) in files.items()}
    demo = [sample for sample in samples("acme", 0.1) if "/replace/" not in sample.key and sample.content]
    return files | {f"demo{number}": (sample.audience[1], sample.content) for number, sample in enumerate(demo)}


def counts(report: Mapping[str, Any]) -> tuple[int, int, int] | None:
    rows = report["rows"]
    return (rows["total"], rows["accepted"], rows["rejected"]) if rows["total"] else None


def test_check_and_the_function_agree(sandbox: Sandbox) -> None:
    advertiser = sandbox.connectors.advertisers["globex"]
    files = {name: each for name, each in corpus().items() if "_" in each[0]}
    for name, (kind, content) in files.items():
        sandbox.connectors.upload(advertiser, f"tiktok/agree {name}/{kind}/append/{name}.csv", content)
    reports: dict[str, Mapping[str, Any]] = {}
    deadline = time.monotonic() + 150
    while len(reports) < len(files) and time.monotonic() < deadline:
        time.sleep(1)
        for key, _ in sandbox.connectors.keys(advertiser, "reports/tiktok/agree "):
            report = sandbox.connectors.read(advertiser, key)
            if report["rows"]["total"] is not None or report["status"] in {"rejected", "skipped", "failed"}:
                reports[key.split("/")[2].removeprefix("agree ")] = report
    assert reports.keys() == files.keys()
    for name, (kind, content) in files.items():
        try:
            verdict = evaluate_file([content], kind)
        except ValueError:  # `kind` is not an identifier type
            assert reports[name]["code"] == "unknown_identifier_type"
            continue
        report = reports[name]
        if verdict.code:
            assert (name, report["status"], report["code"]) == (name, verdict.status, verdict.code)
        else:
            assert report["status"] not in {"rejected", "skipped"}, (name, report["code"], report["reason"])
        total = (verdict.total, verdict.accepted, verdict.rejected) if verdict.total else None
        assert (name, counts(report)) == (name, total)
        found = [(each["line"], each["reason"]) for each in report["rejections"]]
        assert (name, found) == (name, [(line, reason) for line, reason, _ in verdict.rejections])
