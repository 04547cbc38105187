"""What watches: the ledger is sealed every other second, twice a second under load; the auditor goes round twice a minute."""

import asyncio
from collections import deque
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
SOON = 0.5
#: Looks of one round; then the loop says that it lives.
ROUNDS = 60
#: How often what came late is looked for at least, and what was left behind long ago.
NARROW_EVERY = 30.0
WIDE_EVERY = 300.0
#: And how rarely for each entry of its reach: to ask for one costs 2 us, so a two hundredth of the time goes into it.
NARROW_FOR_EACH = 0.0004
AUDIT_EVERY = 30.0
KEEP_EVERY = 3600.0


class Kept(NamedTuple):
    """How long the ledger stays in the database, and where what is older is put."""

    days: int
    folder: Path


class Looks:
    """How far back the ledger is looked at next.

    A brief look finds nearly all there is. How an attempt ended that took longer, and what committed late, is found by a
    narrow one: it costs what happened in its reach, so the more was sealed lately, the rarer it is.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        #: When a look of this reach has sealed all it found.
        self._at: dict[timedelta, float] = {}
        #: When how much was sealed, as far back as a narrow look goes.
        self._sealed: deque[tuple[float, int]] = deque()

    def reach(self) -> timedelta:
        """Return how far the next look goes; the first one after a start goes furthest."""
        lately = sum(added for _, added in self._sealed)
        for reach, every in ((WIDE, WIDE_EVERY), (NARROW, min(NARROW_EVERY, lately * NARROW_FOR_EACH))):
            if reach not in self._at or self._clock() - self._at[reach] >= every:
                return reach
        return BRIEF

    def looked(self, reach: timedelta, added: int) -> None:
        """Say how much a look sealed."""
        now = self._clock()
        if added < BATCH:
            # Everything within its reach, and so within those that are shorter.
            self._at |= {shorter: now for shorter in (WIDE, NARROW) if shorter <= reach}
        self._sealed.append((now, added))
        while now - self._sealed[0][0] > NARROW.total_seconds():
            self._sealed.popleft()


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
        looks.looked(reach, added)
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
