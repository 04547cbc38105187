"""Who is on call, worked out the slow way: a clock is watched minute by minute, and turns are counted one by one.

It shares no arithmetic with the core: no conversion from wall clock to instant, no division, no merging of spans.
"""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from nightbell.core.calendar import Hours
from nightbell.core.schedule import Advance, Change, Member, Override, Person, Rotation, Schedule, Unit

MINUTE = timedelta(minutes=1)
DAY = timedelta(days=1)
#: Longer than any change of offset of these years.
WARM_UP = timedelta(hours=4)


def watched(zone: ZoneInfo, start: datetime, end: datetime) -> Iterator[tuple[datetime, datetime]]:
    """Yield every minute of a range and the latest wall clock seen by then."""
    at = start - WARM_UP
    seen = at.astimezone(zone).replace(tzinfo=None)
    while at < end:
        seen = max(seen, at.astimezone(zone).replace(tzinfo=None))
        if at >= start:
            yield at, seen
        at += MINUTE


@lru_cache(maxsize=100_000)
def latest_shown(zone: ZoneInfo, at: datetime) -> datetime:
    """Return the latest wall clock seen by an instant on a minute."""
    return list(watched(zone, at, at + MINUTE))[0][1]


def on_call_slowly(schedule: Schedule, at: datetime) -> set[int]:
    """Return who is on call at an instant that lies on a minute."""
    found: set[int] = set()
    for position in sorted({rotation.position for rotation in schedule.rotations}, reverse=True):
        for rotation in schedule.rotations:
            if rotation.position == position:
                found |= by_rotation(rotation, schedule, at)
        if found:
            break
    return after(schedule.swaps, after(schedule.overrides, found, at), at)


def after(overrides: tuple[Override, ...], people: set[int], at: datetime) -> set[int]:
    """Return who is on call once overrides, of which no two collide, have acted."""
    result = set(people)
    acting = [override for override in overrides if override.start <= at < override.end]
    for override in acting:
        if override.change is Change.COVER:
            result = serves(override)
    for override in acting:
        if override.change in (Change.REMOVE, Change.REPLACE) and override.replaces in result:
            result = {user for user in result if user != override.replaces} | serves(override)
    for override in acting:
        if override.change is Change.ADD:
            result |= serves(override)
    return result


def serves(override: Override) -> set[int]:
    return set() if override.user is None else {override.user}


def by_rotation(rotation: Rotation, schedule: Schedule, at: datetime) -> set[int]:
    """Return who is on call by one rotation."""
    if rotation.starts_at and at < rotation.starts_at or rotation.ends_at and at >= rotation.ends_at:
        return set()
    shown = latest_shown(rotation.zone, at)
    turn = turn_shown(rotation, shown)
    if turn is None:
        return set()
    if rotation.turn_length is not None and not within_length(rotation, shown, at):
        return set()
    away = {a.user for a in schedule.absences if a.exchanged and a.start <= at < a.end}
    return {user for member in served(rotation, turn, away) for user in people(member, at)}


def served(rotation: Rotation, turn: int, away: set[int]) -> list[Member]:
    """Return the members who serve a turn, with the next in order for whoever is away."""
    circle = [
        rotation.turns[(turn + rotation.phase + n) % len(rotation.turns)] for n in range(len(rotation.turns))
    ]
    here = [m for m in circle[0] if not (isinstance(m, Person) and m.user in away)]
    spare = [m for group in circle[1:] for m in group if not (isinstance(m, Person) and m.user in away)]
    for _ in range(len(circle[0]) - len(here)):
        here += next(([m] for m in spare if m not in here), [])
    return here


def people(member: Member, at: datetime) -> set[int]:
    return {member.user} if isinstance(member, Person) else on_call_slowly(member.schedule, at)


# ---------------------------------------------------------------- turns, counted one by one


def turn_shown(rotation: Rotation, shown: datetime) -> int | None:
    """Return the turn on call when a clock shows something."""
    if rotation.advance is Advance.ELAPSED:
        return elapsed(rotation, shown) if active_since(rotation.hours, shown) else None
    for day in active_since(rotation.hours, shown):
        early = day.date() == shown.date() and shown.time() < rotation.anchor.time()
        if rotation.advance is Advance.ACTIVE_DAYS and early:
            day -= DAY
        turn = counted(rotation, day)
        if turn is not None:
            return turn
    return None


def elapsed(rotation: Rotation, shown: datetime) -> int:
    """Count hand-offs from the anchor, forwards or backwards."""
    turn = 0
    while nominal(rotation, turn + 1) <= shown:
        turn += 1
    while nominal(rotation, turn) > shown:
        turn -= 1
    return turn


def nominal(rotation: Rotation, turn: int) -> datetime:
    """Return the wall clock of a hand-off."""
    if rotation.unit is Unit.MONTH:
        year, month = rotation.anchor.year, rotation.anchor.month + turn * rotation.every
        while month > 12:
            year, month = year + 1, month - 12
        while month < 1:
            year, month = year - 1, month + 12
        day = rotation.anchor.day
        while True:
            try:
                return rotation.anchor.replace(year=year, month=month, day=day)
            except ValueError:
                day -= 1
    hours = {Unit.HOUR: 1, Unit.DAY: 24, Unit.WEEK: 168}[rotation.unit]
    return rotation.anchor + timedelta(hours=hours * rotation.every * turn)


def within_length(rotation: Rotation, shown: datetime, at: datetime) -> bool:
    """Return whether less than the length of a turn has gone by since its hand-off, watched minute by minute."""
    handed = nominal(rotation, elapsed(rotation, shown))
    length = rotation.turn_length or timedelta.max
    begin = at
    while at - begin < length and latest_shown(rotation.zone, begin - MINUTE) >= handed:
        begin -= MINUTE
    return at - begin < length


def active_since(hours: Hours | None, shown: datetime) -> list[datetime]:
    """Return the midnights of the days to which a wall clock belongs: none in idle hours."""
    today = shown.replace(hour=0, minute=0, second=0, microsecond=0)
    if hours is None:
        return [today]
    found = []
    for day in (today - DAY, today):
        for begin, end in hours.by_day[day.weekday()]:
            if begin <= shown - day < end:
                found.append(day)
    return found


def counted(rotation: Rotation, day: datetime) -> int | None:
    """Count days, weeks or months from the anchor's to this one, one day at a time."""
    current = rotation.anchor.replace(hour=0, minute=0, second=0, microsecond=0)
    count, idle = 0, rotation.advance is Advance.ACTIVE_DAYS and not starts_work(rotation, current)
    while current < day:
        current += DAY
        if rotation.advance is Advance.ACTIVE_DAYS:
            working = starts_work(rotation, current)
            count += working and not idle
            idle = idle and not working
        elif rotation.unit is Unit.DAY:
            count += 1
        elif rotation.unit is Unit.WEEK:
            count += current.weekday() == 0
        else:
            count += current.day == 1
    if rotation.advance is Advance.CALENDAR_SKIP and count % rotation.every:
        return None
    return count // rotation.every


def starts_work(rotation: Rotation, day: datetime) -> bool:
    return rotation.hours is None or bool(rotation.hours.by_day[day.weekday()])


# ---------------------------------------------------------------- nights of change


def changes(zone: ZoneInfo, first: int = 2024, last: int = 2032) -> list[datetime]:
    """Return the instants, to the minute, at which a zone changes its offset."""
    found = []
    at = datetime(first, 1, 1, tzinfo=UTC)
    while at.year <= last:
        if at.astimezone(zone).utcoffset() != (at + DAY).astimezone(zone).utcoffset():
            found.append(to_the_minute(zone, at))
        at += DAY
    return found


def to_the_minute(zone: ZoneInfo, at: datetime) -> datetime:
    old = at.astimezone(zone).utcoffset()
    while at.astimezone(zone).utcoffset() == old:
        at += MINUTE
    return at
