"""How far a message is known to have come, and what a report of it changes.

Reports come late, twice and in any order, so this is a join: the furthest stage wins, whatever was said when.

handed_over < accepted < failed < delivered < seen < acknowledged

A failure outranks "accepted" (it is news) and is outranked by any proof of arrival (a late "failed" of one route says
nothing against a person who answered).
"""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from msgspec import Struct


class Stage(StrEnum):
    """How far a message came."""

    #: Nothing is known yet.
    NONE = ""
    HANDED_OVER = "handed_over"
    ACCEPTED = "accepted"
    FAILED = "failed"
    DELIVERED = "delivered"
    SEEN = "seen"
    ACKNOWLEDGED = "acknowledged"


_RANK = {stage: rank for rank, stage in enumerate(Stage)}
#: Nothing more is asked of the provider.
FINAL = frozenset({Stage.FAILED, Stage.DELIVERED, Stage.SEEN, Stage.ACKNOWLEDGED})


class Receipt(Struct, frozen=True, kw_only=True):
    """What somebody says became of a message: its provider, or the person by an answer."""

    notification_id: UUID
    stage: Stage
    #: The provider's own id of the message, "" where it does not say.
    provider_id: str = ""
    #: The provider's word: "undelivered (30003)".
    why: str = ""
    at: datetime | None = None


class Progress(Struct, frozen=True, kw_only=True):
    """A message after a report: where it stands, and what is new about that."""

    stage: Stage
    moved: bool
    #: It was handed over and now is known not to have arrived: the next method is used at once.
    newly_failed: bool


def further(one: Stage, other: Stage) -> Stage:
    """Return the later of two stages."""
    return one if _RANK[one] >= _RANK[other] else other


def after(known: Stage, said: Stage) -> Progress:
    """Return where a message stands after a report."""
    stage = further(known, said)
    moved = stage is not known
    return Progress(stage=stage, moved=moved, newly_failed=moved and stage is Stage.FAILED)


def state_after(state: str, stage: Stage) -> str:
    """Return what a message's state is once it is known to have come so far.

    Doubt ends with any word of the provider; a message that waits for another try although it arrived is not sent
    again; one that is being sent right now is left to whoever sends it.
    """
    if state in ("sending", "canceled") or stage in (Stage.NONE, Stage.HANDED_OVER):
        return state
    return "refused" if stage is Stage.FAILED else "sent"
