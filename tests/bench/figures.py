"""The figures: name, description, measurement and budget."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from statistics import median

from tests.bench.activation import (
    activation_vs_copy,
    activation_vs_stream,
    calls_new_audience,
    first_invocation_vs_warm,
    peak_growth,
    peak_mib_1gib,
)
from tests.bench.cleaning import clean_columns_vs_csv, clean_vs_md5, dirty_vs_md5
from tests.bench.hashing import hash_vs_sha256
from tests.bench.importing import import_vs_sdks
from tests.bench.scenarios import backlog_calls, replace_calls, sweep_10k


@dataclass(frozen=True)
class Figure:
    """A performance figure: how it is measured, and its limit.

    Attributes:
        name: the name in the output.
        description: one line about the value.
        measure: returns one value per round.
        budget: the limit for the median; None for a figure that is only reported.
        aim: the value that changes should work toward.
        more_is_better: true if the budget is a minimum.
        digits: decimal places of the value.
    """

    name: str
    description: str
    measure: Callable[[], list[float]]
    budget: float | None = None
    aim: float | None = None
    more_is_better: bool = False
    digits: int = 3


@dataclass(frozen=True)
class Result:
    """A measured figure. Its value is the median of the rounds, rounded before it is compared with the budget."""

    figure: Figure
    rounds: list[float]

    @property
    def value(self) -> float:
        """Return the median, rounded."""
        return round(median(self.rounds), self.figure.digits)

    @property
    def met(self) -> bool | None:
        """Return true if the budget is met, or None if there is no budget."""
        budget = self.figure.budget
        if budget is None:
            return None
        return self.value >= budget if self.figure.more_is_better else self.value <= budget


def _program_vs_flat() -> list[float]:
    # Importing Pulumi takes a second and a lot of memory. Only this figure needs it.
    from tests.bench.program import program_vs_flat  # noqa: PLC0415

    return program_vs_flat()


FIGURES = (
    Figure(
        "clean_vs_md5",
        "speed of cleaning, splitting and MD5, relative to MD5 only: 4 million clean rows, one thread",
        clean_vs_md5,
        budget=0.60,
        aim=0.70,
        more_is_better=True,
    ),
    Figure(
        "dirty_vs_md5",
        "the same for rows in upper case with CRLF, one in a hundred faulty",
        dirty_vs_md5,
        budget=0.30,
        aim=0.40,
        more_is_better=True,
    ),
    Figure(
        "clean_columns_vs_csv",
        "speed of cleaning a file with three columns, relative to the csv module reading the same bytes",
        clean_columns_vs_csv,
        budget=1.0,
        aim=1.5,
        more_is_better=True,
    ),
    Figure(
        "activation_vs_copy",
        "speed of an activation of 260 MB by a warm function, relative to reading and then uploading the same parts",
        activation_vs_copy,
        budget=0.55,
        aim=0.75,
        more_is_better=True,
    ),
    Figure(
        "activation_vs_stream",
        "the same, relative to a copy that uploads while it reads and knows the MD5 of each part in advance",
        activation_vs_stream,
        more_is_better=True,
    ),
    Figure(
        "peak_mib_1gib",
        "peak resident memory of the function's process in MiB: 1 GiB file, 512 MiB of address space",
        peak_mib_1gib,
        budget=150,
        aim=110,
        digits=1,
    ),
    Figure("peak_growth", "the same, relative to the peak for a 64 MiB file", peak_growth, budget=1.10, aim=1.03),
    Figure(
        "import_vs_sdks",
        "time to import handler.app in a new process, relative to importing boto3 and requests only",
        import_vs_sdks,
        budget=1.30,
        aim=1.15,
    ),
    Figure(
        "first_invocation_vs_warm",
        "time to activate a small file with a cold start, relative to a warm invocation",
        first_invocation_vs_warm,
    ),
    Figure(
        "calls_new_audience",
        "TikTok calls until one part for a new audience is submitted, with up to 100 other audiences",
        calls_new_audience,
        budget=3,
        aim=3,
        digits=0,
    ),
    Figure(
        "replace_calls",
        "TikTok calls for a replace of 200 part files, once the list is complete",
        replace_calls,
        budget=202,
        aim=4,
        digits=0,
    ),
    Figure(
        "backlog_calls",
        "TikTok changes for a daily append and a daily remove that waited for 30 days",
        backlog_calls,
        budget=2,
        aim=2,
        digits=0,
    ),
    Figure(
        "sweep_10k",
        "S3 requests of a sweep while 10,000 uploads wait",
        sweep_10k,
        budget=30,
        aim=15,
        digits=0,
    ),
    Figure(
        "program_vs_flat",
        "CPU time of the Pulumi program with 100 advertisers, relative to the same resources without components",
        _program_vs_flat,
        budget=1.2,
        aim=1.1,
    ),
    Figure(
        "hash_vs_sha256",
        "speed of the console's `hash` for 10 million email addresses, relative to a loop that only hashes them",
        hash_vs_sha256,
        budget=0.5,
        aim=1.5,
        more_is_better=True,
    ),
)
