"""The running sandbox for the documentation's shell lines, as the console's tests start it."""

from tests.browser.conftest import sandbox

__all__ = ["sandbox"]
