"""This file says what is wrong with an override before it is stored, field by field.

Rule 1: the past does not change. An override that has begun keeps what it did so far, and one that is over stays.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta

from msgspec.structs import replace

from nightbell.core.errors import Invalid, Stale
from nightbell.core.schedule import Change, Override, Schedule

#: How far back "from now on" may lie, for clocks that differ and forms that take time to fill in; `from_now` cuts it off.
GRACE = timedelta(minutes=15)
#: How far back an end may move, for clocks that differ.
SKEW = timedelta(minutes=1)
_NEEDS_USER = (Change.ADD, Change.REPLACE)
_NEEDS_REPLACED = (Change.REMOVE, Change.REPLACE)


def errors_in_override(schedule: Schedule, override: Override, *, now: datetime) -> tuple[Invalid, ...]:
    """Return what is wrong with a new override, or a changed one that has not begun."""
    return (*_errors_in_time(override, now), *_errors_in_people(override), *_overlaps(schedule, override))


def errors_in_change(
    schedule: Schedule, before: Override, after: Override, *, now: datetime
) -> tuple[Invalid, ...]:
    """Return what is wrong with a change of an override that exists."""
    if before.start > now:
        return errors_in_override(schedule, after, now=now)
    if before.end <= now:
        return (Invalid("this override is over", place="ends_at", hint="the past stays as it was"),)
    return (*_errors_in_history(before, after), *_errors_in_end(after, now), *_overlaps(schedule, after))


def from_now(override: Override, now: datetime) -> Override:
    """Return an override that was meant to begin at once as one that does."""
    return replace(override, start=max(override.start, now))


def withdrawn(override: Override, *, now: datetime) -> Override | None:
    """Return what is left of an override that is taken back: what it did so far, or None where it did nothing.

    Raises: Stale for one that is over.
    """
    if override.end <= now:
        raise Stale("this override is over", hint="the past stays as it was")
    return replace(override, end=now) if override.start < now else None


def collide(one: Override, other: Override) -> bool:
    """Return whether two overrides would change the same thing at the same time."""
    if one.start >= other.end or other.start >= one.end:
        return False
    return Change.COVER in (one.change, other.change) or bool(_touched(one) & _touched(other))


def _touched(override: Override) -> set[int]:
    return {user for user in (override.user, override.replaces) if user is not None}


def _overlaps(schedule: Schedule, override: Override) -> Iterator[Invalid]:
    for other in schedule.overrides:
        if other.id != override.id and collide(override, other):
            taken = f"{other.start.isoformat()} to {other.end.isoformat()}"
            yield Invalid(
                f"it overlaps the override from {taken}",
                place="starts_at",
                hint="choose another time, or change that override",
            )


def _errors_in_time(override: Override, now: datetime) -> Iterator[Invalid]:
    if override.end <= override.start:
        yield Invalid("it ends before it begins", place="ends_at", hint="an instant after starts_at")
    if override.start < now - GRACE:
        yield Invalid("it begins in the past", place="starts_at", hint=f"{now.isoformat()} or later")


def _errors_in_people(override: Override) -> Iterator[Invalid]:
    if override.change in _NEEDS_USER and override.user is None:
        yield Invalid("nobody is named", place="user_id", hint="the person who serves")
    if override.change in _NEEDS_REPLACED and override.replaces is None:
        yield Invalid("nobody is named", place="replaces_user_id", hint="the person who does not serve")
    if override.user is not None and override.user == override.replaces:
        yield Invalid("nobody can replace themselves", place="user_id", hint="another person")


def _errors_in_history(before: Override, after: Override) -> Iterator[Invalid]:
    fields = {"starts_at": "start", "user_id": "user", "replaces_user_id": "replaces", "kind": "change"}
    for place, field in fields.items():
        if getattr(before, field) != getattr(after, field):
            yield Invalid(
                "it has begun, so this stays", place=place, hint="end it now and make another from now on"
            )


def _errors_in_end(after: Override, now: datetime) -> Iterator[Invalid]:
    if after.end < now - SKEW:
        yield Invalid("it would end in the past", place="ends_at", hint=f"{now.isoformat()} or later")
