"""Measures time itself: what 100,000 sleeping climbs cost a scan that finds nothing, and how fast due ones are stepped.

Rule 1: it is `engine.tick` against the embedded PostgreSQL with fsync, and every step is counted in the database: a
climb that was stepped twice, or not at all, is an error and not a figure.

Run as `python -m bench.timers DSN INSTANT` it is one worker: it steps until nothing is due and prints how many it did.
"""

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from pathlib import Path
from time import perf_counter
from uuid import UUID

import uvloop

from bench.figures import Plain, percentile
from bench.ingest import Run
from bench.program import Machine, ours
from nightbell import clock
from nightbell.engine import tick
from nightbell.engine.directory import Directories
from nightbell.store import embedded
from nightbell.store.db import Db, connect
from nightbell.store.migrate import migrate
from nightbell.testing.scenario import Scene

ASLEEP = 100_000
DUE = 30_000
_SCANS = 1_000
_LONG = timedelta(days=30)
#: Climbs wake at different instants, as they do in earnest.
_WAKE = "$4::timestamptz + n * interval '1 millisecond'"
#: What an alert has whose climb sleeps, and what of it differs from copy to copy; `n` is the number of the copy.
_TABLES = {
    "alerts": {"id": "{alert}", "number": "1000000000 + n", "identity": "decode(md5(n::text), 'hex')"},
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
#: Ids in the order of their numbers, as UUIDv7 are.
_IDS = {
    name: f"('0190000{i}-0000-7000-8000-' || lpad(to_hex(n), 12, '0'))::uuid"
    for i, name in enumerate(("alert", "climb", "page", "message"))
}
#: What a step may be: the minutes that each level waits, and what is done when the first one has waited.
_STEPS = {
    "page the next level": (1, 1),
    "find nobody further": (1,),
}


@asynccontextmanager
async def _night(data: Path) -> AsyncIterator[tuple[Db, Scene]]:
    """Start a PostgreSQL of its own with the settings of `serve`, and an engine that is driven by hand."""
    server = await embedded.start(data, purpose="bench")
    db = await connect(server.dsn, size=4)
    try:
        await migrate(db)
        scene = Scene(db, start=clock.now())
        await scene.start()
        yield db, scene
        await scene.stop()
    finally:
        await db.close()
        await server.stop()


async def _original(scene: Scene, *waits: int) -> UUID:
    """Let an alert fire whose policy has levels that wait so long; return its id."""
    people = [await scene.cast.person(f"Person{len(waits)}-{n}", "sms") for n in range(len(waits))]
    policy = await scene.cast.policy(*(([who], wait) for who, wait in zip(people, waits, strict=True)))
    source = await scene.cast.source(pages=policy)
    name = f"Original {len(waits)}"
    await scene.now.firing(name, source=source).pages(people[0])
    return UUID(str((await scene.alert(name))["id"]))


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


async def idle(run: Run) -> Plain:
    """Look for what is due among climbs of which none is."""
    async with _night(run.data) as (db, scene):
        original = await _original(scene, 1, 1)
        now = scene.clock()
        await _copied(db, original, 1, ASLEEP, now + _LONG)
        machine, spent, directories, took = Machine(), ours(), Directories(), []
        for _ in range(_SCANS):
            began = perf_counter()
            assert not (await tick.tick(db, directories, now)).decisions
            took.append(perf_counter() - began)
        others = machine.others(ours() - spent)
    took.sort()
    return Plain(
        name=f"idle scan, {ASLEEP:,} asleep",
        value=f"p50 {percentile(took, 0.5) * 1000:.2f} ms, p99 {percentile(took, 0.99) * 1000:.2f} ms",
        others=others,
        note=f"{_SCANS:,} scans, each a transaction of its own",
    )


async def steps(run: Run, *, workers: int) -> list[Plain]:
    """Step climbs that are due, beside those that sleep, by several processes at once."""
    found = []
    async with _night(run.data) as (db, scene):
        asleep = await _original(scene, 1, 1, 1)
        now = scene.clock()
        await _copied(db, asleep, 1, ASLEEP, now + _LONG)
        first = ASLEEP + 1
        for what, waits in _STEPS.items():
            original = await _original(scene, *waits)
            await db.run(
                "UPDATE escalations SET wake_at = $1 WHERE wake_at <= $2",
                now + _LONG,
                now + timedelta(hours=1),
            )
            await _copied(db, original, first, DUE, now)
            found.append(await _stepped(db, what, first, now + timedelta(minutes=5), workers))
            first += DUE
    return found


async def _stepped(db: Db, what: str, first: int, at: datetime, workers: int) -> Plain:
    machine, spent = Machine(), ours()
    processes = [
        await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "bench.timers", db.dsn, at.isoformat()), stdout=asyncio.subprocess.PIPE
        )
        for _ in range(workers)
    ]
    said = [(await process.communicate())[0].split() for process in processes]
    did, took = [int(count) for count, _ in said], max(float(seconds) for _, seconds in said)
    others = machine.others(ours() - spent)
    await _counted(db, first, sum(did))
    return Plain(
        name=f"{what}, {workers} worker{'s' if workers > 1 else ''}",
        value=f"{DUE / took:,.0f} climbs/s",
        others=others,
        note=f"{DUE:,} due, {ASLEEP:,} asleep; {' + '.join(f'{d:,}' for d in did)}; none twice, none left",
    )


async def _counted(db: Db, first: int, did: int) -> None:
    """Raise SystemExit unless every climb was stepped once and no more."""
    sql = (
        "SELECT count(*), count(DISTINCT e.alert_id) FROM alert_events e "
        "JOIN alerts a ON a.id = e.alert_id WHERE a.number BETWEEN $1 AND $2 "
        "AND e.code IN ('page.created', 'escalation.exhausted')"
    )
    [[lines, alerts]] = await db.fetch(sql, 1_000_000_000 + first, 1_000_000_000 + first + DUE - 1)
    if not lines == alerts == did == DUE:
        raise SystemExit(
            f"{DUE} climbs were due: {did} steps, {lines} lines in the timelines of {alerts} alerts"
        )


async def _work(dsn: str, at: datetime) -> None:
    """Be one worker."""
    db, directories, did = await connect(dsn, size=2), Directories(), 0
    # What a worker that runs already has done before anything falls due.
    await directories.configuration(db)
    began = perf_counter()
    while decisions := (await tick.tick(db, directories, at)).decisions:
        did += len(decisions)
    took = perf_counter() - began
    await db.close()
    print(did, took)


if __name__ == "__main__":
    uvloop.run(_work(sys.argv[1], datetime.fromisoformat(sys.argv[2])))
