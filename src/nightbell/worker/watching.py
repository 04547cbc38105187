"""What watches: the ledger is sealed every other second, twice a second under load; the auditor goes round twice a minute."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from pathlib import Path
from time import monotonic
from typing import Any, NamedTuple

from nightbell.engine.keeping import keep
from nightbell.engine.sealing import BATCH, BRIEF, NARROW, WIDE, seal
from nightbell.store.db import Db
from nightbell.telemetry import metrics
from nightbell.worker.loop import Chore

#: Units: seconds.
SEAL_EVERY = 2.0
#: Before the next look while there is something to seal: many small looks hold pages up less than a few large ones.
SOON = 0.1
#: Looks of one round; then the loop says that it lives.
ROUNDS = 200
#: How often what committed late is looked for, and what was left behind long ago.
NARROW_EVERY = 30.0
WIDE_EVERY = 300.0
AUDIT_EVERY = 30.0
KEEP_EVERY = 3600.0


class Kept(NamedTuple):
    """How long the ledger stays in the database, and where what is older is put."""

    days: int
    folder: Path


class Looks:
    """How far back the ledger is looked at next: mostly not far, because that costs what happened since."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        #: When a look of this reach has sealed all it found.
        self._at: dict[timedelta, float] = {}

    def reach(self) -> timedelta:
        """Return how far the next look goes; the first one after a start goes furthest."""
        for reach, every in ((WIDE, WIDE_EVERY), (NARROW, NARROW_EVERY)):
            if reach not in self._at or self._clock() - self._at[reach] >= every:
                return reach
        return BRIEF

    def looked(self, reach: timedelta) -> None:
        """Say that everything within a reach is sealed, and so within those that are shorter."""
        self._at |= {shorter: self._clock() for shorter in (WIDE, NARROW) if shorter <= reach}


def chores(
    db: Db, clock: Callable[[], datetime], audit: Callable[[], Awaitable[Any]], kept: Kept
) -> tuple[Chore, ...]:
    """Return what a worker does about the ledger and its auditor; `audit` goes round once."""
    looks = Looks(monotonic)

    async def look() -> int:
        reach = looks.reach()
        # A batch and then a pause: in a storm the pages themselves go first.
        added = await seal(db, clock(), reach=reach, once=True)
        metrics.LEDGER_ENTRIES.inc(added)
        if added < BATCH:
            looks.looked(reach)
        return added

    async def seal_ledger() -> None:
        for _ in range(ROUNDS):
            if not await look():
                return
            await asyncio.sleep(SOON)

    async def go_round() -> None:
        await audit()

    async def put_away() -> None:
        await keep(db, clock(), days=kept.days, folder=kept.folder)

    return (
        Chore("ledger", SEAL_EVERY, seal_ledger),
        Chore("audit", AUDIT_EVERY, go_round),
        Chore("keeping", KEEP_EVERY, put_away),
    )
