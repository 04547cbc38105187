"""What Slack is asked for a room, what its errors mean, and what is read of a marked message."""

from uuid import UUID

import pytest

from nightbell.channels.slack_rooms import SlackRooms as Channel
from nightbell.channels.slack_rooms import plain
from nightbell.core.room import Header, Marked, Told, name, topic, variants, wanted
from nightbell.core.room import Incident as About
from nightbell.testing.doubles import Garbage, Hang, Reply, Reset
from nightbell.testing.slack_rooms_double import OWN, SlackRooms

ANA = "U0ANA0001"
TOP = Header(
    title="#1 <!here> Disk",
    facts=(("Status", "Started"), ("Lead", "A & B")),
    summary="<b>",
    url="https://b/1",
)


@pytest.fixture
async def slack():
    async with SlackRooms(**{ANA: "ana@example.org"}) as double:
        yield double


async def test_what_is_written_mentions_nobody(http, slack):
    channel, provider = Channel(http), slack.settings
    room = (await channel.make(provider, "inc-1", private=False)).value
    await channel.write(provider, room, TOP, "k1")
    await channel.write(provider, room, "<!channel> *now*", "k2")
    header, line = slack.rooms[0].posts
    assert header.text == "#1 &lt;!here&gt; Disk"
    assert header.body["blocks"][1]["fields"][1]["text"] == "*Lead*\nA &amp; B"
    assert header.body["blocks"][2]["text"]["type"] == "plain_text"
    assert (line.text, line.body["mrkdwn"]) == ("&lt;!channel&gt; *now*", False)
    assert await channel.written(provider, room) == {"k1": header.ts, "k2": line.ts}
    slack.rooms[0].news()


async def test_our_own_channel_is_found_among_many_and_nobody_elses(http, slack):
    for number in range(95):
        slack._made(f"inc-{number}", private=False, creator=OWN)
    slack.somebody_makes("theirs").members.append(OWN)
    channel = Channel(http)
    assert (await channel.find(slack.settings, "inc-94")).value == slack.room("inc-94").id
    assert (await channel.find(slack.settings, "theirs")) == Told(ok=True)
    assert (await channel.find(slack.settings, "nowhere")) == Told(ok=True)


@pytest.mark.parametrize(
    ("error", "hopeless"),
    [
        ("missing_scope", True),
        ("invalid_auth", True),
        ("is_archived", True),
        ("ratelimited", False),
        ("fatal_error", False),
    ],
)
async def test_what_an_error_means(http, slack, error, hopeless):
    slack.will(Reply(body=f'{{"ok":false,"error":"{error}"}}'.encode()))
    told = await Channel(http).make(slack.settings, "inc-1", private=False)
    assert (told.ok, told.hopeless) == (False, hopeless)
    assert told.error.startswith(error)


@pytest.mark.parametrize("trouble", [Reset(), Hang(), Garbage(), Reply(status=500), Reply(body=b"<html>")])
async def test_no_answer_is_tried_again(http, slack, trouble):
    slack.will(trouble)
    told = await Channel(http).make(slack.settings, "inc-1", private=False)
    assert (told.ok, told.hopeless) == (False, False)
    assert told.error


@pytest.mark.parametrize(
    ("user", "there", "ok", "hopeless"),
    [
        (ANA, False, True, False),
        (ANA, True, True, False),
        (OWN, True, True, False),
        ("U0NOBODY1", False, False, True),
    ],
)
async def test_asking_somebody_in(http, slack, user, there, ok, hopeless):
    room = slack._made("inc-1", private=False, creator=OWN)
    if there and user not in room.members:
        room.members.append(user)
    told = await Channel(http).invite(slack.settings, room.id, user)
    assert (told.ok, told.hopeless) == (ok, hopeless)


async def test_a_marked_message_is_read_with_its_author_and_its_link(http, slack):
    room = slack._made("inc-1", private=False, creator=OWN)
    ts = slack.says(room, ANA, "It was &lt;this&gt;")
    found = await Channel(http).read(slack.settings, room.id, ts)
    assert isinstance(found, Marked)
    assert (found.text, found.author, found.name) == ("It was <this>", ANA, "Ana")
    assert found.link.startswith("https://double.slack.com/archives/")
    gone = await Channel(http).read(slack.settings, room.id, "1795399999.000100")
    assert isinstance(gone, Told)
    assert gone.hopeless


@pytest.mark.parametrize(
    ("markup", "text"),
    [
        ("a &amp;lt; b", "a &lt; b"),
        ("see <https://a.example/x|the page>", "see the page (https://a.example/x)"),
        ("<https://a.example>", "https://a.example"),
        ("<@U0ANA0001> did it", "<@U0ANA0001> did it"),
        ("x" * 20_000, "x" * 9_000),
    ],
)
def test_markup_becomes_text(markup, text):
    assert plain(markup) == text


@pytest.mark.parametrize(
    ("number", "slug", "called"),
    [
        (12, "disk-full", "inc-12-disk-full"),
        (12, "12-disk-full", "inc-12-disk-full"),
        (12, "Ünïcode & more", "inc-12-n-code-more"),
        (12, "", "inc-12"),
        (12, "x" * 200, "inc-12-" + "x" * 69),
    ],
)
def test_a_room_is_called_after_its_incident(number, slug, called):
    assert name(number, slug) == called
    assert all(len(one) <= 80 for one in variants(called))


@pytest.mark.parametrize(
    ("opens", "kind", "severity", "made"),
    [
        ("always", "normal", "", True),
        ("always", "test", "critical", False),
        ("always", "scheduled", "critical", False),
        ("high", "normal", "critical", True),
        ("high", "normal_sub", "high", True),
        ("high", "normal", "low", False),
        ("high", "normal", "", False),
        ("by_hand", "normal", "critical", False),
        ("nonsense", "normal", "critical", False),
    ],
)
def test_when_a_room_opens_by_itself(opens, kind, severity, made):
    assert wanted(opens, kind=kind, severity=severity) is made


def test_a_topic_fits():
    about = About(
        id=UUID(int=1), number=1, slug="s", title="t", summary="", status="in_triage", kind="normal",
        severity="high", severity_name="S" * 400, private=False, url="https://b/1",
    )  # fmt: skip
    assert topic(about).startswith("#1 · in triage · SSS")
    assert len(topic(about)) <= 250
