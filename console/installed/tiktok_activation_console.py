"""The entry point of the console, in a checkout and in an installed package.

In a checkout, `console` and `handler` are top-level packages. In the installed package, both are inside
`tiktok_activation`, so that their general names do not conflict with other packages.
"""

from __future__ import annotations

import sys
from pathlib import Path

_INSTALLED = Path(__file__).with_name("tiktok_activation")


def main() -> None:
    """Run the console and exit with its exit code."""
    if _INSTALLED.is_dir():
        sys.path.insert(0, str(_INSTALLED))
    try:
        from console.cli import main as run  # noqa: PLC0415 - importable only after the path was extended
    except ModuleNotFoundError as missing:
        sys.exit(
            f"Error: The library {missing.name} is not installed. Install this package with the `console` extra:\n"
            "  pip install 'tiktok-activation-connector[console] @ git+<URL of the repository>'"
        )
    run()
