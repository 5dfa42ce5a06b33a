"""Test of Ctrl-C at a prompt on a terminal."""

from __future__ import annotations

import json
import os
import pty
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from console.errors import Exit
from tests.console.processes import ROOT


@pytest.mark.parametrize("command", ["credentials", "forget"])
def test_ctrl_c_at_a_prompt_has_its_own_exit_code(tmp_path: Path, command: str) -> None:
    outputs = tmp_path / "outputs.json"
    outputs.write_text(json.dumps({"acme": {"bucket": "b"}}))
    master, terminal = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "console", command, "--outputs", str(outputs)],
        stdin=terminal,
        stdout=terminal,
        stderr=terminal,
        cwd=ROOT,
        start_new_session=True,  # so that the prompt is on this terminal, even if the tests run on another one
    )
    try:
        printed = b""
        while b"not shown" not in printed:
            printed += os.read(master, 1000)
        process.send_signal(signal.SIGINT)
        assert process.wait(60) == Exit.INTERRUPTED
    finally:
        process.kill()
        os.close(master)
        os.close(terminal)
