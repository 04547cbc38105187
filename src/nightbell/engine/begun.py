"""Tells whoever listens outside that somebody's time on call began: once, by whoever looks at the shifts.

Rule 1: what began is what began since the last look, and the look is one locked row: nothing is told twice.
"""

from datetime import datetime
from typing import Any
from uuid import uuid5

from nightbell.core import noticing
from nightbell.core.directory import Directory
from nightbell.core.happening import SHIFT_STARTED, Happening
from nightbell.core.noticing import Duty
from nightbell.engine.ids import minter
from nightbell.store.db import Tx
from nightbell.store.write import happenings


async def tell(tx: Tx, directory: Directory, *, since: datetime | None, now: datetime) -> None:
    """Keep which duties began since a look, where somebody listens; nothing at the first look of all."""
    if since is None or SHIFT_STARTED not in directory.listeners:
        return
    found = [duty for one in directory.schedules.values() for duty in noticing.duties(one, now)]
    mint = minter(now)
    new = [
        Happening(id=mint(), kind=SHIFT_STARTED, at=duty.start, data=_said(duty, directory))
        for duty in found
        if since < duty.start <= now
    ]
    await happenings.record(tx, new, now)


def _said(duty: Duty, directory: Directory) -> dict[str, Any]:
    """Return a duty as Rootly's shifts read, with names beside the ids."""
    schedule, user = directory.schedules.get(str(duty.schedule_id)), directory.users.get(duty.user_id)
    return {
        "id": str(uuid5(duty.schedule_id, f"{duty.user_id}/{duty.start.isoformat()}")),
        "schedule_id": str(duty.schedule_id),
        "schedule": {"id": str(duty.schedule_id), "name": schedule.name if schedule else None},
        "user_id": duty.user_id,
        "user": {"id": duty.user_id, "name": user.name if user else None},
        "starts_at": duty.start.isoformat().replace("+00:00", "Z"),
        "ends_at": duty.end.isoformat().replace("+00:00", "Z"),
    }
