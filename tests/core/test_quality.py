"""How good a schedule is."""

from datetime import timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from nightbell.core.calendar import Span
from nightbell.core.quality import Habits, conflicts, report
from nightbell.core.schedule import Absence, Change, Unit
from support.schedules import (
    ANA,
    BEN,
    CAL,
    DAY,
    HOUR,
    WEEKDAYS,
    ZOE,
    at,
    between,
    override,
    rotation,
    schedule,
)

UTC = ZoneInfo("Etc/UTC")
OFFICE = between("09:00", "17:00", WEEKDAYS)
START, END = at("2027-06-07T09:00"), at("2027-06-21T09:00")


def test_a_fair_week_each_is_balanced():
    habits = {user: Habits(zone=UTC, working=OFFICE) for user in (ANA, BEN)}
    found = report(schedule(rotation(ANA, BEN, unit=Unit.WEEK)), habits, start=START, end=END)
    assert (found.gaps, found.overlaps, found.conflicts, found.balance) == ((), (), (), 1.0)
    for load in found.loads:
        assert load.total == 7 * DAY
        assert load.weekends == 2 * DAY
        assert load.outside_work == 7 * DAY - 40 * HOUR
        assert (load.nights, load.nights_in_a_row) == (7, 7)


def test_nights_are_those_of_where_people_live():
    days = schedule(rotation(ANA, unit=Unit.WEEK, hours=between("09:00", "17:00")))
    far = report(days, {ANA: Habits(zone=ZoneInfo("America/Los_Angeles"))}, start=START, end=END).loads[0]
    near = report(days, {ANA: Habits(zone=UTC)}, start=START, end=END).loads[0]
    assert (far.nights, near.nights, near.nights_in_a_row) == (14, 0, 0)
    assert near.outside_work is None


def test_nights_in_a_row_end_with_a_night_off():
    nights = schedule(rotation(ANA, BEN, BEN, hours=between("22:00", "06:00")))
    loads = report(nights, {u: Habits(zone=UTC) for u in (ANA, BEN)}, start=START, end=START + 6 * DAY).loads
    assert [(load.user, load.nights, load.nights_in_a_row) for load in loads] == [(ANA, 2, 1), (BEN, 4, 2)]


def test_what_is_carried_unequally_shows():
    two = schedule(rotation(ANA, ANA, ANA, BEN))
    found = report(two, {u: Habits(zone=UTC) for u in (ANA, BEN)}, start=START, end=START + 4 * DAY)
    assert found.balance == 1 / 3
    assert report(schedule(), {}, start=START, end=END).balance == 1.0


def test_overlaps_and_gaps_are_found():
    half = rotation(ANA, hours=between("09:00", "17:00"))
    other = rotation(BEN, hours=between("16:00", "18:00"), id=UUID(int=101))
    found = report(schedule(half, other), {}, start=at("2027-06-07T09:00"), end=at("2027-06-08T09:00"))
    assert found.overlaps == (Span(at("2027-06-07T16:00"), at("2027-06-07T17:00")),)
    assert found.gaps == (Span(at("2027-06-07T18:00"), at("2027-06-08T09:00")),)
    assert found.loads == ()


def test_an_absence_that_is_not_exchanged_is_a_conflict_and_so_is_an_override():
    away = (
        Absence(user=ANA, start=at("2027-06-07T12:00"), end=at("2027-06-10T12:00"), reason="holiday"),
        Absence(user=ZOE, start=at("2027-06-01"), end=at("2027-07-01"), exchanged=True),
        Absence(user=CAL, start=at("2027-06-01"), end=at("2027-07-01")),
    )
    cover = override(Change.COVER, "2027-06-08T10:00", "2027-06-08T12:00", ZOE)
    daily = schedule(rotation(ANA, BEN), absences=away, overrides=(cover,))
    found = conflicts(daily, start=at("2027-06-07T09:00"), end=at("2027-06-09T09:00"))
    assert [(c.shift.user, c.span, c.absence.reason) for c in found] == [
        (ANA, Span(at("2027-06-07T12:00"), at("2027-06-08T09:00")), "holiday"),
        (ZOE, Span(cover.start, cover.end), ""),
    ]
    assert timedelta(hours=2) == found[1].span.end - found[1].span.start
