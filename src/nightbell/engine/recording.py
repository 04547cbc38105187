"""Writes down what became of messages, those that ended about the same time in one transaction.

What ends while something is being written, or within a few milliseconds, gathers. A message that a provider keeps
waiting holds up nobody's record.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar

from nightbell.engine.faults import FAULTS
from nightbell.store.db import DATABASE_TROUBLE

T = TypeVar("T")

#: Written in one transaction: past a few hundred a larger one gains nothing.
MOST = 250
#: How long the first one waits for others, and how long while more keep coming: larger transactions leave more of the
#: machine to pages (p99 of the hand-over at 500 a second 23 ms instead of 28). Units: seconds.
LINGER = 0.005
BUSY = 0.02


class Recorder(Generic[T]):
    """One hand that writes. `write` is all or nothing."""

    def __init__(self, write: Callable[[Sequence[T]], Awaitable[None]]) -> None:
        self._write = write
        self._waiting: list[tuple[T, asyncio.Future[None]]] = []
        self._writing: asyncio.Task[None] | None = None

    async def record(self, one: T) -> None:
        """Return when it is on disk.

        Raises: what writing it raised; a defect in another one written beside it is not its fault.
        """
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((one, future))
        if self._writing is None or self._writing.done():
            self._writing = asyncio.create_task(self._empty())
        await future

    async def _empty(self) -> None:
        pause = LINGER
        while self._waiting:
            if len(self._waiting) < MOST:
                await asyncio.sleep(pause)
            pause = BUSY
            taken, self._waiting = self._waiting[:MOST], self._waiting[MOST:]
            await self._together([each for each in taken if not each[1].done()])

    async def _together(self, taken: list[tuple[T, asyncio.Future[None]]]) -> None:
        try:
            await self._write([one for one, _ in taken])
        except FAULTS as fault:
            if len(taken) == 1:
                _tell(taken, fault)
                return
            for each in taken:
                await self._together([each])
        except DATABASE_TROUBLE as lost:
            _tell(taken, lost)
        else:
            _tell(taken, None)
        finally:
            # On a stop nobody waits for what never comes.
            for _, future in taken:
                future.cancel()


def _tell(taken: Sequence[tuple[object, asyncio.Future[None]]], fault: Exception | None) -> None:
    for _, future in taken:
        if future.done():
            continue
        if fault is None:
            future.set_result(None)
        else:
            future.set_exception(fault)
