"""Who is on call: scenarios restated from the tests of others, our own, and what they do not ask."""

import json
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import pytest
from msgspec.structs import replace

from nightbell.core.calendar import Span
from nightbell.core.oncall import on_call, shadows_of
from nightbell.core.rotation import slots
from nightbell.core.schedule import Absence, Booking, Change, Feed, Nested, Shadow, Unit
from nightbell.core.shift import Rule
from nightbell.core.shifts import WindowTooLong, gaps, lane_shifts, reach, shadow_shifts, shifts, shifts_at
from nightbell.testing.schedule_cases import problems
from support.schedules import (
    ANA,
    BEN,
    CAL,
    HOUR,
    NAMES,
    WEEKDAYS,
    ZOE,
    at,
    between,
    override,
    rotation,
    schedule,
)

DATA = Path(__file__).parents[1] / "testdata"
CASES = [
    pytest.param(case, id=case["id"])
    for file in ("schedule_cases.json", "schedule_own_cases.json")
    for case in json.loads((DATA / file).read_text("utf-8"))["cases"]
]


@pytest.mark.parametrize("case", CASES)
def test_scenario(case):
    assert problems(case) == []


def shown(found) -> list[tuple[int, str, str]]:
    return [(shift.user, f"{shift.start:%dT%H:%M}", f"{shift.end:%dT%H:%M}") for shift in found]


def whys(found) -> list[str]:
    return [shift.why.sentence(NAMES.__getitem__) for shift in found]


# ---------------------------------------------------------------- shifts


def test_shifts_are_clipped_to_the_range_and_whole_at_an_instant():
    daily = schedule(rotation(ANA, BEN))
    found = shifts(daily, start=at("2027-06-08T00:00"), end=at("2027-06-09T12:00"))
    assert shown(found) == [
        (ANA, "08T00:00", "08T09:00"),
        (BEN, "08T09:00", "09T09:00"),
        (ANA, "09T09:00", "09T12:00"),
    ]
    assert found[0].true_start == at("2027-06-07T09:00")
    (whole,) = shifts_at(daily, at("2027-06-08T00:00"))
    assert shown([whole]) == [(ANA, "07T09:00", "08T09:00")]
    assert whole.id == found[0].id


def test_an_empty_or_backward_range_has_no_shifts_and_no_gaps():
    daily = schedule(rotation(ANA))
    noon = at("2027-06-08T12:00")
    for end in (noon, noon - HOUR):
        assert shifts(daily, start=noon, end=end) == ()
        assert gaps(daily, start=noon, end=end) == ()


def test_more_than_anybody_looks_at_is_refused():
    with pytest.raises(WindowTooLong) as refused:
        shifts(schedule(rotation(ANA)), start=at("2027-01-01"), end=at("2028-02-06"))
    assert refused.value.place == "to"
    assert (
        len(shifts(schedule(rotation(ANA)), start=at("2027-06-07T09:00"), end=at("2028-07-11T09:00"))) == 400
    )


def test_days_that_meet_within_a_turn_are_one_shift_and_turns_are_not():
    weekly = rotation(ANA, unit=Unit.WEEK, hours=between("00:00", "00:00", WEEKDAYS))
    found = shifts(schedule(weekly), start=at("2027-06-10T00:00"), end=at("2027-06-22T00:00"))
    assert shown(found) == [
        (ANA, "10T00:00", "12T00:00"),
        (ANA, "14T00:00", "14T09:00"),
        (ANA, "14T09:00", "19T00:00"),
        (ANA, "21T00:00", "21T09:00"),
        (ANA, "21T09:00", "22T00:00"),
    ]


def test_gaps_are_what_nobody_covers():
    office = schedule(rotation(ANA, BEN, hours=between("09:00", "17:00", WEEKDAYS)))
    found = gaps(office, start=at("2027-06-11T12:00"), end=at("2027-06-14T12:00"))
    assert found == (Span(at("2027-06-11T17:00"), at("2027-06-14T09:00")),)
    assert gaps(schedule(), start=at("2027-06-11"), end=at("2027-06-12")) == (
        Span(at("2027-06-11"), at("2027-06-12")),
    )


def test_a_rotation_without_members_is_a_gap():
    assert on_call(schedule(rotation()), at("2027-06-08")) == frozenset()
    assert shifts(schedule(rotation()), start=at("2027-06-08"), end=at("2027-06-09")) == ()


def test_an_id_tells_schedules_rotations_people_and_overrides_apart():
    base = rotation(ANA, BEN)
    cover = override(Change.COVER, "2027-06-08T10:00", "2027-06-08T12:00", ZOE)
    several = [
        schedule(base),
        schedule(base, id=UUID(int=2)),
        schedule(replace(base, id=UUID(int=101))),
        schedule(rotation(CAL, BEN)),
        schedule(base, overrides=(cover,)),
    ]
    found = {
        s.id for one in several for s in shifts(one, start=at("2027-06-07T09:00"), end=at("2027-06-09T09:00"))
    }
    # Two each, but: the fourth shares Ben's with the first, the fifth all but the override and what comes after it.
    assert len(found) == 2 + 2 + 2 + 1 + 2


# ---------------------------------------------------------------- reasons


def test_every_shift_says_why_it_is_this_person_s():
    weekly = rotation(ANA, BEN, CAL, unit=Unit.WEEK)
    away = Absence(user=ANA, start=at("2027-06-07"), end=at("2027-06-08"), reason="dentist", exchanged=True)
    several = schedule(
        weekly,
        absences=(away,),
        overrides=(
            override(Change.REPLACE, "2027-06-14T10:00", "2027-06-14T11:00", ZOE, BEN),
            override(Change.ADD, "2027-06-14T12:00", "2027-06-14T13:00", CAL),
            replace(
                override(Change.COVER, "2027-06-14T14:00", "2027-06-14T15:00", ZOE), reason="moving house"
            ),
        ),
        swaps=(override(Change.REPLACE, "2027-06-14T16:00", "2027-06-14T17:00", ANA, BEN),),
    )
    found = shifts(several, start=at("2027-06-07T09:00"), end=at("2027-06-14T17:00"))
    assert list(zip([shift.user for shift in found], whys(found), strict=True)) == [
        (BEN, "Ana is away; next in rotation Primary. Reason given: dentist."),
        (ANA, "Their turn in rotation Primary: place 1 of 3."),
        (BEN, "Their turn in rotation Primary: place 2 of 3."),
        (ZOE, "An override puts them in place of Ben."),
        (BEN, "Their turn in rotation Primary: place 2 of 3."),
        (CAL, "An override adds them."),
        (ZOE, "An override covers the whole schedule. Reason given: moving house."),
        (BEN, "Their turn in rotation Primary: place 2 of 3."),
        (ANA, "They agreed to take this from Ben."),
    ]
    assert [shift.is_override for shift in found] == [
        False,
        False,
        False,
        True,
        False,
        True,
        True,
        False,
        True,
    ]


# ---------------------------------------------------------------- layers, feeds, nested schedules, shadows


def test_a_nested_schedule_serves_the_turn_and_its_gaps_fall_to_the_layer_below():
    europe = schedule(
        rotation(ANA, BEN, hours=between("08:00", "16:00"), id=UUID(int=7), name="Day"),
        id=UUID(int=8),
        name="Europe",
    )
    outer = rotation(CAL, unit=Unit.WEEK, position=2)
    outer = replace(outer, turns=((Nested(europe),), *outer.turns))
    both = schedule(outer, rotation(ZOE, id=UUID(int=101), name="Backup", unit=Unit.WEEK))
    found = shifts(both, start=at("2027-06-08T00:00"), end=at("2027-06-09T00:00"))
    assert shown(found) == [
        (ZOE, "08T00:00", "08T08:00"),
        (ANA, "08T08:00", "08T09:00"),
        (BEN, "08T09:00", "08T16:00"),
        (ZOE, "08T16:00", "09T00:00"),
    ]
    assert whys(found)[2] == "Their turn in rotation Day: place 2 of 2. Found through Europe."
    assert {shift.rotation_id for shift in found} == {UUID(int=100), UUID(int=101)}
    assert on_call(both, at("2027-06-08T10:00")) == {BEN}
    assert on_call(both, at("2027-06-15T10:00")) == {CAL}


def test_a_calendar_from_elsewhere_is_a_layer():
    feed = Feed(
        id=UUID(int=9),
        name="Team calendar",
        position=2,
        bookings=(Booking(start=at("2027-06-08T12:00"), end=at("2027-06-08T14:00"), user=ZOE),),
    )
    both = schedule(rotation(ANA), feeds=(feed,))
    found = shifts(both, start=at("2027-06-08T09:00"), end=at("2027-06-09T09:00"))
    assert shown(found) == [
        (ANA, "08T09:00", "08T12:00"),
        (ZOE, "08T12:00", "08T14:00"),
        (ANA, "08T14:00", "09T09:00"),
    ]
    assert whys(found)[1] == "Booked in the calendar Team calendar."
    assert on_call(both, at("2027-06-08T13:59:59")) == {ZOE}
    assert on_call(both, at("2027-06-08T14:00")) == {ANA}


def test_each_lane_can_be_seen_on_its_own():
    feed = Feed(
        id=UUID(int=9),
        name="f",
        position=5,
        bookings=(Booking(start=at("2027-06-08"), end=at("2027-06-09"), user=ZOE),),
    )
    low, high = rotation(ANA), rotation(BEN, id=UUID(int=101), position=2, hours=between("12:00", "13:00"))
    both = schedule(
        low, high, feeds=(feed,), overrides=(override(Change.COVER, "2027-06-08", "2027-06-10", CAL),)
    )
    lanes = lane_shifts(both, start=at("2027-06-08T10:00"), end=at("2027-06-08T14:00"))
    assert {lane: shown(found) for lane, found in lanes.items()} == {
        low.id: [(ANA, "08T10:00", "08T14:00")],
        high.id: [(BEN, "08T12:00", "08T13:00")],
        feed.id: [(ZOE, "08T10:00", "08T14:00")],
    }


def test_a_shadow_hears_what_somebody_is_told_and_is_not_on_call():
    follows = Shadow(
        id=UUID(int=5), user=ZOE, of=ANA, start=at("2027-06-07T12:00"), end=at("2027-06-09T12:00")
    )
    everybody = Shadow(id=UUID(int=6), user=CAL, start=at("2027-06-08T08:00"), end=at("2027-06-08T10:00"))
    daily = schedule(rotation(ANA, BEN), shadows=(follows, everybody))
    found = shadow_shifts(daily, start=at("2027-06-07T00:00"), end=at("2027-06-10T00:00"))
    assert shown(found) == [
        (ZOE, "07T12:00", "08T09:00"),
        (CAL, "08T08:00", "08T09:00"),
        (CAL, "08T09:00", "08T10:00"),
        (ZOE, "09T09:00", "09T12:00"),
    ]
    assert whys(found)[0] == "They shadow Ana and are not responsible."
    assert all(shift.is_shadow and not shift.is_override for shift in found)
    assert shadows_of(daily, ANA, at("2027-06-08T08:30")) == {ZOE, CAL}
    assert shadows_of(daily, BEN, at("2027-06-08T09:30")) == {CAL}
    assert shadows_of(daily, ANA, at("2027-06-08T09:30")) == frozenset(), "only those on call are followed"
    assert shadows_of(daily, ANA, at("2027-06-08T09:30"), everyone=True) == {CAL, ZOE}
    assert shadows_of(daily, BEN, at("2027-06-08T12:00")) == frozenset()
    assert on_call(daily, at("2027-06-08T08:30")) == {ANA}


def test_nobody_shadows_themselves():
    own = Shadow(id=UUID(int=5), user=ANA, start=at("2027-06-07"), end=at("2027-06-12"))
    daily = schedule(rotation(ANA, BEN), shadows=(own,))
    assert shadows_of(daily, ANA, at("2027-06-08T08:30")) == frozenset()
    assert shown(shadow_shifts(daily, start=at("2027-06-08T09:00"), end=at("2027-06-09T10:00"))) == [
        (ANA, "08T09:00", "09T09:00")
    ]


def test_absences_that_are_not_exchanged_change_nothing():
    away = Absence(user=ANA, start=at("2027-06-07"), end=at("2027-06-08"))
    assert on_call(schedule(rotation(ANA, BEN), absences=(away,)), at("2027-06-07T12:00")) == {ANA}


def test_a_stand_in_serves_no_longer_than_the_absence_and_is_one_shift():
    away = [
        Absence(user=ANA, start=at("2027-06-07T12:00"), end=at("2027-06-07T18:00"), exchanged=True),
        Absence(user=CAL, start=at("2027-06-07T14:00"), end=at("2027-06-07T16:00"), exchanged=True),
        Absence(user=BEN, start=at("2027-06-07T17:00"), end=at("2027-06-09T00:00"), exchanged=True),
    ]
    daily = schedule(rotation(ANA, BEN, CAL), absences=tuple(away))
    found = shifts(daily, start=at("2027-06-07T09:00"), end=at("2027-06-08T09:00"))
    assert shown(found) == [
        (ANA, "07T09:00", "07T12:00"),
        (BEN, "07T12:00", "07T17:00"),
        (CAL, "07T17:00", "07T18:00"),
        (ANA, "07T18:00", "08T09:00"),
    ]
    assert [shift.why.rule for shift in found] == [Rule.ROTATION, Rule.STAND_IN, Rule.STAND_IN, Rule.ROTATION]


def test_nobody_stands_in_who_serves_already():
    away = Absence(user=ANA, start=at("2027-06-07"), end=at("2027-06-08"), exchanged=True)
    pairs = schedule(rotation((ANA, BEN), BEN, CAL), absences=(away,))
    assert on_call(pairs, at("2027-06-07T12:00")) == {BEN, CAL}
    assert sorted(shift.user for shift in shifts_at(pairs, at("2027-06-07T12:00"))) == [BEN, CAL]
    alone = schedule(rotation((ANA, BEN), BEN), absences=(away,))
    assert on_call(alone, at("2027-06-07T12:00")) == {BEN}


def test_a_nested_schedule_can_stand_in():
    inner = schedule(rotation(ZOE, id=UUID(int=7)), id=UUID(int=8), name="Backup")
    outer = rotation(ANA)
    outer = replace(outer, turns=(*outer.turns, (Nested(inner),)))
    away = Absence(user=ANA, start=at("2027-06-07"), end=at("2027-06-08"), exchanged=True)
    both = schedule(outer, absences=(away,))
    assert on_call(both, at("2027-06-07T12:00")) == {ZOE}
    assert {s.user for s in shifts_at(both, at("2027-06-07T12:00"))} == {ZOE}


# ---------------------------------------------------------------- overrides


def test_a_cover_of_nobody_is_a_gap():
    empty = override(Change.COVER, "2027-06-08T10:00", "2027-06-08T12:00")
    daily = schedule(rotation(ANA), overrides=(empty,))
    assert on_call(daily, at("2027-06-08T11:00")) == frozenset()
    assert gaps(daily, start=at("2027-06-08"), end=at("2027-06-09")) == (Span(empty.start, empty.end),)


def test_who_replaced_somebody_is_not_replaced_in_the_same_pass_but_can_swap():
    first = override(Change.REPLACE, "2027-06-08T10:00", "2027-06-08T12:00", BEN, ANA)
    second = override(Change.REPLACE, "2027-06-08T10:30", "2027-06-08T12:00", CAL, BEN)
    together = schedule(rotation(ANA), overrides=(first, second))
    assert on_call(together, at("2027-06-08T11:00")) == {BEN}
    assert {s.user for s in shifts_at(together, at("2027-06-08T11:00"))} == {BEN}
    swapped = schedule(rotation(ANA), overrides=(first,), swaps=(second,))
    assert on_call(swapped, at("2027-06-08T11:00")) == {CAL}
    assert shown(shifts(swapped, start=at("2027-06-08T10:00"), end=at("2027-06-08T12:00"))) == [
        (BEN, "08T10:00", "08T10:30"),
        (CAL, "08T10:30", "08T12:00"),
    ]


def test_where_two_edit_one_person_removing_wins_then_the_earlier():
    remove = override(Change.REMOVE, "2027-06-08T11:00", "2027-06-08T12:00", None, ANA)
    early = override(Change.REPLACE, "2027-06-08T10:00", "2027-06-08T13:00", BEN, ANA)
    late = override(Change.REPLACE, "2027-06-08T10:30", "2027-06-08T14:00", CAL, ANA)
    daily = schedule(rotation(ANA), overrides=(late, early, remove))
    found = shifts(daily, start=at("2027-06-08T10:00"), end=at("2027-06-08T14:00"))
    assert shown(found) == [
        (BEN, "08T10:00", "08T11:00"),
        (BEN, "08T12:00", "08T13:00"),
        (CAL, "08T13:00", "08T14:00"),
    ]
    for hour, who in ((10.5, {BEN}), (11.5, set()), (12.5, {BEN}), (13.5, {CAL})):
        assert on_call(daily, at("2027-06-08") + timedelta(hours=hour)) == who


def test_an_override_keeps_the_place_of_the_shift_it_cut():
    nested = schedule(rotation(ANA, id=UUID(int=7)), id=UUID(int=8), name="Europe")
    outer = replace(rotation(), turns=((Nested(nested),),))
    replaced = override(Change.REPLACE, "2027-06-08T10:00", "2027-06-08T12:00", BEN, ANA)
    (shift,) = shifts_at(schedule(outer, overrides=(replaced,)), at("2027-06-08T11:00"))
    assert (shift.user, shift.rotation_id, shift.why.through) == (BEN, outer.id, ("Europe",))
    assert shift.why.cause == replaced.id


def test_a_year_of_turns_costs_an_instant_nothing():
    old = schedule(rotation(ANA, BEN, unit=Unit.HOUR, every=1))
    assert on_call(old, at("2127-06-07T09:30")) == {ANA}
    assert on_call(old, at("2127-06-07T10:30")) == {BEN}


def test_a_shadow_that_ends_where_a_shift_begins_hears_nothing_of_it():
    before = Shadow(
        id=UUID(int=5), user=ZOE, of=BEN, start=at("2027-06-08T06:00"), end=at("2027-06-08T09:00")
    )
    after = Shadow(id=UUID(int=6), user=ZOE, of=BEN, start=at("2027-06-09T09:00"), end=at("2027-06-09T12:00"))
    daily = schedule(rotation(ANA, BEN), shadows=(before, after))
    assert shadow_shifts(daily, start=at("2027-06-08T00:00"), end=at("2027-06-10T00:00")) == ()


# ---------------------------------------------------------------- edges


def test_an_instant_has_no_shifts_as_a_range():
    noon = at("2027-06-08T12:00")
    two = schedule(rotation(ANA, BEN), rotation(CAL, id=UUID(int=101), position=2))
    assert shifts(two, start=noon, end=noon) == ()
    assert slots(rotation(ANA, BEN), noon, noon) == []


def test_two_of_one_turn_who_are_away_are_stood_in_for_by_two_people():
    away = [
        Absence(user=one, start=at("2027-06-07"), end=at("2027-06-09"), exchanged=True) for one in (ANA, BEN)
    ]
    pair = schedule(rotation((ANA, BEN), (CAL,), (ZOE,)), absences=tuple(away))
    found = shifts(pair, start=at("2027-06-07T10:00"), end=at("2027-06-07T12:00"))
    assert {shift.user for shift in found} == {CAL, ZOE}


def test_the_reach_of_a_range_is_that_of_the_slots_and_bookings_at_its_edges():
    bookings = tuple(
        Booking(user=ZOE, start=at(f"2027-06-{day}T08:00"), end=at(f"2027-06-{day}T20:00"))
        for day in ("01", "08", "11", "30")
    )
    feed = Feed(id=UUID(int=9), name="Team", position=2, bookings=bookings)
    daily = rotation(ANA, BEN)
    noon, evening = at("2027-06-08T12:00"), at("2027-06-09T18:00")
    assert reach(schedule(daily), Span(noon, evening)) == Span(at("2027-06-08T09:00"), at("2027-06-10T09:00"))
    assert reach(schedule(feeds=(feed,)), Span(noon, evening)) == Span(at("2027-06-08T08:00"), evening)
    assert reach(schedule(feeds=(feed,)), Span(evening, at("2027-06-11T10:00"))) == Span(
        evening, at("2027-06-11T20:00")
    )
    apart = Span(at("2027-06-11T20:00"), at("2027-06-30T08:00"))
    assert reach(schedule(feeds=(feed,)), apart) == apart


def test_the_id_of_a_shift_is_what_it_has_always_been():
    """Programs keep these ids: another one for the same shift would be another shift to them."""
    [first, *_] = shifts(schedule(rotation(ANA)), start=at("2027-06-07T10:00"), end=at("2027-06-07T12:00"))
    assert str(first.id) == "d86fd116-9bd7-5783-b4be-6bee9e307499"


def test_an_absence_that_ends_with_the_turn_leaves_no_shift_of_no_length():
    away = Absence(user=ANA, start=at("2027-06-07T10:00"), end=at("2027-06-08T09:00"), exchanged=True)
    exchanged = schedule(rotation(ANA, BEN), absences=(away,))
    found = shifts(exchanged, start=at("2027-06-07T09:00"), end=at("2027-06-08T12:00"))
    assert shown(found) == [
        (ANA, "07T09:00", "07T10:00"),
        (BEN, "07T10:00", "08T09:00"),
        (BEN, "08T09:00", "08T12:00"),
    ]


def test_an_override_that_begins_where_a_shift_ends_leaves_no_shift_of_no_length():
    instead = override(Change.REPLACE, "2027-06-08T09:00", "2027-06-08T12:00", ZOE, ANA)
    found = shifts(
        schedule(rotation(ANA, BEN), overrides=(instead,)),
        start=at("2027-06-07T09:00"),
        end=at("2027-06-08T12:00"),
    )
    assert shown(found) == [(ANA, "07T09:00", "08T09:00"), (BEN, "08T09:00", "08T12:00")]


def test_a_nested_hand_over_at_the_edge_of_a_turn_leaves_no_shift_of_no_length():
    inner = schedule(rotation(ANA, BEN, id=UUID(int=7)), id=UUID(int=8), name="Europe")
    outer = rotation(CAL)
    first = schedule(replace(outer, turns=((Nested(inner),), *outer.turns)))
    found = shifts(first, start=at("2027-06-07T09:00"), end=at("2027-06-08T12:00"))
    assert shown(found) == [(ANA, "07T09:00", "08T09:00"), (CAL, "08T09:00", "08T12:00")]
    last = schedule(replace(outer, turns=(*outer.turns, (Nested(inner),))))
    found = shifts(last, start=at("2027-06-07T09:00"), end=at("2027-06-08T12:00"))
    assert shown(found) == [(CAL, "07T09:00", "08T09:00"), (BEN, "08T09:00", "08T12:00")]


def test_a_booking_that_begins_where_the_range_ends_is_not_in_its_lane():
    booking = Booking(user=ZOE, start=at("2027-06-08T08:00"), end=at("2027-06-08T20:00"))
    feed = Feed(id=UUID(int=9), name="Team", position=1, bookings=(booking,))
    for start, end in (("2027-06-07T08:00", "2027-06-08T08:00"), ("2027-06-08T20:00", "2027-06-09T08:00")):
        assert lane_shifts(schedule(feeds=(feed,)), start=at(start), end=at(end)) == {feed.id: ()}
