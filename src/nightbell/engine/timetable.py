"""This file reads what was stored about schedules into the core's values: for the Directory, and for any range asked.

Rule 1: what is found is always enough to compute the range and never everything there ever was. A member or schedule
that is gone leaves nobody in its place; nothing here raises because of what was stored.
"""

import asyncio
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from importlib import import_module
from typing import Any
from uuid import UUID

from msgspec import Struct
from msgspec.structs import replace

from nightbell.core.schedule import (
    Absence,
    Booking,
    Change,
    Feed,
    Member,
    Nested,
    Override,
    Person,
    Rotation,
    Schedule,
    Shadow,
)
from nightbell.engine.rotating import nested_ids, version
from nightbell.store.db import Row, Runner

#: How far ahead public holidays are worked out where no end is asked for: a Directory is never kept that long.
AHEAD = timedelta(days=800)
#: An hour of somebody's holiday may lie in the next day of UTC.
_ZONES = timedelta(days=1)
_SWAPPED_BACK = 1
#: Turns longer than this keep their ids only within what is asked.
_LONGEST = timedelta(days=400)


class Away(Struct, frozen=True):
    """Somebody is not there, and why: `holiday` tells public holidays from time off."""

    user: int
    start: datetime
    end: datetime
    reason: str
    holiday: bool


async def current(runner: Runner) -> dict[str, Schedule]:
    """Return every schedule as a decision needs it: what holds from the last change on, without end."""
    since: datetime = await runner.value("timetable_since") - _ZONES
    found = await schedules(runner, None, start=since, end=None, conflicts=False)
    return {str(key): schedule for key, schedule in found.items()}


async def schedules(
    runner: Runner,
    ids: Collection[UUID] | None,
    *,
    start: datetime,
    end: datetime | None,
    conflicts: bool = True,
) -> dict[UUID, Schedule]:
    """Return these schedules, or all that live, with what touches [start, end).

    Shape: without `conflicts`, absences that change nothing are left out.
    """
    rows = await _Rows.read(runner, ids, start, end)
    built = _Builder(rows).all()
    span = (rows.start, rows.end or start + AHEAD)
    away = await _away(runner, built.values(), rows.rules, span, conflicts)
    wanted = rows.asked
    return {key: _with_absences(built[key], away, rows.rules) for key in wanted if key in built}


async def with_absences(runner: Runner, schedule: Schedule, *, start: datetime, end: datetime) -> Schedule:
    """Return a schedule that is not stored, with what its people's absences do in it."""
    every = {one.id: one for one in (schedule, *_nested(schedule))}
    rules = {r["id"]: r for r in await runner.rows("timetable_schedules", sorted(every))}
    known = [one for one in every.values() if one.id in rules]
    away = await _away(runner, known, rules, (start, end), conflicts=True)
    return _with_absences(schedule, away, rules)


def with_nested(rotation: Rotation, nested: Mapping[UUID, Schedule]) -> Rotation:
    """Return a rotation whose nested schedules are the ones given; one that is not given has nobody."""

    def found(member: Member) -> Member:
        if isinstance(member, Person):
            return member
        return Nested(nested.get(member.schedule.id, member.schedule))

    return replace(rotation, turns=tuple(tuple(found(member) for member in turn) for turn in rotation.turns))


def nested_in(rotations: Iterable[Rotation]) -> set[UUID]:
    """Return the schedules that some rotations have as members."""
    members = (member for rotation in rotations for turn in rotation.turns for member in turn)
    return {member.schedule.id for member in members if isinstance(member, Nested)}


def _nested(schedule: Schedule) -> Iterator[Schedule]:
    for rotation in schedule.rotations:
        for turn in rotation.turns:
            for member in turn:
                if isinstance(member, Nested):
                    yield member.schedule
                    yield from _nested(member.schedule)


class _Rows:
    """The rows of some schedules and of those nested in them.

    A range cuts turns, and what cuts them outside of it decides where they begin and what their ids are. So it is
    stretched by the longest turn there is, and again for schedules that are nested in such a turn.
    """

    def __init__(self, start: datetime, end: datetime | None) -> None:
        self.start, self.end = start, end
        self.asked: list[UUID] = []
        self.rules: dict[UUID, Row] = {}
        self.versions: dict[UUID, list[Row]] = defaultdict(list)
        self.overrides: dict[UUID, list[Row]] = defaultdict(list)
        self.swaps: dict[UUID, list[Row]] = defaultdict(list)
        self.shadows: dict[UUID, list[Row]] = defaultdict(list)
        self.feeds: dict[UUID, list[Row]] = defaultdict(list)
        self.bookings: dict[UUID, list[Row]] = defaultdict(list)

    @classmethod
    async def read(
        cls, runner: Runner, ids: Collection[UUID] | None, start: datetime, end: datetime | None
    ) -> "_Rows":
        rows = cls(start, end)
        wanted: list[UUID] | None = None if ids is None else sorted(set(ids))
        while wanted is None or wanted:
            found = await runner.rows("timetable_schedules", wanted)
            fresh = [r["id"] for r in found]
            rows.asked = rows.asked or fresh
            rows.rules |= {r["id"]: r for r in found}
            await rows._fill(runner, fresh)
            below = {key for one in fresh for v in rows.versions[one] for key in nested_ids(v["spec"])}
            wanted = sorted(below - rows.rules.keys()) if fresh else []
        return rows

    async def _fill(self, runner: Runner, ids: list[UUID]) -> None:
        if not ids:
            return
        found = await runner.rows("timetable_versions", ids, self.start, self.end)
        self._stretch(max((_longest(r["spec"]) for r in found), default=timedelta()))
        parts = {
            "timetable_versions": (self.versions, "schedule_id"),
            "timetable_overrides": (self.overrides, "schedule_id"),
            "timetable_swaps": (self.swaps, "schedule_id"),
            "timetable_shadows": (self.shadows, "schedule_id"),
            "timetable_bookings": (self.bookings, "feed_id"),
        }
        for name, (part, key) in parts.items():
            for r in await runner.rows(name, ids, self.start, self.end):
                part[r[key]].append(r)
        for r in await runner.rows("timetable_feeds", ids):
            self.feeds[r["schedule_id"]].append(r)

    def _stretch(self, by: timedelta) -> None:
        self.start -= by
        self.end = None if self.end is None else self.end + by


def _longest(spec: Mapping[str, Any]) -> timedelta:
    """Return how long a turn can be at most: of a day counted on duty, a week may pass."""
    days = {"hour": 1 / 24, "day": 7, "week": 7, "month": 31}[spec["unit"]] * spec["every"]
    return min(timedelta(days=days), _LONGEST)


class _Builder:
    """Builds schedules inside out: one that is nested comes before the one it is nested in."""

    def __init__(self, rows: _Rows) -> None:
        self._rows = rows
        self._built: dict[UUID, Schedule] = {}
        self._open: set[UUID] = set()

    def all(self) -> dict[UUID, Schedule]:
        """Return every schedule there are rows of."""
        for key in self._rows.rules:
            self._build(key)
        return self._built

    def _build(self, key: UUID) -> None:
        # A circle cannot be stored; should one ever be, the schedule that closes it has nobody.
        if key in self._built or key in self._open or key not in self._rows.rules:
            return
        self._open.add(key)
        for row in self._rows.versions[key]:
            for below in nested_ids(row["spec"]):
                self._build(below)
        self._built[key] = self._schedule(key)
        self._open.discard(key)

    def _schedule(self, key: UUID) -> Schedule:
        rows = self._rows
        return Schedule(
            id=key,
            name=rows.rules[key]["name"],
            rotations=tuple(version(r, self._built) for r in rows.versions[key]),
            feeds=tuple(_feed(r, rows.bookings[r["id"]]) for r in rows.feeds[key] if rows.bookings[r["id"]]),
            overrides=tuple(override_of(r) for r in rows.overrides[key]),
            swaps=tuple(half for r in rows.swaps[key] for half in swapped(r)),
            shadows=tuple(_shadow(r) for r in rows.shadows[key]),
        )


def override_of(r: Mapping[str, Any] | Row) -> Override:
    """Return an override from its row."""
    return Override(
        id=r["id"],
        change=Change(r["change"]),
        start=r["starts_at"],
        end=r["ends_at"],
        user=r["user_id"],
        replaces=r["replaces_user_id"],
        reason=r["reason"],
    )


def swapped(r: Mapping[str, Any] | Row) -> Iterator[Override]:
    """Yield what an agreed swap changes: who asked is relieved and, perhaps, serves for the other in return."""
    asker, taker = r["user_id"], r["taken_by_user_id"]
    yield _half(r["id"], (r["starts_at"], r["ends_at"]), taker, asker, r["reason"])
    if r["return_starts_at"] is not None:
        back = UUID(int=r["id"].int ^ _SWAPPED_BACK)
        yield _half(back, (r["return_starts_at"], r["return_ends_at"]), asker, taker, r["reason"])


def _half(key: UUID, span: tuple[datetime, datetime], user: int, replaces: int, reason: str) -> Override:
    return Override(
        id=key,
        change=Change.REPLACE,
        start=span[0],
        end=span[1],
        user=user,
        replaces=replaces,
        reason=reason,
    )


def _shadow(r: Row) -> Shadow:
    return Shadow(id=r["id"], user=r["user_id"], of=r["of_user_id"], start=r["starts_at"], end=r["ends_at"])


def _feed(r: Row, rows: list[Row]) -> Feed:
    bookings = tuple(Booking(start=b["starts_at"], end=b["ends_at"], user=b["user_id"]) for b in rows)
    return Feed(id=r["id"], name=r["name"], position=r["position"], bookings=bookings)


# ---------------------------------------------------------------- absences


def people_of(schedules: Iterable[Schedule]) -> set[int]:
    """Return everybody whose absence says something of these schedules themselves: who has turns, or stands in."""
    people: set[int] = set()
    for one in schedules:
        members = (m for lane in one.rotations for turn in lane.turns for m in turn)
        people |= {member.user for member in members if isinstance(member, Person)}
        people |= {o.user for o in (*one.overrides, *one.swaps) if o.user is not None}
        people |= {booking.user for feed in one.feeds for booking in feed.bookings}
    return people


async def _away(
    runner: Runner,
    found: Collection[Schedule],
    rules: Mapping[UUID, Row],
    span: tuple[datetime, datetime],
    conflicts: bool,
) -> dict[int, list[Away]]:
    counting = ("show", "exchange") if conflicts else ("exchange",)
    away: dict[int, list[Away]] = defaultdict(list)
    resting = people_of(s for s in found if rules[s.id]["time_off"] in counting)
    for r in await runner.rows("timetable_time_off", sorted(resting), *span) if resting else ():
        away[r["user_id"]].append(
            Away(r["user_id"], r["starts_at"], r["ends_at"], r["reason"] or "time off", False)
        )
    feasting = people_of(s for s in found if rules[s.id]["holidays"] in counting)
    calendars = await runner.rows("timetable_holidays", sorted(feasting)) if feasting else []
    if calendars:
        for one in await asyncio.to_thread(_feasts, calendars, span):
            away[one.user].append(one)
    return away


def _feasts(calendars: list[Row], span: tuple[datetime, datetime]) -> list[Away]:
    """Return public holidays as absences. The library takes a second and 20 MB, so whoever has none pays nothing."""
    library: Any = import_module("nightbell.engine.public_holidays")
    asked = (
        (r["user_id"], library.days(r["country"], r["subdivision"], r["time_zone"], span)) for r in calendars
    )
    return [Away(user, start, end, name, True) for user, days in asked for start, end, name in days]


def _with_absences(schedule: Schedule, away: Mapping[int, list[Away]], rules: Mapping[UUID, Row]) -> Schedule:
    """Return a schedule, and those nested in it, with who is away and what that does there."""
    rotations = tuple(_below(rotation, away, rules) for rotation in schedule.rotations)
    return replace(schedule, rotations=rotations, absences=tuple(_absences(schedule, away, rules)))


def _below(rotation: Rotation, away: Mapping[int, list[Away]], rules: Mapping[UUID, Row]) -> Rotation:
    below = (m.schedule for turn in rotation.turns for m in turn if isinstance(m, Nested))
    found = {schedule.id: _with_absences(schedule, away, rules) for schedule in below}
    return with_nested(rotation, found) if found else rotation


def _absences(
    schedule: Schedule, away: Mapping[int, list[Away]], rules: Mapping[UUID, Row]
) -> Iterator[Absence]:
    rule = rules.get(schedule.id)
    if rule is None:
        return
    for user in sorted(people_of((schedule,))):
        for one in away.get(user, ()):
            wanted = rule["holidays" if one.holiday else "time_off"]
            if wanted != "ignore":
                exchanged = wanted == "exchange"
                yield Absence(user=user, start=one.start, end=one.end, reason=one.reason, exchanged=exchanged)


def utc(at: datetime) -> datetime:
    """Return an instant in UTC; one without a zone is UTC already (rootly.md 3)."""
    return at.astimezone(UTC) if at.tzinfo else at.replace(tzinfo=UTC)
