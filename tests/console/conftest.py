"""Fixtures of the console's tests: those of the handler, whose uploads the console works on."""

from __future__ import annotations

from tests.handler.conftest import aws, world

__all__ = ["aws", "world"]
