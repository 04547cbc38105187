"""What is said of an incident to those outside: published by choice, sent once to everybody who follows."""

from datetime import timedelta
from uuid import UUID

import pytest

from nightbell.channels.mail import compose
from nightbell.core import subscribing
from nightbell.core.delivery import Purpose, Refused, Sent
from nightbell.core.errors import Invalid
from nightbell.core.journal import SYSTEM, person
from nightbell.core.status_page import State
from nightbell.engine.directory import Directories
from nightbell.engine.edits import TeamEdit
from nightbell.engine.ids import new_id
from nightbell.engine.incident_edits import IncidentEdit
from nightbell.engine.incident_publishing import Publishing
from nightbell.engine.incident_updates import Herald
from nightbell.engine.incidents import Incidents
from nightbell.engine.showing import Showing
from nightbell.engine.status_edits import StatusPageEdit, StatusPageEventEdit, UpdateEdit
from nightbell.testing.phones import FakePhone

KEY = b"a key of this test"


@pytest.fixture
async def ana(scene):
    return await scene.cast.person("Ana", "sms")


@pytest.fixture
async def ben(scene):
    return await scene.cast.person("Ben", "sms")


@pytest.fixture
def desk(scene):
    return Incidents(scene.db, scene.engine.act, scene.engine.committed.append)


@pytest.fixture
def publishing(scene):
    herald = Herald(KEY, "http://nightbell.example")
    return Publishing(scene.db, scene.engine.act, scene.engine.committed.append, Directories(), herald)


@pytest.fixture
def showing(scene):
    showing = Showing(scene.db, KEY, scene.clock)
    yield showing
    showing.close()


@pytest.fixture
async def shop(scene):
    return await scene.cast.service()


@pytest.fixture
async def page(scene, shop):
    edit = StatusPageEdit(title="Shop", service_ids=[UUID(shop.id)])
    return await scene.configure.create_status_page(edit, by=SYSTEM, now=scene.clock())


@pytest.fixture
async def incident(scene, desk, shop, ana):
    edit = IncidentEdit(title="Orders fail", public_title="Some orders fail", service_ids=[UUID(shop.id)])
    return await desk.create(edit, by=person(ana.id, "Ana"), now=scene.clock())


async def say(publishing, scene, incident, status, text="We look.", **more):
    edit = StatusPageEventEdit(event=text, status=status, **more)
    return await publishing.publish(incident.id, edit, by=SYSTEM, now=scene.clock())


async def board(showing):
    await showing.look()
    return showing.boards["shop"]


async def happened(scene):
    rows = await scene.db.fetch(
        "SELECT kind FROM happenings WHERE kind LIKE 'incident_status_page%' ORDER BY id"
    )
    return [row["kind"] for row in rows]


async def send(scene):
    while await scene.engine.send():
        pass


# ---------------------------------------------------------------- status pages


async def test_nothing_is_on_a_page_that_nobody_published(scene, showing, publishing, page, incident):
    shown = await board(showing)
    assert (shown.incidents, shown.state) == ((), State.OPERATIONAL)
    event = await say(publishing, scene, incident, "investigating", impact="partial_outage")
    shown = await board(showing)
    assert [one.title for one in shown.going] == ["Some orders fail"]
    assert shown.components[0].state is State.PARTIAL_OUTAGE
    await publishing.change_published(
        event, StatusPageEventEdit(event="We found it.", status="resolved"), by=SYSTEM, now=scene.clock()
    )
    shown = await board(showing)
    assert (shown.going, shown.incidents[0].said[0].text) == ((), "We found it.")
    await publishing.unpublish(event, by=SYSTEM, now=scene.clock())
    assert (await board(showing)).incidents == ()
    assert await happened(scene) == [
        f"incident_status_page_event_{what}" for what in ("created", "updated", "deleted")
    ]


async def test_what_was_published_stands_in_the_timeline(scene, publishing, page, incident):
    await say(publishing, scene, incident, "identified", "A disk is full.")
    rows = await scene.db.fetch(
        "SELECT event, visibility FROM incident_events WHERE code LIKE 'status_page.%'"
    )
    assert [tuple(row.values()) for row in rows] == [
        ("Published on the status page Shop, identified: A disk is full.", "external")
    ]


async def test_a_private_incident_is_never_published_and_vanishes_when_it_becomes_one(
    scene, desk, showing, publishing, page, incident
):
    await say(publishing, scene, incident, "investigating")
    assert (await board(showing)).incidents
    await desk.update(incident.id, IncidentEdit(private=True), by=SYSTEM, now=scene.clock())
    assert (await board(showing)).incidents == ()
    with pytest.raises(Invalid, match="private"):
        await say(publishing, scene, incident, "identified")


@pytest.mark.parametrize(
    ("sent", "place"),
    [
        ({"status": "in_progress"}, "status"),
        ({"status": "nonsense"}, "status"),
        ({"text": "  "}, "event"),
        ({"impact": "bad"}, "impact"),
        ({"started_at": timedelta(hours=1)}, "started_at"),
        ({"status_page_id": UUID(int=7)}, "status_page_id"),
    ],
)
async def test_what_cannot_be_published_is_refused_by_its_field(
    scene, publishing, page, incident, sent, place
):
    if "started_at" in sent:
        sent = {"started_at": scene.clock() + sent["started_at"]}
    fields = {"status": "investigating", "text": "We look.", **sent}
    with pytest.raises(Invalid) as refused:
        await say(publishing, scene, incident, fields.pop("status"), fields.pop("text"), **fields)
    assert refused.value.place == place


async def test_of_several_pages_one_must_be_named(scene, publishing, page, incident):
    await scene.configure.create_status_page(StatusPageEdit(title="Other"), by=SYSTEM, now=scene.clock())
    with pytest.raises(Invalid) as refused:
        await say(publishing, scene, incident, "investigating")
    assert refused.value.place == "status_page_id"


async def test_planned_work_is_said_in_its_own_words(scene, desk, showing, publishing, page, shop):
    edit = IncidentEdit(
        title="Upgrade",
        kind="scheduled",
        muted_service_ids=[UUID(shop.id)],
        scheduled_for=scene.clock(),
        scheduled_until=scene.clock() + timedelta(hours=1),
    )
    work = await desk.create(edit, by=SYSTEM, now=scene.clock())
    with pytest.raises(Invalid, match="scheduled, in_progress"):
        await say(publishing, scene, work, "investigating")
    await say(publishing, scene, work, "in_progress")
    assert (await board(showing)).components[0].state is State.MAINTENANCE


# ---------------------------------------------------------------- those who follow


async def follow(scene, desk, incident, *people, emails=()):
    await desk.subscribe(incident.id, [p.id for p in people], emails=emails, by=SYSTEM, now=scene.clock())


async def tell(publishing, scene, incident, body="It is better.", **more):
    return await publishing.tell(incident.id, UpdateEdit(body=body, **more), by=SYSTEM, now=scene.clock())


async def nobody_follows(publishing, scene, incident):
    with pytest.raises(Invalid, match="Nobody follows"):
        await tell(publishing, scene, incident)


async def test_an_update_goes_once_to_each_who_follows_and_pages_nobody(
    scene, desk, publishing, incident, ana, ben
):
    await follow(scene, desk, incident, ana, ben)
    first = await tell(publishing, scene, incident, key="once")
    assert await tell(publishing, scene, incident, key="once") == first
    await send(scene)
    heard = [scene.phones.claim(one.name, "sms", Purpose.NOTICE) for one in (ana, ben)]
    assert {one.message.body for one in heard} == {"It is better."}
    assert {one.message.title for one in heard} == {"INC-1: Some orders fail"}
    assert {one.message.alert_url for one in heard} == {"http://nightbell.example/incidents/1"}
    rows = await scene.db.fetch("SELECT event FROM incident_events WHERE code = 'incident.told'")
    assert [row[0] for row in rows] == ["Update to 2 addresses: INC-1: Some orders fail\nIt is better."]


async def test_an_address_outside_is_asked_once_and_told_nothing_before_it_said_yes(
    scene, desk, publishing, incident
):
    await follow(scene, desk, incident, emails=["Boss@example.org"])
    await nobody_follows(publishing, scene, incident)
    assert await publishing.ask(scene.clock()) == 1
    assert await publishing.ask(scene.clock()) == 0
    await send(scene)
    question = scene.phones.claim("Boss@example.org", "email", Purpose.NOTICE).message
    scene.phones.verify()
    token = question.body.partition("/follow/")[2].split()[0]
    ident = subscribing.opened(KEY, token)
    await publishing.want(ident, now=scene.clock())
    await tell(publishing, scene, incident, "Half of it works.")
    await send(scene)
    update = scene.phones.claim("Boss@example.org", "email", Purpose.NOTICE).message
    assert update.body.startswith("Half of it works.")
    assert f"/follow/{token}" in update.body
    assert update.alert_url == ""
    mail = compose(update, "Nightbell <bell@example.org>")
    assert mail["List-Unsubscribe"] == f"<http://nightbell.example/follow/{token}>"
    assert compose(question, "Nightbell <bell@example.org>")["List-Unsubscribe"] is None
    await tell(publishing, scene, incident, "Never seen.")
    await publishing.stop(ident, now=scene.clock())
    await nobody_follows(publishing, scene, incident)
    await send(scene)
    scene.phones.verify()


async def test_a_team_that_is_told_of_its_incidents_is_told(scene, desk, publishing, incident, ana, ben):
    team = await scene.cast.team(ana, ben)
    await desk.update(incident.id, IncidentEdit(team_ids=[UUID(team.id)]), by=SYSTEM, now=scene.clock())
    await nobody_follows(publishing, scene, incident)
    edit = TeamEdit(incident_broadcast_enabled=True)
    await scene.configure.update_team(UUID(team.id), edit, by=SYSTEM, now=scene.clock())
    await follow(scene, desk, incident, ana)
    await tell(publishing, scene, incident)
    await send(scene)
    for one in (ana, ben):
        scene.phones.claim(one.name, "sms", Purpose.NOTICE)
    scene.phones.verify()
    await desk.update(incident.id, IncidentEdit(private=True), by=SYSTEM, now=scene.clock())
    await tell(publishing, scene, incident)
    await send(scene)
    scene.phones.claim("Ana", "sms", Purpose.NOTICE)
    scene.phones.verify()


@pytest.mark.parametrize("outcome", [Sent(provider_id="C1:1"), Refused(why="channel_not_found")])
async def test_a_channel_of_a_team_is_told_once_and_its_fate_disturbs_nobody(
    scene, desk, publishing, incident, ana, outcome
):
    settings = {"bot_token": "xoxb-1"}
    await scene.db.execute("set_provider", new_id(scene.clock()), "slack", settings, scene.clock())
    scene.phones.by_kind["slack"] = FakePhone("slack", scene.phones._hear)
    scene.phones["slack"].will(outcome)
    team = await scene.cast.team(ana)
    edit = TeamEdit(incident_broadcast_enabled=True, incident_broadcast_channel={"id": "C0123ABCD"})
    await scene.configure.update_team(UUID(team.id), edit, by=SYSTEM, now=scene.clock())
    await desk.update(incident.id, IncidentEdit(team_ids=[UUID(team.id)]), by=SYSTEM, now=scene.clock())
    await tell(publishing, scene, incident)
    await send(scene)
    scene.phones.claim("Ana", "sms", Purpose.NOTICE)
    assert scene.phones.claim("C0123ABCD", "slack", Purpose.NOTICE).message.body == "It is better."
    scene.phones.verify()


async def test_those_who_follow_a_page_are_told_what_is_published_to_them(scene, publishing, page, incident):
    await publishing.invite_to_page(page, "shop@example.org", by=SYSTEM, now=scene.clock())
    await publishing.invite_to_page(page, "SHOP@example.org", by=SYSTEM, now=scene.clock())
    assert await publishing.ask(scene.clock()) == 1
    await send(scene)
    question = scene.phones.claim("shop@example.org", "email", Purpose.NOTICE).message
    token = question.body.partition("/follow/")[2].split()[0]
    await publishing.want(subscribing.opened(KEY, token), now=scene.clock())
    await say(publishing, scene, incident, "investigating")
    await say(publishing, scene, incident, "identified", "A disk.", notify_subscribers=True)
    await send(scene)
    told = scene.phones.claim("shop@example.org", "email", Purpose.NOTICE).message
    assert told.title == "Shop: Identified: Some orders fail"
    assert told.body.startswith("A disk.")
    scene.phones.verify()


async def test_a_mail_that_is_refused_disturbs_nobody(scene, desk, publishing, incident):
    await follow(scene, desk, incident, emails=["gone@example.org"])
    await scene.db.run("UPDATE incident_subscribers SET asked_at = now(), confirmed_at = now()")
    scene.phones["email"].will(Refused(why="no such box", gone=True))
    await tell(publishing, scene, incident)
    await send(scene)
    scene.phones.claim("gone@example.org", "email", Purpose.NOTICE)
    [row] = await scene.db.fetch("SELECT state, why FROM notifications WHERE incident_update_id IS NOT NULL")
    assert tuple(row.values()) == ("refused", "no such box")
