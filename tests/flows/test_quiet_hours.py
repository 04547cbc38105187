"""Quiet hours: what waits, who is passed over, and that the last resort is never silenced."""

import pytest


async def quiet(scene, person, *, audible=True, start="22:00", end="07:00", zone="Etc/UTC"):
    hours = {"blocks": [{"days": list("MTWRFUS"), "start_time": start, "end_time": end}], "audible": audible}
    sql = "UPDATE users SET quiet_hours = $1, time_zone = $2 WHERE id = $3"
    await scene.db.run(sql, hours, zone, person.id)
    await scene.db.run("UPDATE configuration SET version = version + 1")


@pytest.fixture
async def ana(scene):
    return await scene.cast.person("Ana", "sms")


@pytest.fixture
async def ben(scene):
    return await scene.cast.person("Ben", "sms")


async def test_whoever_keeps_quiet_hours_is_passed_over_where_others_are_left(scene, ana, ben):
    await quiet(scene, ana)
    await scene.cast.source(pages=await scene.cast.policy(([ana], 10), ([ben], 10)))
    await (
        scene.at("02:00").firing("DiskFull").pages(ben)
        .says("page.quiet_hours", times=1).says("escalation.level_skipped")
        .acknowledged(ben).quiet_until("09:00")
    )  # fmt: skip


async def test_the_last_level_is_paged_whatever_the_hour(scene, ana, ben):
    await quiet(scene, ana)
    await quiet(scene, ben)
    await scene.cast.source(pages=await scene.cast.policy(([ana], 10), ([ben], 10)))
    await scene.at("02:00").firing("DiskFull").pages(ben).quiet_until("09:00")


async def test_a_person_paged_directly_is_paged_whatever_the_hour(scene, ana):
    await quiet(scene, ana)
    await scene.cast.source(pages=ana)
    await scene.at("02:00").firing("DiskFull").pages(ana).quiet_until("09:00")


async def test_the_people_of_last_resort_are_paged_whatever_the_hour(scene, ben):
    boss = await scene.cast.person("Boss", "sms", role="owner")
    await quiet(scene, boss)
    empty = await scene.cast.team()
    await scene.cast.source(pages=await scene.cast.policy(([empty], 10)))
    await scene.at("02:00").firing("DiskFull").pages(boss).quiet_until("09:00")


async def test_others_on_the_level_are_paged_and_whoever_sleeps_is_not(scene, ana, ben):
    await quiet(scene, ana)
    await scene.cast.source(pages=await scene.cast.policy(([ana, ben], 10), ([ana], 10)))
    await scene.at("02:00").firing("DiskFull").pages(ben).at("02:10").pages(ana).quiet_until("09:00")


async def test_by_day_quiet_hours_are_nothing(scene, ana, ben):
    await quiet(scene, ana)
    await scene.cast.source(pages=await scene.cast.policy(([ana], 10), ([ben], 10)))
    await scene.at("12:00").firing("DiskFull").pages(ana).acknowledged(ana).quiet_until("14:00")


async def test_quiet_hours_that_spare_only_quiet_pages_do_not_touch_audible_ones(scene, ana, ben):
    await quiet(scene, ana, audible=False)
    await scene.cast.source(pages=await scene.cast.policy(([ana], 10), ([ben], 10)))
    await scene.at("02:00").firing("DiskFull").pages(ana).acknowledged(ana).quiet_until("09:00")


async def test_hours_are_those_of_where_somebody_lives(scene, ana, ben):
    # 02:00 UTC is 11:00 in Tokyo.
    await quiet(scene, ana, zone="Asia/Tokyo")
    await scene.cast.source(pages=await scene.cast.policy(([ana], 10), ([ben], 10)))
    await scene.at("02:00").firing("DiskFull").pages(ana).acknowledged(ana).quiet_until("05:00")


async def test_a_quiet_page_waits_for_the_end_of_quiet_hours_and_comes(scene, ana):
    await quiet(scene, ana, audible=False)
    policy = await scene.cast.policy(([ana], 10))
    await scene.db.run("UPDATE escalation_paths SET loudness = 'quiet'")
    await scene.db.run("UPDATE configuration SET version = version + 1")
    await scene.cast.source(pages=policy)
    await (
        scene.at("02:00").firing("DiskFull").says("page.held", times=1)
        .at("07:00").pages(ana)
        .acknowledged(ana).quiet_until("23:00")
    )  # fmt: skip


async def test_a_quiet_page_that_somebody_took_meanwhile_never_comes(scene, ana, ben):
    await quiet(scene, ana, audible=False)
    policy = await scene.cast.policy(([ana], 10), ([ben], 10))
    await scene.db.run("UPDATE escalation_paths SET loudness = 'quiet'")
    await scene.db.run("UPDATE configuration SET version = version + 1")
    await scene.cast.source(pages=policy)
    await (
        scene.at("02:00").firing("DiskFull")
        .at("02:10").pages(ben).acknowledged(ben).quiet_until("12:00")
    )  # fmt: skip
