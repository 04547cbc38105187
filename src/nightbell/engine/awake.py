"""Notices that time went otherwise than it should: nobody ran for a while, or somebody set the clock.

Rule 1: the wall clock says what time it is, a clock nobody sets says how much of it passed; where they part, timers and
heartbeats are put right before anything is done by them.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from time import monotonic

import structlog

from nightbell.engine.heartbeats import Heartbeats
from nightbell.store.db import Db, Tx

#: How often the installation notes that it is awake.
STAMP = timedelta(seconds=10)
#: Beyond this nobody was there to hear a heartbeat.
AWAY = timedelta(seconds=60)
#: Clocks are steered by less than this all the time.
BACK = timedelta(seconds=10)
_log = structlog.get_logger(__name__)


class Awake:
    """Watches one node's time, and with it the installation's: any node's note will do."""

    def __init__(
        self,
        db: Db,
        heartbeats: Heartbeats,
        clock: Callable[[], datetime],
        passed: Callable[[], float] = monotonic,
    ) -> None:
        self._db = db
        self._heartbeats = heartbeats
        self._clock = clock
        self._passed = passed
        self._last: tuple[datetime, float] | None = None
        self._stamped: datetime | None = None

    async def look(self) -> None:
        """Compare the clocks, and put right what a leap of the one would do wrong."""
        now, passed = self._clock(), self._passed()
        leap = await self._leap(now, passed)
        if leap is not None and leap > AWAY:
            forgiven = await self._heartbeats.forgive(now)
            _log.warning("clock.away", seconds=leap.total_seconds(), heartbeats=forgiven)
        elif leap is not None and leap < -BACK:
            moved = await rewind(self._db, now)
            forgiven = await self._heartbeats.forgive(now - AWAY)
            _log.warning("clock.set_back", seconds=-leap.total_seconds(), timers=moved, heartbeats=forgiven)
        self._last = (now, passed)
        if self._stamped is None or not timedelta() <= now - self._stamped < STAMP:
            await self._db.execute("set_instance", "awake", now.timestamp(), now)
            self._stamped = now

    async def _leap(self, now: datetime, passed: float) -> timedelta | None:
        """Return how far the wall clock went beyond what passed; at the start, how long nobody ran."""
        if self._last is None:
            known = await self._db.value("instance_value", "awake")
            return timedelta(seconds=now.timestamp() - known) if known else None
        before, then = self._last
        return (now - before) - timedelta(seconds=passed - then)


async def rewind(db: Db, now: datetime) -> int:
    """Set timers that were set while the clock was ahead to as long from now as they were from then."""

    async def work(tx: Tx) -> int:
        names = ("rewind_climbs", "rewind_pages", "rewind_messages", "rewind_leases")
        return sum([await tx.execute(name, now, now + BACK) for name in names])

    return await db.in_tx(work)
