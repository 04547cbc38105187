"""Leases pages to the node that will send them, in the very transaction that decides them (ADR 0040).

Rule 1: what is leased here is on disk with its attempt when the transaction commits, and whoever committed hands it to
the sender then: nobody else looks for it.
"""

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import Any

from msgspec import Struct

from nightbell.core.bundling import joinable
from nightbell.core.delivery import Purpose
from nightbell.core.draft import Mint
from nightbell.core.leasing import Lease, at_once, likeness
from nightbell.core.paging import Notification
from nightbell.core.throttling import Throttle
from nightbell.store.db import Tx
from nightbell.store.write import ledger, outbox
from nightbell.store.write.outbox import Claimed
from nightbell.store.write.together import Together

#: Called for each transaction: how pages that are due at once may be leased to a node in it, None where not.
Lends = Callable[[], Lease | None]


def nothing() -> Lease | None:
    """Leave everything to the claim."""
    return None


class Leased(Struct, frozen=True, kw_only=True):
    """A message that is to be sent now, and what that needs of people, contact methods and alerts."""

    claimed: Claimed
    #: As `addressed` reads it.
    row: dict[str, Any]


class Leasing:
    """What one transaction leases; `lease` is None where everything is left to the claim."""

    def __init__(self, lease: Lease | None, throttles: Iterable[Throttle]) -> None:
        self._lease = lease
        self._throttled = frozenset(t.kind for t in throttles)
        self._claimed: list[Claimed] = []

    async def write(
        self, tx: Tx, rows: Together, messages: Sequence[Notification], now: datetime, mint: Mint
    ) -> list[Notification]:
        """Add the messages that are leased to `rows`, and return those that wait to be claimed."""
        if self._lease is None or not messages:
            return list(messages)
        chosen = at_once(messages, self._throttled, self._lease.now)
        chosen = await _by_themselves(tx, chosen)
        if not chosen:
            return list(messages)
        ledger.leased(rows, chosen, self._lease, now)
        outbox.begin(rows, [(mint(), m.id, 1) for m in chosen], self._lease)
        self._claimed += [_claimed(m, now) for m in chosen]
        taken = {m.id for m in chosen}
        return [m for m in messages if m.id not in taken]

    async def leased(self, tx: Tx) -> tuple[Leased, ...]:
        """Return what was leased, to be sent once the transaction has committed."""
        return await addressed(tx, self._claimed)


async def addressed(tx: Tx, claimed: Sequence[Claimed]) -> tuple[Leased, ...]:
    """Return leased messages with what each needs."""
    if not claimed:
        return ()
    rows = {r["id"]: dict(r.items()) for r in await outbox.addressed(tx, [c.id for c in claimed])}
    return tuple(Leased(claimed=c, row=rows[c.id]) for c in claimed if c.id in rows)


async def _by_themselves(tx: Tx, chosen: list[Notification]) -> list[Notification]:
    """Leave out what could be told with something that waits or is under way already."""
    asked = {m.id: _key(m) for m in chosen if joinable(likeness(m))}
    if not asked:
        return chosen
    found = await outbox.fellows(tx, list(asked.values()))
    return [m for m in chosen if asked.get(m.id) not in found]


def _key(m: Notification) -> outbox.Fellowship:
    return (m.user_id, m.about, m.contact_method_id, Purpose.PAGE.value)


def _claimed(m: Notification, now: datetime) -> Claimed:
    return Claimed(
        id=m.id,
        alert_id=m.alert_id,
        page_id=m.page_id,
        user_id=m.user_id,
        contact_method_id=m.contact_method_id,
        kind=m.kind,
        purpose=m.purpose.value,
        level=m.level,
        attempts=1,
        idempotency_key=m.idempotency_key,
        send_at=m.send_at,
        created_at=now,
        about=m.about,
    )
