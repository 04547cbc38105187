"""This file builds the schedule that a scenario describes.

Shape of a case: `timezone`, `layers`, `overrides`, `swaps`, `unavailable`; `conventions` in the file says what each
means. Beyond them: `fixed` windows that hide every layer, `edits` of a layer's members at an instant, `ical`, and `schedules`
by name, which participants of the form {"schedule": name} stand for.
"""

from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime, time, timedelta
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
from nightbell.testing.described_calendar import entries

Case = dict[str, Any]
_DAYS = {name: number for number, name in enumerate(("MO", "TU", "WE", "TH", "FR", "SA", "SU"))}
_KINDS = {"add": Change.ADD, "remove": Change.REMOVE, "replace": Change.REPLACE, "replace_all": Change.COVER}
#: Whatever a calendar is asked of where a case checks nothing.
_NEVER = datetime(2027, 1, 1, tzinfo=UTC)
#: The Monday from which a layer without a rotation counts; it has one turn, so any would do.
_LONG_AGO = datetime.fromisoformat("2001-01-01")
#: Words that say the same as those of the format, for windows that hide every layer, edits, and time off.
_FIXED = ("fixed", "fixed_windows", "fixed_shifts", "temporary", "temporary_schedules")
_EDITS = ("edits", "edit", "changes", "events")
_AWAY = ("unavailable", "time_off", "vacations", "absences", "holidays")
_REMOVED = ("remove", "removed", "remove_member", "remove_participant")
_ADDED = ("add", "added", "add_member", "add_participant")
_ENDS = (("start", "from"), ("end", "to"))
#: How long a calendar is read before the first check and after the last.
_AROUND = timedelta(days=7)


class Stage:
    """The schedule of one case, and the numbers of its people."""

    def __init__(self, case: Case, outer: "Stage | None" = None) -> None:
        self.case = case
        self.zone = zone(case["timezone"])
        #: Everybody has one number, in whichever schedule they serve.
        self.users: dict[str, int] = outer.users if outer else {}
        self._ids: Iterator[UUID] = outer._ids if outer else (UUID(int=n) for n in count(1))
        self._inner: Case = outer._inner if outer else case.get("schedules", {})
        self._nested: dict[str, Schedule] = outer._nested if outer else {}
        self._within: tuple[str, ...] = outer._within if outer else ()
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
        for edit in _said(case, _EDITS):
            schedule = self._edited(schedule, edit)
        return schedule

    def _instant(self, text: str) -> datetime:
        at = datetime.fromisoformat(text)
        return instant(at, self.zone) if at.tzinfo is None else at.astimezone(UTC)

    def _span(self, said: Case) -> tuple[datetime, datetime]:
        start, end = (said[long] if long in said else said[short] for long, short in _ENDS)
        return self._instant(start), self._instant(end)

    def _turns(self, participants: list[Any]) -> tuple[Turn, ...]:
        groups = [group if isinstance(group, list) else [group] for group in participants]
        return tuple(tuple(self._member(one) for one in group) for group in groups)

    def _member(self, said: str | Case) -> Member:
        return (
            Person(self.user(said)) if isinstance(said, str) else Nested(self._schedule_of(said["schedule"]))
        )

    def _schedule_of(self, name: str) -> Schedule:
        """Return a schedule that a case names, built once.

        Raises: ValueError for one that is in itself; KeyError for one that the case does not have.
        """
        if name in self._within:
            raise ValueError(f"the schedule {name!r} is nested in itself")
        if name not in self._nested:
            before, self._within = self._within, (*self._within, name)
            self._nested[name] = Stage(
                {"timezone": self.case["timezone"], **self._inner[name]}, self
            ).schedule
            self._within = before
        return self._nested[name]

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
            span = self._span(said)
            for user in said.get("users") or [said.get("user")]:
                yield self.override({**said, "user": user}, *span)
        for window in _said(self.case, _FIXED):
            yield self.override({"kind": "replace_all"}, *self._span(window))
            for said in window.get("shifts", []):
                for user in said.get("users") or [said["user"]]:
                    yield self.override({"kind": "replace_all", "user": user}, *self._span(said))

    def _swaps(self) -> Iterator[Override]:
        for said in self.case.get("swaps", []):
            if said.get("taken") and said.get("taker"):
                swap = {"kind": "replace", "user": said["taker"], "replaces": said["requester"]}
                yield self.override(swap, *self._span(said))

    def _absences(self) -> Iterator[Absence]:
        for said in _said(self.case, _AWAY):
            start, end = self._span(said)
            yield Absence(user=self.user(said["user"]), start=start, end=end, exchanged=True)

    def _feeds(self) -> Iterator[Feed]:
        said = self.case.get("ical")
        if said:
            yield Feed(id=next(self._ids), name="calendar", position=0, bookings=tuple(self._bookings(said)))

    def _bookings(self, said: str) -> Iterator[Booking]:
        """Yield the occurrences of a described calendar. People are known by address, whatever its case."""
        asked = [self._instant(check["at"]) for check in self.case["checks"]] or [_NEVER]
        for entry in entries(said, self.zone, min(asked) - _AROUND, max(asked) + _AROUND):
            who = (entry.addresses or (entry.summary,))[0].strip().lower()
            user = self.user(who.partition("@")[0])
            yield Booking(start=entry.start.astimezone(UTC), end=entry.end.astimezone(UTC), user=user)

    def _edited(self, schedule: Schedule, edit: Case) -> Schedule:
        at = self._instant(edit["at"])
        layer = schedule.rotations[edit.get("layer", 0)].id
        running = [rotation for rotation in schedule.rotations if rotation.id == layer][-1]
        return revised(schedule, replace(running, turns=self._turns_after(edit, running)), at=at)

    def _turns_after(self, edit: Case, running: Rotation) -> tuple[Turn, ...]:
        """Return the members after an edit: all of them as it names them, or without some and with others at the end."""
        if "participants" in edit:
            return self._turns(edit["participants"])
        gone = {member for turn in self._turns(_names(edit, _REMOVED)) for member in turn}
        more = self._turns(_names(edit, _ADDED))
        if not gone and not more:
            raise ValueError(f"the edit {edit!r} changes nothing that is known here")
        left = (tuple(member for member in turn if member not in gone) for turn in running.turns)
        return (*(turn for turn in left if turn), *more)


def _said(case: Case, names: Iterable[str]) -> Iterator[Case]:
    """Yield what is said under any of several words for one thing, alone or in a list."""
    for name in names:
        found = case.get(name) or []
        yield from [found] if isinstance(found, dict) else found


def _names(edit: Case, words: Iterable[str]) -> list[Any]:
    found = [edit[word] for word in words if word in edit]
    return [name for one in found for name in (one if isinstance(one, list) else [one])]


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
    return Window(days=chosen, start=_clock(said, "from"), end=_clock(said, "to"))


def _clock(said: Case, word: str) -> time:
    """Return a time of day; the end of a day is the beginning of the next."""
    text = said.get(word, "00:00")
    return clock("00:00" if text == "24:00" else text, word)


def _day(name: str) -> int:
    return _DAYS[name[:2].upper()] if len(name) > 1 else DAY_LETTERS[name]
