"""What incidents come to: how many in which week, how long until somebody had them, until they were mitigated, over.

Rule 1: a figure of nothing is None and never zero. What was cancelled was no incident, and planned work is none.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from datetime import date, datetime, timedelta, tzinfo
from math import ceil

from msgspec import Struct

from nightbell.core import incident as rules
from nightbell.core.incident import Incident, Status

WEEK = timedelta(weeks=1)
#: Kinds that are played or planned.
_NOT_COUNTED = frozenset({"test", "test_sub", "example", "example_sub", *rules.PLANNED})
#: Where something has no severity, service or team.
NONE = "none"


class Case(Struct, frozen=True, kw_only=True):
    """An incident with the names of what it is counted by."""

    incident: Incident
    #: Name and level (critical, high, medium, low) of its severity, "" without.
    severity: str = ""
    level: str = ""
    services: tuple[str, ...] = ()
    teams: tuple[str, ...] = ()


class Spread(Struct, frozen=True):
    """How long something took, in how many cases: the middle one, and what nine in ten were below."""

    many: int
    median: timedelta
    p90: timedelta


class Line(Struct, frozen=True, kw_only=True):
    """Figures of some incidents."""

    name: str
    many: int
    open: int
    acknowledge: Spread | None
    mitigate: Spread | None
    resolve: Spread | None


class Week(Struct, frozen=True, kw_only=True):
    """How many incidents began in the week of a Monday, by the level of their severity, and what resolving took."""

    start: date
    many: int
    levels: dict[str, int]
    resolve: Spread | None


def counted(cases: Iterable[Case]) -> list[Case]:
    """Return the cases that count."""
    return [
        case
        for case in cases
        if case.incident.kind not in _NOT_COUNTED and case.incident.status is not Status.CANCELLED
    ]


def spread(lengths: Iterable[timedelta | None]) -> Spread | None:
    """Return the middle and the ninetieth of a hundred; None of nothing.

    Shape: of an even number the middle is the mean of the two; the ninetieth is one of the lengths (nearest rank).
    """
    known = sorted(length for length in lengths if length is not None)
    if not known:
        return None
    middle = len(known) // 2
    median = known[middle] if len(known) % 2 else (known[middle - 1] + known[middle]) / 2
    return Spread(len(known), median, known[ceil(0.9 * len(known)) - 1])


def line(name: str, cases: Sequence[Case]) -> Line:
    """Return the figures of some cases."""
    incidents = [case.incident for case in cases]
    return Line(
        name=name,
        many=len(incidents),
        open=sum(one.status in rules.LIVE for one in incidents),
        acknowledge=spread(map(rules.to_acknowledge, incidents)),
        mitigate=spread(map(rules.to_mitigate, incidents)),
        resolve=spread(map(rules.to_resolve, incidents)),
    )


#: By what incidents are told apart; one of two services counts for each.
BY: dict[str, Callable[[Case], tuple[str, ...]]] = {
    "severity": lambda case: (case.severity,) if case.severity else (),
    "service": lambda case: case.services,
    "team": lambda case: case.teams,
}


def lines(cases: Iterable[Case], by: str) -> list[Line]:
    """Return the figures by severity, service or team; those with the most incidents first."""
    groups: dict[str, list[Case]] = defaultdict(list)
    for case in cases:
        for name in BY[by](case) or (NONE,):
            groups[name].append(case)
    found = [line(name, those) for name, those in groups.items()]
    return sorted(found, key=lambda one: (-one.many, one.name.lower()))


def phases(cases: Iterable[Case], now: datetime) -> list[tuple[str, Spread]]:
    """Return how long incidents stood in each status, of those that left it."""
    lengths: dict[str, list[timedelta]] = defaultdict(list)
    for case in cases:
        for phase in rules.phases(case.incident, now):
            if not phase.open:
                lengths[phase.status.value].append(phase.length)
    order = [status.value for status in Status]
    return [
        (name, known)
        for name in sorted(lengths, key=order.index)
        if (known := spread(lengths[name])) is not None
    ]


def monday(at: datetime, zone: tzinfo) -> date:
    """Return the Monday of the week of an instant, where somebody lives."""
    day = at.astimezone(zone).date()
    return day - timedelta(days=day.weekday())


def weeks(cases: Iterable[Case], now: datetime, zone: tzinfo, number: int) -> list[Week]:
    """Return so many weeks up to this one, those without an incident too."""
    last = monday(now, zone)
    by_week: dict[date, list[Case]] = defaultdict(list)
    for case in cases:
        by_week[monday(rules.began(case.incident), zone)].append(case)
    return [_week(last - WEEK * back, by_week[last - WEEK * back]) for back in reversed(range(number))]


def _week(start: date, cases: list[Case]) -> Week:
    levels: dict[str, int] = defaultdict(int)
    for case in cases:
        levels[case.level or NONE] += 1
    return Week(
        start=start,
        many=len(cases),
        levels=dict(levels),
        resolve=spread(rules.to_resolve(case.incident) for case in cases),
    )
