"""What becomes of messages after they were handed over: doubts are cleared, and old news is changed where it stands.

Rule 1: a doubt ends with the provider's word, never by sending again (ADR 0010).
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from uuid import UUID

from msgspec.structs import replace

from nightbell.core.delivery import (
    Absent,
    Channel,
    Editing,
    Found,
    Message,
    NotSaid,
    Retry,
    Sent,
    Traceable,
    Unsure,
)
from nightbell.core.receipt import Receipt, Stage
from nightbell.engine.arming import IN_DOUBT
from nightbell.engine.messages import Desk
from nightbell.engine.receive import Receive
from nightbell.store.db import Db, Row
from nightbell.store.write.outbox import Claimed

#: Questions about one message: 10 s, 20 s, 40 s … 10 minutes apart, for about a day.
_MOST_TRACES = 150
_LONGEST_PAUSE = timedelta(minutes=10)
_MOST_EDITS = 8
#: Longer than a question may take, so that two nodes do not ask the same.
_LEASE = timedelta(minutes=1)
BATCH = 20
#: What a message that names several alerts says of itself: the first of these that one of them is.
_NEEDY = ("triggered", "open", "acknowledged", "deferred")
_CLAIMED = tuple(Claimed.__struct_fields__)


class Aftercare:
    """Looks after messages of the kinds whose channels can be asked, or can change what they sent."""

    def __init__(self, db: Db, channels: Mapping[str, Channel], desk: Desk, receive: Receive) -> None:
        self._db = db
        self._channels = channels
        self._desk = desk
        self._receive = receive

    # ------------------------------------------------------------ clearing doubts

    async def trace(self, now: datetime) -> int:
        """Ask providers what became of messages; return how many were asked about."""
        rows = await self._db.rows("claim_traces", now, now + _LEASE, BATCH)
        messages = await self._messages(rows, now)
        for row in rows:
            await self._traced(row, messages.get(row["id"]), now)
        return len(rows)

    async def _traced(self, row: Row, message: Message | None, now: datetime) -> None:
        channel = self._channels.get(row["kind"])
        if message is None or not isinstance(channel, Traceable):
            await self._db.execute("retrace", row["id"], None)
            return
        known = frozenset(r["provider_id"] for r in await self._db.rows("provider_ids", row["id"]))
        match await channel.trace(message, row["provider_id"], known):
            case Found() as found:
                report = Receipt(
                    notification_id=row["id"], stage=found.stage, provider_id=found.provider_id, why=found.why
                )
                await self._receive.receipt(report, now)
                await self._again(row, now)
            case Absent() if await self._db.execute("send_absent", row["id"], now):
                # The process stopped before the provider had it: now it goes, as it would have then.
                pass
            case Absent() as absent:
                report = Receipt(notification_id=row["id"], stage=Stage.FAILED, why=absent.why)
                await self._receive.receipt(report, now)
            case NotSaid():
                await self._again(row, now)

    async def _again(self, row: Row, now: datetime) -> None:
        pause = min(IN_DOUBT * 2 ** min(row["traces"], 10), _LONGEST_PAUSE)
        when = now + pause if row["traces"] < _MOST_TRACES else None
        await self._db.execute("retrace", row["id"], when)

    # ------------------------------------------------------------ changing old news

    async def edit(self, now: datetime) -> int:
        """Change messages that say what is no longer true; return how many there were."""
        claimed = await self._db.rows("claim_posts", now, now + _LEASE, BATCH)
        tries = {row["notification_id"]: row["tries"] for row in claimed}
        rows = await self._db.rows("messages_of_posts", list(tries)) if tries else []
        messages = await self._messages(rows, now)
        for row in rows:
            await self._edited(row, messages.get(row["id"]), tries[row["id"]], now)
        return len(rows)

    async def _edited(self, row: Row, message: Message | None, tries: int, now: datetime) -> None:
        channel = self._channels.get(row["kind"])
        if message is None or not isinstance(channel, Editing):
            await self._db.execute("posted", row["id"], "", None, False, now)
            return
        message = _as_it_is(message, row)
        outcome = await channel.edit(message, row["provider_id"])
        match outcome:
            case Sent():
                over = row["standing"] == "resolved" or row["occurrence"] != row["present"]
                await self._db.execute("posted", row["id"], row["standing"], None if over else now, True, now)
            case Retry() | Unsure() if tries < _MOST_EDITS:
                # Saying the same twice does no harm, so doubt is simply tried again.
                pause = outcome.after if isinstance(outcome, Retry) and outcome.after else IN_DOUBT * tries
                await self._db.execute("posted", row["id"], "", now + pause, False, now)
            case _:
                await self._db.execute("posted", row["id"], "", None, False, now)

    # ------------------------------------------------------------ writing them anew

    async def _messages(self, rows: Sequence[Row], now: datetime) -> dict[UUID, Message]:
        """Return the messages of rows, written as they would be now, from when they were tried last."""
        together: dict[UUID, list[Claimed]] = defaultdict(list)
        bundle_ids = list({row["bundle_id"] for row in rows if row["bundle_id"]})
        for member in await self._db.rows("messages_in_bundles", bundle_ids) if bundle_ids else []:
            together[member["bundle_id"]].append(_claimed(member))
        groups = {row["id"]: together.get(row["bundle_id"]) or [_claimed(row)] for row in rows}
        every = list({c.id: c for group in groups.values() for c in group}.values())
        if not every:
            return {}
        ids = [one.id for one in every]
        known = {row["id"]: row for row in await self._db.rows("addressed", ids)}
        tried = {r["notification_id"]: r["started_at"] for r in await self._db.rows("last_tries", ids)}
        found = await self._desk.clerk.look_up(self._db, every, now)
        out = {}
        for ident, group in groups.items():
            first, parts = group[0], [(c, known[c.id]) for c in group if c.id in known]
            if len(parts) < len(group) or not parts[0][1]["active"] or parts[0][1]["address"] is None:
                continue
            at = tried.get(first.id, first.send_at)
            written = self._desk.bundle(parts, at) if len(parts) > 1 else self._desk.message(*parts[0], at)
            out[ident] = self._desk.clerk.completed(written, first, found)
        return out


def _claimed(row: Row) -> Claimed:
    return Claimed(**{name: row[name] for name in _CLAIMED})


def _as_it_is(message: Message, row: Row) -> Message:
    """Return a message for one that stands: an occurrence that is over is resolved, whatever came after it."""
    if message.bundle:
        # As long as one of them waits, there is something to press.
        said = [one.status for one in message.bundle]
        return replace(message, status=next((s for s in _NEEDY if s in said), "resolved"))
    status = "resolved" if row["occurrence"] != row["present"] else message.status
    taken = f"Acknowledged by {row['taker']}.\n" if status == "acknowledged" and row["taker"] else ""
    return replace(message, status=status, body=f"{taken}{message.body}")
