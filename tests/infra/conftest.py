"""Runs of the real program that many tests look at: they are made once."""

from __future__ import annotations

import pytest

from tests.infra.harness import Program, run_program


@pytest.fixture(scope="session")
def program() -> Program:
    """The program with two plain advertisers."""
    return run_program([{"name": "acme"}, {"name": "globex"}])
