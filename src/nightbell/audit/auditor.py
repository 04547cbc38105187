"""Goes round: asks every invariant, writes down what it found, tells the operators once, and says so in metrics.

Rule 1: nothing of the engine is asked or imported. What pages is handed in, and where that fails the log has it.
"""

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from secrets import randbits
from typing import Any
from uuid import UUID

import structlog

from nightbell.audit.chain import Chain
from nightbell.audit.invariants import INVARIANTS, LEDGER, LEDGER_BROKEN, LEDGER_PROMISE, Finding, first_id
from nightbell.core.ledger import Head
from nightbell.store.db import Tx, connect_one
from nightbell.telemetry import metrics

#: Findings of one invariant that are kept; a thousand more say nothing more.
MOST = 50
#: No question of ours may hold the database for long. Units: milliseconds.
_PATIENCE = 20_000
_log = structlog.get_logger(__name__)

#: Tells the operators: the invariant's name, what is wrong in a few words, and what was found.
Alarm = Callable[[str, str, Sequence[str]], Awaitable[None]]
#: Says that an invariant holds again.
Calm = Callable[[str], Awaitable[None]]
#: Every invariant's name and promise.
PROMISES = {one.name: one.promise for one in INVARIANTS} | {LEDGER: LEDGER_PROMISE}
#: What it is called when it fails, and in how many rounds it must.
_BROKEN = {one.name: (one.broken, one.rounds) for one in INVARIANTS} | {LEDGER: (LEDGER_BROKEN, 1)}


class Auditor:
    """Looks whether the promises hold, on a connection of its own."""

    def __init__(self, dsn: str, clock: Callable[[], datetime], alarm: Alarm, calm: Calm) -> None:
        self._dsn = dsn
        self._clock = clock
        self._alarm = alarm
        self._calm = calm
        self._chain: Chain | None = None

    async def round(self) -> dict[str, int]:
        """Go round once; return how many findings stand, by invariant."""
        connection: Any = await connect_one(self._dsn)
        try:
            await connection.execute(f"SET statement_timeout = {_PATIENCE}")
            async with connection.transaction():
                before, mine = await self._look(Tx(connection))
            if mine:
                await self._tell(Tx(connection), before)
            standing = await _standing(Tx(connection))
        finally:
            connection.terminate()
        for name in PROMISES:
            metrics.AUDIT_FINDINGS.labels(invariant=name).set(standing.get(name, (0, 0))[0])
        return {name: many for name, (many, _) in standing.items()}

    async def _look(self, tx: Tx) -> tuple[dict[str, tuple[int, int]], bool]:
        """Ask and write down; return what stood before, and whether it was ours to ask: one node does."""
        before = await _standing(tx)
        if not await tx.value("audit_lock"):
            return before, False
        now = self._clock()
        for one in INVARIANTS:
            await self._keep(tx, one.name, await one.look(tx, now), now)
        chain = await self._known_chain(tx)
        await self._keep(tx, LEDGER, await chain.look(tx), now)
        end = {"position": chain.end.position, "digest": chain.end.digest.hex()}
        await tx.execute("audit_stamp", end, now)
        metrics.AUDIT_ROUND.set(now.timestamp())
        return before, True

    async def _known_chain(self, tx: Tx) -> Chain:
        if self._chain is None:
            known = await tx.value("audit_stamped")
            self._chain = Chain(Head(known["position"], bytes.fromhex(known["digest"])) if known else Head())
        return self._chain

    async def _keep(self, tx: Tx, invariant: str, found: list[Finding], now: datetime) -> None:
        kept = found[:MOST]
        for one in kept:
            _log.error("audit.finding", invariant=invariant, subject=one.subject, told=one.told)
        subjects = [one.subject for one in kept]
        await tx.execute("audit_gone", invariant, subjects, now)
        idents = [_ident(now) for _ in kept]
        await tx.execute("audit_found", idents, invariant, subjects, [one.told for one in kept], now)

    async def _tell(self, tx: Tx, before: dict[str, tuple[int, int]]) -> None:
        now = self._clock()
        standing = await _standing(tx)
        for name, (broken, rounds) in _BROKEN.items():
            told = [row["told"] for row in await tx.rows("audit_to_page", name, now, rounds)]
            if told:
                await self._page(tx, name, broken, told, now)
            elif before.get(name, (0, 0))[1] and not standing.get(name, (0, 0))[0]:
                _log.info("audit.holds_again", invariant=name)
                await self._calm(name)

    async def _page(self, tx: Tx, name: str, broken: str, told: list[str], now: datetime) -> None:
        """Tell the operators; if that is what is broken, the log has it and the next round tries again."""
        paged = False
        try:
            await self._alarm(name, broken, told)
            paged = True
        finally:
            if not paged:
                _log.critical("audit.not_paged", invariant=name, told=told[:5])
                await tx.execute("audit_not_paged", name, now)


async def _standing(tx: Tx) -> dict[str, tuple[int, int]]:
    """Return how many findings stand and of how many the operators were told, by invariant."""
    return {row["invariant"]: (row["many"], row["paged"]) for row in await tx.rows("audit_open")}


def _ident(now: datetime) -> UUID:
    return UUID(int=first_id(now).int | 0x7 << 76 | randbits(12) << 64 | 0x2 << 62 | randbits(62))
