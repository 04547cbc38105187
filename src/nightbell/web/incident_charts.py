"""Draws what incidents come to as pictures of the server: bars for weeks, bars for how long things took."""

from datetime import timedelta

from msgspec import Struct

from nightbell.core.incident_figures import NONE, Line, Spread, Week

#: From the ground up: the worst is at the bottom, where bars are compared best.
LEVELS = ("critical", "high", "medium", "low", NONE)
_WIDTH, _HEIGHT, _GROUND = 720.0, 160.0, 136.0
_GAP = 2.0


class Bar(Struct, frozen=True, kw_only=True):
    """A part of a picture: a box with the class of its level, and what it says to whoever points at it."""

    x: float
    y: float
    width: float
    height: float
    level: str
    says: str


class Mark(Struct, frozen=True):
    """A word on an axis."""

    at: float
    text: str


class Chart(Struct, frozen=True, kw_only=True):
    """A picture of weeks."""

    bars: tuple[Bar, ...]
    #: Below: the first week of each month.
    marks: tuple[Mark, ...]
    #: At the left: the heights that are named.
    rungs: tuple[Mark, ...]
    width: float = _WIDTH
    height: float = _HEIGHT
    ground: float = _GROUND


def by_week(weeks: list[Week]) -> Chart:
    """Return the picture of how many incidents began in each week, by level."""
    top = _round_up(max((week.many for week in weeks), default=0))
    step = _WIDTH / max(1, len(weeks))
    bars: list[Bar] = []
    for place, week in enumerate(weeks):
        base = _GROUND
        for level in LEVELS:
            many = week.levels.get(level, 0)
            if many:
                tall = _GROUND * many / top
                base -= tall
                bars.append(
                    Bar(
                        x=round(place * step + _GAP / 2, 1),
                        y=round(base, 1),
                        width=round(step - _GAP, 1),
                        height=round(tall, 1),
                        level=level,
                        says=f"Week of {week.start:%d %b}: {many} {level if level != NONE else 'without severity'}",
                    )
                )
    return Chart(
        bars=tuple(bars),
        marks=tuple(_months(weeks, step)),
        rungs=tuple(
            Mark(round(_GROUND - _GROUND * part / top, 1), str(part)) for part in {top // 2, top} if part
        ),
    )


def _months(weeks: list[Week], step: float) -> list[Mark]:
    """Return the name of each month at its first week, as long as they do not touch."""
    marks: list[Mark] = []
    for place, week in enumerate(weeks):
        new = not place or week.start.month != weeks[place - 1].start.month
        if new and (not marks or place * step - marks[-1].at > 40):
            marks.append(Mark(round(place * step, 1), f"{week.start:%b}"))
    return marks


def _round_up(most: int) -> int:
    """Return the height of a picture: an even number not below, so that its middle is a number too."""
    return max(2, most + most % 2)


class Stretch(Struct, frozen=True, kw_only=True):
    """How long something took beside the others, in hundredths of the longest: the middle, and up to nine in ten."""

    median: float
    p90: float


def stretches(spreads: list[Spread | None]) -> list[Stretch | None]:
    """Return bars that can be compared with each other."""
    longest = max((one.p90 for one in spreads if one), default=timedelta()) or timedelta(seconds=1)
    return [
        Stretch(median=round(100 * (one.median / longest), 1), p90=round(100 * (one.p90 / longest), 1))
        if one
        else None
        for one in spreads
    ]


def drawn(lines: list[Line]) -> list[tuple[Line, dict[str, Stretch | None]]]:
    """Return each line with its bars."""
    names = ("acknowledge", "mitigate", "resolve")
    each = {name: stretches([getattr(line, name) for line in lines]) for name in names}
    return [(line, {name: each[name][place] for name in names}) for place, line in enumerate(lines)]
