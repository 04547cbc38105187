"""Measures what happens without senders: starting, sitting idle, and time itself (escalations that are due)."""

import asyncio
from datetime import datetime, timedelta
from time import monotonic

from bench.figures import Plain
from bench.ingest import Run, generate
from bench.load import Job
from bench.program import Machine, Setup, opened, ours, running
from nightbell import clock
from nightbell.engine import tick
from nightbell.engine.directory import Directories
from nightbell.store.db import Db

_DUE = timedelta(minutes=2)
_LONG = timedelta(days=30)


async def starts(run: Run) -> Plain:
    """From nothing to ready, from data to ready, and what it takes to sit there."""
    machine = Machine()
    async with running(run.data, run.port) as program:
        cold = program.started
    async with running(run.data, run.port) as program:
        warm = program.started
        await asyncio.sleep(5)
        before, began = program.used(), monotonic()
        await asyncio.sleep(run.seconds)
        used, took = program.used().since(before), monotonic() - began
        memory, database = program.memory()
    idle = (used.program + used.database) / took
    return Plain(
        name="start cold / warm; idle memory (PSS), program + PostgreSQL; idle processor",
        value=f"{cold:.2f} / {warm:.2f} s; {memory:.0f} + {database:.0f} MiB; {idle:.1%}",
        others=machine.others(used.program + used.database),
        note="cold: empty folder, initdb, schema, seeds, until /readyz says 200",
    )


async def timers(run: Run, *, due: int, asleep: int) -> Plain:
    """Climbs whose next level is due, with others asleep beside them: decided, paged, journalled, re-armed."""
    async with running(run.data, run.port) as program:
        async with Setup.of(program.db) as setup:
            people = [await setup.person("First"), await setup.person("Second"), await setup.person("Third")]
            policy = await setup.policy(*people)
            token = await setup.source("fingerprint", page=("EscalationPolicy", str(policy)))
        every = due + asleep
        await generate(
            Job(port=run.port, token=token, per_webhook=10, seconds=300, most=every // 10, salt=10)
        )
    async with opened(run.data) as db:
        now = clock.now()
        await db.run("UPDATE pages SET wake_at = NULL")
        await db.run(
            "UPDATE escalations SET wake_at = $1 WHERE id IN (SELECT id FROM escalations ORDER BY id LIMIT $2)",
            now + _LONG,
            asleep,
        )
        await db.run("ANALYZE")
        machine, spent, began = Machine(), ours(), monotonic()
        done = await _ticked(db, now + _DUE)
        took, others = monotonic() - began, machine.others(ours() - spent)
        return Plain(
            name=f"escalation steps a second, {asleep:,} asleep",
            value=f"{done / took:,.0f}/s",
            others=others,
            note=f"{done:,} steps in {took:.1f} s, one worker, {tick.BATCH} a transaction",
        )


async def _ticked(db: Db, now: datetime) -> int:
    directories, done = Directories(), 0
    while committed := (await tick.tick(db, directories, now)).decisions:
        done += len(committed)
    return done
