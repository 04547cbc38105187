"""Action items: what is to be done after an incident, or during it."""

from collections.abc import Sequence
from datetime import date
from typing import Any
from uuid import UUID

from msgspec.structs import replace

from nightbell.api.attribute import Kind, attribute, constant, times
from nightbell.api.jsonapi import Document, refer
from nightbell.api.resource import Call, Resource
from nightbell.api.resources import flat
from nightbell.api.resources.incident_shapes import viewer
from nightbell.api.resources.incidents import INCIDENTS, documents
from nightbell.api.sent import uuid_of
from nightbell.core.access import Permission
from nightbell.core.errors import Invalid
from nightbell.engine.incident_edits import ActionItemEdit
from nightbell.store.read import incident_events as entries
from nightbell.store.read import incidents, people
from nightbell.store.read.listing import Found, Record


async def _of_incident(call: Call) -> Found:
    row = await INCIDENTS.row(call, call.parent)
    return await _with_people(call, await entries.items(call.db, row["id"], call.listing))


async def _all(call: Call) -> Found:
    return await _with_people(call, await entries.all_items(call.db, viewer(call), call.listing))


async def _get(call: Call, key: str) -> Record | None:
    row = await entries.item(call.db, viewer(call), uuid_of(key))
    if row is not None:
        await _with_people(call, Found(rows=[row], total=1))
    return row


async def _with_people(call: Call, found: Found) -> Found:
    names = ("assigned_to", "assigned_to_user_id"), ("created_by", "created_by_id")
    for row in found.rows:
        row["created_by_id"] = row["created_by"]
    ids = [row[column] for row in found.rows for _, column in names if row[column] is not None]
    known = await people.users_by_id(call.db, ids)
    for row in found.rows:
        for name, column in names:
            row[name] = flat.user(known[row[column]]) if row[column] in known else None
    return found


def _accept(sent: dict[str, Any]) -> dict[str, Any]:
    fields = ACTION_ITEMS.taken(sent)
    if fields.get("assigned_to_user_id") == "":
        fields["assigned_to_user_id"] = None
    if "due_date" in fields:
        fields["due_date"] = _day(fields["due_date"])
    return fields


def _day(value: Any) -> date | None:
    """Return a day; of an instant, as some clients send it, the day is taken."""
    if value in (None, ""):
        return None
    try:
        return date.fromisoformat(str(value)[:10])
    except ValueError:
        raise Invalid(f"not a date: {str(value)[:40]!r}", place="due_date", hint="write 2026-11-23") from None


async def _create(call: Call, edit: ActionItemEdit) -> UUID:
    row = await INCIDENTS.row(call, call.parent)
    return await call.edge.incidents.add_item(row["id"], edit, by=call.actor, now=call.now)


async def _change(call: Call, row: Record, edit: ActionItemEdit) -> None:
    await call.edge.incidents.update_item(row["id"], edit, by=call.actor, now=call.now)


async def _delete(call: Call, row: Record) -> None:
    await call.edge.incidents.delete_item(row["id"], by=call.actor, now=call.now)


async def _incidents(call: Call, rows: Sequence[Record]) -> list[Document]:
    ids = dict.fromkeys(row["incident_id"] for row in rows)
    found = [await incidents.incident(call.db, viewer(call), one) for one in ids]
    return await documents(call, [row for row in found if row])


ACTION_ITEMS = Resource(
    type="incident_action_items",
    collections=("/incidents/{id}/action_items",),
    item="/action_items/{id}",
    find=_of_incident,
    get=_get,
    edit=ActionItemEdit,
    accept=_accept,
    create=_create,
    change=_change,
    delete=_delete,
    write=Permission.RESPOND,
    relationships=lambda row: {"incident": refer("incidents", row["incident_id"])},
    include={"incident": _incidents},
    attributes=(
        attribute("summary", edit="summary"),
        attribute("description", edit="description"),
        attribute("kind", edit="kind"),
        attribute("assigned_to", Kind.OBJECT, omit_null=True),
        attribute("assigned_to_user_id", Kind.NUMBER, edit="assigned_to_user_id"),
        attribute("assigned_to_group_ids", Kind.LIST, of="assigned_team_ids", edit="assigned_team_ids"),
        attribute("priority", edit="priority"),
        attribute("status", edit="status"),
        attribute(
            "due_date",
            of=lambda row: row["due_date"].isoformat() if row["due_date"] else None,
            edit="due_date",
        ),
        *(constant(name, None) for name in ("jira_issue_id", "jira_issue_key", "jira_issue_url")),
        attribute("created_by", Kind.OBJECT, omit_null=True),
        attribute("incident_id", Kind.ID),
        attribute("completed_at", Kind.TIME),
        *times(),
    ),
)
#: The same of every incident.
ALL_ACTION_ITEMS = replace(
    ACTION_ITEMS,
    name="all_action_items",
    collections=("/action_items",),
    find=_all,
    item="",
    create=None,
    change=None,
    delete=None,
)
