"""The running sandbox for the tests of the console's commands and web page. All tests share it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from sandbox.aws.stack import CREDENTIALS
from sandbox.demo.connectors import Connectors
from tests.console.processes import Completed, console


@dataclass(frozen=True)
class Sandbox:
    """The running connectors, and the environment variables with which the console finds them."""

    connectors: Connectors
    environment: dict[str, str]

    def run(self, *arguments: object, given: str = "") -> Completed:
        """Run a console command with `given` as its standard input."""
        return console(*arguments, env=self.environment, given=given)


@pytest.fixture(scope="session")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    with Connectors() as connectors:
        connectors.pause_schedules(paused=False)
        outputs = tmp_path_factory.mktemp("stack") / "outputs.json"
        outputs.write_text(json.dumps(connectors.cloud.outputs))
        environment = {
            **{name.upper(): value for name, value in CREDENTIALS.items()},
            "AWS_ENDPOINT_URL": connectors.cloud.url,
            "AWS_DEFAULT_REGION": connectors.cloud.region,
            "TIKTOK_API_URL": connectors.tiktok_url,
            "TIKTOK_ACTIVATION_OUTPUTS": str(outputs),
        }
        yield Sandbox(connectors, environment)


Write = Callable[[str, str], Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def write_file(name: str, content: str) -> Path:
        path = tmp_path / name
        path.write_text(content, encoding="utf-8")
        return path

    return write_file


def people(name: str, count: int = 1200) -> str:
    """Return a CSV file with made-up people."""
    lines = [f"{name}{number}@example.com,+49170{number:07},Anna" for number in range(count)]
    return "\n".join(["email,phone,first_name", *lines]) + "\n"
