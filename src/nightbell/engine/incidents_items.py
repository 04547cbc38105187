"""This file keeps action items: what is to be done, by whom, until when."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any
from uuid import UUID

from nightbell.core.errors import Invalid
from nightbell.core.incident_timeline import Line
from nightbell.core.journal import Actor
from nightbell.engine.checks import Checks
from nightbell.engine.incident_checks import existing, raise_all
from nightbell.engine.incident_edits import ActionItemEdit
from nightbell.engine.incident_work import NOBODY, Cause, IncidentWriter, Work
from nightbell.store.incident_tables import incident_action_items
from nightbell.store.tables import teams, users
from nightbell.store.write import incidents as rows

KINDS = ("task", "follow_up")
PRIORITIES = ("high", "medium", "low")
STATES = ("open", "in_progress", "cancelled", "done")
_OVER = ("cancelled", "done")
_USUAL = {"kind": "task", "priority": "medium", "status": "open", "assigned_team_ids": []}
#: Field, what people call it, and the trigger that its change is.
_TOLD = (
    ("summary", "summary", "summary_updated"),
    ("description", "description", "description_updated"),
    ("kind", "kind", ""),
    ("priority", "priority", "priority_updated"),
    ("status", "status", "status_updated"),
    ("assigned_to_user_id", "owner", "assigned_user_updated"),
    ("assigned_team_ids", "teams", "teams_updated"),
    ("due_date", "due", "due_date_updated"),
)


class IncidentItems(IncidentWriter):
    """Changes action items."""

    async def add_item(
        self,
        incident_id: UUID,
        edit: ActionItemEdit,
        *,
        by: Actor,
        now: datetime,
        cause: Cause = NOBODY,
    ) -> UUID:
        """Add an action item and return its id; the same `cause.key` again is the same item.

        Raises: Unknown, Problems naming the fields.
        """
        sent = {**_USUAL, **_checked(edit, required=True)}
        async with self.working(incident_id, by=by, now=now, cause=cause) as work:
            if cause.key:
                known = await rows.rows_of(work.tx, incident_action_items, incident_id, key=cause.key)
                if known:
                    found: UUID = known[0]["id"]
                    return found
            await _referred(work, sent)
            ident = work.mint()
            row = {
                "id": ident,
                "incident_id": incident_id,
                "key": cause.key,
                "created_by": work.user_id,
                **sent,
            }
            row["completed_at"] = now if sent["status"] in _OVER else None
            await rows.insert_row(work.tx, incident_action_items, row, now)
            work.say(_line(ident, "action_item_added", f"Action item: {sent['summary']}"))
            work.happened("action_item_created", action_item_id=ident, item=_snapshot(row))
            return ident

    async def update_item(
        self, item_id: UUID, edit: ActionItemEdit, *, by: Actor, now: datetime, cause: Cause = NOBODY
    ) -> None:
        """Change what was sent of an action item.

        Raises: Unknown, Problems naming the fields.
        """
        sent = _checked(edit)
        async with self.owning(
            "action item", incident_action_items, item_id, by=by, now=now, cause=cause
        ) as (work, before):
            called = await _referred(work, {**sent, "was": before["assigned_to_user_id"]})
            differing: dict[str, Any] = {name: v for name, v in sent.items() if before[name] != v}
            if not differing:
                return
            over = differing.get("status", before["status"]) in _OVER
            completed = (before["completed_at"] or now) if over else None
            values = {**differing, "completed_at": completed}
            await rows.update_row(work.tx, incident_action_items, item_id, values, now)
            told = "; ".join(_changes(before, differing, called))
            work.say(_line(item_id, "action_item_changed", f"Action item {before['summary']}: {told}"))
            kinds = [kind for name, _, kind in _TOLD if kind and name in differing]
            item = _snapshot({**before, **values})
            work.happened(
                "action_item_updated", *kinds, action_item_id=item_id, item=item, changed=list(differing)
            )

    async def delete_item(self, item_id: UUID, *, by: Actor, now: datetime) -> None:
        """Take an action item away. Raises: Unknown."""
        async with self.owning("action item", incident_action_items, item_id, by=by, now=now) as (work, row):
            await rows.delete_rows(work.tx, incident_action_items, row["incident_id"], id=item_id)
            work.say(_line(item_id, "action_item_removed", f"Action item removed: {row['summary']}"))


def _checked(edit: ActionItemEdit, *, required: bool = False) -> dict[str, Any]:
    checks = Checks(edit.sent())
    if required or "summary" in checks.sent:
        checks.required("summary")
    checks.text("summary", longest=500)
    checks.text("description", longest=20_000, empty=True)
    for name, usual in _USUAL.items():
        if name in checks.sent and checks.sent[name] is None:
            checks.sent[name] = usual
    checks.choice("kind", KINDS)
    checks.choice("priority", PRIORITIES)
    checks.choice("status", STATES)
    checks.that("due_date", lambda day: "" if 2000 <= day.year <= 2200 else "Not a date that can be.")
    checks.done()
    if checks.sent.get("description") == "":
        checks.sent["description"] = None
    return checks.sent


async def _referred(work: Work, sent: dict[str, Any]) -> dict[Any, str]:
    problems: list[Invalid] = []
    owner = sent.get("assigned_to_user_id")
    called = await rows.names(work.tx, users, [sent.get("was")])
    if owner is not None:
        ids = [owner] if 0 < owner < 2**31 else []
        if not ids:
            problems.append(Invalid("There is nobody with this id.", place="assigned_to_user_id"))
        called |= await existing(work.tx, users, "assigned_to_user_id", ids, problems)
    called |= await existing(
        work.tx, teams, "assigned_team_ids", sent.get("assigned_team_ids") or [], problems
    )
    raise_all(problems)
    return called


def _changes(before: rows.Record, differing: dict[str, Any], called: dict[Any, str]) -> Iterator[str]:
    for name, label, _ in _TOLD:
        if name in differing:
            was, now = (_shown(name, value, called) for value in (before[name], differing[name]))
            yield f"{label} {was} → {now}"


def _shown(name: str, value: Any, called: dict[Any, str]) -> str:
    if name == "assigned_team_ids":
        return ", ".join(called.get(one, "a team") for one in value) or "none"
    if name == "assigned_to_user_id":
        return called.get(value, "none")
    return str(value).replace("_", " ") if value else "none"


def _snapshot(row: rows.Record) -> dict[str, Any]:
    kept = ("summary", "kind", "priority", "status", "assigned_to_user_id", "assigned_team_ids", "due_date")
    return {name: row.get(name) for name in kept}


def _line(item_id: UUID, code: str, event: str) -> Line:
    return Line(code=f"incident.{code}", event=event, because={"action_item_id": str(item_id)})
