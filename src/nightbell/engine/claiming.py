"""Takes due messages for one node: who is next, which are told as one, and which must wait for their throttle.

Rule 1: whatever is claimed here is either about to be sent, with its attempt on disk, or back in the queue with an
instant at which it is looked at again.
"""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from msgspec import Struct

from nightbell.core.bundling import Likeness, bundles, joinable
from nightbell.core.delivery import Message, Outcome
from nightbell.core.leasing import Lease
from nightbell.core.paging import NOBODY, NOTHING
from nightbell.core.throttling import LONGEST, Throttle, Use, Wish, sentence, turns
from nightbell.engine.ids import minter
from nightbell.store.db import Row, Tx
from nightbell.store.write import outbox
from nightbell.store.write.outbox import Claimed

#: Longer than any channel's own time-outs together, so that a slow answer still finds its lease.
LEASE = timedelta(seconds=45)
#: So many messages about one thing under way here are enough: others go first.
CROWD = 100
#: Before the first person, the first thing, and the posts to channels, which are NOBODY's.
_START = (NOBODY - 1, NOTHING)


class Work(Struct, frozen=True, kw_only=True):
    """One message to be sent, or why it cannot be; it stands for everything claimed with it."""

    claimed: tuple[Claimed, ...]
    message: Message | Outcome


class Batch(Struct, frozen=True, kw_only=True):
    """What was claimed at once; `full` where more may be due."""

    work: list[Work]
    full: bool


class Taken(Struct, frozen=True, kw_only=True):
    """Claimed messages in groups that go out as one, with what each needs."""

    groups: list[list[Claimed]]
    rows: dict[UUID, Row]
    full: bool


class Held:
    """What a node holds the lease of and knows of: from when it is taken until it is recorded, or its lease lapsed."""

    def __init__(self) -> None:
        self._until: dict[UUID, datetime] = {}
        #: Found by looking: of these the word of their commit may still come.
        self._found: set[UUID] = set()

    def hold(self, claimed: Sequence[Claimed], now: datetime) -> list[Claimed]:
        """Hold messages, and return those that were not held yet."""
        new = {c.id: c for c in claimed if c.id not in self._until}
        self._until.update(dict.fromkeys(new, now + LEASE))
        return list(new.values())

    def release(self, claimed: Sequence[Claimed]) -> None:
        """Hold messages no more: they are recorded, or nothing of them was tried."""
        for one in claimed:
            if one.id not in self._found:
                self._until.pop(one.id, None)

    def unknown(self, leased: Sequence[Claimed], now: datetime) -> list[Claimed]:
        """Return which of these are not held; what lapsed is forgotten."""
        self._until = {ident: until for ident, until in self._until.items() if until > now}
        self._found &= self._until.keys()
        unknown = [c for c in leased if c.id not in self._until]
        self._found |= {c.id for c in unknown}
        return unknown


class Claims:
    """Claims for one node. Remembers whose turn is next, and what is under way."""

    def __init__(self, worker: str) -> None:
        self._worker = worker
        self._turn = _START
        self._busy: Counter[UUID] = Counter()

    def began(self, claimed: Sequence[Claimed]) -> None:
        """Count messages that are under way now."""
        self._busy.update(c.about for c in claimed)

    def ended(self, claimed: Sequence[Claimed]) -> None:
        """Count them no more."""
        self._busy.subtract(c.about for c in claimed)
        self._busy = +self._busy

    async def take(
        self, tx: Tx, throttles: Sequence[Throttle], now: datetime, *, limit: int, in_turn: bool
    ) -> Taken:
        """Lease due messages: the oldest, or, `in_turn`, the first of each person and thing."""
        lease = Lease(worker=self._worker, now=now, until=now + LEASE)
        claimed = await (self._in_turn(tx, lease, limit) if in_turn else outbox.claim(tx, lease, limit))
        full = in_turn or len(claimed) >= limit
        if claimed and full:
            # All that is due was not read; what belongs together with this was perhaps left.
            claimed += await outbox.claim_fellows(tx, lease, _keys(claimed))
        groups = bundles(sorted(claimed, key=lambda c: (c.send_at, c.id)), likeness)
        if throttles and groups:
            groups = await _throttled(tx, groups, throttles, now)
        await outbox.bundle(tx, groups)
        going = [c for group in groups for c in group]
        mint = minter(now)
        rows = await outbox.start(tx, [(mint(), c.id, c.attempts) for c in going], self._worker, now)
        return Taken(groups=groups, rows={r["id"]: r for r in rows}, full=full)

    async def _in_turn(self, tx: Tx, lease: Lease, limit: int) -> list[Claimed]:
        crowded = {about for about, many in self._busy.items() if many >= CROWD and about != NOTHING}
        turn = await outbox.turns(tx, self._turn, limit)
        self._turn = turn[-1] if len(turn) >= limit else _START
        return await outbox.claim_first(tx, lease, [one for one in turn if one[1] not in crowded])


def likeness(c: Claimed) -> Likeness:
    """Return what a message has in common with those it may be told with."""
    return Likeness(
        user_id=c.user_id,
        contact_method_id=c.contact_method_id,
        about=c.about,
        kind=c.kind,
        purpose=c.purpose,
        bundle_id=c.bundle_id,
        joins=c.attempts == 1 or c.bundle_id is not None,
    )


def _keys(claimed: Sequence[Claimed]) -> list[tuple[int, UUID, UUID, str]]:
    fresh = [c for c in claimed if c.attempts == 1 and joinable(likeness(c))]
    return list({(c.user_id, c.about, c.contact_method_id or NOTHING, c.purpose) for c in fresh})


async def _throttled(
    tx: Tx, groups: list[list[Claimed]], throttles: Sequence[Throttle], now: datetime
) -> list[list[Claimed]]:
    """Return the groups that go now; the others are put back until their throttle has room."""
    kinds = {t.kind for t in throttles}
    asked = {g[0].id: g for g in groups if g[0].kind in kinds and g[0].contact_method_id is not None}
    if not asked:
        return groups
    await tx.execute("lock_throttles")
    longest = max(t.seconds for t in throttles)
    since = now - timedelta(seconds=min(longest, LONGEST))
    uses = [Use(**dict(r.items())) for r in await tx.rows("throttle_uses", sorted(kinds), since)]
    wishes = [
        Wish(id=ident, kind=g[0].kind, contact_method_id=g[0].contact_method_id or NOTHING)
        for ident, g in asked.items()
    ]
    decided = turns(wishes, uses, throttles, now)
    going = [w for w in wishes if w.id in decided.go]
    mint = minter(now)
    await outbox.use_throttles(tx, [(mint(), w.kind, w.contact_method_id) for w in going], now)
    why = {kind: "; ".join(sentence(t) for t in throttles if t.kind == kind) for kind in kinds}
    held = [(c.id, until, f"held back: {why[c.kind]}") for i, until in decided.wait.items() for c in asked[i]]
    await outbox.hold_back(tx, held, now)
    return [g for g in groups if g[0].id not in decided.wait]
