"""Fixtures for the console's tests, imported from the handler's tests."""

from __future__ import annotations

from tests.handler.conftest import aws, world

__all__ = ["aws", "world"]
