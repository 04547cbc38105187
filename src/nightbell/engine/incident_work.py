"""How every change of an incident is made: its row locked, lines for its timeline, what happened for whoever listens.

Rule 1: rows, timeline and happenings are one transaction; what a workflow causes says so, for loops to be found.
"""

from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any
from uuid import UUID

from msgspec import Struct
from msgspec.structs import replace
from sqlalchemy import Table

from nightbell.core.errors import Unknown
from nightbell.core.happening import Happening
from nightbell.core.incident import Incident, Status
from nightbell.core.incident_timeline import LONGEST, Line
from nightbell.core.journal import Actor
from nightbell.engine import incident_plans
from nightbell.engine.act import Act
from nightbell.engine.ids import minter
from nightbell.engine.ingest import Committed
from nightbell.store.db import Db, Tx
from nightbell.store.write import config, happenings
from nightbell.store.write import incidents as rows


class Cause(Struct, frozen=True, kw_only=True):
    """Why somebody who is no person changes an incident: which run of which workflow, and how deep it is.

    Shape: `because` goes into the timeline: {"workflow": …, "workflow_id": …, "alert": "E89PYM"}. The same `key` on
    the same kind of change of one incident is the same change.
    """

    run_id: UUID | None = None
    depth: int = 0
    because: dict[str, Any] = {}
    key: str | None = None


NOBODY = Cause()


class Work:
    """One change of one incident, under way."""

    def __init__(self, tx: Tx, incident: Incident, by: Actor, now: datetime, cause: Cause) -> None:
        self.tx = tx
        self.by = by
        self.now = now
        self.cause = cause
        self.mint = minter(now)
        self.before = incident
        self.incident = incident
        self._lines: list[dict[str, Any]] = []
        self._happened: list[Happening] = []
        self._changed: dict[str, None] = {}
        self._touched = False
        #: Everything of it goes when this is finished.
        self.deleted = False
        #: Changes of other incidents that are made with this one.
        self.also: list[Work] = []
        #: What was done to alerts meanwhile, to be told when it is committed.
        self.committed: list[Committed] = []

    @property
    def user_id(self) -> int | None:
        """Return which person does it, None for a workflow or the engine itself."""
        return self.by.user_id

    def say(self, line: Line, **columns: Any) -> UUID:
        """Add a line to the timeline and what it means for whoever listens; return its id."""
        ident = self.mint()
        row = {
            "id": ident,
            "incident_id": self.incident.id,
            "code": line.code,
            "event": line.event[:LONGEST],
            "visibility": "internal",
            "source": "web" if self.by.kind == "user" else self.by.kind,
            "actor": self.by.name,
            "user_id": self.by.user_id,
            "because": {**self.cause.because, **line.because},
            "attachments": [],
            "key": None,
            "occurred_at": self.now,
            "created_at": self.now,
            "updated_at": self.now,
        }
        self._lines.append({**row, **columns})
        self._touched = True
        self._changed.update(dict.fromkeys(line.changed))
        self.happened(*line.kinds, **line.data)
        return ident

    def happened(self, *kinds: str, action_item_id: UUID | None = None, **data: Any) -> None:
        """Tell whoever listens, with what is worth keeping of it."""
        for kind in kinds:
            self._happened.append(
                Happening(
                    id=self.mint(),
                    kind=kind,
                    incident_id=self.incident.id,
                    action_item_id=action_item_id,
                    data=data,
                    cause_run_id=self.cause.run_id,
                    depth=self.cause.depth,
                    at=self.now,
                )
            )

    def touch(self) -> None:
        """Say that something of the incident changed, though its timeline has no new line."""
        self._touched = True

    async def finish(self) -> None:
        """Write what came of it."""
        if self.deleted:
            await self._remove()
            return
        values = _columns(self.incident, self.before)
        if values or self._touched:
            await rows.change(self.tx, self.incident.id, values, self.now)
        await incident_plans.keep(self.tx, self.before, self.incident, self.now)
        await rows.tell(self.tx, self._lines)
        for line in self._lines:
            self.happened("incident_event_created", event_id=str(line["id"]))
        if self._changed and not any(one.kind == "incident_created" for one in self._happened):
            self.happened("incident_updated")
        await happenings.record(self.tx, [self._with_snapshot(one) for one in self._happened], self.now)

    async def _remove(self) -> None:
        gone = self.incident
        await incident_plans.forget(self.tx, gone.id, self.now)
        await happenings.record(self.tx, [self._with_snapshot(one) for one in self._happened], self.now)
        entry = {
            "id": self.mint(),
            "action": "incident.deleted",
            "item_type": "incident",
            "item_id": str(gone.id),
            "changes": {"number": gone.sequential_id, "title": gone.title, "status": gone.status.value},
        }
        await config.audit(self.tx, self.by, entry, self.now)
        await rows.remove(self.tx, gone.id)

    def _with_snapshot(self, one: Happening) -> Happening:
        now = self.incident
        snapshot = {
            "kind": now.kind,
            "status": now.status.value,
            "previous": self.before.status.value,
            "changed": list(self._changed),
            "private": now.private,
            "sequential_id": now.sequential_id,
            "title": now.title,
            "slug": now.slug,
            "by": {"kind": self.by.kind, "name": self.by.name, "user_id": self.by.user_id},
        }
        return replace(one, data={**snapshot, **one.data})


class IncidentWriter:
    """What all parts of Incidents share. `woken` is told of alerts that changed, `changed` that an incident did."""

    def __init__(
        self,
        db: Db,
        act: Act,
        woken: Callable[[Committed], None],
        changed: Callable[[], None] = lambda: None,
    ) -> None:
        self.db = db
        self.act = act
        self._woken = woken
        self._told = changed

    @asynccontextmanager
    async def working(
        self,
        incident_id: UUID,
        *,
        by: Actor,
        now: datetime,
        cause: Cause = NOBODY,
        beside: UUID | None = None,
    ) -> AsyncIterator[Work]:
        """Open one change of an incident; it is written and committed when the block ends well.

        Shape: `beside` is another incident that will be changed too. Both are locked in one order, so that two who
        join them either way do not wait for each other.
        Raises: Unknown when there is no such incident.
        """
        async with self.db.tx() as tx:
            if beside and beside < incident_id:
                await rows.locked(tx, beside)
            work = Work(tx, await loaded(tx, incident_id), by, now, cause)
            yield work
            await work.finish()
            for other in work.also:
                await other.finish()
        self.committed(work.committed)

    @asynccontextmanager
    async def owning(
        self, what: str, table: Table, key: UUID, *, by: Actor, now: datetime, cause: Cause = NOBODY
    ) -> AsyncIterator[tuple[Work, dict[str, Any]]]:
        """Open a change of the incident that a row belongs to, and hand out both.

        Raises: Unknown when there is no such row.
        """
        known = await rows.row(self.db, table, key)
        if known is None:
            raise Unknown(f"There is no {what} {key}.")
        async with self.working(known["incident_id"], by=by, now=now, cause=cause) as work:
            # Read again under the lock: somebody may have changed it, or taken it away.
            row = await rows.row(work.tx, table, key)
            if row is None:
                raise Unknown(f"There is no {what} {key}.")
            yield work, row

    def committed(self, of_alerts: Iterable[Committed] = ()) -> None:
        """Wake whoever waits for what was just committed."""
        for one in of_alerts:
            self._woken(one)
        self._told()


async def loaded(tx: Tx, incident_id: UUID, place: str = "") -> Incident:
    """Return an incident, locked.

    Raises: Unknown when there is none.
    """
    row = await rows.locked(tx, incident_id)
    if row is None:
        raise Unknown(f"There is no incident {incident_id}.", place=place)
    return read(row)


def read(row: dict[str, Any]) -> Incident:
    """Return a stored incident as its rules see it."""
    known = {name: row[name] for name in Incident.__struct_fields__}
    known["status"] = Status(row["status"])
    known["muted_service_ids"] = tuple(row["muted_service_ids"])
    return Incident(**known)


def columns(incident: Incident) -> dict[str, Any]:
    """Return an incident as it is stored."""
    values = {name: getattr(incident, name) for name in incident.__struct_fields__}
    values["status"] = incident.status.value
    values["muted_service_ids"] = list(incident.muted_service_ids)
    return values


def _columns(after: Incident, before: Incident) -> dict[str, Any]:
    was = columns(before)
    return {name: value for name, value in columns(after).items() if was[name] != value}
