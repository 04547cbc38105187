"""This file reads alerts for the API: lists of a million stay on an index, what is wide is read for one page only.

Rule 1: nothing here sorts more than it shows, unless somebody asks for that order.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, and_, false, func, literal, or_, select, true
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.types import BigInteger

from nightbell.core.alert import Status
from nightbell.core.labels import tag
from nightbell.core.shortid import decode
from nightbell.core.uuids import as_uuid
from nightbell.store.db import Runner
from nightbell.store.incident_tables import incident_alerts
from nightbell.store.read.listing import (
    Condition,
    Found,
    Listing,
    Record,
    Shelf,
    by_names,
    conditions,
    instant,
    many,
    newest,
)
from nightbell.store.statements import fetch_core
from nightbell.store.tables import alert_details, alerts, services, sources, teams

A = alerts.c
#: Requests larger than this are left out of lists. Units: bytes, before compression.
LARGEST_IN_LIST = 262_144
MOST_MEMBERS = 1_000

ALERTS = Shelf(
    table=alerts,
    filters=by_names(
        alerts, "created_at", "started_at", "ended_at", "updated_at", "urgency_id", "unpaged", "source_id"
    )
    | {
        "alert_urgency_id": A.urgency_id,
        "external_id": A.alertname,
        "group_leader_alert_id": A.leader_id,
        "group_leader": A.leader_id,
        "alert_group_id": A.group_rule_id,
    },
    orders=by_names(alerts, "started_at", "ended_at", "updated_at", "last_received_at", "summary", "status")
    | {"created_at": A.id},
    default="-created_at",
)
#: A UUIDv7 begins with its millisecond; clocks of several nodes may differ by this much.
_SKEW = timedelta(minutes=1)
_LAST_MILLISECOND = 2**48 - 1


async def listed(runner: Runner, listing: Listing, *within: ColumnElement[bool]) -> Found:
    """Return one page of narrow rows, newest first, `within` always holding; `complete` adds what is wide."""
    clauses = [
        *within,
        *_clauses(listing),
        *[await _of_source(runner, c) for c in listing.where if c.field == "source"],
    ]
    return await newest(runner, ALERTS, listing, and_(true(), *clauses))


def of_incident(incident_id: UUID) -> ColumnElement[bool]:
    """Return what holds of the alerts of an incident."""
    links = incident_alerts.c
    return A.id.in_(select(links.alert_id).where(links.incident_id == incident_id))


def _clauses(listing: Listing) -> list[ColumnElement[bool]]:
    clauses = conditions(ALERTS, listing)
    for condition in listing.where:
        if condition.field in _SPECIAL:
            clauses.append(_SPECIAL[condition.field](condition))
        if condition.field == "created_at" and condition.op in ("gt", "gte", "lt", "lte"):
            clauses.append(_by_id(condition))
    if listing.search:
        clauses.append(_searched(listing.search))
    return clauses


def _searched(text: str) -> ColumnElement[bool]:
    number = decode(text.strip())
    named = [A.number == number] if number is not None else []
    return or_(
        A.summary.icontains(text, autoescape=True), A.alertname.icontains(text, autoescape=True), *named
    )


def _by_id(condition: Condition) -> ColumnElement[bool]:
    """Bound the id as well as the time, so that a range of days is a range of the primary key."""
    at = instant(condition.values[0], condition.place)
    if condition.op in ("gt", "gte"):
        return A.id >= _first_id(at, -_SKEW)
    return A.id < _first_id(at, _SKEW)


def _first_id(at: datetime, skew: timedelta) -> UUID:
    milliseconds = int((at.timestamp() + skew.total_seconds()) * 1000)
    return UUID(int=min(max(0, milliseconds), _LAST_MILLISECOND) << 80)


def _labelled(condition: Condition) -> ColumnElement[bool]:
    """`severity:critical` or `severity=critical`; several must all hold, `in` asks for any, `not_` for none."""
    tags = [_tag(text) for text in condition.values]
    array = literal([t for t in tags if t is not None], ARRAY(BigInteger))
    if condition.op in ("not_eq", "not_in"):
        return ~A.tags.bool_op("&&")(array)
    if condition.op == "in":
        return A.tags.bool_op("&&")(array)
    return A.tags.bool_op("@>")(array) if None not in tags else false()


def _tag(text: str) -> int | None:
    for at, char in enumerate(text):
        if char in ":=":
            return tag(text[:at].strip(), text[at + 1 :].strip().strip('"'))
    return None


def _of_status(condition: Condition) -> ColumnElement[bool]:
    """ "Not resolved" is said as what it is instead: those few have an index, all the others have none."""
    asked = set(condition.values)
    wanted = [s for s in Status if (s in asked) is (condition.op not in ("not_eq", "not_in"))]
    return A.status.in_(wanted) if wanted else false()


def _negatable(condition: Condition, clause: ColumnElement[bool]) -> ColumnElement[bool]:
    return ~clause if condition.op in ("not_eq", "not_in") else clause


async def _of_source(runner: Runner, condition: Condition) -> ColumnElement[bool]:
    """A type ("alertmanager"), a name or an id; "api" is what no source sent.

    Looked up first, so that what nobody sends is known to be nothing without looking at every alert.
    """
    asked = condition.values
    ids = [key for key in map(as_uuid, asked) if key]
    named = or_(sources.c.type.in_(asked), sources.c.name.in_(asked), sources.c.id.in_(ids))
    found = [row["id"] for row in await many(runner, sources, named)]
    sent = A.source_id.in_(found) if found else false()
    clause = or_(sent, A.source_id.is_(None)) if "api" in asked else sent
    return ~func.coalesce(clause, false()) if condition.op in ("not_eq", "not_in") else clause


def _of_service(condition: Condition) -> ColumnElement[bool]:
    return _linked(condition, services, alert_details.c.service_ids)


def _of_team(condition: Condition) -> ColumnElement[bool]:
    return _linked(condition, teams, alert_details.c.team_ids)


def _linked(condition: Condition, table: Any, column: ColumnElement[Any]) -> ColumnElement[bool]:
    """By id, slug or name of what an alert is for."""
    ids = [key for key in map(as_uuid, condition.values) if key]
    named = select(table.c.id).where(
        or_(table.c.slug.in_(condition.values), table.c.name.in_(condition.values), table.c.id.in_(ids))
    )
    wanted = func.array(named.scalar_subquery())
    linked = select(literal(1)).where(alert_details.c.alert_id == A.id, column.bool_op("&&")(wanted))
    return _negatable(condition, linked.exists())


def _leading(condition: Condition) -> ColumnElement[bool]:
    """Alerts that lead a group, or led one when they were over."""
    asked = {text.strip().lower() for text in condition.values}
    leads = and_(A.group_rule_id.is_not(None), A.leader_id.is_(None))
    wanted = [leads] if asked & {"true", "1"} else []
    wanted += [~leads] if asked & {"false", "0"} else []
    return _negatable(condition, or_(false(), *wanted))


def _of_nothing(condition: Condition) -> ColumnElement[bool]:
    """What we do not have, no alert has."""
    return _negatable(condition, false())


_SPECIAL = {
    "labels": _labelled,
    "status": _of_status,
    "services": _of_service,
    "groups": _of_team,
    "teams": _of_team,
    "is_group_leader_alert": _leading,
    "environments": _of_nothing,
    "functionalities": _of_nothing,
}


async def alert_id(runner: Runner, key: str) -> UUID | None:
    """Return the id behind an id or a short id; None when the text can be neither, or no such number exists."""
    found = as_uuid(key)
    if found is not None:
        return found
    number = decode(key)
    return await runner.value("read_alert_by_number", number) if number is not None else None


async def one_alert(runner: Runner, ident: UUID) -> Record | None:
    """Return one alert with its `members` and past `occurrences`."""
    rows = [dict(row) for row in await fetch_core(runner, select(alerts).where(A.id == ident))]
    if not rows:
        return None
    rows[0]["members"] = [dict(m) for m in await runner.rows("read_members", ident, MOST_MEMBERS)]
    rows[0]["occurrences"] = [dict(o) for o in await runner.rows("read_occurrences", ident, MOST_MEMBERS)]
    return rows[0]


async def complete(runner: Runner, rows: Sequence[Record], *, largest: int | None) -> None:
    """Put beside the narrow rows what is wide: details, who was paged and notified, and the request's `body`.

    Units: `largest` is the size in bytes from which on a body is left out; None leaves out every body.
    """
    ids = [row["id"] for row in rows]
    details = {d["alert_id"]: dict(d) for d in await runner.rows("read_alert_details", ids)}
    paged = _grouped(await runner.rows("read_alert_pages", ids))
    notified = _grouped(await runner.rows("read_alert_notified", ids))
    bodies = await _bodies(runner, {row["delivery_id"] for row in rows}, largest)
    for row in rows:
        row |= details.get(row["id"]) or dict(_NO_DETAILS)
        row["paged_user_ids"], row["notified_user_ids"] = paged[row["id"]], notified[row["id"]]
        row["body"] = bodies.get(row["delivery_id"])


_NO_DETAILS: dict[str, Any] = {
    "labels": {},
    "annotations": {},
    "description": None,
    "external_url": None,
    "receiver": "",
    "group_key": "",
    "dedup_key": "",
    "dedup_rule": "",
    "targets": [],
    "routing": [],
    "service_ids": [],
    "team_ids": [],
}


def _grouped(rows: Iterable[Any]) -> dict[UUID, list[int]]:
    found: dict[UUID, list[int]] = defaultdict(list)
    for row in rows:
        found[row["alert_id"]].append(row["user_id"])
    return found


async def _bodies(runner: Runner, ids: set[UUID | None], largest: int | None) -> dict[UUID, bytes]:
    wanted = [ident for ident in ids if ident is not None]
    if largest is None or not wanted:
        return {}
    return {row["id"]: bytes(row["body"]) for row in await runner.rows("read_bodies", wanted, largest)}
