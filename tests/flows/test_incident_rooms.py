"""A room at Slack for an incident: made once whatever stops in between, kept true, mirrored both ways, archived."""

from datetime import timedelta

import pytest

from nightbell.channels import registry
from nightbell.channels.email import SmtpSettings
from nightbell.channels.slack_rooms import SlackRooms as Channel
from nightbell.core.directory import Target
from nightbell.core.errors import Invalid
from nightbell.core.incident import Status
from nightbell.core.journal import SYSTEM, person
from nightbell.core.room import Mark
from nightbell.engine import edits
from nightbell.engine.act import Act, NewAlert
from nightbell.engine.configure import Configure, seed
from nightbell.engine.directory import Directories
from nightbell.engine.incident_edits import EntryEdit, IncidentEdit
from nightbell.engine.incidents import Incidents
from nightbell.engine.node import Node
from nightbell.engine.providers import Providers
from nightbell.engine.relaying import Relaying
from nightbell.engine.rooms import LEASE, Rooms
from nightbell.engine.vault import Vault
from nightbell.net.guard import Guard
from nightbell.net.http import Http
from nightbell.testing.clock import FrozenClock
from nightbell.testing.doubles import Hang, Reply, Reset, Then
from nightbell.testing.slack_rooms_double import OWN, SlackRooms

ANA = "U0ANA0001"


class Rig:
    """One node's lane of rooms, told by hand when to look."""

    def __init__(self, db, http, slack):
        self.db, self.slack, self.clock = db, slack, FrozenClock()
        vault = Vault(b"key")
        directories = Directories()
        self.configure = Configure(db, vault, registry.build(SmtpSettings(host=""), http))
        self.incidents = Incidents(db, Act(db, directories, lambda c: None), lambda c: None)
        # The machine says where Slack is; the rest is typed in.
        self.providers = Providers(vault, {"slack": {"base_url": slack.settings["base_url"]}})
        self.rooms = self.node("node", http)
        self.relaying = Relaying(db, self.shows, self.rooms)

    def node(self, name, http):
        me = Node(name=name, clock=self.clock, woken=lambda c: None)
        return Rooms(self.db, self.providers, Channel(http), self.incidents, me, "https://bell.example.org")

    async def shows(self, resource, ids):
        return {}

    async def set(self, **fields):
        await self.configure.set_provider("slack", fields, by=SYSTEM, now=self.clock())

    async def incident(self, title="Disk full", **more):
        edit = IncidentEdit(title=title, **more)
        return await self.incidents.create(edit, by=SYSTEM, now=self.clock())

    async def change(self, incident, **more):
        await self.incidents.update(incident.id, IncidentEdit(**more), by=SYSTEM, now=self.clock())

    async def round(self, seconds=0):
        self.clock.instant += timedelta(seconds=seconds)
        while await self.relaying.relay(self.clock()):
            pass
        return await self.rooms.look()

    async def stored(self):
        return [dict(r) for r in await self.db.fetch("SELECT * FROM incident_rooms")]

    async def timeline(self, incident):
        rows = await self.db.fetch(
            "SELECT event, occurred_at, attachments, source FROM incident_events WHERE incident_id = $1 "
            "ORDER BY created_at, id",
            incident.id,
        )
        return [dict(r) for r in rows]


@pytest.fixture
async def http():
    client = Http(Guard(["127.0.0.0/8"]), total=timedelta(seconds=3), connect=timedelta(seconds=3))
    yield client
    await client.aclose()


@pytest.fixture
async def slack():
    async with SlackRooms(**{ANA: "ana@example.org", "U0BO00001": "bo@example.org"}) as double:
        yield double


@pytest.fixture
async def rig(db, http, slack):
    rig = Rig(db, http, slack)
    await seed(db, rig.clock())
    await rig.set(bot_token=slack.settings["bot_token"], rooms="always")
    return rig


async def people(rig):
    found = {}
    for name, role in (("Ana", "owner"), ("Bo", "user"), ("Cy", "user")):
        edit = edits.UserEdit(name=name, email=f"{name.lower()}@example.org", role=role)
        found[name.lower()] = await rig.configure.create_user(edit, by=SYSTEM, now=rig.clock())
    return found


async def test_an_incident_gets_a_room_with_topic_header_and_timeline(rig, slack):
    incident = await rig.incident("Disk full on <!channel>")
    await rig.round()
    room = slack.room("inc-1-disk-full-on-channel")
    assert room.topic == "#1 · started · https://bell.example.org/incidents/1"
    header, *lines = room.news()
    assert header == "#1 Disk full on &lt;!channel&gt;"
    assert lines == ["Nightbell: Incident created: Disk full on &lt;!channel&gt;"]
    [row] = await rig.stored()
    assert (row["state"], row["wake_at"], row["why"], row["attempts"]) == ("open", None, "", 0)
    told = (await rig.timeline(incident))[-1]
    assert told["event"] == "The room #inc-1-disk-full-on-channel was opened in Slack"
    assert told["attachments"][0]["url"] == f"https://slack.com/app_redirect?channel={room.id}"
    assert await rig.round(60) <= 1
    assert room.news() == [], "what is as it should be is left alone"


async def test_what_changes_is_said_on_top_and_below(rig, slack):
    incident = await rig.incident()
    await rig.round()
    room = slack.room("inc-1-disk-full")
    room.news()
    await rig.incidents.move(incident.id, Status("mitigated"), by=SYSTEM, now=rig.clock())
    await rig.round(1)
    top = room.posts[0]
    assert top.edits == 1
    assert "*Status*\nMitigated" in [f["text"] for f in top.body["blocks"][1]["fields"]]
    assert "mitigated" in room.topic
    assert room.news() == ["Nightbell: Mitigated (was started)"]


@pytest.mark.parametrize(
    ("opens", "severity", "made"),
    [
        ("by_hand", "critical", 0),
        ("high", "critical", 1),
        ("high", "high", 1),
        ("high", "medium", 0),
        ("high", None, 0),
    ],
)
async def test_a_setting_says_which_incidents_get_one(rig, slack, db, opens, severity, made):
    await rig.set(rooms=opens)
    ids = {r["severity"]: r["id"] for r in await _severities(rig, db)}
    await rig.incident(severity_id=ids.get(severity))
    await rig.round()
    assert len(slack.rooms) == made
    for room in slack.rooms:
        room.news()


async def _severities(rig, db):
    for word in ("critical", "high", "medium"):
        await db.run(
            "INSERT INTO severities (id, name, slug, severity, created_at, updated_at) "
            "VALUES (gen_random_uuid(), $1, $1, $1, $2, $2) ON CONFLICT DO NOTHING",
            word,
            rig.clock(),
        )
    return await db.fetch("SELECT DISTINCT ON (severity) id, severity FROM severities")


async def test_an_incident_that_becomes_severe_gets_one_then(rig, slack, db):
    await rig.set(rooms="critical")
    incident = await rig.incident()
    await rig.round()
    assert slack.rooms == []
    ids = {r["severity"]: r["id"] for r in await _severities(rig, db)}
    await rig.change(incident, severity_id=ids["critical"])
    await rig.round(1)
    slack.room("inc-1-disk-full").news()


async def test_by_hand_is_a_button_that_may_be_pressed_twice(rig, slack):
    await rig.set(rooms="by_hand")
    incident = await rig.incident()
    await rig.round()
    for _ in range(2):
        await rig.rooms.open(incident.id, by=SYSTEM, now=rig.clock())
        await rig.round()
    slack.room("inc-1-disk-full").news()


async def test_without_slack_there_is_no_room_and_a_clear_word(rig, slack):
    await rig.set(bot_token="")
    incident = await rig.incident()
    await rig.round()
    assert await rig.stored() == []
    with pytest.raises(Invalid, match="not set up"):
        await rig.rooms.open(incident.id, by=SYSTEM, now=rig.clock())


# ---------------------------------------------------------------- who is asked in


async def test_whoever_works_on_it_is_asked_in_once(rig, slack, db):
    found = await people(rig)
    edit = IncidentEdit(title="Disk full")
    ana = person(found["ana"], "Ana")
    incident = await rig.incidents.create(edit, by=ana, now=rig.clock())
    await rig.round()
    room = slack.room("inc-1-disk-full")
    assert room.members == [OWN, ANA]
    await db.run(
        "INSERT INTO incident_roles (id, name, slug, created_at, updated_at) VALUES (gen_random_uuid(), 'Lead', 'lead', $1, $1) "
        "ON CONFLICT DO NOTHING",
        rig.clock(),
    )
    role = (await db.fetch("SELECT id FROM incident_roles ORDER BY name LIMIT 1"))[0]["id"]
    for who in ("bo", "cy"):
        await db.run(
            "INSERT INTO incident_role_assignments (id, incident_id, incident_role_id, user_id, created_at, updated_at) "
            "VALUES (gen_random_uuid(), $1, $2, $3, $4, $4)",
            incident.id,
            role,
            found[who],
            rig.clock(),
        )
    await rig.change(incident, summary="It grows.")
    await rig.round(1)
    assert room.members == [OWN, ANA, "U0BO00001"], "who has no account there stops nobody"
    asked = [r.path for r in slack.requests if "lookupByEmail" in r.path and "cy%40" in r.path]
    await rig.change(incident, summary="It grows still.")
    await rig.round(1)
    assert len([r.path for r in slack.requests if "lookupByEmail" in r.path and "cy%40" in r.path]) == len(
        asked
    )
    room.news()


# ---------------------------------------------------------------- whatever stops in between


async def test_a_node_that_dies_after_making_the_room_makes_no_second_one(rig, slack, http):
    await rig.incident()
    slack.will(Then(trouble=Hang()))
    await rig.round()
    [row] = await rig.stored()
    assert (row["state"], row["channel_id"]) == ("wanted", None)
    await rig.round(5)
    room = slack.room("inc-1-disk-full")
    assert len(slack.rooms) == 1
    assert len(room.news()) == 2


async def test_a_name_that_somebody_has_gets_a_number(rig, slack):
    theirs = slack.somebody_makes("inc-1-disk-full")
    await rig.incident()
    await rig.round()
    ours = slack.room("inc-1-disk-full-2")
    assert theirs.posts == []
    assert len(ours.news()) == 2


async def test_a_room_of_ours_that_was_archived_long_ago_is_not_taken_for_this_one(rig, slack):
    old = slack._made("inc-1-disk-full", private=False, creator=OWN)
    old.archived = True
    await rig.incident()
    await rig.round()
    assert len(slack.room("inc-1-disk-full-2").news()) == 2


@pytest.mark.parametrize("call", range(1, 7))
async def test_whichever_answer_is_lost_nothing_is_made_or_said_twice(rig, slack, call):
    """The calls are: create, setTopic, the header, the line. Each may work and its answer be lost."""
    await rig.incident()
    seen = 0

    def troubled(request):
        nonlocal seen
        seen += 1
        reply = slack._serve(request)
        return Reply(status=502, body=b"gone") if seen == call else reply

    slack._always = troubled
    await rig.round()
    for _ in range(5):
        await rig.round(1000)
    room = slack.room("inc-1-disk-full")
    assert len(slack.rooms) == 1
    assert len(room.posts) == 2
    assert room.topic
    assert (await rig.stored())[0]["why"] == ""
    room.news()


async def test_two_nodes_make_one_room_and_say_each_line_once(rig, slack, http):
    other = rig.node("other", http)
    for number in range(4):
        await rig.incident(f"Trouble {number}")
    while await rig.relaying.relay(rig.clock()):
        pass
    for _ in range(3):
        await rig.rooms.look()
        await other.look()
    assert len(slack.rooms) == 4
    assert [len(room.news()) for room in slack.rooms] == [2, 2, 2, 2]


async def test_a_lease_that_lapsed_is_taken_over(rig, slack, db, http):
    await rig.incident()
    while await rig.relaying.relay(rig.clock()):
        pass
    await db.row("claim_room", rig.clock(), rig.clock() + LEASE, "dead")
    assert await rig.rooms.look() == 0
    await rig.round(LEASE.total_seconds() + 1)
    assert len(slack.room("inc-1-disk-full").news()) == 2


async def test_slack_may_ask_for_patience(rig, slack):
    await rig.incident()
    slack.will(Reply(status=429, headers={"Retry-After": "120"}))
    await rig.round()
    await rig.round(60)
    assert slack.rooms == []
    await rig.round(61)
    slack.room("inc-1-disk-full").news()


@pytest.mark.parametrize(
    "trouble", [Reset(), Reply(status=500), Reply(body=b'{"ok":false,"error":"ratelimited"}')]
)
async def test_what_goes_wrong_for_a_while_is_tried_again(rig, slack, trouble):
    await rig.incident()
    slack.will(trouble)
    await rig.round()
    assert (await rig.stored())[0]["why"]
    await rig.round(10)
    slack.room("inc-1-disk-full").news()
    assert (await rig.stored())[0]["why"] == ""


async def test_what_can_never_work_is_given_up_and_tried_anew_by_hand(rig, slack):
    incident = await rig.incident()
    slack.will(Reply(body=b'{"ok":false,"error":"missing_scope"}'))
    await rig.round()
    [row] = await rig.stored()
    assert row["state"] == "failed"
    assert row["why"].startswith("missing_scope: the app needs channels:manage")
    assert await rig.round(5000) == 0
    await rig.rooms.open(incident.id, by=SYSTEM, now=rig.clock())
    await rig.round()
    assert len(slack.rooms) == 1
    slack.rooms[0].news()


# ---------------------------------------------------------------- marked messages, privacy, the end


async def marked(rig, slack, room, ts, sign="pushpin"):
    mark = Mark(channel=room.id, ts=ts, sign=sign, by=ANA)
    return await rig.rooms.marked(mark, rig.clock())


async def test_a_marked_message_stands_in_the_timeline_with_its_link_once(rig, slack):
    incident = await rig.incident()
    await rig.round()
    room = slack.room("inc-1-disk-full")
    room.news()
    ts = slack.says(room, ANA, "I restarted <https://db.example|the database> &amp; it helped")
    rig.clock.instant += timedelta(minutes=10)
    assert await marked(rig, slack, room, ts)
    assert not await marked(rig, slack, room, ts), "told again, it is the same sign"
    assert not await marked(rig, slack, room, ts, sign="eyes")
    for _ in range(3):
        await rig.round(1)
    entry = (await rig.timeline(incident))[-1]
    assert entry["event"] == "Ana: I restarted the database (https://db.example) & it helped"
    assert entry["attachments"][0]["url"].startswith("https://double.slack.com/archives/")
    assert entry["occurred_at"].timestamp() == pytest.approx(float(ts), abs=1)
    assert [e["event"] for e in await rig.timeline(incident)].count(entry["event"]) == 1
    assert room.news() == [], "what came from the room is not told there"


async def test_our_own_lines_and_what_is_gone_become_nothing(rig, slack, db):
    incident = await rig.incident()
    await rig.round()
    room = slack.room("inc-1-disk-full")
    room.news()
    before = len(await rig.timeline(incident))
    assert not await marked(rig, slack, room, room.posts[0].ts)
    assert not await marked(rig, slack, room, room.posts[1].ts)
    assert await marked(rig, slack, room, "1795399999.000100")
    await rig.round(1)
    assert len(await rig.timeline(incident)) == before
    [mark] = await db.fetch("SELECT event_id, why FROM incident_room_marks")
    assert tuple(mark.values()) == (None, "there is no such message any more")


async def test_a_sign_in_a_channel_that_is_no_room_is_nothing(rig, slack):
    other = slack.somebody_makes("random")
    assert not await marked(rig, slack, other, "1795399201.000100")


async def test_a_private_incident_has_a_private_room(rig, slack):
    await rig.incident(private=True)
    await rig.round()
    room = slack.room("inc-1-disk-full")
    assert room.private
    room.news()


async def test_what_became_private_is_said_no_more_in_a_room_that_is_not(rig, slack):
    incident = await rig.incident()
    await rig.round()
    room = slack.room("inc-1-disk-full")
    room.news()
    await rig.change(incident, private=True, title="The secret one")
    await rig.round(1)
    assert room.news() == []
    assert "secret" not in room.posts[0].text
    [row] = await rig.stored()
    assert (row["state"], row["why"]) == ("failed", "the incident became private, and this room is not")


@pytest.mark.parametrize(("end", "archived"), [("archive", True), ("keep", False)])
async def test_a_closed_incident_closes_its_room(rig, slack, end, archived):
    await rig.set(room_end=end)
    incident = await rig.incident()
    await rig.round()
    for status in ("resolved", "closed"):
        rig.clock.instant += timedelta(minutes=1)
        await rig.incidents.move(incident.id, Status(status), by=SYSTEM, now=rig.clock())
    await rig.round(1)
    room = slack.room("inc-1-disk-full")
    assert room.archived is archived
    assert room.news()[-1].endswith("Closed (was resolved)"), "the last word comes before the end"
    await rig.round(60)
    rig.clock.instant += timedelta(minutes=1)
    await rig.incidents.move(incident.id, Status("started"), by=SYSTEM, now=rig.clock())
    await rig.round(1)
    assert not room.archived
    room.news()


async def test_a_long_timeline_is_told_bit_by_bit_and_in_order(rig, slack):
    incident = await rig.incident()
    for number in range(40):
        rig.clock.instant += timedelta(seconds=1)
        await rig.incidents.note(incident.id, EntryEdit(event=f"step {number}"), by=SYSTEM, now=rig.clock())
    for _ in range(5):
        await rig.round(10)
    lines = slack.room("inc-1-disk-full").news()[2:]
    assert lines == [f"Nightbell: step {number}" for number in range(40)]


async def attached(db, rig, incident, user_id):
    """Attach an alert for which somebody was paged."""
    alert = await rig.incidents.act.create(
        NewAlert(summary="DiskFull", targets=(Target(type="User", id=str(user_id)),)),
        by=SYSTEM,
        now=rig.clock(),
    )
    await rig.incidents.attach(incident.id, [alert.id], by=SYSTEM, now=rig.clock())


@pytest.mark.parametrize(("private", "members"), [(False, [OWN, "U0BO00001"]), (True, [OWN])])
async def test_whoever_was_paged_is_asked_in_unless_it_is_private(rig, slack, db, private, members):
    found = await people(rig)
    incident = await rig.incident(private=private)
    await attached(db, rig, incident, found["bo"])
    await rig.round()
    room = slack.room("inc-1-disk-full")
    assert room.members == members
    room.news()
