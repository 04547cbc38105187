"""Incidents over a real database: what is made, changed and ended, and what stands in their timelines."""

import asyncio
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select

from nightbell.core.errors import Invalid
from nightbell.core.incident import Status
from nightbell.core.journal import SYSTEM, Actor, person
from nightbell.engine.act import NewAlert
from nightbell.engine.edits import ServiceEdit, UserEdit
from nightbell.engine.incident_edits import ActionItemEdit, EntryEdit, IncidentEdit
from nightbell.engine.incidents import Cause, Incidents
from nightbell.store.incident_tables import incident_events, incidents
from nightbell.store.read.incident_catalogs import catalog
from nightbell.store.statements import fetch_core
from nightbell.testing.scenario import Scene

WORKFLOW = Actor(kind="workflow", name="Page on critical")


@pytest.fixture
def desk(scene: Scene) -> Incidents:
    """The writer of incidents, as the program puts it together."""
    return Incidents(scene.db, scene.engine.act, lambda _: None)


async def member(scene: Scene, name: str) -> Actor:
    """Somebody who answers."""
    edit = UserEdit(name=name, email=f"{name.lower()}@example.org", role="user")
    return person(await scene.configure.create_user(edit, by=SYSTEM, now=scene.clock()), name)


async def lines(scene: Scene, incident_id: UUID) -> list[str]:
    """The timeline, in the order it was written."""
    t = incident_events.c
    rows = await fetch_core(scene.db, select(t.event).where(t.incident_id == incident_id).order_by(t.id))
    return [row["event"] for row in rows]


async def happened(scene: Scene) -> list[str]:
    """What whoever listens is told of, beside each line of the timeline."""
    rows = await scene.db.fetch(
        "SELECT kind FROM happenings WHERE incident_id IS NOT NULL AND kind NOT LIKE 'incident_event%' ORDER BY id"
    )
    return [row["kind"] for row in rows]


async def stored(scene: Scene, incident_id: UUID) -> Any:
    """An incident as it stands."""
    return (await fetch_core(scene.db, select(incidents).where(incidents.c.id == incident_id)))[0]


async def fires(scene: Scene, name: str) -> None:
    """Make an alert that pages nobody."""
    await scene.engine.act.create(NewAlert(summary=name), by=SYSTEM, now=scene.clock())


async def alerts(scene: Scene) -> list[Any]:
    """The alerts there are, by age."""
    return await scene.db.fetch("SELECT id, status, summary FROM alerts ORDER BY id")


async def test_an_incident_goes_its_way_and_tells_of_it(scene: Scene, desk: Incidents) -> None:
    ana = await member(scene, "Ana")
    made = await desk.create(IncidentEdit(title="API is slow"), by=ana, now=scene.clock())
    await desk.move(made.id, Status.MITIGATED, message="rolled back", by=ana, now=scene.clock())
    await desk.move(made.id, Status.RESOLVED, by=ana, now=scene.clock())
    assert await lines(scene, made.id) == [
        "Incident created: API is slow",
        "Mitigated (was started): rolled back",
        "Resolved (was mitigated)",
    ]
    assert await happened(scene) == [
        "incident_created", "incident_started", "status_updated", "incident_updated", "status_updated",
        "incident_updated",
    ]  # fmt: skip


async def test_two_who_resolve_it_at_once_resolve_it_once(scene: Scene, desk: Incidents) -> None:
    ana, bo = await member(scene, "Ana"), await member(scene, "Bo")
    made = await desk.create(IncidentEdit(title="x"), by=ana, now=scene.clock())
    await asyncio.gather(
        *(desk.move(made.id, Status.RESOLVED, by=who, now=scene.clock()) for who in (ana, bo))
    )
    assert len(await lines(scene, made.id)) == 2


async def test_numbers_have_no_holes_whatever_fails(scene: Scene, desk: Incidents) -> None:
    async def attempt(number: int) -> None:
        if number % 3 == 0:
            with pytest.raises(Invalid):
                await desk.create(
                    IncidentEdit(title="x", service_ids=[UUID(int=number)]), by=SYSTEM, now=scene.clock()
                )
        else:
            await desk.create(IncidentEdit(title="same"), by=SYSTEM, now=scene.clock())

    await asyncio.gather(*(attempt(number) for number in range(12)))
    rows = await fetch_core(scene.db, select(incidents).order_by(incidents.c.sequential_id))
    assert [row["sequential_id"] for row in rows] == list(range(1, 9))
    assert len({row["slug"] for row in rows}) == 8


async def test_the_same_key_twice_is_one_incident(scene: Scene, desk: Incidents) -> None:
    cause = Cause(key="workflow:1:alert:2:1", run_id=UUID(int=5), depth=2)
    made = await asyncio.gather(
        *(
            desk.create(
                IncidentEdit(title="x"), by=WORKFLOW, now=scene.clock(), cause=cause, source="workflow"
            )
            for _ in range(3)
        )
    )
    assert len({one.id for one in made}) == 1
    rows = await scene.db.fetch("SELECT cause_run_id, depth FROM happenings")
    assert {(row["cause_run_id"], row["depth"]) for row in rows} == {(UUID(int=5), 2)}


async def test_an_incident_of_an_alert_takes_over_what_the_alert_is_for(
    scene: Scene, desk: Incidents
) -> None:
    await fires(scene, "DiskFull")
    alert = (await alerts(scene))[0]
    edit = IncidentEdit(title="Disk is full", alert_ids=[alert["id"]])
    made = await desk.create(edit, by=WORKFLOW, now=scene.clock(), source="workflow")
    said = await lines(scene, made.id)
    assert said[0].startswith("Incident created by workflow Page on critical from alert ")
    assert len(said) == 2
    events = await scene.db.fetch("SELECT details FROM alert_events WHERE action = 'attached'")
    assert [row["details"] for row in events] == ["Attached to incident #1 Disk is full"]


async def test_an_incident_ends_with_its_alerts_where_it_is_set_so(scene: Scene, desk: Incidents) -> None:
    await fires(scene, "DiskFull")
    alert = (await alerts(scene))[0]
    edit = IncidentEdit(title="x", alert_ids=[alert["id"]], resolve_with_alerts=True)
    made = await desk.create(edit, by=SYSTEM, now=scene.clock())
    assert await desk.follow_alerts(now=scene.clock()) == 0
    await scene.engine.act.resolve(alert["id"], by=SYSTEM, now=scene.clock())
    assert await desk.follow_alerts(now=scene.clock()) == 1
    assert (await stored(scene, made.id))["status"] == "resolved"
    assert (await lines(scene, made.id))[-1] == "Resolved (was started): all its alerts are resolved"
    assert await desk.follow_alerts(now=scene.clock()) == 0


async def test_resolving_an_incident_resolves_its_alerts_and_nobody_is_paged_on(
    scene: Scene, desk: Incidents
) -> None:
    await fires(scene, "DiskFull")
    await fires(scene, "CpuHigh")
    ids = [row["id"] for row in await alerts(scene)]
    made = await desk.create(IncidentEdit(title="x", alert_ids=ids), by=SYSTEM, now=scene.clock())
    await desk.move(made.id, Status.RESOLVED, by=SYSTEM, now=scene.clock())
    assert {row["status"] for row in await alerts(scene)} == {"resolved"}
    assert (await lines(scene, made.id))[-1] == "2 alerts resolved"


async def test_an_incident_that_failed_to_change_is_as_it_was(scene: Scene, desk: Incidents) -> None:
    made = await desk.create(IncidentEdit(title="x"), by=SYSTEM, now=scene.clock())
    wrong = IncidentEdit(title="y", status="resolved", service_ids=[UUID(int=9)])
    with pytest.raises(Invalid):
        await desk.update(made.id, wrong, by=SYSTEM, now=scene.clock())
    assert (await stored(scene, made.id))["title"] == "x"
    assert len(await lines(scene, made.id)) == 1


async def test_times_are_edited_in_order_or_not_at_all(scene: Scene, desk: Incidents) -> None:
    made = await desk.create(IncidentEdit(title="x"), by=SYSTEM, now=scene.clock())
    earlier = scene.clock() - timedelta(minutes=10)
    await desk.update(made.id, IncidentEdit(started_at=earlier), by=SYSTEM, now=scene.clock())
    resolved = IncidentEdit(status="resolved", resolved_at=earlier - timedelta(minutes=1))
    with pytest.raises(Invalid, match="resolved_at is before started_at"):
        await desk.update(made.id, resolved, by=SYSTEM, now=scene.clock())
    assert (await lines(scene, made.id))[1].startswith("Started: ")


async def test_what_an_entry_of_a_workflow_says_it_says_once(scene: Scene, desk: Incidents) -> None:
    made = await desk.create(IncidentEdit(title="x"), by=SYSTEM, now=scene.clock())
    cause = Cause(key="step-1", because={"workflow": "Page on critical"})
    for _ in range(2):
        await desk.note(made.id, EntryEdit(event="paged"), by=WORKFLOW, now=scene.clock(), cause=cause)
        await desk.add_item(
            made.id, ActionItemEdit(summary="look"), by=WORKFLOW, now=scene.clock(), cause=cause
        )
    assert await lines(scene, made.id) == ["Incident created: x", "paged", "Action item: look"]


async def test_a_role_goes_to_whoever_is_on_call(scene: Scene, desk: Incidents) -> None:
    made = await desk.create(IncidentEdit(title="x"), by=SYSTEM, now=scene.clock())
    role = next(r for r in await catalog(scene.db, "incident_roles") if r["slug"] == "commander")
    ben, cat = await scene.cast.person("Ben", "sms"), await scene.cast.person("Cat", "sms")
    schedule = await scene.cast.schedule(ben, cat)
    ident = UUID(str(schedule.id))
    assert await desk.assign(made.id, role["id"], schedule_id=ident, by=SYSTEM, now=scene.clock()) == [ben.id]
    tomorrow = scene.clock() + timedelta(days=1)
    assert await desk.assign(made.id, role["id"], schedule_id=ident, by=SYSTEM, now=tomorrow) == [cat.id]
    assert (await lines(scene, made.id))[1:] == ["Commander: nobody → Ben", "Commander: Ben → Cat"]
    with pytest.raises(Invalid) as caught:
        await desk.assign(made.id, role["id"], schedule_id=UUID(int=3), by=SYSTEM, now=scene.clock())
    assert caught.value.place == "schedule_id"


async def test_deliveries_and_incidents_of_the_same_alerts_do_not_stop_each_other(
    scene: Scene, desk: Incidents
) -> None:
    for name in ("A", "B", "C", "D"):
        await fires(scene, name)
    ids = [row["id"] for row in await alerts(scene)]
    made = [
        await desk.create(IncidentEdit(title=f"n{n}", resolve_alerts=False), by=SYSTEM, now=scene.clock())
        for n in range(3)
    ]
    await asyncio.gather(
        *(
            desk.attach(one.id, order, by=SYSTEM, now=scene.clock())
            for one in made
            for order in (ids, ids[::-1])
        ),
        *(scene.engine.act.note(ident, "seen", by=SYSTEM, now=scene.clock()) for ident in ids),
    )
    links = await scene.db.fetch("SELECT count(*) FROM incident_alerts")
    assert links[0][0] == 12


async def test_two_who_merge_each_other_leave_one_duplicate(scene: Scene, desk: Incidents) -> None:
    one, two = [
        await desk.create(IncidentEdit(title=title), by=SYSTEM, now=scene.clock()) for title in ("one", "two")
    ]
    came = await asyncio.gather(
        desk.merge(one.id, two.id, by=SYSTEM, now=scene.clock()),
        desk.merge(two.id, one.id, by=SYSTEM, now=scene.clock()),
        return_exceptions=True,
    )
    assert sum(isinstance(each, Invalid) for each in came) == 1
    rows = await fetch_core(scene.db, select(incidents).where(incidents.c.duplicate_of_id.is_not(None)))
    assert [row["status"] for row in rows] == ["cancelled"]


async def test_services_come_and_go_by_name(scene: Scene, desk: Incidents) -> None:
    api, web = [
        await scene.configure.create_service(ServiceEdit(name=name), by=SYSTEM, now=scene.clock())
        for name in ("API", "Web")
    ]
    made = await desk.create(IncidentEdit(title="x", service_ids=[api]), by=SYSTEM, now=scene.clock())
    await desk.update(made.id, IncidentEdit(service_ids=[web]), by=SYSTEM, now=scene.clock())
    assert (await lines(scene, made.id))[1:] == ["Services: added Web; removed API"]
    assert {"services_updated", "services_added", "services_removed"} <= set(await happened(scene))
