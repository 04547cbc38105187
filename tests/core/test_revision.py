"""Edits of a rotation: the past stays, who is on call stays, and no hand-off moves that nobody moved."""

from datetime import datetime
from uuid import UUID

import pytest
from msgspec.structs import replace

from nightbell.core.oncall import on_call
from nightbell.core.revision import ended, revised, with_turns
from nightbell.core.schedule import Advance, Unit
from nightbell.core.shifts import shifts, shifts_at
from support.schedules import ANA, BEN, CAL, HOUR, WEEKDAYS, ZOE, at, between, rotation, schedule

#: Wednesday of the second week: Ben's of Ana, Ben and Cal.
EDIT = at("2027-06-16T12:00")
WEEKLY = rotation(ANA, BEN, CAL, unit=Unit.WEEK)


def after(edited, *, on=WEEKLY, when=EDIT):
    return revised(schedule(on), edited, at=when)


def order(found, *starts: str) -> list[int]:
    return [user for start in starts for user in on_call(found, at(start))]


MONDAYS = ("2027-06-21T09:00", "2027-06-28T09:00", "2027-07-05T09:00", "2027-07-12T09:00")


def test_an_edit_cuts_the_rotation_and_not_the_shift():
    later = after(rotation(ZOE, ANA, BEN, CAL, unit=Unit.WEEK))
    assert [(r.starts_at, r.ends_at) for r in later.rotations] == [(None, EDIT), (EDIT, None)]
    (shift,) = shifts_at(later, EDIT)
    (before,) = shifts_at(schedule(WEEKLY), EDIT)
    assert (shift.id, shift.user, shift.start, shift.end) == (before.id, BEN, before.start, before.end)
    assert order(later, *MONDAYS) == [CAL, ZOE, ANA, BEN]


def test_several_edits_of_one_shift_leave_it_whole():
    later = after(rotation(ANA, BEN, unit=Unit.WEEK))
    later = revised(later, rotation(ANA, BEN, ZOE, unit=Unit.WEEK), at=at("2027-06-17T12:00"))
    later = revised(later, rotation(ZOE, BEN, unit=Unit.WEEK), at=at("2027-06-18T12:00"))
    (shift,) = shifts_at(later, at("2027-06-19T00:00"))
    assert (shift.user, shift.start, shift.end) == (BEN, at("2027-06-14T09:00"), at("2027-06-21T09:00"))
    assert len(shifts(later, start=at("2027-06-14T09:00"), end=at("2027-06-21T09:00"))) == 1
    assert order(later, *MONDAYS) == [ZOE, BEN, ZOE, BEN]


def test_a_new_order_begins_with_who_is_on_call():
    assert order(after(rotation(CAL, BEN, ANA, unit=Unit.WEEK)), *MONDAYS) == [ANA, CAL, BEN, ANA]


def test_when_several_are_removed_the_first_who_is_left_follows():
    later = after(rotation(ANA, unit=Unit.WEEK))
    assert order(later, "2027-06-16T11:59:59", "2027-06-16T12:00", *MONDAYS) == [BEN, ANA, ANA, ANA, ANA, ANA]


def test_when_all_are_removed_the_new_order_begins():
    later = after(rotation(ZOE, 5, unit=Unit.WEEK))
    assert order(later, "2027-06-16T11:59:59", "2027-06-16T12:00", *MONDAYS[:2]) == [BEN, ZOE, 5, ZOE]


def test_with_no_members_left_nobody_serves_and_with_one_again_they_do():
    emptied = after(rotation(unit=Unit.WEEK))
    assert on_call(emptied, EDIT) == frozenset()
    again = revised(emptied, rotation(CAL, ANA, unit=Unit.WEEK), at=at("2027-06-17T00:00"))
    assert order(again, "2027-06-16T11:00", "2027-06-17T00:00", *MONDAYS[:2]) == [BEN, CAL, ANA, CAL]


def test_a_pair_is_found_again_by_its_members_then_by_one_of_them():
    pairs = rotation((ANA, BEN), (CAL, ZOE), unit=Unit.WEEK)
    same = after(rotation((CAL, ZOE), (BEN, ANA), unit=Unit.WEEK), on=pairs, when=at("2027-06-08T00:00"))
    assert on_call(same, at("2027-06-08T00:00")) == {ANA, BEN}
    parted = after(rotation(CAL, BEN, ZOE, unit=Unit.WEEK), on=pairs, when=at("2027-06-08T00:00"))
    assert order(parted, "2027-06-08T00:00", "2027-06-14T09:00") == [BEN, ZOE]


def test_a_new_hand_off_moves_the_next_one_and_keeps_who_is_on_call():
    moved = rotation(ANA, BEN, CAL, unit=Unit.WEEK, anchor=datetime.fromisoformat("2027-06-10T18:00"))
    later = after(moved)
    instants = ("2027-06-16T12:00", "2027-06-17T17:59:59", "2027-06-17T18:00", "2027-06-24T18:00")
    assert order(later, *instants) == [BEN, BEN, CAL, ANA]


def test_from_weeks_to_days_who_is_on_call_serves_until_the_next_morning():
    later = after(rotation(ANA, BEN, CAL))
    instants = ("2027-06-16T12:00", "2027-06-17T08:59:59", "2027-06-17T09:00", "2027-06-18T09:00")
    assert order(later, *instants) == [BEN, BEN, CAL, ANA]


def test_an_edit_outside_active_hours_keeps_whose_turn_it_is():
    office = between("09:00", "17:00", WEEKDAYS)
    base = rotation(ANA, BEN, CAL, advance=Advance.ACTIVE_DAYS, hours=office)
    saturday = at("2027-06-12T12:00")
    later = after(
        rotation(ZOE, ANA, BEN, CAL, advance=Advance.ACTIVE_DAYS, hours=office), on=base, when=saturday
    )
    assert order(later, "2027-06-11T12:00", "2027-06-14T12:00", "2027-06-15T12:00") == [BEN, CAL, ZOE]


def test_a_rotation_that_has_not_begun_is_replaced_and_leaves_no_trace():
    future = replace(WEEKLY, starts_at=at("2027-06-21T09:00"))
    later = after(rotation(ZOE, unit=Unit.WEEK, starts_at=at("2027-06-21T09:00")), on=future)
    assert len(later.rotations) == 1
    assert order(later, *MONDAYS[:1]) == [ZOE]


def test_a_rotation_can_be_edited_for_later():
    later = after(rotation(ZOE, CAL, unit=Unit.WEEK), when=at("2027-07-05T09:00"))
    assert order(later, *MONDAYS) == [CAL, ANA, CAL, ZOE]
    sooner = revised(later, rotation(ANA, BEN, unit=Unit.WEEK), at=EDIT)
    assert len(sooner.rotations) == 2
    assert order(sooner, *MONDAYS) == [ANA, BEN, ANA, BEN]


def test_a_new_rotation_is_added_as_it_is():
    other = rotation(ZOE, id=UUID(int=101), position=2, unit=Unit.WEEK)
    assert revised(schedule(WEEKLY), other, at=EDIT).rotations == (WEEKLY, other)


def test_a_rotation_that_ends_is_still_true_of_the_past():
    later = ended(schedule(WEEKLY), WEEKLY.id, at=EDIT)
    assert order(later, "2027-06-16T11:59:59") == [BEN]
    assert on_call(later, EDIT) == frozenset()
    assert ended(schedule(replace(WEEKLY, starts_at=EDIT)), WEEKLY.id, at=EDIT).rotations == ()


@pytest.mark.parametrize("end", ["2027-06-15T00:00", "2027-06-16T12:00"])
def test_a_rotation_that_was_over_begins_anew_as_it_is_given(end):
    over = replace(WEEKLY, ends_at=at(end))
    later = after(rotation(CAL, ANA, BEN, unit=Unit.WEEK, starts_at=EDIT), on=over)
    assert on_call(later, at("2027-06-14T12:00")) == {BEN}
    assert on_call(later, at(end) - HOUR) == {BEN}
    assert on_call(later, EDIT) == {ANA}


def test_a_rotation_that_is_to_begin_later_begins_as_it_is_given():
    later = after(rotation(ZOE, CAL, unit=Unit.WEEK, starts_at=at("2027-06-28T09:00"), phase=1))
    assert [on_call(later, at(day)) for day in MONDAYS[:3]] == [frozenset(), {ZOE}, {CAL}]


def test_turns_of_several_active_days_are_kept_too():
    base = rotation(
        ANA, BEN, CAL, advance=Advance.ACTIVE_DAYS, every=2, hours=between("00:00", "00:00", WEEKDAYS)
    )
    wednesday = at("2027-06-09T12:00")
    later = after(with_turns(base, rotation(ZOE, ANA, BEN, CAL).turns), on=base, when=wednesday)
    days = (
        "2027-06-08T12:00",
        "2027-06-09T12:00",
        "2027-06-10T12:00",
        "2027-06-11T12:00",
        "2027-06-14T12:00",
    )
    assert order(later, *days, "2027-06-15T12:00") == [ANA, BEN, BEN, CAL, CAL, ZOE]


def test_every_second_turn_is_kept_too():
    base = rotation(ANA, BEN, CAL, advance=Advance.CALENDAR_SKIP, every=2, unit=Unit.HOUR)
    later = after(with_turns(base, rotation(CAL, BEN, ANA).turns), on=base, when=at("2027-06-07T11:30"))
    hours = [on_call(later, at(f"2027-06-07T{hour:02}:45")) for hour in range(9, 16)]
    assert hours == [{ANA}, frozenset(), {BEN}, frozenset(), {ANA}, frozenset(), {CAL}]


def test_after_an_edit_a_shift_still_says_its_place_among_the_members():
    later = after(rotation(ZOE, ANA, BEN, CAL, unit=Unit.WEEK))
    places = [(s.why.place, s.why.places) for day in MONDAYS for s in shifts_at(later, at(day))]
    assert places == [(4, 4), (1, 4), (2, 4), (3, 4)]


def test_members_are_changed_without_the_rest():
    assert with_turns(WEEKLY, rotation(ZOE).turns) == rotation(ZOE, unit=Unit.WEEK)
