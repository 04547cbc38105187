"""Reads, under lock, what a decision must know. The locks are why this stands among the writers."""

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from nightbell.core.alert import Alert, Member, Status
from nightbell.core.alike import Alike
from nightbell.core.directory import Directory, Target
from nightbell.core.draft import Facts
from nightbell.core.escalation import Escalation, Phase, Plan
from nightbell.core.group import Group
from nightbell.core.paging import Page, Sent
from nightbell.core.signal import State
from nightbell.store.db import Row, Tx

#: Alerts that nobody was ever paged for have no climbs, pages or messages to read.
_QUIET = (Status.OPEN,)


async def by_identity(tx: Tx, identities: Iterable[bytes], directory: Directory) -> list[Facts]:
    """Lock alerts by identity and return what is known of each."""
    return await _loaded(tx, await tx.rows("lock_alerts_by_identity", sorted(identities)), directory)


async def by_id(tx: Tx, ids: Iterable[UUID], directory: Directory) -> list[Facts]:
    """Lock alerts by id and return what is known of each."""
    return await _loaded(tx, await tx.rows("lock_alerts_by_id", list(ids)), directory)


async def by_bucket(tx: Tx, buckets: Iterable[bytes], directory: Directory) -> list[Facts]:
    """Lock the alerts that take others into these buckets and return what is known of each."""
    return await _loaded(tx, await tx.rows("lock_alerts_by_bucket", sorted(buckets)), directory)


async def followers(tx: Tx, leader_id: UUID) -> list[UUID]:
    """Return the open alerts that follow another."""
    return [r["id"] for r in await tx.rows("open_followers", leader_id)]


async def is_led(tx: Tx, bucket: bytes) -> bool:
    """Return whether an alert takes others into a bucket."""
    return bool(await tx.value("bucket_is_led", bucket))


async def nothing(tx: Tx, directory: Directory) -> Facts:
    """Return the facts of an alert that does not exist yet."""
    return Facts(directory=directory, turns=await _turns(tx, directory))


async def by_fingerprint(tx: Tx, fingerprints: Iterable[str]) -> list[Row]:
    """Return which alerts hold firing members with these fingerprints, with source and receiver."""
    return await tx.rows("alerts_by_firing_members", list(fingerprints))


async def by_group(tx: Tx, groups: Iterable[bytes]) -> list[tuple[UUID, bytes]]:
    """Return (alert, group) for alerts with members firing in these groups."""
    return [(r["alert_id"], r["group_hash"]) for r in await tx.rows("alerts_by_firing_group", list(groups))]


async def due(tx: Tx, now: Any, limit: int) -> list[UUID]:
    """Lock alerts that time must look at, and return their ids; other nodes' are skipped."""
    return [r["id"] for r in await tx.rows("claim_due_alerts", now, limit)]


async def alike(tx: Tx, ids: list[UUID], now: datetime, fewest: int) -> list[Alike]:
    """Return which of these locked alerts stand alike, where there are at least so many of a kind."""
    return [
        Alike(
            alert_ids=tuple(r["alert_ids"]),
            climb_ids=tuple(r["climb_ids"]),
            page_ids=tuple(r["page_ids"]) if r["page_ids"][0] else (),
        )
        for r in await tx.rows("alerts_alike", ids, now, fewest)
    ]


async def _turns(tx: Tx, directory: Directory) -> dict[UUID, int]:
    """Lock whose turn it is. Only where some level goes round: the lock makes writers wait for each other."""
    if not directory.goes_round:
        return {}
    return {r["level_id"]: r["turn"] for r in await tx.rows("lock_round_robins")}


async def _loaded(tx: Tx, rows: list[Row], directory: Directory) -> list[Facts]:
    if not rows:
        return []
    turns = await _turns(tx, directory)
    members: dict[UUID, dict[str, Member]] = defaultdict(dict)
    for row in await tx.rows("members_of", [r["id"] for r in rows]):
        members[row["alert_id"]][row["fingerprint"]] = _member(row)
    grouped = [r["id"] for r in rows if r["group"] is not None]
    groups = {r["id"]: _group(r) for r in await tx.rows("groups_of", grouped)} if grouped else {}
    alerts = [_alert(row, members[row["id"]], groups) for row in rows]
    loud = [a.id for a in alerts if a.status not in _QUIET]
    if not loud:
        return [Facts(directory=directory, alert=a, turns=turns) for a in alerts]
    climbs = await _climbs(tx, loud)
    pages = _grouped(await tx.rows("pages_of", loud), _page)
    sent = _grouped(await tx.rows("page_messages_of", loud), _sent)
    shown = {r["alert_id"]: r for r in await tx.rows("shown_of", loud)}
    return [
        Facts(
            directory=directory,
            alert=a,
            escalations=tuple(climbs[a.id]),
            pages=tuple(pages[a.id]),
            sent=tuple(sent[a.id]),
            labels=shown[a.id]["labels"] if a.id in shown else {},
            service_ids=frozenset(map(str, shown[a.id]["service_ids"])) if a.id in shown else frozenset(),
            targets=_targets(shown[a.id]["targets"]) if a.id in shown else (),
            turns=turns,
        )
        for a in alerts
    ]


def _grouped(rows: list[Row], value: Any) -> dict[UUID, list[Any]]:
    found: dict[UUID, list[Any]] = defaultdict(list)
    for row in rows:
        found[row["alert_id"]].append(value(row))
    return found


def _alert(row: Row, members: dict[str, Member], groups: dict[UUID, Group]) -> Alert:
    values = dict(row.items())
    values["status"] = Status(values["status"])
    if groups:
        values["group"] = groups.get(row["id"])
    return Alert(members=members, **values)


def _group(row: Row) -> Group:
    values = dict(row.items())
    del values["id"]
    return Group(**values)


def _targets(stored: list[dict[str, str]]) -> tuple[Target, ...]:
    return tuple(Target(type=t["type"], id=str(t["id"])) for t in stored)


def _member(row: Row) -> Member:
    values = dict(row.items())
    del values["alert_id"]
    values["state"] = State(values["state"])
    return Member(**values)


async def _climbs(tx: Tx, alert_ids: list[UUID]) -> dict[UUID, list[Escalation]]:
    rows = await tx.rows("escalations_of", alert_ids)
    plans = await plans_of(tx, {row["plan_id"] for row in rows})
    return _grouped(rows, lambda row: _escalation(row, plans))


def _escalation(row: Row, plans: dict[UUID, Plan]) -> Escalation:
    values = dict(row.items())
    values["plan"] = plans[values.pop("plan_id")]
    values["phase"] = Phase(values["phase"])
    values["acknowledged"] = tuple(values["acknowledged"])
    return Escalation(**values)


#: Plans by id. An id is a hash of what the plan says, so what is known stays true, in whichever database.
_known_plans: dict[UUID, Plan] = {}
_MOST_PLANS = 10_000


async def plans_of(tx: Tx, ids: set[UUID]) -> dict[UUID, Plan]:
    """Return frozen policies by id; those that were read before are remembered."""
    found = {ident: _known_plans[ident] for ident in ids if ident in _known_plans}
    unknown = ids - found.keys()
    if unknown:
        rows = await tx.rows("plans_by_id", list(unknown))
        found |= {row["id"]: msgspec.json.decode(row["plan"], type=Plan) for row in rows}
        if len(_known_plans) > _MOST_PLANS:
            _known_plans.clear()
        _known_plans.update(found)
    return found


def _page(row: Row) -> Page:
    return Page(ended=False, **dict(row.items()))


def _sent(row: Row) -> Sent:
    values = dict(row.items())
    del values["alert_id"]
    return Sent(**values)
