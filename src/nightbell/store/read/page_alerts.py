"""This file reads the list of alerts: by status, by labels, by words, newest first, a screen at a time.

Equality on a label goes through the index of tags; the rest is checked on the rows that are left.
"""

from datetime import datetime
from typing import Any
from uuid import UUID

import asyncpg
from msgspec import Struct
from sqlalchemy import ColumnElement, and_, cast, func, or_, select, tuple_
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.types import BigInteger

from nightbell.core.errors import Invalid
from nightbell.core.labels import Matcher, Op, tag
from nightbell.store.db import Runner
from nightbell.store.statements import fetch_core
from nightbell.store.tables import alert_details, alerts, sources

A, D = alerts.c, alert_details.c
COLUMNS = (
    A.id, A.number, A.status, A.summary, A.alertname, A.occurrence, A.member_count, A.firing_count, A.started_at,
    A.ended_at, A.acknowledged_at, A.acknowledged_by, A.snoozed_until, A.last_received_at, A.unpaged, A.request_count,
    D.labels, D.description, D.targets, sources.c.name.label("source_name"),
)  # fmt: skip


class Wanted(Struct, frozen=True, kw_only=True):
    """Which alerts. `status` "" is all of them; `after` is start and id of the last one of the screen before."""

    status: str = ""
    matchers: tuple[Matcher, ...] = ()
    words: tuple[str, ...] = ()
    after: tuple[datetime, UUID] | None = None
    limit: int = 50


async def listed(db: Runner, wanted: Wanted) -> list[dict[str, Any]]:
    """Return a screen of alerts, the latest to start first, and one more when there are more.

    Raises: Invalid for a regular expression that PostgreSQL does not take.
    """
    statement = (
        select(*COLUMNS)
        .join(alert_details, D.alert_id == A.id)
        .outerjoin(sources, sources.c.id == A.source_id)
        .where(and_(True, *_clauses(wanted)))
        .order_by(A.started_at.desc(), A.id.desc())
        .limit(wanted.limit + 1)
    )
    try:
        return [dict(row.items()) for row in await fetch_core(db, statement)]
    except asyncpg.InvalidRegularExpressionError as error:
        raise Invalid(f"The database cannot read that regular expression: {error}", place="q") from error


def _clauses(wanted: Wanted) -> list[ColumnElement[bool]]:
    clauses: list[ColumnElement[bool]] = []
    if wanted.status:
        clauses.append(A.status == wanted.status)
    tags = [tag(m.name, m.value) for m in wanted.matchers if m.op is Op.EQUAL and m.value]
    if tags:
        clauses.append(A.tags.op("@>")(cast(tags, ARRAY(BigInteger))))
    clauses += [_matched(m) for m in wanted.matchers]
    for word in wanted.words:
        clauses.append(
            or_(A.summary.icontains(word, autoescape=True), D.description.icontains(word, autoescape=True))
        )
    if wanted.after:
        clauses.append(tuple_(A.started_at, A.id) < wanted.after)
    return clauses


def _matched(matcher: Matcher) -> ColumnElement[bool]:
    """Return a matcher as Prometheus means it: an absent label is an empty one, a regexp is anchored."""
    value = func.coalesce(D.labels.op("->>")(matcher.name), "")
    anchored = f"^(?:{matcher.value})$"
    if matcher.op is Op.EQUAL:
        return value == matcher.value
    if matcher.op is Op.NOT_EQUAL:
        return value != matcher.value
    matches = value.op("~")(anchored)
    return matches if matcher.op is Op.MATCHES else ~matches
