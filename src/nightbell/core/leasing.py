"""Which pages may be leased by the transaction that decides them, instead of waiting to be claimed.

Rule 1: only what a claim would send now and by itself. What may be told with others, what may have to wait for its
throttle, and what is of a crowd is left to the claim, which sees all of it.
"""

from collections import Counter
from collections.abc import Collection, Sequence
from datetime import datetime

from msgspec import Struct

from nightbell.core.bundling import Likeness, joinable
from nightbell.core.delivery import Purpose
from nightbell.core.paging import Notification

#: More pages of one transaction are a storm: they take turns with those of others.
MOST = 20


class Lease(Struct, frozen=True, kw_only=True):
    """Who takes messages, when, and for how long nobody else may."""

    worker: str
    now: datetime
    until: datetime


def at_once(
    messages: Sequence[Notification], throttled: Collection[str], now: datetime
) -> list[Notification]:
    """Return which of the messages of one transaction may be leased by it.

    Shape: whoever asks looks whether a `joinable` one of these has fellows that wait or are under way already.
    """
    many = Counter(map(likeness, messages))
    if many.total() > MOST:
        return []
    return [m for m in messages if _alone(m, many) and m.kind not in throttled and m.send_at <= now]


def _alone(message: Notification, many: Counter[Likeness]) -> bool:
    """Return whether a message is a page that no other one of its transaction is told with.

    A post to a channel is never sent again once it was leased (ADR 0010) and nobody waits for it, so it is claimed.
    """
    if message.purpose is not Purpose.PAGE or message.address is not None:
        return False
    like = likeness(message)
    return many[like] == 1 or not joinable(like)


def likeness(message: Notification) -> Likeness:
    """Return what a message that was never tried has in common with those it may be told with."""
    return Likeness(
        user_id=message.user_id,
        contact_method_id=message.contact_method_id,
        about=message.about,
        kind=message.kind,
        purpose=message.purpose.value,
        bundle_id=None,
        joins=True,
    )
