"""Uploads delivered out of order, and messages of an earlier change that TikTok still shows."""

from __future__ import annotations

import json
from typing import Any

from handler.cleaning.row_sets import MAX_ROWS
from tests.handler.tiktok.altered_responses import alter
from tests.handler.world import World, lines, people

VIP = "tiktok/vip/email_sha256/"


def test_an_append_delivered_after_a_remove_without_an_audience_leaves_out_its_people(world: World) -> None:
    append = world.upload(f"{VIP}everybody.csv", lines(people(0, 2000)))
    removal = world.upload(f"{VIP}remove/some.csv", lines(people(0, 500)))
    assert world.deliver(removal) == []
    assert world.deliver(append) == []
    assert world.outcome(f"{VIP}remove/some.csv") == ("rejected", "nothing_to_remove_from")
    assert world.outcome(f"{VIP}everybody.csv") == ("submitted", "submitted")
    assert world.report(f"{VIP}everybody.csv")["rows"]["overtaken"] == 500
    world.sweep(hours=1)
    assert world.members() == set(people(500, 1500))


def test_a_replace_delivered_after_a_newer_append_removes_no_one(world: World) -> None:
    world.activate(f"{VIP}base.csv", lines(people(0, 2000)))
    world.sweep(hours=1)
    replace = world.upload(f"{VIP}replace/all.csv", lines(people(0, 1500)))
    append = world.upload(f"{VIP}more.csv", lines(people(9000, 500)))
    assert world.deliver(append) == []
    assert world.deliver(replace) == []
    for _ in range(2):
        world.sweep(hours=1)
    assert world.outcome(f"{VIP}replace/all.csv") == ("rejected", "out_of_order")
    assert world.outcome(f"{VIP}more.csv") == ("available", "available")
    assert set(people(9000, 500)) <= world.members()


def test_the_message_of_a_failed_remove_does_not_fail_the_next_append(world: World) -> None:
    world.activate(f"{VIP}base.csv", lines(people(0, 2000)))
    world.sweep(hours=1)
    world.activate(f"{VIP}remove/most.csv", lines(people(0, 1500)))
    world.sweep(hours=1)
    assert world.outcome(f"{VIP}remove/most.csv") == ("failed", "too_few_left")
    world.activate(f"{VIP}more.csv", lines(people(2000, 1000)))
    world.sweep(hours=0.2)
    assert world.outcome(f"{VIP}more.csv") == ("submitted", "submitted")
    report = world.activate(f"{VIP}still-more.csv", lines(people(3000, 1000)))
    assert (report["status"], report["code"]) == ("waiting", "audience_processing")
    for _ in range(2):
        world.sweep(hours=1)
    assert {world.outcome(f"{VIP}{name}.csv") for name in ("base", "more", "still-more")} == {
        ("available", "available")
    }
    assert world.members() == set(people(0, 4000))


def test_the_message_of_a_failed_remove_does_not_make_the_audience_too_small(world: World) -> None:
    world.activate(f"{VIP}base.csv", lines(people(0, 2000)))
    world.sweep(hours=1)
    world.activate(f"{VIP}remove/most.csv", lines(people(0, 1500)))
    world.sweep(hours=1)
    assert world.outcome(f"{VIP}remove/most.csv") == ("failed", "too_few_left")

    def changed_in_ads_manager(answer: dict[str, Any]) -> object:
        for audience in answer["data"]["list"]:
            assert "1,000" in audience["error_msg"], "TikTok no longer shows the message of the remove"
            audience["is_valid"] = False
        return answer

    alter(world, "list", changed_in_ads_manager)
    report = world.activate(f"{VIP}more.csv", lines(people(2000, 1000)))
    assert (report["status"], report["code"]) == ("waiting", "audience_processing")


def test_the_next_file_for_an_audience_that_was_created_too_small_says_so(world: World) -> None:
    world.activate(f"{VIP}few.csv", lines(people(0, 10)))
    world.sweep(hours=1)
    assert world.outcome(f"{VIP}few.csv") == ("failed", "audience_too_small")
    report = world.activate(f"{VIP}many.csv", lines(people(0, 2000)))
    assert (report["status"], report["code"]) == ("waiting", "audience_too_small")


def test_a_second_remove_that_fails_with_the_same_message_fails(world: World) -> None:
    world.activate(f"{VIP}base.csv", lines(people(0, 2000)))
    world.sweep(hours=1)
    for name in ("first", "second"):
        world.activate(f"{VIP}remove/{name}.csv", lines(people(0, 1500)))
        world.sweep(hours=1)
        assert world.outcome(f"{VIP}remove/{name}.csv") == ("failed", "too_few_left")


def test_a_remove_waits_for_an_unsettled_append_that_will_create_the_audience(world: World) -> None:
    world.cold_start(SETTLE_SECONDS="300")
    append = world.upload(f"{VIP}append/base.csv", lines(people(0, 3000)))
    world.deliver(world.upload(f"{VIP}remove/out.csv", lines(people(0, 10))))
    world.pass_time(1)
    world.deliver(append)
    world.sweep()
    world.run(hours=3, every=0.5)
    assert world.outcome(f"{VIP}remove/out.csv") in {("available", "available"), ("skipped", "overtaken")}
    assert world.members() == set(people(10, 2990))


def test_a_late_upload_that_was_deleted_is_reported_as_missing_if_the_newer_rows_exceed_the_memory(
    world: World,
) -> None:
    append = world.upload(f"{VIP}everybody.csv", lines(people(0, 2000)))
    world.deliver_all(world.upload(f"{VIP}remove/some.csv", lines(people(0, 500))))
    key = "audiences/email_sha256/vip.json"
    state = json.loads(world.s3.get_object(Bucket=world.bucket, Key=key)["Body"].read())
    state["applied"][0]["rows"] = MAX_ROWS + 1
    world.s3.put_object(Bucket=world.bucket, Key=key, Body=json.dumps(state))
    world.delete(f"{VIP}everybody.csv", world.version_id(append))
    world.deliver_all(append)
    assert world.outcome(f"{VIP}everybody.csv") == ("failed", "object_missing")
