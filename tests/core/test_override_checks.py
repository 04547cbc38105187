"""Overrides that may not be, and what is left of those that are taken back."""

from uuid import UUID

import pytest
from msgspec.structs import replace

from nightbell.core.calendar import MOMENT
from nightbell.core.errors import Stale
from nightbell.core.override_checks import (
    GRACE,
    SKEW,
    collide,
    errors_in_change,
    errors_in_override,
    from_now,
    withdrawn,
)
from nightbell.core.schedule import Change
from support.schedules import ANA, BEN, CAL, HOUR, ZOE, at, override, rotation, schedule

NOW = at("2027-06-08T08:00")
COVER = override(Change.COVER, "2027-06-08T10:00", "2027-06-08T12:00", BEN)
DAILY = schedule(rotation(ANA))


def places(found) -> list[str]:
    assert all(error.message and error.hint for error in found)
    return [error.place for error in found]


def errors(one, *, among=()):
    return places(errors_in_override(replace(DAILY, overrides=tuple(among)), one, now=NOW))


def test_a_good_override_has_no_errors():
    assert errors(COVER) == []
    assert errors(override(Change.COVER, "2027-06-08T10:00", "2027-06-08T12:00")) == []


@pytest.mark.parametrize(
    ("change", "user", "replaces", "wrong"),
    [
        (Change.ADD, None, None, ["user_id"]),
        (Change.REPLACE, ZOE, None, ["replaces_user_id"]),
        (Change.REPLACE, None, ANA, ["user_id"]),
        (Change.REPLACE, ANA, ANA, ["user_id"]),
        (Change.REMOVE, None, None, ["replaces_user_id"]),
        (Change.REMOVE, None, ANA, []),
        (Change.REPLACE, ZOE, ANA, []),
        (Change.ADD, ZOE, None, []),
    ],
)
def test_an_override_names_whom_it_is_about(change, user, replaces, wrong):
    assert errors(override(change, "2027-06-08T10:00", "2027-06-08T12:00", user, replaces)) == wrong


def test_an_override_lies_ahead_and_ends_after_it_begins():
    assert errors(replace(COVER, end=COVER.start)) == ["ends_at"]
    assert errors(replace(COVER, start=NOW - HOUR)) == ["starts_at"]
    assert errors(replace(COVER, start=NOW - HOUR, end=NOW - 2 * HOUR)) == ["ends_at", "starts_at"]
    assert errors(replace(COVER, start=NOW - GRACE)) == []
    assert errors(replace(COVER, start=NOW - GRACE - MOMENT)) == ["starts_at"]
    assert from_now(replace(COVER, start=NOW - HOUR / 120), NOW).start == NOW
    assert from_now(COVER, NOW) == COVER


def test_overrides_may_not_overlap_where_they_change_the_same_thing():
    touching = override(Change.COVER, "2027-06-08T12:00", "2027-06-08T13:00", CAL)
    inside = override(Change.ADD, "2027-06-08T11:59", "2027-06-08T13:00", CAL)
    assert errors(touching, among=[COVER]) == []
    assert errors(inside, among=[COVER]) == ["starts_at"]
    assert errors(COVER, among=[inside]) == ["starts_at"]
    assert errors(COVER, among=[COVER]) == []
    assert not collide(COVER, touching)
    assert not collide(touching, COVER)


def test_two_people_of_one_shift_can_be_replaced_at_once():
    one = override(Change.REPLACE, "2027-06-08T10:00", "2027-06-08T12:00", ZOE, ANA)
    other = override(Change.REPLACE, "2027-06-08T10:01", "2027-06-08T12:00", CAL, BEN)
    third = override(Change.ADD, "2027-06-08T10:02", "2027-06-08T12:00", ZOE)
    assert not collide(one, other)
    assert collide(one, third)
    assert collide(third, one)


def change(before, after, *, among=()):
    return places(errors_in_change(replace(DAILY, overrides=(before, *among)), before, after, now=NOW))


def test_before_it_begins_an_override_can_be_anything():
    assert change(COVER, replace(COVER, user=ZOE, start=NOW, end=NOW + HOUR)) == []
    assert change(COVER, replace(COVER, start=NOW - HOUR)) == ["starts_at"]


def test_once_begun_only_its_end_can_move_and_not_into_the_past():
    running = replace(COVER, start=NOW - HOUR)
    assert change(running, replace(running, end=NOW + 3 * HOUR)) == []
    assert change(running, replace(running, end=NOW)) == []
    assert change(running, replace(running, end=NOW - SKEW)) == []
    assert change(running, replace(running, end=NOW - SKEW - MOMENT)) == ["ends_at"]
    begins = replace(COVER, start=NOW)
    assert change(begins, replace(begins, user=ZOE)) == ["user_id"]
    assert change(running, replace(running, user=ZOE, start=NOW)) == ["starts_at", "user_id"]
    later = override(Change.COVER, "2027-06-08T13:00", "2027-06-08T15:00", CAL)
    assert change(running, replace(running, end=at("2027-06-08T14:00")), among=[later]) == ["starts_at"]


def test_once_over_it_stays():
    over = replace(COVER, start=NOW - 2 * HOUR, end=NOW)
    assert change(over, replace(over, end=NOW + HOUR)) == ["ends_at"]
    with pytest.raises(Stale):
        withdrawn(over, now=NOW)


def test_taken_back_it_keeps_what_it_did():
    assert withdrawn(COVER, now=NOW) is None
    assert withdrawn(replace(COVER, start=NOW), now=NOW) is None
    running = replace(COVER, start=NOW - HOUR)
    assert withdrawn(running, now=NOW) == replace(running, end=NOW)


def test_a_quarter_of_an_hour_and_a_bit_ago_is_past():
    assert errors(replace(COVER, start=NOW - GRACE)) == []
    assert errors(replace(COVER, start=NOW - GRACE - MOMENT)) == ["starts_at"]


def test_taking_two_people_off_at_the_same_time_is_no_collision():
    one = override(Change.REMOVE, "2027-06-08T10:00", "2027-06-08T12:00", None, ANA)
    other = replace(one, id=UUID(int=0x77), replaces=BEN)
    assert not collide(one, other)
