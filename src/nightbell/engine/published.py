"""This file says what the calendars that we publish hold; `ical.py` writes them as bytes."""

from datetime import datetime, timedelta
from uuid import UUID

from msgspec import Struct

from nightbell.core.directory import User
from nightbell.core.shift import Shift

#: What a subscribed calendar shows: some weeks back, half a year ahead.
BEHIND = timedelta(days=30)
AHEAD = timedelta(days=180)


_PATHS = {"on_call": "/oncall.txt?token={}", "board": "/on-call/{}"}


class Event(Struct, frozen=True, kw_only=True):
    """One entry of a calendar that we publish."""

    uid: str
    start: datetime
    end: datetime
    summary: str
    description: str
    stamped: datetime
    cancelled: bool = False


class Link(Struct, frozen=True, kw_only=True):
    """A secret address that was opened."""

    id: UUID
    kind: str
    name: str
    user_id: int | None
    schedule_id: UUID | None
    schedule_ids: list[UUID]
    created_at: datetime


def event(shift: Shift, schedule: str, users: dict[int, User], *, whose: bool, stamped: datetime) -> Event:
    """Return a shift as an entry; `whose` puts the person into its title."""
    person = name_of(users, shift.user)
    shadowing = "Shadowing" if shift.is_shadow else "On call"
    summary = f"{person}: {schedule}" if whose else f"{shadowing}: {schedule}"
    return Event(
        uid=f"{shift.id}@nightbell",
        start=shift.start,
        end=shift.end,
        summary=summary + (" (shadow)" if whose and shift.is_shadow else ""),
        description=shift.why.sentence(lambda user: name_of(users, user)),
        stamped=stamped,
    )


def name_of(users: dict[int, User], user_id: int) -> str:
    """Return what somebody is called, whoever they were."""
    user = users.get(user_id)
    return user.name if user else f"User {user_id}"


def path_of(kind: str, token: str) -> str:
    """Return where a secret address leads, without the host."""
    return _PATHS.get(kind, "/ical/{}.ics").format(token)
