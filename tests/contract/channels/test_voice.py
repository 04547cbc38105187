"""What a call says, which keys it asks for, and what becomes of calls."""

from urllib.parse import parse_qs
from xml.etree import ElementTree

import pytest

from nightbell.channels import voice
from nightbell.channels.voice import Voice, meaning, spoken, to_a_machine, told
from nightbell.core.delivery import Purpose, Refused, Sent
from nightbell.core.receipt import Stage
from nightbell.testing.doubles import Double, Reply

KEYS = "https://bell.example.org/callbacks/twilio/voice/tok/keys"
PROVIDER = {"account_sid": "AC0", "auth_token": "t", "voice_from": "+15550101"}


def said(twiml: str) -> list[str]:
    return [say.text or "" for say in ElementTree.fromstring(twiml.partition("?>")[2]).iter("Say")]


def test_a_page_says_the_summary_twice_and_asks_for_a_key(make_message):
    twiml = spoken(make_message(), keys_url=KEYS)
    root = ElementTree.fromstring(twiml.partition("?>")[2])
    gather = root.find("Gather")
    assert gather is not None and gather.get("action") == KEYS
    first, second, end = said(twiml)
    assert first == second
    assert first.startswith("Nightbell, for Ana Silva. High alert: HighErrorRate (3 firing).")
    assert "Press 1 to acknowledge. Press 2 to resolve. Press 3 to escalate." in first
    assert "not acknowledged" in end


@pytest.mark.parametrize("purpose", [Purpose.UPDATE, Purpose.TEST, Purpose.VERIFY])
def test_only_a_page_asks_for_a_key(make_message, purpose):
    assert "<Gather" not in spoken(make_message(purpose=purpose, title="Your code is 123456"), keys_url=KEYS)


def test_a_code_is_said_digit_by_digit(make_message):
    [text] = said(spoken(make_message(purpose=Purpose.VERIFY, title="Your code is 482913"), keys_url=KEYS))
    assert text.count("4, 8, 2, 9, 1, 3,") == 2


@pytest.mark.parametrize(
    "text",
    ["</Say><Dial>+1900</Dial>", "a & b < c", "\x00\x1b[31m", "\"quoted'", "]]>", "\ud800", "x" * 5000],
)
def test_text_of_an_alert_is_spoken_and_never_obeyed(make_message, text):
    message = make_message(title=text, recipient=text, urgency=text)
    for twiml in (
        spoken(message, keys_url=KEYS),
        spoken(message, keys_url=""),
        to_a_machine(message),
        told(text),
    ):
        tags = {one.tag for one in ElementTree.fromstring(twiml.partition("?>")[2]).iter()}
        assert tags <= {"Response", "Say", "Gather", "Pause"}


async def test_a_call_fetches_its_words_when_somebody_picks_up(http, make_message):
    async with Double(Reply(status=201, body=b'{"sid":"CA1"}')) as double:
        callback = "https://bell.example.org/callbacks/twilio/voice/tok"
        message = make_message(
            address="+447700900123", provider={**PROVIDER, "base_url": double.url}, callback_url=callback
        )
        assert await Voice(http).send(message) == Sent(provider_id="CA1", detail="HTTP 201")
        [request] = double.requests
        fields = {k: v[0] for k, v in parse_qs(request.body.decode()).items()}
        assert request.path == "/2010-04-01/Accounts/AC0/Calls.json"
        assert fields == {
            "To": "+447700900123",
            "From": "+15550101",
            "Timeout": "25",
            "Url": f"{callback}/script",
            "StatusCallback": callback,
            "StatusCallbackEvent": "completed",
            "MachineDetection": "Enable",
        }


async def test_where_nobody_can_call_back_the_words_go_along(http, make_message):
    async with Double(Reply(status=201, body=b'{"sid":"CA1"}')) as double:
        message = make_message(address="+447700900123", provider={**PROVIDER, "base_url": double.url})
        await Voice(http).send(message)
        fields = {k: v[0] for k, v in parse_qs(double.requests[0].body.decode()).items()}
        assert "Url" not in fields and "<Gather" not in fields["Twiml"]
        assert fields["Twiml"].count("HighErrorRate") == 2


async def test_a_revoked_token_says_what_to_mend(http, make_message):
    fault = b'{"code":20003,"message":"Authenticate","status":401}'
    async with Double(Reply(status=401, body=fault)) as double:
        message = make_message(address="+447700900123", provider={**PROVIDER, "base_url": double.url})
        outcome = await Voice(http).send(message)
        assert isinstance(outcome, Refused)
        assert outcome.why == (
            "HTTP 401: Authenticate (error 20003); the account SID or the auth token in the settings is wrong or was revoked"
        )


@pytest.mark.parametrize(
    ("status", "by", "stage"),
    [("queued", "", Stage.ACCEPTED), ("ringing", "", Stage.ACCEPTED), ("in-progress", "human", Stage.ACCEPTED),
     ("completed", "human", Stage.DELIVERED), ("completed", "", Stage.DELIVERED), ("completed", "unknown", Stage.DELIVERED),
     ("completed", "machine_start", Stage.FAILED), ("completed", "fax", Stage.FAILED), ("busy", "", Stage.FAILED),
     ("no-answer", "", Stage.FAILED), ("failed", "", Stage.FAILED), ("canceled", "human", Stage.FAILED)],
)  # fmt: skip
def test_what_a_status_means_and_none_of_them_is_an_acknowledgement(status, by, stage):
    assert meaning(status, by)[0] is stage
    assert len(voice.KEYS) == 3
