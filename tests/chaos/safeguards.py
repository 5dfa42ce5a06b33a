"""The chaos test without safeguards: `python -m tests.chaos.safeguards [name ...]`.

Each safeguard is removed in turn from a copy of the code. Without it, the chaos test must fail for one of three seeds.
The output has that seed and the first differences. The exit status is 1 if the chaos test passes without a safeguard.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
SEEDS = (1, 2, 3)
UPLOADS = "40"  # per advertiser: half of a normal run
COPIED = ("handler", "sandbox", "tests")


@dataclass(frozen=True)
class RemovedSafeguard:
    """One safeguard: the file that implements it, and the edits (old code, new code) that remove it."""

    file: str
    edits: Sequence[tuple[str, str]]


_UNCONDITIONAL = 'self._store.put(state_key(self.audience), self.state) or ""'

SAFEGUARDS = {
    # A lease is an expiration time, and a condition on each write of the state.
    "lease": RemovedSafeguard(
        "handler/state/lease.py",
        [
            ('state["held_until"] and parse_iso(state["held_until"]) > now()', "False"),
            ("self._store.write(state_key(self.audience), self.state, etag=self._etag)", _UNCONDITIONAL),
            ("store.write(state_key(audience), state, etag=etag)", 'store.put(state_key(audience), state) or ""'),
        ],
    ),
    "ledger": RemovedSafeguard(
        "handler/state/ledger.py", [("            if not is_final(report):", "            if False:")]
    ),
    "explicit action": RemovedSafeguard("handler/tiktok/client.py", [('"action": action.upper(), ', "")]),
    "last page": RemovedSafeguard(
        "handler/tiktok/client.py", [("while page <= pages:", "while page <= 1:"), ("len(items) == total", "True")]
    ),
    "partial failures": RemovedSafeguard("handler/app.py", [("(*outcomes.failed, *outcomes.returned)]", "()]")]),
    "back-off": RemovedSafeguard(
        "handler/events/queue.py", [("0 if immediately else backoff_seconds(record.receives)", "0")]
    ),
    "settling": RemovedSafeguard(
        "handler/activation/invocation.py", [("timedelta(seconds=self.settings.settle_seconds)", "timedelta()")]
    ),
    "intent": RemovedSafeguard("handler/activation/resolve.py", [("if intent is None:", "if True:")]),
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Remove safeguards one at a time; return 1 if the chaos test does not notice that one is missing."""
    parser = argparse.ArgumentParser(prog="python -m tests.chaos.safeguards", description=main.__doc__)
    parser.add_argument("names", nargs="*", metavar="name", help=", ".join(SAFEGUARDS))
    names = parser.parse_args(arguments).names or list(SAFEGUARDS)
    noticed = [_is_noticed(name, SAFEGUARDS[name]) for name in names]
    return int(not all(noticed))


def _is_noticed(name: str, removal: RemovedSafeguard) -> bool:
    with tempfile.TemporaryDirectory(prefix="chaos-") as directory:
        for folder in COPIED:
            shutil.copytree(ROOT / folder, Path(directory) / folder, ignore=shutil.ignore_patterns("__pycache__"))
        path = Path(directory) / removal.file
        text = path.read_text()
        for code, without in removal.edits:
            if code not in text:
                raise LookupError(f"{removal.file} no longer has {code!r}")
            text = text.replace(code, without, 1)
        path.write_text(text)
        for seed in SEEDS:
            command = [sys.executable, "-m", "tests.chaos", "--seed", str(seed), "--uploads", UPLOADS]
            run = subprocess.run(command, cwd=directory, capture_output=True, text=True, check=False)
            if run.returncode:
                differences = [line for line in run.stdout.splitlines() if not line.startswith("{")]
                differences = differences or run.stderr.splitlines()[-1:]
                print(
                    f"{name}: seed {seed}, {len(differences)} differences", *differences[:3], sep="\n    ", flush=True
                )
                return True
    print(f"{name}: not noticed with the seeds {SEEDS}", flush=True)
    return False


if __name__ == "__main__":
    sys.exit(main())
