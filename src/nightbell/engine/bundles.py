"""Messages that stand for several alerts: their words, which alerts one of them named, and taking all of those at once.

Rule 1: whoever answers a bundle answers what it named, and nothing that came later.
"""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from msgspec.structs import replace

from nightbell.core import bundling, shortid
from nightbell.core.bundling import Told
from nightbell.core.delivery import Message
from nightbell.core.errors import Stale
from nightbell.core.journal import Actor
from nightbell.engine.act import Act
from nightbell.store.db import Row, Runner
from nightbell.store.write.outbox import Claimed


def bundled(message: Message, parts: Sequence[tuple[Claimed, Row]]) -> Message:
    """Return the message of the first alert as the one message of all of them."""
    told = [
        Told(short_id=shortid.encode(row["number"]), title=row["summary"], status=row["status"])
        for _, row in parts
    ]
    first, row = parts[0]
    return replace(
        message,
        # The same on every attempt, whichever of them is first by then.
        idempotency_key=f"bundle/{first.bundle_id or first.id}",
        title=bundling.title(told, row["about_name"] or ""),
        body=bundling.body(told),
        bundle=tuple(told),
        # A name of its own: what replaces messages about one alert on a screen must not replace this one.
        short_id=f"{message.short_id}+{len(told) - 1}",
        # The page that lists them all, where there is one.
        alert_url=message.acknowledge_url.removesuffix("/acknowledge") or message.alert_url,
        labels=_common([r["labels"] or {} for _, r in parts]),
        annotations={},
        started_at=min((r["started_at"] for _, r in parts if r["started_at"]), default=None),
        # What is done by one tap is done to all; to climb and to wait are decided one by one.
        escalate_url="",
        snooze_url="",
    )


def _common(labels: Sequence[dict[str, str]]) -> dict[str, str]:
    first, *others = labels
    return {k: v for k, v in first.items() if all(one.get(k) == v for one in others)}


async def alerts_of(runner: Runner, notification_id: UUID) -> list[UUID]:
    """Return the alerts a message named: one, or all of its bundle, in its order."""
    return [r["alert_id"] for r in await runner.rows("alerts_of_message", notification_id)]


async def told_with(runner: Runner, user_id: int, alert_id: UUID) -> list[UUID]:
    """Return the alerts that the last message to a person about an alert named."""
    last: UUID | None = await runner.value("last_message_about", user_id, alert_id)
    return await alerts_of(runner, last) if last else []


async def acknowledge(act: Act, alert_ids: Sequence[UUID], *, by: Actor, now: datetime) -> int:
    """Take these alerts; return how many somebody has now who was not said to have them before.

    Raises: Stale when every one of them is over.
    """
    taken, over = 0, 0
    for alert_id in alert_ids:
        try:
            decision = await act.acknowledge(alert_id, by=by, now=now)
        except Stale:
            over += 1
        else:
            taken += decision.what.startswith("acknowledged")
    if alert_ids and over == len(alert_ids):
        raise Stale("All of these alerts are over.")
    return taken
