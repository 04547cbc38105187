"""Rotations as people write them: what they mean, and what is wrong with them."""

from datetime import timedelta
from uuid import UUID

import pytest
from msgspec.structs import replace

from nightbell.core.errors import Invalid
from nightbell.core.oncall import on_call
from nightbell.core.rotation_checks import errors_in_plan
from nightbell.core.rotation_plan import RotationPlan, Times, rotation_of
from nightbell.core.schedule import Advance, Unit
from nightbell.core.shifts import shifts
from support.schedules import ANA, BEN, CAL, at, rotation, schedule

#: A Wednesday.
CREATED = at("2027-06-16T12:00")
DAILY = RotationPlan(name="Primary", type="ScheduleDailyRotation", handoff_time="09:00")
WEEKLY = replace(DAILY, type="ScheduleWeeklyRotation", handoff_day="M")
OFFICE = (Times(start_time="09:00", end_time="17:00"),)


def built(plan: RotationPlan, *users: int, created=CREATED):
    assert errors_in_plan(plan) == ()
    return rotation_of(plan, id=UUID(int=1), turns=rotation(*users).turns, created_at=created)


def serving(plan: RotationPlan, *instants: str, created=CREATED) -> list[int]:
    """Ana, Ben and Cal rotate; 0 is nobody."""
    made = schedule(built(plan, ANA, BEN, CAL, created=created))
    return [next(iter(on_call(made, at(text))), 0) for text in instants]


def test_the_first_member_serves_from_the_start_until_the_next_hand_off():
    days = ("2027-06-16T12:00", "2027-06-17T08:59:59", "2027-06-17T09:00", "2027-06-18T09:00")
    assert serving(DAILY, *days) == [ANA, ANA, BEN, CAL]
    weeks = (
        "2027-06-16T12:00",
        "2027-06-21T08:59:59",
        "2027-06-21T09:00",
        "2027-06-28T09:00",
        "2027-07-05T09:00",
    )
    assert serving(WEEKLY, *weeks) == [ANA, ANA, BEN, CAL, ANA]
    biweekly = replace(WEEKLY, type="ScheduleBiweeklyRotation")
    assert serving(biweekly, *weeks) == [ANA, ANA, ANA, BEN, BEN]


def test_a_start_before_the_hour_of_hand_off_belongs_to_the_day_before():
    early = at("2027-06-14T08:00")
    assert serving(WEEKLY, "2027-06-14T08:30", "2027-06-14T09:00", created=early) == [ANA, BEN]


def test_the_night_before_the_start_is_not_the_first_members_turn():
    nights = (Times(start_time="20:00", end_time="08:00"),)
    plan = replace(
        DAILY, handoff_time="00:00", active_all_week=False, active_days=tuple("MTWRF"), active_time_type="same_time",
        active_times=nights, starts_at=at("2027-06-15T00:00"),
    )  # fmt: skip
    evenings = (
        "2027-06-15T21:00",
        "2027-06-16T07:59",
        "2027-06-16T21:00",
        "2027-06-17T21:00",
        "2027-06-18T21:00",
    )
    assert serving(plan, *evenings) == [ANA, ANA, BEN, CAL, ANA]


def test_saturday_is_u_and_sunday_is_s():
    for letter, day in (("R", 17), ("F", 18), ("U", 19), ("S", 20), ("M", 21), ("T", 22), ("W", 23)):
        plan = replace(WEEKLY, handoff_day=letter)
        assert serving(plan, f"2027-06-{day}T08:59:59", f"2027-06-{day}T09:00") == [ANA, BEN]


def test_months_begin_on_their_first_or_last_day():
    first = replace(DAILY, type="ScheduleMonthlyRotation", handoff_day="first_day_of_month")
    assert serving(first, "2027-07-01T08:59", "2027-07-01T09:00", "2027-08-01T09:00") == [ANA, BEN, CAL]
    last = replace(first, handoff_day="last_day_of_month")
    instants = (
        "2027-06-30T08:59",
        "2027-06-30T09:00",
        "2027-07-31T08:59",
        "2027-07-31T09:00",
        "2028-02-29T08:59:59",
    )
    assert serving(last, *instants) == [ANA, BEN, BEN, CAL, CAL]
    assert serving(last, "2028-02-29T08:59:59", "2028-02-29T09:00") == [CAL, ANA]
    for month in range(1, 13):
        assert serving(last, f"2027-{month:02}-15T12:00", created=at(f"2027-{month:02}-15T12:00")) == [ANA]


def test_custom_turns_last_hours_days_or_weeks():
    hours = replace(DAILY, type="ScheduleCustomRotation", shift_length=12, shift_length_unit="hours")
    assert serving(hours, "2027-06-16T12:00", "2027-06-16T21:00", "2027-06-17T09:00") == [ANA, BEN, CAL]
    days = replace(hours, shift_length=3, shift_length_unit="days")
    assert serving(days, "2027-06-19T08:59", "2027-06-19T09:00") == [ANA, BEN]
    weeks = replace(hours, shift_length=2, shift_length_unit="weeks")
    assert serving(weeks, "2027-06-30T08:59", "2027-06-30T09:00") == [ANA, BEN]


def test_custom_turns_from_before_the_hour_of_hand_off_begin_the_day_before():
    days = replace(DAILY, type="ScheduleCustomRotation", shift_length=3, shift_length_unit="days")
    early = at("2027-06-16T08:00")
    instants = ("2027-06-16T08:00", "2027-06-18T08:59", "2027-06-18T09:00", "2027-06-21T09:00")
    assert serving(days, *instants, created=early) == [ANA, ANA, BEN, CAL]
    sharp = at("2027-06-16T09:00")
    assert serving(days, "2027-06-16T09:00", "2027-06-19T08:59", "2027-06-19T09:00", created=sharp) == [
        ANA,
        ANA,
        BEN,
    ]


def test_bounds_and_zone_are_taken_over():
    plan = replace(
        DAILY, time_zone="America/Chicago", starts_at=at("2027-06-20T00:00"), ends_at=at("2027-06-22T00:00")
    )
    assert serving(plan, "2027-06-19T23:59", "2027-06-20T00:00", "2027-06-20T14:00", "2027-06-22T00:00") == [
        0,
        ANA,
        BEN,
        0,
    ]


def test_active_days_and_hours_limit_it_and_turns_of_days_count_only_those():
    office = replace(
        DAILY,
        active_all_week=False,
        active_days=("M", "T", "W", "R", "F"),
        active_time_type="same_time",
        active_times=OFFICE,
    )
    days = (
        "2027-06-16T16:00",
        "2027-06-16T17:00",
        "2027-06-17T12:00",
        "2027-06-18T12:00",
        "2027-06-19T12:00",
    )
    assert serving(office, *days, "2027-06-21T12:00") == [ANA, 0, BEN, CAL, 0, ANA]
    elapsed = replace(office, count_active_days=False)
    assert serving(elapsed, *days, "2027-06-21T12:00") == [ANA, 0, BEN, CAL, 0, CAL]
    assert built(replace(office, type="ScheduleWeeklyRotation")).advance is Advance.ELAPSED


def test_times_of_a_day_of_its_own_count_only_where_the_type_says_so():
    custom = replace(
        WEEKLY,
        active_time_type="custom",
        active_times=(Times(start_time="00:00", end_time="01:00"),),
        day_times={"W": OFFICE, "F": (Times(start_time="22:00", end_time="06:00"),)},
    )
    days = (
        "2027-06-16T12:00",
        "2027-06-17T12:00",
        "2027-06-18T21:00",
        "2027-06-19T05:59",
        "2027-06-19T06:00",
    )
    assert serving(custom, *days) == [ANA, 0, 0, ANA, 0]
    assert built(replace(custom, active_time_type="all_day")).hours is None
    only_wednesday = replace(custom, active_all_week=False, active_days=("W",))
    assert serving(only_wednesday, *days) == [ANA, 0, 0, 0, 0]


def test_all_week_and_all_day_has_no_hours():
    made = built(replace(DAILY, active_days=("M",)), ANA)
    assert (made.hours, made.advance, made.unit, made.every) == (None, Advance.ELAPSED, Unit.DAY, 1)


@pytest.mark.parametrize(
    ("changes", "places"),
    [
        ({"time_zone": "Mars/Base"}, ["time_zone"]),
        ({"handoff_time": "9 o'clock"}, ["schedule_rotationable_attributes.handoff_time"]),
        ({"type": "ScheduleYearlyRotation"}, ["schedule_rotationable_type"]),
        (
            {"type": "ScheduleWeeklyRotation", "handoff_day": "X"},
            ["schedule_rotationable_attributes.handoff_day"],
        ),
        (
            {"type": "ScheduleMonthlyRotation", "handoff_day": "M"},
            ["schedule_rotationable_attributes.handoff_day"],
        ),
        (
            {"type": "ScheduleCustomRotation"},
            [
                "schedule_rotationable_attributes.shift_length_unit",
                "schedule_rotationable_attributes.shift_length",
            ],
        ),
        (
            {"type": "ScheduleCustomRotation", "shift_length": 0, "shift_length_unit": "days"},
            ["schedule_rotationable_attributes.shift_length"],
        ),
        ({"active_all_week": False}, ["active_days"]),
        ({"active_all_week": False, "active_days": ("M", "X")}, ["active_days[1]"]),
        ({"active_time_type": "sometimes"}, ["active_time_type"]),
        ({"active_time_type": "same_time"}, ["active_time_attributes"]),
        (
            {"active_time_type": "same_time", "active_times": (Times(start_time="x", end_time="25:00"),)},
            ["active_time_attributes[0].start_time", "active_time_attributes[0].end_time"],
        ),
        ({"active_time_type": "custom"}, ["schedule_rotation_active_days"]),
        (
            {"active_time_type": "custom", "day_times": {"M": ()}},
            ["schedule_rotation_active_days", "schedule_rotation_active_days[M].active_time_attributes"],
        ),
        ({"starts_at": CREATED, "ends_at": CREATED}, ["end_time"]),
        (
            {"time_zone": "?", "handoff_time": "?"},
            ["time_zone", "schedule_rotationable_attributes.handoff_time"],
        ),
    ],
)
def test_every_fault_is_found_with_its_place_and_a_way_out(changes, places):
    found = errors_in_plan(replace(DAILY, **changes))
    assert [error.place for error in found] == places
    assert all(error.hint for error in found)


def test_a_plan_with_faults_builds_nothing():
    with pytest.raises(Invalid):
        rotation_of(replace(DAILY, time_zone="?"), id=UUID(int=1), turns=(), created_at=CREATED)


def test_a_plan_and_its_first_shift_begin_together():
    plan = replace(WEEKLY, starts_at=at("2027-06-16T12:00"))
    found = shifts(
        schedule(built(plan, ANA, BEN)), start=CREATED - timedelta(days=9), end=CREATED + timedelta(days=9)
    )
    assert [(s.user, s.start) for s in found] == [(ANA, CREATED), (BEN, at("2027-06-21T09:00"))]
