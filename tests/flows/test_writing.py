"""What the writers promise while things go wrong: every sender is answered, every byte is kept or refused."""

import asyncio
from datetime import timedelta

import pytest
from msgspec.structs import replace

from nightbell.core.errors import Overloaded
from nightbell.engine.directory import Directories
from nightbell.engine.ids import new_id
from nightbell.engine.ingest import Incoming, packed
from nightbell.engine.writer import FEW, Writers
from nightbell.sources import alertmanager
from nightbell.testing.clock import NIGHT
from support.captures import captured


def incoming(source, name="single_firing"):
    body = captured(name)
    return Incoming(
        id=new_id(NIGHT), received_at=NIGHT, source_id=source.id, path="/", remote_ip="", user_agent="",
        size=len(body), packed=packed(body), envelope=alertmanager.decode(body), url_target=None,
    )  # fmt: skip


@pytest.fixture
async def writers(scene):
    """Make writers of one lane; whatever is called after a commit may be handed in."""
    made = []

    def make(woken=lambda committed: None, *, limit=1 << 20):
        one = Writers(scene.db, Directories(), woken, lanes=1, hold_down=timedelta(), limit=limit)
        one.start()
        made.append(one)
        return one

    yield make
    for one in made:
        await one.stop()


async def test_a_full_queue_is_refused_before_anything_is_written(scene, writers):
    source = await scene.cast.source()
    lanes = writers(limit=-1)
    assert lanes.full()
    with pytest.raises(Overloaded):
        await lanes.submit(incoming(source))
    assert await scene.alerts() == []


async def test_many_deliveries_at_once_are_all_answered_and_counted(scene, writers):
    source = await scene.cast.source()
    lanes = writers()
    outcomes = await asyncio.gather(*(lanes.submit(incoming(source)) for _ in range(50)))
    assert {o.outcome for o in outcomes} == {"accepted"}
    assert (await scene.alert())["request_count"] == 50
    assert (await scene.db.fetch("SELECT count(*) FROM deliveries"))[0][0] == 50
    assert lanes.waiting_bytes == 0


async def test_while_the_database_is_away_senders_are_told_to_come_back(scene, writers, postgres):
    source = await scene.cast.source()
    lanes = writers()
    await scene.db.close()
    with pytest.raises(Overloaded):
        await lanes.submit(incoming(source))


@pytest.mark.parametrize(
    "broken", ["dedup_regexp = '('", "dedup_path = '$['", "urgency_rules = '[{\"json_path\": 7}]'"]
)
async def test_a_delivery_that_a_defect_cannot_digest_is_kept_and_the_others_go_on(scene, writers, broken):
    """Rows like these can only come from a defect, or from another version of the program."""
    source = await scene.cast.source(identity="key", dedup_path="$.receiver")
    await scene.db.run(f"UPDATE sources SET {broken} WHERE id = $1", source.id)
    await scene.db.execute("bump_configuration")
    lanes = writers()
    outcome = await lanes.submit(incoming(source))
    assert outcome.outcome == "quarantined"
    (kept,) = await scene.db.fetch("SELECT outcome, body FROM deliveries")
    assert (kept["outcome"], kept["body"]) == ("quarantined", packed(captured("single_firing")))
    await scene.db.run(
        "UPDATE sources SET dedup_regexp = NULL, dedup_path = '$.receiver', urgency_rules = '[]'"
    )
    await scene.db.execute("bump_configuration")
    assert (await lanes.submit(incoming(source))).outcome == "accepted"


async def test_one_delivery_at_fault_is_found_among_its_batch(scene, writers):
    good, bad = await scene.cast.source(), await scene.cast.source(identity="key", dedup_path="$.receiver")
    await scene.db.run("UPDATE sources SET dedup_regexp = '(' WHERE id = $1", bad.id)
    await scene.db.execute("bump_configuration")
    lanes = writers()
    sent = [incoming(good), incoming(bad), incoming(good, "multi_alert_group")]
    outcomes = await asyncio.gather(*(lanes.submit(one) for one in sent))
    assert [o.outcome for o in outcomes] == ["accepted", "quarantined", "accepted"]


async def test_a_lane_that_a_defect_stopped_goes_on_with_the_next_delivery(scene, writers):
    source = await scene.cast.source()
    broken = iter([True])

    def woken(committed):
        if next(broken, False):
            raise ZeroDivisionError

    lanes = writers(woken)
    assert (await lanes.submit(incoming(source))).outcome == "accepted"
    async with asyncio.timeout(5):
        assert (await lanes.submit(incoming(source))).outcome == "accepted"


async def test_a_stop_answers_whoever_waits(scene, writers):
    source = await scene.cast.source()
    lanes = writers()
    waiting = [asyncio.ensure_future(lanes.submit(incoming(source))) for _ in range(3)]
    await asyncio.sleep(0)
    await lanes.stop()
    async with asyncio.timeout(5):
        answers = await asyncio.gather(*waiting, return_exceptions=True)
    assert all(isinstance(a, Overloaded) or getattr(a, "outcome", "") == "accepted" for a in answers)


@pytest.fixture
def idle(scene):
    """Writers of three lanes that write nothing, and how many deliveries wait in each."""
    lanes = Writers(scene.db, Directories(), lambda _: None, lanes=3, hold_down=timedelta(), limit=1 << 30)
    yield lanes, lambda: [lane.waiting for lane in lanes._lanes]


async def queued(lanes, source, *groups):
    """Hand in deliveries of these groups; nothing is written of them."""
    sample = incoming(source)
    each = [replace(sample, envelope=replace(sample.envelope, group_key=group)) for group in groups]
    tasks = [asyncio.ensure_future(lanes.submit(one)) for one in each]
    await asyncio.sleep(0)
    return tasks


async def test_one_lane_writes_while_it_keeps_up_and_others_help_in_a_storm(scene, idle):
    (lanes, waiting), source = idle, await scene.cast.source()
    tasks = await queued(lanes, source, *map(str, range(FEW)))
    assert waiting() == [FEW, 0, 0]
    tasks += await queued(lanes, source, *map(str, range(FEW, 3 * FEW)))
    assert waiting() == [FEW, FEW, FEW]
    await lanes.stop()
    await asyncio.gather(*tasks, return_exceptions=True)


async def test_what_is_under_way_of_a_group_stays_in_one_lane(scene, idle):
    (lanes, waiting), source = idle, await scene.cast.source()
    tasks = await queued(lanes, source, *map(str, range(FEW + 1)), "0", "0", str(FEW))
    assert waiting() == [FEW + 2, 2, 0]
    await lanes.stop()
    await asyncio.gather(*tasks, return_exceptions=True)
    tasks = await queued(lanes, source, str(FEW))
    assert waiting() == [1, 0, 0]
    await lanes.stop()
    await asyncio.gather(*tasks, return_exceptions=True)
