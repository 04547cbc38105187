"""The ledger of pages: what became of each, one entry after the other, each bound to the one before it by a hash.

Rule 1: an entry is its canonical text and nothing else; whoever has the texts can check the chain without us.
"""

from collections.abc import Iterable
from datetime import UTC, datetime
from enum import StrEnum
from hashlib import sha256
from typing import Any
from uuid import UUID

import msgspec
from msgspec import Struct


class Step(StrEnum):
    """How far a page, or one message of it, has come."""

    #: Somebody is to be paged: the decision.
    DECIDED = "decided"
    #: A message to one of their contact methods.
    QUEUED = "queued"
    #: Called off before it was sent.
    CANCELED = "canceled"
    #: An attempt began: on disk before anything left.
    HANDED_OVER = "handed_over"
    #: The provider took it; RETRY, REFUSED and UNKNOWN are the other ends of an attempt.
    ACCEPTED = "accepted"
    RETRY = "retry"
    REFUSED = "refused"
    UNKNOWN = "unknown"
    #: What the provider or the person said later.
    FAILED = "failed"
    DELIVERED = "delivered"
    SEEN = "seen"
    ACKNOWLEDGED = "acknowledged"
    #: Not of a page: entries too old to be kept here were put away in a file, and the chain begins behind them.
    PUT_AWAY = "put_away"


_RANK = {step: rank for rank, step in enumerate(Step)}
#: What stands before the first entry.
GENESIS = bytes(32)


class Fact(Struct, frozen=True, kw_only=True):
    """Something that happened to a page, as the tables say it; `subject` is the row that says so."""

    step: Step
    subject: UUID
    alert_id: UUID | None
    page_id: UUID | None
    notification_id: UUID | None
    user_id: int | None
    provider_id: str
    at: datetime
    told: dict[str, Any] = {}


class Sealed(Struct, frozen=True, kw_only=True):
    """An entry in its place."""

    position: int
    step: str
    subject: UUID
    alert_id: UUID | None
    at: datetime
    entry: str
    digest: bytes


class Head(Struct, frozen=True):
    """The end of the chain: the position of the last entry and its digest."""

    position: int = 0
    digest: bytes = GENESIS


def chained(head: Head, facts: Iterable[Fact], now: datetime) -> list[Sealed]:
    """Return facts, which are in order, as the entries that follow; `now` is when they are sealed."""
    sealed: list[Sealed] = []
    for fact in facts:
        text = canonical(head.position + 1, fact, now)
        head = Head(head.position + 1, digest(head.digest, text))
        sealed.append(
            Sealed(
                position=head.position,
                step=fact.step.value,
                subject=fact.subject,
                alert_id=fact.alert_id,
                at=fact.at,
                entry=text,
                digest=head.digest,
            )
        )
    return sealed


def in_order(facts: Iterable[Fact]) -> list[Fact]:
    """Return facts in the order they happened; of one instant, in the order a page goes through them."""
    return sorted(facts, key=lambda f: (f.at, _RANK[f.step], f.subject))


def canonical(position: int, fact: Fact, now: datetime) -> str:
    """Return the text of an entry: JSON with sorted keys, no spaces, times in UTC with microseconds."""
    said = {
        "position": position,
        "step": fact.step.value,
        "subject": fact.subject,
        "alert": fact.alert_id,
        "page": fact.page_id,
        "notification": fact.notification_id,
        "person": fact.user_id,
        "provider_id": fact.provider_id,
        "at": stamp(fact.at),
        "sealed_at": stamp(now),
        "told": fact.told,
    }
    return msgspec.json.encode(said, order="sorted").decode()


def stamp(at: datetime) -> str:
    """Return an instant as an entry writes it."""
    return at.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def digest(before: bytes, text: str) -> bytes:
    """Return the digest of an entry that follows another."""
    return sha256(before + text.encode()).digest()


class Broken(Struct, frozen=True):
    """The first place at which a chain does not hold, and why."""

    position: int
    why: str


def followed(head: Head, rows: Iterable[tuple[int, str, bytes]]) -> Head | Broken:
    """Return the end of a chain that goes on with these (position, text, digest), or where it breaks."""
    for position, text, claimed in rows:
        if position != head.position + 1:
            return Broken(head.position + 1, f"the entry is missing; the next one is {position}")
        if digest(head.digest, text) != claimed:
            return Broken(position, "its text or the one before it was changed")
        head = Head(position, claimed)
    return head


def disagreement(step: str, subject: UUID, alert_id: UUID | None, at: datetime, text: str) -> str:
    """Return what the columns of an entry say otherwise than its text; "" where they agree."""
    said = msgspec.json.decode(text)
    columns = {
        "step": step,
        "subject": str(subject),
        "alert": str(alert_id) if alert_id else None,
        "at": stamp(at),
    }
    wrong = [name for name, value in columns.items() if said.get(name) != value]
    return f"its columns say otherwise than its text: {', '.join(wrong)}" if wrong else ""


def vouched(step: str, text: str) -> Head | None:
    """Return the end of the part that an entry says was put away; None for all other entries."""
    if step != Step.PUT_AWAY:
        return None
    told = msgspec.json.decode(text)["told"]
    return Head(told["last"], bytes.fromhex(told["digest"]))


def unvouched(beginning: Head) -> Broken:
    """Return what is wrong with a chain that begins behind entries of which none says that they were put away."""
    return Broken(
        beginning.position, "it and those before it are gone, and no entry says that they were put away"
    )
