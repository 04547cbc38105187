"""The only function that turns Decisions into rows. A batch of them becomes one statement.

Several decisions of one batch may concern one alert: they are merged first, the last state wins, nothing is lost.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime
from uuid import UUID

from msgspec.structs import replace

from nightbell.core.alert import Change
from nightbell.core.alike import Repeat
from nightbell.core.delivery import Purpose
from nightbell.core.draft import Decision, Mint, Occurrence
from nightbell.core.paging import Notification
from nightbell.engine.leasing import Leasing
from nightbell.engine.relay import relayed
from nightbell.store.db import Tx
from nightbell.store.write import happenings, ledger
from nightbell.store.write import repeats as repeated
from nightbell.store.write.together import Together

#: Everything is left to the claim.
LEFT = Leasing(None, ())


class Merged:
    """What a batch of decisions comes to for one alert; nearly always there is one, taken as it is."""

    __slots__ = (
        "alert", "begun", "cancel", "changes", "ended_pages", "entries", "escalations", "grouped", "is_new",
        "notifications", "pages", "past", "routing", "same", "shown", "touch", "turned",
    )  # fmt: skip

    def __init__(self, first: Decision) -> None:
        self.is_new = first.is_new
        self.touch = first.touch
        self.same = first.same
        self.grouped = first.grouped
        self.alert = first.alert
        self.shown = first.shown
        self.routing = first.routing or (first.shown.routing if first.shown else None)
        self.changes = first.changes
        self.entries = first.entries
        self.escalations = first.escalations
        self.begun = first.begun
        self.pages = first.pages
        self.notifications = first.notifications
        self.past: tuple[Occurrence, ...] = (first.past,) if first.past else ()
        self.cancel = first.cancel
        self.ended_pages = first.ended_pages
        self.turned = first.turned

    def add(self, later: Decision) -> None:
        """Take in one more decision about the same alert."""
        self.touch = self.touch and later.touch
        self.same = self.same and later.same
        self.grouped = self.grouped or later.grouped
        self.alert = later.alert
        if later.shown:
            self.routing = later.shown.routing or self.routing
            self.shown = replace(later.shown, routing=self.routing)
        self.routing = later.routing or self.routing
        self.changes = _changes(self.changes, later.changes)
        self.entries += later.entries
        self.escalations = tuple({e.id: e for e in self.escalations + later.escalations}.values())
        self.begun |= later.begun
        self.pages = tuple({p.id: p for p in self.pages + later.pages}.values())
        self.notifications = tuple(n for n in self.notifications if _stands(n, later)) + later.notifications
        self.past += (later.past,) if later.past else ()
        self.cancel = self.cancel or later.cancel
        self.ended_pages += later.ended_pages
        self.turned = dict(Counter(self.turned) + Counter(later.turned))


def _changes(before: tuple[Change, ...], later: tuple[Change, ...]) -> tuple[Change, ...]:
    changes = {change.member.fingerprint: change for change in before}
    for change in later:
        said = changes.get(change.member.fingerprint)
        if said and not change.signal:
            # A member that was named once in the batch keeps its text, whatever follows.
            change = replace(change, signal=said.signal)
        changes[change.member.fingerprint] = change
    return tuple(changes.values())


def _stands(message: Notification, later: Decision) -> bool:
    """Return whether a message that nobody has seen yet is still to be sent."""
    called_off = later.cancel and message.purpose is Purpose.PAGE
    return not called_off and message.page_id not in later.ended_pages


def merged(decisions: Iterable[Decision]) -> list[Merged]:
    """Return one Merged per alert, in the order the alerts were first decided."""
    found: dict[UUID, Merged] = {}
    for decision in decisions:
        one = found.get(decision.alert.id)
        if one is None:
            found[decision.alert.id] = Merged(decision)
        else:
            one.add(decision)
    return list(found.values())


async def apply(
    tx: Tx,
    decisions: Iterable[Decision],
    now: datetime,
    mint: Mint,
    also: Together | None = None,
    leasing: Leasing = LEFT,
) -> list[Decision]:
    """Make decisions so, in the caller's transaction: all of them or none. `also` is written with them.

    Shape: returns them, and behind them what they meant for other alerts of their groups.
    Raises: whatever PostgreSQL says; a race between nodes is retryable (store/db.py).
    """
    given = list(decisions)
    rows = also or Together()
    all_of_them = merged(given)
    moved = [m for m in all_of_them if not m.touch]
    new = [(m.alert, m.shown) for m in moved if m.is_new]
    changed = [(m.alert, m.shown) for m in moved if not (m.is_new or m.same)]
    grouped = [m for m in moved if m.grouped]
    if grouped:
        superseded = [d.supersedes for d in given if d.supersedes]
        await ledger.release(tx, [*superseded, *(m.alert.id for m in grouped if not m.is_new)])
    ledger.alerts(rows, new, changed, [m.alert for m in all_of_them if m.touch], now)
    if moved:
        _add_text(rows, moved, now)
        ledger.entries(rows, (e for m in moved for e in m.entries))
        ledger.occurrences(rows, [(mint(), m.alert.id, o) for m in moved for o in m.past], now)
        _add_pages(rows, moved, now)
        messages = [n for m in moved for n in m.notifications]
        ledger.notifications(rows, await leasing.write(tx, rows, messages, now, mint), now)
    if happened := [one for d in given if d.happened for one in d.happened]:
        happenings.add(rows, happened, now)
    await rows.run(tx)
    routed = ((m.alert.id, m.routing) for m in moved if m.routing and not m.is_new)
    await ledger.routings(tx, routed, now)
    await ledger.groups(tx, [m.alert for m in grouped], now)
    tells = [tell for d in given if d.tells for tell in d.tells]
    return given + await apply(tx, await relayed(tx, tells, now, mint), now, mint) if tells else given


async def apply_repeats(tx: Tx, repeats: Sequence[Repeat], now: datetime, mint: Mint) -> None:
    """Make decisions so that hold for many alerts each, in the caller's transaction."""
    rows = Together()
    repeated.add(rows, repeats, now, mint)
    await rows.run(tx)


def _add_text(rows: Together, moved: list[Merged], now: datetime) -> None:
    ledger.details(rows, ((m.alert.id, m.shown) for m in moved if m.shown), now)
    ledger.members(rows, ((m.alert, c) for m in moved for c in m.changes), now)


def _add_pages(rows: Together, moved: list[Merged], now: datetime) -> None:
    ledger.cancel(rows, [m.alert.id for m in moved if m.cancel and not m.is_new], now)
    ledger.cancel_pages(rows, [p for m in moved if not m.cancel for p in m.ended_pages], now)
    turned: Counter[UUID] = Counter()
    for m in moved:
        if m.turned:
            turned.update(m.turned)
    ledger.turns(rows, dict(turned), now)
    climbs = [(e, e.id in m.begun) for m in moved for e in m.escalations]
    ledger.escalations(rows, climbs, now)
    ledger.pages(rows, (p for m in moved for p in m.pages), now)
