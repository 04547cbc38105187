"""Measures time itself: what 100,000 sleeping climbs cost a scan that finds nothing, and how fast due ones are stepped.

Rule 1: it is `engine.tick` against the embedded PostgreSQL with fsync, and every step is counted in the database: a
climb that was stepped twice, or not at all, is an error and not a figure.

Run as `python -m bench.timers DSN INSTANT` it is one worker: it says when it is ready, steps from the next line of its
input on until nothing is due, and prints how many it did, in how long and with how much of a processor.
"""

import asyncio
import gc
import shutil
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from pathlib import Path
from time import perf_counter, process_time
from typing import NamedTuple
from uuid import UUID

import uvloop

from bench.figures import Figure, Plain, Steps, percentile
from bench.ingest import Run
from bench.program import Machine, ours, server_seconds
from nightbell import clock
from nightbell.engine import tick
from nightbell.engine.directory import Directories
from nightbell.store import embedded
from nightbell.store.db import Db, connect
from nightbell.store.embedded import Server
from nightbell.store.migrate import migrate
from nightbell.testing.scenario import Scene
from nightbell.worker.loop import LANES

ASLEEP = 100_000
DUE = 30_000
_SCANS = 1_000
#: Numbers of copies are counted from here.
_FIRST = 1_000_000_000
_LONG = timedelta(days=30)
#: Climbs wake at different instants, as they do in earnest.
_WAKE = "$4::timestamptz + n * interval '1 millisecond'"
#: What an alert has whose climb sleeps, and what of it differs from copy to copy; `n` is the number of the copy.
_TABLES = {
    "alerts": {"id": "{alert}", "number": f"{_FIRST} + n", "identity": "decode(md5(n::text), 'hex')"},
    "alert_details": {"alert_id": "{alert}"},
    "alert_members": {"alert_id": "{alert}"},
    "escalations": {"id": "{climb}", "alert_id": "{alert}", "wake_at": _WAKE},
    "pages": {"id": "{page}", "alert_id": "{alert}", "escalation_id": "{climb}"},
    "notifications": {
        "id": "{message}",
        "alert_id": "{alert}",
        "page_id": "{page}",
        "idempotency_key": "{message}::text",
    },
}
#: Gives each copy of an alert a policy of its own. Its name differs; what it does is the same.
_TELL_APART = """
    WITH copies AS (
        SELECT e.id, md5(e.id::text)::uuid AS plan_id, jsonb_set(p.plan, '{name}', to_jsonb(e.id)) AS plan
        FROM escalations e JOIN plans p ON p.id = e.plan_id JOIN escalations o ON o.plan_id = e.plan_id
        WHERE o.alert_id = $1 AND e.id <> o.id
    ), made AS (
        INSERT INTO plans (id, plan, created_at, updated_at) SELECT plan_id, plan, now(), now() FROM copies
    )
    UPDATE escalations e SET plan_id = c.plan_id FROM copies c WHERE c.id = e.id"""
#: Ids in the order of their numbers, as UUIDv7 are.
_IDS = {
    name: f"('0190000{i}-0000-7000-8000-' || lpad(to_hex(n), 12, '0'))::uuid"
    for i, name in enumerate(("alert", "climb", "page", "message"))
}


class Step(NamedTuple):
    """A kind of step: the levels of the policy that is climbed, and what of it is counted."""

    name: str
    #: Minutes that each level waits. The first has been fired when a climb is copied.
    levels: tuple[int, ...]
    #: A line of the timeline that each step writes once; "" where it writes none.
    code: str
    #: A wait without anybody to page comes after the first level.
    pause: bool = False
    many: int = DUE


STEPS = (
    Step("move on, nobody to page yet", (1, 1), "", pause=True),
    Step("find nobody further", (1,), "escalation.exhausted"),
    Step("page the next level", (1, 1), "page.created"),
)
#: No two of these climbs stand alike.
_APART = Step("page the next level, no two climbs alike", (1, 1), "page.created", many=5_000)


@asynccontextmanager
async def _night(data: Path) -> AsyncIterator[tuple[Server, Db, Scene]]:
    """Start a PostgreSQL of its own with the settings of `serve`, and an engine that is driven by hand."""
    server = await embedded.start(data, purpose="bench")
    db = await connect(server.dsn, size=4)
    try:
        await migrate(db)
        scene = Scene(db, start=clock.now())
        await scene.start()
        yield server, db, scene
        await scene.stop()
    finally:
        await db.close()
        await server.stop()


async def _original(scene: Scene, step: Step) -> UUID:
    """Let an alert fire that climbs a policy of these levels; return its id."""
    bare = "".join(filter(str.isalnum, step.name))
    people = [await scene.cast.person(f"{bare}{n}", "sms") for n in range(len(step.levels))]
    policy = await scene.cast.policy(([people[0]], step.levels[0]))
    if step.pause:
        await scene.cast.level(policy, [], 1, level_type="wait")
    for who, wait in list(zip(people, step.levels, strict=True))[1:]:
        await scene.cast.level(policy, [who], wait)
    source = await scene.cast.source(pages=policy)
    await scene.now.firing(step.name, source=source).pages(people[0])
    return UUID(str((await scene.alert(step.name))["id"]))


async def _copied(db: Db, original: UUID, first: int, many: int, wake: datetime) -> None:
    """Copy an alert with everything that hangs on it, its climbs to be woken from an instant on."""
    for table, own in _TABLES.items():
        sql = "SELECT attname FROM pg_attribute WHERE attrelid = $1::text::regclass AND attnum > 0 AND NOT attisdropped"
        columns = [row[0] for row in await db.fetch(sql, table)]
        values = [own.get(name, f"o.{name}").format(**_IDS) for name in columns]
        key = "id" if table == "alerts" else "alert_id"
        text = (
            f"INSERT INTO {table} ({', '.join(columns)}) SELECT {', '.join(values)} FROM {table} o, "  # noqa: S608
            f"generate_series($2::bigint, $3::bigint) n WHERE o.{key} = $1 AND $4::timestamptz IS NOT NULL"
        )
        await db.run(text, original, first, first + many - 1, wake)
    await db.run("VACUUM ANALYZE")


async def _asleep(db: Db, scene: Scene) -> None:
    original = await _original(scene, Step("sleep", (1, 1, 1), ""))
    await _copied(db, original, 1, ASLEEP, scene.clock() + _LONG)
    await db.run("UPDATE escalations SET wake_at = $1 WHERE wake_at < $1", scene.clock() + _LONG)


async def idle(run: Run) -> Plain:
    """Look for what is due among climbs of which none is."""
    async with _night(run.data) as (server, db, scene):
        await _asleep(db, scene)
        now, machine, spent, directories, took = scene.clock(), Machine(), ours(), Directories(), []
        before = server_seconds(server)
        for _ in range(_SCANS):
            began = perf_counter()
            assert not (await tick.tick(db, directories, now)).decided
            took.append(perf_counter() - began)
        others, used = machine.others(ours() - spent), server_seconds(server) - before
    took.sort()
    return Plain(
        name=f"idle scan, {ASLEEP:,} asleep",
        value=f"p50 {percentile(took, 0.5) * 1000:.2f} ms, p99 {percentile(took, 0.99) * 1000:.2f} ms",
        others=others,
        note=f"{_SCANS:,} scans, each a transaction of its own; {used / _SCANS * 1e6:.0f} us of PostgreSQL each",
    )


async def steps(run: Run, *, workers: int, kinds: tuple[Step, ...] = STEPS) -> list[Figure]:
    """Step climbs that are due, beside those that sleep, by several processes at once."""
    async with _night(run.data) as (server, db, scene):
        await _asleep(db, scene)
        return [await _measured(server, db, scene, step, workers) for step in (*kinds, _APART)]


async def everything(run: Run) -> list[Figure]:
    """Look at nothing due, then step by one worker and by two."""
    found: list[Figure] = [await idle(run)]
    for workers in (1, 2):
        shutil.rmtree(run.data, ignore_errors=True)
        found += await steps(run, workers=workers)
    return found


async def _measured(server: Server, db: Db, scene: Scene, step: Step, workers: int) -> Steps:
    original, now = await _original(scene, step), scene.clock()
    await db.run("UPDATE escalations SET wake_at = $1 WHERE wake_at < $1", now + _LONG)
    last: int = (await db.fetch("SELECT max(number) - $1 FROM alerts", _FIRST))[0][0]
    await _copied(db, original, last + 1, step.many, now)
    if step is _APART:
        await db.run(_TELL_APART, original)
    waiting = [await _worker(server, now + timedelta(minutes=5)) for _ in range(workers)]
    machine, spent, before = Machine(), ours(), server_seconds(server)
    for process in waiting:
        _told(process).write(b"\n")
    said = [(await process.communicate())[0].split() for process in waiting]
    others, used = machine.others(ours() - spent), server_seconds(server) - before
    did = [int(count) for count, *_ in said]
    await _counted(db, step, last + 1, sum(did))
    shares = " + ".join(f"{d:,}" for d in did)
    return Steps(
        name=f"{step.name}, {workers} worker{'s' if workers > 1 else ''}",
        per_second=step.many / max(float(took) for _, took, _ in said),
        program=sum(float(cpu) for *_, cpu in said) / step.many * 1e6,
        database=used / step.many * 1e6,
        others=others,
        note=f"{step.many:,} due, {ASLEEP:,} asleep; {shares}; none twice, none left",
    )


async def _worker(server: Server, at: datetime) -> asyncio.subprocess.Process:
    """Start a worker and wait until it is ready."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "bench.timers", server.dsn, at.isoformat()),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdout is not None
    await process.stdout.readline()
    return process


def _told(process: asyncio.subprocess.Process) -> asyncio.StreamWriter:
    assert process.stdin is not None
    return process.stdin


async def _counted(db: Db, step: Step, first: int, did: int) -> None:
    """Raise SystemExit unless every climb was stepped once and no more."""
    moved = (
        "SELECT count(*) FROM escalations e JOIN alerts a ON a.id = e.alert_id "
        "WHERE a.number BETWEEN $1 AND $2 AND (e.level = 2 OR e.phase = 'exhausted')"
    )
    written = (
        "SELECT count(*), count(DISTINCT e.alert_id) FROM alert_events e "
        "JOIN alerts a ON a.id = e.alert_id WHERE a.number BETWEEN $1 AND $2 AND e.code = $3"
    )
    span = (_FIRST + first, _FIRST + first + step.many - 1)
    climbs = (await db.fetch(moved, *span))[0][0]
    lines, alerts = (await db.fetch(written, *span, step.code))[0].values()
    if not climbs == did == step.many or (step.code and not lines == alerts == step.many):
        raise SystemExit(
            f"{step.many} climbs were due: {climbs} moved, {did} steps, {lines} lines in {alerts} timelines"
        )


async def _work(dsn: str, at: datetime) -> None:
    """Be one worker, as it is in a program that runs: connected, warm, with as many lanes."""
    db, directories = await connect(dsn, size=LANES), Directories()
    await directories.configuration(db)
    gc.freeze()
    gc.set_threshold(50_000, 50, 100)
    print("ready", flush=True)
    await asyncio.to_thread(sys.stdin.readline)
    began, spent = perf_counter(), process_time()
    did = await asyncio.gather(*(_lane(tick.Lane(db, directories), at) for _ in range(LANES)))
    took, used = perf_counter() - began, process_time() - spent
    await db.close()
    print(sum(did), took, used)


async def _lane(lane: tick.Lane, at: datetime) -> int:
    did, more = 0, True
    while more:
        committed, more = await lane.tick(at)
        did += committed.decided
    return did


if __name__ == "__main__":
    uvloop.run(_work(sys.argv[1], datetime.fromisoformat(sys.argv[2])))
