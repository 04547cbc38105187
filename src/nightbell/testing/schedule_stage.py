"""This file builds the schedule that a scenario describes.

Shape of a case: `timezone`, `layers`, `overrides`, `swaps`, `unavailable`; `conventions` in the file says what each
means. Beyond them: `fixed` windows that hide every layer, `edits` of a layer's members at an instant, and `schedules`
by name, which participants of the form {"schedule": name} stand for.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import count
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from msgspec.structs import replace

from nightbell.core.calendar import DAY_LETTERS, Hours, Window, clock, hours, instant, wall, zone
from nightbell.core.revision import revised
from nightbell.core.schedule import (
    Absence,
    Advance,
    Booking,
    Change,
    Feed,
    Member,
    Nested,
    Override,
    Person,
    Rotation,
    Schedule,
    Turn,
    Unit,
)

Case = dict[str, Any]
_DAYS = {name: number for number, name in enumerate(("MO", "TU", "WE", "TH", "FR", "SA", "SU"))}
_KINDS = {"add": Change.ADD, "remove": Change.REMOVE, "replace": Change.REPLACE, "replace_all": Change.COVER}
#: The Monday from which a layer without a rotation counts; it has one turn, so any would do.
_LONG_AGO = datetime.fromisoformat("2001-01-01")
_ICAL = re.compile(
    r"DTSTART (?P<start>\S+), (?P<hours>\d+) h, RRULE (?P<every>DAILY|WEEKLY) UNTIL (?P<until>\S+), "
    r"SUMMARY '(?P<who>[^']+)'(?:; the (?P<not>\S+) occurrence has STATUS:CANCELLED)?"
)


class Stage:
    """The schedule of one case, and the numbers of its people."""

    def __init__(self, case: Case, outer: "Stage | None" = None) -> None:
        self.case = case
        self.zone = zone(case["timezone"])
        #: Everybody has one number, in whichever schedule they serve.
        self.users: dict[str, int] = outer.users if outer else {}
        self._ids: Iterator[UUID] = outer._ids if outer else (UUID(int=n) for n in count(1))
        inner = case.get("schedules", {}).items()
        self._nested: dict[str, Schedule] = {
            name: Stage({"timezone": case["timezone"], **said}, self).schedule for name, said in inner
        }
        self.schedule: Schedule = self._schedule()

    def names(self, people: Iterable[int]) -> list[str]:
        """Return the names of people, sorted."""
        known = {number: name for name, number in self.users.items()}
        return sorted(known[number] for number in people)

    def user(self, name: str) -> int:
        """Return the number of a person."""
        return self.users.setdefault(name, len(self.users) + 1)

    def _schedule(self) -> Schedule:
        case = self.case
        schedule = Schedule(
            id=next(self._ids),
            name=case.get("title", ""),
            rotations=tuple(self._layer(layer) for layer in case.get("layers", [])),
            feeds=tuple(self._feeds()),
            overrides=tuple(self._overrides()),
            swaps=tuple(self._swaps()),
            absences=tuple(self._absences()),
        )
        for edit in case.get("edits", []):
            schedule = self._edited(schedule, edit)
        return schedule

    def _instant(self, text: str) -> datetime:
        at = datetime.fromisoformat(text)
        return instant(at, self.zone) if at.tzinfo is None else at.astimezone(UTC)

    def _turns(self, participants: list[Any]) -> tuple[Turn, ...]:
        groups = [group if isinstance(group, list) else [group] for group in participants]
        return tuple(tuple(self._member(one) for one in group) for group in groups)

    def _member(self, said: str | Case) -> Member:
        return Person(self.user(said)) if isinstance(said, str) else Nested(self._nested[said["schedule"]])

    def _layer(self, layer: Case) -> Rotation:
        place = zone(layer.get("timezone", self.case["timezone"]))
        turns = self._turns(layer["participants"])
        common = partial(
            Rotation,
            id=next(self._ids),
            name=layer.get("name", "layer"),
            position=layer.get("priority") or 0,
            zone=place,
        )
        if not layer.get("rotation"):
            together = tuple(member for turn in turns for member in turn)
            return common(
                unit=Unit.WEEK,
                every=1,
                anchor=_LONG_AGO,
                turns=(together,),
                hours=_hours(layer, _LONG_AGO, True),
            )
        return self._rotation(layer, turns, common)

    def _rotation(self, layer: Case, turns: tuple[Turn, ...], common: Callable[..., Rotation]) -> Rotation:
        said = layer["rotation"]
        advance = Advance(said.get("advance", "elapsed"))
        anchor = _local(said["start"], self.zone)
        bounds = [
            instant(anchor, self.zone),
            *(self._instant(said[k]) for k in ("active_from",) if said.get(k)),
        ]
        by_day = advance is not Advance.ELAPSED
        seconds = layer.get("shift_duration_seconds")
        return common(
            unit=Unit(said["unit"]),
            every=said.get("every", 1),
            anchor=anchor,
            turns=turns,
            advance=advance,
            hours=_hours(layer, anchor, by_day),
            starts_at=max(bounds),
            ends_at=self._instant(said["until"]) if said.get("until") else None,
            turn_length=timedelta(seconds=seconds) if seconds and not by_day else None,
        )

    def override(self, said: Case, start: datetime, end: datetime) -> Override:
        """Return the override that a line of a case describes, for given instants."""
        change = _KINDS[said["kind"]]
        user, replaces = said.get("user"), said.get("replaces")
        if change is Change.REMOVE:
            user, replaces = None, replaces or user
        return Override(
            id=next(self._ids),
            change=change,
            start=start,
            end=end,
            user=None if user is None else self.user(user),
            replaces=None if replaces is None else self.user(replaces),
        )

    def _overrides(self) -> Iterator[Override]:
        for said in self.case.get("overrides", []):
            span = self._instant(said["from"]), self._instant(said["to"])
            for user in said.get("users") or [said.get("user")]:
                yield self.override({**said, "user": user}, *span)
        for window in self.case.get("fixed", []):
            yield self.override(
                {"kind": "replace_all"}, self._instant(window["from"]), self._instant(window["to"])
            )
            for said in window.get("shifts", []):
                span = self._instant(said["from"]), self._instant(said["to"])
                yield self.override({"kind": "replace_all", "user": said["user"]}, *span)

    def _swaps(self) -> Iterator[Override]:
        for said in self.case.get("swaps", []):
            if said.get("taken") and said.get("taker"):
                swap = {"kind": "replace", "user": said["taker"], "replaces": said["requester"]}
                yield self.override(swap, self._instant(said["from"]), self._instant(said["to"]))

    def _absences(self) -> Iterator[Absence]:
        for said in self.case.get("unavailable", []):
            start, end = self._instant(said["from"]), self._instant(said["to"])
            yield Absence(user=self.user(said["user"]), start=start, end=end, exchanged=True)

    def _feeds(self) -> Iterator[Feed]:
        said = self.case.get("ical")
        if said:
            match = _ICAL.search(said)
            if match is None:
                raise ValueError(f"the calendar {said!r} is described in another way")
            yield Feed(id=next(self._ids), name="calendar", position=0, bookings=tuple(self._bookings(match)))

    def _bookings(self, said: re.Match[str]) -> Iterator[Booking]:
        """Yield the occurrences of a described calendar entry. People are known by address, whatever its case."""
        user = self.user(said["who"].lower().partition("@")[0])
        start, until = self._instant(said["start"]), self._instant(said["until"])
        while start <= until:
            if start.date().isoformat() != said["not"]:
                yield Booking(start=start, end=start + timedelta(hours=int(said["hours"])), user=user)
            start += timedelta(days=1 if said["every"] == "DAILY" else 7)

    def _edited(self, schedule: Schedule, edit: Case) -> Schedule:
        at = self._instant(edit["at"])
        layer = schedule.rotations[edit.get("layer", 0)].id
        running = [rotation for rotation in schedule.rotations if rotation.id == layer][-1]
        return revised(schedule, replace(running, turns=self._turns(edit["participants"])), at=at)


def _local(text: str, place: ZoneInfo) -> datetime:
    local = datetime.fromisoformat(text)
    return local if local.tzinfo is None else wall(local, place)


def _hours(layer: Case, anchor: datetime, by_day: bool) -> Hours | None:
    """Return a layer's windows; a length alone, counted by days, is a window from the hour of hand-off."""
    windows = layer.get("windows")
    seconds = layer.get("shift_duration_seconds")
    if windows is None and seconds and by_day:
        end = anchor + timedelta(seconds=seconds)
        return hours([Window(start=anchor.time(), end=end.time())])
    return None if windows is None else hours([_window(window) for window in windows])


def _window(said: Case) -> Window:
    days = said.get("days")
    chosen = frozenset(range(7)) if days is None else frozenset(_day(day) for day in days)
    return Window(
        days=chosen, start=clock(said.get("from", "00:00"), "from"), end=clock(said.get("to", "00:00"), "to")
    )


def _day(name: str) -> int:
    return _DAYS[name[:2].upper()] if len(name) > 1 else DAY_LETTERS[name]
