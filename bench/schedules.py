"""Measures who is on call: the shifts of a hundred schedules, one instant, and a directory that holds them all.

Rule 1: what is read comes from the embedded PostgreSQL through the engine, as an answer of the API does. Every figure
has the time on the wall and that of the processors, this program's and its PostgreSQL's together.
"""

import asyncio
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter

from bench.figures import Figure, Plain, milliseconds
from bench.ingest import Run
from bench.program import Machine, ours
from nightbell.core.calendar import Span
from nightbell.core.directory import Directory
from nightbell.core.handover import next_change
from nightbell.core.journal import SYSTEM
from nightbell.core.oncall import on_call
from nightbell.engine import scheduling
from nightbell.engine.configure import Configure, seed
from nightbell.engine.directory import Directories
from nightbell.engine.edits import UserEdit
from nightbell.engine.schedule_edits import OverrideEdit, RotationEdit, ScheduleEdit
from nightbell.engine.vault import unlock
from nightbell.store import embedded
from nightbell.store.db import Db, connect
from nightbell.store.migrate import migrate
from nightbell.web.duty import posts

SCHEDULES, PEOPLE, OVERRIDES = 100, 60, 10
RANGE = timedelta(days=90)
NOW = datetime(2027, 3, 1, 8, tzinfo=UTC)
#: An instant costs the same wherever it lies: these are asked about.
YEARS = (0, 1, 10, 50)
_TIMES = 20
#: So that a tick of the processor's clock, 10 ms, is small beside what is measured. Units: seconds.
_ENOUGH = 2.0
_ZONES = ("Europe/Berlin", "America/New_York", "Asia/Tokyo", "Australia/Sydney", "Etc/UTC")
#: What schedules are like: a week each by day, nights in turn, weekends that count active days only.
_LAYERS = (
    {"name": "Weeks", "type": "weekly", "handoff_time": "09:00", "handoff_day": "M"},
    {
        "name": "Nights",
        "type": "daily",
        "handoff_time": "22:00",
        "hours": "same_time",
        "windows": [{"start_time": "22:00", "end_time": "06:00"}],
    },
    {"name": "Weekends", "type": "daily", "handoff_time": "00:00", "all_week": False, "days": ["U", "S"]},
)


async def schedules(run: Run) -> list[Figure]:
    """Compute shifts and on-calls of many schedules."""
    return [figure async for figure in _figures(run.data)]


async def _figures(data: Path) -> AsyncIterator[Figure]:
    async with _installation(data) as db:
        span = Span(NOW, NOW + RANGE)
        found = await scheduling.shifts_between(db, span)
        note = (
            f"{len(found):,} shifts; {SCHEDULES} schedules of {len(_LAYERS)} layers and {OVERRIDES} overrides"
        )
        yield await _measured("shifts over 90 days", lambda: scheduling.shifts_between(db, span), note)
        yield await _measured(
            "who is on call everywhere, until when, who follows", lambda: scheduling.now_on_call(db, NOW)
        )

        async def load() -> None:
            await Directories().configuration(db)

        yield await _measured("directory read anew", load)
        directory = await Directories().current(db)
        for years in YEARS:
            yield await _measured(
                f"`on_call` of all in {years} years", _asking(directory, NOW + years * timedelta(days=365))
            )

        async def change() -> None:
            for one in directory.schedules.values():
                next_change(one, NOW)

        yield await _measured("`next_change` of all", change)
        yield await _measured("the on-call part of the first page", _looking(directory))


def _asking(directory: Directory, at: datetime) -> Callable[[], Awaitable[object]]:
    async def ask() -> None:
        for one in directory.schedules.values():
            on_call(one, at)

    return ask


def _looking(directory: Directory) -> Callable[[], Awaitable[object]]:
    async def look() -> None:
        posts(directory, NOW)

    return look


async def _measured(name: str, work: Callable[[], Awaitable[object]], note: str = "") -> Plain:
    await work()
    machine, spent, began = Machine(), ours(), perf_counter()
    took: list[float] = []
    while len(took) < _TIMES or perf_counter() - began < _ENOUGH:
        start = perf_counter()
        await work()
        took.append(perf_counter() - start)
    spent = ours() - spent
    others = machine.others(spent)
    value = f"{milliseconds(sorted(took))}; CPU {spent / len(took) * 1000:.1f} ms"
    return Plain(name=f"{name}, wall p50 / p99; CPU", value=value, others=others, note=note)


@asynccontextmanager
async def _installation(data: Path) -> AsyncIterator[Db]:
    """Start a PostgreSQL of its own, with schedules in it."""
    server = await embedded.start(data, purpose="bench")
    db = await connect(server.dsn, size=4)
    try:
        await migrate(db)
        await seed(db, NOW)
        await _filled(Configure(db, await unlock(db, None, NOW), {}))
        yield db
    finally:
        await db.close()
        await server.stop()


async def _filled(configure: Configure) -> None:
    people = [
        await configure.create_user(
            UserEdit(name=f"Person {n}", email=f"p{n}@example.org", role="user"), by=SYSTEM, now=NOW
        )
        for n in range(PEOPLE)
    ]
    for n in range(SCHEDULES):
        edit = ScheduleEdit(name=f"Schedule {n}", time_zone=_ZONES[n % len(_ZONES)])
        key = await configure.create_schedule(edit, by=SYSTEM, now=NOW)
        for number, layer in enumerate(_LAYERS):
            serving = [{"user_id": people[(n + number + m) % PEOPLE]} for m in range(5)]
            rotation = RotationEdit(**layer, members=serving)  # type: ignore[arg-type]  # a table, not a signature
            await configure.create_rotation(key, rotation, by=SYSTEM, now=NOW)
        for number in range(OVERRIDES):
            start = NOW + timedelta(days=9 * number, hours=n % 24)
            override = OverrideEdit(
                user_id=people[-1 - number], starts_at=start, ends_at=start + timedelta(hours=12)
            )
            await configure.create_override(key, override, by=SYSTEM, now=NOW)


async def _alone() -> None:
    with TemporaryDirectory() as folder:
        async for figure in _figures(Path(folder)):
            sys.stdout.write(figure.row() + "\n")


if __name__ == "__main__":
    asyncio.run(_alone())
