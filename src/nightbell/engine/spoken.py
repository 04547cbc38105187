"""Writes a message anew for whoever asks for its words later: a call fetches what it says when it is answered."""

from datetime import datetime
from uuid import UUID

from nightbell.core.delivery import Message
from nightbell.engine.messages import Desk
from nightbell.store.db import Db
from nightbell.store.write.outbox import Claimed

_FIELDS = tuple(Claimed.__struct_fields__)


class Spoken:
    """Reads messages back."""

    def __init__(self, db: Db, desk: Desk) -> None:
        self._db = db
        self._desk = desk

    async def message(self, notification_id: UUID, now: datetime) -> Message | None:
        """Return a message as it would be said now; None when it or its address is gone."""
        row = await self._db.row("message_again", notification_id)
        if row is None:
            return None
        claimed = Claimed(**{name: row[name] for name in _FIELDS})
        known = await self._db.row("addressed", [notification_id])
        if known is None or known["address"] is None:
            return None
        found = await self._desk.clerk.look_up(self._db, [claimed], now)
        return self._desk.clerk.completed(self._desk.message(claimed, known, now), claimed, found)
