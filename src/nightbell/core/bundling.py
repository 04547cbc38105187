"""Which waiting messages one person gets as one: those about the same thing, to the same address, at the same moment.

Rule 1: bundling joins messages that go out now; it never holds one back, and each stays a message of its own in the
records, sent when its bundle was.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from typing import TypeVar
from uuid import UUID

from msgspec import Struct

#: Kinds that are read by programs, or that show the alert itself: there is nothing to be spared.
SINGLY = frozenset({"webhook", "inbox"})
#: Purposes that speak of alerts.
_ABOUT_ALERTS = frozenset({"page", "update"})
#: How many are named; the rest is counted.
NAMED = 10
T = TypeVar("T")


class Told(Struct, frozen=True, kw_only=True):
    """One of the alerts a bundled message names."""

    short_id: str
    title: str
    status: str


class Likeness(Struct, frozen=True, kw_only=True):
    """What makes messages one: all of it must agree.

    `bundle_id` is the bundle a message was tried in before: a message that may have arrived is repeated as it was,
    because providers that know its key would drop whatever else it said.
    """

    user_id: int
    contact_method_id: UUID | None
    about: UUID
    kind: str
    purpose: str
    bundle_id: UUID | None
    #: False where the message was tried on its own before, or is of a kind that is never bundled.
    joins: bool


def bundles(messages: Iterable[T], likeness: Callable[[T], Likeness]) -> list[list[T]]:
    """Return the messages in groups that are told as one, in the order of the first of each."""
    together: dict[Likeness, list[T]] = {}
    order: list[list[T]] = []
    for message in messages:
        like = likeness(message)
        group = together.get(like) if joinable(like) else None
        if group is None:
            group = []
            order.append(group)
            together[like] = group
        group.append(message)
    return order


def joinable(like: Likeness) -> bool:
    """Return whether a message may be told with others at all."""
    return like.joins and like.kind not in SINGLY and like.purpose in _ABOUT_ALERTS


def title(told: list[Told], about: str) -> str:
    """Return the one line of a bundle: how many, of what, about which service."""
    where = f" on {about}" if about else ""
    statuses = {one.status for one in told}
    if statuses == {"resolved"}:
        return f"{len(told)} alerts resolved{where}"
    if statuses <= {"triggered", "open", "deferred"}:
        return f"{len(told)} unacked alerts{where}"
    return f"{len(told)} alerts{where}: {_counted(told)}"


def _counted(told: list[Told]) -> str:
    counts: dict[str, int] = defaultdict(int)
    for one in told:
        counts[one.status] += 1
    return ", ".join(f"{many} {status}" for status, many in sorted(counts.items()))


def body(told: Sequence[Told], *, most: int = NAMED) -> str:
    """Return a line for each alert that is named, and how many more there are."""
    lines = [f"{one.short_id} {one.title}" for one in told[:most]]
    more = len(told) - most
    return "\n".join([*lines, f"and {more} more"] if more > 0 else lines)
