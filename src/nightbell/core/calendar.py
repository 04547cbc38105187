"""This file turns wall clocks into instants and back, for every zone and every night the clocks change.

Rule 1: compare wall clocks with wall clocks and instants with instants. A wall clock is a naive datetime, an instant
an aware one in UTC, and `instant`, `wall` and `reached` are the only ways across. Intervals are half-open.
"""

from collections.abc import Collection, Iterable, Iterator
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import NamedTuple
from zoneinfo import ZoneInfo

from msgspec import Struct

from nightbell.core.errors import Invalid
from nightbell.core.zones import RAILS

DAY = timedelta(days=1)
WEEK = timedelta(weeks=1)
#: A moment: the shortest time there is.
MOMENT = timedelta(microseconds=1)
ALL_DAYS = frozenset(range(7))
#: The letters of the wire, Monday 0. Nowhere defined, and both published orders read as S Sunday, U Saturday.
DAY_LETTERS = {"M": 0, "T": 1, "W": 2, "R": 3, "F": 4, "U": 5, "S": 6}
DAY_NAMES = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SECOND = timedelta(seconds=1)
_ORIGIN = datetime.combine(date(1, 1, 1), time())


class Span(NamedTuple):
    """From start to before end: instants or wall clocks, never one of each."""

    start: datetime
    end: datetime


# ---------------------------------------------------------------- zones


@lru_cache(maxsize=1024)
def zone(name: str, place: str = "time_zone") -> ZoneInfo:
    """Return the zone of an IANA name, or of a Rails one.

    Raises: Invalid for a name that is none.
    """
    try:
        # These are files beside the zones: leap seconds would be counted, or the machine's own zone meant.
        if name.partition("/")[0] in ("right", "posix", "localtime", "posixrules"):
            raise ValueError(name)
        return ZoneInfo(RAILS.get(name, name))
    except (KeyError, ValueError, OSError) as fault:
        hint = "an IANA name such as Europe/Berlin or Etc/UTC"
        raise Invalid(f"{name[:64]!r} is not a time zone", place=place, hint=hint) from fault


def instant(local: datetime, place: ZoneInfo) -> datetime:
    """Return when a wall clock first shows `local` or, where it never does, the first instant after the gap."""
    origin = _steady(place, local.toordinal())
    if origin is not None:
        return _EPOCH + (local - origin)
    # Of a wall clock that does not exist, fold 0 has the offset before the change and fold 1 the one after (PEP 495).
    before, after = _offset(local, place), _offset(local.replace(fold=1), place)
    if after > before:
        return _change(place, local - after, local - before)
    return (local - before).replace(tzinfo=UTC)


def wall(at: datetime, place: ZoneInfo) -> datetime:
    """Return what a wall clock shows at an instant."""
    return at.astimezone(place).replace(tzinfo=None, fold=0)


def reached(at: datetime, place: ZoneInfo) -> datetime:
    """Return the latest wall clock shown so far: it stands still while an hour is lived twice.

    It never runs backwards, so `instant(local) <= at` exactly where `local <= reached(at)`.
    """
    local = at.astimezone(place)
    shown = local.replace(tzinfo=None, fold=0)
    if not local.fold:
        return shown
    before = _offset(shown, place)
    started = (at.astimezone(UTC) - (before - _offset(local, place))).replace(tzinfo=None)
    change = _change(place, started, at.astimezone(UTC).replace(tzinfo=None))
    return change.replace(tzinfo=None) + before - MOMENT


def _offset(local: datetime, place: ZoneInfo) -> timedelta:
    offset = place.utcoffset(local)
    assert offset is not None, "only a zone without rules has no offset"
    return offset


@lru_cache(maxsize=16384)
def _steady(place: ZoneInfo, day: int) -> datetime | None:
    """Return what a wall clock that never changed would have shown at the epoch; None for a day of change."""
    first = _ORIGIN + timedelta(days=day - 1)
    edges = (first, first + DAY - MOMENT)
    offsets = {_offset(edge.replace(fold=fold), place) for edge in edges for fold in (0, 1)}
    return _EPOCH.replace(tzinfo=None) + offsets.pop() if len(offsets) == 1 else None


@lru_cache(maxsize=4096)
def _change(place: ZoneInfo, early: datetime, late: datetime) -> datetime:
    """Return the instant, in (early, late], at which the offset changes. Both are naive UTC."""
    low, high = early.replace(microsecond=0, tzinfo=UTC), late.replace(microsecond=0, tzinfo=UTC)
    old = low.astimezone(place).utcoffset()
    while high - low > _SECOND:
        middle = low + (high - low) // 2
        middle = middle.replace(microsecond=0)
        low, high = (middle, high) if middle.astimezone(place).utcoffset() == old else (low, middle)
    return high


# ---------------------------------------------------------------- days and months


def midnight(local: datetime) -> datetime:
    """Return the beginning of the day of a wall clock."""
    return local.replace(hour=0, minute=0, second=0, microsecond=0)


def months_later(local: datetime, months: int) -> datetime:
    """Return the same day and time some months later, or the last day of a month that is too short."""
    year, month = divmod(local.year * 12 + local.month - 1 + months, 12)
    return local.replace(year=year, month=month + 1, day=min(local.day, _last_day(year, month + 1)))


def _last_day(year: int, month: int) -> int:
    return (date(year + month // 12, month % 12 + 1, 1) - DAY).day


def clock(text: str, place: str) -> time:
    """Return the time of day of "09:30" or "09:30:00"; "24:00" is midnight.

    Raises: Invalid for anything else.
    """
    try:
        parsed = time.fromisoformat("00:00" if text in ("24:00", "24:00:00") else text)
    except ValueError:
        parsed = time(tzinfo=UTC)
    if parsed.tzinfo is not None:
        raise Invalid(
            f"{text[:64]!r} is not a time of day", place=place, hint='two digits each, such as "09:30"'
        )
    return parsed


# ---------------------------------------------------------------- hours of the week


class Window(Struct, frozen=True, kw_only=True):
    """Hours of some days. An end not after its start lies in the next day; the whole belongs to the day it began."""

    start: time
    end: time
    #: Monday is 0.
    days: frozenset[int] = ALL_DAYS


class Hours(Struct, frozen=True):
    """The active hours of a week. Build with `hours`; None stands for always wherever Hours are asked for."""

    #: For each weekday, from Monday, stretches from its midnight in order; an end may lie in the next day.
    by_day: tuple[tuple[tuple[timedelta, timedelta], ...], ...]

    def on(self, day: datetime) -> list[Span]:
        """Return what began on a day, given by its midnight."""
        return [Span(day + start, day + end) for start, end in self.by_day[day.weekday()]]

    def days_of(self, local: datetime) -> list[datetime]:
        """Return the midnights of the days whose hours cover a wall clock, yesterday's night before today's hours."""
        today = midnight(local)
        return [day for day in (today - DAY, today) if any(a <= local < b for a, b in self.on(day))]

    def cover(self, local: datetime) -> bool:
        """Return whether a wall clock lies in active hours."""
        return bool(self.days_of(local))

    def spans(self, start: datetime, end: datetime) -> list[Span]:
        """Return the active hours that touch [start, end), in order and joined where they meet."""
        days = _days(midnight(start) - DAY, end)
        found = joined(span for day in days for span in self.on(day))
        return [span for span in found if span.end > start and span.start < end]

    def days(self) -> frozenset[int]:
        """Return the weekdays on which anything begins."""
        return frozenset(day for day, stretches in enumerate(self.by_day) if stretches)


def hours(windows: Iterable[Window]) -> Hours | None:
    """Return the hours that some windows make together; None when they leave nothing out."""
    made = list(windows)
    week = tuple(_stretches(made, day) for day in range(7))
    return None if all(day == ((timedelta(), DAY),) for day in week) else Hours(week)


def _stretches(windows: Collection[Window], day: int) -> tuple[tuple[timedelta, timedelta], ...]:
    spans = sorted(_stretch(window, _ORIGIN) for window in windows if day in window.days)
    return tuple((start - _ORIGIN, end - _ORIGIN) for start, end in joined(spans))


def _stretch(window: Window, day: datetime) -> Span:
    start, end = datetime.combine(day, window.start), datetime.combine(day, window.end)
    return Span(start, end if end > start else end + DAY)


def _days(first: datetime, before: datetime) -> Iterator[datetime]:
    while first < before:
        yield first
        first += DAY


# ---------------------------------------------------------------- spans


def joined(spans: Iterable[Span]) -> list[Span]:
    """Return spans, given in order of start, joined where they touch or overlap."""
    result: list[Span] = []
    for span in spans:
        if result and span.start <= result[-1].end:
            if span.end > result[-1].end:
                result[-1] = Span(result[-1].start, span.end)
        else:
            result.append(span)
    return result


def rest(whole: Span, holes: Iterable[Span]) -> Iterator[Span]:
    """Yield what is left of a span without some holes, given in order and apart."""
    start = whole.start
    for hole in holes:
        if hole.start >= whole.end:
            break
        if hole.start > start:
            yield Span(start, hole.start)
        start = max(start, hole.end)
    if start < whole.end:
        yield Span(start, whole.end)
