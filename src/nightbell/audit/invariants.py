"""The promises that must always hold, and what it says when one does not. Each asks its own question of the raw tables."""

from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime, timedelta
from types import MappingProxyType
from uuid import UUID

from msgspec import Struct

from nightbell.core import shortid
from nightbell.store.db import Row, Runner

#: Entries of a journal that explain why nothing follows.
REASONS = (
    "escalation.exhausted", "escalation.unpaged", "escalation.no_help", "escalation.fallback", "routing.nobody",
    "routing.declared_open", "routing.problem", "routing.empty_target", "group.joined", "timer.fault",
    "page.unreachable",
)  # fmt: skip
#: How late each kind of work may be. A lease is taken back every five seconds; a provider is asked in its own time.
BOUNDS: Mapping[str, timedelta] = MappingProxyType(
    {
        "alert": timedelta(minutes=1),
        "climb": timedelta(minutes=1),
        "page": timedelta(minutes=1),
        "message": timedelta(minutes=2),
        "lease": timedelta(minutes=1),
        "heartbeat": timedelta(minutes=1),
        "doubt": timedelta(minutes=15),
        "seal": timedelta(minutes=5),
    }
)
_CALLED = {
    "alert": "alerts to be looked at",
    "climb": "levels to be paged",
    "page": "later contact methods to be used",
    "message": "messages to be sent",
    "lease": "messages that somebody stopped sending",
    "heartbeat": "heartbeats to be missed",
    "doubt": "messages in doubt, to be asked about",
    "seal": "pages to be sealed into the ledger",
}
#: What is older was looked at when it was new.
_LATELY = timedelta(days=1)


class Finding(Struct, frozen=True, kw_only=True):
    """A promise that does not hold; `subject` says for what, so that it is told once."""

    subject: str
    told: str


Look = Callable[[Runner, datetime], Awaitable[list[Finding]]]


def first_id(at: datetime) -> UUID:
    """Return the smallest UUIDv7 of an instant, so that a range of ids is a range of time."""
    return UUID(int=max(0, int(at.timestamp() * 1000)) << 80)


async def next_action(db: Runner, now: datetime) -> list[Finding]:
    """Every open alert that nobody took is looked at again, or its journal says why not."""
    rows = await db.rows("audit_no_next_action", list(REASONS))
    rows += await db.rows("audit_recorded_only", list(REASONS), first_id(now - _LATELY))
    return [
        Finding(subject=str(row["id"]), told=f"{_alert(row)} waits for nothing: {_idle(row)}") for row in rows
    ]


def _alert(row: Row) -> str:
    return f"Alert {shortid.encode(row['number'])} ({row['summary'][:80]})"


def _idle(row: Row) -> str:
    if row["status"] == "open":
        return "it names somebody, pages nobody, and does not say why."
    return "nobody took it, no level, contact method or message is to come, and its journal does not say why."


async def page_once(db: Runner, now: datetime) -> list[Finding]:
    """Nobody is paged twice for one alert, level and cycle, and no message is sent again once it was taken."""
    since = first_id(now - _LATELY)
    pages = [
        Finding(
            subject=f"{row['alert_id']}/{row['level']}/{row['user_id']}/{row['cycle']}",
            told=f"Person {row['user_id']} was paged {row['many']} times for level {row['level']}, round "
            f"{row['cycle']} of alert {shortid.encode(row['number'])}.",
        )
        for row in await db.rows("audit_paged_twice", since)
    ]
    messages = [
        Finding(
            subject=str(row["notification_id"]),
            told=f"A message by {row['kind']} to person {row['user_id']} was sent again after its provider took it.",
        )
        for row in await db.rows("audit_sent_twice", since)
    ]
    return pages + messages


async def in_time(db: Runner, now: datetime) -> list[Finding]:
    """Nothing that is due is older than its bound."""
    before = [now - bound for bound in BOUNDS.values()]
    rows = await db.rows("audit_overdue", list(BOUNDS), before, first_id(now - _LATELY))
    return [
        Finding(
            subject=row["kind"],
            told=f"{row['many']} {_CALLED[row['kind']]} are overdue, since {row['oldest']:%Y-%m-%d %H:%M:%S} UTC.",
        )
        for row in rows
    ]


class Invariant(Struct, frozen=True, kw_only=True):
    """A promise: its name in metrics, its words, what it is called when it fails, and in how many rounds it must."""

    name: str
    promise: str
    broken: str
    look: Look
    rounds: int = 1


INVARIANTS = (
    Invariant(
        name="next_action",
        promise="Every open alert that nobody took has a next action, or says why not.",
        broken="an open alert waits for nothing",
        look=next_action,
    ),
    Invariant(
        name="page_once",
        promise="Nobody is paged twice for one alert, level and cycle.",
        broken="somebody was paged twice",
        look=page_once,
    ),
    Invariant(
        name="in_time",
        promise="Nothing that is due is older than its bound.",
        broken="something due is not done",
        look=in_time,
        # What piled up while the database was away is done within seconds of its return.
        rounds=2,
    ),
)
#: The fourth one, which remembers how far it came (chain.py).
LEDGER = "ledger"
LEDGER_PROMISE = "The ledger's chain holds, and says what the tables say."
LEDGER_BROKEN = "the ledger was changed"
