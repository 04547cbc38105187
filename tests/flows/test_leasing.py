"""Pages leased where they are decided (ADR 0040): sent without a claim, once, and never lost on the way to the sender."""

import asyncio
from datetime import timedelta

import pytest

from nightbell.core.delivery import Purpose
from nightbell.engine.deliver import STRANDED
from nightbell.engine.ids import new_id
from nightbell.engine.node import Node
from nightbell.testing.phones import Hang
from nightbell.worker.loop import AT_HAND, Worker


@pytest.fixture
async def ana(scene):
    return await scene.cast.person("Ana", "sms", "voice+3")


async def fired(scene, *names, source=None):
    """Let alerts fire and be decided, and leave what was leased of them where it is; return it."""
    engine = scene.engine
    scene.settle = _nothing
    for name in names:
        await scene.now.firing(name, source=source)
    del scene.settle
    leased, engine.leased = engine.leased, []
    return leased


async def _nothing():
    """Look at nothing that is due."""


async def states(scene):
    rows = await scene.db.fetch("SELECT state, attempts FROM notifications ORDER BY id")
    return [tuple(row.values()) for row in rows]


async def test_a_page_due_at_once_is_leased_with_its_attempt_where_it_is_decided(scene, ana):
    await scene.cast.source(pages=ana)
    (leased,) = await fired(scene, "DiskFull")
    assert await states(scene) == [("sending", 1)]
    (attempt,) = await scene.db.fetch("SELECT notification_id, number, worker, outcome FROM attempts")
    assert tuple(attempt.values()) == (leased.claimed.id, 1, scene.engine.name, None)
    assert not any(c.pages for c in scene.engine.committed)
    assert await scene.engine.deliver.deliver() == 0
    await scene.engine.deliver.take([leased])
    assert await states(scene) == [("sent", 1)]
    await scene.now.pages(ana)


async def test_what_was_leased_is_sent_once_however_often_it_is_told(scene, ana):
    await scene.cast.source(pages=ana)
    leased = await fired(scene, "DiskFull")
    await asyncio.gather(*(scene.engine.deliver.take(leased) for _ in range(3)))
    await scene.now.pages(ana)


async def test_a_process_killed_before_it_sends_leaves_a_doubt_and_pages_again(scene, ana):
    await scene.cast.source(pages=await scene.cast.policy(([ana], 10)))
    await fired(scene, "DiskFull")
    await (
        scene.now.killed().pages(ana).pages(ana, by="voice").says("page.failover")
        .at("02:03").pages(ana, by="voice")
        .at("02:10").quiet_until("05:00")
    )  # fmt: skip
    tries = await scene.db.fetch("SELECT number, outcome FROM attempts ORDER BY id LIMIT 1")
    assert tuple(tries[0].values()) == (1, "unknown")


async def test_a_node_that_is_lost_before_it_sends_is_taken_over_by_another(two_nodes):
    scene = two_nodes
    ana = await scene.cast.person("Ana", "sms")
    await scene.cast.source(pages=ana)
    await fired(scene, "DiskFull")
    await scene.lose()
    await scene.at("02:00:45").pages(ana).quiet_until("05:00")


async def test_what_a_commit_leased_without_a_word_is_found_and_sent_once(scene, ana):
    await scene.cast.source(pages=ana)
    late = await fired(scene, "DiskFull")
    assert await scene.engine.deliver.stranded() == ()
    scene.clock.move_to(scene.clock() + STRANDED)
    found = await scene.engine.deliver.stranded()
    assert [one.claimed for one in found] == [one.claimed for one in late]
    await scene.engine.deliver.take(found)
    await scene.engine.deliver.take(late)
    await scene.now.pages(ana)
    assert await scene.engine.deliver.stranded() == ()


async def test_what_is_being_sent_is_not_stranded_however_long_it_takes(scene, ana):
    await scene.cast.source(pages=ana)
    scene.phones["sms"].will(Hang())
    leased = await fired(scene, "DiskFull")
    sending = asyncio.create_task(scene.engine.deliver.take(leased))
    await scene.phones["sms"].hanging.wait()
    scene.clock.move_to(scene.clock() + STRANDED)
    assert await scene.engine.deliver.stranded() == ()
    sending.cancel()
    await asyncio.gather(sending, return_exceptions=True)
    assert await scene.engine.deliver.stranded() == ()
    await scene.now.pages(ana)
    scene.phones["sms"].hanging.clear()


async def test_another_nodes_lease_is_nobodys_to_find(two_nodes):
    scene = two_nodes
    ana = await scene.cast.person("Ana", "sms")
    await scene.cast.source(pages=ana)
    leased = await fired(scene, "DiskFull")
    scene.clock.move_to(scene.clock() + STRANDED)
    assert await scene.engines[1].deliver.stranded() == ()
    assert await scene.engines[1].deliver.deliver() == 0
    await scene.engine.deliver.take(leased)
    await scene.now.pages(ana)


async def test_a_second_alert_while_the_first_is_told_waits_for_the_claim(scene, ana):
    source = await scene.cast.source(pages=ana)
    first = await fired(scene, "One", "Two", "Three", source=source)
    assert len(first) == 1
    assert await states(scene) == [("sending", 1), ("waiting", 0), ("waiting", 0)]
    await scene.engine.deliver.take(first)
    await scene.now.pages(ana)
    await scene.settle()
    assert len(scene.phones.claim("Ana", "sms", Purpose.PAGE).message.bundle) == 2


async def test_programs_are_told_each_by_itself_and_wait_for_no_claim(scene):
    bot = await scene.cast.person("Bot", "inbox")
    source = await scene.cast.source(pages=bot)
    assert len(await fired(scene, "One", "Two", source=source)) == 2
    assert await states(scene) == [("sending", 1)] * 2


async def test_a_kind_with_a_throttle_is_left_to_the_claim(scene, ana):
    await scene.cast.source(pages=ana)
    now = scene.clock()
    await scene.db.run(
        "INSERT INTO throttles (id, kind, scope, most, seconds, created_at, updated_at)"
        " VALUES ($1, 'sms', 'method', 1, 60, $2, $2)",
        new_id(now),
        now,
    )
    await scene.db.run("UPDATE configuration SET version = version + 1")
    assert await fired(scene, "DiskFull") == []
    assert await states(scene) == [("waiting", 0)]
    assert scene.engine.committed[-1].pages


async def test_a_method_that_is_gone_when_a_lost_page_is_found_fails_over(scene, ana):
    await scene.cast.source(pages=ana)
    await fired(scene, "DiskFull")
    await scene.db.run("DELETE FROM contact_methods WHERE kind = 'sms'")
    await scene.db.execute("bump_configuration")
    scene.clock.move_to(scene.clock() + STRANDED)
    await scene.engine.deliver.take(await scene.engine.deliver.stranded())
    await scene.settle()
    await scene.now.pages(ana, by="voice").says("page.failover")


async def test_where_nothing_is_lent_everything_is_claimed(scene, ana):
    await scene.cast.source(pages=ana)
    scene.engine.start(lambda: False)
    assert await fired(scene, "DiskFull") == []
    assert await states(scene) == [("waiting", 0)]


@pytest.fixture
def worker(scene):
    engine = scene.engine
    node = Node(name=engine.name, clock=scene.clock, woken=engine.committed.append)
    return Worker(scene.db, engine.directories, engine.deliver, node, retention_days=30)


async def test_a_worker_lends_nothing_while_it_has_enough_to_send(scene, ana, worker):
    await scene.cast.source(pages=ana)
    scene.phones["sms"].will(Hang())
    lease = worker.lends()
    assert (lease.worker, lease.until - lease.now) == (scene.engine.name, timedelta(seconds=45))
    leased = await fired(scene, "DiskFull")
    worker.take(leased * AT_HAND)
    assert worker.sending and worker.lends() is None
    await scene.phones["sms"].hanging.wait()
    for task in list(worker._taken):
        task.cancel()
    await worker.drain()
    assert worker.lends() is not None and not worker.sending
    await scene.now.pages(ana)
    scene.phones["sms"].hanging.clear()
