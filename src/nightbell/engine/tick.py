"""What time does: climbs that are due, snoozes that are over, personal rules whose minute has come, members that expire.

Due work is a query, so a restart or a lost wake-up loses nothing. Rows are locked while they are decided; another node
skips them.
"""

from datetime import datetime, timedelta
from uuid import UUID

from msgspec.structs import replace

from nightbell.core.alike import Repeat, repeated
from nightbell.core.decision import decide
from nightbell.core.directory import Directory
from nightbell.core.draft import Decision, Mint
from nightbell.core.events import Due
from nightbell.engine.apply import apply, apply_repeats
from nightbell.engine.directory import Directories
from nightbell.engine.ids import minter
from nightbell.engine.ingest import Committed
from nightbell.store.db import Db, Tx
from nightbell.store.write import facts

#: Alerts that are decided one by one in one transaction.
BATCH = 200
#: Alerts looked at in one transaction where most stand alike.
MANY = 1_000
#: Of fewer climbs that stand alike each is decided for itself.
FEWEST = 4
#: A row that a defect of ours cannot digest must not jam the loop (Healthchecks' lesson).
PUSHED_BACK = timedelta(minutes=5)


async def tick(db: Db, directories: Directories, now: datetime, *, limit: int = BATCH) -> Committed:
    """Do what is due, at most `limit` alerts; call again while alerts are decided."""

    async def work(tx: Tx) -> Committed:
        return await step(tx, await facts.due(tx, now, limit), directories, now)

    return await db.in_tx(work)


class Lane:
    """One of the hands that do what is due, side by side: it takes more at once while what it finds stands alike."""

    def __init__(self, db: Db, directories: Directories) -> None:
        self._db = db
        self._directories = directories
        self._limit = MANY

    async def tick(self, now: datetime) -> tuple[Committed, bool]:
        """Do some of what is due; return what it came to and whether there may be more."""
        committed = await tick(self._db, self._directories, now, limit=self._limit)
        more = committed.decided >= BATCH
        # What differs is decided one by one, a batch at a time: to lock more of it would be for nothing.
        differs = more and len(committed.decisions) > committed.decided // 2
        self._limit = BATCH if differs else MANY
        return committed, more


async def one(db: Db, directories: Directories, alert_id: UUID, now: datetime) -> Committed:
    """Do what is due for one alert: how the worker finds the one that is at fault."""

    async def work(tx: Tx) -> Committed:
        return await step(tx, [alert_id], directories, now)

    return await db.in_tx(work)


async def due(db: Db, now: datetime, *, limit: int = BATCH) -> list[UUID]:
    """Return which alerts are due, without keeping them locked."""

    async def work(tx: Tx) -> list[UUID]:
        return await facts.due(tx, now, limit)

    return await db.in_tx(work)


async def step(tx: Tx, ids: list[UUID], directories: Directories, now: datetime) -> Committed:
    """Decide about locked alerts as of now: those that stand alike together, the others one by one."""
    if not ids:
        return Committed(outcomes=(), pages=False, decisions=())
    directory = await directories.current(tx)
    mint = minter(now)
    repeats = await _repeats(tx, ids, directory, now, mint) if len(ids) >= FEWEST else []
    done = {alert_id for one in repeats for alert_id in one.alike.alert_ids}
    # What is left over is locked, and due again a moment later.
    rest = [ident for ident in ids if ident not in done][:BATCH]
    decisions: list[Decision] = []
    turns: dict[UUID, int] = {}
    for known in await facts.by_id(tx, rest, directory) if rest else ():
        decided = decide(replace(known, turns=known.turns | turns), Due(), now, mint)
        if decided:
            decisions.append(decided[0])
            turns = decided[1].turns
    decisions = await apply(tx, decisions, now, mint)
    await apply_repeats(tx, repeats, now, mint)
    every = (*decisions, *(one.decision for one in repeats))
    return Committed(
        outcomes=(),
        pages=any(d.notifications for d in every),
        decisions=tuple(decisions),
        repeats=tuple(repeats),
    )


async def _repeats(tx: Tx, ids: list[UUID], directory: Directory, now: datetime, mint: Mint) -> list[Repeat]:
    """Decide about the first of each kind of climbs that stand alike; return what holds for all of its kind."""
    kinds = {kind.alert_ids[0]: kind for kind in await facts.alike(tx, ids, now, FEWEST)}
    found: list[Repeat] = []
    for known in await facts.by_id(tx, kinds, directory) if kinds else ():
        decided = decide(known, Due(), now, mint)
        alike = kinds[known.alert.id] if known.alert else None
        one = repeated(known, decided[0], alike, now) if decided and alike else None
        if one:
            found.append(one)
    return found


async def lag(db: Db, now: datetime) -> float:
    """Return how many seconds the most overdue timer or message waits; 0 when nothing is overdue."""
    first: datetime | None = await db.value("next_due")
    return max((now - first).total_seconds(), 0.0) if first else 0.0


async def ahead(db: Db) -> tuple[datetime | None, bool]:
    """Return when time must look again, also for what runs beside paging, and whether a message is on its way now."""
    row = await db.row("next_due")
    if row is None:
        return None, False
    return min(filter(None, (row["due"], row["due_at_leisure"])), default=None), row["sending"]


async def push_back(db: Db, alert_id: UUID, why: str, now: datetime) -> None:
    """Look at an alert again later, and say so in its timeline: nothing is dropped, nothing is hidden."""

    async def work(tx: Tx) -> None:
        await tx.execute("push_back", alert_id, now + PUSHED_BACK, now)
        await tx.execute("insert_fault_event", minter(now)(), alert_id, why[:1000], now)

    await db.in_tx(work)
