"""The life of a file, from its message to its end at TikTok."""

from __future__ import annotations

import json

from tests.handler.world import World, lines, people

KEY = "tiktok/vip/email_sha256/first.csv"
SECOND = "tiktok/vip/email_sha256/second.csv"


def test_a_file_makes_an_audience_that_becomes_available(world: World) -> None:
    report = world.activate(KEY, lines(people(0, 2000)))
    assert (report["status"], report["code"]) == ("submitted", "submitted")
    assert report["rows"] == {"total": 2000, "accepted": 2000, "rejected": 0}
    assert world.calls() == ["list", "upload", "create"]
    assert world.pending() == [KEY]

    world.sweep(hours=1)

    report = world.report(KEY)
    (audience,) = world.audiences()
    assert report["status"] == "available"
    assert report["audience"] == {
        "name": "vip",
        "identifier_type": "email_sha256",
        "action": "append",
        "id": audience["id"],
        "created": True,
    }
    assert report["tiktok"]["matched"] == 2000
    assert report["tiktok"]["match_rate"] == 1.0
    assert len(report["tiktok"]["request_ids"]) == 2
    assert world.members() == set(people(0, 2000))
    assert world.keys("pending/") == []
    assert world.deliver(json.dumps({"sweep": True})) == []
