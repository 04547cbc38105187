"""Which path an alert takes, by tables: rules, hours, deferrals, and the order in which they are asked."""

from datetime import UTC, datetime, time, timedelta
from uuid import UUID

import pytest
from msgspec.structs import replace

from nightbell.core.calendar import Window, hours
from nightbell.core.choosing import Circumstances, choose
from nightbell.core.directory import PathRule, Windows
from nightbell.engine.jsonpath import compiled
from support.pure import policy

#: A Monday, 02:00 UTC, 03:00 in Berlin.
NOW = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)
HIGH, LOW = UUID(int=1), UUID(int=2)
SHOP = str(UUID(int=3))
BASE = policy(0x10)
DEFAULT = BASE.paths[0]
PAYLOAD = {
    "commonLabels": {"severity": "warning", "team": "db"},
    "alerts": [{"labels": {"host": "a"}}, {"labels": {"host": "b"}}],
}


def windows(start, end, zone="Europe/Berlin", days=range(7)):
    """Hours of these days."""
    made = hours([Window(start=time.fromisoformat(start), end=time.fromisoformat(end), days=frozenset(days))])
    assert made is not None
    return Windows(hours=made, zone=zone)


def path(name, *rules, **more):
    """A path beside the default."""
    return replace(DEFAULT, name=name, is_default=False, rules=rules, **more)


def deferral(name, *rules, **more):
    """A path that puts off."""
    return path(name, *rules, kind="deferral", **more)


def chosen(*paths, business=None, **seen):
    """What is chosen of these paths and the default."""
    circumstances = Circumstances(
        **{
            "now": NOW,
            "urgency_id": HIGH,
            "source": "alertmanager",
            "service_ids": frozenset({SHOP}),
            "payload": PAYLOAD,
            **seen,
        }
    )
    return choose(replace(BASE, paths=(*paths, DEFAULT), business=business), circumstances)


NIGHT = windows("00:00", "09:00")
DAY = windows("09:00", "17:00")
URGENT = PathRule(kind="alert_urgency", ids=frozenset({str(HIGH)}))
CALM = PathRule(kind="alert_urgency", ids=frozenset({str(LOW)}))


def label(name, operator, *values):
    """A rule on a label."""
    return PathRule(
        kind="json_path", find=compiled(f"$.commonLabels.{name}"), operator=operator, values=values
    )


@pytest.mark.parametrize(
    ("rule", "holds"),
    [
        (URGENT, True),
        (CALM, False),
        (PathRule(kind="alert_urgency"), False),
        (PathRule(kind="service", ids=frozenset({SHOP, "another"})), True),
        (PathRule(kind="service", ids=frozenset({"another"})), False),
        (PathRule(kind="source", operator="is", values=("alertmanager",)), True),
        (PathRule(kind="source", operator="is_not_one_of", values=("alertmanager", "grafana")), False),
        (PathRule(kind="working_hour", within=True), False),
        (PathRule(kind="working_hour", within=False), True),
        (PathRule(kind="deferral_window", windows=NIGHT), True),
        (PathRule(kind="deferral_window", windows=DAY), False),
        (PathRule(kind="deferral_window"), False),
        (PathRule(kind="unreadable"), False),
        (PathRule(kind="json_path", operator="is_not_set"), False),
        (label("severity", "is", "warning"), True),
        (label("severity", "is_not", "warning"), False),
        (label("absent", "is_not", "warning"), True),
        (label("absent", "does_not_match", "."), True),
        (label("absent", "is_set"), False),
        (label("absent", "is_not_set"), True),
        (label("severity", "matches", "^warn"), True),
        (PathRule(kind="json_path", find=compiled("$.commonLabels"), operator="contains_key", values=("team",)), True),
        (PathRule(kind="json_path", find=compiled("$.commonLabels"), operator="does_not_contain_key", values=("x",)), True),
        (PathRule(kind="json_path", find=compiled("$.alerts[*].labels.host"), operator="is", values=("b",)), True),
    ],
)  # fmt: skip
def test_what_a_rule_holds_for(rule, holds):
    assert (chosen(path("P", rule), business=DAY).path.name == "P") is holds


def test_without_business_hours_no_rule_about_them_holds():
    for within in (True, False):
        assert chosen(path("P", PathRule(kind="working_hour", within=within))).path is DEFAULT


@pytest.mark.parametrize(
    ("rules", "any_is_enough", "taken"),
    [
        ((URGENT, CALM), False, False),
        ((URGENT, CALM), True, True),
        ((CALM, CALM), True, False),
        ((), True, False),
        ((), False, False),
    ],
)
def test_all_rules_hold_or_any(rules, any_is_enough, taken):
    assert (chosen(path("P", *rules, match_any=any_is_enough)).path is not DEFAULT) is taken


@pytest.mark.parametrize(("open_at", "taken"), [(NIGHT, True), (DAY, False)])
def test_hours_bind_whatever_the_rules_say(open_at, taken):
    for rules in ((URGENT,), ()):
        assert (chosen(path("P", *rules, windows=open_at, match_any=True)).path is not DEFAULT) is taken


def test_the_first_path_that_matches_is_taken_and_says_so():
    choice = chosen(path("A", CALM), path("B", URGENT), path("C", URGENT))
    assert (choice.path.name, choice.why, choice.deferred_until) == ("B", "path B matches", None)
    assert chosen(path("A", CALM)).why == "no other path matches"
    assert chosen().why == ""


def test_deferrals_are_asked_first_and_end_with_their_window():
    put_off = deferral("D", PathRule(kind="deferral_window", windows=NIGHT))
    choice = chosen(path("A", URGENT), put_off)
    assert choice.path.name == "D"
    assert choice.deferred_until == NOW + timedelta(hours=6)
    assert chosen(path("A", URGENT), put_off, now=NOW + timedelta(hours=6)).path.name == "A"


def test_the_earliest_window_ends_a_deferral():
    sooner = windows("00:00", "05:00")
    both = deferral("D", PathRule(kind="deferral_window", windows=NIGHT), windows=sooner)
    assert chosen(both).deferred_until == NOW + timedelta(hours=2)


def test_a_deferral_without_a_window_puts_nothing_off():
    assert chosen(deferral("D", URGENT)).path is DEFAULT
    held_by_urgency = deferral("D", URGENT, PathRule(kind="deferral_window", windows=DAY), match_any=True)
    assert chosen(held_by_urgency).path is DEFAULT


# ---------------------------------------------------------------- windows and changed clocks


@pytest.mark.parametrize(
    ("at", "holds", "end"),
    [
        # Berlin, 25 October 2026: 02:00 to 03:00 is lived twice, from 00:00 and from 01:00 UTC.
        ("2026-10-25T00:29", True, "2026-10-25T00:30"),
        ("2026-10-25T00:30", False, None),
        ("2026-10-25T01:15", False, None),
        ("2026-10-25T01:45", False, None),
        # Berlin, 29 March 2026: 02:00 to 03:00 is never shown.
        ("2026-03-29T00:59", True, "2026-03-29T01:00"),
        ("2026-03-29T01:00", False, None),
        # An ordinary night.
        ("2026-11-23T01:29", True, "2026-11-23T01:30"),
        ("2026-11-22T22:59", False, None),
    ],
)
def test_a_window_ends_once_whatever_the_clocks_do(at, holds, end):
    night = windows("00:00", "02:30")
    instant = datetime.fromisoformat(at).replace(tzinfo=UTC)
    assert night.holds(instant) is holds
    assert night.end(instant) == (datetime.fromisoformat(end).replace(tzinfo=UTC) if end else None)


def test_a_window_that_holds_ends_later_and_one_that_does_not_begins_later():
    night = windows("22:00", "02:30", days=(0, 2, 4))
    instant = datetime(2026, 10, 18, tzinfo=UTC)
    for _ in range(4 * 24 * 21):
        if night.holds(instant):
            assert night.next_start(instant) == instant
            assert (night.end(instant) or instant) > instant
        else:
            assert night.end(instant) is None
            assert (night.next_start(instant) or instant) > instant
        instant += timedelta(minutes=15)


def test_a_deferral_ends_with_those_of_its_windows_that_go_on():
    night, day = (PathRule(kind="deferral_window", windows=one) for one in (NIGHT, DAY))
    both = chosen(deferral("later", night, day, match_any=True))
    assert both.deferred_until == chosen(deferral("later", night)).deferred_until
    urgent = PathRule(kind="alert_urgency", ids=frozenset({str(HIGH)}))
    never = chosen(deferral("later", urgent, PathRule(kind="deferral_window"), match_any=True))
    assert never.deferred_until is None and never.path.is_default
