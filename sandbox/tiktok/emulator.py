"""An emulator of TikTok's calls for customer-file audiences: its rules, limits, delays and faults included.

In a process of its own: `python -m sandbox.tiktok --port 0` prints {"url": ...} and serves until SIGTERM. In a test:

    with TikTokEmulator(accounts={"7000000000000000001": "token"}, processing_seconds=60) as emulator:
        ...                     # a client at emulator.url
        emulator.advance(60)    # the emulator's clock, so that nobody sleeps

Every control is a method here and a path below /_emulator/ for other processes (`sandbox.tiktok.controls`).
"""

from __future__ import annotations

import argparse
import json
import os
import signal
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from threading import Event
from typing import Any, Self

from sandbox.processes import stop_with_parent
from sandbox.tiktok.audience import Audience
from sandbox.tiktok.controls import control
from sandbox.tiktok.faults import Fault, Faults
from sandbox.tiktok.http import Call, Reply, Server
from sandbox.tiktok.platform import Platform
from sandbox.tiktok.rules import PARTIAL, Settings, merged
from sandbox.tiktok.seed import seeded

_STOPPERS = {signal.SIGTERM, signal.SIGINT}


class TikTokEmulator:
    """TikTok on 127.0.0.1, from entering to leaving the `with`.

    Args:
        port: 0 takes a free one.
        accounts: advertiser id -> access token.
        settings: fields of `sandbox.tiktok.rules.Settings`.

    Raises:
        ValueError: an unknown setting, or a value of the wrong kind.
    """

    def __init__(self, port: int = 0, accounts: Mapping[str, str] | None = None, **settings: Any) -> None:
        self._platform = platform = Platform(merged(Settings(), settings))
        self._closing = Event()
        self._faults = Faults()
        self._calls: list[dict[str, Any]] = []
        for advertiser_id, access_token in (accounts or {}).items():
            self.set_account(advertiser_id, access_token)
        self._server = Server(
            port, self._answer, lambda *request: control(self, *request), lambda: platform.settings.max_file_bytes
        )

    @property
    def url(self) -> str:
        """The base to give to a client, without a trailing slash."""
        return self._server.url

    def __enter__(self) -> Self:
        self._server.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._closing.set()
        self._server.stop()
        self._platform.close()

    def set_account(self, advertiser_id: str, access_token: str) -> None:
        """Add an advertiser, or give it another token: the old one is refused from now on."""
        with self._platform.lock:
            self._platform.open_account(advertiser_id, access_token)

    def configure(self, **settings: Any) -> None:
        """Change settings; a change that is under way keeps its end.

        Raises:
            ValueError: an unknown setting, or a value of the wrong kind.
        """
        with self._platform.lock:
            self._platform.settings = merged(self._platform.settings, settings)

    def advance(self, seconds: float) -> None:
        """Move the emulator's clock, also back."""
        with self._platform.lock:
            self._platform.offset += seconds

    def audiences(self, advertiser_id: str | None = None) -> list[dict[str, Any]]:
        """Every audience, oldest first, with what TikTok would not tell; once this answers, no file is being read."""
        with self._platform.lock:
            now = self._platform.settle()
            described = []
            for account in self._platform.accounts.values():
                if advertiser_id in {None, account.advertiser_id}:
                    described += [
                        {"advertiser_id": account.advertiser_id, **audience.inside(now, self._platform.settings)}
                        for audience in account.audiences.values()
                    ]
            return described

    def members(self, audience_id: str) -> set[str]:
        """The identifiers in an audience, in lower case; of a seeded one only those it was seeded with.

        Raises:
            KeyError: there is no such audience.
        """
        with self._platform.lock:
            self._platform.settle()
            return set({each.id: each for each in self._all()}[audience_id].members)

    def seed(self, advertiser_id: str, count: int = 1, name_prefix: str = "seeded ", **fields: Any) -> list[str]:
        """Put audiences into an account, named by number or all by `name`; see `sandbox.tiktok.seed.seeded`.

        Returns:
            Their ids.

        Raises:
            KeyError: there is no such advertiser.
            ValueError: a field is unknown or wrong.
        """
        platform = self._platform
        with platform.lock:
            made = [
                seeded(
                    platform.new_audience_id(),
                    advertiser_id,
                    {"name": f"{name_prefix}{number}", **fields},
                    platform.now(),
                    platform.settings,
                )
                for number in range(1, count + 1)
            ]
            platform.accounts[advertiser_id].audiences |= {audience.id: audience for audience in made}
            return [audience.id for audience in made]

    def forget_files(self) -> None:
        """Drop every uploaded file: each `file_path` is unknown from now on (40905)."""
        with self._platform.lock:
            for account in self._platform.accounts.values():
                account.files.clear()

    def calls(self) -> list[dict[str, Any]]:
        """The calls so far, in the order they ended; `code` is None where no envelope was sent."""
        with self._platform.lock:
            return [dict(each) for each in self._calls]

    def clear_calls(self) -> None:
        """Forget the calls so far."""
        with self._platform.lock:
            self._calls.clear()

    def fault(self, call: str, kind: str, **fields: Any) -> None:
        """Switch a fault on; see `sandbox.tiktok.faults.Fault`.

        Raises:
            ValueError: a field is unknown or wrong.
        """
        self._faults.add({"call": call, "kind": kind, **fields})

    def clear_faults(self) -> None:
        """Switch all faults off."""
        self._faults.clear()

    def _all(self) -> Iterable[Audience]:
        return (audience for account in self._platform.accounts.values() for audience in account.audiences.values())

    def _answer(self, call: Call) -> Reply | None:
        fault = self._faults.take(call.name, str(call.given.get("advertiser_id")))
        if fault is None:
            reply: Reply | None = self._work(call)
        elif fault.work_first:
            done = self._work(call)
            reply = self._hit(fault, done) or (done if fault.what == "slow" else None)
        else:
            reply = self._hit(fault) or (self._work(call) if fault.what == "slow" else None)
        self._note(call, reply, fault)
        return reply

    def _work(self, call: Call) -> Reply:
        return Reply(self._platform.answer(call))

    def _hit(self, fault: Fault, done: Reply | None = None) -> Reply | None:
        """Let a fault happen; what is returned goes out instead of the call's own answer."""
        match fault.what:
            case "code":
                content = done.content if done and fault.code == PARTIAL else None
                data = content.get("data") if isinstance(content, dict) else None
                return Reply(self._platform.envelope(fault.code, fault.message, data))
            case "http":
                return Reply({"error": "no envelope"}, fault.status)
            case "slow":
                self._closing.wait(fault.seconds)
            case "kill":
                os.kill(fault.pid, signal.SIGKILL)
        return None

    def _note(self, call: Call, reply: Reply | None, fault: Fault | None) -> None:
        content = reply.content if reply else None
        file_paths = call.given.get("file_paths")
        now = datetime.fromtimestamp(self._platform.now(), UTC)
        with self._platform.lock:
            self._calls.append(
                {
                    "n": len(self._calls) + 1,
                    "call": call.name,
                    "advertiser_id": call.given.get("advertiser_id"),
                    "code": content.get("code") if isinstance(content, dict) else None,
                    "fault": fault.kind if fault else None,
                    "action": call.given.get("action"),
                    "files": len(file_paths) if isinstance(file_paths, list) else 0,
                    "at": now.strftime("%Y-%m-%dT%H:%M:%SZ"),
                }
            )


def main(arguments: Sequence[str] | None = None) -> None:
    """Serve until SIGTERM or SIGINT; accounts come through /_emulator/accounts."""
    parser = argparse.ArgumentParser(prog="python -m sandbox.tiktok", description=main.__doc__)
    parser.add_argument("--port", type=int, default=0, help="0 takes a free one")
    port = parser.parse_args(arguments).port
    # Blocked in every thread from here on, so that they wait for `sigwait` and leaving is orderly.
    signal.pthread_sigmask(signal.SIG_BLOCK, _STOPPERS)
    stop_with_parent()
    with TikTokEmulator(port) as emulator:
        print(json.dumps({"url": emulator.url}), flush=True)
        signal.sigwait(_STOPPERS)


if __name__ == "__main__":
    main()
