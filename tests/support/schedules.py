"""Short ways to write schedules down in tests."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from nightbell.core.calendar import Hours, Window, clock, hours
from nightbell.core.schedule import Change, Override, Person, Rotation, Schedule, Unit

ANA, BEN, CAL, ZOE = 1, 2, 3, 4
NAMES = {ANA: "Ana", BEN: "Ben", CAL: "Cal", ZOE: "Zoe"}
WEEKDAYS = frozenset(range(5))
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


def at(text: str) -> datetime:
    """Return an instant; without an offset it is UTC."""
    found = datetime.fromisoformat(text)
    return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)


def rotation(*users: int | tuple[int, ...], **changes: Any) -> Rotation:
    """Return a daily rotation at 09:00 UTC from Monday, 7 June 2027, otherwise as said."""
    turns = tuple(tuple(Person(u) for u in (user if isinstance(user, tuple) else (user,))) for user in users)
    said: dict[str, Any] = {
        "id": UUID(int=100),
        "name": "Primary",
        "position": 1,
        "zone": ZoneInfo("Etc/UTC"),
        "unit": Unit.DAY,
        "every": 1,
        "anchor": datetime.fromisoformat("2027-06-07T09:00"),
        "turns": turns,
    }
    return Rotation(**(said | changes))


def between(start: str, end: str, days: frozenset[int] = frozenset(range(7))) -> Hours | None:
    """Return the hours of one window."""
    return hours([Window(start=clock(start, ""), end=clock(end, ""), days=days)])


def schedule(*rotations: Rotation, **changes: Any) -> Schedule:
    """Return a schedule of some rotations."""
    said: dict[str, Any] = {"id": UUID(int=1), "name": "Payments", "rotations": rotations}
    return Schedule(**(said | changes))


def override(
    change: Change, start: str, end: str, user: int | None = None, replaces: int | None = None
) -> Override:
    """Return an override; its id follows from its time."""
    number = int(at(start).timestamp())
    return Override(
        id=UUID(int=number), change=change, start=at(start), end=at(end), user=user, replaces=replaces
    )
