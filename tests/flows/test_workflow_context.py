"""What templates and conditions see of an alert, an incident and an action item: Rootly's names, plain JSON."""

import json
from datetime import timedelta
from uuid import UUID, uuid4

import pytest

from nightbell.core.happening import Happening
from nightbell.core.incident import Status
from nightbell.core.journal import SYSTEM, person
from nightbell.engine.edits import UserEdit
from nightbell.engine.incident_edits import ActionItemEdit, EntryEdit, IncidentEdit
from nightbell.engine.incidents import Incidents
from nightbell.engine.liquid.templates import render
from nightbell.engine.workflow_context import alert_contexts, context, payload
from support.workflows import Automation

URL = "http://nightbell.example"


@pytest.fixture
async def ana(scene):
    return await scene.cast.person("Ana", "sms")


@pytest.fixture
async def fired(scene, ana):
    """An alert of a real payload's shape that paged Ana."""
    source = await scene.cast.source(
        pages=await scene.cast.service(policy=await scene.cast.policy(([ana], 10)))
    )
    await scene.at("02:00").firing("DiskFull", "db1", "db2", source=source).pages(ana)
    return (await scene.alert())["id"]


def filled(template, known, scene):
    return render(template, known, now=scene.clock())


ALERT = {
    "{{ alert.summary }}": "DiskFull",
    "{{ alert.source }}": "alertmanager",
    "{{ alert.status }}": "triggered",
    "{{ alert.data.commonLabels.alertname }}": "DiskFull",
    "{{ alert.data.alerts[1].labels.instance }}": "db2",
    "{{ alert.data.alerts | size }}": "2",
    "{{ alert.labels.alertname }}": "DiskFull",
    "{{ alert.firing_count }}/{{ alert.member_count }}": "2/2",
    "{{ alert.responders | map: 'name' | join }}": "Ana",
    "{{ alert.notified_users[0].name }}": "Ana",
    "{{ alert.external_id }}": "DiskFull",
    "{{ alert.occurrence }}": "1",
    "{{ alert.started_at | date: '%Y-%m-%d' }}": "2026-03-02",
    "{{ alert.resolved_at }}": "",
    "{{ alert.incidents | size }}": "0",
}


async def test_an_alert_is_seen_with_its_payload_and_its_people(scene, fired):
    known = await context(scene.db, alert_id=fired, base_url=URL)
    assert json.loads(json.dumps(known)) == known
    today = scene.clock().date().isoformat()
    for template, expected in ALERT.items():
        wanted = today if "date:" in template else expected
        assert filled(template, known, scene) == wanted, template
    alert = known["alert"]
    assert alert["url"] == f"{URL}/account/alerts/{alert['short_id']}"
    assert [one["name"] for one in alert["services"]] and alert["service_ids"] == [alert["services"][0]["id"]]
    assert alert["alerting_targets"][0]["type"] == "Service"


async def test_many_alerts_are_seen_at_once(scene, ana, fired):
    await scene.at("02:01").firing("CpuHigh").pages(ana)
    ids = [row["id"] for row in await scene.alerts()]
    known = await alert_contexts(scene.db, ids)
    assert {known[one]["summary"] for one in ids} == {"DiskFull", "CpuHigh"}


async def test_an_incident_is_seen_with_everything_that_belongs_to_it(scene, fired):
    desk = Incidents(scene.db, scene.engine.act, scene.engine.committed.append)
    owner = await scene.configure.create_user(
        UserEdit(name="Bo", email="bo@example.org", role="owner"), by=SYSTEM, now=scene.clock()
    )
    bo = person(owner, "Bo")
    severity = (await scene.db.fetch("SELECT id, name, slug FROM severities ORDER BY position LIMIT 1"))[0]
    role = (await scene.db.fetch("SELECT id, name FROM incident_roles ORDER BY position LIMIT 1"))[0]
    edit = IncidentEdit(title="Disks", summary="all of them", severity_id=severity["id"], labels={"cluster": "eu"}, alert_ids=[fired])  # fmt: skip
    made = await desk.create(edit, by=bo, now=scene.clock())
    await desk.assign(made.id, role["id"], by=bo, now=scene.clock(), user_id=owner)
    await desk.note(made.id, EntryEdit(event="Looked"), by=bo, now=scene.clock())
    item = await desk.add_item(
        made.id, ActionItemEdit(summary="Grow", assigned_to_user_id=owner), by=bo, now=scene.clock()
    )
    await desk.move(made.id, Status.RESOLVED, by=bo, now=scene.clock() + timedelta(minutes=5))
    known = await context(scene.db, incident_id=made.id, base_url=URL)
    assert json.loads(json.dumps(known)) == known
    table = {
        "{{ incident.title }} {{ incident.sequential_id }} {{ incident.slug }}": "Disks 1 disks",
        "{{ incident.status }} {{ incident.kind }} {{ incident.private }}": "resolved normal false",
        "{{ incident.severity }} {{ incident.severity_slug }}": f"{severity['name']} {severity['slug']}",
        "{{ incident.raw_severity.name }}": severity["name"],
        "{{ incident.labels.cluster }}": "eu",
        "{{ incident.creator.name }} {{ incident.resolved_by.email }}": "Bo bo@example.org",
        "{{ incident.roles[0].name }}: {{ incident.roles[0].user.name }}": f"{role['name']}: Bo",
        "{{ incident.events | map: 'event' | join: ', ' | regex_match: 'Looked' }}": "Looked",
        "{{ incident.action_items[0].summary }} {{ incident.action_items[0].assigned_to.name }}": "Grow Bo",
        "{{ incident.alerts[0].summary }}": "DiskFull",
        "{{ incident.services | size }} {{ incident.raw_services[0].name | size }}": None,
        "{{ incident.resolved_duration | distance_of_time_in_words }}": "5 minutes",
        "{{ incident.url }}": f"{URL}/account/incidents/1",
        "{{ incident.nothing }}": "",
    }
    for template, expected in table.items():
        text = filled(template, known, scene)
        assert expected is None or text == expected, template
    assert known["incident"]["services"] == [known["incident"]["raw_services"][0]["name"]]
    about = await context(scene.db, action_item_id=item, base_url=URL)
    assert (about["action_item"]["summary"], about["incident"]["title"]) == ("Grow", "Disks")
    seen = await context(scene.db, alert_id=fired, base_url=URL)
    assert seen["alert"]["incidents"][0]["slug"] == "disks"


async def test_what_is_not_there_is_left_out(scene):
    assert await context(scene.db, alert_id=uuid4(), incident_id=uuid4(), action_item_id=uuid4()) == {}


async def test_what_happened_says_what_it_is_about(scene, fired):
    told = Happening(
        id=UUID(int=1),
        kind="alert_status_updated",
        at=scene.clock(),
        alert_id=fired,
        data={"status": "resolved"},
    )
    known = await context(scene.db, happening=told)
    assert (known["happening"]["kind"], known["happening"]["status"]) == ("alert_status_updated", "resolved")
    assert known["alert"]["summary"] == "DiskFull"


@pytest.mark.parametrize("body", [b"", b"not zlib", None])
def test_a_request_that_cannot_be_read_is_nothing(body):
    assert payload(body) == {}


async def test_a_task_sees_what_came_of_those_before_it(scene, ana):
    await scene.cast.source(pages=await scene.cast.policy(([ana], 600)))
    auto = Automation(scene)
    await auto.workflow(
        "In turn",
        ("print", {"message": "{{ alert.summary }}"}, {"name": "Say it Once"}),
        ("print", {"message": "{{ tasks.say-it-once.output.message }} {{ tasks['say_it_once'].status }}"}),
        ("print", {"message": "{{ tasks.print.output.message }}|{{ tasks.nobody.output }}"}),
    )
    await scene.at("02:00").firing("DiskFull").pages(ana)
    await auto.settle()
    rows = await scene.db.fetch("SELECT output FROM workflow_steps ORDER BY position")
    assert [row["output"]["message"] for row in rows] == [
        "DiskFull",
        "DiskFull completed",
        "DiskFull completed|",
    ]
