"""Codes that prove addresses, and the settings of providers: over HTTP, as people and operators use them."""

import re
from datetime import timedelta

import httpx
import pytest

from nightbell.core.journal import SYSTEM
from nightbell.engine import edits, identity
from nightbell.engine.configure import seed
from nightbell.engine.identity import Browser
from nightbell.testing.clock import FrozenClock
from nightbell.testing.doubles import Reply
from nightbell.testing.slack_double import SlackDouble
from nightbell.testing.twilio_double import TOKEN, TwilioDouble
from support.bells import START, ringing

# Each test is a whole program.
pytestmark = pytest.mark.timeout(180)

ANA = "+447700900123"
HERE = Browser(user_agent="test", remote_ip="127.0.0.1")


def found(pattern, text):
    """Return the first group of what must be there."""
    match = re.search(pattern, text)
    assert match, text
    return match[1]


class Desk:
    """Somebody at a browser."""

    def __init__(self, bell, client):
        self.bell = bell
        self.client = client

    async def get(self, path):
        answer = await self.client.get(f"{self.bell.url}{path}")
        assert answer.status_code == 200, answer.text
        return answer.text

    async def post(self, path, on="/me", **fields):
        """Send a form of a page, and return the page one ends at."""
        csrf = found('name="csrf" value="([^"]*)"', await self.get(on))
        headers = {"Referer": f"{self.bell.url}{on}"}
        answer = await self.client.post(
            f"{self.bell.url}{path}", data={"csrf": csrf, **fields}, headers=headers
        )
        return answer.text


@pytest.fixture
async def twilio(clock):
    async with TwilioDouble(clock) as double:
        yield double


@pytest.fixture
async def slack():
    async with SlackDouble(U0ANA0001="ana@example.org") as double:
        yield double


@pytest.fixture
def clock():
    return FrozenClock(START)


@pytest.fixture
async def bell(db, tmp_path, clock, twilio, slack):
    await seed(db, clock())
    providers = {"twilio": twilio.settings, "slack": {"base_url": slack.settings["base_url"]}}
    async with ringing(db, tmp_path / "data", providers, clock) as bell:
        yield bell


@pytest.fixture
async def ana(bell):
    edit = edits.UserEdit(name="Ana", email="ana@example.org", role="owner")
    user_id = await bell.configure.create_user(edit, by=SYSTEM, now=bell.clock())
    token = await identity.open_session(bell.db, user_id, HERE, bell.clock())
    async with httpx.AsyncClient(cookies={"nightbell": token}, follow_redirects=True) as client:
        yield Desk(bell, client)


async def added(ana, kind="sms", address=ANA):
    await ana.post("/me/methods", kind=kind, address=address)
    sql = "SELECT id FROM contact_methods WHERE kind = $1 AND address = $2"
    return (await ana.bell.db.fetch(sql, kind, address))[0][0]


async def verified(ana, method):
    return (await ana.bell.db.fetch("SELECT verified_at FROM contact_methods WHERE id = $1", method))[0][0]


def code_in(text):
    return found(r"Your code is (\d{6})", text.body)


async def test_a_new_number_is_proven_by_the_code_that_goes_there(ana, twilio):
    method = await added(ana)
    text = await twilio.take()
    assert text.to == ANA
    assert await verified(ana, method) is None
    assert "That is not the code. 4 tries left." in await ana.post(
        f"/me/methods/{method}/confirm", code="000000x"
    )
    assert "Verified." in await ana.post(f"/me/methods/{method}/confirm", code=f" {code_in(text)} ")
    assert await verified(ana, method) == START


async def test_a_number_that_is_proven_by_text_may_be_called(ana, twilio):
    sms, voice = await added(ana), await added(ana, "voice")
    text, call = sorted([await twilio.take(), await twilio.take()], key=lambda one: one.sid[:2], reverse=True)
    assert call.sid.startswith("CA")
    await ana.post(f"/me/methods/{sms}/confirm", code=code_in(text))
    assert await verified(ana, voice) == START


async def test_a_code_is_not_guessed(ana, twilio):
    method = await added(ana)
    code = code_in(await twilio.take())
    for _ in range(4):
        await ana.post(f"/me/methods/{method}/confirm", code="1")
    assert "Too many wrong codes" in await ana.post(f"/me/methods/{method}/confirm", code="2")
    assert "No code waits" in await ana.post(f"/me/methods/{method}/confirm", code=code)
    assert await verified(ana, method) is None


async def test_codes_are_sent_at_the_pace_of_people(ana, twilio):
    method = await added(ana)
    await twilio.take()
    assert "Ask again in" in await ana.post(f"/me/methods/{method}/code")
    ana.bell.clock.move_to(START + timedelta(minutes=1))
    assert "A code is on its way" in await ana.post(f"/me/methods/{method}/code")
    await twilio.take()


async def test_a_method_of_somebody_else_is_not_there(ana, bell):
    ben = await bell.person("Ben", sms="+447700900999")
    [row] = await bell.db.fetch("SELECT id FROM contact_methods WHERE user_id = $1", ben)
    assert "You have no such contact method" in await ana.post(f"/me/methods/{row['id']}/code")
    assert "You have no such contact method" in await ana.post(f"/me/methods/{row['id']}/confirm", code="1")


async def test_a_refused_code_says_why_beside_the_number(ana, twilio):
    fault = b'{"code":21211,"message":"Invalid To","status":400}'
    twilio.will(Reply(status=400, body=fault))
    method = await added(ana)
    await ana.bell.becomes(
        "SELECT state FROM notifications WHERE contact_method_id = $1", method, wanted=[("refused",)]
    )
    page = await ana.get("/me")
    assert "Invalid To (error 21211); this number cannot be called or written to" in page


@pytest.mark.parametrize("number", ["07700900123", "+44 7700 900123", "not a number"])
async def test_a_malformed_number_is_refused_where_it_was_typed(ana, number):
    page = await ana.post("/me/methods", kind="sms", address=number)
    assert "not a telephone number in the international form" in page
    assert number in page


# ---------------------------------------------------------------- what operators set


async def test_a_secret_is_stored_sealed_and_never_shown_again(ana, bell, slack):
    on = "/settings/providers"
    page = await ana.post(f"{on}/slack", on, bot_token="xoxb-the-double", signing_secret="", app_token="")
    assert "Slack: saved." in page
    assert "xoxb-the-double" not in page
    [row] = await bell.db.fetch("SELECT settings::text FROM providers WHERE name = 'slack'")
    assert "xoxb" not in row[0]
    await ana.post(f"{on}/slack", on, bot_token="••••••••", signing_secret="s", app_token="")
    known = await bell.engine.inbound.clerk.providers.of(bell.db, "slack")
    assert (known["bot_token"], known["signing_secret"]) == ("xoxb-the-double", "s")
    entries = await bell.db.fetch("SELECT changes::text FROM audit_log WHERE action = 'provider.updated'")
    assert len(entries) == 2 and "xoxb" not in str(entries)


async def test_what_the_machine_decides_is_not_changed_in_the_browser(ana, bell, twilio):
    on = "/settings/providers"
    page = await ana.get(on)
    assert "NIGHTBELL_TWILIO_AUTH_TOKEN" in page and TOKEN not in page
    await ana.post(f"{on}/twilio", on, auth_token="mine", base_url="http://169.254.169.254")
    known = await bell.engine.inbound.clerk.providers.of(bell.db, "twilio")
    assert (known["auth_token"], known["base_url"]) == (TOKEN, twilio.settings["base_url"])


async def test_a_test_says_what_the_provider_answered(ana, twilio, slack):
    on = "/settings/providers"
    assert "Twilio accepted it: HTTP 201" in await ana.post(f"{on}/twilio/test", on, kind="sms", address=ANA)
    assert (await twilio.take()).body == "Nightbell: Nightbell test message"
    page = await ana.post(f"{on}/slack/test", on, kind="slack", address="U0ANA0001")
    assert "no bot token" in page
    await ana.post(f"{on}/slack", on, bot_token="xoxb-revoked")
    page = await ana.post(f"{on}/slack/test", on, kind="slack", address="U0ANA0001")
    assert "Slack refused it: Slack: invalid_auth; the bot token in the settings is wrong" in page
    page = await ana.post(f"{on}/twilio/test", on, kind="sms", address="12")
    assert "not a telephone number" in page


@pytest.mark.parametrize(
    ("name", "fields", "told"),
    [
        ("twilio", {"callbacks": "maybe"}, "must be one of"),
        ("slack", {"bot_token": "a\nb"}, "No line breaks"),
        ("slack", {"bot_token": "x" * 600}, "too long"),
        ("nobody", {}, "no such provider"),
    ],
)
async def test_settings_that_will_not_do_are_refused(ana, bell, name, fields, told):
    if name == "twilio":
        bell.engine.inbound.clerk.providers.fixed = {}
    page = await ana.post(f"/settings/providers/{name}", "/settings/providers", **fields)
    assert told in page
