"""This file changes planned work: while it goes on, alerts of its services and sources page nobody.

Rule 1: whatever ends it or makes it shorter wakes the climbs it holds in the same transaction; each then looks anew.
"""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from nightbell.core.errors import Stale
from nightbell.core.journal import Actor
from nightbell.engine import windows
from nightbell.engine.changing import Change, Writer, must_exist
from nightbell.engine.checks import Checks
from nightbell.engine.edits import MaintenanceEdit
from nightbell.engine.ids import new_id
from nightbell.store.tables import maintenances

_LISTS = ("service_ids", "source_ids")
_NEW: dict[str, Any] = {"service_ids": [], "source_ids": [], "ends_at": None, "hours": None}
#: The schema asks for an end after the start, even of what is ended at once.
_MOMENT = timedelta(microseconds=1)


class Maintenances(Writer):
    """Changes planned work."""

    async def create_maintenance(self, edit: MaintenanceEdit, *, by: Actor, now: datetime) -> UUID:
        """Plan work, from now on unless a start is named. Raises: Problems naming the fields."""
        fields = {**_NEW, "starts_at": now, **edit.sent()}
        fields["starts_at"] = fields["starts_at"] or now
        checks = Checks(fields)
        checks.required("name")
        _checked(checks, fields)
        if fields["ends_at"] and fields["ends_at"] <= now:
            checks.wrong("ends_at", "It would be over already.")
        checks.done()
        async with self.changing(by, now) as change:
            await _check_references(change, fields)
            values = {**fields, "created_by": by.user_id}
            key: UUID = await change.add("maintenance", maintenances, values)
        return key

    async def update_maintenance(
        self, maintenance_id: UUID, edit: MaintenanceEdit, *, by: Actor, now: datetime
    ) -> None:
        """Change planned work; what it holds looks at once whether it still does."""
        fields = edit.sent()
        async with self.changing(by, now) as change:
            before = await _own(change, maintenance_id)
            checks = Checks(fields)
            if fields.get("starts_at", now) is None:
                del fields["starts_at"]
            _checked(checks, {**before, **fields})
            checks.done()
            await _check_references(change, fields)
            await change.change("maintenance", maintenances, maintenance_id, fields)
            await _wake(change, maintenance_id)

    async def end_maintenance(self, maintenance_id: UUID, *, by: Actor, now: datetime) -> None:
        """End planned work now, and every later window of it; what still fires is paged.

        Raises: Stale for work that is over or has not begun.
        """
        async with self.changing(by, now) as change:
            before = await _own(change, maintenance_id)
            if before["starts_at"] > now:
                raise Stale("It has not begun.", hint="Delete it, or move its start.")
            if before["ends_at"] is not None and before["ends_at"] <= now:
                raise Stale("It is over already.")
            end = {"ends_at": max(now, before["starts_at"] + _MOMENT)}
            await change.change("maintenance", maintenances, maintenance_id, end)
            await _wake(change, maintenance_id)

    async def delete_maintenance(self, maintenance_id: UUID, *, by: Actor, now: datetime) -> None:
        """Forget planned work; what it holds is paged now."""
        async with self.changing(by, now) as change:
            await _own(change, maintenance_id)
            await change.remove("maintenance", maintenances, maintenance_id)
            await _wake(change, maintenance_id)


async def _own(change: Change, maintenance_id: UUID) -> dict[str, Any]:
    """Return planned work, locked. Raises: Stale for what an incident owns: it is changed there."""
    before = await change.locked("maintenance", maintenances, maintenance_id)
    if before["incident_id"] is not None:
        number = await change.tx.value("number_of_incident", before["incident_id"])
        raise Stale(f"This work belongs to INC-{number}.", hint="Change the incident; this follows.")
    return before


async def _wake(change: Change, maintenance_id: UUID) -> None:
    await change.tx.execute("wake_muted", maintenance_id, change.now, new_id(change.now))


def _checked(checks: Checks, whole: dict[str, Any]) -> None:
    """Note what is wrong with planned work as a whole; `checks` holds what was sent of it."""
    checks.text("name")
    checks.text("description", longest=10_000, empty=True)
    for name in _LISTS:
        if name in checks.sent:
            checks.sent[name] = whole[name] = list(dict.fromkeys(checks.sent[name] or []))
    if not whole["service_ids"] and not whole["source_ids"]:
        checks.wrong("service_ids", "Name at least one service or source that the work is on.")
    for name in ("starts_at", "ends_at"):
        if checks.sent.get(name):
            checks.sent[name] = whole[name] = _aware(checks.sent[name])
    _check_span(checks, whole)


def _check_span(checks: Checks, whole: dict[str, Any]) -> None:
    """Note work that would never end, or never mute."""
    start, end = whole["starts_at"], whole["ends_at"]
    hours = windows.blocks(checks, "hours", whole["hours"]) if whole["hours"] else None
    if end is None:
        if not whole["hours"]:
            checks.wrong("ends_at", "Work without an end would mute for ever.", "Give an end, or hours.")
        elif hours is not None and windows.never_ends(hours):
            checks.wrong("hours", "These hours never end; without an end they would mute for ever.")
    elif end <= start:
        checks.wrong("ends_at", "It must end after it begins.")
    elif hours is not None and (hours.next_start(start) or end) >= end:
        hint = "Name hours of a day in between, or a later end."
        checks.wrong("hours", "None of these hours lies between start and end: it would never mute.", hint)


def _aware(at: datetime) -> datetime:
    return at if at.tzinfo else at.replace(tzinfo=UTC)


async def _check_references(change: Change, fields: dict[str, Any]) -> None:
    await must_exist(change, "services", "service_ids", fields.get("service_ids"))
    await must_exist(change, "sources", "source_ids", fields.get("source_ids"))
