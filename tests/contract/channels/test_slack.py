"""What is written to Slack, within its limits; what its answers mean; which requests are Slack's."""

import hashlib
import hmac
from datetime import timedelta
from urllib.parse import urlencode

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.channels.conftest import NOW
from contract.channels.test_every_channel import HOSTILE
from nightbell.channels.slack import Slack
from nightbell.channels.slack_blocks import blocks, fallback
from nightbell.channels.slack_calls import event, genuine, payload, presses
from nightbell.core.delivery import Purpose, Refused, Retry, Sent, Unsure
from nightbell.core.errors import Invalid
from nightbell.testing.doubles import Double, Reply
from nightbell.testing.slack_double import SlackDouble


def texts(found):
    """Yield every text in a block tree."""
    if isinstance(found, dict):
        for key, value in found.items():
            if key == "text" and isinstance(value, str):
                yield found.get("type", ""), value
            else:
                yield from texts(value)
    elif isinstance(found, list):
        for one in found:
            yield from texts(one)


@pytest.mark.parametrize(
    "text", [*HOSTILE.values(), "<!channel>", "<@U1>", "&lt;!here&gt;", "\u00e9\n" * 50_000]
)
def test_a_message_fits_and_mentions_nobody(make_message, text):
    labels = {f"{text[:50]}{n}": text for n in range(40)}
    message = make_message(title=text, body=text, status=text[:30], urgency=text, labels=labels)
    made = blocks(message)
    assert len(made) <= 50
    for block in made:
        if block["type"] == "header":
            assert len(block["text"]["text"]) <= 150
        if "fields" in block:
            assert len(block["fields"]) <= 10
            assert all(len(f["text"]) <= 2_000 for f in block["fields"])
    for kind, said in texts(made):
        assert len(said) <= 3_000
        if kind == "mrkdwn":
            assert not any(mark in said for mark in ("<!channel>", "<!here>", "<@U1>"))
    assert "<!" not in fallback(message) and "<@" not in fallback(message)


@pytest.mark.parametrize(
    ("status", "buttons"),
    [("triggered", ["acknowledge", "resolve", "snooze", "escalate", "open"]),
     ("acknowledged", ["resolve", "snooze", "escalate", "open"]), ("resolved", ["open"])],
)  # fmt: skip
def test_only_buttons_that_mean_something_are_there(make_message, status, buttons):
    rows = [b["elements"] for b in blocks(make_message(status=status)) if b["type"] == "actions"]
    assert [one["action_id"].removeprefix("nightbell_") for row in rows for one in row] == buttons


@pytest.mark.parametrize(
    ("error", "kind"),
    [("ratelimited", Retry), ("service_unavailable", Retry), ("internal_error", Unsure), ("fatal_error", Unsure),
     ("request_timeout", Unsure), ("invalid_auth", Refused), ("token_revoked", Refused), ("is_archived", Refused),
     ("something_new", Refused), ("", Refused)],
)  # fmt: skip
async def test_what_an_error_means(http, make_message, error, kind):
    async with Double(Reply(body=msgspec.json.encode({"ok": False, "error": error}))) as double:
        provider = {"bot_token": "xoxb-1", "base_url": double.url}
        outcome = await Slack(http).send(make_message(address="U0123ABCD", provider=provider))
        assert isinstance(outcome, kind)
        assert error in outcome.why and "xoxb" not in outcome.why


async def test_a_person_is_found_by_e_mail_and_an_unknown_one_is_refused(http, make_message):
    async with SlackDouble(U0ANA0001="ana@example.org") as slack:
        send = Slack(http).send
        outcome = await send(make_message(address="ana@example.org", provider=slack.settings))
        assert isinstance(outcome, Sent)
        assert outcome.provider_id == f"D0ANA0001:{(await slack.take()).ts}"
        outcome = await send(make_message(address="eve@example.org", provider=slack.settings))
        assert isinstance(outcome, Refused)
        assert "nobody in the workspace has this e-mail address" in outcome.why


async def test_an_update_hangs_below_the_page_it_is_about(http, make_message):
    async with SlackDouble(U0ANA0001="ana@example.org") as slack:
        update = make_message(
            address="U0ANA0001", provider=slack.settings, purpose=Purpose.UPDATE, earlier="D0ANA0001:17.5"
        )
        await Slack(http).send(update)
        assert (await slack.take()).body["thread_ts"] == "17.5"


async def test_a_message_is_changed_where_it_stands(http, make_message):
    async with SlackDouble(U0ANA0001="ana@example.org") as slack:
        page = make_message(address="U0ANA0001", provider=slack.settings)
        sent = await Slack(http).send(page)
        assert isinstance(sent, Sent)
        post = await slack.take()
        changed = msgspec.structs.replace(page, status="resolved")
        assert isinstance(await Slack(http).edit(changed, sent.provider_id), Sent)
        assert post.edits == 1 and post.buttons == ["open"]
        assert isinstance(await Slack(http).edit(changed, "D0:nowhere"), Refused)


@pytest.mark.parametrize(
    "address", ["", "ana", "#ops", "U1", "u0123abcd", "U0123ABCD x", "D0123ABCD", "@ana", "a@b"]
)
def test_what_is_no_slack_address_is_refused_when_saving(http, address):
    with pytest.raises(Invalid) as refusal:
        Slack(http).check(address, {})
    assert refusal.value.place == "address"


# ---------------------------------------------------------------- requests

BODY = urlencode({"payload": "{}"}).encode()
STAMP = str(int(NOW.timestamp()))


def signed(secret, body=BODY, stamp=STAMP):
    return "v0=" + hmac.new(secret.encode(), f"v0:{stamp}:".encode() + body, hashlib.sha256).hexdigest()


def test_what_slack_signed_a_moment_ago_is_believed():
    for at in (NOW, NOW + timedelta(seconds=299), NOW - timedelta(seconds=299)):
        assert genuine("s", stamp=STAMP, signature=signed("s"), body=BODY, now=at)


@pytest.mark.parametrize(
    "change",
    [{"secret": ""}, {"secret": "other"}, {"body": BODY + b"x"}, {"signature": ""}, {"signature": "v0=\u00e9"},
     {"stamp": ""}, {"stamp": "soon"}, {"stamp": "-1"}, {"stamp": "9" * 400}, {"stamp": "\u0661"},
     {"now": NOW + timedelta(seconds=301)}, {"now": NOW - timedelta(seconds=301)}],
)  # fmt: skip
def test_what_was_changed_or_is_old_is_not(change):
    said = {"secret": "s", "stamp": STAMP, "signature": signed("s"), "body": BODY, "now": NOW, **change}
    assert not genuine(said.pop("secret"), **said)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["user", "id", "channel", "container",
    "actions", "action_id", "value", "type"]), inner, max_size=5), max_leaves=12,
)  # fmt: skip


@given(JSON, st.binary(max_size=100))
def test_no_payload_breaks_anything(found, body):
    if isinstance(found, dict):
        presses({**found, "type": "block_actions"})
        presses(found)
    assert isinstance(payload(body), dict)
    assert isinstance(payload(urlencode({"payload": msgspec.json.encode(found).decode()}).encode()), dict)


def test_a_payload_that_is_too_deep_or_holds_a_nul_is_harmless():
    deep = '{"actions":' + "[" * 100_000
    assert payload(urlencode({"payload": deep}).encode()) == {} == event(deep.encode())
    assert payload(b"payload=%ff") == {}
    pressed = {"action_id": "nightbell_resolve", "value": "a\0b"}
    [one] = presses({"type": "block_actions", "user": {"id": "U\x001"}, "actions": [pressed]})
    assert (one.user, one.value) == ("U1", "ab")


def test_only_our_own_buttons_are_presses():
    def pressed(**action):
        who = {"type": "block_actions", "user": {"id": "U1"}, "container": {"message_ts": "1.5"}}
        return presses({**who, "channel": {"id": "C1"}, "actions": [action]})

    [press] = pressed(action_id="nightbell_resolve", value="v", action_ts="2")
    assert (press.user, press.channel, press.action, press.value) == ("U1", "C1", "resolve", "v")
    assert pressed(action_id="nightbell_open") == pressed(action_id="other") == pressed() == []
