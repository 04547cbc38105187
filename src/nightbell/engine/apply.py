"""The only function that turns Decisions into rows. A batch of them becomes one statement per table.

Several decisions of one batch may concern one alert: they are merged first, the last state wins, nothing is lost.
"""

from collections import Counter
from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from msgspec.structs import replace

from nightbell.core.alert import Alert, Change
from nightbell.core.delivery import Purpose
from nightbell.core.draft import Decision, Mint, Occurrence, Shown
from nightbell.core.escalation import Escalation
from nightbell.core.journal import Entry
from nightbell.core.paging import Notification, Page
from nightbell.core.routing import Routing
from nightbell.store.db import Tx
from nightbell.store.write import ledger
from nightbell.store.write.together import Together


class Merged:
    """What a batch of decisions comes to for one alert."""

    def __init__(self, first: Decision) -> None:
        self.is_new = first.is_new
        self.touch = True
        self.same = True
        self.alert: Alert = first.alert
        self.shown: Shown | None = None
        self.routing: Routing | None = None
        self.changes: dict[str, Change] = {}
        self.entries: list[Entry] = []
        self.escalations: dict[UUID, Escalation] = {}
        self.begun: set[UUID] = set()
        self.pages: dict[UUID, Page] = {}
        self.notifications: list[Notification] = []
        self.past: list[Occurrence] = []
        self.cancel = False
        self.ended_pages: list[UUID] = []
        self.turned: Counter[UUID] = Counter()

    def add(self, decision: Decision) -> None:
        """Take in one more decision about the same alert."""
        self.touch = self.touch and decision.touch
        self.same = self.same and decision.same
        self.alert = decision.alert
        if decision.shown:
            self.routing = decision.shown.routing or self.routing
            self.shown = replace(decision.shown, routing=self.routing)
        self._change(decision.changes)
        self.entries += decision.entries
        self.escalations |= {e.id: e for e in decision.escalations}
        self.begun |= decision.begun
        self.pages |= {p.id: p for p in decision.pages}
        if decision.cancel:
            self.cancel = True
            self.notifications = [n for n in self.notifications if n.purpose is not Purpose.PAGE]
        self.ended_pages += decision.ended_pages
        self.notifications = [n for n in self.notifications if n.page_id not in decision.ended_pages]
        self.turned.update(decision.turned)
        self.notifications += decision.notifications
        self.routing = decision.routing or self.routing
        if decision.past:
            self.past.append(decision.past)

    def _change(self, changes: Iterable[Change]) -> None:
        for change in changes:
            said = self.changes.get(change.member.fingerprint)
            if said and not change.signal:
                # A member that was named once in the batch keeps its text, whatever follows.
                change = replace(change, signal=said.signal)
            self.changes[change.member.fingerprint] = change


def merged(decisions: Iterable[Decision]) -> list[Merged]:
    """Return one Merged per alert, in the order the alerts were first decided."""
    found: dict[UUID, Merged] = {}
    for decision in decisions:
        one = found.get(decision.alert.id)
        if one is None:
            one = found[decision.alert.id] = Merged(decision)
        one.add(decision)
    return list(found.values())


async def apply(
    tx: Tx, decisions: Iterable[Decision], now: datetime, mint: Mint, also: Together | None = None
) -> None:
    """Make decisions so, in the caller's transaction: all of them or none. `also` is written with them.

    Raises: whatever PostgreSQL says; a race between nodes is retryable (store/db.py).
    """
    rows = also or Together()
    all_of_them = merged(decisions)
    moved = [m for m in all_of_them if not m.touch]
    new = [(m.alert, m.shown) for m in moved if m.is_new]
    changed = [(m.alert, m.shown) for m in moved if not (m.is_new or m.same)]
    ledger.alerts(rows, new, changed, [m.alert for m in all_of_them if m.touch or m.same], now)
    if moved:
        _add_text(rows, moved, now)
        ledger.entries(rows, (e for m in moved for e in m.entries))
        ledger.occurrences(rows, [(mint(), m.alert.id, o) for m in moved for o in m.past], now)
        _add_pages(rows, moved, now)
    await rows.run(tx)
    routed = ((m.alert.id, m.routing) for m in moved if m.routing and not m.is_new)
    await ledger.routings(tx, routed, now)


def _add_text(rows: Together, moved: list[Merged], now: datetime) -> None:
    ledger.details(rows, ((m.alert.id, m.shown) for m in moved if m.shown), now)
    ledger.members(rows, ((m.alert, c) for m in moved for c in m.changes.values()), now)


def _add_pages(rows: Together, moved: list[Merged], now: datetime) -> None:
    ledger.cancel(rows, [m.alert.id for m in moved if m.cancel and not m.is_new], now)
    ledger.cancel_pages(rows, [p for m in moved if not m.cancel for p in m.ended_pages], now)
    turned: Counter[UUID] = sum((m.turned for m in moved), Counter())
    ledger.turns(rows, dict(turned), now)
    climbs = [(e, e.id in m.begun) for m in moved for e in m.escalations.values()]
    ledger.escalations(rows, climbs, now)
    ledger.pages(rows, (p for m in moved for p in m.pages.values()), now)
    ledger.notifications(rows, (n for m in moved for n in m.notifications), now)
