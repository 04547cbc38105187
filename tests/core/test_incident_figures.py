"""What incidents come to: medians and nine in ten, weeks that have none, and what is not counted."""

from datetime import UTC, date, datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest

from nightbell.core import incident_figures as figures
from nightbell.core.incident import Incident, Status
from nightbell.core.incident_figures import Case, Spread
from nightbell.web import incident_charts as charts

NOW = datetime(2026, 11, 25, 12, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def case(*, began=NOW - timedelta(hours=2), minutes=None, acknowledged=None, level="", services=(), **more):
    resolved = began + minutes * MINUTE if minutes is not None else None
    incident = Incident(
        **{
            "id": UUID(int=1),
            "sequential_id": 1,
            "slug": "a",
            "title": "A",
            "kind": "normal",
            "status": Status.RESOLVED if resolved else Status.STARTED,
            "private": False,
            "source": "web",
            "created_at": began,
            "updated_at": began,
            "started_at": began,
            "resolved_at": resolved,
            "acknowledged_at": began + acknowledged * MINUTE if acknowledged is not None else None,
            **more,
        }
    )
    return Case(incident=incident, severity=level.upper(), level=level, services=services)


@pytest.mark.parametrize(
    ("minutes", "median", "p90"),
    [
        ([], None, None),
        ([5], 5, 5),
        ([1, 3], 2, 3),
        ([3, 1, 2], 2, 3),
        (list(range(1, 11)), 5.5, 9),
        (list(range(1, 101)), 50.5, 90),
        ([0, 0, 0], 0, 0),
    ],
)
def test_the_middle_and_nine_in_ten(minutes, median, p90):
    found = figures.spread([m * MINUTE for m in minutes] + [None])
    wanted = None if median is None else Spread(len(minutes), median * MINUTE, p90 * MINUTE)
    assert found == wanted


def test_what_was_none_and_what_was_planned_is_not_counted():
    cases = [
        case(),
        case(kind="test"),
        case(kind="scheduled"),
        case(status=Status.CANCELLED, cancelled_at=NOW),
        case(kind="backfilled"),
    ]
    assert len(figures.counted(cases)) == 2


def test_an_incident_of_two_services_counts_for_each_and_one_of_none_for_none():
    cases = [case(minutes=10, services=("a", "b")), case(services=("b",)), case()]
    lines = figures.lines(cases, "service")
    assert [(line.name, line.many, line.open) for line in lines] == [("b", 2, 1), ("a", 1, 0), ("none", 1, 1)]
    assert lines[0].resolve == Spread(1, 10 * MINUTE, 10 * MINUTE)
    assert lines[2].resolve is None


def test_a_week_begins_on_monday_where_somebody_lives():
    late_on_sunday = datetime(2026, 11, 22, 23, 30, tzinfo=UTC)
    cases = [case(began=late_on_sunday, level="high")]
    assert [week.many for week in figures.weeks(cases, NOW, UTC, 3)] == [0, 1, 0]
    there = figures.weeks(cases, NOW, ZoneInfo("Europe/Berlin"), 3)
    assert [week.many for week in there] == [0, 0, 1]
    assert there[-1].start == date(2026, 11, 23)
    assert there[-1].levels == {"high": 1}


def test_statuses_that_incidents_have_left_are_measured():
    left = case(minutes=30, mitigated_at=NOW - timedelta(hours=2) + 20 * MINUTE)
    found = figures.phases([left, case()], NOW)
    assert found == [
        ("started", Spread(1, 20 * MINUTE, 20 * MINUTE)),
        ("mitigated", Spread(1, 10 * MINUTE, 10 * MINUTE)),
    ]


def test_bars_of_a_week_stand_on_each_other_and_fit():
    cases = [case(level=level) for level in ("critical", "high", "high", "low", "")]
    chart = charts.by_week(figures.weeks(cases, NOW, UTC, 12))
    assert [bar.level for bar in chart.bars] == ["critical", "high", "low", "none"]
    assert sum(bar.height for bar in chart.bars) == pytest.approx(chart.ground * 5 / 6, abs=0.3)
    assert all(0 <= bar.y and bar.x + bar.width <= chart.width for bar in chart.bars)
    assert charts.by_week(figures.weeks([], NOW, UTC, 12)).bars == ()
