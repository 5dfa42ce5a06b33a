"""The main outcomes, at least one for each meaning of a TikTok code.

For each, the tests check the report, the pending pointer, the metrics, and whether the message returns to the queue.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest

from handler.report_codes import Code
from handler.tiktok.codes import Meaning
from handler.tiktok.responses import classify
from tests.handler.world import ADVERTISER_ID, World, lines, people
from tests.privacy import TOKEN

KEY = "tiktok/vip/email_sha256/file.csv"
GOOD = lines(people(0, 2000))
ANY_VALUE = object()


def metrics(world: World, capsys: pytest.CaptureFixture[str]) -> dict[str, float]:
    """Return the sum of every metric printed since the last call; check the namespace and dimension of each line."""
    printed = capsys.readouterr().out
    world.printed.append(printed)
    sums: dict[str, float] = {}
    for line in printed.splitlines():
        emf = json.loads(line)
        (directive,) = emf["_aws"]["CloudWatchMetrics"]
        assert directive["Namespace"] == "TikTokActivation"
        assert directive["Dimensions"] == [["Advertiser"]]
        assert emf["Advertiser"] == "acme"
        for metric in directive["Metrics"]:
            assert any(emf[metric["Name"]]), "a metric is zero"
            sums[metric["Name"]] = sums.get(metric["Name"], 0) + sum(emf[metric["Name"]])
    return sums


def _secret(text: str) -> Callable[[World], None]:
    return lambda world: world.set_secret(text)


def _fault(call: str, kind: str, **fields: Any) -> Callable[[World], None]:
    return lambda world: world.tiktok.fault(call, kind, times=None, **fields)


@dataclass(frozen=True)
class Responds:
    """Makes TikTok respond to every call of this kind with this code.

    For `update` and `get`, it first creates an audience at TikTok.
    """

    call: str
    code: int
    message: str = "System error."

    def __call__(self, world: World) -> None:
        if self.call in {"update", "get"}:
            world.tiktok.seed(ADVERTISER_ID, name="vip")
        world.tiktok.fault(self.call, "code", times=None, code=self.code, message=self.message)

    @property
    def meaning(self) -> Meaning:
        return classify(self.code, self.message, "file/upload" if self.call == "upload" else self.call)


def _seed(**fields: Any) -> Callable[[World], None]:
    def seed(world: World) -> None:
        world.tiktok.seed(ADVERTISER_ID, **{"name": "vip", **fields})

    return seed


def _newer_remove(world: World) -> None:
    assert world.deliver(world.upload("tiktok/vip/email_sha256/remove/newer.csv", GOOD)) == []


def _broken_state(world: World) -> None:
    world.s3.put_object(Bucket=world.bucket, Key="audiences/email_sha256/vip.json", Body=b"")


def _delete_object(world: World) -> None:
    version = json.loads(world.events[KEY])["detail"]["object"]["version-id"]
    world.s3.delete_object(Bucket=world.bucket, Key=KEY, VersionId=version)


def _no_preparation(_: World) -> None:
    """Prepare nothing."""


@dataclass(frozen=True)
class ExpectedOutcome:
    """One outcome, and how a test reaches it.

    Attributes:
        expected: the status and code in the report.
        before: the preparation before the upload.
        after_upload: the preparation between the upload and the delivery of its message.
        counted: the expected metrics.
        hours: the hours until a sweep after the delivery; None for no sweep.
        stays: true if the message is delivered again.
    """

    name: str
    expected: tuple[str, Code]
    key: str = KEY
    body: bytes = GOOD
    before: Callable[[World], None] = _no_preparation
    after_upload: Callable[[World], None] = _no_preparation
    counted: dict[str, float] = field(default_factory=dict)
    hours: float | None = None
    stays: bool = False


def waiting(name: str, code: Code, before: Callable[[World], None], **counted: float) -> ExpectedOutcome:
    return ExpectedOutcome(name, ("waiting", code), before=before, counted={"FilesWaiting": ANY_VALUE, **counted})  # type: ignore[dict-item]


def rejected(name: str, code: Code, body: bytes = GOOD, key: str = KEY) -> ExpectedOutcome:
    return ExpectedOutcome(name, ("rejected", code), key=key, body=body, counted={"FilesRejected": 1})


def failed(name: str, code: Code, before: Callable[[World], None]) -> ExpectedOutcome:
    return ExpectedOutcome(name, ("failed", code), before=before, counted={"FilesFailed": 1})


EXPECTED_OUTCOMES = [
    ExpectedOutcome(
        "done", ("submitted", Code.SUBMITTED),
        counted={"FilesSubmitted": 1, "RowsAccepted": 2000, "TikTokCalls": 3},
    ),
    ExpectedOutcome(
        "done, and processed", ("available", Code.AVAILABLE), hours=1,
        counted={"FilesSubmitted": 1, "FilesAvailable": 1, "RowsAccepted": 2000, "UsersMatched": 2000},
    ),
    ExpectedOutcome(
        "created an audience that is too small", ("failed", Code.AUDIENCE_TOO_SMALL), body=lines(people(0, 2)), hours=1,
        counted={"FilesSubmitted": 1, "FilesFailed": 1, "RowsAccepted": 2},
    ),
    ExpectedOutcome(
        "overtaken", ("skipped", Code.OVERTAKEN), after_upload=_newer_remove,
        counted={"FilesRejected": 1, "FilesSkipped": 1},
    ),
    ExpectedOutcome("our own code fails", ("waiting", Code.RECEIVED), before=_broken_state, stays=True),
    rejected("wrong folder", Code.WRONG_LAYOUT, key="tiktok/vip/file.csv"),
    rejected("wrong type", Code.UNKNOWN_IDENTIFIER_TYPE, key="tiktok/vip/email/file.csv"),
    rejected("not hashed", Code.NO_VALID_ROW, b"jane@example.com\njoe@example.com\n"),
    rejected("too many bad rows", Code.TOO_MANY_REJECTED, GOOD + b"jane@example.com\n" * 1000),
    ExpectedOutcome("empty", ("skipped", Code.EMPTY_FILE), body=b"", counted={"FilesSkipped": 1}),
    rejected("empty list", Code.EMPTY_FILE, b"", key="tiktok/vip/email_sha256/replace/file.csv"),
    rejected("a spreadsheet", Code.EXCEL_WORKBOOK, b"PK\x03\x04\x14\x00\x06\x00" + b"[Content_Types].xml xl/" * 9),
    rejected("nothing to remove from", Code.NOTHING_TO_REMOVE_FROM, key="tiktok/vip/email_sha256/remove/file.csv"),
    waiting("processing", Code.AUDIENCE_PROCESSING, _seed(state="processing")),
    waiting("throttled", Code.TIKTOK_THROTTLED, Responds("any", 40100), TikTokThrottled=3),
    waiting("HTTP 429", Code.TIKTOK_THROTTLED, _fault("any", "http", status=429), TikTokThrottled=3),
    waiting("ADVERTISER_ID wrong", Code.PERMISSION_REFUSED, Responds("list", 40002, "advertiser_id: Invalid value")),
    waiting("listing fails with an upload code", Code.TIKTOK_UNAVAILABLE, Responds("list", 40900)),
    waiting("busy", Code.TIKTOK_UNAVAILABLE, Responds("any", 50000)),
    waiting("HTTP 500", Code.TIKTOK_UNAVAILABLE, _fault("any", "http", status=500)),
    waiting("connections cut", Code.TIKTOK_UNAVAILABLE, _fault("any", "cut_before")),
    waiting("token", Code.TOKEN_REFUSED, Responds("any", 40105), CredentialsRejected=1),
    waiting("permission", Code.PERMISSION_REFUSED, Responds("any", 40001), CredentialsRejected=1),
    waiting(
        "terms", Code.TERMS_NOT_ACCEPTED, Responds("upload", 40001, "Accept the Terms first"), CredentialsRejected=1,
    ),
    waiting("secret empty", Code.SECRET_UNUSABLE, _secret(" "), CredentialsRejected=1),
    waiting("secret not JSON", Code.SECRET_UNUSABLE, _secret("token"), CredentialsRejected=1),
    waiting("secret is a list", Code.SECRET_UNUSABLE, _secret("[]"), CredentialsRejected=1),
    waiting("secret without token", Code.SECRET_UNUSABLE, _secret('{"ADVERTISER_ID": "7"}'), CredentialsRejected=1),
    waiting("secret without id", Code.SECRET_UNUSABLE, _secret('{"ACCESS_TOKEN": "x"}'), CredentialsRejected=1),
    waiting("secret with null", Code.SECRET_UNUSABLE, _secret('{"ACCESS_TOKEN": "x", "ADVERTISER_ID": null}')),
    waiting("secret with two lines", Code.SECRET_UNUSABLE, _secret('{"ACCESS_TOKEN": "a\\nb", "ADVERTISER_ID": "7"}')),
    waiting("an audience that is too small", Code.AUDIENCE_TOO_SMALL, _seed(state="too_small", people=10)),
    waiting("not editable", Code.AUDIENCE_PROCESSING, Responds("update", 40002, "Audience is not editable")),
    waiting("audience just deleted", Code.AUDIENCE_GONE, Responds("update", 40002, "The audience does not exist")),
    ExpectedOutcome(
        "replaced today", ("waiting", Code.REPLACED_TODAY), key="tiktok/vip/email_sha256/replace/all.csv",
        before=Responds("update", 40002, "Only one REPLACE is allowed per day"), counted={"FilesWaiting": 1},
    ),
    waiting("create of unknown outcome", Code.OUTCOME_UNKNOWN, Responds("create", 50000)),
    waiting("audience limit at TikTok", Code.AUDIENCE_LIMIT_REACHED, Responds("create", 40002, "Too many audiences")),
    waiting("an expired audience", Code.AUDIENCE_EXPIRED, _seed(created_seconds_ago=366 * 86400)),
    waiting("400 audiences", Code.AUDIENCE_LIMIT_REACHED, _seed(name="seeded other", count=400)),
    failed("wrong request", Code.REQUEST_REFUSED, Responds("create", 40000)),
    failed("file refused", Code.FILE_REFUSED, Responds("upload", 40907)),
    failed("file refused as not hashed", Code.FILE_REFUSED, Responds("create", 40062)),
    failed("upload damaged", Code.FILE_REFUSED, Responds("upload", 40900)),
    failed("upload unknown", Code.FILE_REFUSED, Responds("create", 40905)),
    failed("upload expired", Code.FILE_REFUSED, Responds("create", 40910)),
    failed("too few left", Code.TOO_FEW_LEFT, Responds("create", 40002, "size is less than 1,000")),
    ExpectedOutcome(
        "object deleted", ("failed", Code.OBJECT_MISSING), after_upload=_delete_object, counted={"FilesFailed": 1},
    ),
]  # fmt: skip


def test_every_meaning_of_a_tiktok_code_has_an_outcome() -> None:
    assert {row.before.meaning for row in EXPECTED_OUTCOMES if isinstance(row.before, Responds)} == {*Meaning} - {
        Meaning.SUCCESS
    }


@pytest.mark.parametrize("row", EXPECTED_OUTCOMES, ids=lambda row: row.name)
def test_an_outcome_is_reported_and_counted(
    world: World, capsys: pytest.CaptureFixture[str], row: ExpectedOutcome
) -> None:
    row.before(world)
    message = world.upload(row.key, row.body)
    row.after_upload(world)

    assert world.deliver(message) == ([message] if row.stays else [])
    if row.hours is not None:
        world.sweep(row.hours)

    report = world.report(row.key)
    assert (report["status"], report["code"]) == row.expected
    assert len(report["reason"]) > 20
    assert report["reason"].endswith(".")
    assert world.pending() == ([row.key] if report["status"] in {"waiting", "submitted"} else [])
    counted = metrics(world, capsys)
    for name, value in row.counted.items():
        assert counted.pop(name, None) == value if value is not ANY_VALUE else counted.pop(name)
    assert not {name for name in counted if name.startswith("Files")}
    # A second delivery changes nothing.
    assert world.deliver(message) == ([message] if row.stays else [])
    assert (world.report(row.key)["status"], world.report(row.key)["code"]) == row.expected
    if report["status"] == "waiting" and not row.stays:
        assert report["rows"]["accepted"] == 2000, "a waiting file was not counted"


def test_a_report_has_every_key_from_the_start(world: World) -> None:
    report = world.activate("tiktok/nowhere.csv", b"")
    assert list(report) == [
        "schema", "status", "code", "reason", "file", "run", "audience", "rows", "rejected_by_reason", "rejections",
        "uploads", "progress", "tiktok", "attempts", "received_at", "updated_at",
    ]  # fmt: skip
    assert list(report["file"]) == ["bucket", "key", "version_id", "etag", "size", "uploaded_at", "event_reason"]
    assert report["file"]["uploaded_at"] == "2026-01-31T12:00:00Z"
    assert report["audience"] is None
    assert report["rows"] == dict.fromkeys(("total", "accepted", "rejected", "overtaken", "md5"))
    assert list(report["tiktok"]) == ["request_ids", "matched_before", "matched", "match_rate", "message"]


def test_the_reason_of_a_refusal_has_tiktoks_code_message_and_request_id(world: World) -> None:
    world.tiktok.fault("create", "code", code=40000, message="Parameter error for jane@example.com", times=None)
    reason = world.activate(KEY, GOOD)["reason"]
    assert "code 40000: Parameter error for [removed]; request 2" in reason


def test_files_wait_while_the_token_is_expired_and_are_sent_with_a_new_one(world: World) -> None:
    world.tiktok.set_account(ADVERTISER_ID, "another token")
    for name in ("vip", "gold"):
        world.activate(f"tiktok/{name}/email_sha256/file.csv", GOOD)
    world.sweep(hours=1)
    assert world.calls("upload", "create") == []

    world.set_secret(json.dumps({"ACCESS_TOKEN": "another token", "ADVERTISER_ID": int(ADVERTISER_ID)}))
    world.sweep()
    world.sweep(hours=1)

    assert {world.outcome(key) for key in world.events} == {("available", "available")}
    assert len(world.audiences()) == 2


def test_files_wait_while_the_secret_has_no_value(world: World) -> None:
    arn = world.secrets.create_secret(Name=f"{world.bucket}-empty")["ARN"]
    world.cold_start(CREDENTIALS_SECRET_ARN=arn)
    report = world.activate(KEY, GOOD)
    assert (report["status"], report["code"]) == ("waiting", "secret_unusable")
    assert "no value yet" in report["reason"]
    value = json.dumps({"ACCESS_TOKEN": TOKEN, "ADVERTISER_ID": ADVERTISER_ID})
    world.secrets.put_secret_value(SecretId=arn, SecretString=value)
    world.sweep()
    assert world.outcome(KEY) == ("submitted", "submitted")


def test_a_file_that_creates_a_too_small_audience_fails_with_advice(world: World) -> None:
    report = world.activate(KEY, lines(people(0, 2)))
    assert "cannot reach TikTok's minimum of 1,000 matched people" in report["reason"]
    world.sweep(hours=1)
    report = world.report(KEY)
    assert (report["status"], report["code"]) == ("failed", "audience_too_small")
    assert "Ads Manager" in report["reason"]
    assert world.pending() == []


def test_an_invalid_message_fails_without_the_other_messages(world: World) -> None:
    good = world.upload(KEY, GOOD)
    assert world.deliver("nonsense", good) == ["nonsense"]
    assert world.outcome(KEY) == ("submitted", "submitted")


def test_a_key_too_long_for_a_report_fails_its_message(world: World) -> None:
    message = world.upload(KEY, GOOD).replace("file.csv", "x" * 890 + ".csv")
    assert world.deliver(message) == [message]
    assert world.keys("reports/") == []


def test_an_aws_error_fails_its_message_and_changes_nothing(world: World) -> None:
    message = world.upload(KEY, GOOD)
    world.cold_start(BUCKET_NAME="no-such-bucket")
    lost = message.replace(world.bucket, "no-such-bucket")
    assert world.deliver(lost) == [lost]
    assert world.calls() == []
    world.cold_start()
    assert world.deliver(message) == []
    assert world.outcome(KEY) == ("submitted", "submitted")
