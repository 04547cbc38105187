"""Writes one decision for all climbs that stand alike: its rows again for each of them, with ids of their own.

Rule 1: the rows and the statements are those of store/write/ledger.py; nothing is said here twice.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from nightbell.core import paging
from nightbell.core.alike import Repeat
from nightbell.core.draft import Mint
from nightbell.store.write import ledger
from nightbell.store.write.together import Together

#: By the value that stands in the decision: what stands in its place for each of those that are alike.
Names = Mapping[Any, Sequence[Any]]


class _Table:
    """Rows of one table, kept as the columns that its statement takes."""

    def __init__(self, statement: str) -> None:
        self._statement = statement
        self._rows: list[tuple[tuple[Any, ...], Names, int]] = []

    def add(self, row: tuple[Any, ...], names: Names, times: int) -> None:
        """Add a row so many times, each with names of its own."""
        self._rows.append((row, names, times))

    def write(self, rows: Together, *more: Any) -> None:
        """Hand over the statement; nothing when there are no rows."""
        if self._rows:
            first, names, _ = self._rows[0]
            shared = frozenset(
                at for at, value in enumerate(first)
                if value not in names and all(row[at] == value for row, *_ in self._rows)
            )  # fmt: skip
            columns = [first[at] if at in shared else self._column(at) for at in range(len(first))]
            rows.add_shared(self._statement, [*columns, *more], shared)

    def _column(self, at: int) -> list[Any]:
        column: list[Any] = []
        for row, names, times in self._rows:
            own = names.get(row[at])
            column += [row[at]] * times if own is None else own
        return column


def add(rows: Together, repeats: Sequence[Repeat], now: datetime, mint: Mint) -> None:
    """Write what became of climbs that stand alike: themselves, pages, messages and lines of the journal."""
    climbs, pages = _Table("move_escalations"), _Table("upsert_pages")
    messages, lines = _Table("insert_notifications"), _Table("insert_events")
    for one in repeats:
        names = _names(one, mint)
        for climb in one.decision.escalations:
            climbs.add(ledger.climb_row(climb), names, one.times)
        for page in one.decision.pages:
            pages.add(ledger.page_row(page), names, one.times)
        for message in one.decision.notifications:
            messages.add(ledger.message_row(message), names, one.times)
        for entry in one.decision.entries:
            lines.add(ledger.entry_row(entry), names, one.times)
    climbs.write(rows, now)
    pages.write(rows, now)
    messages.write(rows, now)
    lines.write(rows)


def _names(one: Repeat, mint: Mint) -> Names:
    """Return who stands in the place of whom: those that are there already, and new ones."""
    decision, alike = one.decision, one.alike
    names: dict[Any, Sequence[Any]] = {
        decision.alert.id: alike.alert_ids,
        one.climb_id: alike.climb_ids,
        **({one.page_id: alike.page_ids} if one.page_id else {}),
    }
    new = [e.token for e in decision.escalations] + [p.id for p in decision.pages if p.id != one.page_id]
    new += [n.id for n in decision.notifications] + [e.id for e in decision.entries]
    # In the order they were made, so that the timeline of each reads like the first one's.
    for ident in sorted(new):
        names[ident] = [mint() for _ in range(one.times)]
    for message in decision.notifications:
        pairs = zip(names[message.page_id], names[message.id], strict=True)
        names[message.idempotency_key] = [
            paging.key(page, message.contact_method_id, ident) for page, ident in pairs
        ]
    return names
