"""What chats and devices are told: within each service's limits, with alert text as text, and only who may is called."""

import json

import msgspec
import pytest

from nightbell.channels import discord, mattermost, push, teams, telegram, telegram_updates
from nightbell.channels.text import CUT, markdown, unmentioned
from nightbell.core.chat import Link, Press, WhoAmI
from nightbell.core.delivery import Purpose, Refused, Retry, Sent, Unsure
from nightbell.core.errors import Invalid
from nightbell.net import webpush
from nightbell.net.guard import Guard
from nightbell.net.http import Http
from nightbell.testing.browsers import Browser
from nightbell.testing.doubles import Double, Reply

TOKEN = "123456:ABC-DEF1234ghIkl-zyx57W2v1u123ew11"
NASTY = "@everyone <@1> <!channel> [x](http://evil.example) **b** `c` ~~d~~ ||e||\n# f\n- g\n> h\n1. i"
HUGE = 'é\n"@all' * 30_000


@pytest.fixture
def open_http():
    return Http(Guard(["127.0.0.0/8"]))


# ---------------------------------------------------------------- escaping


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("5.2 (3 firing) a-b c#d", "5.2 (3 firing) a-b c#d"),
        ("**b**", "\\*\\*b\\*\\*"),
        ("[x](http://y)", "\\[x\\](http://y)"),
        ("\\*", "\\\\\\*"),
        ("# h\n- i\n  + j\n1. k\n2) l\n> m", "\\# h\n\\- i\n  \\+ j\n1\\. k\n2\\) l\n\\> m"),
        ("<@123> <!here>", "\\<@\u2060123\\> \\<!here\\>"),
        ("@everyone a@b.c @ d", "@\u2060everyone a@\u2060b.c @ d"),
    ],
)
def test_markdown_shows_text_as_it_is(text, shown):
    assert markdown(text) == shown


def test_a_text_without_mentions_is_left_alone():
    assert unmentioned("mail @ night") == "mail @ night"


# ---------------------------------------------------------------- Telegram


def test_a_telegram_message_has_buttons_by_its_status(make_message):
    def labels(**changes):
        keyboard = telegram.render(make_message(address="1", **changes))["reply_markup"]["inline_keyboard"]
        return [one["text"] for row in keyboard for one in row]

    assert labels() == ["Acknowledge", "Escalate", "Snooze", "Resolve"]
    assert labels(status="acknowledged") == ["Snooze", "Resolve", "Escalate"]
    assert labels(status="resolved") == []
    assert labels(purpose=Purpose.UPDATE) == []
    assert labels(purpose=Purpose.TEST, acknowledge_url="") == []


def test_a_telegram_message_is_cut_and_keeps_its_link(make_message):
    body = telegram.render(make_message(address="1", title=HUGE, body=HUGE))
    assert len(body["text"].encode("utf-16-le")) // 2 <= 4096
    assert body["text"].endswith("https://bell.example.org/alerts/E89PYM")
    assert CUT in body["text"] and "@all" not in body["text"]
    bold = body["entities"][0]
    assert (
        body["text"].encode("utf-16-le")[: 2 * bold["length"]].decode("utf-16-le").startswith("[TRIGGERED]")
    )
    assert "parse_mode" not in body


def test_every_button_of_telegram_is_read_back(make_message):
    message = make_message(address="1")
    rows = telegram.render(message)["reply_markup"]["inline_keyboard"]
    acts = []
    for data in (one["callback_data"] for row in rows for one in row):
        assert len(data.encode()) <= 64
        query = {"id": "q", "from": {"id": 7}, "data": data}
        update = telegram_updates.one(msgspec.json.encode({"update_id": 1, "callback_query": query}))
        assert update is not None
        press = telegram_updates.happening(update)
        assert isinstance(press, Press) and press.notification_id == message.notification_id
        assert press.by == "7"
        acts.append(press.action)
    assert acts == ["acknowledge", "escalate", "snooze", "resolve"]


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("/start abcdefgh", Link(code="abcdefgh", address="5", name="SRE")),
        ("/link@some_bot abcd-efgh_", Link(code="abcd-efgh_", address="5", name="SRE")),
        ("/start", WhoAmI(address="5")),
        ("/id", WhoAmI(address="5")),
        ("/id@some_bot", WhoAmI(address="5")),
        ("hello", None),
        ("/start " + "x" * 65, None),
        ("say /start abcdefgh", None),
    ],
)
def test_commands_in_telegram_are_read(text, what):
    said = {"chat": {"id": 5, "type": "group", "title": "SRE"}, "text": text}
    update = telegram_updates.one(msgspec.json.encode({"update_id": 1, "message": said}))
    assert update is not None
    assert telegram_updates.happening(update) == what


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b'{"ok":false}', b"\xff", b'{"update_id":"x"}'])
def test_what_is_no_update_of_telegram_is_none(body):
    assert telegram_updates.one(body) is None


@pytest.mark.parametrize(
    ("status", "body", "expected"),
    [
        (429, {"ok": False, "description": "Too Many Requests", "parameters": {"retry_after": 7}}, Retry),
        (403, {"ok": False, "description": "Forbidden: bot was blocked by the user"}, Refused),
        (400, {"ok": False, "description": "Bad Request: message is not modified"}, Sent),
        (401, {"ok": False, "description": "Unauthorized"}, Refused),
    ],
)
async def test_what_telegram_answers(open_http, make_message, status, body, expected):
    async with Double(Reply(status=status, body=msgspec.json.encode(body))) as double:
        provider = {"bot_token": TOKEN, "base_url": double.url}
        outcome = await telegram.Telegram(open_http).send(make_message(address="1", provider=provider))
    assert isinstance(outcome, expected)
    if isinstance(outcome, Retry):
        assert outcome.after is not None and outcome.after.total_seconds() == 7
    if status == 403:
        assert isinstance(outcome, Refused) and outcome.gone
    await open_http.aclose()


async def test_a_bot_token_is_never_in_a_reason(open_http, make_message):
    async with Double(Reply(status=302, headers={"Location": f"/bot{TOKEN}/elsewhere"})) as double:
        provider = {"bot_token": TOKEN, "base_url": double.url}
        outcome = await telegram.Telegram(open_http).send(make_message(address="1", provider=provider))
    assert isinstance(outcome, Refused) and TOKEN not in outcome.why
    await open_http.aclose()


async def test_without_a_token_telegram_is_not_asked(open_http, make_message):
    outcome = await telegram.Telegram(open_http).send(make_message(address="1"))
    assert isinstance(outcome, Refused) and "Settings" in outcome.why


# ---------------------------------------------------------------- Teams


def test_a_card_of_teams_holds_alert_text_where_markdown_is_not_read(make_message):
    posted = json.loads(teams.render(make_message(body=NASTY)))
    [attachment] = posted["attachments"]
    card = attachment["content"]
    assert {block["type"] for block in card["body"]} == {"RichTextBlock"}
    assert [action["title"] for action in card["actions"]] == [
        "Acknowledge",
        "Escalate",
        "Snooze",
        "Open alert",
    ]
    assert any("[x](http://evil.example)" in b["inlines"][0]["text"] for b in card["body"])


def test_a_card_of_teams_stays_below_its_limit_with_all_buttons(make_message):
    card = teams.render(make_message(title=HUGE, body=HUGE, status=HUGE, urgency=HUGE))
    assert len(card) <= 20_000
    assert len(json.loads(card)["attachments"][0]["content"]["actions"]) == 4


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ("1", Sent),
        ("", Sent),
        ("<!DOCTYPE html><title>Sign in</title>", Unsure),
        (
            "Webhook message delivery failed with error: Microsoft Teams endpoint returned HTTP error 429",
            Retry,
        ),
        (
            "Webhook message delivery failed with error: Microsoft Teams endpoint returned HTTP error 403",
            Refused,
        ),
    ],
)
async def test_a_200_of_teams_may_be_a_failure(open_http, make_message, said, expected):
    async with Double(Reply(body=said.encode())) as double:
        outcome = await teams.Teams(open_http).send(make_message(address=f"{double.url}/webhook"))
    assert isinstance(outcome, expected)
    await open_http.aclose()


# ---------------------------------------------------------------- Discord


def test_links_of_any_length_leave_a_message_at_discord_within_its_limits(make_message):
    long = "https://bell." + "x" * 150 + ".example.org/a/" + "t" * 100
    urls = dict.fromkeys(("alert_url", "acknowledge_url", "escalate_url", "snooze_url"), long)
    hook = "https://discord.com/api/webhooks/123456789/" + "k" * 60
    [embed] = discord.render(make_message(address=hook, body="*" * 9_000, **urls))["embeds"]
    assert len(embed["description"]) <= 4096
    assert embed["description"].endswith(f"[Open alert]({long})")


def test_a_message_at_discord_keeps_to_every_limit(make_message):
    sent = discord.render(make_message(address="12345", title=HUGE, body=HUGE, status=HUGE, urgency=HUGE))
    [embed] = sent["embeds"]
    assert len(sent["content"]) <= 2000
    assert len(embed["title"]) <= 256 and len(embed["description"]) <= 4096
    assert all(len(field["value"]) <= 1024 for field in embed["fields"])
    total = len(embed["title"]) + len(embed["description"])
    assert total + sum(len(f["name"]) + len(f["value"]) for f in embed["fields"]) <= 6000
    assert sent["allowed_mentions"] == {"parse": []}
    assert all(len(b["custom_id"]) <= 100 for row in sent["components"] for b in row["components"])


def test_a_webhook_of_discord_has_links_and_a_bot_has_buttons(make_message):
    hook = "https://discord.com/api/webhooks/123456789/" + "k" * 60
    by_hook, by_bot = (discord.render(make_message(address=a)) for a in (hook, "12345"))
    assert by_hook["components"] == [] and "[Acknowledge](https://" in by_hook["embeds"][0]["description"]
    assert by_bot["components"] and "[Acknowledge]" not in by_bot["embeds"][0]["description"]
    assert "[Open alert](https://" in by_bot["embeds"][0]["description"]


def test_alert_text_is_no_markdown_and_no_mention_at_discord_or_mattermost(make_message):
    message = make_message(address="https://chat.example.org/hooks/" + "k" * 26, title=NASTY, body=NASTY)
    for text in (
        discord.render(message)["embeds"][0]["description"],
        discord.render(message)["content"],
        mattermost.render(message)["attachments"][0]["text"],
        mattermost.render(message)["text"],
    ):
        assert "@everyone" not in text and "<@1>" not in text and "**b**" not in text and "[x](" not in text
        assert "\n# f" not in text and "\n- g" not in text


async def test_a_key_in_an_address_is_never_in_a_reason(open_http, make_message):
    async with Double() as double:
        hook = f"{double.url}/api/webhooks/123456789/{'k' * 60}"
        double.will(Reply(status=302, headers={"Location": hook}))
        outcome = await discord.Discord(open_http).send(make_message(address=hook))
        assert isinstance(outcome, Refused) and "kkkk" not in outcome.why
        hook = f"{double.url}/hooks/{'k' * 26}"
        double.will(Reply(status=302, headers={"Location": hook}))
        outcome = await mattermost.Mattermost(open_http).send(make_message(address=hook))
        assert isinstance(outcome, Refused) and "kkkk" not in outcome.why
    await open_http.aclose()


# ---------------------------------------------------------------- Mattermost


@pytest.mark.parametrize(("said", "status", "expected"), [(b"ok", 200, Sent), (b"<html>", 200, Unsure)])
async def test_a_webhook_of_mattermost_says_ok(open_http, make_message, said, status, expected):
    async with Double(Reply(body=said, status=status)) as double:
        hook = f"{double.url}/hooks/{'k' * 26}"
        outcome = await mattermost.Mattermost(open_http).send(make_message(address=hook))
    assert isinstance(outcome, expected)
    await open_http.aclose()


def test_a_post_at_mattermost_keeps_to_the_oldest_limit(make_message):
    posted = mattermost.posted(make_message(address="c" * 26, title=HUGE, body=HUGE, status=HUGE))
    assert len(posted["message"]) <= 4000
    assert len(posted["props"]["attachments"][0]["text"]) <= 4000


def test_a_post_has_buttons_only_where_mattermost_can_call_us(make_message):
    [bare] = mattermost.render(make_message(address="c" * 26))["attachments"]
    assert bare["actions"] == [] and "[Acknowledge](" in bare["text"]
    [called] = mattermost.render(make_message(address="c" * 26, callback_url="https://bell/x"))["attachments"]
    assert [one["id"] for one in called["actions"]] == ["acknowledge", "escalate", "snooze", "resolve"]
    assert "[Acknowledge](" not in called["text"]


# ---------------------------------------------------------------- push


def test_the_example_of_the_standard_is_encrypted_to_the_letter():
    """RFC 8291, appendix A."""
    to = webpush.Subscription(
        endpoint="https://push.example.net/push/JzLQ3raZJfFBR0aqvOMsLrt54w4rJUsV",
        p256dh="BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4",
        auth="BTBZMqHH6r4Tts7J_aSIgg",
    )
    body = webpush.encrypt(
        b"When I grow up, I want to be a watermelon",
        to,
        salt=webpush.decoded("DGv6ra1nlYgDCS1FRnbzlw"),
        private="yfWPiYE-n46HLnH0KqZOF1fJJU3MYrct3AELtAQ-oRw",
    )
    assert webpush.encoded(body) == (
        "DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3"
        "jl7A_yl95bQpu6cVPTpK4Mqgkf1CXztLVBSt2Ks3oZwbuwXPXLWyouBWLVWGNWQexSgSxsj_Qulcy4a-fN"
    )


def test_a_push_message_fits_whatever_it_is_about(make_message):
    assert len(msgspec.json.encode(push.render(make_message(title=HUGE, body=HUGE)))) <= webpush.LONGEST


# ---------------------------------------------------------------- addresses


@pytest.mark.parametrize(
    ("channel", "address"),
    [
        (telegram.Telegram, ""),
        (telegram.Telegram, "ana"),
        (telegram.Telegram, "0123"),
        (telegram.Telegram, "12 34"),
        (telegram.Telegram, "\u0661\u0662\u0663"),
        (discord.Discord, "user:ana"),
        (discord.Discord, "https://discord.com/channels/1/2"),
        (discord.Discord, "http://10.0.0.1/api/webhooks/123456789/" + "k" * 60),
        (mattermost.Mattermost, "town-square"),
        (mattermost.Mattermost, "http://10.0.0.1/hooks/" + "k" * 26),
        (teams.Teams, "hello"),
        (teams.Teams, "https://169.254.169.254/hook"),
        (push.Push, "https://10.0.0.1/x"),
        (push.Push, "https://push.example.org/x"),
    ],
)
def test_an_address_that_could_never_work_is_refused_with_a_way_out(channel, address):
    with pytest.raises(Invalid) as refusal:
        channel(Http(Guard())).check(address, {})
    assert refusal.value.place in ("address", "settings") and refusal.value.hint


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::1]", "169.254.169.254"])
@pytest.mark.parametrize(
    ("channel", "path"),
    [
        (teams.Teams, "/workflows/1"),
        (discord.Discord, "/api/webhooks/123456789/" + "k" * 60),
        (mattermost.Mattermost, "/hooks/" + "k" * 26),
        (push.Push, "/push/1"),
    ],
)
async def test_a_private_address_is_not_called_whatever_name_leads_there(make_message, channel, path, host):
    closed = Http(Guard())
    message = make_message(
        address=f"http://{host}:9{path}",
        settings=Browser().settings,
        provider={"private_key": webpush.new_key()},
    )
    outcome = await channel(closed).send(message)
    assert isinstance(outcome, Refused) and "private or reserved" in outcome.why
    await closed.aclose()
