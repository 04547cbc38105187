"""What must hold of messages to chats and of what comes back from them, whatever an alert or a stranger writes."""

import json
import re
from datetime import UTC, datetime
from uuid import UUID

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from nightbell.channels import discord, discord_presses, mattermost, push, teams, telegram, telegram_updates
from nightbell.channels.text import markdown, unmentioned
from nightbell.core.delivery import Message, Purpose
from nightbell.net import webpush
from nightbell.testing.browsers import Browser

LINK = "https://bell.example.org/alerts/E89PYM"
TEXTS = st.text(max_size=3000) | st.text(alphabet='@<>[]()*_`~|#-+.1 \n\\"é🔥', max_size=3000)
PURPOSES = st.sampled_from(Purpose)
STATUSES = st.sampled_from(["open", "triggered", "acknowledged", "resolved", "deferred", "", "odd"])
_KEYS = st.sampled_from(
    [
        "update_id",
        "message",
        "callback_query",
        "id",
        "from",
        "data",
        "chat",
        "text",
        "type",
        "member",
        "user",
        "x",
    ]
) | st.text(max_size=5)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_KEYS, inner, max_size=5),
    max_leaves=20,
)


@st.composite
def messages(draw, address="12345"):
    """Return any message there could be."""
    return Message(
        notification_id=UUID(int=draw(st.integers(0, 2**128 - 1))),
        idempotency_key="key",
        purpose=draw(PURPOSES),
        address=address,
        settings={},
        recipient=draw(TEXTS),
        sent_at=datetime(2026, 11, 23, tzinfo=UTC),
        title=draw(TEXTS),
        body=draw(TEXTS),
        status=draw(STATUSES),
        urgency=draw(TEXTS),
        short_id="E89PYM",
        labels={},
        annotations={},
        started_at=None,
        level=draw(st.none() | st.integers(1, 9)),
        alert_url=LINK,
        acknowledge_url="https://bell.example.org/a/token/acknowledge",
        escalate_url="https://bell.example.org/a/token/escalate",
        snooze_url="https://bell.example.org/a/token/snooze",
        callback_url="https://bell.example.org/callbacks/mattermost/token",
    )


@given(TEXTS)
def test_no_text_mentions_anybody_or_is_markdown(text):
    assert not re.search(r"@\w", unmentioned(text))
    shown = markdown(text)
    assert not re.search(r"(?<!\\)(?:\\\\)*[*_`~|\[\]<>]", shown)
    # The text itself is still there.
    assert re.sub(r"\\(.)", r"\1", shown).replace("\u2060", "") == text.replace("\u2060", "")


@given(messages())
def test_a_message_at_telegram_fits_and_its_buttons_are_read_back(message):
    body = telegram.render(message)
    assert len(body["text"].encode("utf-16-le")) // 2 <= 4096 and body["text"].endswith(LINK)
    [bold] = body["entities"]
    assert 0 < bold["length"] <= len(body["text"].encode("utf-16-le")) // 2
    for row in body["reply_markup"]["inline_keyboard"]:
        for button in row:
            query = {"id": "q", "from": {"id": 1}, "data": button["callback_data"]}
            update = telegram_updates.one(msgspec.json.encode({"update_id": 1, "callback_query": query}))
            assert update is not None
            press = telegram_updates.happening(update)
            assert getattr(press, "notification_id", None) == message.notification_id


@given(messages())
def test_a_message_at_discord_fits_and_its_buttons_are_read_back(message):
    body = discord.render(message)
    [embed] = body["embeds"]
    assert len(body["content"]) <= 2000 and len(embed["title"]) <= 256 and len(embed["description"]) <= 4096
    assert all(0 < len(f["value"]) <= 1024 for f in embed["fields"]) and LINK in embed["description"]
    for row in body["components"]:
        assert 1 <= len(row["components"]) <= 5
        for button in row["components"]:
            told = {"id": "1", "type": 3, "data": {"custom_id": button["custom_id"]}, "user": {"id": "2"}}
            press = discord_presses.press(msgspec.convert(told, discord_presses.Interaction))
            assert press is not None and press.notification_id == message.notification_id


@given(messages())
def test_cards_and_posts_fit_and_keep_their_links(message):
    card = teams.render(message)
    assert len(card) <= 20_000 and LINK.encode() in card
    post = mattermost.posted(message)
    assert len(post["message"]) <= 4000 and len(post["props"]["attachments"][0]["text"]) <= 4000
    assert LINK in post["props"]["attachments"][0]["text"]


@settings(max_examples=30, deadline=None)
@given(messages())
def test_a_push_is_read_by_its_browser_and_by_no_other(message):
    browser = Browser()
    to = webpush.Subscription(endpoint="https://push.example.org/1", **browser.settings)
    sealed = webpush.encrypt(msgspec.json.encode(push.render(message)), to)
    assert len(sealed) <= 4096
    assert json.loads(browser.opened(sealed)) == push.render(message)


@given(st.binary(max_size=200) | JSON.map(lambda said: json.dumps(said).encode()))
def test_nothing_that_a_stranger_sends_breaks_the_reading_of_updates(body):
    update = telegram_updates.one(body)
    if update is not None:
        telegram_updates.happening(update)
        telegram_updates.reply(update, "x", loud=False)
    telegram_updates.several(body)
    try:
        told = msgspec.json.decode(body, type=discord_presses.Interaction)
    except msgspec.MsgspecError:
        return
    discord_presses.press(told)


@given(st.binary(max_size=100), st.text(max_size=150), st.text(max_size=150), st.text(max_size=20))
def test_no_signature_but_the_right_one_is_genuine(body, key, signature, stamp):
    assert not discord_presses.genuine(key, signature, stamp, body)
