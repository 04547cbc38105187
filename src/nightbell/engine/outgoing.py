"""Sends events to endpoints: claimed under a lease, tried again with patience, switched off when nobody is there.

Rule 1: nothing here is on the way of a page: own lane, few connections, and an endpoint that hangs holds only itself.
"""

import asyncio
from collections.abc import Sequence
from datetime import datetime, timedelta
from time import monotonic
from typing import Protocol
from uuid import UUID

import structlog

from nightbell.core import webhook
from nightbell.core.journal import Actor
from nightbell.core.webhook import Answered, Asked
from nightbell.engine.configure_webhooks import open_headers
from nightbell.engine.directory import Directories
from nightbell.engine.faults import FAULTS
from nightbell.engine.ids import minter, new_id
from nightbell.engine.node import Node
from nightbell.engine.notices import failing_methods, ways
from nightbell.engine.vault import Vault
from nightbell.store.db import Db, Tx
from nightbell.store.write import config, notices, webhooks
from nightbell.store.write.webhooks import Claimed, Done
from nightbell.telemetry import metrics

#: Claimed at once for one endpoint, and sent side by side: no batch outlasts its lease, however slow the receiver.
BATCH = 12
ABREAST = 4
LEASE = timedelta(seconds=60)
#: Endpoints served at once.
ENDPOINTS = 8
WEBHOOKS = Actor(kind="system", name="Webhooks")
_log = structlog.get_logger(__name__)


class Post(Protocol):
    """Posts an event."""

    async def post(self, asked: Asked) -> Answered:
        """Return what was answered; never raises for what a receiver does."""
        ...


class Sending:
    """Sends what is due, on behalf of one node."""

    def __init__(self, db: Db, directories: Directories, vault: Vault, post: Post, node: Node) -> None:
        self._db = db
        self._directories = directories
        self._vault = vault
        self._post = post
        self._node = node
        #: Who is being served; one task for each.
        self._serving: dict[UUID, asyncio.Task[None]] = {}

    async def pump(self) -> None:
        """Begin to serve every endpoint that something is due for."""
        room = ENDPOINTS - len(self._serving)
        if room <= 0:
            return
        for row in await self._db.rows("due_endpoints", self._node.clock(), list(self._serving), room):
            task = asyncio.create_task(self._serve(row["id"]), name=f"webhooks {row['id']}")
            self._serving[row["id"]] = task
            task.add_done_callback(lambda done, key=row["id"]: self._served(key, done))  # type: ignore[misc]  # mypy cannot infer a lambda with a default

    def _served(self, endpoint_id: UUID, task: asyncio.Task[None]) -> None:
        self._serving.pop(endpoint_id, None)
        fault = task.exception() if not task.cancelled() else None
        if fault:
            # The lease lapses and the deliveries are taken back.
            _log.error("webhook.fault", endpoint=str(endpoint_id), why=str(fault), exc_info=fault)

    async def settle(self) -> None:
        """Wait until nobody is being served: for a clean stop, and for tests."""
        while self._serving:
            await asyncio.wait(list(self._serving.values()))

    async def close(self) -> None:
        """Stop; what is under way is taken back when its lease lapses."""
        for task in list(self._serving.values()):
            task.cancel()
        await self.settle()

    async def recover(self, *, gone: Sequence[str] = ()) -> int:
        """Take back deliveries whose worker stopped; `gone` names workers that certainly do not run any more."""
        return await self._db.execute("release_webhook_deliveries", self._node.clock(), list(gone))

    async def _serve(self, endpoint_id: UUID) -> None:
        while True:
            now = self._node.clock()
            claimed = await webhooks.claim(
                self._db, endpoint_id, now, now + LEASE, worker=self._node.name, limit=BATCH
            )
            if not claimed:
                return
            abreast = asyncio.Semaphore(ABREAST)
            done = await asyncio.gather(*(self._sent(one, abreast) for one in claimed))
            await self._record(endpoint_id, done)

    async def _sent(self, claimed: Claimed, abreast: asyncio.Semaphore) -> Done:
        async with abreast:
            began = monotonic()
            answered = await self._answered(claimed)
            now, took = self._node.clock(), monotonic() - began
        following = webhook.following(
            answered, attempt=claimed.attempts, ident=claimed.id, until=claimed.give_up_at, now=now
        )
        metrics.WEBHOOKS.labels(outcome=following.state).inc()
        if not answered.taken:
            _log.warning("webhook." + following.state, delivery=str(claimed.id), why=answered.why)
        return Done(claimed=claimed, answered=answered, following=following, at=now, ms=round(took * 1000))

    async def _answered(self, claimed: Claimed) -> Answered:
        try:
            asked = Asked(
                url=claimed.url,
                body=claimed.payload.encode(),
                headers=open_headers(self._vault, claimed.custom_headers),
                secret=self._vault.open(claimed.sealed),
                at=self._node.clock(),
            )
            return await self._post.post(asked)
        except FAULTS as fault:
            # A secret under another key, a header nobody can send: said, and tried again.
            return Answered(why=f"it could not be sent: {fault}")

    async def _record(self, endpoint_id: UUID, done: Sequence[Done]) -> None:
        now = self._node.clock()

        async def work(tx: Tx) -> bool:
            await webhooks.finish(tx, done, self._node.name, now)
            if any(one.answered.taken for one in done):
                await tx.execute("endpoint_works", endpoint_id, now)
                return False
            await tx.execute("endpoint_fails", endpoint_id, now, done[-1].answered.why[:500])
            return await self._give_up(tx, endpoint_id, now)

        if await self._db.in_tx(work):
            _log.warning("webhook.switched_off", endpoint=str(endpoint_id))

    async def _give_up(self, tx: Tx, endpoint_id: UUID, now: datetime) -> bool:
        """Switch off an endpoint that took nothing for too long, and tell the operators, in one transaction."""
        row = await tx.row("give_up_endpoint", endpoint_id, now - webhook.GIVEN_UP, now)
        if row is None:
            return False
        days = (now - row["failing_since"]).days
        why = f"it took nothing for {days} days: {row['disabled_why']}"
        await tx.execute("drop_webhook_deliveries", endpoint_id, f"the endpoint was switched off; {why}", now)
        entry = {
            "id": new_id(now),
            "action": "webhooks_endpoint.switched_off",
            "item_type": "webhooks_endpoint",
            "item_id": str(endpoint_id),
            "changes": {"enabled": [True, False], "why": why},
        }
        await config.audit(tx, WEBHOOKS, entry, now)
        await tx.execute("bump_configuration")
        await self._tell(tx, f"The webhook endpoint {row['name']} was switched off. Because {why}", now)
        return True

    async def _tell(self, tx: Tx, said: str, now: datetime) -> None:
        directory = await self._directories.current(tx)
        failing = await failing_methods(tx)
        mint = minter(now)
        for row in await tx.rows("webhook_operators"):
            ident = mint()
            await tx.execute("insert_plain_notice", ident, row["id"], said, now)
            user = directory.users.get(row["id"])
            for method in ways(user, failing) if user else ():
                await notices.send(tx, ident, mint(), row["id"], method, now)
