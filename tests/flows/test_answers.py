"""What comes back in the night: answers, keys and reports, told as timetables."""

from itertools import permutations

import pytest

from nightbell.core.delivery import Unsure
from nightbell.core.receipt import Stage


@pytest.fixture
async def ana(scene):
    return await scene.cast.person("Ana", "sms", "voice+5")


async def sent(scene):
    rows = await scene.db.fetch("SELECT kind, state, stage FROM notifications ORDER BY id")
    return [tuple(row.values()) for row in rows]


async def test_a_text_with_the_code_acknowledges_and_nothing_rings_any_more(scene, ana):
    await scene.cast.source(pages=await scene.cast.policy(([ana], 10)))
    await (
        scene.at("02:00").firing("DiskFull").pages(ana)
        .at("02:01").answers(ana, "ack {code}", told="Acknowledged: ").status("acknowledged")
        .quiet_until("05:00")
    )  # fmt: skip
    assert await sent(scene) == [("sms", "sent", "acknowledged")]


async def test_a_key_in_a_call_acknowledges(scene, ana):
    await scene.cast.source(pages=ana)
    await (
        scene.at("02:00").firing("DiskFull").pages(ana)
        .at("02:05").pages(ana, by="voice").presses(ana, "acknowledge").status("acknowledged")
        .quiet_until("05:00")
    )  # fmt: skip


async def test_a_call_without_a_key_is_no_acknowledgement(scene, ana):
    ben = await scene.cast.person("Ben", "sms")
    await scene.cast.source(pages=await scene.cast.policy(([ana], 10), ([ben], 0)))
    await (
        scene.at("02:00").firing("DiskFull").pages(ana)
        .at("02:05").pages(ana, by="voice").reported(ana, "voice", Stage.DELIVERED)
        .at("02:10").pages(ben).status("triggered")
    )  # fmt: skip


async def test_a_message_that_did_not_arrive_uses_the_next_method_at_once(scene, ana):
    await scene.cast.source(pages=ana)
    await (
        scene.at("02:00").firing("DiskFull").pages(ana)
        .at("02:01").reported(ana, "sms", Stage.FAILED, Stage.FAILED).pages(ana, by="voice").says("page.failover", times=1)
        .at("02:05").pages(ana, by="voice")
    )  # fmt: skip
    assert (await sent(scene))[0] == ("sms", "refused", "failed")


async def test_a_number_that_takes_no_text_is_marked_until_one_arrives(scene, ana):
    await scene.cast.source(pages=ana)
    sql = "SELECT kind, failing_why FROM contact_methods WHERE failing_since IS NOT NULL"
    await (
        scene.at("02:00").firing("DiskFull").pages(ana).reported(ana, "sms", Stage.FAILED).pages(ana, by="voice")
        .reported(ana, "voice", Stage.FAILED)
    )  # fmt: skip
    assert [tuple(row.values()) for row in await scene.db.fetch(sql)] == [("sms", "failed")]
    await scene.now.acknowledged(ana)
    await (
        scene.at("02:30")
        .firing("CpuHot")
        .pages(ana)
        .reported(ana, "sms", Stage.DELIVERED)
        .acknowledged(ana, "CpuHot")
    )
    assert await scene.db.fetch(sql) == []


async def test_a_person_none_of_whose_messages_arrives_is_passed_over_at_once(scene):
    cal, ben = await scene.cast.person("Cal", "sms"), await scene.cast.person("Ben", "sms2")
    await scene.cast.source(pages=await scene.cast.policy(([cal], 30), ([ben], 30)))
    await (
        scene.at("02:00").firing("DiskFull").pages(cal)
        .at("02:01").reported(cal, "sms", Stage.ACCEPTED, Stage.FAILED).pages(ben, by="sms2").says("page.unreachable")
    )  # fmt: skip


async def test_a_failure_after_the_acknowledgement_wakes_nobody(scene, ana):
    await scene.cast.source(pages=ana)
    await (
        scene.at("02:00").firing("DiskFull").pages(ana).acknowledged(ana)
        .at("02:01").reported(ana, "sms", Stage.FAILED)
        .quiet_until("05:00")
    )  # fmt: skip


@pytest.mark.parametrize(
    "order", [*permutations((Stage.ACCEPTED, Stage.FAILED, Stage.DELIVERED))], ids=lambda o: " ".join(o)
)
async def test_reports_in_any_order_and_twice_end_in_the_same_state(scene, order):
    ana = await scene.cast.person("Ana", "sms")
    await scene.cast.source(pages=await scene.cast.policy(([ana], 30)))
    await scene.at("02:00").firing("DiskFull").pages(ana).reported(ana, "sms", *order, *order)
    assert (await sent(scene))[0] == ("sms", "sent", "delivered")


async def test_a_doubt_that_is_cleared_does_not_ring_again(scene, ana):
    await scene.cast.source(pages=ana)
    await (
        scene.at("02:00").answering("sms", Unsure(why="no answer"))
        .firing("DiskFull").pages(ana).pages(ana, by="voice")
        .at("02:01").reported(ana, "sms", Stage.DELIVERED)
        .at("02:05").pages(ana, by="voice")
    )  # fmt: skip
    assert (await sent(scene))[0] == ("sms", "sent", "delivered")


async def test_a_doubt_that_was_a_loss_is_not_failed_over_twice(scene, ana):
    await scene.cast.source(pages=ana)
    await (
        scene.at("02:00").answering("sms", Unsure(why="no answer"))
        .firing("DiskFull").pages(ana).pages(ana, by="voice")
        .at("02:01").reported(ana, "sms", Stage.FAILED).says("page.failover", times=1)
        .at("02:05").pages(ana, by="voice")
    )  # fmt: skip


async def test_two_people_answer_the_same_alert_by_codes_of_their_own(scene):
    ana, ben = await scene.cast.person("Ana", "sms"), await scene.cast.person("Ben", "sms")
    await scene.cast.source(pages=await scene.cast.policy(([ana, ben], 30)))
    await (
        scene.at("02:00").firing("DiskFull").pages(ana, ben)
        .answers(ben, "esc {code}", told="Escalated")
        .pages(ana, ben)
        .answers(ana, "{code}", told="Acknowledged").told(ben)
        .answers(ben, "ack {code}", told="Somebody had acknowledged it already")
        .status("acknowledged").quiet_until("05:00")
    )  # fmt: skip


async def test_one_answer_to_a_message_that_names_two_alerts_takes_both(scene):
    ana = await scene.cast.person("Ana", "sms")
    await scene.cast.source(pages=await scene.cast.policy(([ana], 3), repeat=1))
    await (
        scene.at("02:00").firing("DiskFull").pages(ana).firing("CpuHot").pages(ana)
        .at("02:03").pages(ana, alerts=2)
        .answers(ana, "ack {code}", told="Done for 2 alerts")
        .quiet_until("02:04")
    )  # fmt: skip
    first, second, both = [h.message.reply_code for h in scene.phones.heard]
    assert first != second and both in (first, second)


@pytest.mark.parametrize("text", ["", "what?", "ack 9Y", "ack ack"])
async def test_what_is_not_understood_changes_nothing(scene, ana, text):
    await scene.cast.source(pages=await scene.cast.policy(([ana], 30)))
    await scene.at("02:00").firing("DiskFull").pages(ana).answers(ana, text).status("triggered")
