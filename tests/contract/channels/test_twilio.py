"""Which callbacks are Twilio's, and how a message in doubt is found again."""

from datetime import timedelta
from email.utils import format_datetime

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from twilio.request_validator import RequestValidator

from nightbell.channels.sms import Sms
from nightbell.channels.twilio import form, genuine
from nightbell.core.delivery import Absent, Found, NotSaid
from nightbell.core.receipt import Stage
from nightbell.testing.doubles import Double, Garbage, Hang, Reply

URL = "https://bell.example.org/callbacks/twilio/sms/tok?x=1&y=%2F"
BODY = b"MessageSid=SM1&MessageStatus=delivered&Empty=&To=%2B1555"
FIELDS = {"MessageSid": "SM1", "MessageStatus": "delivered", "Empty": "", "To": "+1555"}
SIGNATURE = RequestValidator("t0ken").compute_signature(URL, FIELDS)
NUMBER = "+447700900123"
PROVIDER = {"account_sid": "AC0", "auth_token": "t", "sms_from": "+15550100"}


def test_what_twilio_signed_is_believed():
    assert genuine("t0ken", url=URL, body=BODY, signature=SIGNATURE)


@pytest.mark.parametrize(
    "change",
    [
        {"token": "other"}, {"token": ""}, {"url": URL + "2"}, {"url": URL.replace("https", "http")},
        {"body": BODY.replace(b"delivered", b"failed")}, {"body": b""}, {"body": BODY + b"&a=b"}, {"body": b"\xff"},
        {"signature": ""}, {"signature": SIGNATURE[:-1]}, {"signature": "\u00e9" * 28}, {"signature": "x" * 100_000},
    ],
)  # fmt: skip
def test_what_was_changed_on_the_way_is_not(change):
    said = {"token": "t0ken", "url": URL, "body": BODY, "signature": SIGNATURE, **change}
    token = said.pop("token")
    assert not genuine(token, **said)


@given(st.binary(max_size=300), st.text(max_size=60))
def test_no_bytes_break_the_check(body, signature):
    assert not genuine("t0ken", url=URL, body=body, signature=signature)
    assert all(isinstance(k, str) for k, _ in form(body))


def test_ten_thousand_fields_are_not_read():
    assert form(b"&".join(b"a%d=1" % n for n in range(10_000))) == []


def item(message, **changes):
    shown = {
        "sid": "SM1", "status": "sent", "to": NUMBER, "body": "High: x\nReply ACK 4F, RES 4F or ESC 4F",
        "date_created": format_datetime(message.sent_at + timedelta(seconds=1)), "error_code": None,
    }  # fmt: skip
    return {**shown, **changes}


@pytest.fixture
async def double():
    async with Double() as double:
        yield double


@pytest.fixture
def message(make_message, double):
    return make_message(address=NUMBER, reply_code="4F", provider={**PROVIDER, "base_url": double.url})


async def traced(http, double, message, body, *, sid="", known=frozenset(), status=200):
    double.will(Reply(status=status, body=body if isinstance(body, bytes) else msgspec.json.encode(body)))
    return await Sms(http).trace(message, sid, known)


async def test_a_message_is_asked_for_by_its_id(http, double, message):
    found = await traced(
        http, double, message, item(message, status="undelivered", error_code=30003), sid="SM1"
    )
    assert found == Found(provider_id="SM1", stage=Stage.FAILED, why="undelivered (30003)")
    assert double.requests[0].path == "/2010-04-01/Accounts/AC0/Messages/SM1.json"


async def test_a_message_without_an_id_is_found_by_number_time_and_code(http, double, message):
    found = await traced(http, double, message, {"messages": [item(message)]})
    assert found == Found(provider_id="SM1", stage=Stage.ACCEPTED, why="sent")


async def test_a_message_of_an_international_recipient_is_found_whatever_else_was_sent(http, double, message):
    old = item(message, sid="SM0", date_created=format_datetime(message.sent_at - timedelta(hours=1)))
    other = item(message, sid="SM2", body="Reply ACK 5G")
    anothers = item(message, sid="SM3")
    listed = {"messages": [anothers, other, old]}
    assert isinstance(await traced(http, double, message, listed, known=frozenset({"SM3"})), Absent)


@pytest.mark.parametrize("status", [401, 429, 500, 503])
async def test_trouble_while_asking_proves_nothing(http, double, message, status):
    assert isinstance(await traced(http, double, message, b"{}", status=status), NotSaid)


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b'{"messages": 7}', b'{"messages": [{"sid": 1}]}'])
async def test_an_answer_nobody_understands_proves_nothing(http, double, message, body):
    assert isinstance(await traced(http, double, message, body), NotSaid)


async def test_a_broken_connection_while_asking_proves_nothing(http, double, message):
    for trouble in (Hang(), Garbage()):
        double.will(trouble)
        assert isinstance(await Sms(http).trace(message, "", frozenset()), NotSaid)


async def test_an_id_that_twilio_does_not_know_was_never_a_message(http, double, message):
    assert isinstance(await traced(http, double, message, b"{}", sid="SM9", status=404), Absent)
