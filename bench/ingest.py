"""Measures how fast alerts become durable: new ones, repeats, a storm, and new ones that page somebody each.

Rule 1: a figure counts only what was answered 200 and is found in the database afterwards.
"""

import asyncio
import sys
from dataclasses import dataclass
from pathlib import Path

import msgspec

from bench.load import Job, Result
from bench.program import Machine, Program, Setup, Used, running


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One line of the report. Units: alerts a second, milliseconds, microseconds of processor time an alert."""

    name: str
    alerts: int
    per_second: float
    webhooks: float
    p50: float
    p99: float
    program: float
    database: float
    load: float
    #: Share of the machine that something else used meanwhile.
    others: float
    note: str = ""

    def line(self) -> str:
        """Return the figure as a row of a Markdown table."""
        return (
            f"| {self.name} | {self.per_second:,.0f} | {self.webhooks:,.0f} | {self.p50:.1f} / {self.p99:.1f} "
            f"| {self.program:.0f} + {self.database:.0f} + {self.load:.0f} | {self.others:.0%} | {self.note} |"
        )


HEADING = (
    "| what | alerts/s | webhooks/s | ack p50 / p99 ms | CPU us/alert: program + PostgreSQL + load | others | notes |\n"
    "|---|--:|--:|--:|--:|--:|---|"
)


async def generate(job: Job) -> Result:
    """Run the load generator."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bench.load", stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
    )
    answer, _ = await process.communicate(msgspec.json.encode(job))
    return msgspec.json.decode(answer, type=Result)


def percentile(values: list[float], share: float) -> float:
    """Return a percentile of sorted values, 0 of none."""
    return values[min(len(values) - 1, int(len(values) * share))] if values else 0.0


def figure(name: str, job: Job, result: Result, used: Used, others: float) -> Figure:
    """Return what a run came to."""
    alerts = result.answered * job.per_webhook
    each = 1e6 / max(alerts, 1)
    return Figure(
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


async def measured(program: Program, name: str, job: Job) -> Figure:
    """Run one job against the program."""
    before, machine = program.used(), Machine()
    result = await generate(job)
    used = program.used().since(before)
    return figure(name, job, result, used, machine.others(used.program + used.database + result.cpu))


async def _stored(program: Program) -> int:
    return await program.count("SELECT count(*) FROM alert_members")


def _checked(stored: int, counted: Figure) -> str:
    return "all found" if stored == counted.alerts else f"ANSWERED {counted.alerts}, FOUND {stored}"


async def new(data: Path, port: int, *, identity: str, per_webhook: int, seconds: float, connections: int) -> Figure:
    """Every alert is new; one route rule is looked at and matches none, so each ends as `open`."""
    async with running(data, port) as program:
        token = await (await Setup.of(program.db)).source(identity)
        warm = Job(port=port, token=token, per_webhook=per_webhook, seconds=1, connections=4, salt=1)
        warmed = await generate(warm)
        name = f"new, {per_webhook} per webhook, {identity}"
        job = Job(
            port=port, token=token, per_webhook=per_webhook, seconds=seconds, connections=connections, salt=2
        )
        made = await measured(program, name, job)
        stored = await _stored(program) - warmed.answered * per_webhook
        return _noted(made, _checked(stored, made))


def _noted(made: Figure, note: str) -> Figure:
    fields = {name: getattr(made, name) for name in Figure.__slots__}
    return Figure(**{**fields, "note": "; ".join(filter(None, [made.note, note]))})


async def repeats(data: Path, port: int, *, identity: str, per_webhook: int, seconds: float) -> Figure:
    """Alerts that are known and open are reported again, word for word."""
    async with running(data, port) as program:
        token = await (await Setup.of(program.db)).source(identity)
        distinct = 2_000 // per_webhook
        first = Job(port=port, token=token, per_webhook=per_webhook, seconds=30, most=distinct, salt=3)
        await generate(first)
        job = Job(
            port=port, token=token, per_webhook=per_webhook, seconds=seconds, connections=64, salt=3, distinct=distinct
        )
        made = await measured(program, f"repeats, {per_webhook} per webhook, {identity}", job)
        stored = await _stored(program)
        return _noted(made, f"{stored} alerts known")


async def storm(data: Path, port: int, *, alerts: int, connections: int) -> Figure:
    """So many new alerts at once, each one an alert of its own: how long until all are on disk."""
    async with running(data, port) as program:
        token = await (await Setup.of(program.db)).source("fingerprint")
        job = Job(
            port=port, token=token, per_webhook=10, seconds=120, most=alerts // 10, connections=connections, salt=4
        )
        made = await measured(program, f"storm of {alerts:,}, {connections} connections", job)
        note = f"absorbed in {made.alerts / made.per_second:.1f} s; {_checked(await _stored(program), made)}"
        return _noted(made, note)


async def paging(data: Path, port: int, *, identity: str, per_webhook: int, seconds: float) -> Figure:
    """Every alert pages somebody, whose inbox rings; messages are handed over while more comes in."""
    async with running(data, port) as program:
        setup = await Setup.of(program.db)
        user = await setup.person("bell@example.com", keep="inbox")
        token = await setup.source(identity, page=user)
        job = Job(port=port, token=token, per_webhook=per_webhook, seconds=seconds, connections=64, salt=5)
        made = await measured(program, f"new and paging, {per_webhook} per webhook, {identity}", job)
        left = "SELECT count(*) FROM notifications WHERE state IN ('waiting', 'sending')"
        behind = await program.count(left)
        loop = asyncio.get_running_loop()
        began = loop.time()
        while await program.count(left) and loop.time() - began < 60:
            await asyncio.sleep(0.05)
        sent = await program.count("SELECT count(*) FROM notifications WHERE state = 'sent'")
        note = f"{sent} messages sent; {behind} waited when the last was answered, none {loop.time() - began:.1f} s later"
        return _noted(made, note)
