"""Rooms of incidents through the whole program: opened by itself and by hand, and marks that come by URL and by socket."""

import hashlib
import hmac

import msgspec
import pytest

from nightbell.core.journal import SYSTEM
from nightbell.engine import edits, identity
from nightbell.engine.configure import seed
from nightbell.engine.incident_edits import IncidentEdit
from nightbell.testing.clock import FrozenClock
from nightbell.testing.slack_double import SECRET
from nightbell.testing.slack_rooms_double import SlackRooms
from support.bells import START, ringing

ANA = "U0ANA0001"
NAME = "inc-1-disk-full"


@pytest.fixture
async def slack():
    async with SlackRooms(**{ANA: "ana@example.org"}) as double:
        yield double


@pytest.fixture
def chosen():
    """What the operator typed in beside the tokens."""
    return {"rooms": "always"}


@pytest.fixture
async def bell(db, tmp_path, slack, chosen):
    clock = FrozenClock(START)
    await seed(db, clock())
    known = {**slack.settings, "app_token": "", **chosen}
    async with ringing(db, tmp_path, {"slack": known}, clock) as bell:
        yield bell


async def incident(bell):
    edit = IncidentEdit(title="Disk full")
    return await bell.engine.edge.incidents.create(edit, by=SYSTEM, now=bell.clock())


async def opened(bell, slack, lines=2):
    await slack.until(lambda: slack.rooms and len(slack.rooms[0].posts) == lines)
    room = slack.room(NAME)
    await bell.becomes("SELECT state, wake_at FROM incident_rooms", wanted=[("open", None)])
    room.news()
    return room


async def called(bell, payload, *, secret=SECRET, age=0):
    """Call as Slack does."""
    body, stamp = msgspec.json.encode(payload), str(int(bell.clock().timestamp()) - age)
    mark = hmac.new(secret.encode(), b"v0:" + stamp.encode() + b":" + body, hashlib.sha256).hexdigest()
    headers = {"X-Slack-Request-Timestamp": stamp, "X-Slack-Signature": f"v0={mark}"}
    return await bell.client.post(f"{bell.url}/callbacks/slack/events", content=body, headers=headers)


async def noted(bell, text):
    found = "SELECT count(*) FROM incident_events WHERE event = $1"
    await bell.becomes(found, text, wanted=[(1,)])


async def test_an_incident_opens_a_room_and_a_mark_comes_back_by_url(bell, slack):
    await incident(bell)
    room = await opened(bell, slack)
    ts = slack.says(room, ANA, "I restarted it")
    for _ in range(2):
        assert (await called(bell, slack.reacted(room, ts, ANA))).status_code in (200, 204)
    await noted(bell, "Ana: I restarted it")
    other = slack.says(room, ANA, "nobody marked this")
    await called(bell, slack.reacted(room, other, ANA, sign="thumbsup"))
    found = await bell.db.fetch("SELECT count(*) FROM incident_room_marks")
    assert found[0][0] == 1


async def test_whoever_is_not_slack_marks_nothing(bell, slack):
    await incident(bell)
    room = await opened(bell, slack)
    ts = slack.says(room, ANA, "I restarted it")
    event = slack.reacted(room, ts, ANA)
    assert (await called(bell, event, secret="somebody else's")).status_code == 403
    assert (await called(bell, event, age=400)).status_code == 403
    assert await bell.db.fetch("SELECT 1 FROM incident_room_marks") == []


@pytest.mark.parametrize(
    "payload",
    [
        [],
        "x",
        {"type": "event_callback"},
        {"type": "event_callback", "event": {"type": "reaction_added", "item": "x"}},
        {"type": "event_callback", "event": {"type": "reaction_added", "item": {"type": "file"}}},
        {"type": "event_callback", "event": {"type": "message", "text": "hello"}},
    ],
)
async def test_what_is_no_mark_is_taken_and_does_nothing(bell, payload):
    assert (await called(bell, payload)).status_code in (200, 204)


async def test_the_address_proves_itself_when_it_is_entered(bell):
    answer = await called(bell, {"type": "url_verification", "challenge": "a1b2"})
    assert (answer.status_code, answer.text) == (200, "a1b2")


@pytest.mark.parametrize("chosen", [{"rooms": "always", "app_token": "xapp-the-double"}], ids=["socket"])
async def test_a_mark_comes_by_socket_too_and_is_confirmed(bell, slack):
    await incident(bell)
    room = await opened(bell, slack)
    ts = slack.says(room, ANA, "I restarted it")
    await slack.until(lambda: slack.lines)
    await slack.send("e-1", slack.reacted(room, ts, ANA), "events_api")
    await slack.until(lambda: slack.confirmed == ["e-1"])
    await noted(bell, "Ana: I restarted it")


@pytest.mark.parametrize("chosen", [{"rooms": "by_hand"}], ids=["by_hand"])
async def test_a_button_opens_one_for_whoever_may_act(bell, slack):
    made = await incident(bell)
    page = f"{bell.url}/incidents/{made.sequential_id}"
    for name, role, may in (("Olga", "observer", False), ("Ana", "user", True)):
        edit = edits.UserEdit(name=name, email=f"{name.lower()}@example.org", role=role)
        user = await bell.configure.create_user(edit, by=SYSTEM, now=bell.clock())
        browser = identity.Browser(user_agent="test", remote_ip="")
        token = await identity.open_session(bell.db, user, browser, bell.clock())
        cookies = {"nightbell": token}
        shown = await bell.client.get(page, cookies=cookies)
        assert ("Open a room" in shown.text) is may
        csrf = shown.text.partition('name="csrf" value="')[2].partition('"')[0]
        answer = await bell.client.post(f"{page}/room", cookies=cookies, data={"csrf": csrf})
        assert answer.status_code == (303 if may else 403)
    await opened(bell, slack)
    shown = await bell.client.get(page, cookies=cookies)
    assert f"#{NAME} ↗" in shown.text
