"""Reads, under lock, what a decision must know. The locks are why this stands among the writers."""

from collections import defaultdict
from collections.abc import Iterable
from typing import Any
from uuid import UUID

import msgspec

from nightbell.core.alert import Alert, Member, Status
from nightbell.core.escalation import Escalation, Phase, Plan
from nightbell.core.paging import Page, Sent
from nightbell.core.signal import State
from nightbell.store.db import Row, Tx

#: Alerts that nobody was ever paged for have no climbs, pages or messages to read.
_QUIET = (Status.OPEN,)

Loaded = tuple[Alert, tuple[Escalation, ...], tuple[Page, ...], tuple[Sent, ...]]


async def by_identity(tx: Tx, identities: Iterable[bytes]) -> list[Loaded]:
    """Lock and return alerts by identity."""
    return await _loaded(tx, await tx.rows("lock_alerts_by_identity", sorted(identities)))


async def by_id(tx: Tx, ids: Iterable[UUID]) -> list[Loaded]:
    """Lock and return alerts by id."""
    return await _loaded(tx, await tx.rows("lock_alerts_by_id", list(ids)))


async def by_fingerprint(tx: Tx, fingerprints: Iterable[str]) -> list[Row]:
    """Return which alerts hold firing members with these fingerprints, with source and receiver."""
    return await tx.rows("alerts_by_firing_members", list(fingerprints))


async def by_group(tx: Tx, groups: Iterable[bytes]) -> list[tuple[UUID, bytes]]:
    """Return (alert, group) for alerts with members firing in these groups."""
    return [(r["alert_id"], r["group_hash"]) for r in await tx.rows("alerts_by_firing_group", list(groups))]


async def due(tx: Tx, now: Any, limit: int) -> list[UUID]:
    """Lock alerts that time must look at, and return their ids; other nodes' are skipped."""
    return [r["id"] for r in await tx.rows("claim_due_alerts", now, limit)]


async def _loaded(tx: Tx, rows: list[Row]) -> list[Loaded]:
    if not rows:
        return []
    members: dict[UUID, dict[str, Member]] = defaultdict(dict)
    for row in await tx.rows("members_of", [r["id"] for r in rows]):
        members[row["alert_id"]][row["fingerprint"]] = _member(row)
    alerts = [_alert(row, members[row["id"]]) for row in rows]
    loud = [a.id for a in alerts if a.status not in _QUIET]
    if not loud:
        return [(a, (), (), ()) for a in alerts]
    climbs = _grouped(await tx.rows("escalations_of", loud), _escalation)
    pages = _grouped(await tx.rows("pages_of", loud), _page)
    sent = _grouped(await tx.rows("page_messages_of", loud), _sent)
    return [(a, tuple(climbs[a.id]), tuple(pages[a.id]), tuple(sent[a.id])) for a in alerts]


def _grouped(rows: list[Row], value: Any) -> dict[UUID, list[Any]]:
    found: dict[UUID, list[Any]] = defaultdict(list)
    for row in rows:
        found[row["alert_id"]].append(value(row))
    return found


def _alert(row: Row, members: dict[str, Member]) -> Alert:
    values = dict(row.items())
    values["status"] = Status(values["status"])
    return Alert(members=members, **values)


def _member(row: Row) -> Member:
    values = dict(row.items())
    del values["alert_id"]
    values["state"] = State(values["state"])
    return Member(**values)


def _escalation(row: Row) -> Escalation:
    values = dict(row.items())
    values["plan"] = msgspec.convert(values["plan"], Plan)
    values["phase"] = Phase(values["phase"])
    return Escalation(**values)


def _page(row: Row) -> Page:
    return Page(ended=False, **dict(row.items()))


def _sent(row: Row) -> Sent:
    values = dict(row.items())
    del values["alert_id"]
    return Sent(**values)
