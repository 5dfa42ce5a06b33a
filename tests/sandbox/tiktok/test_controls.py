"""The controls of the emulated TikTok (faults, clock, settings, record of calls), in-process and over HTTP."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import requests

from sandbox.tiktok.emulator import TikTokEmulator
from tests.sandbox.tiktok.conftest import ADVERTISER, HOUR, TOKEN, Client, lines, people

FILE = lines(people(0, 1500))
CALLS = ["upload", "create", "update", "list", "get", "delete", "apply_log"]


def attempt(tiktok: Client, call: str, ready: str, path: str) -> requests.Response:
    """Send a valid request for a call."""
    create = {"custom_audience_name": "new", "calculate_type": "EMAIL_SHA256", "file_paths": [path]}
    query = {"advertiser_id": ADVERTISER}
    if call in {"get", "apply_log"}:
        query["custom_audience_ids"] = json.dumps([ready])
    body: dict[str, Any] = {
        "create": create,
        "update": {"custom_audience_id": ready, "action": "APPEND", "file_paths": [path]},
        "delete": {"custom_audience_ids": [ready]},
    }
    if call == "upload":
        form = {"file_signature": "", "calculate_type": "EMAIL_SHA256", "advertiser_id": ADVERTISER}
        return tiktok.session.post(f"{tiktok.base}/file/upload/", data=form, files={"file": ("part.csv", b"x")})
    if call in body:
        return tiktok.session.post(f"{tiktok.base}/{call}/", json={"advertiser_id": ADVERTISER, **body[call]})
    return tiktok.session.get(f"{tiktok.base}/{call.replace('_', '/')}/", params=query)


@pytest.mark.parametrize("call", CALLS)
def test_a_fault_makes_any_call_return_any_code(
    emulator: TikTokEmulator, tiktok: Client, ready: str, call: str
) -> None:
    path = tiktok.uploaded(FILE)
    emulator.fault(call, "code", code=40100, message="Too fast.")
    envelope = attempt(tiktok, call, ready, path).json()
    assert (envelope["code"], envelope["message"], envelope["data"]) == (40100, "Too fast.", {})
    assert attempt(tiktok, call, ready, path).json()["code"] == (40900 if call == "upload" else 0)


@pytest.mark.parametrize("call", CALLS)
def test_a_fault_makes_any_call_return_any_http_status_or_no_response(
    emulator: TikTokEmulator, tiktok: Client, ready: str, call: str
) -> None:
    path = tiktok.uploaded(FILE)
    emulator.fault(call, "http", status=502)
    emulator.fault("any", "cut_before")
    assert attempt(tiktok, call, ready, path).status_code == 502
    with pytest.raises(requests.ConnectionError):
        attempt(tiktok, call, ready, path)
    assert len(emulator.audiences()) == 1


@pytest.mark.parametrize(
    ("kind", "done"),
    [
        ("cut_before", False),
        ("cut_after", True),
        ("code", False),
        ("code_after", True),
        ("http_before", False),
        ("http_after", True),
        ("slow", True),
    ],
)
def test_a_fault_replaces_a_call_or_happens_after_it(
    emulator: TikTokEmulator, tiktok: Client, kind: str, done: bool
) -> None:
    path = tiktok.uploaded(FILE)
    emulator.fault("create", kind, seconds=0.01)
    create = {"custom_audience_name": "new", "calculate_type": "EMAIL_SHA256", "file_paths": [path]}
    body = {"advertiser_id": ADVERTISER, **create}
    try:
        response = tiktok.session.post(f"{tiktok.base}/create/", json=body)
    except requests.ConnectionError:
        assert kind.startswith("cut")
    else:
        assert (response.status_code == 200 and response.json()["code"] == 0) is (kind == "slow")
    assert len(emulator.audiences()) == done


def test_a_slow_call_is_executed_even_if_the_caller_times_out(emulator: TikTokEmulator, tiktok: Client) -> None:
    path = tiktok.uploaded(FILE)
    emulator.fault("create", "slow_after", seconds=60)
    create = {"custom_audience_name": "new", "calculate_type": "EMAIL_SHA256", "file_paths": [path]}
    with pytest.raises(requests.ReadTimeout):
        tiktok.session.post(f"{tiktok.base}/create/", json={"advertiser_id": ADVERTISER, **create}, timeout=0.1)
    give_up = time.monotonic() + 20
    while (
        not emulator.audiences() and time.monotonic() < give_up
    ):  # the call may be executed after the client's timeout
        time.sleep(0.01)
    assert len(emulator.audiences()) == 1


def test_a_fault_starts_after_some_calls_and_affects_a_number_of_calls(
    emulator: TikTokEmulator, tiktok: Client
) -> None:
    emulator.fault("list", "code", code=50000, after=2, times=2)
    assert [tiktok.query("list")["code"] for _ in range(6)] == [0, 0, 50000, 50000, 0, 0]


def test_a_fault_without_a_limit_lasts_until_it_is_cleared(emulator: TikTokEmulator, tiktok: Client) -> None:
    emulator.fault("any", "code", code=40105, times=None)
    assert [tiktok.query("list")["code"] for _ in range(3)] == [40105] * 3
    emulator.clear_faults()
    assert tiktok.query("list")["code"] == 0


@pytest.mark.parametrize(("kind", "created"), [("kill_before", 0), ("kill_after", 1)])
def test_the_caller_can_be_killed(emulator: TikTokEmulator, tiktok: Client, kind: str, created: int) -> None:
    path = tiktok.uploaded(FILE)
    caller = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    emulator.fault("create", kind, pid=caller.pid)
    create = {"custom_audience_name": "new", "calculate_type": "EMAIL_SHA256", "file_paths": [path]}
    with pytest.raises(requests.ConnectionError):
        tiktok.session.post(f"{tiktok.base}/create/", json={"advertiser_id": ADVERTISER, **create})
    assert caller.wait(10) == -signal.SIGKILL
    assert len(emulator.audiences()) == created


@pytest.mark.parametrize(
    "fault",
    [
        {"call": "list"},
        {"call": "lists", "kind": "code"},
        {"call": "list", "kind": "broken"},
        {"call": "list", "kind": "cut_during"},
        {"call": "list", "kind": "kill_before"},
        {"call": "list", "kind": "code", "codes": 1},
    ],
)
def test_an_invalid_fault_is_refused(emulator: TikTokEmulator, fault: dict[str, Any]) -> None:
    response = requests.post(f"{emulator.url}/_emulator/faults", json=fault, timeout=5)
    assert response.status_code == 400
    assert response.json()["error"]


def test_a_misspelled_setting_is_refused(emulator: TikTokEmulator) -> None:
    settings: dict[str, Any] = {"procesing_seconds": 1}
    response = requests.post(f"{emulator.url}/_emulator/settings", json=settings, timeout=5)
    assert response.status_code == 400
    assert "procesing_seconds" in response.json()["error"]
    with pytest.raises(TypeError, match="procesing_seconds"):
        TikTokEmulator(**settings)


def test_calls_are_recorded_in_order(emulator: TikTokEmulator, tiktok: Client, ready: str) -> None:
    emulator.clear_calls()
    emulator.fault("update", "cut_after")
    with pytest.raises(requests.ConnectionError):
        tiktok.update(ready, FILE, action="APPEND")
    tiktok.query("list", page=0)
    assert [tuple(each.values()) for each in emulator.calls()] == [
        ("upload", 0, None, None, 0),
        ("update", None, "cut_after", "APPEND", 1),
        ("list", 40002, None, None, 0),
    ]


def test_a_call_with_an_invalid_field_is_recorded_too(emulator: TikTokEmulator, tiktok: Client) -> None:
    tiktok.post("create", file_paths=5)
    assert emulator.calls()[0]["code"] == 40002


def test_only_one_of_several_concurrent_updates_is_accepted(
    emulator: TikTokEmulator, tiktok: Client, ready: str
) -> None:
    path = tiktok.uploaded(FILE)
    body = {
        "advertiser_id": ADVERTISER,
        "custom_audience_id": ready,
        "action": "APPEND",
        "file_paths": [path],
    }

    def update(_: int) -> int:
        with requests.Session() as session:
            session.headers["Access-Token"] = TOKEN
            return int(session.post(f"{tiktok.base}/update/", json=body).json()["code"])

    with ThreadPoolExecutor(10) as pool:
        codes = sorted(pool.map(update, range(10)))
    assert codes == [0] + [40002] * 9
    emulator.advance(HOUR)
    assert len(tiktok.history(ready)) == 2


@pytest.fixture
def process() -> Iterator[str]:
    """The URL of an emulator in a separate process."""
    command = [sys.executable, "-m", "sandbox.tiktok.emulator"]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as emulator:
        assert emulator.stdout
        try:
            yield json.loads(emulator.stdout.readline())["url"]
        finally:
            emulator.terminate()
            assert emulator.wait(10) == 0
            assert emulator.stdout.read() == b""


def test_an_emulator_in_another_process_is_controlled_over_http(process: str) -> None:
    with requests.Session() as session:
        control = f"{process}/_emulator"

        def post(path: str, **body: object) -> Any:
            response = session.post(f"{control}/{path}", json=body)
            assert response.status_code == 200
            return response.json()

        tiktok = Client(process, session)
        assert tiktok.query("list")["code"] == 40105
        post("accounts", advertiser_id=ADVERTISER, access_token=TOKEN)
        post("settings", processing_seconds=HOUR, match_rate=0.5)
        audience_id = tiktok.create(lines(people(0, 3000)))
        post("clock", seconds=HOUR)
        (seeded,) = post("audiences", advertiser_id=ADVERTISER, name="other", state="ready")
        seen = session.get(f"{control}/audiences", params={"advertiser_id": ADVERTISER}).json()
        assert [(each["id"], each["name"], each["matched"], each["members"], each["is_valid"]) for each in seen] == [
            (audience_id, "vip", 1500, 3000, True),
            (seeded, "other", 1000, 2000, True),
        ]
        members = session.get(f"{control}/members", params={"audience_id": audience_id}).json()
        assert members == sorted(people(0, 3000))
        post("unmatched", identifiers=[*people(0, 1)])
        post("rename", audience_id=seeded, name="renamed")
        assert [each["name"] for each in session.get(f"{control}/audiences").json()] == ["vip", "renamed"]
        session.delete(f"{control}/calls")
        post("faults", call="list", kind="code", code=40100, times=None)
        assert tiktok.query("list")["code"] == 40100
        session.delete(f"{control}/faults")
        assert tiktok.query("list")["code"] == 0
        assert [each["code"] for each in session.get(f"{control}/calls").json()] == [40100, 0]
        path = tiktok.uploaded(FILE)
        session.delete(f"{control}/files")
        assert tiktok.post("update", custom_audience_id=seeded, action="APPEND", file_paths=[path])["code"] == 40905
        post("apply", audience_id=seeded, adgroup_id="1", adgroup_name="Spring")
        (applied,) = tiktok.query("apply/log", custom_audience_ids=[seeded])["data"]["list"]
        assert (applied["adgroup_name"], applied["usage_mode"]) == ("Spring", "Include")
        group = {"audience_id": seeded, "adgroup_id": "1", "adgroup_name": "Spring", "usage_mode": "include"}
        assert session.post(f"{control}/apply", json=group).status_code == 400
        post("delete", audience_id=seeded)
        assert session.post(f"{control}/delete", json={"audience_id": seeded}).status_code == 400
        assert session.get(f"{control}/nonsense").status_code == 404
        assert session.post(f"{control}/clock", json={}).status_code == 400
        for wrong in ({"advertiser_id": "1"}, {"advertiser_id": ADVERTISER, "state": "broken"}):
            assert session.post(f"{control}/audiences", json=wrong).status_code == 400


def test_closing_the_emulator_ends_open_connections_and_delayed_responses() -> None:
    with requests.Session() as idle, requests.Session() as waiting:
        with TikTokEmulator(accounts={ADVERTISER: TOKEN}) as emulator:
            Client(emulator.url, idle).query("list")
            emulator.fault("list", "slow", seconds=600)
            with pytest.raises(requests.ReadTimeout):
                waiting.get(f"{emulator.url}/open_api/v1.3/dmp/custom_audience/list/", timeout=0.1)
        with pytest.raises(requests.ConnectionError):
            idle.get(emulator.url, timeout=5)
