"""What time does: climbs that are due, snoozes that are over, personal rules whose minute has come, members that expire.

Due work is a query, so a restart or a lost wake-up loses nothing. Rows are locked while they are decided; another node
skips them.
"""

from datetime import datetime, timedelta
from uuid import UUID

from msgspec.structs import replace

from nightbell.core.decision import decide
from nightbell.core.draft import Decision
from nightbell.core.events import Due
from nightbell.engine.apply import apply
from nightbell.engine.directory import Directories
from nightbell.engine.ids import minter
from nightbell.engine.ingest import Committed
from nightbell.store.db import Db, Tx
from nightbell.store.write import facts

#: Alerts in one transaction.
BATCH = 200
#: A row that a defect of ours cannot digest must not jam the loop (Healthchecks' lesson).
PUSHED_BACK = timedelta(minutes=5)


async def tick(db: Db, directories: Directories, now: datetime, *, limit: int = BATCH) -> Committed:
    """Do what is due, at most `limit` alerts; call again while decisions come back."""

    async def work(tx: Tx) -> Committed:
        return await _decided(tx, await facts.due(tx, now, limit), directories, now)

    return await db.in_tx(work)


async def one(db: Db, directories: Directories, alert_id: UUID, now: datetime) -> Committed:
    """Do what is due for one alert: how the worker finds the one that is at fault."""

    async def work(tx: Tx) -> Committed:
        return await _decided(tx, [alert_id], directories, now)

    return await db.in_tx(work)


async def due(db: Db, now: datetime, *, limit: int = BATCH) -> list[UUID]:
    """Return which alerts are due, without keeping them locked."""

    async def work(tx: Tx) -> list[UUID]:
        return await facts.due(tx, now, limit)

    return await db.in_tx(work)


async def _decided(tx: Tx, ids: list[UUID], directories: Directories, now: datetime) -> Committed:
    if not ids:
        return Committed(outcomes=(), pages=False, decisions=())
    directory = await directories.current(tx)
    mint = minter(now)
    decisions: list[Decision] = []
    turns: dict[UUID, int] = {}
    for known in await facts.by_id(tx, ids, directory):
        decided = decide(replace(known, turns=known.turns | turns), Due(), now, mint)
        if decided:
            decisions.append(decided[0])
            turns = decided[1].turns
    decisions = await apply(tx, decisions, now, mint)
    return Committed(outcomes=(), pages=any(d.notifications for d in decisions), decisions=tuple(decisions))


async def lag(db: Db, now: datetime) -> float:
    """Return how many seconds the most overdue timer or message waits; 0 when nothing is overdue."""
    first: datetime | None = await db.value("next_due")
    return max((now - first).total_seconds(), 0.0) if first else 0.0


async def ahead(db: Db) -> tuple[datetime | None, bool]:
    """Return when time must look again, and whether a message is on its way now."""
    row = await db.row("next_due")
    return (row["due"], row["sending"]) if row else (None, False)


async def push_back(db: Db, alert_id: UUID, why: str, now: datetime) -> None:
    """Look at an alert again later, and say so in its timeline: nothing is dropped, nothing is hidden."""

    async def work(tx: Tx) -> None:
        await tx.execute("push_back", alert_id, now + PUSHED_BACK, now)
        await tx.execute("insert_fault_event", minter(now)(), alert_id, why[:1000], now)

    await db.in_tx(work)
