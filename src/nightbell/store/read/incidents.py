"""This file reads incidents for the API: lists with their filters, one by its id, number or slug, and what is around it.

Rule 1: every reader is handed who looks, and says nothing of a private incident to whom it does not concern.
"""

import re
from collections import defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, Table, and_, exists, false, func, literal, or_, select, true
from sqlalchemy.dialects.postgresql import JSONB

from nightbell.core.uuids import as_uuid
from nightbell.store import incident_tables as tables
from nightbell.store import tables as common
from nightbell.store.db import Runner
from nightbell.store.read.incident_pages import Viewer, number_of
from nightbell.store.read.listing import (
    Condition,
    Found,
    Listing,
    Record,
    Shelf,
    by_names,
    conditions,
    many,
    newest,
    one,
)
from nightbell.store.statements import fetch_core

__all__ = [
    "EVERYTHING",
    "Viewer",
    "by_ids",
    "complete",
    "incident",
    "incident_id",
    "listed",
    "of_alerts",
    "visible",
    "with_retrospective",
]

I = tables.incidents.c  # noqa: E741  the columns read like SQL
#: From the engine, no incident is kept.
EVERYTHING = Viewer(user_id=0, everything=True)
_TIMES = (
    "in_triage_at", "detected_at", "started_at", "acknowledged_at", "mitigated_at", "resolved_at", "closed_at",
    "cancelled_at", "scheduled_for", "scheduled_until",
)  # fmt: skip

INCIDENTS = Shelf(
    table=tables.incidents,
    filters=by_names(
        tables.incidents,
        *("created_at", "updated_at", *_TIMES),
        *("id", "slug", "title", "kind", "status", "private", "source", "severity_id", "sequential_id"),
        *("parent_incident_id", "retrospective_status"),
    )
    | {
        "user_id": I.created_by,
        "duplicate_incident_id": I.duplicate_of_id,
        "retrospective_progress_status": I.retrospective_status,
    },
    orders=by_names(tables.incidents, "updated_at", *_TIMES, "title", "status", "sequential_id")
    | {"created_at": I.id},
    default="-created_at",
)


class _Linked:
    """A filter by what incidents are linked to: by slug, name or id."""

    def __init__(self, between: Table, column: str, of: Table) -> None:
        self.between, self.column, self.of = between, between.c[column], of

    def __call__(self, condition: Condition) -> ColumnElement[bool]:
        """Return the filter as SQL."""
        ids = [key for key in map(as_uuid, condition.values) if key]
        named = or_(
            self.of.c.slug.in_(condition.values),
            self.of.c.name.in_(condition.values),
            self.of.c.id.in_(ids),
        )
        wanted = select(self.of.c.id).where(named)
        linked = exists().where(self.between.c.incident_id == I.id, self.column.in_(wanted))
        return _negatable(condition, linked)


def _negatable(condition: Condition, clause: ColumnElement[bool]) -> ColumnElement[bool]:
    return ~clause if condition.op in ("not_eq", "not_in") else clause


def _of_severity(condition: Condition) -> ColumnElement[bool]:
    """A severity by slug, name or id, or how grave it is: critical, high, medium, low."""
    s = tables.severities.c
    ids = [key for key in map(as_uuid, condition.values) if key]
    wanted = select(s.id).where(
        or_(
            s.slug.in_(condition.values),
            s.name.in_(condition.values),
            s.severity.in_(condition.values),
            s.id.in_(ids),
        )
    )
    return _negatable(condition, func.coalesce(I.severity_id.in_(wanted), false()))


def _labelled(condition: Condition) -> ColumnElement[bool]:
    """`key:value` or `key=value`; several must all hold, `in` asks for any, `not_` for none."""
    pairs = [re.split("[:=]", text, maxsplit=1) for text in condition.values]
    clauses = [
        I.labels.bool_op("@>")(literal({pair[0].strip(): pair[1].strip()}, JSONB))
        if len(pair) == 2
        else false()
        for pair in pairs
    ]
    if condition.op in ("in", "not_eq", "not_in"):
        return _negatable(condition, or_(false(), *clauses))
    return and_(true(), *clauses)


_services = _Linked(tables.incident_services, "service_id", common.services)
_teams = _Linked(tables.incident_teams, "team_id", common.teams)
_environments = _Linked(tables.incident_environments, "environment_id", tables.environments)
_functionalities = _Linked(tables.incident_functionalities, "functionality_id", tables.functionalities)
_types = _Linked(tables.incident_type_links, "incident_type_id", tables.incident_types)
_SPECIAL: Mapping[str, Callable[[Condition], ColumnElement[bool]]] = {
    **dict.fromkeys(("services", "service_ids", "service_names"), _services),
    **dict.fromkeys(("teams", "team_ids", "team_names", "groups", "group_ids"), _teams),
    **dict.fromkeys(("environments", "environment_ids"), _environments),
    **dict.fromkeys(("functionalities", "functionality_ids", "functionality_names"), _functionalities),
    **dict.fromkeys(("types", "type_ids", "incident_types", "incident_type_ids"), _types),
    "severity": _of_severity,
    "labels": _labelled,
    # What we do not have, no incident has.
    "causes": lambda condition: _negatable(condition, false()),
    "cause_ids": lambda condition: _negatable(condition, false()),
}


def visible(viewer: Viewer) -> ColumnElement[bool]:
    """Return which incidents somebody may see: all that are not private, and those that concern them."""
    if viewer.everything:
        return true()
    roles, subscribers = tables.incident_role_assignments.c, tables.incident_subscribers.c
    return or_(
        ~I.private,
        I.created_by == viewer.user_id,
        exists().where(roles.incident_id == I.id, roles.user_id == viewer.user_id),
        exists().where(subscribers.incident_id == I.id, subscribers.user_id == viewer.user_id),
    )


async def listed(runner: Runner, viewer: Viewer, listing: Listing, *within: ColumnElement[bool]) -> Found:
    """Return one page of incidents, newest first; `complete` adds what is around them."""
    clauses = conditions(INCIDENTS, listing)
    clauses += [_SPECIAL[c.field](c) for c in listing.where if c.field in _SPECIAL]
    if listing.search:
        clauses.append(_searched(listing.search))
    return await newest(runner, INCIDENTS, listing, and_(visible(viewer), *within, *clauses))


async def with_retrospective(runner: Runner, viewer: Viewer, listing: Listing) -> Found:
    """Return one page of the incidents of which somebody wrote what was learned, or begins to."""
    begun = or_(I.retrospective != "", I.retrospective_status.in_(("active", "completed")))
    return await listed(runner, viewer, listing, begun)


def _searched(text: str) -> ColumnElement[bool]:
    number = number_of(text)
    named = [I.sequential_id == number] if number is not None else []
    return or_(
        I.title.icontains(text, autoescape=True),
        I.summary.icontains(text, autoescape=True),
        I.slug.icontains(text, autoescape=True),
        *named,
    )


async def incident(runner: Runner, viewer: Viewer, key: str | UUID) -> Record | None:
    """Return one incident by id, slug, number ("42", "INC-42") or both ("42-api-is-slow"), as far as one may see it."""
    ident = key if isinstance(key, UUID) else as_uuid(key)
    if ident is not None:
        return await one(runner, tables.incidents, (I.id == ident) & visible(viewer))
    text = str(key)
    by_slug = await one(runner, tables.incidents, (I.slug == text) & visible(viewer))
    number, _, rest = text.partition("-")
    asked = number_of(text) if number_of(text) is not None else number_of(number)
    if by_slug is not None or asked is None:
        return by_slug
    found = await one(runner, tables.incidents, (I.sequential_id == asked) & visible(viewer))
    # "42-something" names #42 only where that is its slug; "INC-42" and "42" always do.
    return found if found and (number_of(text) is not None or rest == found["slug"]) else None


async def incident_id(runner: Runner, viewer: Viewer, key: str | UUID) -> UUID | None:
    """Return the id of an incident that somebody may see."""
    row = await incident(runner, viewer, key)
    return row["id"] if row else None


#: What stands beside an incident's row, and where it comes from.
_AROUND: Mapping[str, tuple[Table, str]] = {
    "service_ids": (tables.incident_services, "service_id"),
    "team_ids": (tables.incident_teams, "team_id"),
    "environment_ids": (tables.incident_environments, "environment_id"),
    "functionality_ids": (tables.incident_functionalities, "functionality_id"),
    "type_ids": (tables.incident_type_links, "incident_type_id"),
    "alert_ids": (tables.incident_alerts, "alert_id"),
}


async def complete(runner: Runner, rows: Sequence[Record]) -> None:
    """Put beside the rows what they are linked to, `roles` (assignments) and `subscribers`; one query for each."""
    ids = [row["id"] for row in rows]
    if not ids:
        return
    for name, (table, column) in _AROUND.items():
        links: dict[UUID, list[UUID]] = defaultdict(list)
        for link in await fetch_core(
            runner,
            select(table.c.incident_id, table.c[column])
            .where(table.c.incident_id.in_(ids))
            .order_by(table.c.created_at, table.c[column]),
        ):
            links[link[0]].append(link[1])
        for row in rows:
            row[name] = links[row["id"]]
    for name, table in (
        ("roles", tables.incident_role_assignments),
        ("subscribers", tables.incident_subscribers),
    ):
        belongs = await belonging(runner, table, ids)
        for row in rows:
            row[name] = belongs[row["id"]]


async def belonging(runner: Runner, table: Table, ids: Sequence[UUID]) -> dict[UUID, list[Record]]:
    """Return rows of a table by the incident they belong to, oldest first."""
    out: dict[UUID, list[Record]] = defaultdict(list)
    found = select(table).where(table.c.incident_id.in_(ids)).order_by(table.c.id)
    for row in await fetch_core(runner, found):
        out[row["incident_id"]].append(dict(row))
    return out


async def by_ids(runner: Runner, viewer: Viewer, ids: Collection[UUID]) -> dict[UUID, Record]:
    """Return these incidents by id, as far as somebody may see them."""
    if not ids:
        return {}
    rows = await many(runner, tables.incidents, I.id.in_(list(ids)) & visible(viewer), I.id)
    return {row["id"]: row for row in rows}


async def of_alerts(runner: Runner, viewer: Viewer, alert_ids: Sequence[UUID]) -> dict[UUID, list[Record]]:
    """Return the incidents of each of these alerts that somebody may see, the newest first."""
    out: dict[UUID, list[Record]] = defaultdict(list)
    if not alert_ids:
        return out
    link = tables.incident_alerts.c
    wanted = (
        select(tables.incidents, link.alert_id)
        .join(tables.incident_alerts, link.incident_id == I.id)
        .where(link.alert_id.in_(list(alert_ids)), visible(viewer))
        .order_by(I.id.desc())
    )
    for row in await fetch_core(runner, wanted):
        out[row["alert_id"]].append(dict(row))
    return out


async def counts_by_day(
    runner: Runner, viewer: Viewer, field: str, key: str, *, since: datetime
) -> list[tuple[str, int]]:
    """Return how many incidents of a service, team or functionality began on each day, by UTC."""
    linked = _SPECIAL[field](Condition(field, "eq", (key,)))
    day = func.to_char(func.timezone("UTC", func.coalesce(I.started_at, I.created_at)), "YYYY-MM-DD")
    rows = await fetch_core(
        runner,
        select(day, func.count())
        .where(linked, visible(viewer), I.created_at >= since)
        .group_by(day)
        .order_by(day),
    )
    return [(row[0], row[1]) for row in rows]


async def rooms(runner: Runner, ids: Sequence[UUID]) -> dict[UUID, tuple[str, str, str, str]]:
    """Return id, name, address and deep link of the chat rooms there are, by incident."""
    found = await runner.rows("rooms_of_incidents", list(ids))
    return {
        r["incident_id"]: (
            r["channel_id"],
            r["name"],
            f"https://slack.com/app_redirect?channel={r['channel_id']}",
            f"slack://channel?id={r['channel_id']}",
        )
        for r in found
    }
