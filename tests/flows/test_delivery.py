"""What becomes of messages: answers of providers, crashes, several nodes; nobody is forgotten, nobody paged twice."""

import asyncio
from datetime import timedelta

import pytest

from nightbell.core.delivery import Refused, Retry, Unsure
from nightbell.testing import payloads
from nightbell.testing.phones import Hang


@pytest.fixture
async def ana(scene):
    return await scene.cast.person("Ana", "sms", "voice+3")


@pytest.fixture
async def ben(scene):
    return await scene.cast.person("Ben", "sms")


async def notifications(scene, *columns):
    names = ", ".join(columns)
    return [
        tuple(row.values()) for row in await scene.db.fetch(f"SELECT {names} FROM notifications ORDER BY id")
    ]


async def test_a_refused_message_uses_the_next_method_at_once(scene, ana):
    await scene.cast.source(pages=await scene.cast.policy(([ana], 30)))
    await (
        scene.at("02:00").answering("sms", Refused(why="no such number"))
        .firing("DiskFull").pages(ana).pages(ana, by="voice").says("page.failover")
        .at("02:03").pages(ana, by="voice")
        .quiet_until("04:00")
    )  # fmt: skip
    assert (await notifications(scene, "kind", "state"))[0] == ("sms", "refused")


async def test_a_message_in_doubt_is_kept_as_unknown_and_the_next_method_is_used_at_once(scene, ana):
    await scene.cast.source(pages=ana)
    await (
        scene.at("02:00").answering("sms", Unsure(why="no answer in 10 s"))
        .firing("DiskFull").pages(ana).pages(ana, by="voice")
        .at("02:03").pages(ana, by="voice")
        .quiet_until("04:00")
    )  # fmt: skip
    assert (await notifications(scene, "kind", "state"))[0] == ("sms", "unknown")


async def test_a_person_whom_no_method_reaches_is_passed_over_at_once(scene, ben):
    cal = await scene.cast.person("Cal", "sms2")
    await scene.cast.source(pages=await scene.cast.policy(([ben], 30), ([cal], 30)))
    await (
        scene.at("02:00").answering("sms", Refused(why="blocked"))
        .firing("DiskFull").pages(ben).pages(cal, by="sms2").says("page.unreachable")
        .quiet_until("04:00")
    )  # fmt: skip


async def test_one_of_two_on_a_level_who_cannot_be_reached_does_not_hurry_the_climb(scene, ben):
    cal, dan = await scene.cast.person("Cal", "sms2"), await scene.cast.person("Dan", "voice")
    await scene.cast.source(pages=await scene.cast.policy(([ben, cal], 30), ([dan], 30)))
    await (
        scene.at("02:00").answering("sms", Refused(why="blocked"))
        .firing("DiskFull").pages(ben).pages(cal, by="sms2")
        .at("02:30").pages(dan, by="voice")
    )  # fmt: skip


async def test_when_the_last_person_cannot_be_reached_the_fallback_is_paged(scene, ben):
    cal = await scene.cast.person("Cal", "sms2")
    await scene.cast.fallback(cal)
    await scene.cast.source(pages=ben)
    await (
        scene.at("02:00").answering("sms", Refused(why="blocked"))
        .firing("DiskFull").pages(ben).pages(cal, by="sms2").says("escalation.fallback")
    )  # fmt: skip


async def test_somebody_who_was_reached_earlier_keeps_the_fallback_asleep(scene, ben):
    cal, dan = await scene.cast.person("Cal", "sms2"), await scene.cast.person("Dan", "voice")
    await scene.cast.fallback(dan)
    await scene.cast.source(pages=await scene.cast.policy(([cal], 5), ([ben], 0)))
    await (
        scene.at("02:00").firing("DiskFull").pages(cal, by="sms2")
        .answering("sms", Refused(why="blocked"))
        .at("02:05").pages(ben)
        .quiet_until("05:00")
    )  # fmt: skip


async def test_a_fallback_that_cannot_be_reached_either_is_said(scene, ben):
    cal = await scene.cast.person("Cal", "sms2")
    await scene.cast.fallback(cal)
    await scene.cast.source(pages=ben)
    await (
        scene.at("02:00").answering("sms", Refused(why="blocked")).answering("sms2", Refused(why="blocked"))
        .firing("DiskFull").pages(ben).pages(cal, by="sms2").says("escalation.unpaged", times=1)
    )  # fmt: skip


async def test_a_message_that_must_wait_is_tried_again_under_one_key(scene, ben):
    await scene.cast.source(pages=ben)
    await (
        scene.at("02:00").answering("sms", Retry(why="503"))
        .firing("DiskFull").pages(ben)
        .until("02:01").pages(ben)
        .quiet_until("04:00")
    )  # fmt: skip
    assert await notifications(scene, "state", "attempts") == [("sent", 2)]
    first, second = scene.phones.heard
    assert first.message.idempotency_key == second.message.idempotency_key
    tries = await scene.db.fetch("SELECT number, outcome FROM attempts ORDER BY number")
    assert [tuple(row.values()) for row in tries] == [(1, "retry"), (2, "sent")]


async def test_a_provider_that_stays_away_is_failed_over_and_in_the_end_given_up(scene, ana):
    await scene.cast.source(pages=await scene.cast.policy(([ana], 60)))
    await (
        scene.at("02:00").answering("sms", *[Retry(why="503")] * 8)
        .firing("DiskFull").pages(ana)
        .until("02:20").pages(ana, times=7).pages(ana, by="voice", times=2)
        .quiet_until("02:59")
    )  # fmt: skip
    assert (await notifications(scene, "state", "attempts"))[0] == ("refused", 8)


async def test_a_message_that_waits_for_its_next_try_is_called_off_by_an_acknowledgement(scene, ben):
    await scene.cast.source(pages=ben)
    await (
        scene.at("02:00").answering("sms", Retry(why="503", after=timedelta(minutes=5)))
        .firing("DiskFull").pages(ben)
        .at("02:01").acknowledged(ben)
        .quiet_until("04:00")
    )  # fmt: skip
    assert await notifications(scene, "state") == [("canceled",)]


async def test_an_answer_that_comes_after_the_acknowledgement_does_not_send_again(scene, ben):
    await scene.cast.source(pages=ben)
    phone = scene.phones["sms"]
    taken = asyncio.Event()

    async def answer(message):
        scene.phones.heard.append(message)
        await scene.engine.act.acknowledge((await scene.alert())["id"], by=ben.actor, now=scene.clock())
        taken.set()
        return Retry(why="503")

    phone.send = answer
    await scene.at("02:00").firing("DiskFull").quiet_until("04:00").status("acknowledged")
    assert taken.is_set()
    assert await notifications(scene, "state") == [("canceled",)]


async def test_a_channel_with_a_defect_loses_nothing_of_the_messages_beside_it(scene, ben):
    cal = await scene.cast.person("Cal", "sms2")

    async def broken(message):
        raise KeyError("defect")

    scene.phones["sms2"].send = broken
    await scene.cast.source(pages=await scene.cast.policy(([ben, cal], 30)))
    await scene.at("02:00").firing("DiskFull").pages(ben).quiet_until("02:59")
    assert set(await notifications(scene, "kind", "state")) == {("sms", "sent"), ("sms2", "unknown")}


async def test_a_method_deleted_before_the_message_left_fails_over(scene, ana):
    await scene.cast.source(pages=ana)

    async def forget() -> None:
        row = (await scene.db.fetch("SELECT id FROM contact_methods WHERE kind = 'sms'"))[0]
        await scene.configure.delete_contact_method(row["id"], by=ana.actor, now=scene.clock())

    await (
        scene.at("02:00").asleep().firing("DiskFull").then(forget)
        .awake().pages(ana, by="voice")
        .at("02:03").pages(ana, by="voice")
    )  # fmt: skip


async def test_a_provider_that_hangs_does_not_hold_up_the_next_method_of_somebody_else(scene, ana, ben):
    cal = await scene.cast.person("Cal", "sms2", "voice+30")
    await scene.cast.source(pages=await scene.cast.policy(([ben, cal], 30)))
    await (
        scene.at("02:00").answering("sms", Hang()).answering("sms2", Refused(why="blocked"))
        .firing("DiskFull").pages(ben).pages(cal, by="sms2").pages(cal, by="voice")
        .acknowledged(cal).told(ben)
        .quiet_until("02:10")
    )  # fmt: skip


# ---------------------------------------------------------------- crashes


async def test_a_process_killed_while_it_sends_ends_in_one_or_two_messages_and_the_doubt_is_recorded(
    scene, ana
):
    await scene.cast.source(pages=await scene.cast.policy(([ana], 10)))
    await (
        scene.at("02:00").answering("sms", Hang())
        .firing("DiskFull").pages(ana)
        .at("02:00:30").killed().pages(ana).pages(ana, by="voice").says("page.failover")
        .at("02:03").pages(ana, by="voice")
        .quiet_until("05:00")
    )  # fmt: skip
    first, second = (h.message.idempotency_key for h in scene.phones.heard if h.kind == "sms")
    assert first == second
    tries = await scene.db.fetch("SELECT outcome FROM attempts ORDER BY started_at LIMIT 1")
    assert tries[0]["outcome"] == "unknown"


async def test_a_worker_that_hangs_loses_its_lease_and_another_takes_over(two_nodes):
    scene = two_nodes
    ana = await scene.cast.person("Ana", "sms", "voice+3")
    await scene.cast.source(pages=ana)
    await (
        scene.at("02:00").answering("sms", Hang())
        .firing("DiskFull").pages(ana)
        .at("02:00:45").pages(ana).pages(ana, by="voice")
        .at("02:03").pages(ana, by="voice")
        .quiet_until("05:00")
    )  # fmt: skip


async def test_a_process_killed_twice_while_it_sends_leaves_the_message_in_doubt(scene, ana):
    await scene.cast.source(pages=ana)
    await (
        scene.at("02:00").answering("sms", Hang(), Hang())
        .firing("DiskFull").pages(ana)
        .killed().pages(ana).pages(ana, by="voice")
        .killed()
        .at("02:03").pages(ana, by="voice")
        .quiet_until("05:00")
    )  # fmt: skip
    assert ("sms", "unknown") in await notifications(scene, "kind", "state")


async def test_timers_and_queues_in_memory_may_be_lost_and_somebody_is_paged_all_the_same(scene, ana):
    await scene.cast.source(pages=await scene.cast.policy(([ana], 10)))
    await (
        scene.at("02:00").asleep().firing("DiskFull").killed()
        .at("02:01").awake().pages(ana)
        .at("02:03").pages(ana, by="voice")
        .killed()
        .quiet_until("05:00")
    )  # fmt: skip


# ---------------------------------------------------------------- several nodes


async def test_two_nodes_page_once(two_nodes):
    scene = two_nodes
    ana, ben = await scene.cast.person("Ana", "sms", "voice+5"), await scene.cast.person("Ben", "sms")
    await scene.cast.source(pages=await scene.cast.policy(([ana], 10), ([ben], 10), repeat=1))
    await (
        scene.at("02:00").firing("DiskFull").pages(ana)
        .at("02:05").pages(ana, by="voice")
        .at("02:10").pages(ben)
        .at("02:20").pages(ana)
        .at("02:25").pages(ana, by="voice")
        .at("02:30").pages(ben)
        .quiet_until("05:00")
    )  # fmt: skip


async def test_one_delivery_posted_to_two_nodes_at_once_is_one_alert_and_one_page(two_nodes):
    scene = two_nodes
    ana = await scene.cast.person("Ana", "sms")
    source = await scene.cast.source(pages=ana)
    group = scene.group(source, "DiskFull", {})
    group.fires("host-1", at=scene.clock())
    body = payloads.body(group.document())
    scene.awake = False
    await asyncio.gather(*(scene.post(body, source=source, node=n % 2) for n in range(6)))
    await scene.now.awake().pages(ana).quiet_until("05:00")
    (alert,) = await scene.alerts()
    assert alert["request_count"] == 6


async def test_many_alerts_of_one_moment_are_each_paged_once_by_two_nodes(two_nodes):
    scene = two_nodes
    ana = await scene.cast.person("Ana", "inbox")
    source = await scene.cast.source(pages=await scene.cast.policy(([ana], 5), repeat=1))
    scene.awake = False
    for n in range(30):
        await scene.now.firing(f"Alert{n}", source=source)
    rung = scene.now.awake().pages(ana, by="inbox", times=30).at("02:05").pages(ana, by="inbox", times=30)
    await rung.quiet_until("05:00")


async def test_whoever_nobody_knows_to_have_been_reached_is_a_skipped_target(scene, ana, ben):
    await scene.cast.source(pages=await scene.cast.policy(([ana], 30), ([ben], 30)))
    await (
        scene.at("02:00").answering("sms", Unsure(why="no answer in 10 s")).answering("voice", Unsure(why="no answer"))
        .firing("DiskFull").pages(ana, by="sms").pages(ana, by="voice")
        .pages(ben).says("page.failover", times=1).says("page.unreachable", times=1)
        .acknowledged(ben).told(ana)
    )  # fmt: skip
