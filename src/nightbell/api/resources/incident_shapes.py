"""What an incident's document shows beyond its own row: people, severity, what it is about, who has which role.

Rule 1: shapes as Rootly's clients read them (rootly.md 3): a severity or a person is {"data": …} or null, services,
teams and environments are {"data": […]}.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Any
from uuid import UUID

from nightbell.api.jsonapi import Document, refer_all, stamp
from nightbell.api.resource import Call, Include
from nightbell.api.resources import flat, users
from nightbell.core import incident as rules
from nightbell.core.access import Permission, may
from nightbell.engine.incident_work import read
from nightbell.store.read import incident_catalogs, incidents, people, teams
from nightbell.store.read.incidents import Viewer
from nightbell.store.read.listing import Record

#: Who brought it to a status.
PEOPLE = (
    "created_by", "in_triage_by", "started_by", "mitigated_by", "resolved_by", "closed_by", "cancelled_by",
)  # fmt: skip
#: Catalog, column with its ids, and what the wire calls it.
_CATALOGS = (
    ("environments", "environment_ids", "environments"),
    ("functionalities", "functionality_ids", "functionalities"),
    ("incident_types", "type_ids", "incident_types"),
)
#: Where its chat room is.
ROOM = ("slack_channel_id", "slack_channel_name", "slack_channel_url", "slack_channel_deep_link")


def viewer(call: Call) -> Viewer:
    """Return who looks: from whoever invites people, no incident is kept."""
    return Viewer(user_id=call.visitor.user_id, everything=may(call.visitor.role, Permission.PEOPLE))


async def enrich(call: Call, rows: Sequence[Record]) -> None:
    """Put beside each row what its document needs. One query per kind of thing, however many rows."""
    if not rows:
        return
    await incidents.complete(call.db, rows)
    severities = await incident_catalogs.entries_by_id(
        call.db, "severities", [row["severity_id"] for row in rows]
    )
    known = await _people(call, {row[name] for row in rows for name in PEOPLE})
    services = await teams.services_by_id(call.db, _all(rows, "service_ids"))
    groups = await teams.teams_by_id(call.db, _all(rows, "team_ids"))
    rooms = await incidents.rooms(call.db, [row["id"] for row in rows])
    for row in rows:
        row |= dict(zip(ROOM, rooms.get(row["id"], (None,) * len(ROOM)), strict=True))
        row["severity"] = severities.get(row["severity_id"])
        row["people"] = known
        row["services"] = _nouns("services", row["service_ids"], services)
        row["groups"] = _nouns("groups", row["team_ids"], groups)
        row["url"] = f"{call.edge.base_url}/account/incidents/{row['sequential_id']}-{row['slug']}"
        row["short_url"] = f"{call.edge.base_url}/i/{row['sequential_id']}"
        row["rules"] = read(row)
    for name, column, kind in _CATALOGS:
        found = await incident_catalogs.entries_by_id(call.db, name, _all(rows, column))
        for row in rows:
            row[name] = _nouns(kind, row[column], found)


async def _people(call: Call, ids: set[int | None]) -> dict[int, dict[str, Any]]:
    documents = await users.documents(call, [one for one in ids if one is not None])
    return {int(document.id): document.wire({}) for document in documents}


def _all(rows: Sequence[Record], column: str) -> list[UUID]:
    return list({key for row in rows for key in row[column]})


def _nouns(kind: str, ids: Iterable[UUID], found: dict[UUID, Record]) -> list[Document]:
    return [_noun(kind, found[one]) for one in ids if one in found]


def _noun(kind: str, row: Record) -> Document:
    return Document(type=kind, id=str(row["id"]), attributes=flat.noun(row))


# ---------------------------------------------------------------- attributes


def data(name: str) -> Callable[[Record], dict[str, Any]]:
    """Return what shows things as {"data": […]}."""
    return lambda row: {"data": [document.wire({}) for document in row[name]]}


def severity(row: Record) -> dict[str, Any] | None:
    """Return the severity as {"data": …}, None where it has none."""
    one = row["severity"]
    if one is None:
        return None
    plain = ("name", "slug", "description", "severity", "color", "position")
    spans = {name: stamp(one[name]) for name in ("created_at", "updated_at")}
    attributes = {name: one[name] for name in plain} | spans
    return {"data": {"id": str(one["id"]), "type": "severities", "attributes": attributes}}


def person(name: str) -> Callable[[Record], dict[str, Any] | None]:
    """Return what shows a person as {"data": …}, None where nobody is meant."""

    def shown(row: Record) -> dict[str, Any] | None:
        known = row["people"].get(row[name]) if row[name] is not None else None
        return {"data": known} if known else None

    return shown


def seconds(measure: Callable[[rules.Incident], Any]) -> Callable[[Record], int | None]:
    """Return what shows how long something took, in seconds; None while it is not known."""

    def shown(row: Record) -> int | None:
        span = measure(row["rules"])
        return None if span is None else int(span.total_seconds())

    return shown


def relationships(row: Record) -> dict[str, Any]:
    """Return what an incident refers to."""
    return {
        "services": refer_all("services", row["service_ids"]),
        "groups": refer_all("groups", row["team_ids"]),
        "environments": refer_all("environments", row["environment_ids"]),
        "functionalities": refer_all("functionalities", row["functionality_ids"]),
        "incident_types": refer_all("incident_types", row["type_ids"]),
        "causes": refer_all("causes", []),
        "roles": refer_all("incident_role_assignments", [one["id"] for one in row["roles"]]),
        "subscribers": refer_all(
            "users", [one["user_id"] for one in row["subscribers"] if one["user_id"] is not None]
        ),
        "alerts": refer_all("alerts", row["alert_ids"]),
    }


# ---------------------------------------------------------------- included


def _loads(name: str) -> Include:
    async def load(call: Call, rows: Sequence[Record]) -> list[Document]:
        return [document for row in rows for document in row[name]]

    return load


async def _roles(call: Call, rows: Sequence[Record]) -> list[Document]:
    """Return who has which role, with the role and the person inside, as Rootly's clients read them."""
    given = [one for row in rows for one in row["roles"]]
    roles = await incident_catalogs.entries_by_id(
        call.db, "incident_roles", [one["incident_role_id"] for one in given]
    )
    known = await people.users_by_id(call.db, [one["user_id"] for one in given])
    return [_role(one, roles[one["incident_role_id"]], known) for one in given]


def _role(one: Record, role: Record, known: dict[int, Record]) -> Document:
    plain = ("name", "slug", "summary", "description", "position")
    attributes = {
        "incident_role_id": str(one["incident_role_id"]),
        "incident_role": {"id": str(role["id"]), **{name: role[name] for name in plain}},
        "name": role["name"],
        "user_id": one["user_id"],
        "user": flat.user(known[one["user_id"]]) if one["user_id"] in known else None,
        "schedule_id": one["schedule_id"],
        "created_at": stamp(one["created_at"]),
        "updated_at": stamp(one["updated_at"]),
    }
    return Document(type="incident_role_assignments", id=str(one["id"]), attributes=attributes)


async def _subscribers(call: Call, rows: Sequence[Record]) -> list[Document]:
    ids = [one["user_id"] for row in rows for one in row["subscribers"] if one["user_id"] is not None]
    return await users.documents(call, ids)


async def _user(call: Call, rows: Sequence[Record]) -> list[Document]:
    return await users.documents(call, [row["created_by"] for row in rows if row["created_by"] is not None])


INCLUDE: dict[str, Include] = {
    **{name: _loads(name) for name in ("services", "groups", "environments", "functionalities")},
    "incident_types": _loads("incident_types"),
    "roles": _roles,
    "subscribers": _subscribers,
    "user": _user,
}


# ---------------------------------------------------------------- inside other documents


def brief(call: Call, row: Record) -> dict[str, Any]:
    """Return an incident as it stands in an alert (rootly.md 2.2: `incident` of an alert event)."""
    began, over = row["started_at"], row["resolved_at"]
    return {
        "id": str(row["id"]),
        "sequential_id": row["sequential_id"],
        "title": row["title"],
        "slug": row["slug"],
        "kind": row["kind"],
        "status": row["status"],
        "private": row["private"],
        "description": row["summary"],
        "started_at": stamp(began),
        "duration": int((over - began).total_seconds()) if began and over else None,
        "url": f"{call.edge.base_url}/account/incidents/{row['sequential_id']}-{row['slug']}",
        "created_at": stamp(row["created_at"]),
        "updated_at": stamp(row["updated_at"]),
    }
