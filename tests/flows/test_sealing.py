"""The ledger follows every page from decision to acknowledgement, whoever seals it, however often, however late."""

import asyncio
from datetime import timedelta

import msgspec
import pytest
from msgspec import structs

from nightbell.core import shortid
from nightbell.core.ledger import Head, followed
from nightbell.core.why import why
from nightbell.engine import sealing
from nightbell.engine.sealing import BATCH, BRIEF, NARROW, WIDE, seal
from nightbell.store.read import ledger
from nightbell.store.read import why as recorded
from nightbell.testing.phones import Hang
from nightbell.worker.watching import NARROW_EVERY, WIDE_EVERY, Kept, Looks, chores


@pytest.fixture
async def ana(scene):
    return await scene.cast.person("Ana", "sms")


@pytest.fixture
async def ben(scene):
    return await scene.cast.person("Ben", "sms", "voice+5")


@pytest.fixture
async def shop(scene, ana, ben):
    service = await scene.cast.service(policy=await scene.cast.policy(([ana], 10), ([ben], 10)))
    await scene.cast.source(pages=service)


async def entries(scene):
    return [msgspec.json.decode(one.entry) async for one in ledger.entries(scene.db)]


async def steps(scene):
    return [(e["step"], e["told"].get("channel", "")) for e in await entries(scene)]


async def told(scene, shop, ana, ben):
    await (
        scene.at("02:00").firing("DiskFull").pages(ana)
        .at("02:10").pages(ben)
        .at("02:11").acknowledged(ben).told(ana)
        .quiet_until("03:00")
    )  # fmt: skip


async def test_a_page_is_followed_from_decision_to_acknowledgement(scene, shop, ana, ben):
    await told(scene, shop, ana, ben)
    assert await seal(scene.db, scene.clock(), reach=WIDE) == 9
    assert await steps(scene) == [
        ("decided", ""), ("queued", "sms"), ("handed_over", "sms"), ("accepted", "sms"),
        ("decided", ""), ("queued", "sms"), ("handed_over", "sms"), ("accepted", "sms"),
        ("acknowledged", ""),
    ]  # fmt: skip
    said = await entries(scene)
    assert [e["person"] for e in said] == [ana.id] * 4 + [ben.id] * 5
    assert {e["provider_id"] for e in said if e["step"] == "accepted"} == {"sms-1"}
    assert all(e["at"] <= e["sealed_at"] for e in said)


async def test_sealing_twice_or_bit_by_bit_ends_in_the_same_chain(scene, shop, ana, ben):
    await scene.at("02:00").firing("DiskFull").pages(ana)
    assert await seal(scene.db, scene.clock()) == 4
    assert await seal(scene.db, scene.clock()) == 0
    await scene.at("02:10").pages(ben).at("02:11").acknowledged(ben).told(ana)
    assert await seal(scene.db, scene.clock()) == 5
    end = await ledger.verified(scene.db)
    assert isinstance(end, Head)
    assert end == await ledger.head(scene.db)
    assert end.position == 9


async def test_two_sealers_never_seal_the_same(scene, shop, ana, ben):
    await told(scene, shop, ana, ben)
    now = scene.clock()
    added = await asyncio.gather(*(seal(scene.db, now, reach=WIDE) for _ in range(4)))
    assert sum(added) == 9
    assert await ledger.verified(scene.db) == await ledger.head(scene.db)


async def test_an_attempt_whose_end_is_not_known_yet_is_sealed_in_two_steps(scene, shop, ana):
    scene.phones["sms"].will(Hang())
    await scene.at("02:00").firing("DiskFull").pages(ana)
    await seal(scene.db, scene.clock())
    assert await steps(scene) == [("decided", ""), ("queued", "sms"), ("handed_over", "sms")]
    await scene.at("02:00:01").killed().pages(ana)
    await seal(scene.db, scene.clock())
    # All of it happened at one instant of this clock.
    assert {step for step, _ in (await steps(scene))[3:]} == {"unknown", "handed_over", "accepted"}


async def test_what_was_called_off_is_in_the_ledger(scene, ana):
    await scene.cast.source(pages=ana)
    await scene.at("02:00").asleep().firing("DiskFull").acknowledged(ana).awake()
    await seal(scene.db, scene.clock())
    assert ("canceled", "sms") in await steps(scene)


async def test_after_a_long_time_without_a_sealer_a_wide_look_finds_what_was_left(scene, shop, ana, ben):
    await told(scene, shop, ana, ben)
    later = scene.clock() + timedelta(hours=20)
    assert await seal(scene.db, later, reach=WIDE) == 9


async def test_an_entry_outlives_its_alert(scene, shop, ana, ben):
    await told(scene, shop, ana, ben)
    await seal(scene.db, scene.clock(), reach=WIDE)
    await scene.db.run("DELETE FROM alerts")
    assert len(await entries(scene)) == 9
    assert await ledger.verified(scene.db) == await ledger.head(scene.db)


async def test_the_ledger_holds_no_address_and_no_text_of_an_alert(scene, shop, ana, ben):
    await told(scene, shop, ana, ben)
    await seal(scene.db, scene.clock(), reach=WIDE)
    text = str([one.entry async for one in ledger.entries(scene.db)])
    assert "DiskFull" not in text and "@" not in text


async def test_why_reads_what_was_recorded(scene, shop, ana, ben):
    await told(scene, shop, ana, ben)
    row = await scene.alert("DiskFull")
    answer = why(await recorded.case(scene.db, row["id"], row["status"]), lambda at: f"{at:%H:%M:%S}")
    assert answer.short.startswith("Ana and Ben were paged, first at 02:00:00, because the default of source")
    assert answer.short.endswith("Ben acknowledged it at 02:11:00.")
    texts = [line.text for line in answer.lines]
    assert "SMS: accepted at 02:00:00 (id sms-1)" in texts[0]
    assert "level 2 of" in texts[1]
    assert structs.asdict(answer.lines[0])["bad"] is False
    assert shortid.decode(shortid.encode(row["number"])) == row["number"]


async def test_why_speaks_of_the_present_occurrence_alone(scene, ana):
    await scene.cast.source(pages=ana)
    await (
        scene.at("02:00").firing("DiskFull").pages(ana).at("02:05").resolved("DiskFull").told(ana)
        .at("03:00").firing("DiskFull").pages(ana)
    )  # fmt: skip
    row = await scene.alert("DiskFull")
    case = await recorded.case(scene.db, row["id"], row["status"])
    assert [page.at for page in case.pages] == [scene.clock()]


async def test_what_a_brief_look_is_too_late_for_is_sealed_by_the_next_narrow_one(scene, shop, ana):
    await scene.at("02:00").firing("Early").pages(ana)
    await seal(scene.db, scene.clock())
    sealed = await entries(scene)
    await scene.db.run("DELETE FROM ledger")
    await scene.at("02:00:30").firing("Later").pages(ana)
    await seal(scene.db, scene.clock(), reach=WIDE)
    await scene.db.run("DELETE FROM ledger WHERE at < $1", scene.clock())
    assert await seal(scene.db, scene.clock(), reach=BRIEF) == 0
    assert await seal(scene.db, scene.clock(), reach=NARROW) == len(sealed)


def test_the_first_look_goes_furthest_until_one_has_sealed_all_of_it():
    now = 100.0
    looks = Looks(lambda: now)
    assert looks.reach() == WIDE
    looks.looked(WIDE, BATCH)
    assert looks.reach() == WIDE
    looks.looked(WIDE, 3)
    assert looks.reach() in (BRIEF, NARROW)
    now += WIDE_EVERY
    assert looks.reach() == WIDE


@pytest.mark.parametrize(("sealed", "rests"), [(0, 0), (100, 0.04), (10_000, 4), (300_000, NARROW_EVERY)])
def test_the_more_was_sealed_lately_the_rarer_is_a_narrow_look(sealed, rests):
    now = 100.0
    looks = Looks(lambda: now)
    looks.looked(WIDE, 0)
    for _ in range(sealed // 100):
        looks.looked(BRIEF, 100)
    assert looks.reach() == (BRIEF if rests else NARROW)
    now += rests + 0.001
    assert looks.reach() == NARROW
    looks.looked(NARROW, 0)
    assert looks.reach() == (BRIEF if rests else NARROW)
    now += NARROW.total_seconds() + 1
    looks.looked(NARROW, 0)
    assert looks.reach() == NARROW  # all that was quieter than it is now


async def test_a_round_goes_on_while_there_is_something_to_seal(scene, shop, ana, tmp_path):
    async def audit() -> None: ...

    ledger = next(c for c in chores(scene.db, scene.clock, audit, Kept(0, tmp_path)) if c.name == "ledger")
    await scene.at("02:00").firing("Early").pages(ana)
    working = asyncio.ensure_future(ledger.work())
    async with asyncio.timeout(20):
        while not await entries(scene):
            await asyncio.sleep(0.01)
        early = len(await entries(scene))
        await scene.at("02:01").firing("Later").pages(ana)
        await working
    assert len(await entries(scene)) == 2 * early
    assert await seal(scene.db, scene.clock(), reach=WIDE) == 0


async def test_many_entries_are_written_in_slices_of_one_chain(scene, shop, ana, monkeypatch):
    monkeypatch.setattr(sealing, "SLICE", 2)
    await scene.at("02:00").firing("DiskFull").pages(ana).at("02:05").resolved("DiskFull").told(ana)
    assert await seal(scene.db, scene.clock(), reach=WIDE) == 4
    rows = [(one.position, one.entry, one.digest) async for one in ledger.entries(scene.db)]
    assert isinstance(followed(Head(), rows), Head)
