"""Lets planned work mute its services: an incident of kind scheduled owns a maintenance, and time moves both on.

Rule 1: there is one way to mute, that of engine/configure_maintenance.py. This file only keeps the row of an incident true.
"""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from nightbell.core.errors import Invalid
from nightbell.core.incident import Incident, Status
from nightbell.engine.ids import new_id
from nightbell.store.db import Tx
from nightbell.store.tables import maintenances
from nightbell.store.write import config

#: The schema asks for an end after the start, even of what is ended at once.
_MOMENT = timedelta(microseconds=1)
_MUTES = (Status.SCHEDULED, Status.IN_PROGRESS)
_DONE = (Status.COMPLETED, Status.CANCELLED)


async def keep(tx: Tx, before: Incident, incident: Incident, now: datetime) -> None:
    """Make the maintenance of planned work say what the incident says, in the incident's own transaction.

    Raises: Invalid for work that would be taken up again after its end.
    """
    if not incident.planned:
        return
    until = incident.scheduled_until
    ended = until is not None and until <= now
    if ended and incident.status is Status.IN_PROGRESS and before.status in _DONE:
        raise Invalid(
            "The end of this work is past.", place="scheduled_until", hint="Move its end first, then go on."
        )
    found = await tx.row("maintenance_of_incident", incident.id)
    wanted = None if ended else _wanted(incident)
    if wanted is None and found is not None:
        await _over(tx, found["id"], found["starts_at"], found["ends_at"], now)
    elif wanted is not None and found is None:
        row = {"id": new_id(now), "incident_id": incident.id, "created_by": incident.created_by, **wanted}
        await config.add(tx, maintenances, row, now)
        await tx.execute("bump_configuration")
    elif wanted is not None and found is not None and any(found[k] != v for k, v in wanted.items()):
        await config.change(tx, maintenances, found["id"], wanted, now)
        await _wake(tx, found["id"], now)


async def forget(tx: Tx, incident_id: UUID, now: datetime) -> None:
    """End what an incident mutes, before the incident is deleted and its maintenance with it."""
    found = await tx.row("maintenance_of_incident", incident_id)
    if found is not None:
        await config.remove(tx, maintenances, found["id"])
        await _wake(tx, found["id"], now)


def _wanted(incident: Incident) -> dict[str, Any] | None:
    """Return what the maintenance should say; None where nothing is muted."""
    start, until = incident.scheduled_for, incident.scheduled_until
    if incident.status not in _MUTES or not incident.muted_service_ids or start is None or until is None:
        return None
    if incident.status is Status.IN_PROGRESS and incident.in_progress_at is not None:
        # Whoever begins early mutes early; a look that comes late moves nothing.
        start = min(start, incident.in_progress_at)
    return {
        "name": f"{incident.number}: {incident.title}"[:255],
        "service_ids": list(incident.muted_service_ids),
        "source_ids": [],
        "starts_at": start,
        "ends_at": max(until, start + _MOMENT),
        "hours": None,
    }


async def _over(tx: Tx, ident: UUID, starts_at: datetime, ends_at: datetime, now: datetime) -> None:
    if ends_at <= now:
        return
    if starts_at > now:
        await config.remove(tx, maintenances, ident)
    else:
        await config.change(tx, maintenances, ident, {"ends_at": max(now, starts_at + _MOMENT)}, now)
    await _wake(tx, ident, now)


async def _wake(tx: Tx, ident: UUID, now: datetime) -> None:
    """Let the climbs it holds look again: each is paged that nothing holds any more."""
    await tx.execute("bump_configuration")
    await tx.execute("wake_muted", ident, now, new_id(now))
