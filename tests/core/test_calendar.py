"""Wall clocks and instants, on nights when the clocks change and on others; hours of the week; spans."""

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo, available_timezones

import pytest

from nightbell.core.calendar import (
    DAY,
    Hours,
    Span,
    Window,
    clock,
    hours,
    instant,
    joined,
    months_later,
    reached,
    rest,
    wall,
    zone,
)
from nightbell.core.errors import Invalid
from nightbell.core.zones import RAILS


def local(text: str) -> datetime:
    return datetime.fromisoformat(text)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


@pytest.mark.parametrize(
    ("place", "shown", "when"),
    [
        ("America/Chicago", "2027-07-01T09:00", "2027-07-01T09:00:00-05:00"),
        ("America/Chicago", "2027-03-14T01:59:59", "2027-03-14T01:59:59-06:00"),
        ("America/Chicago", "2027-03-14T02:00", "2027-03-14T03:00:00-05:00"),
        ("America/Chicago", "2027-03-14T02:30:00.5", "2027-03-14T03:00:00-05:00"),
        ("America/Chicago", "2027-03-14T03:00", "2027-03-14T03:00:00-05:00"),
        ("America/Chicago", "2027-03-14T12:00:00.5", "2027-03-14T12:00:00.5-05:00"),
        ("America/Chicago", "2027-11-07T01:00", "2027-11-07T01:00:00-05:00"),
        ("America/Chicago", "2027-11-07T01:30", "2027-11-07T01:30:00-05:00"),
        ("America/Chicago", "2027-11-07T02:00", "2027-11-07T02:00:00-06:00"),
        ("Australia/Lord_Howe", "2027-10-03T02:15", "2027-10-03T02:30:00+11:00"),
        ("Australia/Lord_Howe", "2027-04-04T01:45", "2027-04-04T01:45:00+11:00"),
        ("Antarctica/Troll", "2027-03-28T02:10", "2027-03-28T03:00:00+02:00"),
        ("America/Havana", "2027-03-14T00:00", "2027-03-14T01:00:00-04:00"),
        ("Africa/Cairo", "2027-04-30T00:00", "2027-04-30T01:00:00+03:00"),
        ("Pacific/Apia", "2011-12-30T12:00", "2011-12-31T00:00:00+14:00"),
        ("Etc/UTC", "2027-01-01T00:00", "2027-01-01T00:00:00+00:00"),
    ],
)
def test_a_wall_clock_means_its_first_instant_or_the_end_of_the_gap(place, shown, when):
    assert instant(local(shown), ZoneInfo(place)) == at(when)


@pytest.mark.parametrize(
    ("place", "when", "shown"),
    [
        ("America/Chicago", "2027-11-07T00:59:59-05:00", "2027-11-07T00:59:59"),
        ("America/Chicago", "2027-11-07T01:30:00-05:00", "2027-11-07T01:30:00"),
        ("America/Chicago", "2027-11-07T01:00:00-06:00", "2027-11-07T01:59:59.999999"),
        ("America/Chicago", "2027-11-07T01:30:00-06:00", "2027-11-07T01:59:59.999999"),
        ("America/Chicago", "2027-11-07T02:00:00-06:00", "2027-11-07T02:00:00"),
        ("America/Chicago", "2027-03-14T03:00:00-05:00", "2027-03-14T03:00:00"),
        ("Australia/Lord_Howe", "2027-04-04T01:31:00+10:30", "2027-04-04T01:59:59.999999"),
        ("America/Nuuk", "2027-10-30T23:10:00-02:00", "2027-10-30T23:59:59.999999"),
    ],
)
def test_a_clock_that_is_put_back_stands_still_until_it_has_caught_up(place, when, shown):
    assert reached(at(when), ZoneInfo(place)) == local(shown)


def test_an_instant_is_read_off_the_wall_of_a_place():
    assert wall(at("2027-07-01T09:00:00+00:00"), ZoneInfo("Asia/Kathmandu")) == local("2027-07-01T14:45")


def test_every_zone_and_every_name_of_rails_is_known():
    assert all(zone(name).key == name for name in available_timezones() - RAILS.keys() - {"localtime"})
    assert {zone(name).key for name in RAILS} == set(RAILS.values())
    assert zone("Eastern Time (US & Canada)").key == "America/New_York"


@pytest.mark.parametrize(
    "name", ["", "Mars/Base", "America", "../x", "/etc/passwd", "\0", "right/UTC", "localtime"]
)
def test_what_is_no_zone_is_refused_with_a_way_out(name):
    with pytest.raises(Invalid) as refused:
        zone(name)
    assert refused.value.place == "time_zone"
    assert "Europe/Berlin" in refused.value.hint


@pytest.mark.parametrize(
    ("start", "months", "later"),
    [
        ("2027-01-31T09:00", 1, "2027-02-28T09:00"),
        ("2027-01-31T09:00", 13, "2028-02-29T09:00"),
        ("2027-01-31T09:00", 2, "2027-03-31T09:00"),
        ("2027-01-31T09:00", -2, "2026-11-30T09:00"),
        ("2027-11-15T00:00", 1, "2027-12-15T00:00"),
        ("2027-12-15T00:00", 1, "2028-01-15T00:00"),
        ("2027-12-31T00:00", 12, "2028-12-31T00:00"),
    ],
)
def test_months_end_where_they_are_too_short(start, months, later):
    assert months_later(local(start), months) == local(later)


def test_times_of_day_are_read_and_refused():
    assert clock("09:30", "x") == time(9, 30)
    assert clock("23:59:30", "x") == time(23, 59, 30)
    assert clock("24:00", "x") == time(0)
    for wrong in ("", "9", "25:00", "09:60", "nine", "09:30Z", "09:30+02:00"):
        with pytest.raises(Invalid):
            clock(wrong, "x")


MONDAY = local("2027-07-26T00:00")


def window(days: str, start: str, end: str) -> Window:
    letters = "MTWRFUS"
    return Window(days=frozenset(letters.index(d) for d in days), start=clock(start, ""), end=clock(end, ""))


def limited(*windows: Window) -> Hours:
    active = hours(windows)
    assert active is not None
    return active


@pytest.mark.parametrize(
    ("days", "start", "end", "inside", "outside"),
    [
        ("M", "08:00", "20:00", ["0T08:00", "0T19:59:59"], ["0T07:59:59", "0T20:00", "1T08:00"]),
        ("M", "20:00", "08:00", ["0T20:00", "1T07:59"], ["0T07:00", "0T09:00", "1T08:00"]),
        (
            "MTWRF",
            "08:00",
            "08:00",
            ["0T08:00", "1T07:00", "4T08:00", "5T07:00"],
            ["0T07:00", "5T08:00", "6T12:00"],
        ),
        ("MTWRF", "20:00", "08:00", ["4T20:00", "5T07:00", "1T07:00"], ["0T07:00", "5T20:00", "6T20:00"]),
        ("S", "22:00", "02:00", ["6T23:00", "7T01:59"], ["1T01:00", "7T02:00"]),
    ],
)
def test_a_window_belongs_to_the_day_it_began(days, start, end, inside, outside):
    active = limited(window(days, start, end))

    def covered(text: str) -> bool:
        day, _, clock_text = text.partition("T")
        shown = MONDAY + int(day) * DAY
        return active.cover(datetime.combine(shown.date(), time.fromisoformat(clock_text)))

    assert [text for text in inside if not covered(text)] == []
    assert [text for text in outside if covered(text)] == []


def test_hours_that_leave_nothing_out_are_none():
    assert hours([window("MTWRFUS", "00:00", "24:00")]) is None
    assert hours([window("MTWRFUS", "00:00", "12:00"), window("MTWRFUS", "12:00", "00:00")]) is None
    assert hours([window("MTWRFUS", "08:00", "08:00")]) is not None
    assert hours([]) == Hours(((),) * 7)


def test_stretches_that_meet_are_one_span_over_midnight():
    active = limited(window("MT", "00:00", "00:00"))
    week = active.spans(MONDAY, MONDAY + 7 * DAY)
    assert week == [Span(MONDAY, MONDAY + 2 * DAY)]
    assert active.days() == {0, 1}
    assert active.spans(MONDAY + 2 * DAY, MONDAY + 7 * DAY) == []


def test_overlapping_windows_of_a_day_are_one():
    active = limited(
        window("M", "08:00", "12:00"), window("M", "11:00", "15:00"), window("M", "20:00", "04:00")
    )
    hour = timedelta(hours=1)
    assert active.by_day[0] == ((8 * hour, 15 * hour), (20 * hour, 28 * hour))


def test_what_is_left_of_a_span_lies_between_its_holes():
    day = [MONDAY + n * timedelta(hours=1) for n in range(25)]
    holes = [Span(day[0], day[2]), Span(day[5], day[6]), Span(day[20], day[24])]
    assert list(rest(Span(day[1], day[22]), holes)) == [Span(day[2], day[5]), Span(day[6], day[20])]
    assert list(rest(Span(day[3], day[4]), holes)) == [Span(day[3], day[4])]
    assert list(rest(Span(day[5], day[6]), holes)) == []
    assert list(rest(Span(day[1], day[2]), [])) == [Span(day[1], day[2])]


def test_spans_that_touch_or_overlap_are_joined():
    day = [MONDAY + n * timedelta(hours=1) for n in range(10)]
    apart = [Span(day[0], day[3]), Span(day[1], day[2]), Span(day[3], day[4]), Span(day[6], day[7])]
    assert joined(apart) == [Span(day[0], day[4]), Span(day[6], day[7])]


def test_a_wall_clock_does_not_say_which_of_two_equal_hours_it_shows():
    berlin = ZoneInfo("Europe/Berlin")
    second = at("2027-10-31T02:30:00+01:00")
    assert wall(second, berlin).fold == 0
    assert instant(wall(second, berlin), berlin) == second - timedelta(hours=1)


def test_the_last_of_february_is_that_of_its_own_year():
    assert months_later(local("2076-01-31T09:00"), 1) == local("2076-02-29T09:00")
    assert months_later(local("2096-12-31T09:00"), 0) == local("2096-12-31T09:00")
