"""Teams, which Rootly's wire calls `groups`."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from nightbell.api.attribute import Kind, attribute, constant, times
from nightbell.api.jsonapi import Document, refer_all
from nightbell.api.resource import Call, Resource
from nightbell.api.resources import flat, schedules, users
from nightbell.engine.edits import TeamEdit
from nightbell.store.read import teams
from nightbell.store.read.listing import Found, Record


async def _find(call: Call) -> Found:
    return await teams.teams(call.db, call.listing)


async def _get(call: Call, key: str) -> Record | None:
    return await teams.team(call.db, key)


async def _create(call: Call, edit: TeamEdit) -> UUID:
    return await call.edge.configure.create_team(edit, by=call.actor, now=call.now)


async def _change(call: Call, row: Record, edit: TeamEdit) -> None:
    await call.edge.configure.update_team(row["id"], edit, by=call.actor, now=call.now)


async def _delete(call: Call, row: Record) -> None:
    await call.edge.configure.delete_team(row["id"], by=call.actor, now=call.now)


def _relationships(row: Record) -> dict[str, Any]:
    policy = row["escalation_policy_id"]
    return {
        "users": refer_all("users", row["user_ids"]),
        "schedules": refer_all("schedules", row["schedule_ids"]),
        "escalation_policies": refer_all("escalation_policies", [policy] if policy else []),
    }


async def _people(call: Call, rows: Sequence[Record]) -> list[Document]:
    return await users.documents(call, [user_id for row in rows for user_id in row["user_ids"]])


async def _schedules(call: Call, rows: Sequence[Record]) -> list[Document]:
    return await schedules.documents(call, [key for row in rows for key in row["schedule_ids"]])


TEAMS = Resource(
    type="groups",
    collections=("/teams",),
    item="/teams/{id}",
    find=_find,
    get=_get,
    edit=TeamEdit,
    create=_create,
    change=_change,
    delete=_delete,
    relationships=_relationships,
    include={"users": _people, "schedules": _schedules},
    attributes=(
        attribute("name", edit="name"),
        attribute("slug", edit="slug"),
        attribute("description", edit="description"),
        constant("notify_emails", [], Kind.LIST),
        attribute("color", of=lambda row: row["color"] or flat.DEFAULT_COLOR, edit="color"),
        constant("position", 1, Kind.NUMBER),
        constant("backstage_id", None),
        constant("pagerduty_id", None),
        attribute("user_ids", Kind.LIST, edit="user_ids"),
        attribute("admin_ids", Kind.LIST, edit="admin_ids"),
        constant("alerts_email_enabled", False, Kind.FLAG),
        constant("alerts_email_address", None),
        constant("alert_urgency_id", None, Kind.ID),
        attribute("escalation_policy_id", Kind.ID, edit="escalation_policy_id"),
        attribute("incident_broadcast_enabled", Kind.FLAG, edit="incident_broadcast_enabled"),
        attribute("incident_broadcast_channel", Kind.OBJECT, edit="incident_broadcast_channel"),
        constant("slack_channels", [], Kind.LIST),
        constant("slack_aliases", [], Kind.LIST),
        *times(),
    ),
)
