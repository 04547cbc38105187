"""Measures how fast alerts become durable: new ones, repeats, a storm, and new ones that page somebody each.

Rule 1: a figure counts only what was answered 200, and says whether all of it is in the database.
"""

import asyncio
import sys
from dataclasses import dataclass, replace
from pathlib import Path

import msgspec

from bench.figures import Throughput, percentile
from bench.load import Job, Result
from bench.program import Machine, Program, Setup, Used, running


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """Where and how long."""

    data: Path
    port: int
    seconds: float
    connections: int = 64


async def generate(job: Job) -> Result:
    """Run the load generator in a process of its own."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bench.load", stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
    )
    answer, _ = await process.communicate(msgspec.json.encode(job))
    if process.returncode:
        raise SystemExit(f"the load generator ended with {process.returncode}: a signal if negative")
    return msgspec.json.decode(answer, type=Result)


def figure(name: str, job: Job, result: Result, used: Used, others: float) -> Throughput:
    """Return what a run came to."""
    alerts = result.answered * job.per_webhook
    each = 1e6 / max(alerts, 1)
    return Throughput(
        name=name,
        alerts=alerts,
        per_second=alerts / result.seconds,
        webhooks=result.answered / result.seconds,
        p50=percentile(result.latencies, 0.5) * 1000,
        p99=percentile(result.latencies, 0.99) * 1000,
        program=used.program * each,
        database=used.database * each,
        load=result.cpu * each,
        others=others,
        note=f"refused: {result.refused}" if result.refused else "",
    )


async def measured(program: Program, name: str, job: Job) -> Throughput:
    """Run one job against the program."""
    before, machine = program.used(), Machine()
    result = await generate(job)
    used = program.used().since(before)
    return figure(name, job, result, used, machine.others(used.program + used.database + result.cpu))


def noted(made: Throughput, note: str) -> Throughput:
    """Return a figure with one more remark."""
    return replace(made, note="; ".join(filter(None, [made.note, note])))


async def _members(program: Program) -> int:
    return await program.count("SELECT count(*) FROM alert_members")


def _found(stored: int, made: Throughput) -> str:
    return "all found" if stored == made.alerts else f"ANSWERED {made.alerts}, FOUND {stored}"


async def new(run: Run, *, identity: str, per_webhook: int) -> Throughput:
    """Every alert is new; a route rule is asked and does not match, so each ends as `open`."""
    async with running(run.data, run.port) as program:
        async with Setup.of(program.db) as setup:
            token = await setup.source(identity)
        job = Job(port=run.port, token=token, per_webhook=per_webhook, seconds=1, connections=4, salt=1)
        before = (await generate(job)).answered * per_webhook
        job = msgspec.structs.replace(job, seconds=run.seconds, connections=run.connections, salt=2)
        made = await measured(program, f"new, {per_webhook} per webhook, {identity}", job)
        return noted(made, _found(await _members(program) - before, made))


async def repeats(run: Run, *, identity: str, per_webhook: int) -> Throughput:
    """Alerts that are known and open are reported again, word for word."""
    async with running(run.data, run.port) as program:
        async with Setup.of(program.db) as setup:
            token = await setup.source(identity)
        distinct = 5_000 // per_webhook
        job = Job(port=run.port, token=token, per_webhook=per_webhook, seconds=60, most=distinct, salt=3)
        # Twice: the first repeat of an alert is still worth a line in its timeline.
        for _ in range(2):
            await generate(job)
        again = msgspec.structs.replace(
            job, seconds=run.seconds, connections=run.connections, most=0, distinct=distinct
        )
        made = await measured(program, f"repeats, {per_webhook} per webhook, {identity}", again)
        return noted(made, f"{await program.count('SELECT count(*) FROM alerts'):,} alerts known")


async def storm(run: Run, *, alerts: int) -> Throughput:
    """So many new alerts at once, each one an alert of its own: how long until all are on disk."""
    async with running(run.data, run.port) as program:
        async with Setup.of(program.db) as setup:
            token = await setup.source("fingerprint")
        job = Job(
            port=run.port,
            token=token,
            per_webhook=10,
            seconds=120,
            most=alerts // 10,
            connections=256,
            salt=4,
        )
        made = await measured(program, f"storm of {alerts:,}, 256 connections", job)
        memory, database = program.memory()
        took = f"absorbed in {made.alerts / made.per_second:.1f} s"
        held = f"{memory:.0f} + {database:.0f} MiB after it"
        return noted(made, f"{took}; {_found(await _members(program), made)}; {held}")


_WAITING = "SELECT count(*) FROM notifications WHERE state IN ('waiting', 'sending')"
_SENT = "SELECT count(*) FROM notifications WHERE state = 'sent'"


async def paging(run: Run, *, identity: str, per_webhook: int) -> Throughput:
    """Every alert pages somebody, whose inbox rings; messages are handed over while more comes in."""
    async with running(run.data, run.port) as program:
        async with Setup.of(program.db) as setup:
            user = await setup.person("Bell")
            token = await setup.source(identity, page=("User", str(user)))
        job = Job(
            port=run.port,
            token=token,
            per_webhook=per_webhook,
            seconds=run.seconds,
            connections=run.connections,
            salt=5,
        )
        made = await measured(
            program, f"new, each paging somebody, {per_webhook} per webhook, {identity}", job
        )
        behind = await program.count(_WAITING)
        loop = asyncio.get_running_loop()
        began = loop.time()
        while await program.count(_WAITING) and loop.time() - began < 120:
            await asyncio.sleep(0.05)
        later = loop.time() - began
        sent = await program.count(_SENT)
        return noted(made, f"{sent:,} messages sent: {behind:,} waited at the end, none {later:.1f} s later")
