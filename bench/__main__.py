"""`python -m bench [name …]`: measures Nightbell on its real path and prints Markdown tables.

It starts the program itself, with a data directory of its own for every measurement, and needs nothing but the
environment that `make setup` makes.
"""

import argparse
import asyncio
import os
import platform
import shutil
import statistics
import tempfile
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import replace
from pathlib import Path

from bench import delivering, ingest, latency, reading, timers, waiting
from bench.ceiling import ceiling
from bench.figures import Figure, Throughput, heading
from bench.ingest import Run
from bench.program import Machine
from bench.running import beside_paging
from bench.schedules import schedules
from bench.workflows import workflows

Scenario = Callable[[Run], Awaitable[Figure | Sequence[Figure]]]

SCENARIOS: dict[str, Scenario] = {
    "ceiling10": lambda run: ceiling(run.port, per_webhook=10, seconds=run.seconds),
    "ceiling1": lambda run: ceiling(run.port, per_webhook=1, seconds=run.seconds),
    "new10-fingerprint": lambda run: ingest.new(run, identity="fingerprint", per_webhook=10),
    "new1-fingerprint": lambda run: ingest.new(run, identity="fingerprint", per_webhook=1),
    "new10-group": lambda run: ingest.new(run, identity="group", per_webhook=10),
    "new1-group": lambda run: ingest.new(run, identity="group", per_webhook=1),
    "repeats10-fingerprint": lambda run: ingest.repeats(run, identity="fingerprint", per_webhook=10),
    "repeats10-group": lambda run: ingest.repeats(run, identity="group", per_webhook=10),
    "storm": lambda run: ingest.storm(run, alerts=100_000),
    "paging10": lambda run: ingest.paging(run, identity="fingerprint", per_webhook=10),
    "paging1": lambda run: ingest.paging(run, identity="fingerprint", per_webhook=1),
    "paging10-group": lambda run: ingest.paging(run, identity="group", per_webhook=10),
    "ack500": lambda run: latency.acknowledged(run, rate=500),
    "handover100": lambda run: latency.handed_over(run, rate=100),
    "handover500": lambda run: latency.handed_over(run, rate=500),
    "burst10000": delivering.burst,
    "first-in-storm": delivering.storm,
    "timers": timers.everything,
    "start": lambda run: waiting.starts(run),
    "lists": lambda run: reading.lists(run, rows=1_000_000),
    "schedules": lambda run: schedules(run),
    "workflows": lambda run: workflows(),
    "runs": beside_paging,
}
#: More than this of the machine used by others, and a figure says little.
QUIET = 0.05


async def _quiet(patience: float) -> None:
    """Wait until nobody else uses the machine, but not for ever."""
    loop = asyncio.get_running_loop()
    until = loop.time() + patience
    while loop.time() < until:
        machine = Machine()
        await asyncio.sleep(1)
        if machine.others(0) < QUIET:
            return


async def _measured(name: str, run: Run, *, tries: int, patience: float) -> list[Figure]:
    made: list[list[Figure]] = []
    for _ in range(tries):
        await _quiet(patience)
        shutil.rmtree(run.data, ignore_errors=True)
        result = await SCENARIOS[name](run)
        made.append(list(result) if isinstance(result, Sequence) else [result])
    shutil.rmtree(run.data, ignore_errors=True)
    if isinstance(made[0][0], Throughput) and tries > 1:
        return [_middle([each[0] for each in made])]
    return made[-1]


def _middle(made: Iterable[Figure]) -> Figure:
    """Return the run with the median rate, and what the others came to."""
    rates = {each.per_second: each for each in made if isinstance(each, Throughput)}
    middle = rates[statistics.median_low(rates)]
    span = f"{len(rates)} runs: {min(rates):,.0f} to {max(rates):,.0f}"
    return replace(middle, note=f"{middle.note}; {span}".lstrip("; "))


async def _all(names: list[str], run: Run, *, tries: int, patience: float) -> None:
    print(f"{os.cpu_count()} processors, {platform.machine()}, Python {platform.python_version()}\n")
    last: type[Figure] | None = None
    for name in names:
        for figure in await _measured(name, run, tries=tries, patience=patience):
            if type(figure) is not last:
                print(("\n" if last else "") + heading(figure))
            last = type(figure)
            print(figure.row(), flush=True)


def main() -> None:
    """Measure what the command line names, or everything."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="name", help=f"of {', '.join(SCENARIOS)}; all by default")
    parser.add_argument("--seconds", type=float, default=8.0, help="of each measurement (8)")
    parser.add_argument("--runs", type=int, default=1, help="the median run is shown (1)")
    parser.add_argument("--connections", type=int, default=64, help="of a sender (64)")
    parser.add_argument("--port", type=int, default=18_090)
    parser.add_argument(
        "--patience", type=float, default=30.0, help="seconds to wait for a quiet machine (30)"
    )
    given = parser.parse_args()
    unknown = [name for name in given.names if name not in SCENARIOS]
    if unknown:
        parser.error(f"there is no {', '.join(unknown)}; there are {', '.join(SCENARIOS)}")
    with tempfile.TemporaryDirectory(prefix="nightbell-bench-") as folder:
        run = Run(
            data=Path(folder) / "data", port=given.port, seconds=given.seconds, connections=given.connections
        )
        asyncio.run(_all(given.names or list(SCENARIOS), run, tries=given.runs, patience=given.patience))


if __name__ == "__main__":
    main()
