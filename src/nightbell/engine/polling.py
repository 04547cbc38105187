"""Who of several nodes asks a service for news, how far it came, and what was arranged with the service.

Rule 1: the position moves after something was carried out, never before; what is told twice is carried out once by
its reference (engine/receive.py).
"""

from datetime import datetime, timedelta

from msgspec import Struct

from nightbell.engine.ids import new_id
from nightbell.store.db import Db

#: Longer than one question to the service takes, so that nobody else asks in the middle of it.
LEASE = timedelta(seconds=60)


class Turn(Struct, frozen=True, kw_only=True):
    """The right to ask, for a while."""

    position: int
    arranged: str
    known_as: str
    trouble: str


class Polling:
    """One service, seen from one node."""

    def __init__(self, db: Db, kind: str, node: str) -> None:
        self.db = db
        self._kind = kind
        self._node = node

    async def take(self, now: datetime) -> Turn | None:
        """Return the right to ask, or None while another node has it."""
        row = await self.db.row("lease_poller", self._kind, self._node, now, now + LEASE)
        if row is None:
            await self.db.execute("insert_poller", new_id(now), self._kind, now)
            row = await self.db.row("lease_poller", self._kind, self._node, now, now + LEASE)
        return Turn(**dict(row.items())) if row else None

    async def came(self, position: int, now: datetime) -> bool:
        """Write down that everything up to here was carried out; False when another node asks by now."""
        return await self.db.execute("advance_poller", self._kind, self._node, position, now) == 1

    async def arranged(self, what: str, known_as: str, trouble: str, now: datetime) -> None:
        """Write down what was agreed with the service, or why it was not."""
        args = (what[:200], known_as[:100], trouble[:500])
        await self.db.execute("arrange_poller", self._kind, self._node, *args, now)

    async def forget(self, now: datetime) -> None:
        """Begin at the beginning: it is another account, whose numbers are its own."""
        await self.db.execute("forget_position", self._kind, self._node, now)

    async def leave(self) -> None:
        """Let another node ask at once."""
        await self.db.execute("release_poller", self._kind, self._node)
