"""This file reads the list of alerts: by status, by labels, by words, the latest to start first, a screen at a time.

Rule 1: a screen costs the same however many alerts there are. Status and equality on labels have indexes; what has
none is looked for among so many of the latest, and the answer says where it stopped.
"""

from datetime import datetime
from typing import Any
from uuid import UUID

import asyncpg
from msgspec import Struct
from sqlalchemy import ColumnElement, Select, cast, func, or_, select, tuple_
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.types import BigInteger, Text

from nightbell.core.errors import Invalid
from nightbell.core.labels import Matcher, Op, tag
from nightbell.store.db import Runner
from nightbell.store.statements import fetch_core
from nightbell.store.tables import alert_details, alerts, sources

#: So many are looked at for a regular expression or a word; 10,000 take about 50 ms.
SCANNED = 10_000

#: Start and id of an alert: where a screen ends and the next one begins.
Place = tuple[datetime, UUID]

_A, _D = alerts.c, alert_details.c
_COLUMNS = (
    _A.id, _A.number, _A.status, _A.summary, _A.occurrence, _A.member_count, _A.firing_count, _A.started_at, _A.ended_at,
    _A.acknowledged_by, _A.snoozed_until, _A.unpaged, _A.source_id, _A.leader_id, _A.group_rule_id, _A.group_size,
)  # fmt: skip


class Wanted(Struct, frozen=True, kw_only=True):
    """Which alerts. `status` "" is all of them; `after` is the last one of the screen before."""

    status: str = ""
    matchers: tuple[Matcher, ...] = ()
    words: tuple[str, ...] = ()
    after: Place | None = None
    limit: int = 50

    @property
    def folded(self) -> bool:
        """Whether alerts that follow another stand behind it; whoever looks for something sees each."""
        return not self.matchers and not self.words

    @property
    def needs_details(self) -> bool:
        """Whether something is asked that no index answers."""
        return bool(self.words) or any(not _indexed(m) for m in self.matchers)


class Screen(Struct, frozen=True, kw_only=True):
    """Alerts, and where to go on: `more` after those shown, `unseen` where the search gave up."""

    rows: list[dict[str, Any]]
    more: Place | None = None
    unseen: Place | None = None


async def screen(db: Runner, wanted: Wanted) -> Screen:
    """Return a screen of alerts, the latest to start first.

    Raises: Invalid for a regular expression that PostgreSQL does not take.
    """
    try:
        rows = [dict(row.items()) for row in await fetch_core(db, _statement(wanted))]
    except asyncpg.InvalidRegularExpressionError as error:
        raise Invalid(f"The database cannot read that regular expression: {error}", place="q") from error
    if len(rows) > wanted.limit:
        last = rows[wanted.limit - 1]
        return Screen(rows=rows[: wanted.limit], more=(last["started_at"], last["id"]))
    return Screen(rows=rows, unseen=await _gave_up(db, wanted) if wanted.needs_details else None)


def _statement(wanted: Wanted) -> Select[Any]:
    candidates = (
        _candidates(wanted).limit(SCANNED if wanted.needs_details else wanted.limit + 1).subquery("a")
    )
    a = candidates.c
    return (
        select(candidates, _D.labels, _D.description, _D.targets, sources.c.name.label("source_name"))
        .join(alert_details, _D.alert_id == a.id)
        .outerjoin(sources, sources.c.id == a.source_id)
        .where(*(_matched(m) for m in wanted.matchers if not _indexed(m)))
        .where(*(_said(word, a.summary) for word in wanted.words))
        .order_by(a.started_at.desc(), a.id.desc())
        .limit(wanted.limit + 1)
    )


def _candidates(wanted: Wanted) -> Select[Any]:
    found = select(*_COLUMNS).order_by(_A.started_at.desc(), _A.id.desc())
    tags = [tag(m.name, m.value) for m in wanted.matchers if _indexed(m)]
    if wanted.status:
        found = found.where(_A.status == wanted.status)
    if wanted.folded:
        found = found.where(_unled(wanted))
    if tags:
        found = found.where(_A.tags.bool_op("@>")(cast(tags, ARRAY(BigInteger))))
    return found.where(tuple_(_A.started_at, _A.id) < wanted.after) if wanted.after else found


def _unled(wanted: Wanted) -> ColumnElement[bool]:
    """Return whether an alert follows none that is in the same list."""
    if not wanted.status:
        return _A.leader_id.is_(None)
    leader = alerts.alias("leader").c
    # Not EXISTS: PostgreSQL might hash a million alerts for it.
    stands = select(leader.status).where(leader.id == _A.leader_id).scalar_subquery()
    return or_(_A.leader_id.is_(None), stands.is_distinct_from(wanted.status))


async def _gave_up(db: Runner, wanted: Wanted) -> Place | None:
    """Return the last alert that was looked at, when there are more behind it."""
    found = await fetch_core(db, _candidates(wanted).offset(SCANNED - 1).limit(2))
    return (found[0]["started_at"], found[0]["id"]) if len(found) == 2 else None


def _indexed(matcher: Matcher) -> bool:
    """Whether the index of tags answers this one: 64 bits of a hash, so a stranger is not met by accident."""
    return matcher.op is Op.EQUAL and bool(matcher.value)


def _said(word: str, summary: ColumnElement[str]) -> ColumnElement[bool]:
    return or_(summary.icontains(word, autoescape=True), _D.description.icontains(word, autoescape=True))


def _matched(matcher: Matcher) -> ColumnElement[bool]:
    """Return a matcher as Prometheus means it: an absent label is an empty one, a regexp is anchored."""
    value = func.coalesce(_D.labels.op("->>", return_type=Text())(matcher.name), "")
    match matcher.op:
        case Op.EQUAL:
            return value == matcher.value
        case Op.NOT_EQUAL:
            return value != matcher.value
        case Op.MATCHES:
            return value.op("~", is_comparison=True)(f"^(?:{matcher.value})$")
        case Op.MATCHES_NOT:
            return value.op("!~", is_comparison=True)(f"^(?:{matcher.value})$")
