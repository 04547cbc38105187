"""Where shifts stand in a week, and what a change makes of them."""

from datetime import UTC, date, datetime, time, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest

from nightbell.core.schedule import Person, Rotation, Schedule, Unit
from nightbell.core.shift import Rule, Shift, Why
from nightbell.core.shifts import gaps, shifts
from nightbell.web import lanes

BERLIN = ZoneInfo("Europe/Berlin")
MONDAY = datetime(2026, 11, 23, tzinfo=UTC)
ID = UUID(int=1)
HOUR = timedelta(hours=1)


def shift(user: int, first: float, last: float) -> Shift:
    """Return a shift from one hour of the week to another."""
    start, end = MONDAY + first * HOUR, MONDAY + last * HOUR
    why = Why(rule=Rule.ROTATION)
    return Shift(schedule_id=ID, rotation_id=ID, user=user, start=start, end=end, why=why, true_start=start)


def utc_week() -> lanes.Week:
    return lanes.week(date(2026, 11, 25), ZoneInfo("UTC"), MONDAY)


def test_a_week_begins_on_its_monday_and_knows_today() -> None:
    shown = lanes.week(date(2026, 11, 29), BERLIN, MONDAY)
    assert shown.monday == date(2026, 11, 23)
    assert shown.span.start == datetime(2026, 11, 22, 23, tzinfo=UTC)
    assert [day.today for day in shown.days] == [True] + [False] * 6


@pytest.mark.parametrize(("sunday", "hours"), [(date(2026, 3, 29), 167), (date(2026, 10, 25), 169)])
def test_the_day_the_clocks_change_is_as_wide_as_it_is_long(sunday: date, hours: int) -> None:
    shown = lanes.week(sunday, BERLIN, MONDAY)
    assert shown.span.end - shown.span.start == hours * HOUR
    assert shown.days[-1].width == pytest.approx(100 * (24 + hours - 168) / hours, abs=0.01)
    assert sum(day.width for day in shown.days) == pytest.approx(100, abs=0.01)


@pytest.mark.parametrize("day", [date.min, date.max])
def test_every_day_there_is_has_a_week(day: date) -> None:
    assert len(lanes.week(day, BERLIN, MONDAY).days) == 7


def test_a_bar_is_cut_at_the_edges_of_its_week() -> None:
    (bar,) = lanes.lane("", [shift(1, -24, 84)], utc_week()).bars
    assert (bar.left, bar.width) == (0, 50)


def test_people_who_serve_together_stand_on_lines_of_their_own() -> None:
    row = lanes.lane("", [shift(1, 0, 12), shift(2, 6, 18), shift(3, 12, 24)], utc_week())
    assert [(bar.user, bar.line) for bar in row.bars] == [(1, 0), (2, 1), (3, 0)]
    assert row.lines == 2


def test_shifts_and_gaps_fill_the_week() -> None:
    night = Rotation(
        id=ID, name="Early", position=1, zone=ZoneInfo("UTC"), unit=Unit.DAY, every=1, anchor=MONDAY.replace(tzinfo=None),
        turns=((Person(1),), (Person(2),)), starts_at=MONDAY + timedelta(days=1),
    )  # fmt: skip
    schedule = Schedule(id=ID, name="Night", rotations=(night,))
    shown = utc_week()
    span = {"start": shown.span.start, "end": shown.span.end}
    row = lanes.final_lane("", shifts(schedule, **span), gaps(schedule, **span), shown)
    assert sum(bar.width for bar in row.bars) == pytest.approx(100, abs=0.01)
    assert [bar.user for bar in row.bars][:1] == [None]


def test_what_does_not_change_is_not_listed() -> None:
    plan = [shift(1, 0, 24), shift(2, 24, 48)]
    assert lanes.changes(plan, plan) == []
    assert lanes.changes([shift(1, 0, 48)], [shift(1, 0, 24), shift(1, 24, 48)]) == []


def test_a_change_says_who_was_and_who_would_be() -> None:
    found = lanes.changes([shift(1, 0, 48)], [shift(1, 0, 12), shift(2, 12, 24), shift(1, 24, 36)])
    assert [(c.was, c.becomes) for c in found] == [((1,), (2,)), ((1,), ())]
    assert (found[0].start, found[0].end) == (MONDAY + 12 * HOUR, MONDAY + 24 * HOUR)


def test_changes_that_follow_one_another_are_one() -> None:
    (one,) = lanes.changes([shift(1, 0, 24), shift(1, 24, 48)], [shift(2, 0, 48)])
    assert (one.start, one.end) == (MONDAY, MONDAY + 48 * HOUR)


def test_somebody_serves_until_somebody_else_does() -> None:
    plan = [shift(1, 0, 24), shift(1, 24, 48), shift(2, 48, 72)]
    assert lanes.held_until(plan, MONDAY + HOUR) == MONDAY + 48 * HOUR
    assert lanes.held_until([shift(1, 5, 6)], MONDAY) is None
    assert lanes.held_until([shift(1, 0, 9), shift(2, 3, 6)], MONDAY) == MONDAY + 3 * HOUR


def test_a_hand_off_is_where_the_people_change() -> None:
    found = lanes.hand_offs(
        [shift(1, 0, 24), shift(1, 24, 48), shift(2, 48, 72)], start=MONDAY, end=MONDAY + 72 * HOUR
    )
    assert [(one.start, one.was, one.becomes) for one in found] == [(MONDAY + 48 * HOUR, (1,), (2,))]


def test_turns_of_one_person_are_shown_as_one() -> None:
    assert [(s.user, s.end) for s in lanes.joined([shift(1, 0, 24), shift(1, 24, 48), shift(2, 48, 50)])] == [
        (1, MONDAY + 48 * HOUR), (2, MONDAY + 50 * HOUR),
    ]  # fmt: skip


def test_the_tenth_person_has_a_colour_too() -> None:
    found = lanes.tints(Schedule(id=ID, name=""), [shift(user, 0, 1) for user in range(10)])
    assert found[0] == found[lanes.TINTS] and len(set(found.values())) == lanes.TINTS


def test_a_field_reads_back_what_it_shows_and_refuses_the_rest() -> None:
    at = datetime.combine(date(2026, 11, 25), time(3), UTC)
    assert lanes.for_field(at, BERLIN) == "2026-11-25T04:00"
    assert lanes.local("2026-11-25T04:00", BERLIN) == at
    assert lanes.local("", BERLIN) is None and lanes.local("0001-01-01T00:00", BERLIN) is None
