"""Lets time pass for a program whose clock stands still: from one due instant to the next, each done before the next.

Rule 1: the loops do the work, as ever; this only rings them and waits, so a long leap is what waiting would have been.
"""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime
from time import monotonic

from nightbell.clock import Standing
from nightbell.core.errors import Invalid, Overloaded
from nightbell.engine import tick
from nightbell.store.db import Db

#: How long one instant's work may take; longer than any channel waits for an answer. Units: real seconds.
PATIENCE = 60.0
_LOOK = 0.004


class Passage:
    """The passage of time. `ring` wakes the loops; `keep_house` makes ready for another day."""

    def __init__(
        self, db: Db, clock: Standing, ring: Callable[[], None], keep_house: Callable[[], Awaitable[None]]
    ) -> None:
        self._db = db
        self._clock = clock
        self._ring = ring
        self._keep_house = keep_house
        self._one_at_a_time = asyncio.Lock()

    async def advance(self, to: datetime) -> int:
        """Go on to an instant and return at how many others on the way something was due.

        Raises: Invalid for the past, Overloaded when something due is never done; time then stands there.
        """
        async with self._one_at_a_time:
            if to < self._clock():
                raise Invalid("Time does not run backwards.", place="to", hint=f"It is {self._clock()} now.")
            stops = 0
            due = await self._settled()
            while due is not None and due <= to:
                await self._move(due)
                stops += 1
                due = await self._settled()
            await self._move(to)
            await self._settled()
            return stops

    async def _move(self, to: datetime) -> None:
        another_day = to.date() != self._clock().date()
        self._clock.move_to(to)
        if another_day:
            await self._keep_house()

    async def _settled(self) -> datetime | None:
        """Wait until nothing is due and nothing on its way; return when something will be."""
        until = monotonic() + PATIENCE
        while True:
            due, sending = await tick.ahead(self._db)
            late = due is not None and due <= self._clock()
            if not late and not sending:
                return due
            if monotonic() > until:
                raise Overloaded(f"Something due at {due} is not done within {PATIENCE:g} s.")
            if late:
                self._ring()
            await asyncio.sleep(_LOOK)
