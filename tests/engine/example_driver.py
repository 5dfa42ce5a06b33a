"""Runs a Python program with the engine, in an environment that has only the packages that the program needs.

python example_driver.py <folder for the workspace> <program>    prints the stack's outputs as JSON
"""

from __future__ import annotations

import json
import runpy
import sys

from pulumi import automation


def main(folder: str, program: str) -> None:
    """Update the stack and print its outputs."""
    stack = automation.create_or_select_stack(
        stack_name="dev",
        project_name="tiktok-audiences",
        program=lambda: (runpy.run_path(program, run_name="__main__"), None)[1],
        opts=automation.LocalWorkspaceOptions(work_dir=folder),
    )
    stack.set_config("aws:region", automation.ConfigValue("us-east-1"))
    outputs = stack.up().outputs
    print(json.dumps({name: output.value for name, output in outputs.items()}))


if __name__ == "__main__":
    main(*sys.argv[1:])
