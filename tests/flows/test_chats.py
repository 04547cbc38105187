"""People press buttons in a chat: once, twice, late, or for somebody else; and what stands there follows the alert."""

import random

import pytest

from nightbell.core.delivery import Refused
from nightbell.testing.chat_scene import ChatScene


@pytest.fixture
async def scene(db):
    scene = ChatScene(db)
    await scene.start()
    yield scene
    await scene.stop()
    scene.phones.verify()


@pytest.fixture
async def ana(scene):
    return await scene.cast.person("Ana", "telegram")


async def test_a_page_by_telegram_is_acknowledged_by_a_button_and_says_so(scene, ana):
    await scene.cast.source(pages=await scene.cast.policy(([ana], 5)))
    await (
        scene.at("02:00").firing("DiskFull").pages(ana, by="telegram").shows(ana, "triggered", edits=0)
        .at("02:03").pressed(ana, "acknowledge").answered("Acknowledged: ").status("acknowledged")
        .shows(ana, "acknowledged", edits=1)
        .quiet_until("05:00").shows(ana, "acknowledged", edits=1)
    )  # fmt: skip
    assert "Acknowledged by Ana" in scene.chat.newest("Ana").message.body


async def test_a_message_follows_the_alert_whoever_acts(scene, ana):
    ben = await scene.cast.person("Ben", "sms")
    await scene.cast.source(pages=await scene.cast.policy(([ana], 5), ([ben], 5)))
    await (
        scene.at("02:00").firing("DiskFull").pages(ana, by="telegram")
        .at("02:05").pages(ben)
        .at("02:06").acknowledged(ben).shows(ana, "acknowledged").told(ana, by="telegram")
        .at("02:20").resolved("DiskFull").shows(ana, "resolved").told(ana, by="telegram").told(ben)
        .quiet_until("05:00").shows(ana, "resolved")
    )  # fmt: skip


async def test_a_page_that_was_snoozed_says_so_and_pages_again(scene, ana):
    await scene.cast.source(pages=ana)
    await (
        scene.at("02:00").firing("DiskFull").pages(ana, by="telegram")
        .pressed(ana, "snooze").answered("Snoozed for 30 minutes").shows(ana, "acknowledged")
        .at("02:30").pages(ana, by="telegram").shows(ana, "triggered")
    )  # fmt: skip


async def test_a_button_to_escalate_moves_one_level_however_often_it_is_told(scene, ana):
    ben, cal = await scene.cast.person("Ben", "sms"), await scene.cast.person("Cal", "voice")
    await scene.cast.source(pages=await scene.cast.policy(([ana], 30), ([ben], 30), ([cal], 30)))
    await (
        scene.at("02:00").firing("DiskFull").pages(ana, by="telegram")
        .at("02:01").pressed(ana, "escalate", told=3).pages(ben)
        .pressed(ana, "escalate").answered("already")
        .quiet_until("02:30")
    )  # fmt: skip


async def test_a_button_of_an_alert_that_is_over_is_answered_and_changes_nothing(scene, ana):
    await scene.cast.source(pages=ana)
    await (
        scene.at("02:00").firing("DiskFull").pages(ana, by="telegram")
        .at("02:10").resolved("DiskFull").told(ana, by="telegram")
        .pressed(ana, "acknowledge").status("resolved")
        .quiet_until("05:00").shows(ana, "resolved")
    )  # fmt: skip
    assert scene.answers[-1].loud


async def test_somebody_who_is_not_known_in_the_chat_changes_nothing(scene, ana):
    ben = await scene.cast.person("Ben", "sms")
    await scene.cast.source(pages=await scene.cast.policy(([ana], 60)))
    await (
        scene.at("02:00").firing("DiskFull").pages(ana, by="telegram")
        .pressed(ben, "resolve", of=ana).answered("does not know who you are").status("triggered")
        .quiet_until("02:59").shows(ana, "triggered", edits=0)
    )  # fmt: skip


async def test_a_colleague_with_a_chat_of_their_own_acts_in_their_own_name(scene, ana):
    cal = await scene.cast.person("Cal", "telegram")
    await scene.cast.source(pages=ana)
    await (
        scene.at("02:00").firing("DiskFull").pages(ana, by="telegram")
        .pressed(cal, "acknowledge", of=ana).status("acknowledged").told(ana, by="telegram")
        .quiet_until("05:00")
    )  # fmt: skip
    assert "Acknowledged by Cal" in scene.chat.newest("Ana").message.body


async def test_a_chat_that_refuses_is_failed_over_and_nothing_is_edited_there(scene):
    dan = await scene.cast.person("Dan", "telegram", "sms+5")
    await scene.cast.source(pages=await scene.cast.policy(([dan], 60)))
    await (
        scene.at("02:00").answering("telegram", Refused(why="bot was blocked", gone=True))
        .firing("DiskFull").pages(dan, by="telegram").pages(dan)
        .at("02:05").pages(dan)
        .acknowledged(dan).quiet_until("05:00")
    )  # fmt: skip
    assert scene.chat.standing == []
    rows = await scene.db.fetch("SELECT failing_why FROM contact_methods WHERE kind = 'telegram'")
    assert rows[0]["failing_why"] == "bot was blocked"


PRESSES = ("acknowledge", "snooze", "escalate", "resolve")


@pytest.mark.parametrize("seed", range(8))
async def test_presses_told_again_in_any_order_end_in_the_same_state(scene, seed):
    """Each press once, then any of them again, in any order: the alert is as it was before they were told again."""
    chance = random.Random(seed)
    for n in range(3):
        name = f"Story{n}"
        person = await scene.cast.person(f"{name}Ana", "telegram")
        other = await scene.cast.person(f"{name}Ben", "telegram")
        policy = await scene.cast.policy(([person], 30), ([other], 30))
        await scene.now.firing(name, source=await scene.cast.source(name=name, pages=policy)).pages(
            person, by="telegram"
        )
        page = scene.chat.newest(person.name)
        presses = chance.choices(PRESSES, k=chance.randint(1, 4))
        for number, press in enumerate(presses):
            await scene.button(person.name, press, page, f"{name} {number}")
        before = await state(scene, name)
        for number in chance.choices(range(len(presses)), k=chance.randint(1, 6)):
            await scene.button(person.name, presses[number], page, f"{name} {number}")
        assert await state(scene, name) == before, presses
        # Whom the presses themselves paged is in the state already.
        scene.phones.unclaimed.clear()


async def state(scene, name):
    alert = dict((await scene.alert(name)).items())
    kept = {
        k: alert[k]
        for k in ("status", "occurrence", "acknowledged_at", "acknowledged_by", "ended_at")
        if k in alert
    }
    journal = [row["code"] for row in await scene.journal(name)]
    sql = "SELECT kind, purpose, state FROM notifications WHERE alert_id = $1 ORDER BY id"
    sent = [tuple(row.values()) for row in await scene.db.fetch(sql, alert["id"])]
    due = await scene.db.fetch(
        "SELECT phase, wake_at, fired FROM escalations WHERE alert_id = $1 ORDER BY id", alert["id"]
    )
    shown = [(one.message.status, one.edits) for one in scene.chat.standing]
    return kept, journal, sent, [tuple(row.values()) for row in due], shown
