"""Quiet hours on the wall clock where somebody lives: past midnight, and in the nights the clocks change."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nightbell.core import quiet
from nightbell.core.directory import User
from nightbell.engine.windows import quiet_hours

NIGHTLY = {"blocks": [{"days": list("MTWRFUS"), "start_time": "22:00", "end_time": "07:00"}], "audible": True}
WEEKNIGHTS = {
    "blocks": [{"days": list("MTWRF"), "start_time": "22:00", "end_time": "07:00"}],
    "audible": True,
}


def person(stored=NIGHTLY, zone="Europe/Berlin"):
    return User(
        id=1, name="Ana", role="user", active=True, methods={}, rules=(), time_zone=zone,
        quiet=quiet_hours(stored, zone), quiet_audible=bool(stored.get("audible")),
    )  # fmt: skip


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("now", "end"),
    [
        ("2027-01-05T20:59:59", None),
        ("2027-01-05T21:00", "2027-01-06T06:00"),
        ("2027-01-06T05:59:59", "2027-01-06T06:00"),
        ("2027-01-06T06:00", None),
        # The clocks go forward: the night is an hour shorter, and ends at seven all the same.
        ("2027-03-28T00:30", "2027-03-28T05:00"),
        # They go back: the hour that is lived twice is quiet both times.
        ("2027-10-31T00:30", "2027-10-31T06:00"),
        ("2027-10-31T01:30", "2027-10-31T06:00"),
    ],
)
def test_a_quiet_page_waits_for_the_end_of_the_night_it_falls_in(now, end):
    assert quiet.holds_until(person(), "quiet", at(now)) == (at(end) if end else None)
    assert quiet.asleep(person(), "audible", at(now)) is (end is not None)


@pytest.mark.parametrize(
    ("now", "sleeps"),
    [
        # Friday's night lasts into Saturday; Saturday's does not begin.
        ("2027-01-09T02:00", True),
        ("2027-01-09T23:00", False),
        ("2027-01-10T23:00", False),
        ("2027-01-11T23:00", True),
    ],
)
def test_a_night_belongs_to_the_day_it_begins_on(now, sleeps):
    assert quiet.asleep(person(WEEKNIGHTS), "audible", at(now)) is sleeps


def test_hours_move_with_the_zone_somebody_lives_in():
    assert quiet.asleep(person(zone="Asia/Tokyo"), "audible", at("2027-01-05T14:00"))
    assert not quiet.asleep(person(zone="Asia/Tokyo"), "audible", at("2027-01-05T23:00"))


@pytest.mark.parametrize("stored", [{}, {"blocks": []}, {"audible": True}])
def test_whoever_keeps_none_is_never_asleep(stored):
    assert quiet.holds_until(person(stored), "quiet", at("2027-01-05T23:00")) is None
    assert not quiet.asleep(person(stored), "audible", at("2027-01-05T23:00"))


def test_an_audible_page_never_waits_and_a_quiet_one_passes_nobody_over():
    night = at("2027-01-05T23:00")
    assert quiet.holds_until(person(), "audible", night) is None
    assert not quiet.asleep(person(), "quiet", night)
    assert not quiet.asleep(None, "audible", night)
    assert not quiet.asleep(person({**NIGHTLY, "audible": False}), "audible", night)


@given(
    st.datetimes(at("2027-01-01").replace(tzinfo=None), at("2028-01-01").replace(tzinfo=None)),
    st.sampled_from(["Europe/Berlin", "Australia/Lord_Howe"]),
)
def test_what_waits_ends_after_now_and_within_a_night(now, zone):
    end = quiet.holds_until(person(zone=zone), "quiet", now.replace(tzinfo=UTC))
    if end is not None:
        assert 0 < (end - now.replace(tzinfo=UTC)).total_seconds() <= 10 * 3600
        assert quiet.holds_until(person(zone=zone), "quiet", end) is None
