"""Turns merged decisions into rows: one `unnest` statement per table, whatever the number of alerts.

Values become columns here and nowhere else. jsonb goes as text, because an array of documents is not an array of rows.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from hashlib import blake2b
from typing import Any
from uuid import UUID

from msgspec import json

from nightbell.core import labels as label_sets
from nightbell.core.alert import Alert, Change, counted
from nightbell.core.draft import Occurrence, Shown
from nightbell.core.escalation import Escalation, Plan
from nightbell.core.group import Group
from nightbell.core.journal import Entry
from nightbell.core.leasing import Lease
from nightbell.core.paging import Notification, Page
from nightbell.core.routing import Routing
from nightbell.store.db import Tx
from nightbell.store.write.together import Together

#: Widths of what is shown in lists; the whole is in the delivery.
_SUMMARY = 500
_URL = 4096
_KEY = 1_000


def _write(all_of_it: Together, name: str, rows: Sequence[tuple[Any, ...]], *more: Any) -> None:
    if rows:
        all_of_it.add(name, *zip(*rows, strict=True), *more)


def text(value: Any) -> str:
    """Return a value as JSON text, for a jsonb column in an `unnest`."""
    return json.encode(value).decode()


def alerts(
    all_of_it: Together,
    new: Sequence[tuple[Alert, Shown | None]],
    changed: Sequence[tuple[Alert, Shown | None]],
    touched: Sequence[Alert],
    now: datetime,
) -> None:
    """Write the narrow rows: new ones, changed ones, and those of which only the counters moved."""
    _write(all_of_it, "insert_alerts", [_new(a, s) for a, s in new], now)
    _write(all_of_it, "update_alerts", [_changed(a, s) for a, s in changed], now)
    rows = [(a.id, a.request_count, a.last_received_at, a.delivery_id) for a in touched]
    _write(all_of_it, "touch_alerts", rows, now)


def _tags(shown: Shown | None) -> str | None:
    if shown is None:
        return None
    return label_sets.written_tags(label_sets.capped(shown.text.labels))


def _new(a: Alert, shown: Shown | None) -> tuple[Any, ...]:
    members, firing = counted(a.members)
    return (
        a.id, a.number, a.source_id, a.identity, a.status.value, a.urgency_id, a.summary[:_SUMMARY],
        a.alertname[:_SUMMARY], a.occurrence, a.request_count, members, firing,
        a.truncated, a.started_at, a.ended_at, a.acknowledged_at, a.acknowledged_by, a.resolved_at, a.snoozed_until,
        a.last_received_at, a.delivery_id, a.wake_at, a.unpaged, _tags(shown) or "{}", a.content, a.created_at,
    )  # fmt: skip


def _changed(a: Alert, shown: Shown | None) -> tuple[Any, ...]:
    members, firing = counted(a.members)
    return (
        a.id, a.identity, a.status.value, a.urgency_id, a.summary[:_SUMMARY], a.occurrence, a.request_count,
        members, firing, a.truncated, a.started_at, a.ended_at, a.acknowledged_at,
        a.acknowledged_by, a.resolved_at, a.snoozed_until, a.last_received_at, a.delivery_id, a.wake_at, a.unpaged,
        _tags(shown), a.content,
    )  # fmt: skip


def details(all_of_it: Together, shown: Iterable[tuple[UUID, Shown]], now: datetime) -> None:
    """Write the wide rows of alerts whose text changed."""
    listed = list(shown)
    _write(all_of_it, "upsert_details", [_details(ident, one) for ident, one in listed], now)


async def routings(tx: Tx, shown: Iterable[tuple[UUID, Routing]], now: datetime) -> None:
    """Write whom known alerts were routed to: after their details, whose row it is."""
    later = Together()
    _write(later, "update_routing", [(ident, *_routed(routing)) for ident, routing in shown], now)
    await later.run(tx)


async def release(tx: Tx, ids: Sequence[UUID]) -> None:
    """Let alerts take nobody in any more, before others take their buckets."""
    if ids:
        await tx.execute("release_buckets", ids)


async def groups(tx: Tx, changed: Sequence[Alert], now: datetime) -> None:
    """Write places in groups: after the alerts, whose rows they are."""
    later = Together()
    _write(later, "group_alerts", [(a.id, *_grouped(a.group)) for a in changed], now)
    await later.run(tx)


def _grouped(group: Group | None) -> tuple[Any, ...]:
    if group is None:
        return None, None, None, None, None, None
    return group.rule_id, group.leader_id, group.bucket, group.until, group.size, group.handed_at


def _details(ident: UUID, shown: Shown) -> tuple[Any, ...]:
    said, unit, envelope = shown.text, shown.unit, shown.envelope
    return (
        ident,
        text(label_sets.capped(said.labels)),
        text(label_sets.capped_annotations(said.annotations)),
        said.description and said.description[: label_sets.MAX_ANNOTATION],
        said.external_url and said.external_url[:_URL],
        envelope.receiver[:_KEY],
        envelope.group_key[:_KEY],
        unit.key,
        unit.rule,
        *(_routed(shown.routing) if shown.routing else (None, None, None, None)),
    )


def _routed(routing: Routing) -> tuple[str, str, str, str]:
    if not routing.targets and not routing.matched and not routing.attached:
        return "[]", "[]", "{}", "{}"
    concerned = dict.fromkeys((*routing.targets, *routing.attached))
    services = [t.id for t in concerned if t.type == "Service"]
    teams = [t.id for t in concerned if t.type == "Group"]
    matched = [
        {
            "id": m.rule_id,
            "name": m.name,
            "route": m.route,
            "targets": [{"id": t.id, "type": t.type} for t in m.targets],
        }
        for m in routing.matched
    ]
    targets = text([{"id": t.id, "type": t.type} for t in routing.targets])
    return targets, text(matched), "{" + ",".join(services) + "}", "{" + ",".join(teams) + "}"


def members(all_of_it: Together, changes: Iterable[tuple[Alert, Change]], now: datetime) -> None:
    """Write members: those a delivery named with their text, the others only where they moved."""
    listed = list(changes)
    _write(all_of_it, "upsert_members", [_named(a, c) for a, c in listed if c.signal], now)
    _write(all_of_it, "move_members", [_unnamed(a, c) for a, c in listed if not c.signal], now)


def _named(a: Alert, change: Change) -> tuple[Any, ...]:
    m, s = change.member, change.signal
    labels = label_sets.capped(s.labels) if s else {}
    annotations = label_sets.capped_annotations(s.annotations) if s else {}
    return (
        a.id, m.fingerprint, a.source_id, m.group_hash, m.state.value, m.inferred, text(labels), text(annotations),
        s.generator_url[:_URL] if s else "", m.starts_at, m.ends_at, m.expires_at, m.absent_since, m.last_seen_at,
        m.occurrence,
    )  # fmt: skip


def _unnamed(a: Alert, change: Change) -> tuple[Any, ...]:
    m = change.member
    return (
        a.id, m.fingerprint, m.state.value, m.inferred, m.ends_at, m.expires_at, m.absent_since, m.last_seen_at,
    )  # fmt: skip


def entries(all_of_it: Together, journal: Iterable[Entry]) -> None:
    """Write lines of the journal."""
    _write(all_of_it, "insert_events", [entry_row(e) for e in journal])


def entry_row(e: Entry) -> tuple[Any, ...]:
    """Return a line of the journal as `insert_events` takes it."""
    return (
        e.id, e.alert_id, e.kind.value, e.action, e.code, _said_by(e), e.user_id, e.details[:_URL], text(e.because),
        e.level, e.at,
    )  # fmt: skip


def _said_by(entry: Entry) -> str:
    return "web" if entry.by.kind == "user" else entry.by.kind


def occurrences(all_of_it: Together, past: Iterable[tuple[UUID, UUID, Occurrence]], now: datetime) -> None:
    """Write episodes that are over: (new id, alert, episode)."""
    rows = [(i, alert, o.number, o.started_at, o.ended_at, o.acknowledged_at) for i, alert, o in past]
    _write(all_of_it, "insert_occurrences", rows, now)


def escalations(all_of_it: Together, climbs: Sequence[tuple[Escalation, bool]], now: datetime) -> None:
    """Write climbs, each with whether it begins now; the frozen plan of one that began earlier is there already."""
    plans: dict[UUID, str] = {}
    new = [(e.id, e.alert_id, e.occurrence, e.origin, _frozen(plans, e.plan), e.created_at, *_climbed(e))
           for e, begins in climbs if begins]  # fmt: skip
    _write(all_of_it, "insert_plans", list(plans.items()), now)
    _write(all_of_it, "insert_escalations", new, now)
    _write(all_of_it, "move_escalations", [climb_row(e) for e, begins in climbs if not begins], now)


def climb_row(e: Escalation) -> tuple[Any, ...]:
    """Return a climb under way as `move_escalations` takes it."""
    return (e.id, *_climbed(e))


def _frozen(plans: dict[UUID, str], plan: Plan) -> UUID:
    """Return the id of a plan, a hash of its text, and remember the text: thousands of climbs hold the same one."""
    said = json.encode(plan)
    ident = UUID(bytes=blake2b(said, digest_size=16).digest())
    plans.setdefault(ident, said.decode())
    return ident


def _climbed(e: Escalation) -> tuple[Any, ...]:
    return (
        e.phase.value, e.level, e.round, e.fired, e.reached, e.token, e.wake_at, e.turn,
        "{" + ",".join(map(str, e.acknowledged)) + "}", e.muted_by,
    )  # fmt: skip


def pages(all_of_it: Together, asked: Iterable[Page], now: datetime) -> None:
    """Write pages."""
    _write(all_of_it, "upsert_pages", [page_row(p) for p in asked], now)


def page_row(p: Page) -> tuple[Any, ...]:
    """Return a page as `upsert_pages` takes it."""
    return (
        p.id, p.alert_id, p.escalation_id, p.user_id, p.occurrence, p.level, p.cycle, p.loudness,
        "ended" if p.ended else "paging", p.progress, p.wake_at, p.created_at, p.shadows_user_id,
    )  # fmt: skip


def notifications(all_of_it: Together, messages: Iterable[Notification], now: datetime) -> None:
    """Write messages to be sent."""
    _write(all_of_it, "insert_notifications", [message_row(n) for n in messages], now)


def leased(all_of_it: Together, messages: Sequence[Notification], lease: Lease, now: datetime) -> None:
    """Write messages that are sent once this is committed, leased to whoever sends them."""
    rows = [message_row(n) for n in messages]
    _write(all_of_it, "insert_leased", rows, now, lease.until, lease.worker, lease.now)


def message_row(n: Notification) -> tuple[Any, ...]:
    """Return a message as `insert_notifications` takes it."""
    return (
        n.id, n.alert_id, n.page_id, n.user_id, n.contact_method_id, n.kind, n.purpose.value, n.occurrence, n.level,
        n.send_at, n.idempotency_key, text(n.because), n.about, n.address,
    )  # fmt: skip


def turns(all_of_it: Together, turned: dict[UUID, int], now: datetime) -> None:
    """Move round-robin pointers on."""
    _write(all_of_it, "turn_round_robins", list(turned.items()), now)


def cancel_pages(all_of_it: Together, page_ids: Sequence[UUID], now: datetime) -> None:
    """Call off what waits of pages that ended one by one."""
    if page_ids:
        all_of_it.add("cancel_messages_of_pages", list(page_ids), now)


def cancel(all_of_it: Together, alert_ids: Sequence[UUID], now: datetime) -> None:
    """Call off page messages that are not being sent yet."""
    if alert_ids:
        all_of_it.add("cancel_page_messages", list(alert_ids), now)
