"""This file decides and changes how incidents belong together: below another one, or the same as another one.

Rule 1: nothing goes round: an incident is never below, or a duplicate of, what is below or a duplicate of it.
"""

from datetime import datetime
from uuid import UUID

from msgspec.structs import replace

from nightbell.core.errors import Invalid
from nightbell.core.incident import LIVE, Incident, Status, moved
from nightbell.core.incident_timeline import Line, moving
from nightbell.core.journal import Actor
from nightbell.engine.incident_work import NOBODY, Cause, IncidentWriter, Work, loaded
from nightbell.engine.incidents_alerts import attach
from nightbell.store.incident_tables import incident_subscribers
from nightbell.store.write import incidents as rows

#: Nobody nests deeper; a longer chain is a mistake.
_DEEPEST = 10


def below(kind: str) -> str:
    """Return the kind of an incident that is below another: normal_sub."""
    return kind if kind.endswith("_sub") or kind == "backfilled" else f"{kind}_sub"


def above(kind: str) -> str:
    """Return the kind of an incident that is below none any more."""
    return kind.removesuffix("_sub")


async def check_parent(work: Work, parent_id: UUID) -> None:
    """Refuse a parent that is the incident itself, or is below it.

    Raises: Invalid naming the field.
    """
    at: UUID | None = parent_id
    for _ in range(_DEEPEST):
        if at is None:
            return
        if at == work.incident.id:
            raise Invalid("An incident cannot be below itself.", place="parent_incident_id")
        at = await work.tx.value("parent_of_incident", at)
    raise Invalid(f"Incidents are nested at most {_DEEPEST} deep.", place="parent_incident_id")


async def merge(work: Work, original_id: UUID, message: str | None = None, *, cancel: bool = True) -> Work:
    """Make an incident the duplicate of another, which gets its alerts, services, teams and subscribers.

    Shape: a live duplicate is cancelled, unless that is not wanted. Returns the change of the original, to be finished by the caller.
    Raises: Invalid when they are the same, or the other one is a duplicate itself.
    """
    duplicate = work.incident
    if original_id == duplicate.id:
        raise Invalid("An incident is not its own duplicate.", place="duplicate_of_id")
    original = Work(work.tx, await loaded(work.tx, original_id), work.by, work.now, work.cause)
    if original.incident.duplicate_of_id:
        raise Invalid(
            f"{original.incident.number} is a duplicate itself.",
            place="duplicate_of_id",
            hint="Name the incident that it duplicates.",
        )
    work.incident = replace(duplicate, duplicate_of_id=original_id)
    if cancel and duplicate.status in LIVE and not duplicate.planned:
        why = message or f"duplicate of #{original.incident.sequential_id} {original.incident.title}"
        cancelled = moved(work.incident, Status.CANCELLED, by=work.user_id, now=work.now)
        work.incident = replace(cancelled, cancellation_message=message or duplicate.cancellation_message)
        because = {"duplicate_of": original.incident.number, "incident_id": str(original_id)}
        work.say(replace(moving(work.before, work.incident, why), because=because))
    else:
        work.say(
            _same("duplicate_of_changed", f"Duplicate of {_named(original.incident)}", original.incident)
        )
    original.say(_same("merged", f"{_named(duplicate)} was merged into this incident", duplicate))
    await _hand_over(original, duplicate)
    return original


def unmerge(work: Work) -> None:
    """Say that an incident is no duplicate after all."""
    work.incident = replace(work.incident, duplicate_of_id=None)
    work.say(
        Line(
            code="incident.duplicate_of_changed", event="No duplicate after all", changed=("duplicate_of_id",)
        )
    )


async def _hand_over(original: Work, duplicate: Incident) -> None:
    tx, now, ident = original.tx, original.now, original.incident.id
    for name in rows.LINKS:
        has = await rows.linked(tx, name, ident)
        more = [one for one in await rows.linked(tx, name, duplicate.id) if one not in has]
        await rows.link(tx, name, ident, more, now)
    await attach(original, await rows.attached(tx, duplicate.id))
    known = await rows.rows_of(tx, incident_subscribers, ident)
    seen = {(row["user_id"], row["email"]) for row in known}
    for row in await rows.rows_of(tx, incident_subscribers, duplicate.id):
        if (row["user_id"], row["email"]) not in seen:
            copied = {**row, "id": original.mint(), "incident_id": ident}
            await rows.insert_row(tx, incident_subscribers, copied, now)


def _same(code: str, event: str, other: Incident) -> Line:
    because = {"incident": other.number, "incident_id": str(other.id)}
    return Line(code=f"incident.{code}", event=event, changed=("duplicate_of_id",), because=because)


def _named(incident: Incident) -> str:
    return f"#{incident.sequential_id} {incident.title}"


class IncidentFamily(IncidentWriter):
    """Merges incidents, and takes them apart again."""

    async def merge(
        self,
        incident_id: UUID,
        into: UUID,
        *,
        by: Actor,
        now: datetime,
        message: str | None = None,
        cancel: bool = True,
    ) -> None:
        """Make an incident a duplicate of another; done twice it is done once.

        Raises: Unknown, Invalid when they are the same or the other one is a duplicate itself.
        """
        async with self.working(incident_id, by=by, now=now, beside=into) as work:
            if work.incident.duplicate_of_id != into:
                work.also.append(await merge(work, into, message, cancel=cancel))

    async def unmerge(self, incident_id: UUID, *, by: Actor, now: datetime, cause: Cause = NOBODY) -> None:
        """Say that an incident is no duplicate after all. It stays cancelled until somebody restarts it.

        Raises: Invalid when it is none.
        """
        async with self.working(incident_id, by=by, now=now, cause=cause) as work:
            if work.incident.duplicate_of_id is None:
                raise Invalid("This incident is no duplicate.", place="duplicate_of_id")
            unmerge(work)
