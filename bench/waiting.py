"""Measures what happens without senders: starting, and sitting idle."""

import asyncio
from time import monotonic

from bench.figures import Plain
from bench.ingest import Run
from bench.program import Machine, running


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
