"""Lays shifts out as bars of a week, and says what a change makes of them. It knows no page and asks nobody.

Rule 1: places are parts of the instants shown, so the day of a change of offset is as much wider or narrower as it is.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

from msgspec import Struct
from msgspec.structs import replace

from nightbell.core.calendar import DAY, Span, instant, wall
from nightbell.core.schedule import Person, Schedule
from nightbell.core.shift import Shift

#: How many colours people have; the next person begins again with the first.
TINTS = 8
_LAST_YEAR = 9000


class Day(Struct, frozen=True, kw_only=True):
    """One day of a week, as wide as it is long. Units: percent of the week."""

    day: date
    left: float
    width: float
    today: bool


class Week(Struct, frozen=True, kw_only=True):
    """Seven days of a place, from a Monday."""

    span: Span
    monday: date
    days: tuple[Day, ...]

    def at(self, moment: datetime) -> float:
        """Return where an instant lies. Units: percent, from 0 to 100."""
        whole = self.span.end - self.span.start
        part = (min(max(moment, self.span.start), self.span.end) - self.span.start) / whole
        return round(part * 100, 3)


class Bar(Struct, frozen=True, kw_only=True):
    """Somebody, or nobody (`user` None), in [start, end). Units: percent of the week."""

    left: float
    width: float
    #: The line it stands on, from 0: people who serve together stand on several.
    line: int
    start: datetime
    end: datetime
    user: int | None
    shift: Shift | None = None


class Lane(Struct, frozen=True, kw_only=True):
    """One row of the timeline."""

    name: str
    bars: tuple[Bar, ...]
    lines: int
    href: str = ""
    kind: str = ""


class Becomes(Struct, frozen=True, kw_only=True):
    """In [start, end) other people would be on call than are planned now."""

    start: datetime
    end: datetime
    was: tuple[int, ...]
    becomes: tuple[int, ...]


def week(of: date, place: ZoneInfo, now: datetime) -> Week:
    """Return the week of a place that holds a day; the first and last years of the calendar have none."""
    day = min(max(of, date(1970, 1, 5)), date(_LAST_YEAR, 1, 1))
    monday = day - timedelta(days=day.weekday())
    edges = [instant(datetime.combine(monday, time()) + n * DAY, place) for n in range(8)]
    found = Week(span=Span(edges[0], edges[-1]), monday=monday, days=())
    here = wall(now, place).date()
    days = tuple(
        Day(
            day=monday + timedelta(days=n),
            left=found.at(start),
            width=round(found.at(end) - found.at(start), 3),
            today=monday + timedelta(days=n) == here,
        )
        for n, (start, end) in enumerate(pairwise(edges))
    )
    return replace(found, days=days)


def lane(name: str, shifts: Iterable[Shift], shown: Week, *, href: str = "", kind: str = "") -> Lane:
    """Return a row of shifts; those that run at once stand below one another."""
    bars = [_bar(shown, s.start, s.end, s) for s in sorted(shifts, key=lambda s: (s.start, s.user))]
    return _packed(name, [bar for bar in bars if bar.width > 0], href, kind)


def final_lane(name: str, shifts: Iterable[Shift], gaps: Iterable[Span], shown: Week) -> Lane:
    """Return the row of who is on call in the end, gaps among them."""
    bars = [_bar(shown, s.start, s.end, s) for s in shifts] + [
        _bar(shown, g.start, g.end, None) for g in gaps
    ]
    return _packed(name, sorted(bars, key=lambda bar: (bar.start, bar.user or 0)), "", "final")


def _bar(shown: Week, start: datetime, end: datetime, shift: Shift | None) -> Bar:
    left = shown.at(start)
    width = round(shown.at(end) - left, 3)
    user = shift.user if shift else None
    return Bar(left=left, width=width, line=0, start=start, end=end, user=user, shift=shift)


def _packed(name: str, bars: Iterable[Bar], href: str, kind: str) -> Lane:
    """Put each bar on the first line that is free where it begins."""
    free: list[datetime] = []
    placed = []
    for bar in bars:
        line = next((n for n, end in enumerate(free) if end <= bar.start), len(free))
        free[line : line + 1] = [bar.end]
        placed.append(replace(bar, line=line))
    return Lane(name=name, bars=tuple(placed), lines=max(1, len(free)), href=href, kind=kind)


def joined(shifts: Iterable[Shift]) -> list[Shift]:
    """Return shifts with those of one person joined that follow one another for the same reason."""
    found: list[Shift] = []
    ending: dict[tuple[int, datetime], int] = {}
    for shift in sorted(shifts, key=lambda s: s.start):
        before = ending.pop((shift.user, shift.start), None)
        if before is not None and found[before].why.cause == shift.why.cause:
            found[before] = replace(found[before], end=shift.end)
        else:
            before = len(found)
            found.append(shift)
        ending[shift.user, shift.end] = before
    return found


def held_until(shifts: Sequence[Shift], now: datetime) -> datetime | None:
    """Return until when the people who serve now go on without any change; None for nobody serving."""
    serving = {shift.user: shift.end for shift in shifts if shift.start <= now < shift.end}
    for shift in sorted(shifts, key=lambda s: s.start):
        if shift.user in serving and shift.start <= serving[shift.user] < shift.end:
            serving[shift.user] = shift.end
    ends = [*serving.values(), *(s.start for s in shifts if s.start > now and s.user not in serving)]
    return min(ends) if serving else None


def hand_offs(shifts: Iterable[Shift], *, start: datetime, end: datetime) -> list[Becomes]:
    """Return when, in (start, end), other people take over; the time given is when they begin."""
    at: dict[datetime, Counter[int]] = {}
    for shift in shifts:
        at.setdefault(shift.start, Counter())[shift.user] += 1
        at.setdefault(shift.end, Counter())[shift.user] -= 1
    serving: Counter[int] = Counter()
    found = []
    for moment in sorted(at):
        was = _people(serving)
        serving.update(at[moment])
        becomes = _people(serving)
        if was != becomes and start < moment < end:
            found.append(Becomes(start=moment, end=moment, was=was, becomes=becomes))
    return found


def changes(before: Iterable[Shift], after: Iterable[Shift]) -> list[Becomes]:
    """Return where two plans differ: who was to be on call and who would be instead."""
    at: dict[datetime, tuple[Counter[int], Counter[int]]] = {}
    for which, plan in enumerate((before, after)):
        for shift in plan:
            at.setdefault(shift.start, (Counter(), Counter()))[which][shift.user] += 1
            at.setdefault(shift.end, (Counter(), Counter()))[which][shift.user] -= 1
    found: list[Becomes] = []
    was: Counter[int] = Counter()
    becomes: Counter[int] = Counter()
    for moment, following in pairwise(sorted(at)):
        was.update(at[moment][0])
        becomes.update(at[moment][1])
        _note(found, Becomes(start=moment, end=following, was=_people(was), becomes=_people(becomes)))
    return found


def _people(serving: Counter[int]) -> tuple[int, ...]:
    return tuple(sorted(user for user, count in serving.items() if count > 0))


def _note(found: list[Becomes], one: Becomes) -> None:
    if one.was == one.becomes:
        return
    last = found[-1] if found else None
    if last and last.end == one.start and (last.was, last.becomes) == (one.was, one.becomes):
        found[-1] = replace(last, end=one.end)
    else:
        found.append(one)


def tints(schedule: Schedule, shifts: Iterable[Shift] = ()) -> dict[int, int]:
    """Return a colour for each person: members in their order, then whoever else serves."""
    order = [*_members(schedule), *sorted({shift.user for shift in shifts})]
    return {user: n % TINTS for n, user in enumerate(dict.fromkeys(order))}


def _members(schedule: Schedule) -> Iterator[int]:
    for rotation in sorted(schedule.rotations, key=lambda r: -r.position):
        for turn in rotation.turns:
            yield from (
                user for m in turn for user in ((m.user,) if isinstance(m, Person) else _members(m.schedule))
            )


def local(text: str, place: ZoneInfo) -> datetime | None:
    """Return the instant of a date and time field, which knows no zone; None where it is empty or none."""
    try:
        said = datetime.fromisoformat(text)
    except ValueError:
        return None
    if not 1970 <= said.year <= _LAST_YEAR:
        return None
    return said.astimezone(UTC) if said.tzinfo else instant(said, place)


def for_field(at: datetime, place: ZoneInfo) -> str:
    """Return what a date and time field shows of an instant."""
    return f"{wall(at, place):%Y-%m-%dT%H:%M}"
