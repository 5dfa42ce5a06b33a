"""An emulator of TikTok's calls for customer-file audiences, with its rules, limits, delays and faults.

As a process: `python -m sandbox.tiktok --port 0` prints {"url": ...} and serves until SIGTERM. In a test:

    with TikTokEmulator(accounts={"7000000000000000001": "token"}, processing_seconds=60) as emulator:
        ...                     # a client at emulator.url
        emulator.advance(60)    # the emulator's clock, so that no test has to sleep

Every control is a method here and a path below /_emulator/ for other processes (`sandbox.tiktok.controls`).
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from threading import Event
from typing import Any, Self

from sandbox.processes import stop_with_parent
from sandbox.tiktok.audience import timestamp
from sandbox.tiktok.controls import control
from sandbox.tiktok.faults import Faults, InjectedFault
from sandbox.tiktok.platform import Platform
from sandbox.tiktok.refusals import PARTIAL_SUCCESS
from sandbox.tiktok.seed import seeded
from sandbox.tiktok.server import Call, Reply, Server
from sandbox.tiktok.settings import EmulatorSettings

_STOP_SIGNALS = {signal.SIGTERM, signal.SIGINT}


class TikTokEmulator:
    """TikTok on 127.0.0.1, as a context manager.

    Args:
        port: 0 takes a free one.
        accounts: advertiser id -> access token.
        clock: seconds since 1970.
        settings: fields of `sandbox.tiktok.settings.EmulatorSettings`.

    Raises:
        TypeError: unknown setting.
    """

    def __init__(
        self,
        port: int = 0,
        accounts: Mapping[str, str] | None = None,
        clock: Callable[[], float] = time.time,
        **settings: Any,
    ) -> None:
        self._platform = Platform(EmulatorSettings(**settings), clock)
        self._closing = Event()
        self._faults = Faults()
        self._calls: list[dict[str, Any]] = []
        for advertiser_id, access_token in (accounts or {}).items():
            self.set_account(advertiser_id, access_token)
        self._server = Server(port, self._answer, lambda *request: control(self, *request))

    @property
    def url(self) -> str:
        """The base URL for a client, without a trailing slash."""
        return f"http://{self._server.address}"

    def __enter__(self) -> Self:
        self._server.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._closing.set()
        self._server.stop()
        self._platform.close()

    def set_account(self, advertiser_id: str, access_token: str) -> None:
        """Add an advertiser, or replace its token: the old one is refused from now on."""
        with self._platform.lock:
            self._platform.set_account(advertiser_id, access_token)

    def configure(self, **settings: Any) -> None:
        """Change settings; a change in progress keeps its end.

        Raises:
            TypeError: unknown setting.
        """
        with self._platform.lock:
            self._platform.settings = replace(self._platform.settings, **settings)

    def advance(self, seconds: float) -> None:
        """Move the emulator's clock, also back."""
        with self._platform.lock:
            self._platform.clock_offset += seconds

    def set_unmatched(self, identifiers: Iterable[str]) -> None:
        """Let these identifiers match no user from now on, such as hashes of upper-case email addresses.

        Args:
            identifiers: hexadecimal hashes or device ids in lower case; they replace those given before.
        """
        with self._platform.lock:
            self._platform.unmatched.clear()
            self._platform.unmatched.update(identifiers)

    def audiences(self, advertiser_id: str | None = None) -> list[dict[str, Any]]:
        """Return every audience, oldest first, with more than TikTok would tell; no file is being read afterwards."""
        with self._platform.lock:
            now = self._platform.finish_changes()
            return [
                {"advertiser_id": account.advertiser_id, **audience.description(now)}
                for account in self._platform.accounts.values()
                if advertiser_id in {None, account.advertiser_id}
                for audience in account.audiences.values()
            ]

    def members(self, audience_id: str) -> set[str]:
        """Return the people in an audience whose identifiers are given, in lower case.

        With one identifier type these are its hashes. With MULTIPLE_TYPES they are its rows, each written as its filled
        fields `header=value`, sorted and joined with commas (`sandbox.tiktok.people.PersonRows`).

        Raises:
            KeyError: there is no such audience.
        """
        with self._platform.lock:
            self._platform.finish_changes()
            return set(self._platform.audience(audience_id)[1].members)

    def rename(self, audience_id: str, name: str) -> None:
        """Rename an audience in any state, as a person in Ads Manager; the name is kept character by character.

        Raises:
            KeyError: there is no such audience.
        """
        with self._platform.lock:
            self._platform.audience(audience_id)[1].name = name

    def apply(self, audience_id: str, adgroup_id: str, adgroup_name: str, usage_mode: str = "Include") -> None:
        """Apply an audience to an ad group, as a person in Ads Manager.

        Raises:
            KeyError: there is no such audience.
            ValueError: the mode is neither "Include" nor "Exclude", or the audience has expired.
        """
        if usage_mode not in {"Include", "Exclude"}:
            raise ValueError('usage_mode is "Include" or "Exclude"')
        with self._platform.lock:
            audience = self._platform.audience(audience_id)[1]
            audience.renew(self._platform.now())
            audience.applied.append(
                {
                    "adgroup_id": adgroup_id,
                    "adgroup_name": adgroup_name,
                    "usage_mode": usage_mode,
                    "editor": "a person",
                    "action_timestamp": timestamp(self._platform.now()),
                }
            )

    def delete(self, audience_id: str) -> None:
        """Delete an audience in any state, as a person in Ads Manager.

        Raises:
            KeyError: there is no such audience.
        """
        with self._platform.lock:
            del self._platform.audience(audience_id)[0].audiences[audience_id]

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
        """Return the calls so far, in the order they ended; `code` is None where no envelope was sent."""
        with self._platform.lock:
            return [dict(each) for each in self._calls]

    def clear_calls(self) -> None:
        """Forget the calls so far."""
        with self._platform.lock:
            self._calls.clear()

    def fault(self, call: str, kind: str, **fields: Any) -> None:
        """Switch a fault on; see `sandbox.tiktok.faults.InjectedFault`.

        Raises:
            ValueError: a field is unknown or wrong.
        """
        self._faults.add({"call": call, "kind": kind, **fields})

    def clear_faults(self) -> None:
        """Switch all faults off."""
        self._faults.clear()

    def _answer(self, call: Call) -> Reply | None:
        fault = self._faults.take(call.name, str(call.given.get("advertiser_id")))
        if fault is None:
            reply: Reply | None = self._work(call)
        elif fault.after_work:
            done = self._work(call)
            reply = self._apply(fault, done) or (done if fault.effect == "slow" else None)
        else:
            reply = self._apply(fault) or (self._work(call) if fault.effect == "slow" else None)
        self._record(call, reply, fault)
        return reply

    def _work(self, call: Call) -> Reply:
        return Reply(self._platform.answer(call))

    def _apply(self, fault: InjectedFault, done: Reply | None = None) -> Reply | None:
        """Apply a fault, and return the reply that replaces the call's own."""
        match fault.effect:
            case "code":
                content = done.content if done and fault.code == PARTIAL_SUCCESS else None
                data = content.get("data") if isinstance(content, dict) else None
                return Reply(self._platform.envelope(fault.code, fault.message, data))
            case "http":
                return Reply({"error": "no envelope"}, fault.status)
            case "slow":
                self._closing.wait(fault.seconds)
            case "kill":
                os.kill(fault.pid, signal.SIGKILL)
        return None

    def _record(self, call: Call, reply: Reply | None, fault: InjectedFault | None) -> None:
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
    # Blocked in every thread from here on, so that they wait for `sigwait` and the server stops in order.
    signal.pthread_sigmask(signal.SIG_BLOCK, _STOP_SIGNALS)
    stop_with_parent()
    with TikTokEmulator(port) as emulator:
        print(json.dumps({"url": emulator.url}), flush=True)
        signal.sigwait(_STOP_SIGNALS)
