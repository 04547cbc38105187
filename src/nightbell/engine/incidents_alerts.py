"""This file puts alerts and incidents together, both ways, and ends the ones with the others.

Rule 1: what is attached is told on both sides: a line in the incident's timeline and one in the alert's.
"""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from msgspec.structs import replace

from nightbell.core.errors import Invalid
from nightbell.core.incident import LIVE, Incident, Status, moved
from nightbell.core.incident_timeline import Line, moving
from nightbell.core.journal import SYSTEM, Actor, Entry, Kind
from nightbell.core.shortid import encode
from nightbell.engine.incident_work import NOBODY, Cause, IncidentWriter, Work
from nightbell.store.incident_tables import incident_alerts
from nightbell.store.write import incidents as rows
from nightbell.store.write import ledger
from nightbell.store.write.together import Together

#: Nobody reads a storm alert by alert. Units: alerts of one incident.
MOST_ALERTS = 1_000
#: How many incidents are ended with their alerts in one round.
_ROUND = 50


class IncidentAlerts(IncidentWriter):
    """Attaches and detaches alerts."""

    async def attach(
        self,
        incident_id: UUID,
        alert_ids: Collection[UUID],
        *,
        by: Actor,
        now: datetime,
        cause: Cause = NOBODY,
    ) -> list[UUID]:
        """Attach alerts to an incident and return those that were not attached before.

        Raises: Unknown without such an incident, Invalid naming an alert there is not.
        """
        async with self.working(incident_id, by=by, now=now, cause=cause) as work:
            return await attach(work, alert_ids)

    async def detach(
        self,
        incident_id: UUID,
        alert_ids: Collection[UUID],
        *,
        by: Actor,
        now: datetime,
        cause: Cause = NOBODY,
    ) -> None:
        """Take alerts off an incident; one that is not attached stays as it is."""
        async with self.working(incident_id, by=by, now=now, cause=cause) as work:
            ids = [one for one in await rows.attached(work.tx, incident_id) if one in set(alert_ids)]
            if not ids:
                return
            await rows.delete_rows(work.tx, incident_alerts, incident_id, alert_id=ids)
            found = await rows.alerts(work.tx, ids)
            for alert in found:
                work.say(_line("alert_detached", f"Alert {_named(alert)} detached", alert))
            await _tell_alerts(work, found, "removed", "alert.detached", "Detached from")

    async def follow_alerts(self, *, now: datetime) -> int:
        """Resolve the incidents that end with their alerts, all of which have; return how many."""
        ended = 0
        async with self.db.tx() as tx:
            found = await rows.whose_alerts_are_over(tx, _ROUND)
        for incident_id in found:
            async with self.working(incident_id, by=SYSTEM, now=now) as work:
                # Looked at again under the lock: an alert may have come back since.
                if work.incident.resolve_with_alerts and work.incident.status in LIVE:
                    ended += await _end_with_alerts(work)
        return ended


async def _end_with_alerts(work: Work) -> bool:
    found = await rows.alerts(work.tx, await rows.attached(work.tx, work.incident.id))
    if not found or any(alert["status"] != "resolved" for alert in found):
        return False
    work.incident = moved(work.incident, Status.RESOLVED, by=None, now=work.now)
    line = moving(work.before, work.incident, "all its alerts are resolved")
    work.say(replace(line, because={"setting": "resolve_with_alerts"}))
    return True


async def attach(work: Work, alert_ids: Collection[UUID], *, place: str = "alert_ids") -> list[UUID]:
    """Attach alerts in a change that is under way; return those that were not attached before.

    Raises: Invalid naming an alert there is not, or one too many.
    """
    asked = list(dict.fromkeys(alert_ids))
    already = await rows.attached(work.tx, work.incident.id)
    found = await rows.alerts(work.tx, [one for one in asked if one not in set(already)])
    _check(asked, already, found, place)
    for alert in found:
        row = {
            "incident_id": work.incident.id,
            "alert_id": alert["id"],
            "occurrence": alert["occurrence"],
            "created_by": work.user_id,
        }
        await rows.insert_row(work.tx, incident_alerts, row, work.now)
        work.say(_line("alert_attached", f"Alert {_named(alert)} attached", alert))
    await _tell_alerts(work, found, "attached", "alert.attached", "Attached to")
    work.incident = _detected(work.incident, found)
    return [alert["id"] for alert in found]


def _check(asked: Sequence[UUID], already: Sequence[UUID], found: Sequence[rows.Record], place: str) -> None:
    known = {*already, *(alert["id"] for alert in found)}
    absent = ", ".join(str(one) for one in asked if one not in known)
    if absent:
        raise Invalid(f"Alert: there is no {absent}.", place=place, hint="Name one that exists.")
    if len(known) > MOST_ALERTS:
        raise Invalid(f"An incident has at most {MOST_ALERTS} alerts.", place=place)


def _detected(incident: Incident, found: Sequence[rows.Record]) -> Incident:
    """Take over from the first alerts when it was detected, and that somebody has it already."""
    if incident.detected_at or not found or incident.status not in LIVE:
        return incident
    at = min(alert["started_at"] for alert in found)
    taken = [alert["acknowledged_at"] for alert in found if alert["acknowledged_at"]]
    acknowledged = incident.acknowledged_at or min(taken, default=None)
    if acknowledged and acknowledged < at:
        acknowledged = at
    return replace(incident, detected_at=at, acknowledged_at=acknowledged)


async def _tell_alerts(work: Work, found: Sequence[rows.Record], action: str, code: str, said: str) -> None:
    """Write into the timelines of alerts; of a private incident they learn no more than that there is one."""
    incident = work.incident
    private = incident.private
    what = "a private incident" if private else f"incident #{incident.sequential_id} {incident.title}"
    because: dict[str, Any] = {**work.cause.because, "incident_id": str(incident.id)}
    entries = [
        Entry(
            id=work.mint(),
            alert_id=alert["id"],
            at=work.now,
            kind=Kind.INFORMATIONAL,
            action=action,
            code=code,
            by=work.by,
            details=f"{said} {what}",
            because=because if private else {**because, "incident": incident.number},
            user_id=work.user_id,
        )
        for alert in found
    ]
    together = Together()
    ledger.entries(together, entries)
    await together.run(work.tx)


def _line(code: str, event: str, alert: rows.Record) -> Line:
    because = {"alert_id": str(alert["id"]), "alert": encode(alert["number"])}
    return Line(code=f"incident.{code}", event=event, because=because)


def _named(alert: rows.Record) -> str:
    return f"{encode(alert['number'])}: {alert['summary']}"
