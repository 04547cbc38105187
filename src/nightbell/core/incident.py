"""Decides how an incident goes on: which status may follow which, what each one stamps, and how long each took.

Rule 1: the instants of an incident are in order, whoever writes them: started, mitigated, resolved, closed.
"""

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from msgspec import Struct
from msgspec.structs import replace

from nightbell.core.errors import Invalid


class Status(StrEnum):
    """Where an incident stands; the last four and `cancelled` belong to planned work too."""

    IN_TRIAGE = "in_triage"
    STARTED = "started"
    MITIGATED = "mitigated"
    RESOLVED = "resolved"
    CLOSED = "closed"
    CANCELLED = "cancelled"
    SCHEDULED = "scheduled"
    IN_PROGRESS = "in_progress"
    COMPLETED = "completed"


#: Rootly's kinds; those of planned work have statuses of their own.
KINDS = (
    "normal", "normal_sub", "test", "test_sub", "example", "example_sub", "backfilled", "scheduled", "scheduled_sub",
)  # fmt: skip
PLANNED = frozenset({"scheduled", "scheduled_sub"})
#: Somebody has work with it.
LIVE = frozenset({Status.IN_TRIAGE, Status.STARTED, Status.MITIGATED, Status.IN_PROGRESS})
OVER = frozenset({Status.RESOLVED, Status.CLOSED, Status.CANCELLED, Status.COMPLETED})
#: Rootly's words that are instants here: an incident is acknowledged beside its status.
MARKS = ("detected", "acknowledged")

#: The order an incident goes through; coming back to one forgets those behind it.
_WAY = (Status.IN_TRIAGE, Status.STARTED, Status.MITIGATED, Status.RESOLVED, Status.CLOSED)
_PLANNED_WAY = (Status.SCHEDULED, Status.IN_PROGRESS, Status.COMPLETED)

#: What may follow what, and what that is called in the timeline.
NEXT: Mapping[tuple[Status, Status], str] = {
    (Status.IN_TRIAGE, Status.STARTED): "started",
    (Status.IN_TRIAGE, Status.MITIGATED): "mitigated",
    (Status.IN_TRIAGE, Status.RESOLVED): "resolved",
    (Status.IN_TRIAGE, Status.CANCELLED): "cancelled",
    (Status.STARTED, Status.IN_TRIAGE): "triaged",
    (Status.STARTED, Status.MITIGATED): "mitigated",
    (Status.STARTED, Status.RESOLVED): "resolved",
    (Status.STARTED, Status.CANCELLED): "cancelled",
    (Status.MITIGATED, Status.STARTED): "restarted",
    (Status.MITIGATED, Status.RESOLVED): "resolved",
    (Status.MITIGATED, Status.CANCELLED): "cancelled",
    (Status.RESOLVED, Status.STARTED): "restarted",
    (Status.RESOLVED, Status.CLOSED): "closed",
    (Status.CLOSED, Status.STARTED): "restarted",
    (Status.CANCELLED, Status.STARTED): "restarted",
}
PLANNED_NEXT: Mapping[tuple[Status, Status], str] = {
    (Status.SCHEDULED, Status.IN_PROGRESS): "begun",
    (Status.SCHEDULED, Status.CANCELLED): "cancelled",
    (Status.IN_PROGRESS, Status.COMPLETED): "completed",
    (Status.IN_PROGRESS, Status.CANCELLED): "cancelled",
    (Status.COMPLETED, Status.IN_PROGRESS): "restarted",
    (Status.CANCELLED, Status.SCHEDULED): "restarted",
}


class Incident(Struct, frozen=True, kw_only=True):
    """An incident, as far as its rules go; what it is linked to stands beside it."""

    id: UUID
    sequential_id: int
    slug: str
    title: str
    kind: str
    status: Status
    private: bool
    source: str
    created_at: datetime
    updated_at: datetime
    public_title: str | None = None
    summary: str | None = None
    sub_status_id: UUID | None = None
    severity_id: UUID | None = None
    parent_incident_id: UUID | None = None
    duplicate_of_id: UUID | None = None
    labels: dict[str, str] = {}
    resolve_alerts: bool = True
    resolve_with_alerts: bool = False
    muted_service_ids: tuple[UUID, ...] = ()
    scheduled_for: datetime | None = None
    scheduled_until: datetime | None = None
    mitigation_message: str | None = None
    resolution_message: str | None = None
    cancellation_message: str | None = None
    retrospective: str = ""
    retrospective_status: str = "not_started"
    created_by: int | None = None
    in_triage_by: int | None = None
    started_by: int | None = None
    mitigated_by: int | None = None
    resolved_by: int | None = None
    closed_by: int | None = None
    cancelled_by: int | None = None
    in_triage_at: datetime | None = None
    detected_at: datetime | None = None
    started_at: datetime | None = None
    acknowledged_at: datetime | None = None
    mitigated_at: datetime | None = None
    resolved_at: datetime | None = None
    closed_at: datetime | None = None
    cancelled_at: datetime | None = None
    in_progress_at: datetime | None = None
    completed_at: datetime | None = None

    @property
    def planned(self) -> bool:
        """Return whether it is planned work."""
        return self.kind in PLANNED

    @property
    def number(self) -> str:
        """Return what people call it: INC-42."""
        return f"INC-{self.sequential_id}"


# ---------------------------------------------------------------- statuses


def table(incident: Incident) -> Mapping[tuple[Status, Status], str]:
    """Return which statuses may follow which for this kind of incident."""
    return PLANNED_NEXT if incident.planned else NEXT


def successors(incident: Incident) -> tuple[Status, ...]:
    """Return the statuses that may follow the one it has."""
    return tuple(to for (before, to) in table(incident) if before is incident.status)


def first_statuses(kind: str) -> tuple[Status, ...]:
    """Return the statuses an incident of a kind may begin with; the usual one first."""
    if kind in PLANNED:
        return (Status.SCHEDULED, Status.IN_PROGRESS)
    begins = (Status.STARTED, Status.IN_TRIAGE)
    return (*begins, Status.MITIGATED, Status.RESOLVED, Status.CLOSED) if kind == "backfilled" else begins


def read_status(text: str, place: str = "status") -> Status:
    """Return a status by its name.

    Raises: Invalid for a word that is none.
    """
    try:
        return Status(text)
    except ValueError:
        known = ", ".join(Status)
        raise Invalid(f"There is no status {text[:40]!r}.", place=place, hint=f"One of: {known}.") from None


def named(incident: Incident, to: Status) -> str:
    """Return what going to a status is called.

    Raises: Invalid naming what may follow instead.
    """
    try:
        return table(incident)[incident.status, to]
    except KeyError:
        possible = ", ".join(successors(incident)) or "nothing"
        kind = "Planned work that is" if incident.planned else "An incident that is"
        raise Invalid(
            f"{kind} {incident.status} cannot become {to}.",
            place="status",
            hint=f"After {incident.status} comes: {possible}.",
        ) from None


def moved(incident: Incident, to: Status, *, by: int | None, now: datetime) -> Incident:
    """Return the incident in another status, that instant stamped and those that it takes back forgotten.

    Shape: the same incident when it stands there already, so that two who do the same are one change. The first
    person who moves it has taken it: it is acknowledged.
    Raises: Invalid naming what may follow instead.
    """
    if to is incident.status:
        return incident
    named(incident, to)
    after = _stamped(replace(_forgotten(incident, to), status=to), to, by=by, now=now)
    if by is None or after.acknowledged_at or after.planned:
        return after
    return replace(after, acknowledged_at=max(now, after.detected_at or now))


def restarting(incident: Incident) -> Status:
    """Return the status that restarting leads to.

    Raises: Invalid when there is nothing to restart.
    """
    for (before, to), name in table(incident).items():
        if before is incident.status and name == "restarted":
            return to
    raise Invalid(
        f"An incident that is {incident.status} cannot be restarted.",
        place="status",
        hint="It goes on: " + (", ".join(successors(incident)) or "nothing follows") + ".",
    )


def _forgotten(incident: Incident, to: Status) -> Incident:
    """Forget the instants of statuses that are behind `to`, and that it was cancelled."""
    way = _PLANNED_WAY if incident.planned else _WAY
    later = way[way.index(to) + 1 :] if to in way else ()
    gone = [*later, Status.CANCELLED] if to is not Status.CANCELLED else []
    cleared = {f"{status}_at": None for status in gone if status is not Status.SCHEDULED}
    cleared |= {f"{status}_by": None for status in gone if f"{status}_by" in incident.__struct_fields__}
    return replace(incident, **cleared)


def _stamped(incident: Incident, to: Status, *, by: int | None, now: datetime) -> Incident:
    """Stamp that a status was reached; nothing is earlier than what came before it."""
    if to is Status.SCHEDULED:
        return incident
    column = f"{to}_at"
    before = getattr(incident, column)
    at = before or max([now, *(at for at in _until(incident, to) if at)])
    values: dict[str, object] = {column: at}
    if f"{to}_by" in incident.__struct_fields__ and not before:
        values[f"{to}_by"] = by
    if to in (Status.MITIGATED, Status.RESOLVED) and incident.started_at is None:
        values["started_at"] = incident.in_triage_at or at
    if to is Status.COMPLETED and incident.in_progress_at is None:
        values["in_progress_at"] = at
    return replace(incident, **values)


def _until(incident: Incident, to: Status) -> tuple[datetime | None, ...]:
    """Return the instants that may not be later than that of a status."""
    order = {
        Status.STARTED: (incident.in_triage_at,),
        Status.MITIGATED: (incident.in_triage_at, incident.started_at),
        Status.RESOLVED: (incident.in_triage_at, incident.started_at, incident.mitigated_at),
        Status.CLOSED: (incident.resolved_at,),
        Status.COMPLETED: (incident.in_progress_at,),
    }
    return order.get(to, ())


def marked(incident: Incident, mark: str, *, now: datetime) -> Incident:
    """Return the incident detected or acknowledged; it is so once, whoever says it again."""
    column = f"{mark}_at"
    return incident if getattr(incident, column) else replace(incident, **{column: now})


def begun(incident: Incident, *, by: int | None, now: datetime) -> Incident:
    """Return a new incident with the instant of the status it begins with, and of those that must precede it."""
    status = incident.status
    stamped = _stamped(incident, status, by=by, now=now)
    if status is Status.CLOSED and stamped.resolved_at is None:
        stamped = replace(stamped, resolved_at=stamped.closed_at)
    if status is Status.CLOSED and stamped.started_at is None:
        stamped = replace(stamped, started_at=stamped.mitigated_at or stamped.resolved_at)
    return stamped


# ---------------------------------------------------------------- instants

#: What may not come before what; (earlier, later).
_ORDER = (
    ("in_triage_at", "started_at"),
    ("detected_at", "acknowledged_at"),
    ("started_at", "mitigated_at"),
    ("started_at", "resolved_at"),
    ("mitigated_at", "resolved_at"),
    ("detected_at", "resolved_at"),
    ("resolved_at", "closed_at"),
    ("started_at", "cancelled_at"),
    ("in_progress_at", "completed_at"),
)
#: What people may set by hand.
TIMES = (
    "in_triage_at", "detected_at", "started_at", "acknowledged_at", "mitigated_at", "resolved_at", "closed_at",
    "cancelled_at",
)  # fmt: skip
#: Clocks of those who write may be ahead of ours by this much.
_AHEAD = timedelta(minutes=5)


def misplaced(incident: Incident, now: datetime) -> tuple[Invalid, ...]:
    """Return what is wrong with its instants, field by field."""
    return tuple(
        [*_out_of_order(incident), *_ahead(incident, now), *_not_reached(incident), *_of_a_plan(incident)]
    )


def _out_of_order(incident: Incident) -> Iterator[Invalid]:
    for earlier, later in _ORDER:
        first, second = getattr(incident, earlier), getattr(incident, later)
        if first and second and second < first:
            hint = f"{earlier} is {first.isoformat(timespec='seconds')}."
            yield Invalid(f"{later} is before {earlier}.", place=later, hint=hint)


def _ahead(incident: Incident, now: datetime) -> Iterator[Invalid]:
    for name in TIMES:
        at = getattr(incident, name)
        if at and at > now + _AHEAD:
            yield Invalid(f"{name} lies ahead.", place=name, hint="Give a time that is past.")


def _not_reached(incident: Incident) -> Iterator[Invalid]:
    """Find instants of statuses that it has not reached, and statuses that lack theirs."""
    status = incident.status
    way = _WAY.index(status) if status in _WAY else len(_WAY)
    for name in _WAY[way + 1 :]:
        if getattr(incident, f"{name}_at"):
            hint = f"Set the status to {name}."
            yield Invalid(f"It is {status}, so it has no {name}_at.", place=f"{name}_at", hint=hint)
    if incident.cancelled_at and status is not Status.CANCELLED:
        yield Invalid(f"It is {status}, so it has no cancelled_at.", place="cancelled_at")
    if status is not Status.SCHEDULED and getattr(incident, f"{status}_at") is None:
        yield Invalid(f"What is {status} has a {status}_at.", place=f"{status}_at", hint="Give a time.")
    elif status in (Status.MITIGATED, Status.RESOLVED) and incident.started_at is None:
        yield Invalid(f"What is {status} has a started_at.", place="started_at", hint="Give a time.")


def _of_a_plan(incident: Incident) -> Iterator[Invalid]:
    start, end = incident.scheduled_for, incident.scheduled_until
    if incident.planned:
        for name in ("scheduled_for", "scheduled_until"):
            if getattr(incident, name) is None:
                yield Invalid("Planned work has a beginning and an end.", place=name, hint="Give a time.")
    if start and end and end <= start:
        yield Invalid("scheduled_until must be after scheduled_for.", place="scheduled_until")


# ---------------------------------------------------------------- how long it took


class Phase(Struct, frozen=True):
    """How long an incident stood in a status; `open` while it still does."""

    status: Status
    length: timedelta
    open: bool = False


def began(incident: Incident) -> datetime:
    """Return when it began: detected, in triage or started, whichever was first; else when it was made."""
    known = [
        at
        for at in (incident.detected_at, incident.in_triage_at, incident.started_at, incident.in_progress_at)
        if at
    ]
    return min(known, default=incident.created_at)


def phases(incident: Incident, now: datetime) -> tuple[Phase, ...]:
    """Return how long it stood in each status it went through, the last one up to now where it is not over."""
    way = _PLANNED_WAY if incident.planned else _WAY
    reached = [(status, at) for status in way if (at := _reached(incident, status))]
    if incident.cancelled_at:
        reached.append((Status.CANCELLED, incident.cancelled_at))
    out = []
    for (status, at), following in zip(reached, [*reached[1:], None], strict=True):
        if following:
            out.append(Phase(status, max(timedelta(), following[1] - at)))
        elif status not in OVER:
            out.append(Phase(status, max(timedelta(), now - at), open=True))
    return tuple(out)


def _reached(incident: Incident, status: Status) -> datetime | None:
    return incident.created_at if status is Status.SCHEDULED else getattr(incident, f"{status}_at")


def to_acknowledge(incident: Incident) -> timedelta | None:
    """Return how long nobody had it; None while nobody has. The mean of these is MTTA."""
    return _since(incident, incident.acknowledged_at)


def to_mitigate(incident: Incident) -> timedelta | None:
    """Return how long it did harm; None while it does."""
    return _since(incident, incident.mitigated_at or incident.resolved_at)


def to_resolve(incident: Incident) -> timedelta | None:
    """Return how long it lasted; None while it does. The mean of these is MTTR."""
    return _since(incident, incident.resolved_at)


def _since(incident: Incident, at: datetime | None) -> timedelta | None:
    return max(timedelta(), at - began(incident)) if at else None
