"""The whole way, over HTTP: a page goes out to a double of Twilio or Slack, and what they call back is believed or not."""

import asyncio
import hmac
import re
from dataclasses import dataclass
from datetime import timedelta
from hashlib import sha256
from urllib.parse import urlencode

import msgspec
import pytest

from nightbell.core.directory import Target
from nightbell.core.journal import SYSTEM
from nightbell.engine import edits
from nightbell.engine.act import NewAlert
from nightbell.engine.configure import seed
from nightbell.testing.clock import FrozenClock
from nightbell.testing.doubles import Reply, Reset, Then
from nightbell.testing.slack_double import APP, SECRET, SlackDouble
from nightbell.testing.twilio_double import TwilioDouble
from support.bells import START, Bell, ringing

# Each test is a whole program.
pytestmark = pytest.mark.timeout(180)

ANA = "+447700900123"


def found(pattern, text):
    """Return the first group of what must be there."""
    match = re.search(pattern, text)
    assert match, text
    return match[1]


@dataclass
class Called(Bell):
    """The running program with its doubles, which call it back."""

    twilio: TwilioDouble
    slack: SlackDouble

    async def person(self, name="Ana", role="user", **methods):
        """Make a person whose only contact methods are these, kind=address, in turn five minutes apart."""
        user_id = await super().person(name, role=role, **methods)
        sql = """SELECT r.id, m.kind FROM notification_rules r JOIN contact_methods m ON m.id = r.contact_method_id
                 WHERE r.user_id = $1"""
        for rule, kind in await self.db.fetch(sql, user_id):
            later = edits.NotificationRuleEdit(delay_minutes=list(methods).index(kind) * 5)
            await self.configure.update_notification_rule(rule, later, by=SYSTEM, now=self.clock())
        return user_id

    async def sent(self, alert_id):
        """Return what became of the messages, by kind."""
        sql = "SELECT kind, state, stage FROM notifications WHERE alert_id = $1 ORDER BY id"
        return [tuple(row.values()) for row in await self.db.fetch(sql, alert_id)]

    async def recorded(self, alert_id, *expected):
        """Wait until the messages are as expected: a callback may come before the answer is written down."""
        now = None
        try:
            async with asyncio.timeout(20):
                while (now := await self.sent(alert_id)) != list(expected):
                    await asyncio.sleep(0.02)
        except TimeoutError:
            raise AssertionError(f"{now}, not {list(expected)}") from None

    async def chore(self, name):
        """Let the worker do one of its chores now."""
        await next(c for c, _ in self.engine.worker._chores if c.name == name).work()

    async def recorded_after_trace(self, alert_id, *expected):
        """Wait until the messages are as expected once the provider was asked."""
        await self.chore("traces")
        await self.recorded(alert_id, *expected)

    async def twilio_calls(self, url, signature=None, **fields):
        """Call back as Twilio does."""
        full = url if url.startswith("http") else f"{self.url}{url}"
        signed = self.twilio.sign(full, fields) if signature is None else signature
        headers = {"X-Twilio-Signature": signed, "Content-Type": "application/x-www-form-urlencoded"}
        return await self.client.post(full, content=urlencode(fields), headers=headers)

    async def texts(self, body, sid="SMin1", who=ANA):
        """Send a text, and return the answer's words."""
        answer = await self.twilio_calls(
            "/callbacks/twilio/sms", MessageSid=sid, From=who, To="+15550100100", Body=body
        )
        assert answer.status_code == 200
        return found("<Message>(.*)</Message>", answer.text)

    async def slack_calls(self, payload, *, secret=SECRET, age=0):
        """Call as Slack does."""
        body = urlencode({"payload": msgspec.json.encode(payload).decode()}).encode()
        stamp = str(int(self.clock().timestamp()) - age)
        mac = hmac.new(secret.encode(), f"v0:{stamp}:".encode() + body, sha256).hexdigest()
        headers = {"X-Slack-Request-Timestamp": stamp, "X-Slack-Signature": f"v0={mac}",
                   "Content-Type": "application/x-www-form-urlencoded"}  # fmt: skip
        return await self.client.post(f"{self.url}/callbacks/slack", content=body, headers=headers)


@pytest.fixture
async def bell(db, tmp_path):
    clock = FrozenClock(START)
    await seed(db, clock())
    async with (
        TwilioDouble(clock) as twilio,
        SlackDouble(U0ANA0001="ana@example.org", U0EVE0001="eve@example.org") as slack,
    ):
        providers = {"twilio": twilio.settings, "slack": {**slack.settings, "app_token": ""}}
        async with ringing(db, tmp_path / "data", providers, clock) as rung:
            yield Called(rung.url, rung.running, rung.clock, rung.client, twilio, slack)


# ---------------------------------------------------------------- text messages


async def test_a_text_is_answered_and_the_alert_is_acknowledged(bell):
    ana = await bell.person(sms=ANA)
    alert = await bell.page(ana)
    text = await bell.twilio.take()
    assert "DiskFull on db-1" in text.body and f"{bell.url}/a/" in text.body
    assert re.fullmatch("[2-9][A-Z]", text.code)
    said = await bell.texts(f"ack {text.code.lower()}")
    assert said.startswith("Acknowledged: DiskFull on db-1")
    assert await bell.status(alert) == "acknowledged"
    await bell.recorded(alert, ("sms", "sent", "acknowledged"))


async def test_one_key_is_enough_while_one_alert_waits(bell):
    alert = await bell.page(await bell.person(sms=ANA))
    await bell.twilio.take()
    assert (await bell.texts("1")).startswith("Acknowledged")
    assert await bell.status(alert) == "acknowledged"


async def test_an_answer_that_could_mean_several_alerts_is_asked_back(bell):
    ana = await bell.person(sms=ANA)
    # One after the other: two that are due at once may go as one message.
    first = await bell.page(ana, summary="One")
    codes = [(await bell.twilio.take()).code]
    second = await bell.page(ana, summary="Two")
    codes = sorted([*codes, (await bell.twilio.take()).code])
    assert len(set(codes)) == 2
    said = await bell.texts("ack")
    assert all(f"ACK {code}" in said for code in codes)
    assert {await bell.status(first), await bell.status(second)} == {"triggered"}
    assert await bell.texts("ack all", sid="SMin2") == "Done for 2 alerts."
    assert {await bell.status(first), await bell.status(second)} == {"acknowledged"}


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("what is this", "Answer ACK"),
        ("ack 9Y", "No alert has the code 9Y."),
        ("", "Answer ACK"),
        ("ack " * 300, "Answer ACK"),
        ("<script>", "Answer ACK"),
        ("ack\0 please", "Answer ACK"),
    ],
)
async def test_an_answer_that_matches_nothing_is_told_so_and_kept(bell, text, told):
    await bell.person(sms=ANA)
    assert told in await bell.texts(text)
    [row] = await bell.db.fetch("SELECT said, verdict FROM replies")
    assert row["verdict"] == "unclear"


async def test_a_stranger_who_writes_is_told_so_and_changes_nothing(bell):
    alert = await bell.page(await bell.person(sms=ANA))
    text = await bell.twilio.take()
    assert "Nobody at Nightbell" in await bell.texts(f"ack {text.code}", who="+15550199999")
    assert await bell.status(alert) == "triggered"
    [row] = await bell.db.fetch("SELECT verdict FROM replies")
    assert row["verdict"] == "stranger"


async def test_who_answers_us_without_end_is_told_nothing_more(bell):
    for number in range(5):
        assert await bell.texts("I am on holiday", sid=f"SMin{number}", who="+15550199999")
    answer = await bell.twilio_calls(
        "/callbacks/twilio/sms", MessageSid="SMin9", From="+15550199999", Body="I am on holiday"
    )
    assert answer.text == "<Response></Response>"


async def test_a_link_in_a_message_proves_that_it_arrived(bell):
    alert = await bell.page(await bell.person(sms=ANA))
    text = await bell.twilio.take()
    await bell.recorded(alert, ("sms", "sent", "accepted"))
    link = next(line for line in text.body.splitlines() if line.startswith("http"))
    assert (await bell.client.post(f"{link}/acknowledge")).status_code == 200
    await bell.recorded(alert, ("sms", "sent", "acknowledged"))


async def test_a_code_belongs_to_the_person_it_was_sent_to(bell):
    alert = await bell.page(await bell.person(sms=ANA))
    await bell.person("Ben", sms="+447700900999")
    code = (await bell.twilio.take()).code
    assert await bell.texts(f"ack {code}", who="+447700900999") == f"No alert has the code {code}."
    assert await bell.status(alert) == "triggered"


async def test_an_observer_who_answers_is_refused(bell):
    alert = await bell.page(await bell.person(role="observer", sms=ANA))
    code = (await bell.twilio.take()).code
    assert await bell.texts(f"ack {code}") == "Your role may look, not act."
    assert await bell.status(alert) == "triggered"


async def test_the_same_answer_twice_acts_once(bell):
    alert = await bell.page(await bell.person(sms=ANA))
    code = (await bell.twilio.take()).code
    first = await bell.texts(f"ack {code}")
    await bell.engine.act.resolve(alert, by=SYSTEM, now=bell.clock())
    assert "Resolved: DiskFull" in (await bell.twilio.take()).body
    assert await bell.texts(f"ack {code}") == first
    [count] = await bell.db.fetch("SELECT count(*) FROM replies")
    assert count[0] == 1


async def test_a_report_of_delivery_is_kept_and_a_late_one_says_nothing_against_it(bell):
    alert = await bell.page(await bell.person(sms=ANA))
    text = await bell.twilio.take()
    for status in ("sent", "delivered", "sent", "delivered", "failed"):
        answer = await bell.twilio_calls(text.callback, MessageSid=text.sid, MessageStatus=status)
        assert answer.status_code == 204
    await bell.recorded(alert, ("sms", "sent", "delivered"))
    rows = await bell.db.fetch("SELECT stage FROM receipts ORDER BY id")
    assert [r["stage"] for r in rows] == ["accepted", "delivered", "failed"]


async def test_a_message_that_was_not_delivered_uses_the_next_method_at_once(bell):
    alert = await bell.page(await bell.person(sms=ANA, voice=ANA))
    text = await bell.twilio.take()
    fields = {"MessageSid": text.sid, "MessageStatus": "undelivered", "ErrorCode": "30003"}
    await bell.recorded(alert, ("sms", "sent", "accepted"))
    await bell.twilio_calls(text.callback, **fields)
    call = await bell.twilio.take()
    assert call.sid.startswith("CA")
    await bell.twilio_calls(text.callback, **fields)
    await bell.recorded(alert, ("sms", "refused", "failed"), ("voice", "sent", "accepted"))
    notes = await bell.db.fetch("SELECT details FROM alert_events WHERE code = 'page.failover'")
    assert [n["details"] for n in notes] == ["Sms: undelivered (30003). Using voice for Ana at once."]


@pytest.mark.parametrize("change", ["signature", "url", "fields", "none", "token"])
async def test_a_forged_callback_is_refused_and_kept(bell, change):
    alert = await bell.page(await bell.person(sms=ANA))
    text = await bell.twilio.take()
    await bell.recorded(alert, ("sms", "sent", "accepted"))
    url, fields = text.callback, {"MessageSid": text.sid, "MessageStatus": "delivered"}
    signature = bell.twilio.sign(url, fields)
    if change == "signature":
        signature = bell.twilio.sign(url, {})
    elif change == "none":
        signature = ""
    elif change == "url":
        url = url[:-4] + "AAAA"
    elif change == "token":
        url = url[:-4] + "AAAA"
        signature = bell.twilio.sign(url, fields)
    else:
        fields = {**fields, "MessageStatus": "read"}
    answer = await bell.twilio_calls(url, signature, **fields)
    assert answer.status_code == 403
    assert await bell.sent(alert) == [("sms", "sent", "accepted")]
    async with asyncio.timeout(5):
        while not await bell.db.fetch("SELECT 1 FROM deliveries WHERE status_code = 403"):
            await asyncio.sleep(0.05)


async def test_a_callback_past_its_time_is_refused(bell):
    await bell.page(await bell.person(sms=ANA))
    text = await bell.twilio.take()
    bell.clock.move_to(START + timedelta(days=2))
    answer = await bell.twilio_calls(text.callback, MessageSid=text.sid, MessageStatus="delivered")
    assert answer.status_code == 403


# ---------------------------------------------------------------- doubt


@pytest.mark.parametrize("trouble", [Reset(), Reply(status=200, body=b"<html>")])
async def test_a_message_that_was_accepted_in_doubt_is_found_and_not_sent_again(bell, trouble):
    bell.twilio.will(Then(trouble=trouble))
    alert = await bell.page(await bell.person(sms=ANA))
    text = await bell.twilio.take()
    async with asyncio.timeout(20):
        while (await bell.sent(alert))[0][1] != "unknown":
            await asyncio.sleep(0.02)
    text.status = "delivered"
    bell.clock.move_to(START + timedelta(minutes=2))
    await bell.recorded_after_trace(alert, ("sms", "sent", "delivered"))


async def test_a_message_in_doubt_that_the_provider_never_had_is_refused(bell):
    bell.twilio.will(Reset())
    alert = await bell.page(await bell.person(sms=ANA, voice=ANA))
    await bell.twilio.take()
    await bell.recorded(alert, ("sms", "unknown", ""), ("voice", "sent", "accepted"))
    bell.clock.move_to(START + timedelta(seconds=30))
    await bell.recorded_after_trace(alert, ("sms", "refused", "failed"), ("voice", "sent", "accepted"))


# ---------------------------------------------------------------- calls


async def call_of(bell):
    call = await bell.twilio.take()
    assert call.fields["Url"] == f"{call.callback}/script"
    return call


async def answered(bell, call, by="human"):
    answer = await bell.twilio_calls(
        call.fields["Url"], CallSid=call.sid, CallStatus="in-progress", AnsweredBy=by
    )
    assert answer.status_code == 200
    return answer.text


@pytest.mark.parametrize(
    ("key", "status", "said"),
    [("1", "acknowledged", "Acknowledged"), ("2", "resolved", "Resolved"), ("3", "triggered", "")],
)
async def test_a_key_pressed_in_a_call_acts(bell, key, status, said):
    alert = await bell.page(await bell.person(voice=ANA))
    call = await call_of(bell)
    script = await answered(bell, call)
    assert script.count("alert: DiskFull on db-1") == 2
    keys = found('action="([^"]*)"', script)
    answer = await bell.twilio_calls(keys, CallSid=call.sid, Digits=key)
    assert said in answer.text
    assert await bell.status(alert) == status
    again = await bell.twilio_calls(keys, CallSid=call.sid, Digits=key)
    assert again.text == answer.text
    done = await bell.twilio_calls(
        call.callback, CallSid=call.sid, CallStatus="completed", AnsweredBy="human"
    )
    assert done.status_code == 204
    if key == "3":
        # Nobody else is on the ladder, so it begins again.
        await bell.twilio.take()


async def test_a_call_that_is_answered_without_a_key_is_no_acknowledgement(bell):
    alert = await bell.page(await bell.person(voice=ANA))
    call = await call_of(bell)
    assert "not acknowledged" in await answered(bell, call)
    await bell.recorded(alert, ("voice", "sent", "accepted"))
    await bell.twilio_calls(call.callback, CallSid=call.sid, CallStatus="completed", AnsweredBy="human")
    assert await bell.status(alert) == "triggered"
    await bell.recorded(alert, ("voice", "sent", "delivered"))


async def test_a_key_that_does_nothing_is_asked_again_and_proves_that_somebody_listens(bell):
    alert = await bell.page(await bell.person(voice=ANA))
    call = await call_of(bell)
    keys = found('action="([^"]*)"', await answered(bell, call))
    answer = await bell.twilio_calls(keys, CallSid=call.sid, Digits="9")
    assert "That key does nothing. Press 1 to acknowledge." in answer.text and "<Gather" in answer.text
    await bell.recorded(alert, ("voice", "sent", "seen"))


@pytest.mark.parametrize(
    "end",
    [
        {"CallStatus": "busy"},
        {"CallStatus": "no-answer"},
        {"CallStatus": "failed"},
        {"CallStatus": "completed", "AnsweredBy": "machine_start"},
    ],
    ids=["busy", "no answer", "failed", "voice mail"],
)
async def test_a_call_that_nobody_took_uses_the_next_method_at_once(bell, end):
    alert = await bell.page(await bell.person(voice=ANA, sms=ANA))
    call = await call_of(bell)
    if "AnsweredBy" in end:
        script = await answered(bell, call, by="machine_start")
        assert "<Gather" not in script
    await bell.recorded(alert, ("voice", "sent", "accepted"))
    await bell.twilio_calls(call.callback, CallSid=call.sid, **end)
    assert (await bell.twilio.take()).sid.startswith("SM")
    await bell.recorded(alert, ("voice", "refused", "failed"), ("sms", "sent", "accepted"))


# ---------------------------------------------------------------- Slack


async def test_a_channel_that_a_level_tells_has_buttons_and_follows_the_alert(bell):
    ana = await bell.person(slack="U0ANA0001")
    now = bell.clock()
    policy = await bell.configure.create_policy(edits.PolicyEdit(name="Ops"), by=SYSTEM, now=now)
    targets = [{"type": "user", "id": str(ana)}, {"type": "slack_channel", "id": "C0OPS00001"}]
    level = edits.LevelEdit(targets=targets, delay_minutes=30)
    await bell.configure.create_level(policy, None, level, by=SYSTEM, now=now)
    new = NewAlert(summary="DiskFull", targets=(Target(type="EscalationPolicy", id=str(policy)),))
    alert = (await bell.engine.act.create(new, by=SYSTEM, now=now)).id
    posts = {one.channel: one for one in (await bell.slack.take(), await bell.slack.take())}
    post = posts["C0OPS00001"]
    assert post.buttons == ["acknowledge", "resolve", "snooze", "escalate", "open"]
    assert f"{bell.url}/a/" not in msgspec.json.encode(post.body).decode()
    await bell.recorded(alert, ("slack", "sent", "accepted"), ("slack", "sent", "accepted"))
    await bell.slack_calls(bell.slack.pressed(post, "acknowledge", "U0EVE0001"))
    assert await bell.status(alert) == "triggered"
    await bell.slack_calls(bell.slack.pressed(post, "acknowledge", "U0ANA0001", at="2.0"))
    assert await bell.status(alert) == "acknowledged"
    await bell.slack.until(lambda: all(one.edits for one in posts.values()))
    assert "Acknowledged by Ana." in msgspec.json.encode(post.body).decode()
    await bell.engine.act.resolve(alert, by=SYSTEM, now=bell.clock())
    # Ana is told that it is over; the channel sees it where the post stands.
    assert (await bell.slack.take()).channel != "C0OPS00001"
    await bell.slack.until(lambda: post.edits == 2)
    assert post.buttons == ["open"]


async def test_a_button_acknowledges_and_the_post_changes_where_it_stands(bell):
    alert = await bell.page(await bell.person(slack="U0ANA0001"))
    post = await bell.slack.take()
    assert post.buttons == ["acknowledge", "resolve", "snooze", "escalate", "open"]
    await bell.recorded(alert, ("slack", "sent", "accepted"))
    assert (await bell.slack_calls(bell.slack.pressed(post, "acknowledge", "U0ANA0001"))).status_code == 204
    assert await bell.status(alert) == "acknowledged"
    await bell.slack.until(lambda: bell.slack.whispers and post.edits)
    assert bell.slack.whispers[0]["text"].startswith("Acknowledged: DiskFull on db-1")
    assert "Acknowledged by Ana." in msgspec.json.encode(post.body).decode()
    assert post.buttons == ["resolve", "snooze", "escalate", "open"]
    await bell.engine.act.resolve(alert, by=SYSTEM, now=bell.clock())
    update = await bell.slack.take()
    assert update.body["thread_ts"] == post.ts
    await bell.slack.until(lambda: post.edits == 2)
    assert post.buttons == ["open"] and post.text.startswith("🟢")


async def test_a_member_known_by_e_mail_is_found_both_ways(bell):
    alert = await bell.page(await bell.person(slack="ana@example.org"))
    post = await bell.slack.take()
    assert post.channel == "D0ANA0001"
    await bell.slack_calls(bell.slack.pressed(post, "resolve", "U0ANA0001"))
    assert await bell.status(alert) == "resolved"


async def test_a_stranger_who_presses_is_told_so_and_changes_nothing(bell):
    alert = await bell.page(await bell.person(slack="C0OPS00001"))
    post = await bell.slack.take()
    await bell.slack_calls(bell.slack.pressed(post, "acknowledge", "U0EVE0001"))
    await bell.slack.until(lambda: bell.slack.whispers)
    assert "does not know who you are" in bell.slack.whispers[0]["text"]
    assert bell.slack.whispers[0]["user"] == "U0EVE0001"
    assert await bell.status(alert) == "triggered"


@pytest.mark.parametrize("forged", [{"secret": "wrong"}, {"age": 301}, {"age": -301}])
async def test_a_forged_or_old_request_of_slack_is_refused(bell, forged):
    alert = await bell.page(await bell.person(slack="U0ANA0001"))
    post = await bell.slack.take()
    answer = await bell.slack_calls(bell.slack.pressed(post, "acknowledge", "U0ANA0001"), **forged)
    assert answer.status_code == 403
    assert await bell.status(alert) == "triggered"


async def test_a_replayed_press_acts_once(bell):
    alert = await bell.page(await bell.person(slack="U0ANA0001"))
    press = bell.slack.pressed(await bell.slack.take(), "acknowledge", "U0ANA0001")
    await bell.slack_calls(press)
    await bell.engine.act.resolve(alert, by=SYSTEM, now=bell.clock())
    await bell.slack.take()
    await bell.slack_calls(press)
    assert await bell.status(alert) == "resolved"
    [count] = await bell.db.fetch("SELECT count(*) FROM replies")
    assert count[0] == 1


async def test_a_post_in_doubt_is_found_by_its_key(bell):
    bell.slack.will(Then(trouble=Reset()))
    alert = await bell.page(await bell.person(slack="U0ANA0001"))
    await bell.slack.take()
    await bell.recorded(alert, ("slack", "unknown", ""))
    bell.clock.move_to(START + timedelta(seconds=30))
    await bell.recorded_after_trace(alert, ("slack", "sent", "delivered"))


async def test_socket_mode_needs_no_public_address_and_confirms_what_was_carried_out(bell):
    bell.engine.inbound.clerk.providers.fixed["slack"].pop("app_token")
    await bell.configure.set_provider("slack", {"app_token": APP}, by=SYSTEM, now=bell.clock())
    await bell.chore("slack")
    alert = await bell.page(await bell.person(slack="U0ANA0001"))
    post = await bell.slack.take()
    await bell.slack.send("e-1", bell.slack.pressed(post, "acknowledge", "U0ANA0001"))
    await bell.slack.until(lambda: bell.slack.confirmed == ["e-1"] and bell.slack.whispers)
    assert await bell.status(alert) == "acknowledged"
    await bell.slack.send("e-2", bell.slack.pressed(post, "acknowledge", "U0EVE0001"))
    await bell.slack.until(lambda: bell.slack.confirmed == ["e-1", "e-2"] and len(bell.slack.whispers) == 2)
    assert "does not know who you are" in bell.slack.whispers[1]["text"]
    await bell.slack.send("e-3", {"type": "view_submission"})
    await bell.slack.until(lambda: bell.slack.confirmed[-1:] == ["e-3"])


async def test_the_line_follows_the_settings(bell):
    bell.engine.inbound.clerk.providers.fixed["slack"].pop("app_token")
    await bell.configure.set_provider("slack", {"app_token": "xapp-wrong"}, by=SYSTEM, now=bell.clock())
    await bell.chore("slack")
    assert not bell.slack.lines
    await bell.configure.set_provider("slack", {"app_token": APP}, by=SYSTEM, now=bell.clock())
    await bell.chore("slack")
    await bell.slack.until(lambda: bell.slack.lines == 1)
    await bell.configure.set_provider("slack", {"app_token": ""}, by=SYSTEM, now=bell.clock())
    await bell.chore("slack")
    await bell.slack.until(lambda: bell.slack.lines == 0)
