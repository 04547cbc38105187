"""Moves planned work on as time goes: it begins, what it mutes is attached to it, it ends."""

from datetime import datetime
from uuid import UUID

from nightbell.core.errors import Invalid, Unknown
from nightbell.core.incident import Status
from nightbell.core.journal import SYSTEM
from nightbell.engine.incidents import Cause, Incidents
from nightbell.store.db import Db

_BY_TIME = Cause(because={"plan": "its time came"})
_MUTED = Cause(because={"plan": "muted by this work"})


class Planned:
    """Looks after planned work."""

    def __init__(self, db: Db, incidents: Incidents) -> None:
        self._db = db
        self._incidents = incidents

    async def look(self, now: datetime) -> int:
        """Do what is due; return how many incidents were moved on or had alerts attached."""
        done = 0
        for row in await self._db.rows("plans_due", now):
            done += await self._moved(row["id"], Status(row["to_status"]), now)
        for row in await self._db.rows("muted_unattached"):
            done += await self._attached(row["incident_id"], row["alert_ids"], now)
        return done

    async def _moved(self, incident_id: UUID, to: Status, now: datetime) -> bool:
        try:
            await self._incidents.move(incident_id, to, by=SYSTEM, now=now, cause=_BY_TIME)
        except (Invalid, Unknown):
            # Somebody changed or deleted it since it was looked up; the next look sees what it is now.
            return False
        return True

    async def _attached(self, incident_id: UUID, alert_ids: list[UUID], now: datetime) -> bool:
        try:
            await self._incidents.attach(incident_id, alert_ids, by=SYSTEM, now=now, cause=_MUTED)
        except (Invalid, Unknown):
            return False
        return True
