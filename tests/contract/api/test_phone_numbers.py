"""Telephone numbers over Rootly's wire: made, proven by a code as its wizard does, named in rules, removed."""

import pytest

from nightbell.core import verification
from nightbell.testing.clock import FrozenClock

NUMBER = "+447700900123"


@pytest.fixture
async def phones(people):
    return f"/v1/users/{people['bo'][0]}/phone_numbers"


async def code_of(db, program, number=NUMBER):
    sql = (
        "SELECT v.notification_id FROM verifications v JOIN contact_methods m ON m.id = v.contact_method_id"
        " WHERE m.address = $1"
    )
    [row] = await db.fetch(sql, number)
    return verification.code(program.running.engine.vault.link_key, row[0])


async def test_a_number_is_made_and_proven_as_the_wizard_does(call, phones, program, db):
    made = await call("POST", phones, {"phone": NUMBER, "primary": True}, by="bo", status=201)
    ident = made["data"]["id"]
    assert made["data"]["type"] == "user_phone_numbers"
    assert made["data"]["attributes"]["phone"] == NUMBER
    assert made["data"]["attributes"]["verified_at"] is None
    await call("POST", f"/v1/phone_numbers/{ident}/verify", by="bo")
    code = await code_of(db, program)
    wrong = await call(
        "PATCH", f"/v1/phone_numbers/{ident}/verify_code", by="bo", status=422, json={"code": "x"}
    )
    assert "not the code" in str(wrong)
    done = await call("PATCH", f"/v1/phone_numbers/{ident}/verify_code", by="bo", json={"code": code})
    assert done["data"]["attributes"]["verified_at"]
    assert done["data"]["attributes"]["verification_attempts_today"] == 1
    listed = await call("GET", phones, by="bo")
    assert [one["id"] for one in listed["data"]] == [ident]
    verified = await db.fetch(
        "SELECT kind FROM contact_methods WHERE verified_at IS NOT NULL AND address = $1", NUMBER
    )
    assert {r["kind"] for r in verified} == {"sms", "voice"}


async def test_another_code_may_be_asked_for_but_not_at_once(call, phones, program):
    made = await call("POST", phones, {"phone": NUMBER}, by="bo", status=201)
    path = f"/v1/phone_numbers/{made['data']['id']}/resend_verification"
    await call("POST", path, by="bo")
    refused = await call("POST", path, by="bo", status=422)
    assert "Ask again in" in str(refused)
    assert isinstance(program.clock, FrozenClock)


@pytest.mark.parametrize("number", ["07700900123", "+44 7700 900123", "", "+0", "tel:+447700900123"])
async def test_a_malformed_number_is_refused_by_its_name_on_the_wire(call, phones, number):
    refused = await call("POST", phones, {"phone": number}, by="bo", status=422)
    assert refused["errors"][0]["source"]["pointer"] == "/data/attributes/phone"


async def test_the_same_number_is_not_added_twice(call, phones):
    await call("POST", phones, {"phone": NUMBER}, by="bo", status=201)
    refused = await call("POST", phones, {"phone": NUMBER}, by="bo", status=422)
    assert "already" in str(refused)


async def test_a_rule_names_a_number_and_whether_it_texts_or_calls(call, phones, people):
    ident = (await call("POST", phones, {"phone": NUMBER}, by="bo", status=201))["data"]["id"]
    rules = f"/v1/users/{people['bo'][0]}/notification_rules"
    calls = {"user_call_number_id": ident, "enabled_contact_types": ["call"], "delay": 5}
    made = (await call("POST", rules, calls, by="bo", status=201))["data"]["attributes"]
    assert (made["user_call_number_id"], made["user_sms_number_id"]) == (ident, None)
    assert made["enabled_contact_types"] == ["call"]
    texts = {"user_sms_number_id": ident, "enabled_contact_types": ["sms"], "delay": 6}
    made = (await call("POST", rules, texts, by="bo", status=201))["data"]["attributes"]
    assert (made["user_call_number_id"], made["user_sms_number_id"]) == (None, ident)


async def test_a_number_is_changed_and_removed_as_one(call, phones, db):
    ident = (await call("POST", phones, {"phone": NUMBER}, by="bo", status=201))["data"]["id"]
    await call("PATCH", f"/v1/phone_numbers/{ident}", {"phone": "+447700900999"}, by="bo")
    rows = await db.fetch("SELECT address FROM contact_methods WHERE kind IN ('sms', 'voice')")
    assert [r["address"] for r in rows] == ["+447700900999"] * 2
    await call("DELETE", f"/v1/phone_numbers/{ident}", by="bo")
    assert await db.fetch("SELECT 1 FROM contact_methods WHERE kind IN ('sms', 'voice')") == []


async def test_numbers_of_others_are_theirs(call, people):
    await call("GET", f"/v1/users/{people['ana'][0]}/phone_numbers", by="bo", status=403)


async def test_an_address_is_proven_by_whoever_is_no_administrator(call, people, db, program):
    path = f"/v1/users/{people['bo'][0]}/email_addresses"
    made = await call("POST", path, {"email": "night@example.org"}, by="bo", status=201)
    ident = made["data"]["id"]
    shown = await call("POST", f"/v1/email_addresses/{ident}/verify", by="bo")
    assert shown["data"]["attributes"]["verified_at"] is None
    code = await code_of(db, program, "night@example.org")
    done = await call("PUT", f"/v1/email_addresses/{ident}/verify_code", by="bo", json={"code": code})
    assert done["data"]["attributes"]["verified_at"]
