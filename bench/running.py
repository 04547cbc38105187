"""Measures what ten thousand runs of a workflow do to paging: the same load with and without them.

Rule 1: the runs are due all at once, which is worse than any storm makes them; the figure counts only while they run.
"""

import asyncio
from time import monotonic
from uuid import UUID

import msgspec

from bench.figures import Plain
from bench.ingest import Run, generate
from bench.latency import Sink, measured
from bench.load import Job
from bench.program import Machine, Program, Setup, running
from nightbell import clock
from nightbell.core.journal import SYSTEM
from nightbell.engine import workflows
from nightbell.engine.ids import minter
from nightbell.engine.workflow_edits import TaskEdit, WorkflowEdit
from nightbell.store.db import Db, Tx
from nightbell.store.write import runs
from nightbell.store.write.runs import Queued

RUNS = 10_000
RATE = 100


async def beside_paging(run: Run) -> list[Plain]:
    """How long until a person's webhook is called while 10,000 runs are carried out, and without them."""
    sink = Sink()
    async with sink.listening() as address, running(run.data, run.port) as program:
        async with Setup.of(program.db) as setup:
            user = await setup.person("Bell", webhook=address)
            token = await setup.source("group", page=("User", str(user)))
            workflow = await _workflow(setup)
        job = Job(
            port=run.port, token=token, per_webhook=1, seconds=2, rate=RATE, connections=64, stamps=True
        )
        await generate(msgspec.structs.replace(job, salt=20))
        timed = msgspec.structs.replace(job, seconds=run.seconds)
        alone = await measured(
            program, sink, msgspec.structs.replace(timed, salt=21), what="nothing else going on"
        )
        await _queue(program.db, workflow)
        before, began = await _left(program.db), monotonic()
        beside = await measured(
            program, sink, msgspec.structs.replace(timed, salt=22), what=f"{RUNS:,} runs under way"
        )
        done, took = before - await _left(program.db), monotonic() - began
        rate = Plain(
            name="runs of two tasks carried out meanwhile",
            value=f"{done / took:,.0f}/s",
            others=beside.others,
            note=f"{done:,} of {before:,} in {took:.1f} s, behind {RATE} pages a second",
        )
        return [alone, beside, rate, await _undisturbed(program, run.seconds)]


async def _undisturbed(program: Program, seconds: float) -> Plain:
    """How fast runs are carried out when nobody is paged."""
    before, used, machine = await _left(program.db), program.used(), Machine()
    await asyncio.sleep(seconds)
    spent, done = program.used().since(used), before - await _left(program.db)
    return Plain(
        name="runs of two tasks carried out, nobody paged",
        value=f"{done / seconds:,.0f}/s",
        others=machine.others(spent.program + spent.database),
        note=f"CPU us each: {spent.program * 1e6 / max(done, 1):.0f} + {spent.database * 1e6 / max(done, 1):.0f} of PostgreSQL",
    )


async def _workflow(setup: Setup) -> UUID:
    now, configure = clock.now(), setup.configure
    edit = WorkflowEdit(name="Bench", trigger_params={"trigger_type": "simple", "triggers": []})
    ident = await configure.create_workflow(edit, by=SYSTEM, now=now)
    for text in ("{{ 'now' | upcase }}: one", "two"):
        task = TaskEdit(params={"task_type": "print", "message": text})
        await configure.create_task(ident, task, by=SYSTEM, now=now)
    return ident


async def _queue(db: Db, ident: UUID) -> None:
    workflow = await workflows.workflow(db, str(ident))
    if workflow is None:
        raise SystemExit("the workflow is gone")
    plan, now = workflows.plan(workflow), clock.now()
    mint = minter(now)
    queued = [
        Queued(id=mint(), workflow_id=ident, key=f"bench:{number}", plan=plan, wake_at=now)
        for number in range(RUNS)
    ]
    for at in range(0, RUNS, 1000):
        batch = queued[at : at + 1000]

        async def work(tx: Tx, batch: list[Queued] = batch) -> None:
            await runs.queue(tx, batch, now)

        await db.in_tx(work)


async def _left(db: Db) -> int:
    return int((await db.fetch("SELECT count(*) FROM workflow_runs WHERE wake_at IS NOT NULL"))[0][0])
