"""The names and budgets of the figures, and the output of the benchmark; nothing is timed here."""

from __future__ import annotations

import json

import pytest

from tests.bench import __main__ as bench
from tests.bench.figures import FIGURES, Figure, Result
from tests.bench.scenarios import backlog_calls, replace_calls

pytestmark = pytest.mark.processes

BUDGETS = {
    "clean_vs_md5": 0.60,
    "dirty_vs_md5": 0.30,
    "clean_columns_vs_csv": 1.0,
    "activation_vs_copy": 0.55,
    "activation_vs_stream": None,
    "peak_mib_1gib": 150,
    "peak_growth": 1.10,
    "import_vs_sdks": 1.30,
    "first_invocation_vs_warm": None,
    "calls_new_audience": 3,
    "replace_calls": 202,
    "backlog_calls": 2,
    "sweep_10k": 30,
    "program_vs_flat": 1.2,
    "hash_vs_sha256": 0.5,
}


def _result(name: str, *rounds: float) -> Result:
    return Result(next(each for each in FIGURES if each.name == name), list(rounds))


def test_every_budget_is_measured() -> None:
    assert {each.name: each.budget for each in FIGURES} == BUDGETS


def test_an_aim_is_never_easier_than_the_budget() -> None:
    for each in FIGURES:
        if each.budget is not None and each.aim is not None:
            assert each.aim >= each.budget if each.more_is_better else each.aim <= each.budget


def test_the_median_round_is_compared_with_the_budget() -> None:
    assert _result("clean_vs_md5", 0.9, 0.1, 0.6, 0.59, 0.7).met is True
    assert _result("clean_vs_md5", 0.9, 0.1, 0.5, 0.54, 0.7).met is False
    assert _result("peak_growth", 1.0, 2.0, 1.1, 1.05, 1.2).met is True
    assert _result("peak_growth", 1.0, 2.0, 1.11, 1.1, 1.2).met is False
    assert _result("first_invocation_vs_warm", 9.0).met is None


def test_a_figure_is_measured_and_printed_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert bench.main(["--json", "calls_new_audience"]) == 0
    assert json.loads(capsys.readouterr().out) == {"calls_new_audience": {"value": 3, "budget": 3, "met": True}}


def test_waiting_uploads_and_part_files_are_sent_together() -> None:
    assert backlog_calls(days=3) == [2]
    assert replace_calls(files=12) == [3]


def test_a_missed_budget_shows_in_the_table_and_the_exit_status(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    slow = Figure("slow", "too slow", lambda: [1.0, 3.0, 2.0], budget=1.5, aim=1)
    monkeypatch.setattr(bench, "FIGURES", (slow,))
    assert bench.main([]) == 1
    line = " ".join(capsys.readouterr().out.splitlines()[1].split())
    assert line == "slow 2.000 1.000 to 3.000 at most 1.5 1 NO"


def test_an_unknown_name_is_an_error() -> None:
    with pytest.raises(SystemExit):
        bench.main(["speed"])
