"""Looks once a second whether endpoints are to be told something; most looks are one small question."""

from datetime import timedelta

from nightbell.engine.node import Node
from nightbell.engine.outgoing import Sending
from nightbell.engine.relaying import BATCH, Relaying
from nightbell.worker.loop import Chore

#: How often somebody looks, and looks after what is left. Units: seconds.
_LOOK = 1.0
_CARE = 15.0
#: Relayed in one look at most, so that sending begins while a storm is still being relayed.
_MOST = 10


def chores(relaying: Relaying, sending: Sending, node: Node, *, keep: int) -> tuple[Chore, ...]:
    """Return what a worker does about outgoing webhooks; deliveries are kept so many days."""
    left, db, clock = [node.name], relaying.db, node.clock

    async def look() -> None:
        row = await db.row("webhooks_news", clock())
        if row is not None and row["told"]:
            for _ in range(_MOST):
                if await relaying.relay(clock()) < BATCH:
                    break
        if row is not None and (row["told"] or row["due"]):
            await sending.pump()

    async def care() -> None:
        await sending.recover(gone=left)
        left.clear()
        await db.execute("forget_webhook_deliveries", clock() - timedelta(days=keep))

    return (Chore("webhooks", _LOOK, look, timed=True), Chore("webhooks.care", _CARE, care))
