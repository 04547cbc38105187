"""A rotation while somebody edits it: what the form holds, as text, and the edit it stands for."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from msgspec import UNSET, Struct
from msgspec.structs import replace

from nightbell.core.calendar import DAY_LETTERS, DAY_NAMES
from nightbell.core.directory import Directory
from nightbell.core.errors import Invalid
from nightbell.engine.schedule_edits import RotationEdit
from nightbell.web.duty import name_of
from nightbell.web.forms import Form, whole
from nightbell.web.lanes import for_field, local

KINDS = (
    ("daily", "Daily"), ("weekly", "Weekly"), ("biweekly", "Every two weeks"), ("monthly", "Monthly"),
    ("custom", "Other length"),
)  # fmt: skip
UNITS = (("hours", "hours"), ("days", "days"), ("weeks", "weeks"))
HANDOFF_DAYS = (
    ("", "on the day it begins"),
    *((letter, f"on {DAY_NAMES[n]}") for letter, n in DAY_LETTERS.items()),
    ("first_day_of_month", "on the first of the month"),
    ("last_day_of_month", "on the last of the month"),
)
DAYS = tuple((letter, DAY_NAMES[n]) for letter, n in DAY_LETTERS.items())
COUNTS = (
    ("", "as usual: days that are on call, where some are left out"),
    ("elapsed", "every day"),
    ("active_days", "only days that are on call"),
)
#: Only for rotations that were brought from elsewhere.
_RARE_COUNTS = (
    ("calendar", "calendar weeks or months"), ("calendar_skip", "every n-th calendar week or month"),
)  # fmt: skip
HOURS = (("all_day", "all day"), ("same_time", "only at these hours"), ("custom", "hours that differ by day"))
_MOST_MEMBERS = 200
#: What the core calls the fields, and what the form does.
_FIELDS = {
    "shift_length": "length", "shift_length_unit": "length", "active_days": "days", "end_time": "ends_at",
    "start_time": "starts_at",
}  # fmt: skip


class Seat(Struct, frozen=True, kw_only=True):
    """A member: "user/1001" or "schedule/<id>", and whether they serve together with the one above."""

    who: str
    together: bool = False


class Draft(Struct, frozen=True, kw_only=True):
    """A rotation in the form, as it was typed."""

    name: str = ""
    kind: str = "weekly"
    length: str = ""
    length_unit: str = "days"
    handoff_time: str = "09:00"
    handoff_day: str = "M"
    time_zone: str = "Etc/UTC"
    position: str = ""
    all_week: bool = True
    days: tuple[str, ...] = tuple("MTWRF")
    hours: str = "all_day"
    windows: tuple[tuple[str, str], ...] = ()
    #: For hours that differ by day: those of each.
    day_windows: dict[str, tuple[tuple[str, str], ...]] = {}
    #: What a turn counts.
    advance: str = ""
    starts_at: str = ""
    ends_at: str = ""
    seats: tuple[Seat, ...] = ()


def from_row(row: Mapping[str, Any], days: Sequence[Mapping[str, Any]], place: ZoneInfo) -> Draft:
    """Return the form of a stored rotation; `days` are the hours of its single days."""
    return Draft(
        name=row["name"],
        kind=row["type"],
        length=str(row["length"] or ""),
        length_unit=row["length_unit"] or "days",
        handoff_time=row["handoff_time"][:5],
        handoff_day=row["handoff_day"] or "",
        time_zone=row["time_zone"],
        position=str(row["position"]),
        all_week=row["all_week"],
        days=tuple(row["days"]),
        hours=row["hours"],
        windows=_pairs(row["windows"]),
        day_windows={day["day"]: _pairs(day["windows"]) for day in days},
        advance=row["advance"] or "",
        starts_at=for_field(row["starts_at"], place) if row["starts_at"] else "",
        ends_at=for_field(row["ends_at"], place) if row["ends_at"] else "",
        seats=tuple(_seats(row["members"])),
    )


def _pairs(windows: Iterable[Mapping[str, str]]) -> tuple[tuple[str, str], ...]:
    return tuple((one["start_time"][:5], one["end_time"][:5]) for one in windows)


def _seats(members: Iterable[Mapping[str, Any]]) -> Iterable[Seat]:
    before = None
    for member in members:
        if member.get("skipped_at") is None:
            user, nested = member["user_id"], member["nested_schedule_id"]
            who = f"user/{user}" if user is not None else f"schedule/{nested}"
            yield Seat(who=who, together=member["position"] == before)
            before = member["position"]


def from_form(form: Form) -> Draft:
    """Return what the form holds, the member just chosen in its picker added."""
    together = set(form.many("together"))
    seats = [Seat(who=who, together=str(n) in together) for n, who in enumerate(form.many("member"))]
    seats += [Seat(who=who) for who in form.many("add")]
    return Draft(
        name=form.text("name"),
        kind=form.text("type"),
        length=form.text("length"),
        length_unit=form.text("length_unit"),
        handoff_time=form.text("handoff_time"),
        handoff_day=form.text("handoff_day"),
        time_zone=form.text("time_zone"),
        position=form.text("position"),
        all_week=form.text("week") != "some",
        days=tuple(form.many("day")),
        hours=form.text("hours"),
        windows=_typed(form, "from", "to"),
        day_windows={d: found for d in DAY_LETTERS if (found := _typed(form, f"from-{d}", f"to-{d}"))},
        advance=form.text("advance"),
        starts_at=form.text("starts_at"),
        ends_at=form.text("ends_at"),
        seats=tuple(seats[:_MOST_MEMBERS]),
    )


def _typed(form: Form, first: str, last: str) -> tuple[tuple[str, str], ...]:
    pairs = zip(form.aligned(first), form.aligned(last), strict=False)
    return tuple(pair for pair in pairs if any(pair))


def edited(draft: Draft, what: str) -> Draft:
    """Return the draft after one of the form's own buttons: up:2, down:2, drop:2."""
    verb, _, place = what.partition(":")
    seats = list(draft.seats)
    at = int(place) if place.isascii() and place.isdecimal() and len(place) < 4 else len(seats)
    if at >= len(seats):
        return draft
    if verb == "drop":
        del seats[at]
    other = {"up": at - 1, "down": at + 1}.get(verb, at)
    if 0 <= other < len(seats):
        seats[at], seats[other] = seats[other], seats[at]
    return replace(draft, seats=tuple(seats))


def edit_of(draft: Draft, place: ZoneInfo) -> RotationEdit:
    """Return the edit that a form stands for; `place` is where its dates and times are said.

    Raises: Invalid naming the field.
    """
    custom = draft.kind == "custom"
    return RotationEdit(
        name=draft.name,
        type=draft.kind,
        length=whole(draft.length, "length", least=1, most=10_000) if custom else None,
        length_unit=draft.length_unit if custom else None,
        handoff_time=draft.handoff_time,
        handoff_day=_handoff_day(draft),
        time_zone=draft.time_zone,
        position=whole(draft.position, "position", least=1, most=1000) if draft.position else UNSET,
        all_week=draft.all_week,
        days=list(draft.days) if draft.days or not draft.all_week else list(DAY_LETTERS),
        hours=draft.hours,
        windows=_windows(draft.windows),
        advance=draft.advance or None,
        day_hours=[{"day": day, "windows": _windows(found)} for day, found in draft.day_windows.items()]
        if draft.hours == "custom"
        else UNSET,
        starts_at=_instant(draft.starts_at, "starts_at", place),
        ends_at=_instant(draft.ends_at, "ends_at", place),
        members=_members(draft.seats),
    )


def _windows(pairs: Iterable[tuple[str, str]]) -> list[dict[str, str]]:
    return [{"start_time": first, "end_time": last} for first, last in pairs]


def counts(draft: Draft) -> tuple[tuple[str, str], ...]:
    """Return what a turn can count; the rare ways only where one was chosen by the API."""
    return (*COUNTS, *(one for one in _RARE_COUNTS if one[0] == draft.advance))


def _handoff_day(draft: Draft) -> str | None:
    """Return the day, where the kind has one: a form shows one picker for weeks and months."""
    monthly = draft.handoff_day.endswith("_of_month")
    fits = draft.kind == "monthly" if monthly else draft.kind in ("weekly", "biweekly")
    return draft.handoff_day if fits and draft.handoff_day else None


def _instant(text: str, name: str, place: ZoneInfo) -> datetime | None:
    at = local(text, place) if text else None
    if text and at is None:
        raise Invalid("A date and a time, please.", place=name, hint="such as 2027-01-04 09:00")
    return at


def _members(seats: Sequence[Seat]) -> list[dict[str, Any]]:
    position = 0
    found = []
    for seat in seats:
        position += 0 if seat.together and position else 1
        kind, _, key = seat.who.partition("/")
        found.append({**_member(kind, key), "position": position})
    return found


def _member(kind: str, key: str) -> dict[str, Any]:
    if kind == "user" and key.isascii() and key.isdecimal() and len(key) < 10:
        return {"user_id": int(key)}
    try:
        return {"nested_schedule_id": UUID(key)}
    except ValueError:
        raise Invalid("Choose people or schedules from the list.", place="members") from None


def placed(errors: dict[str, str]) -> dict[str, str]:
    """Return errors by the names of the form."""
    found: dict[str, str] = {}
    for where, text in errors.items():
        name = where.rpartition(".")[2]
        word = "members" if where.startswith("members") else _FIELDS.get(name, name)
        hours = where.startswith(("windows", "active_time", "schedule_rotation_active_days"))
        found.setdefault("windows" if hours else word, text)
    return found


def named(who: str, directory: Directory) -> str:
    """Return what a member is called."""
    kind, _, key = who.partition("/")
    if kind == "user" and key.isdecimal():
        return name_of(int(key), directory)
    return f"schedule {directory.schedules[key].name}" if key in directory.schedules else f"schedule {key}"


def options(directory: Directory, own: UUID) -> list[tuple[str, list[tuple[str, str]]]]:
    """Return who can be a member, for the picker."""
    people = [(f"user/{u.id}", u.name) for u in directory.users.values() if u.active and u.role != "observer"]
    others = [(f"schedule/{s.id}", s.name) for s in directory.schedules.values() if s.id != own]
    groups = [("People", people), ("Whoever is on call in", others)]
    return [(label, sorted(things, key=lambda t: t[1].lower())) for label, things in groups if things]
