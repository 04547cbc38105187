"""Measures delivery: a burst of messages handed over, and how long a storm keeps the first page of another service.

Rule 1: it is the worker of a node against the embedded PostgreSQL with fsync; only the channel is a double, which
takes a message and answers at once. Messages are counted where they arrive and again in the database.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from time import perf_counter
from typing import Any
from uuid import UUID

from bench.figures import Plain, percentile
from bench.ingest import Run
from bench.program import Machine, ours
from nightbell import clock
from nightbell.core.delivery import Message, Outcome, Sent
from nightbell.engine.deliver import Deliver
from nightbell.engine.directory import Directories
from nightbell.engine.messages import Desk
from nightbell.engine.node import Node
from nightbell.engine.vault import Vault
from nightbell.store import embedded
from nightbell.store.db import Db, connect
from nightbell.store.migrate import migrate
from nightbell.testing.cast import Person, Source
from nightbell.testing.scenario import Scene
from nightbell.worker.loop import Worker

BURST = 10_000
STORM = 5_000
#: How long a provider takes to answer: what an HTTP API on another continent does. Units: seconds.
_SLOW = 0.15
#: What a page has of which there are as many as messages; `n` is the number of the copy.
_COPY = """
INSERT INTO notifications (id, alert_id, page_id, user_id, contact_method_id, kind, purpose, occurrence, level, state,
    send_at, idempotency_key, because, about, created_at, updated_at)
SELECT gen_random_uuid(), alert_id, page_id, user_id, contact_method_id, kind, purpose, occurrence, level, 'waiting',
    $2, gen_random_uuid()::text, because, about, created_at, updated_at
FROM notifications, generate_series(1, $3) n WHERE id = $1
"""


class Sink:
    """A channel that takes every message; `wait` is what its provider needs for one."""

    kind = "inbox"

    def __init__(self, wait: float = 0.0) -> None:
        self.arrived: list[tuple[str, float]] = []
        self._wait = wait

    def check(self, address: str, settings: dict[str, str]) -> None:
        """Accept every address."""

    async def send(self, message: Message) -> Outcome:
        """Take a message."""
        if self._wait:
            await asyncio.sleep(self._wait)
        self.arrived.append((message.recipient, perf_counter()))
        return Sent()


@asynccontextmanager
async def _house(data: Path) -> AsyncIterator[tuple[Db, Scene]]:
    server = await embedded.start(data, purpose="bench")
    db = await connect(server.dsn, size=20)
    try:
        await migrate(db)
        scene = Scene(db, start=clock.now())
        await scene.start()
        yield db, scene
        await scene.stop()
    finally:
        await db.close()
        await server.stop()


async def _message(scene: Scene, person: Person, source: Source, name: str) -> UUID:
    """Let an alert fire that pages somebody; return its message, which waits."""
    scene.awake = False
    await scene.now.firing(name, source=source)
    sql = "SELECT id FROM notifications WHERE user_id = $1 ORDER BY id DESC LIMIT 1"
    return (await scene.db.fetch(sql, person.id))[0][0]  # type: ignore[no-any-return]  # a row is untyped


@asynccontextmanager
async def _working(db: Db, sink: Sink) -> AsyncIterator[Worker]:
    directories = Directories()
    node = Node(name="bench", clock=clock.now, woken=lambda _committed: None)
    deliver = Deliver(
        db, directories, {"inbox": sink}, Desk(Vault(b"bench"), "http://nightbell.example"), node
    )
    worker = Worker(db, directories, deliver, node, retention_days=1)
    tasks = worker.start()
    try:
        yield worker
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def burst(run: Run) -> Plain:
    """How long 10,000 messages that fall due at one instant take until the last is handed over."""
    async with _house(run.data) as (db, scene):
        ana = await scene.cast.person("Ana", "inbox")
        source = await scene.cast.source(pages=ana)
        one = await _message(scene, ana, source, "Burst")
        sink = Sink()
        async with _working(db, sink) as worker:
            await _until(lambda: len(sink.arrived) >= 1)
            machine, before, began = Machine(), ours(), perf_counter()
            await db.run(_COPY, one, clock.now(), BURST)
            queued = perf_counter()
            worker.messages.ring()
            await _until(lambda: len(sink.arrived) > BURST)
            over = perf_counter()
            await _counted(db, BURST + 1)
            recorded = perf_counter()
        waits = sorted(at - queued for _, at in sink.arrived[1:])
        return Plain(
            name=f"{BURST:,} messages of one burst handed over",
            value=f"{over - queued:.2f} s",
            others=machine.others(ours() - before),
            note=f"median {percentile(waits, 0.5):.2f} s; recorded {recorded - queued:.2f} s; queued in {queued - began:.2f} s",
        )


async def storm(run: Run) -> Plain:
    """How long 5,000 messages about one service keep the first about another, with a provider that takes its time."""
    async with _house(run.data) as (db, scene):
        ana, ben = await scene.cast.person("Ana", "inbox"), await scene.cast.person("Ben", "inbox")
        loud, other = await scene.cast.source(pages=ana), await scene.cast.source(pages=ben)
        one = await _message(scene, ana, loud, "Loud")
        first = await _message(scene, ben, other, "Other")
        await db.run("UPDATE notifications SET send_at = send_at + interval '1 day' WHERE id = $1", first)
        sink = Sink(_SLOW)
        machine, before = Machine(), ours()
        await db.run(_COPY, one, clock.now(), STORM)
        async with _working(db, sink) as worker:
            worker.messages.ring()
            await _until(lambda: len(sink.arrived) > STORM // 10)
            began = perf_counter()
            await db.run("UPDATE notifications SET send_at = $2 WHERE id = $1", first, clock.now())
            worker.messages.ring()
            await _until(lambda: any(who == "Ben" for who, _ in sink.arrived))
            left = STORM + 1 - len(sink.arrived)
            waited = next(at for who, at in sink.arrived if who == "Ben") - began
            await _until(lambda: len(sink.arrived) > STORM + 1)
            await _counted(db, STORM + 2)
        return Plain(
            name=f"first page of another service in a storm of {STORM:,}",
            value=f"{waited:.2f} s",
            others=machine.others(ours() - before),
            note=f"{left:,} of the storm were still waiting; the provider takes {_SLOW * 1000:.0f} ms a message",
        )


async def _until(done: Any) -> None:
    async with asyncio.timeout(120):
        while not done():
            await asyncio.sleep(0.005)


async def _counted(db: Db, expected: int) -> None:
    """Wait until so many are recorded as sent, each by one attempt."""
    sql = """SELECT count(*) FILTER (WHERE state = 'sent' AND attempts = 1),
        (SELECT count(*) FROM attempts WHERE outcome = 'sent') FROM notifications"""
    async with asyncio.timeout(60):
        while tuple((await db.fetch(sql))[0].values()) != (expected, expected):
            await asyncio.sleep(0.01)
