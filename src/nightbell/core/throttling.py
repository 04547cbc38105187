"""How many messages of a kind may go out in a while: what goes now, and when the others may.

Rule 1: a throttle delays and never loses: whatever does not go has an instant at which it will be looked at again.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from uuid import UUID

from msgspec import Struct

METHOD, INSTALLATION = "method", "installation"
SCOPES = (METHOD, INSTALLATION)
#: What uses are kept for: no throttle looks further back. Units: seconds.
LONGEST = 86_400


class Throttle(Struct, frozen=True, kw_only=True):
    """At most `most` messages of a kind in `seconds`, to one contact method or from the whole installation."""

    kind: str
    scope: str
    most: int
    seconds: int

    @property
    def span(self) -> timedelta:
        """The time in which they are counted."""
        return timedelta(seconds=self.seconds)


class Wish(Struct, frozen=True, kw_only=True):
    """A message that would go out now; a bundle is one."""

    id: UUID
    kind: str
    contact_method_id: UUID


class Use(Struct, frozen=True, kw_only=True):
    """A message that went out."""

    kind: str
    contact_method_id: UUID
    at: datetime


class Turns(Struct, frozen=True, kw_only=True):
    """Who goes now, and until when the others wait."""

    go: tuple[UUID, ...]
    wait: dict[UUID, datetime]


def turns(wishes: Iterable[Wish], uses: Iterable[Use], throttles: Sequence[Throttle], now: datetime) -> Turns:
    """Return who goes now, in the order of the wishes: first come, first served."""
    used = list(uses)
    go: list[UUID] = []
    wait: dict[UUID, datetime] = {}
    for wish in wishes:
        free = max((_free(wish, used, t, now) for t in throttles if t.kind == wish.kind), default=now)
        if free > now:
            wait[wish.id] = free
        else:
            go.append(wish.id)
            used.append(Use(kind=wish.kind, contact_method_id=wish.contact_method_id, at=now))
    return Turns(go=tuple(go), wait=wait)


def _free(wish: Wish, used: Sequence[Use], throttle: Throttle, now: datetime) -> datetime:
    """Return when a throttle has room for one more; `now` when it has it already."""
    counted = sorted(u.at for u in used if _counts(u, wish, throttle) and u.at > now - throttle.span)
    # A clock that was set back must not hold anybody longer than the throttle itself.
    return now if len(counted) < throttle.most else min(counted[-throttle.most], now) + throttle.span


def _counts(use: Use, wish: Wish, throttle: Throttle) -> bool:
    same = throttle.scope == INSTALLATION or use.contact_method_id == wish.contact_method_id
    return same and use.kind == throttle.kind


def sentence(throttle: Throttle | Mapping[str, object]) -> str:
    """Return a throttle in words."""
    get = throttle.__getitem__ if isinstance(throttle, Mapping) else lambda name: getattr(throttle, name)
    whom = "to one contact method" if get("scope") == METHOD else "from this installation"
    return f"at most {get('most')} {get('kind')} in {get('seconds')} s {whom}"
