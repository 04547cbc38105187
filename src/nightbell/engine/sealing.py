"""Seals what was committed of pages into the ledger, a moment later, so that no page ever waits for a hash.

Rule 1: one sealer at a time, whichever node has the lock; it reads what is committed and only ever adds.
"""

import asyncio
from collections.abc import Iterable
from datetime import datetime, timedelta

from nightbell.core import ledger
from nightbell.core.ledger import Fact, Head, Sealed, Step
from nightbell.engine.ids import floor_id
from nightbell.store.db import Db, Row, Tx

LOCK = 7_420_002
#: Entries in one transaction: to find what is new costs the same for one as for all of them.
BATCH = 20_000
#: Entries hashed before others have their turn, about a millisecond with the database's part of it.
SLICE = 50
#: How long that turn is, and how long all of them together at most. Units: seconds.
PAUSE = 0.01
SPREAD = 1.0
#: How far back a look goes. Nearly all there is to seal is as young as this; each entry of a storm that was sealed
#: already costs a question once more.
BRIEF = timedelta(seconds=2)
#: Longer than any transaction lasts, so that what commits late is still seen.
NARROW = timedelta(minutes=2)
#: Looked at after a start and every few minutes: what a long outage left behind.
WIDE = timedelta(days=1)


async def seal(db: Db, now: datetime, *, reach: timedelta = NARROW, once: bool = False) -> int:
    """Seal what is not sealed yet, with `once` a batch of it; return how many entries were added."""
    added = 0
    while True:
        more = await db.in_tx(lambda tx: _seal(tx, now, reach))
        added += more
        if once or more < BATCH:
            return added


async def _seal(tx: Tx, now: datetime, reach: timedelta) -> int:
    if not await tx.value("try_housekeeping_lock", LOCK):
        return 0
    # However large the tables have grown.
    await tx.value("by_indexes")
    last = await tx.row("ledger_head")
    # A clock that was set forward for a while must not hide what came before.
    since = min(now, last["at"]) - reach if last else now - WIDE
    begun = await tx.row("ledger_beginning")
    if begun:
        # What was put away is not here to say that it was sealed already.
        since = max(since, begun["before"])
    rows = await tx.rows("unsealed", floor_id(since), BATCH)
    await add(tx, map(_fact, rows), now)
    return len(rows)


async def add(tx: Tx, facts: Iterable[Fact], now: datetime) -> None:
    """Append facts to the chain, in the order they happened; whoever calls has the lock."""
    last = await tx.row("ledger_head")
    head = Head(last["position"], bytes(last["digest"])) if last else Head()
    ordered = ledger.in_order(facts)
    pause = min(PAUSE, SPREAD * SLICE / max(len(ordered), 1))
    for at in range(0, len(ordered), SLICE):
        if at:
            await asyncio.sleep(pause)
        sealed = ledger.chained(head, ordered[at : at + SLICE], now)
        await _append(tx, sealed, now)
        head = Head(sealed[-1].position, sealed[-1].digest)


def _fact(row: Row) -> Fact:
    return Fact(
        step=Step(row["step"]),
        subject=row["subject"],
        alert_id=row["alert_id"],
        page_id=row["page_id"],
        notification_id=row["notification_id"],
        user_id=row["user_id"],
        provider_id=row["provider_id"],
        at=row["at"],
        told=row["told"],
    )


async def _append(tx: Tx, sealed: list[Sealed], now: datetime) -> None:
    columns = ("position", "step", "subject", "alert_id", "at", "entry", "digest")
    await tx.execute("append_ledger", *([getattr(s, name) for s in sealed] for name in columns), now)
