"""Kinds 46 to 49 of `kinds.md`, TikTok's refusals, and kind 51, several identifier types in one file."""

from __future__ import annotations

import hashlib

import pytest

from tests.field.connector import AVAILABLE, DAY, SETTLE, VIP, FieldConnector, File, body
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
        (REPLACE_REFUSED, "replace", {"replaced_today", "audience_processing"}),  # the message fits both codes
        (NOT_EDITABLE, "append", {"audience_processing"}),
        (NOT_EDITABLE, "remove", {"audience_processing"}),
        (NOT_EDITABLE, "replace", {"audience_processing"}),
    ],
)
def test_kind_46_a_temporary_refusal_is_recognized_by_its_message_under_every_code(
    connector: FieldConnector, code: int, words: str, action: str, waits: set[str]
) -> None:
    base = connector.create_audience()
    given = people(0, 100) if action == "remove" else people(3000, 1500)
    connector.tiktok.fault("update", "code", code=code, message=words, times=2)
    message = connector.put(f"{VIP}/{action}/x.csv", body(given))
    connector.wait(13 * SETTLE)
    assert connector.outcome_of(message) in {("waiting", each) for each in waits}
    connector.finish()
    assert connector.outcome_of(message) == AVAILABLE
    expected = {"append": base | set(given), "remove": base - set(given), "replace": set(given)}
    assert connector.members() == expected[action]
    assert connector.metric_totals()["FilesFailed"] == 0


def test_kind_46_a_second_replace_waits_for_the_next_day(connector: FieldConnector) -> None:
    """The emulator accepts one replace a day. A newer remove waits behind the second one."""
    connector.create_audience()
    connector.check_case([File("replace/a.csv", body(people(3000, 1500)))], people(3000, 1500))
    message = connector.put(f"{VIP}/replace/b.csv", body(people(5000, 1500)))
    behind = connector.put(f"{VIP}/remove/c.csv", body(people(5000, 100)))
    connector.wait(13 * SETTLE)
    assert connector.outcome_of(message) == ("waiting", "replaced_today")
    connector.finish()
    assert [connector.outcome_of(message), connector.outcome_of(behind)] == [AVAILABLE] * 2
    assert connector.members() == set(people(5100, 1400))


REFUSED, TERMS = "permission_refused", "terms_not_accepted"
PERSON = {  # call, TikTok's code and message, code of the report, words in its reason
    "47 banned country": ("any", 41000, "Your country is banned.", REFUSED, ()),
    "48 Analyst": ("upload", 40001, "No permission to operate.", REFUSED, ("Operator", "Admin")),
    "49 under 40001": ("any", 40001, "Please accept the Custom Audience Terms first.", TERMS, ("erms",)),
    "49 under 40002": ("upload", 40002, "The advertiser has not agreed to the terms.", TERMS, ("erms",)),
    "49 at the change": ("update", 40002, "Custom Audience Terms of Service not accepted", TERMS, ("erms",)),
}


@pytest.mark.parametrize("name", PERSON)
def test_kind_47_48_49_an_upload_waits_until_a_person_fixes_the_access(connector: FieldConnector, name: str) -> None:
    base = connector.create_audience()
    call, code, words, waits, says = PERSON[name]
    connector.tiktok.fault(call, "code", code=code, message=words, times=None)
    message = connector.put(f"{VIP}/append/x.csv", body(people(3000, 10)))
    connector.wait(6 * SETTLE)
    report = connector.report_of(message)
    assert report
    assert (report["status"], report["code"]) == ("waiting", waits)
    assert all(word in report["reason"] for word in says), report["reason"]
    assert connector.metric_totals()["CredentialsRejected"] >= 1
    connector.wait(DAY, every=DAY / 4)
    connector.tiktok.clear_faults()
    connector.sweep()
    assert connector.outcome_of(message) == ("submitted", "submitted")
    connector.finish()
    assert connector.members() == base | set(people(3000, 10))


def test_kind_51_one_file_can_have_several_identifier_types(connector: FieldConnector) -> None:
    emails, phones = people(0, 1200), [hashlib.sha256(each.encode()).hexdigest() for each in people(0, 1200)]
    rows = [f"{email},{phone},DE,{email}" for email, phone in zip(emails, phones, strict=True)]
    content = body(rows, header="email_sha256,phone_sha256,country,second hash")
    message = connector.put("tiktok/vip/multiple_types/x.csv", content)
    single = connector.put(f"{VIP}/x.csv", body(people(5000, 1500)))
    connector.finish()
    assert [connector.outcome_of(message), connector.outcome_of(single)] == [AVAILABLE] * 2
    assert (
        "These columns were not sent, although they contain hashes: second hash."
        in (connector.report_of(message) or {})["reason"]
    )
    assert sorted(each["calculate_type"] for each in connector.audiences()) == ["EMAIL_SHA256", "MULTIPLE_TYPES"]
