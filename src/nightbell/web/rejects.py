"""Remembers requests that were turned away, so that an operator sees why nothing arrives.

Rule 1: whoever is not known must not be able to fill the disk: only so many a second are written, the rest counted.
"""

import asyncio
from collections import deque

import structlog

from nightbell.engine.ingest import Rejected, reject
from nightbell.store.db import DATABASE_TROUBLE, Db

#: Requests of strangers written in one second; a flood is a number in /metrics.
MOST_A_SECOND = 20
_log = structlog.get_logger(__name__)


class Rejects:
    """Writes them: at once for a known sender, in the background for strangers."""

    def __init__(self, db: Db) -> None:
        self._db = db
        self._waiting: deque[Rejected] = deque(maxlen=MOST_A_SECOND)

    def note(self, one: Rejected) -> None:
        """Remember a stranger's request soon, if there is room."""
        self._waiting.append(one)

    async def keep(self, one: Rejected) -> None:
        """Write a known sender's request now."""
        await self._write([one])

    async def run(self) -> None:
        """Write what was noted, once a second, until cancelled."""
        while True:
            await asyncio.sleep(1)
            waiting = [self._waiting.popleft() for _ in range(len(self._waiting))]
            if waiting:
                await self._write(waiting)

    async def _write(self, some: list[Rejected]) -> None:
        try:
            await self._db.in_tx(lambda tx: reject(tx, some))
        except DATABASE_TROUBLE as lost:
            _log.warning("rejects.not_kept", count=len(some), why=str(lost))
