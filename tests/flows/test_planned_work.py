"""Planned work as an incident: while it is in progress it mutes its services, and what still fires at its end is paged."""

from datetime import timedelta
from uuid import UUID

import pytest

from nightbell.core.errors import Invalid, Stale
from nightbell.core.incident import Status
from nightbell.core.journal import SYSTEM, person
from nightbell.engine import edits
from nightbell.engine.incident_edits import IncidentEdit
from nightbell.engine.incident_planned import Planned
from nightbell.engine.incidents import Incidents


@pytest.fixture
async def ana(scene):
    return await scene.cast.person("Ana", "sms")


@pytest.fixture
async def shop(scene, ana):
    """A service that pages Ana."""
    service = await scene.cast.service(policy=await scene.cast.policy(([ana], 10)))
    await scene.cast.source(pages=service)
    return service


@pytest.fixture
def desk(scene):
    return Incidents(scene.db, scene.engine.act, scene.engine.committed.append)


@pytest.fixture
def look(scene, desk):
    planned = Planned(scene.db, desk)

    async def look():
        return await planned.look(scene.clock())

    return look


@pytest.fixture
async def work(scene, desk, shop, ana):
    """Work on the shop, planned from 02:10 to 03:00."""
    edit = IncidentEdit(
        title="Upgrade",
        kind="scheduled",
        muted_service_ids=[UUID(shop.id)],
        scheduled_for=scene.clock() + timedelta(minutes=10),
        scheduled_until=scene.clock() + timedelta(minutes=60),
    )
    return await desk.create(edit, by=person(ana.id, "Ana"), now=scene.clock())


async def status(scene, work):
    return (await scene.db.fetch("SELECT status FROM incidents WHERE id = $1", work.id))[0][0]


async def attached(scene, work):
    rows = await scene.db.fetch(
        "SELECT a.summary FROM incident_alerts x JOIN alerts a ON a.id = x.alert_id WHERE x.incident_id = $1",
        work.id,
    )
    return [row[0] for row in rows]


async def test_work_begins_mutes_attaches_and_ends_by_time_and_what_still_fires_is_paged(
    scene, work, look, ana
):
    await (
        scene.at("02:00").firing("Before").pages(ana).acknowledged(ana)
        .at("02:10").then(look)
        .at("02:11").firing("DiskFull").status("deferred").says("maintenance.muted")
        .then(look)
        .quiet_until("02:59")
    )  # fmt: skip
    assert await status(scene, work) == "in_progress"
    assert await attached(scene, work) == ["DiskFull"]
    await (
        scene.at("03:00")
        .then(look)
        .pages(ana)
        .status("triggered", "DiskFull")
        .says("maintenance.over", "DiskFull")
    )
    assert await status(scene, work) == "completed"


async def test_what_is_muted_is_muted_at_its_time_although_no_node_looked(scene, work, ana):
    await scene.at("02:10").firing("DiskFull").status("deferred").quiet_until("02:59").at("03:00").pages(ana)


async def test_before_it_begins_everybody_is_paged(scene, work, ana):
    await scene.at("02:09").firing("DiskFull").pages(ana)


async def test_a_node_that_was_away_begins_and_ends_it(scene, work, look):
    scene.clock.move_to(scene.clock.at("04:00"))
    assert await look() == 1
    assert await look() == 1
    assert await status(scene, work) == "completed"
    assert await look() == 0


@pytest.mark.parametrize("how", ["completed", "cancelled", "deleted"])
async def test_whatever_ends_it_early_pages_what_still_fires(scene, desk, work, look, ana, how):
    async def end():
        if how == "deleted":
            await desk.delete(work.id, by=SYSTEM, now=scene.clock())
        else:
            await desk.move(work.id, Status(how), by=SYSTEM, now=scene.clock())

    await (
        scene.at("02:10").then(look).firing("DiskFull").status("deferred")
        .quiet_until("02:20").then(end).at("02:20").pages(ana)
    )  # fmt: skip


async def test_work_that_begins_early_mutes_early(scene, desk, work):
    async def begin():
        await desk.move(work.id, Status.IN_PROGRESS, by=SYSTEM, now=scene.clock())

    await scene.at("02:02").then(begin).firing("DiskFull").status("deferred").quiet_until("02:59")


async def test_a_later_end_mutes_longer_and_an_earlier_one_pages(scene, desk, work, look, ana):
    async def until(minutes):
        end = scene.clock() + timedelta(minutes=minutes)
        await desk.update(work.id, IncidentEdit(scheduled_until=end), by=SYSTEM, now=scene.clock())

    await (
        scene.at("02:10").then(look).firing("DiskFull").then(lambda: until(120))
        .quiet_until("03:30").then(lambda: until(5)).quiet_until("03:34").at("03:35").then(look).pages(ana)
    )  # fmt: skip


async def test_work_that_is_called_off_never_mutes(scene, desk, work, ana):
    await desk.move(work.id, Status.CANCELLED, by=SYSTEM, now=scene.clock())
    assert await scene.db.fetch("SELECT 1 FROM maintenances") == []
    await scene.at("02:30").firing("DiskFull").pages(ana)


async def test_work_is_not_taken_up_again_after_its_end(scene, desk, work, look):
    scene.clock.move_to(scene.clock.at("04:00"))
    await look()
    await look()
    with pytest.raises(Invalid) as refused:
        await desk.restart(work.id, by=SYSTEM, now=scene.clock())
    assert refused.value.place == "scheduled_until"


async def test_what_an_incident_owns_is_changed_through_the_incident(scene, work):
    [row] = await scene.db.fetch("SELECT id FROM maintenances")
    for act in (
        scene.configure.delete_maintenance(row["id"], by=SYSTEM, now=scene.clock()),
        scene.configure.update_maintenance(
            row["id"], edits.MaintenanceEdit(name="Mine"), by=SYSTEM, now=scene.clock()
        ),
        scene.configure.end_maintenance(row["id"], by=SYSTEM, now=scene.clock()),
    ):
        with pytest.raises(Stale, match="INC-1"):
            await act
