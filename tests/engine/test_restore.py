"""A destroyed connector is restored with its retained bucket and key, as the operations page describes."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from typing import Any

from tests.docs.pages import ROOT, blocks
from tests.engine.conftest import MakeStack
from tests.engine.stacks import PROJECT, Engine

HERE = "tests/engine/test_restore.py"
PAGE = ROOT / "docs" / "operations.md"


def kept(bucket: str, key: str) -> str:
    """Return the import file from the page, with its placeholders replaced."""
    (text,) = re.findall(r"^```json\n(\{\n  \"resources\".*?)^```$", PAGE.read_text(), re.MULTILINE | re.DOTALL)
    filled: str = text.replace("<bucket>", bucket).replace("<key id>", key)
    return filled


def test_a_new_deployment_uses_the_retained_bucket_and_key(
    make_stack: MakeStack, engine: Engine, tmp_path: Path
) -> None:
    stack = make_stack()
    stack.configure([{"name": "acme"}])
    assert stack.up().error is None
    before = stack.outputs()["advertisers"]["acme"]
    assert stack.destroy().error is None
    assert stack.resources() == []

    stack.configure([{"name": "acme", "bucketName": before["bucket"]}])
    # The command needs the language host of the project, but runs no program. Only the host for YAML can be built here.
    folder = tmp_path / "import"
    folder.mkdir()
    (folder / "Pulumi.yaml").write_text(f"name: {PROJECT}\nruntime: yaml\n")
    (folder / "kept.json").write_text(kept(before["bucket"], before["key_arn"].rpartition("/")[2]))
    (block,) = [block for block in blocks(PAGE) if block.tested_by == HERE]
    line = next(line for line in block.lines.splitlines() if line.startswith("pulumi import"))
    done = subprocess.run(
        ["/bin/bash", "-euc", f"{line} --yes --stack dev"],
        cwd=folder,
        env={**engine.environment(tmp_path / "dev" / "home"), "HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr

    changes = {(step.kind, step.operation) for step in stack.preview().steps}
    assert not {operation for _, operation in changes} & {"replace", "delete", "create-replacement"}
    assert not {("Bucket", "create"), ("Key", "create")} & changes
    assert stack.up().error is None
    after: dict[str, Any] = stack.outputs()["advertisers"]["acme"]
    assert (after["bucket"], after["key_arn"].rpartition("/")[2]) == (
        before["bucket"],
        before["key_arn"].rpartition("/")[2],
    )
    assert stack.preview().operations() == set()
