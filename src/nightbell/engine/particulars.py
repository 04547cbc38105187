"""Adds to messages what only some kinds need: the service's account, a code to answer with, where reports go, threads.

Rule 1: a batch without such a kind asks the database nothing.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from urllib.parse import urlsplit
from uuid import UUID

from msgspec import Struct
from msgspec.structs import replace

from nightbell.core import links, reply, verification
from nightbell.core.delivery import Message, Purpose
from nightbell.core.providers import BY_KIND
from nightbell.engine.providers import Known, Providers
from nightbell.engine.vault import Vault
from nightbell.store.db import Db, Tx
from nightbell.store.write import heard
from nightbell.store.write.outbox import Claimed

#: Providers report for hours, not for days.
_CALLBACK_LIFE = timedelta(days=1)
#: Services that call us back, and the path below /callbacks/ where they do.
_CALLS_BACK = {"sms": "twilio/sms", "voice": "twilio/voice", "mattermost": "mattermost"}
#: Kinds that hang what follows below what was said first.
_THREADS = frozenset({"slack"})


class Particulars(Struct, frozen=True, kw_only=True):
    """What was looked up for a batch."""

    providers: Known
    codes: Mapping[tuple[int, UUID], str]
    firsts: Mapping[UUID, str]


NOTHING = Particulars(providers={}, codes={}, firsts={})


class Clerk:
    """Looks up what a batch needs, and completes its messages."""

    def __init__(self, vault: Vault, base_url: str, providers: Providers) -> None:
        self.providers = providers
        #: Signs tokens in callbacks: such a token must not open the page behind a link, or the other way round.
        self.callback_key = b"callback\0" + vault.link_key
        self._vault = vault
        self._base = base_url.rstrip("/")

    async def look_up(self, db: Db, claimed: Sequence[Claimed], now: datetime) -> Particulars:
        """Return what the messages of a batch need."""
        if not any(c.kind in BY_KIND for c in claimed):
            return NOTHING
        threads = [c.id for c in claimed if c.kind in _THREADS and c.purpose == Purpose.UPDATE]
        coded = {
            (c.user_id, c.alert_id)
            for c in claimed
            if c.kind in reply.CODED and c.alert_id and c.purpose == Purpose.PAGE
        }
        return Particulars(
            providers=await self.providers.every(db),
            codes=await _codes(db, coded, now) if coded else {},
            firsts={r["id"]: r["provider_id"] for r in await db.rows("first_messages", threads)}
            if threads
            else {},
        )

    def completed(self, message: Message, claimed: Claimed, found: Particulars) -> Message:
        """Return a message with what its kind needs."""
        if claimed.purpose == Purpose.VERIFY:
            message = self._proving(message, claimed)
        service = BY_KIND.get(claimed.kind)
        if service is None:
            return message
        known = found.providers.get(service.name, {})
        alert = claimed.alert_id or UUID(int=0)
        return replace(
            message,
            provider=known,
            reply_code=found.codes.get((claimed.user_id, alert), ""),
            callback_url=self._callback(claimed, message.sent_at) if self._reached_from(known) else "",
            earlier=found.firsts.get(claimed.id, ""),
        )

    def _reached_from(self, known: Mapping[str, str]) -> bool:
        """Return whether a service may be told to call us: it refuses a message whose callback it cannot reach."""
        far = _here(self._base) and not _here(known.get("base_url", ""))
        return known.get("callbacks") == "on" and not far

    def _callback(self, claimed: Claimed, now: datetime) -> str:
        path = _CALLS_BACK.get(claimed.kind)
        return f"{self._base}/callbacks/{path}/{self.token(claimed, now)}" if path else ""

    def token(self, claimed: Claimed, now: datetime) -> str:
        """Return what names a message to whoever calls back about it, for a day."""
        expires = int((now + _CALLBACK_LIFE).timestamp())
        alert = claimed.alert_id or UUID(int=0)
        return links.sign(self.callback_key, links.Link(alert, claimed.user_id, claimed.id, 0, expires))

    def _proving(self, message: Message, claimed: Claimed) -> Message:
        code = verification.code(self._vault.link_key, claimed.id)
        minutes = int(verification.LIFE.total_seconds()) // 60
        return replace(
            message,
            title=f"Your code is {code}",
            body=f"Enter {code} under Me → Contact methods within {minutes} minutes. If you did not ask for it, do nothing.",
        )


def _here(url: str) -> bool:
    """Return whether an address means this very machine."""
    host = urlsplit(url).hostname or ""
    return host == "localhost" or host == "::1" or host.startswith("127.")


async def _codes(db: Db, wanted: set[tuple[int, UUID]], now: datetime) -> dict[tuple[int, UUID], str]:
    """Return a code for each (person, alert), the one that is in use where there is one."""

    async def work(tx: Tx) -> dict[tuple[int, UUID], str]:
        people = sorted({user_id for user_id, _ in wanted})
        await tx.rows("lock_people", people)
        rows = await tx.rows("codes_of_people", people, now - reply.LIFE)
        known = {(r["user_id"], r["alert_id"]): r["code"] for r in rows}
        taken: dict[int, set[str]] = defaultdict(set)
        for (user_id, _), code in known.items():
            taken[user_id].add(code)
        again = [pair for pair in wanted if pair in known]
        if again:
            await tx.execute("touch_codes", *zip(*again, strict=True), now)
        fresh = []
        for user_id, alert_id in sorted(wanted - known.keys()):
            code = reply.free_code(taken[user_id])
            taken[user_id].add(code)
            fresh.append((user_id, code, alert_id))
        if fresh:
            await heard.put_codes(tx, fresh, now)
        return {pair: known[pair] for pair in again} | {(u, a): code for u, code, a in fresh}

    return await db.in_tx(work)
