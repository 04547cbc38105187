"""Planned work: what happens meanwhile is recorded and pages nobody; what still fires at its end is paged then."""

from datetime import timedelta
from uuid import UUID

import pytest

from nightbell.core.errors import Invalid, Stale
from nightbell.core.journal import SYSTEM
from nightbell.engine import edits
from nightbell.engine.housekeeping import keep_house


@pytest.fixture
async def ana(scene):
    return await scene.cast.person("Ana", "sms")


@pytest.fixture
async def ben(scene):
    return await scene.cast.person("Ben", "sms")


@pytest.fixture
async def shop(scene, ana, ben):
    """A service that pages Ana, ten minutes later Ben."""
    service = await scene.cast.service(policy=await scene.cast.policy(([ana], 10), ([ben], 10)))
    await scene.cast.source(pages=service)
    return service


async def test_an_alert_being_worked_keeps_its_personal_rules_and_a_new_one_pages_nobody(scene):
    ana = await scene.cast.person("Ana", "sms", "sms+5")
    service = await scene.cast.service(policy=await scene.cast.policy(([ana], 5)))
    await scene.cast.source(pages=service)
    await (
        scene.at("02:00").firing("DiskFull").pages(ana)
        .at("02:01").then(lambda: scene.cast.maintenance(service, minutes=120))
        .at("02:05").pages(ana)
        .at("02:06").firing("Other").status("deferred").says("maintenance.muted")
        .resolved("Other")
        .quiet_until("08:00")
    )  # fmt: skip


async def test_what_still_fires_at_the_end_is_paged_then_from_the_first_level(scene, shop, ana, ben):
    await scene.cast.maintenance(shop, minutes=60)
    await (
        scene.at("02:00").firing("DiskFull").status("deferred")
        .quiet_until("02:59")
        .at("03:00").pages(ana).status("triggered").says("maintenance.over", times=1)
        .at("03:10").pages(ben)
        .quiet_until("09:00")
    )  # fmt: skip


async def test_ending_it_early_pages_what_still_fires(scene, shop, ana):
    work = await scene.cast.maintenance(shop, minutes=60)
    await scene.at("02:00").firing("DiskFull").quiet_until("02:01")
    with pytest.raises(Stale, match="in maintenance"):
        await scene.now.escalated(ana)
    await (
        scene.at("02:02").then(lambda: scene.cast.end_maintenance(work))
        .at("02:02").pages(ana).status("triggered")
        .acknowledged(ana)
        .quiet_until("09:00")
    )  # fmt: skip


async def test_what_is_over_by_the_end_pages_nobody(scene, shop):
    await scene.cast.maintenance(shop, minutes=60)
    await scene.at("02:00").firing("DiskFull").at("02:30").resolved("DiskFull").quiet_until("09:00")


async def test_a_climb_under_way_goes_on_after_the_work(scene, shop, ana, ben):
    await (
        scene.at("02:00").firing("DiskFull").pages(ana)
        .at("02:05").then(lambda: scene.cast.maintenance(shop, minutes=60))
        .quiet_until("03:04").says("maintenance.muted", times=1)
        .at("03:05").pages(ben)
        .quiet_until("09:00")
    )  # fmt: skip


async def test_what_was_acknowledged_meanwhile_is_not_paged_at_the_end(scene, shop, ana):
    work = await scene.cast.maintenance(shop, minutes=60)
    await (
        scene.at("02:00").firing("DiskFull")
        .at("02:10").acknowledged(ana).status("acknowledged")
        .at("02:20").then(lambda: scene.cast.end_maintenance(work))
        .quiet_until("09:00").status("acknowledged")
    )  # fmt: skip


async def test_a_snooze_that_ends_in_planned_work_pages_after_it(scene, shop, ana):
    await (
        scene.at("02:00").firing("DiskFull").pages(ana).snoozed(30, ana)
        .at("02:10").then(lambda: scene.cast.maintenance(shop, minutes=60))
        .quiet_until("03:09").status("deferred")
        .at("03:10").pages(ana).acknowledged(ana)
        .quiet_until("09:00")
    )  # fmt: skip


async def test_work_on_a_source_mutes_whatever_it_sends_and_nothing_else(scene, ana, ben):
    db, web = await scene.cast.source(pages=ana), await scene.cast.source(pages=ben)
    await scene.cast.maintenance(db, minutes=60)
    await (
        scene.at("02:00").firing("DiskFull", source=db).quiet()
        .firing("Slow", source=web).pages(ben)
        .at("03:00").pages(ana)
        .quiet_until("09:00")
    )  # fmt: skip


async def test_work_planned_for_later_mutes_from_its_start(scene, shop, ana, ben):
    await scene.cast.maintenance(shop, minutes=60, starts=30)
    await (
        scene.at("02:00").firing("DiskFull").pages(ana).acknowledged(ana)
        .at("02:30").firing("Other").quiet()
        .at("03:30").pages(ana)
        .at("03:40").pages(ben)
    )  # fmt: skip


async def test_work_that_comes_back_mutes_in_each_window(scene, shop, ana):
    nightly = {
        "time_zone": "Europe/Berlin",
        "blocks": [{"days": list("MTWRFUS"), "start_time": "03:00", "end_time": "04:00"}],
    }
    await scene.cast.maintenance(shop, hours=nightly)
    await (
        scene.at("02:00").firing("One").quiet()
        .at("03:00").pages(ana).acknowledged(ana)
        .at("12:00").firing("Two").pages(ana).acknowledged(ana)
        .at("02:30").firing("Three").quiet()
        .at("03:00").pages(ana).acknowledged(ana)
    )  # fmt: skip


async def test_of_two_works_the_longer_counts(scene, shop, ana):
    await scene.cast.maintenance(shop, minutes=30)
    longer = await scene.cast.maintenance(shop, minutes=60)
    await (
        scene.at("02:00").firing("DiskFull")
        .at("02:10").then(lambda: scene.cast.end_maintenance(longer))
        .quiet_until("02:29")
        .at("02:30").pages(ana)
    )  # fmt: skip


async def test_work_made_longer_or_shorter_moves_the_page(scene, shop, ana):
    work = await scene.cast.maintenance(shop, minutes=60)

    async def until(minutes):
        edit = edits.MaintenanceEdit(ends_at=scene.clock() + timedelta(minutes=minutes))
        await scene.configure.update_maintenance(work, edit, by=SYSTEM, now=scene.clock())

    await (
        scene.at("02:00").firing("DiskFull")
        .at("02:10").then(lambda: until(120))
        .quiet_until("04:00")
        .then(lambda: until(5))
        .quiet_until("04:04")
        .at("04:05").pages(ana)
    )  # fmt: skip


async def test_deleting_the_work_pages_what_it_held(scene, shop, ana):
    work = await scene.cast.maintenance(shop, minutes=60)

    async def delete():
        await scene.configure.delete_maintenance(work, by=SYSTEM, now=scene.clock())

    await scene.at("02:00").firing("DiskFull").at("02:10").then(delete).at("02:10").pages(ana)


async def test_a_climb_begun_while_the_work_was_being_ended_is_woken_by_housekeeping(scene, shop, ana):
    work = await scene.cast.maintenance(shop, minutes=60)
    await scene.at("02:00").firing("DiskFull").quiet_until("02:10")
    await scene.cast.end_maintenance(work)
    # As if the climb had been written a moment later, by who still knew the old end.
    await scene.db.run("UPDATE escalations SET wake_at = $1", scene.clock() + timedelta(minutes=50))
    await keep_house(scene.db, scene.clock(), retention_days=30)
    await scene.at("02:10").pages(ana)


async def test_work_and_a_deferral_together_put_off_until_both_are_over(scene, ana):
    policy = await scene.cast.policy(([ana], 60))
    night = {"rule_type": "deferral_window", "time_zone": "Etc/UTC", "time_blocks": [
        {"monday": True, "start_time": "00:00", "end_time": "06:00"}]}  # fmt: skip
    default = (await scene.db.fetch("SELECT id FROM escalation_paths"))[0]["id"]
    await scene.cast.path(
        policy, path_type="deferral", rules=[night],
        after_deferral_behavior="execute_path", after_deferral_path_id=str(default),
    )  # fmt: skip
    service = await scene.cast.service(policy=policy)
    await scene.cast.source(pages=service)
    await scene.cast.maintenance(service, minutes=60)
    await (
        scene.at("02:00").firing("DiskFull").status("deferred")
        .quiet_until("05:59").status("deferred")
        .at("06:00").pages(ana).status("triggered")
    )  # fmt: skip


# ---------------------------------------------------------------- what is refused


@pytest.mark.parametrize(
    ("fields", "place"),
    [
        ({"service_ids": []}, "service_ids"),
        ({"service_ids": [UUID(int=1)]}, "service_ids"),
        ({"name": " "}, "name"),
        ({"ends_at": None}, "ends_at"),
        ({"ends_at": timedelta()}, "ends_at"),
        ({"ends_at": timedelta(hours=-1)}, "ends_at"),
        ({"hours": {"time_zone": "Mars/Olympus", "blocks": [{"days": ["M"], "all_day": True}]}}, "hours.time_zone"),
        ({"hours": {"time_zone": "Etc/UTC", "blocks": []}}, "hours.blocks"),
        ({"hours": {"time_zone": "Etc/UTC", "blocks": [{"days": [], "all_day": True}]}}, "hours.blocks[0].days"),
        ({"hours": {"time_zone": "Etc/UTC", "blocks": [{"days": ["M"], "start_time": "25:00", "end_time": "3"}]}},
         "hours.blocks[0].start_time"),
        ({"hours": {"time_zone": "Etc/UTC", "blocks": [{"days": list("MTWRFUS"), "all_day": True}]}, "ends_at": None},
         "hours"),
    ],
)  # fmt: skip
async def test_work_that_cannot_be_meant_is_refused_by_field(scene, shop, fields, place):
    now = scene.clock()
    said = {"name": "Upgrade", "service_ids": [UUID(shop.id)], "ends_at": timedelta(hours=1)} | fields
    said["ends_at"] = now + said["ends_at"] if isinstance(said["ends_at"], timedelta) else None
    with pytest.raises(Invalid) as caught:
        await scene.configure.create_maintenance(edits.MaintenanceEdit(**said), by=SYSTEM, now=now)
    assert caught.value.place == place


async def test_only_work_that_goes_on_can_be_ended(scene, shop):
    later = await scene.cast.maintenance(shop, minutes=60, starts=30)
    with pytest.raises(Stale, match="not begun"):
        await scene.cast.end_maintenance(later)
    now = await scene.cast.maintenance(shop, minutes=60)
    await scene.cast.end_maintenance(now)
    await scene.at("02:01").quiet()
    with pytest.raises(Stale, match="over already"):
        await scene.cast.end_maintenance(now)
