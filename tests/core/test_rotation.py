"""Slots: who of a rotation is on call when, whole and in order, whatever range is asked for."""

from zoneinfo import ZoneInfo

import pytest

from nightbell.core.rotation import served_by, slots, turn_at, turn_running
from nightbell.core.schedule import Advance, Unit
from support.schedules import ANA, BEN, CAL, HOUR, WEEKDAYS, at, between, rotation

DAILY = rotation(ANA, BEN)
OFFICE = rotation(ANA, BEN, hours=between("09:00", "17:00", WEEKDAYS))
BY_DAYS = rotation(
    ANA, BEN, CAL, hours=between("09:00", "17:00", WEEKDAYS), advance=Advance.ACTIVE_DAYS, every=2
)
LONG_TURNS = rotation(ANA, BEN, advance=Advance.ACTIVE_DAYS, every=3)
#: Its first turn was to begin on a Saturday, on which it does not serve.
FROM_SATURDAY = rotation(
    ANA,
    BEN,
    hours=between("09:00", "17:00", WEEKDAYS),
    advance=Advance.ACTIVE_DAYS,
    anchor=at("2027-06-05T09:00").replace(tzinfo=None),
)
EVERY_SECOND_DAY = rotation(ANA, BEN, unit=Unit.HOUR, every=48, advance=Advance.ELAPSED)


def shown(found) -> list[tuple[int, str, str]]:
    return [(slot.turn, f"{slot.start:%dT%H:%M}", f"{slot.end:%dT%H:%M}") for slot in found]


@pytest.mark.parametrize(
    ("one", "start", "end", "expected"),
    [
        # A range that ends where a slot begins does not touch it, nor one that begins where it ends.
        (DAILY, "2027-06-08T09:00", "2027-06-09T09:00", [(1, "08T09:00", "09T09:00")]),
        (DAILY, "2027-06-08T08:59", "2027-06-08T09:01", [(0, "07T09:00", "08T09:00"), (1, "08T09:00", "09T09:00")]),
        (DAILY, "2027-06-08T09:00", "2027-06-08T09:00", []),
        (OFFICE, "2027-06-08T17:00", "2027-06-09T09:00", []),
        (OFFICE, "2027-06-08T16:59", "2027-06-09T09:01", [(1, "08T09:00", "08T17:00"), (2, "09T09:00", "09T17:00")]),
        (OFFICE, "2027-06-11T17:00", "2027-06-14T09:00", []),
        (BY_DAYS, "2027-06-09T09:00", "2027-06-09T10:00", [(1, "09T09:00", "09T17:00")]),
        (BY_DAYS, "2027-06-10T17:00", "2027-06-11T09:00", []),
        (LONG_TURNS, "2027-06-11T10:00", "2027-06-11T11:00", [(1, "10T09:00", "13T09:00")]),
        (EVERY_SECOND_DAY, "2027-06-09T09:00", "2027-06-11T09:00", [(1, "09T09:00", "11T09:00")]),
    ],
)  # fmt: skip
def test_slots_are_those_that_touch_a_range_whole(one, start, end, expected):
    assert shown(slots(one, at(start), at(end))) == expected


def test_the_bounds_of_a_rotation_cut_its_slots_and_what_they_cut_is_known():
    bounded = rotation(ANA, BEN, starts_at=at("2027-06-08T12:00"), ends_at=at("2027-06-09T12:00"))
    found = slots(bounded, at("2027-06-01T00:00"), at("2027-06-30T00:00"))
    assert shown(found) == [(1, "08T12:00", "09T09:00"), (2, "09T09:00", "09T12:00")]
    assert (found[0].whole.start, found[1].whole.end) == (at("2027-06-08T09:00"), at("2027-06-10T09:00"))
    assert slots(bounded, at("2027-06-09T12:00"), at("2027-06-30T00:00")) == []
    assert slots(bounded, at("2027-06-01T00:00"), at("2027-06-08T12:00")) == []


def test_the_bounds_hold_for_an_instant_as_for_a_range():
    bounded = rotation(ANA, BEN, starts_at=at("2027-06-08T12:00"), ends_at=at("2027-06-09T12:00"))
    when = ("2027-06-08T11:59", "2027-06-08T12:00", "2027-06-09T11:59", "2027-06-09T12:00")
    assert [turn_at(bounded, at(one)) for one in when] == [None, 1, 2, None]


def test_a_rotation_without_members_has_no_slots_and_serves_nobody():
    empty = rotation()
    assert slots(empty, at("2027-06-08T09:00"), at("2027-06-09T09:00")) == []
    assert served_by(empty, 3) == ()


@pytest.mark.parametrize(
    ("one", "when", "turn"),
    [
        # A turn that is over for today still runs: whoever is added or leaves in the evening changes nothing of it.
        (OFFICE, "2027-06-08T20:00", 1),
        (BY_DAYS, "2027-06-09T20:00", 1),
        (BY_DAYS, "2027-06-12T12:00", 2),
        (FROM_SATURDAY, "2027-06-05T12:00", 0),
        (FROM_SATURDAY, "2027-06-07T12:00", 0),
        (FROM_SATURDAY, "2027-06-08T12:00", 1),
        (EVERY_SECOND_DAY, "2027-06-10T20:00", 1),
        (EVERY_SECOND_DAY, "2027-06-11T09:00", 2),
    ],
)
def test_a_turn_runs_while_nobody_is_on_call(one, when, turn):
    assert turn_running(one, at(when)) == turn


def test_only_the_first_of_so_many_days_is_served_where_the_others_are_skipped():
    sparse = rotation(ANA, BEN, every=3, advance=Advance.CALENDAR_SKIP)
    found = shown(slots(sparse, at("2027-06-07T00:00"), at("2027-06-14T00:00")))
    assert found == [(0, "07T00:00", "08T00:00"), (1, "10T00:00", "11T00:00"), (2, "13T00:00", "14T00:00")]
    assert [turn_running(sparse, at(f"2027-06-{day}T12:00")) for day in ("07", "09", "10", "12", "13")] == [
        0,
        0,
        1,
        1,
        2,
    ]
    hourly = rotation(ANA, BEN, unit=Unit.HOUR, every=3, advance=Advance.CALENDAR_SKIP)
    assert shown(slots(hourly, at("2027-06-07T09:00"), at("2027-06-07T13:00"))) == [
        (0, "07T09:00", "07T10:00"), (1, "07T12:00", "07T13:00"),
    ]  # fmt: skip
    assert [turn_running(hourly, at(f"2027-06-07T{hour}:30")) for hour in ("09", "11", "12")] == [0, 0, 1]


def test_a_hand_off_in_an_hour_that_never_comes_takes_place_when_it_is_over():
    chicago = rotation(
        ANA, BEN, zone=ZoneInfo("America/Chicago"), anchor=at("2027-03-12T02:30").replace(tzinfo=None)
    )
    found = slots(chicago, at("2027-03-14T06:00"), at("2027-03-14T12:00"))
    assert [slot.start for slot in found][1:] == [at("2027-03-14T03:00-05:00")]


@pytest.mark.parametrize(
    ("when", "turn"),
    [
        ("2027-06-30T12:00", 0),
        ("2027-07-01T00:00", 1),
        ("2027-12-31T12:00", 6),
        ("2028-01-01T00:00", 7),
        ("2029-03-15T12:00", 21),
    ],
)
def test_months_are_counted_over_the_end_of_a_year(when, turn):
    monthly = rotation(ANA, BEN, unit=Unit.MONTH, advance=Advance.CALENDAR)
    assert turn_at(monthly, at(when)) == turn
    [slot] = slots(monthly, at(when), at(when) + HOUR)
    assert slot.turn == turn


@pytest.mark.parametrize("advance", list(Advance))
def test_a_rotation_that_starts_at_a_hand_off_has_no_slot_of_no_length_before_it(advance):
    midnight = at("2027-06-07T00:00").replace(tzinfo=None)
    one = rotation(ANA, BEN, advance=advance, anchor=midnight, starts_at=at("2027-06-08T00:00"))
    found = slots(one, at("2027-06-05T00:00"), at("2027-06-09T12:00"))
    assert found[0].start == at("2027-06-08T00:00")
    assert all(slot.start < slot.end for slot in found)
