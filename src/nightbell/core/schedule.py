"""This file says what a schedule is made of: rotations in layers, members, overrides, swaps, absences and shadows.

Rule 1: these are values. Who is on call is computed from them (`core/oncall.py` for an instant, `core/shifts.py` for
a range) and never stored, so what was true of a past instant stays true while its rotations are kept.
"""

from datetime import datetime, timedelta
from enum import StrEnum
from typing import TypeAlias
from uuid import UUID
from zoneinfo import ZoneInfo

from msgspec import Struct

from nightbell.core.calendar import Hours, Span


class Unit(StrEnum):
    """What the length of a turn is counted in."""

    HOUR = "hour"
    DAY = "day"
    WEEK = "week"
    MONTH = "month"


class Advance(StrEnum):
    """When the next turn begins.

    Shape: `elapsed` after every n units of wall clock; `active_days` after n days on which there is anything to do;
    `calendar` with the n-th Monday, or first of a month; `calendar_skip` the same, but only every n-th is covered.
    """

    ELAPSED = "elapsed"
    ACTIVE_DAYS = "active_days"
    CALENDAR = "calendar"
    CALENDAR_SKIP = "calendar_skip"


class Person(Struct, frozen=True):
    """A member of a rotation who can be paged."""

    user: int


class Nested(Struct, frozen=True):
    """A member of a rotation that is itself a schedule: whoever is on call there has the turn."""

    schedule: "Schedule"


Member: TypeAlias = Person | Nested
#: Who serves together: one member, or several.
Turn: TypeAlias = tuple[Member, ...]


class Rotation(Struct, frozen=True, kw_only=True):
    """Turns that follow one another in a layer.

    Shape: an edit closes one Rotation at `ends_at` and opens another with the same id (`core/revision.py`), so a
    schedule may hold several of one id, apart in time.
    """

    id: UUID
    name: str
    #: The layer: the highest that has somebody wins, equal ones add up.
    position: int
    zone: ZoneInfo
    unit: Unit
    #: How many units, or active days, a turn lasts.
    every: int
    #: A wall clock of `zone`: here begins `turns[phase]`.
    anchor: datetime
    turns: tuple[Turn, ...]
    advance: Advance = Advance.ELAPSED
    #: None: always.
    hours: Hours | None = None
    #: Instants; None: without bound.
    starts_at: datetime | None = None
    ends_at: datetime | None = None
    #: Set where a turn is on call for less than its whole length, counted from its beginning.
    turn_length: timedelta | None = None
    phase: int = 0


class Booking(Struct, frozen=True, kw_only=True):
    """One entry of a calendar: somebody is on call in [start, end)."""

    start: datetime
    end: datetime
    user: int


class Feed(Struct, frozen=True, kw_only=True):
    """A layer read from a calendar elsewhere. `bookings` are in order of start."""

    id: UUID
    name: str
    position: int
    bookings: tuple[Booking, ...]


class Change(StrEnum):
    """What an override does: `cover` hides every layer, `replace` acts only while somebody is on call."""

    ADD = "add"
    REMOVE = "remove"
    REPLACE = "replace"
    COVER = "cover"


class Override(Struct, frozen=True, kw_only=True):
    """A change to who is on call in [start, end), whatever the layers say.

    Shape: `user` serves (None: for remove, and for a cover that leaves nobody on call); `replaces` is set for remove
    and replace.
    """

    id: UUID
    change: Change
    start: datetime
    end: datetime
    user: int | None = None
    replaces: int | None = None
    reason: str = ""


class Absence(Struct, frozen=True, kw_only=True):
    """Somebody is away in [start, end): holidays, public ones too, or no longer with us."""

    user: int
    start: datetime
    end: datetime
    reason: str = ""
    #: Whether the next of the rotation stands in; otherwise the shift stands and is shown as a conflict.
    exchanged: bool = False


class Shadow(Struct, frozen=True, kw_only=True):
    """Somebody who hears what a person, or the whole schedule, is told in [start, end), and is never responsible."""

    id: UUID
    user: int
    start: datetime
    end: datetime
    #: Whose shifts; None: everybody's.
    of: int | None = None


class Schedule(Struct, frozen=True, kw_only=True):
    """Who is on call when.

    Shape: overrides and swaps need only be those that touch the shifts asked about; swaps act on the result of the
    overrides and are of the kind `replace`.
    """

    id: UUID
    name: str
    rotations: tuple[Rotation, ...] = ()
    feeds: tuple[Feed, ...] = ()
    overrides: tuple[Override, ...] = ()
    swaps: tuple[Override, ...] = ()
    absences: tuple[Absence, ...] = ()
    shadows: tuple[Shadow, ...] = ()


def covers(thing: "Override | Absence | Shadow | Booking | Span", at: datetime) -> bool:
    """Return whether an interval holds an instant."""
    return thing.start <= at < thing.end
