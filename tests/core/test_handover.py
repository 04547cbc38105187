"""When other people take over, and which shifts an override stands for."""

from datetime import timedelta
from uuid import UUID

import pytest
from msgspec.structs import replace

from nightbell.core.displaced import with_displaced
from nightbell.core.handover import HORIZON, next_change, outlook
from nightbell.core.oncall import on_call
from nightbell.core.schedule import Change, Unit
from nightbell.core.shifts import shifts
from support.schedules import ANA, BEN, CAL, DAY, HOUR, ZOE, at, between, override, rotation, schedule

TUESDAY = at("2027-06-08T12:00")
DAILY = schedule(rotation(ANA, BEN))
ALONE = schedule(rotation(ANA))


@pytest.mark.parametrize(
    ("one", "found"),
    [
        (DAILY, "2027-06-09T09:00"),
        (schedule(rotation(ANA, BEN, unit=Unit.WEEK)), "2027-06-14T09:00"),
        (schedule(rotation(ANA, BEN, unit=Unit.WEEK, every=4)), "2027-07-05T09:00"),
        (ALONE, None),
        (schedule(rotation(ANA, unit=Unit.HOUR)), None),
        (schedule(), None),
        (schedule(rotation(ANA, hours=between("09:00", "17:00"))), "2027-06-08T17:00"),
        (schedule(rotation(ANA, hours=between("18:00", "20:00"))), "2027-06-08T18:00"),
        (
            schedule(rotation(ANA), overrides=(override(Change.ADD, "2027-06-20T10:00", "2027-06-20T11:00", BEN),)),
            "2027-06-20T10:00",
        ),
        # Somebody who stands in for themselves changes nothing.
        (schedule(rotation(ANA), overrides=(override(Change.COVER, "2027-06-10", "2027-06-11", ANA),)), None),
    ],
)  # fmt: skip
def test_the_next_change_is_when_other_people_are_on_call(one, found):
    assert next_change(one, TUESDAY) == (at(found) if found else None)
    assert outlook(one, TUESDAY).until == (at(found) if found else None)


def test_a_change_at_the_very_instant_asked_about_has_happened():
    assert next_change(DAILY, at("2027-06-09T09:00")) == at("2027-06-10T09:00")


@pytest.mark.parametrize("days", [1, 7])
def test_a_change_where_one_look_ends_and_the_next_begins_is_not_missed(days):
    when = TUESDAY + days * DAY
    taken = override(Change.COVER, when.isoformat(), (when + HOUR).isoformat(), ZOE)
    assert next_change(replace(ALONE, overrides=(taken,)), TUESDAY) == when


def test_nobody_looks_further_than_the_horizon():
    for when, found in ((TUESDAY + HORIZON - HOUR, True), (TUESDAY + HORIZON, False)):
        taken = override(Change.COVER, when.isoformat(), (when + HOUR).isoformat(), ZOE)
        assert (next_change(replace(ALONE, overrides=(taken,)), TUESDAY) is not None) is found


def test_between_now_and_the_next_change_the_same_people_are_on_call():
    hours = between("22:00", "06:00")
    one = schedule(
        rotation(ANA, BEN, position=2, hours=hours), rotation(CAL, ZOE, id=UUID(int=7), unit=Unit.WEEK)
    )
    moment = TUESDAY
    for _ in range(20):
        following = next_change(one, moment)
        people = on_call(one, moment)
        assert following is not None
        while moment < following:
            assert on_call(one, moment) == people
            moment += timedelta(minutes=30)
        assert on_call(one, following) != people
        moment = following


def test_an_outlook_says_who_serves_and_where_the_next_gap_begins():
    office = schedule(rotation(ANA, hours=between("09:00", "17:00")))
    ahead = outlook(office, TUESDAY)
    assert [shift.user for shift in ahead.serving] == [ANA]
    assert ahead.gap == at("2027-06-08T17:00")
    night = outlook(office, at("2027-06-08T20:00"))
    assert (night.serving, night.gap, night.until) == ((), at("2027-06-08T20:00"), at("2027-06-09T09:00"))
    assert outlook(ALONE, TUESDAY).gap is None


# ---------------------------------------------------------------- what overrides stand for


def displaced(one):
    span = {"start": at("2027-06-07"), "end": at("2027-06-12")}
    found = with_displaced(one, shifts(one, **span), **span)
    return [
        (shift.user, [(d.user, f"{d.start:%dT%H}", f"{d.end:%dT%H}") for d in shift.displaced])
        for shift in found
        if shift.is_override
    ]


def test_a_cover_stands_for_everybody_in_its_time():
    cover = override(Change.COVER, "2027-06-08T08:00", "2027-06-09T10:00", ZOE)
    assert displaced(replace(DAILY, overrides=(cover,))) == [
        (ZOE, [(ANA, "08T08", "08T09"), (BEN, "08T09", "09T09"), (ANA, "09T09", "09T10")])
    ]


def test_a_replacement_stands_for_one_person_and_an_addition_for_nobody():
    together = schedule(rotation((ANA, CAL), BEN))
    edits = (
        override(Change.REPLACE, "2027-06-07T10:00", "2027-06-07T12:00", ZOE, ANA),
        override(Change.ADD, "2027-06-08T10:00", "2027-06-08T12:00", ZOE),
    )
    assert displaced(replace(together, overrides=edits)) == [(ZOE, [(ANA, "07T10", "07T12")]), (ZOE, [])]


def test_a_swap_stands_for_what_the_overrides_left():
    cover = override(Change.COVER, "2027-06-08T10:00", "2027-06-08T20:00", CAL)
    swap = override(Change.REPLACE, "2027-06-08T12:00", "2027-06-08T14:00", ZOE, CAL)
    assert (ZOE, [(CAL, "08T12", "08T14")]) in displaced(replace(DAILY, overrides=(cover,), swaps=(swap,)))


def test_a_cover_in_a_gap_stands_for_nobody():
    cover = override(Change.COVER, "2027-06-08T18:00", "2027-06-08T20:00", ZOE)
    office = schedule(rotation(ANA, hours=between("09:00", "17:00")), overrides=(cover,))
    assert displaced(office) == [(ZOE, [])]
