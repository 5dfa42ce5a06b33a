"""The running sandbox for the shell commands of the documentation."""

from tests.browser.conftest import sandbox

__all__ = ["sandbox"]
