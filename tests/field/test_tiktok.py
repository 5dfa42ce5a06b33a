"""Kinds 46 to 49 and 51 of `kinds.md`: what TikTok answers."""

from __future__ import annotations

import hashlib

import pytest

from tests.field.connector import AVAILABLE, DAY, VIP, FieldConnector, File, S, body
from tests.handler.world import people

REPLACE_REFUSED = (
    "This replace operation is rejected as there is an existing unfinished replace operation for this audience. "
    "Please note that there can be no more than one replace operation per day."
)
NOT_EDITABLE = "Audience is not editable, please check audience status"
WRONG_REQUEST = [40000, 40002, 40006, 40010, 40050, 40700]


@pytest.mark.parametrize("code", WRONG_REQUEST)
@pytest.mark.parametrize(
    ("words", "action", "waits"),
    [
        (REPLACE_REFUSED, "replace", {"replaced_today", "audience_processing"}),  # the words say both
        (NOT_EDITABLE, "append", {"audience_processing"}),
        (NOT_EDITABLE, "remove", {"audience_processing"}),
        (NOT_EDITABLE, "replace", {"audience_processing"}),
    ],
)
def test_kind_46_words_under_every_code(
    connector: FieldConnector, code: int, words: str, action: str, waits: set[str]
) -> None:
    base = connector.base()
    given = people(0, 100) if action == "remove" else people(3000, 1500)
    connector.tiktok.fault("update", "code", code=code, message=words, times=2)
    message = connector.put(f"{VIP}/{action}/x.csv", body(given))
    connector.wait(13 * S)
    assert connector.ends(message) in {("waiting", each) for each in waits}
    connector.end()
    assert connector.ends(message) == AVAILABLE
    expected = {"append": base | set(given), "remove": base - set(given), "replace": set(given)}
    assert connector.members() == expected[action]
    assert connector.counted()["FilesFailed"] == 0


def test_kind_46_one_replace_a_day(connector: FieldConnector) -> None:
    """The emulator enforces it; the second list of the day goes the next day, with the removes behind it."""
    connector.base()
    connector.case([File("replace/a.csv", body(people(3000, 1500)))], people(3000, 1500))
    message = connector.put(f"{VIP}/replace/b.csv", body(people(5000, 1500)))
    behind = connector.put(f"{VIP}/remove/c.csv", body(people(5000, 100)))
    connector.wait(13 * S)
    assert connector.ends(message) == ("waiting", "replaced_today")
    connector.end()
    assert [connector.ends(message), connector.ends(behind)] == [AVAILABLE] * 2
    assert connector.members() == set(people(5100, 1400))


REFUSED, TERMS = "permission_refused", "terms_not_accepted"
PERSON = {  # call, code, TikTok's words, code of the report, words of its reason
    "47 banned country": ("any", 41000, "Your country is banned.", REFUSED, ()),
    "48 Analyst": ("upload", 40001, "No permission to operate.", REFUSED, ("Operator", "Admin")),
    "49 under 40001": ("any", 40001, "Please accept the Custom Audience Terms first.", TERMS, ("erms",)),
    "49 under 40002": ("upload", 40002, "The advertiser has not agreed to the terms.", TERMS, ("erms",)),
    "49 at the change": ("update", 40002, "Custom Audience Terms of Service not accepted", TERMS, ("erms",)),
}


@pytest.mark.parametrize("name", PERSON)
def test_kind_47_48_49_a_person_has_to_act(connector: FieldConnector, name: str) -> None:
    base = connector.base()
    call, code, words, waits, says = PERSON[name]
    connector.tiktok.fault(call, "code", code=code, message=words, times=None)
    message = connector.put(f"{VIP}/append/x.csv", body(people(3000, 10)))
    connector.wait(6 * S)
    report = connector.report_of(message)
    assert report
    assert (report["status"], report["code"]) == ("waiting", waits)
    assert all(word in report["reason"] for word in says), report["reason"]
    assert connector.counted()["CredentialsRejected"] >= 1
    connector.wait(DAY, every=DAY / 4)
    connector.tiktok.clear_faults()
    connector.sweep()
    assert connector.ends(message) == ("submitted", "submitted")
    connector.end()
    assert connector.members() == base | set(people(3000, 10))


def test_kind_51_several_identifier_types_in_one_file(connector: FieldConnector) -> None:
    emails, phones = people(0, 1200), [hashlib.sha256(each.encode()).hexdigest() for each in people(0, 1200)]
    rows = [f"{email},{phone},DE,{email}" for email, phone in zip(emails, phones, strict=True)]
    content = body(rows, header="email_sha256,phone_sha256,country,second hash")
    message = connector.put("tiktok/vip/multiple_types/x.csv", content)
    single = connector.put(f"{VIP}/x.csv", body(people(5000, 1500)))
    connector.end()
    assert [connector.ends(message), connector.ends(single)] == [AVAILABLE] * 2
    assert (
        "These columns were not sent, although they contain hashes: second hash."
        in (connector.report_of(message) or {})["reason"]
    )
    assert sorted(each["calculate_type"] for each in connector.audiences()) == ["EMAIL_SHA256", "MULTIPLE_TYPES"]
