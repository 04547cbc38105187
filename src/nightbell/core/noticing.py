"""Which notices about shifts are due: one is near, one begins, one is over, and whoever serves it cannot be reached.

Rule 1: of several reminders whose hour has come only the latest is due: a node that was away does not catch up aloud.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from itertools import chain
from uuid import UUID

from msgspec import Struct

from nightbell.core.schedule import Schedule
from nightbell.core.shift import Shift
from nightbell.core.shifts import shifts

#: A hand-over that is longer ago is no news.
LATE = timedelta(hours=1)
#: How long before a shift somebody is told that nobody can reach them. Units: hours.
GATE = (24, 2)
#: Nobody is reminded earlier. Units: hours.
MOST_HOURS = 168
UPCOMING, BEGINS, ENDS, UNREACHABLE, ALARM = "upcoming", "begins", "ends", "unreachable", "alarm"
SWAP_ASKED, SWAP_ACCEPTED = "swap_asked", "swap_accepted"
SWAP_DECLINED, SWAP_WITHDRAWN = "swap_declined", "swap_withdrawn"


class Wishes(Struct, frozen=True, kw_only=True):
    """What somebody wants to hear of their shifts: hours before one, and when it begins and ends."""

    hours: tuple[int, ...] = ()
    handoffs: bool = True


class Duty(Struct, frozen=True, kw_only=True):
    """A time on call, hand-offs to oneself left out."""

    schedule_id: UUID
    user_id: int
    start: datetime
    end: datetime


class Notice(Struct, frozen=True, kw_only=True):
    """Something to be said of a duty, once. `hours` tells reminders of one duty apart."""

    kind: str
    duty: Duty
    hours: int = 0
    #: The swap it speaks of.
    cause: UUID | None = None


def duties(schedule: Schedule, now: datetime) -> tuple[Duty, ...]:
    """Return the duties of a schedule that may be spoken of now or soon."""
    ahead = timedelta(hours=MOST_HOURS + 1)
    found = shifts(schedule, start=now - LATE - timedelta(minutes=1), end=now + ahead)
    return tuple(_joined(schedule.id, found, now - LATE))


def _joined(schedule_id: UUID, found: Iterable[Shift], since: datetime) -> Iterator[Duty]:
    open_: dict[int, Duty] = {}
    for shift in sorted(found, key=lambda s: (s.user, s.start)):
        before = open_.get(shift.user)
        start = min(shift.start, shift.true_start)
        if before and shift.start <= before.end:
            start = before.start
        elif before:
            yield before
        open_[shift.user] = Duty(schedule_id=schedule_id, user_id=shift.user, start=start, end=shift.end)
    yield from (duty for duty in open_.values() if duty.end > since)


def due(
    found: Iterable[Duty], wishes: Mapping[int, Wishes], now: datetime
) -> tuple[list[Notice], datetime | None]:
    """Return what is due now, and when something will be next."""
    known = list(found)
    notices = list(chain.from_iterable(_of(duty, wishes.get(duty.user_id, Wishes()), now) for duty in known))
    instants = chain.from_iterable(_instants(d, wishes.get(d.user_id, Wishes())) for d in known)
    return notices, min((at for at in instants if at > now), default=None)


def _of(duty: Duty, wishes: Wishes, now: datetime) -> Iterator[Notice]:
    if now < duty.start:
        hours = _hours(duty, wishes.hours, now)
        if hours is not None:
            yield Notice(kind=UPCOMING, duty=duty, hours=hours)
        gate = _hours(duty, GATE, now)
        if gate is not None:
            yield Notice(kind=UNREACHABLE, duty=duty, hours=gate)
    elif now < duty.end:
        if wishes.handoffs and now < duty.start + LATE:
            yield Notice(kind=BEGINS, duty=duty)
        yield Notice(kind=ALARM, duty=duty)
    elif wishes.handoffs and now < duty.end + LATE:
        yield Notice(kind=ENDS, duty=duty)


def _hours(duty: Duty, hours: Sequence[int], now: datetime) -> int | None:
    return min((h for h in hours if duty.start - timedelta(hours=h) <= now), default=None)


def _instants(duty: Duty, wishes: Wishes) -> Iterator[datetime]:
    yield duty.start
    yield duty.end
    for hours in {*wishes.hours, *GATE}:
        yield duty.start - timedelta(hours=hours)
