"""This file reads hours of the week as people write them, in the four shapes of the wire, into the core's Windows.

Rule 1: a window that is never open, or never closed where it must close, is refused with its place.
"""

from collections.abc import Iterable
from datetime import time, timedelta
from typing import Any

from nightbell.core.calendar import ALL_DAYS, DAY, DAY_LETTERS, DAY_NAMES, Hours, Window, clock, hours, zone
from nightbell.core.directory import Windows
from nightbell.core.errors import Invalid
from nightbell.engine.checks import Checks

MOST_BLOCKS = 50
_DAYS = tuple(name.lower() for name in DAY_NAMES)
_MIDNIGHT = time()
_ALWAYS = Hours((((timedelta(), DAY),),) * 7)


def business(checks: Checks, place: str, value: dict[str, Any] | None) -> Windows | None:
    """Read {"time_zone", "days": ["M"…], "start_time", "end_time"}; None where nothing is said."""
    if not value or not any(value.values()):
        return None
    found = _letters(checks, place, value)
    return _windows(checks, place, value.get("time_zone"), found)


def blocks(checks: Checks, place: str, value: dict[str, Any] | None) -> Windows | None:
    """Read {"time_zone", "blocks": [{"days": ["M"…], "start_time", "end_time", "all_day"}]}."""
    given = _listed(checks, f"{place}.blocks", (value or {}).get("blocks"))
    found = [w for i, block in enumerate(given) for w in _letters(checks, f"{place}.blocks[{i}]", block)]
    return _windows(checks, place, (value or {}).get("time_zone"), found)


def quiet_hours(stored: dict[str, Any], zone_name: str) -> Windows | None:
    """Return the quiet hours stored for a person, on the wall clock where they live; None for none."""
    if not stored.get("blocks"):
        return None
    return blocks(Checks({}), "quiet_hours", {"time_zone": zone_name, "blocks": stored["blocks"]})


def deferral(checks: Checks, place: str, rule: dict[str, Any]) -> Windows | None:
    """Read {"time_zone", "time_blocks": [{"monday": true, …, "start_time", "end_time", "all_day"}]}."""
    given = _listed(checks, f"{place}.time_blocks", rule.get("time_blocks"))
    found = [w for i, block in enumerate(given) for w in _flags(checks, f"{place}.time_blocks[{i}]", block)]
    return _windows(checks, place, rule.get("time_zone"), found)


def restrictions(checks: Checks, place: str, zone_name: Any, value: list[Any] | None) -> Windows | None:
    """Read [{"start_day": "monday", "start_time", "end_day", "end_time"}]; None for an empty list: always."""
    if not value:
        return None
    given = _listed(checks, place, value)
    found = [w for i, one in enumerate(given) for w in _stretch(checks, f"{place}[{i}]", one)]
    return _windows(checks, place, zone_name, found, zone_place="time_restriction_time_zone")


def never_ends(windows: Windows) -> bool:
    """Return whether hours leave nothing of the week out."""
    return windows.hours == _ALWAYS


# ---------------------------------------------------------------- parts


def _windows(
    checks: Checks, place: str, zone_name: Any, found: list[Window], *, zone_place: str = ""
) -> Windows | None:
    where = zone_place or f"{place}.time_zone"
    try:
        zone(zone_name if isinstance(zone_name, str) else "")
    except Invalid as error:
        checks.wrong(where, f"{error.message}.", hint=error.hint)
        return None
    return Windows(hours=hours(found) or _ALWAYS, zone=str(zone_name)) if found else None


def _listed(checks: Checks, place: str, value: Any) -> list[dict[str, Any]]:
    if not isinstance(value, list) or not value:
        checks.wrong(place, "Without a window this is never open; give at least one.")
        return []
    if len(value) > MOST_BLOCKS:
        checks.wrong(place, f"At most {MOST_BLOCKS} windows.")
        return []
    for index, one in enumerate(value):
        if not isinstance(one, dict):
            checks.wrong(f"{place}[{index}]", "A window is an object.")
    return [one if isinstance(one, dict) else {} for one in value]


def _letters(checks: Checks, place: str, block: dict[str, Any]) -> list[Window]:
    days = block.get("days")
    if not isinstance(days, list) or not days or not all(isinstance(d, str) for d in days):
        checks.wrong(f"{place}.days", "Name at least one day.", hint="M T W R F, U Saturday, S Sunday")
        return []
    if wrong := [day for day in days if day not in DAY_LETTERS]:
        checks.wrong(f"{place}.days", f"{wrong[0][:20]!r} is no day.", hint="M T W R F, U Saturday, S Sunday")
        return []
    return _daily(checks, place, block, (DAY_LETTERS[day] for day in days))


def _flags(checks: Checks, place: str, block: dict[str, Any]) -> list[Window]:
    days = [number for number, name in enumerate(_DAYS) if block.get(name) is True]
    if not days:
        checks.wrong(place, "Without a day this window is never open.", hint='for example "monday": true')
        return []
    return _daily(checks, place, block, days)


def _daily(checks: Checks, place: str, block: dict[str, Any], days: Iterable[int]) -> list[Window]:
    chosen = frozenset(days)
    if block.get("all_day") is True:
        return [Window(start=_MIDNIGHT, end=_MIDNIGHT, days=chosen)]
    start, end = (_clock(checks, f"{place}.{name}", block.get(name)) for name in ("start_time", "end_time"))
    if start is None or end is None:
        return []
    if start == end and (start != _MIDNIGHT or block["start_time"] == block["end_time"]):
        hint = "say all_day for a whole day" if "days" not in block else "00:00 to 24:00 is a whole day"
        checks.wrong(f"{place}.end_time", "The window is empty: it ends when it begins.", hint=hint)
        return []
    return [Window(start=start, end=end, days=chosen)]


def _stretch(checks: Checks, place: str, one: dict[str, Any]) -> list[Window]:
    """Return a stretch from a day and time to another, cut at its midnights."""
    first, last = (_day(checks, f"{place}.{name}", one.get(name)) for name in ("start_day", "end_day"))
    start, end = (_clock(checks, f"{place}.{name}", one.get(name)) for name in ("start_time", "end_time"))
    if first is None or last is None or start is None or end is None:
        return []
    at_midnight = one["end_time"] in ("24:00", "24:00:00")
    last = (last + at_midnight) % 7
    if (first, start) == (last, end) and at_midnight:
        return [Window(start=_MIDNIGHT, end=_MIDNIGHT, days=ALL_DAYS)]
    if (first, start) == (last, end):
        checks.wrong(f"{place}.end_time", "The window is empty: it ends when it begins.")
        return []
    if first == last and start < end:
        return [Window(start=start, end=end, days=frozenset((first,)))]
    between = [(first + n) % 7 for n in range(1, (last - first - 1) % 7 + 1)]
    cut = [Window(start=start, end=_MIDNIGHT, days=frozenset((first,)))]
    cut += [Window(start=_MIDNIGHT, end=_MIDNIGHT, days=frozenset((day,))) for day in between]
    return cut + ([Window(start=_MIDNIGHT, end=end, days=frozenset((last,)))] if end != _MIDNIGHT else [])


def _day(checks: Checks, place: str, name: Any) -> int | None:
    if name in _DAYS:
        return _DAYS.index(name)
    checks.wrong(place, f"A day is one of: {', '.join(_DAYS)}")
    return None


def _clock(checks: Checks, place: str, text: Any) -> time | None:
    try:
        return clock(text if isinstance(text, str) else "", place)
    except Invalid as error:
        checks.wrong(place, f"{error.message[:80]}.", hint=error.hint)
        return None
