"""This file turns what a scenario says of a calendar elsewhere into one, and reads it as the program reads any.

Shape: "DTSTART 2027-06-01T09:00Z, 8 h, RRULE DAILY UNTIL 2027-06-03T23:59Z, SUMMARY 'ana'; the 2027-06-02 occurrence
has STATUS:CANCELLED"; several entries follow one another after a semicolon. A calendar itself may stand there as well.
Rule 1: a part that is not understood is an error, never left out.
"""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from nightbell.core.calendar import instant
from nightbell.engine import ical
from nightbell.engine.feeds import Entry

_ENTRY = re.compile(
    r"DTSTART:? ?(?P<start>\S+?), (?:(?P<n>\d+) ?(?P<unit>h|min)\w*|(?:DTEND:? ?|until |to )(?P<end>\S+?))"
    r"(?:, RRULE:? ?(?P<rule>[^']+?))?, SUMMARY:? ?'(?P<who>[^']+)'",
    re.IGNORECASE,
)
_OFF = re.compile(
    r"(?:the )?(?P<day>\S+) (?:occurrence|entry|one) (?:has STATUS:CANCELLED|is cancell?ed)|EXDATE:? ?(?P<not>\S+)",
    re.IGNORECASE,
)
_MOVED = re.compile(r"(?:the )?(?P<day>\S+) (?:occurrence|entry|one) is moved to (?P<to>\S+)", re.IGNORECASE)
_RULE_WORDS = {"ON": "BYDAY", "EVERY": "INTERVAL", "TIMES": "COUNT"}


def entries(said: str, place: ZoneInfo, start: datetime, end: datetime) -> list[Entry]:
    """Return what a calendar that a case describes says of [start, end).

    Raises: ValueError where it is described in a way not known here.
    """
    text = said if said.lstrip().startswith("BEGIN:VCALENDAR") else "\r\n".join(_written(said, place))
    return ical.read(text.encode(), place, start, end)


def _written(said: str, place: ZoneInfo) -> Iterator[str]:
    yield from ("BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//Nightbell//Cases//EN")
    found: re.Match[str] | None = None
    for number, part in enumerate(re.split(r";\s+", said.strip().rstrip("."))):
        entry = _ENTRY.fullmatch(part)
        found = entry or found
        if found is None:
            raise ValueError(f"the calendar {said!r} is described in another way")
        yield from _event(found, number, place) if entry else _exception(part, found, place)
    yield "END:VCALENDAR"


def _event(said: re.Match[str], number: int, place: ZoneInfo) -> list[str]:
    begins = _moment(said["start"], place)
    rule = [f"RRULE:{_rule(said['rule'], place)}"] if said["rule"] else []
    return _lines(f"{said['start']} {said['who']}", begins, begins + _length(said, place), said["who"], rule)


def _exception(part: str, entry: re.Match[str], place: ZoneInfo) -> list[str]:
    off, moved = _OFF.fullmatch(part), _MOVED.fullmatch(part)
    if not off and not moved:
        raise ValueError(f"{part!r} of the calendar is not understood")
    said = (off["day"] or off["not"]) if off else moved["day"] if moved else ""
    local = _moment(entry["start"], place)
    day = datetime.fromisoformat(said[:10])
    was = local.replace(year=day.year, month=day.month, day=day.day)
    begins = _moment(moved["to"], place) if moved else was
    more = [f"RECURRENCE-ID:{_stamp(was)}", *(["STATUS:CANCELLED"] if off else [])]
    uid = f"{entry['start']} {entry['who']}"
    return _lines(uid, begins, begins + _length(entry, place), entry["who"], more)


def _lines(uid: str, begins: datetime, ends: datetime, who: str, more: list[str]) -> list[str]:
    span = [f"DTSTART:{_stamp(begins)}", f"DTEND:{_stamp(ends)}"]
    return [
        "BEGIN:VEVENT",
        f"UID:{uid}",
        "DTSTAMP:20270101T000000Z",
        *span,
        *more,
        f"SUMMARY:{who}",
        "END:VEVENT",
    ]


def _length(said: re.Match[str], place: ZoneInfo) -> timedelta:
    if said["end"]:
        return _moment(said["end"], place) - _moment(said["start"], place)
    return (
        timedelta(hours=int(said["n"])) if said["unit"].lower() == "h" else timedelta(minutes=int(said["n"]))
    )


def _rule(said: str, place: ZoneInfo) -> str:
    """Return "WEEKLY ON MO,WE COUNT 5" as a rule; one that is written as a rule is left as it is."""
    if "=" in said:
        return said
    frequency, *words = said.split()
    pairs = [f"FREQ={frequency.upper()}"]
    for name, value in zip(words[::2], words[1::2], strict=True):
        key = _RULE_WORDS.get(name.upper(), name.upper())
        pairs.append(f"{key}={_stamp(_moment(value, place)) if key == 'UNTIL' else value}")
    return ";".join(pairs)


def _moment(text: str, place: ZoneInfo) -> datetime:
    at = datetime.fromisoformat(text)
    return (instant(at, place) if at.tzinfo is None else at).astimezone(UTC)


def _stamp(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y%m%dT%H%M%SZ}"
