"""Reading what people write of paths, levels and hours: whatever is sent, it is read or named, and never raises."""

from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nightbell.core.choosing import Circumstances, choose
from nightbell.engine import windows
from nightbell.engine.checking_levels import check_level
from nightbell.engine.checking_paths import conditions
from nightbell.engine.checking_routes import check_groups, check_order
from nightbell.engine.checks import Checks, Problems
from nightbell.engine.policies import level, maintenance
from support.pure import NOW, policy

RULE_TYPES = (
    "alert_urgency", "service", "working_hour", "deferral_window", "source", "json_path", "field", "related_incidents",
)  # fmt: skip
KEYS = (
    "urgency_ids", "service_ids", "within_working_hour", "time_zone", "time_blocks", "operator", "value", "values",
    "json_path", "fieldable_id", "fieldable_type", "monday", "start_time", "end_time", "all_day", "days", "blocks",
    "start_day", "end_day",
)  # fmt: skip
WORDS = st.sampled_from(
    ("is", "is_set", "matches", "is_one_of", "$.a", "$[", "(", "09:00", "24:00", "25:00", "monday", "M", "Etc/UTC", "Mars", "")
)  # fmt: skip
SCALARS: Any = (
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | WORDS | st.text(max_size=5)
)
ANYTHING: Any = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYS), inner, max_size=4),
    max_leaves=12,
)
RULES: Any = st.lists(
    st.fixed_dictionaries({"rule_type": st.sampled_from(RULE_TYPES)}, optional=dict.fromkeys(KEYS, ANYTHING))
    | ANYTHING,
    max_size=3,
)
SETTINGS: Any = st.fixed_dictionaries(
    {},
    optional={
        "rules": RULES | ANYTHING,
        "path_type": ANYTHING,
        "match_mode": ANYTHING,
        "time_restrictions": ANYTHING,
        "time_restriction_time_zone": ANYTHING,
    },
)


@given(SETTINGS)
def test_whatever_is_stored_of_a_path_can_be_read_and_asked(settings):
    read = conditions(Checks({}), settings)
    base = policy(0x10)
    beside = base.paths[0].__class__(
        id=UUID(int=9), name="P", is_default=False, loudness="audible", repeat=None, repeat_count=None,
        initial_delay_minutes=0, levels=(), kind=str(read.kind), match_any=read.match_any, rules=read.rules,
        windows=read.windows,
    )  # fmt: skip
    seen = Circumstances(
        now=NOW, urgency_id=None, source="api", service_ids=frozenset(), payload={"a": {"b": 1}}
    )
    assert choose(base.__class__(id=base.id, name="", repeat_count=0, paths=(beside, *base.paths)), seen).path


@given(
    st.dictionaries(
        st.sampled_from(("level_type", "threshold_count", "threshold_minutes", "window")), ANYTHING
    )
)
def test_whatever_is_sent_of_a_level_is_taken_or_named(settings):
    checks = Checks({})
    check_level(checks, {"targets": [], "delay_minutes": 0, "settings": settings})
    assert checks.found("")


@given(ANYTHING)
def test_hours_that_cannot_be_read_are_named(value):
    said = value if isinstance(value, dict) else {}
    for read in (windows.business, windows.blocks, windows.deferral):
        checks = Checks({})
        found = read(checks, "hours", said)
        silent = read is windows.business and not any(said.values())
        assert (found is None) is (checks.found("hours") or silent)


@given(ANYTHING)
def test_planned_work_with_hours_nobody_can_read_mutes_nothing(hours):
    row = {
        "id": UUID(int=1), "name": "", "service_ids": [UUID(int=2)], "source_ids": [], "starts_at": NOW,
        "ends_at": None, "hours": hours if isinstance(hours, dict) and hours else {"blocks": []},
    }  # fmt: skip
    read = maintenance(row)
    assert read.windows is not None or not read.service_ids


def test_a_level_reads_as_it_is_stored():
    row = {
        "id": UUID(int=1), "position": 2, "delay_minutes": 5, "targets": [{"type": "user", "id": "1"}],
        "settings": {"paging_strategy_configuration_strategy": "alert", "require_all_acknowledgements": True},
    }  # fmt: skip
    read = level(row)
    assert (read.kind, read.strategy, read.everyone, read.all_must_acknowledge) == (
        "page",
        "alert",
        False,
        True,
    )


@pytest.mark.parametrize(
    ("start", "end", "by_day"),
    [
        (("friday", "18:00"), ("monday", "08:00"), {0: [(0, 8)], 4: [(18, 24)], 5: [(0, 24)], 6: [(0, 24)]}),
        (("monday", "09:00"), ("monday", "17:00"), {0: [(9, 17)]}),
        (("monday", "22:00"), ("tuesday", "06:00"), {0: [(22, 24)], 1: [(0, 6)]}),
        (("monday", "09:00"), ("monday", "24:00"), {0: [(9, 24)]}),
        (("sunday", "00:00"), ("monday", "00:00"), {6: [(0, 24)]}),
        (
            ("monday", "17:00"),
            ("monday", "09:00"),
            {0: [(0, 9), (17, 24)], **{day: [(0, 24)] for day in range(1, 7)}},
        ),
        (("tuesday", "00:00"), ("monday", "24:00"), {day: [(0, 24)] for day in range(7)}),
    ],
)
def test_a_stretch_of_the_week_is_cut_at_its_midnights(start, end, by_day):
    one = {"start_day": start[0], "start_time": start[1], "end_day": end[0], "end_time": end[1]}
    checks = Checks({})
    read = windows.restrictions(checks, "time_restrictions", "Etc/UTC", [one])
    checks.done()
    assert read is not None
    found = {
        day: [(a.total_seconds() / 3600, b.total_seconds() / 3600) for a, b in stretches]
        for day, stretches in enumerate(read.hours.by_day)
        if stretches
    }
    assert found == by_day


# ---------------------------------------------------------------- what can never match


def _route(*conditions):
    checks = Checks({})
    rule = {"name": "R", "condition_groups": [{"conditions": list(conditions)}]}
    check_groups(checks, "rules[0]", rule)
    try:
        checks.done()
    except Problems as error:
        return error.problems[0].place.rpartition("conditions")[2]
    return ""


def _matches(text):
    return {"field_type": "matcher", "values": [text]}


def _label(name, operator, *values):
    return {
        "field_type": "payload",
        "field_name": f"$.commonLabels.{name}",
        "operator": operator,
        "values": list(values),
    }


@pytest.mark.parametrize(
    ("conditions", "place"),
    [
        ([_matches('severity="warn",severity="crit"')], "[0].values"),
        ([_matches('severity="warn"'), _matches('severity=~"crit|page"')], "[1].values"),
        ([_matches('severity="warn"'), _matches('severity!~"warn.*"')], "[1].values"),
        ([_matches('severity=~"warn|crit",severity!~"warn|crit|page"')], "[0].values"),
        ([_matches('team=~"db.*",team!~"db.*"')], "[0].values"),
        ([_matches('team!~".*"')], "[0].values"),
        ([_matches('team=""'), _matches('team=~".+"')], "[1].values"),
        ([_matches('team="db"'), _label("team", "is_one_of", "web")], "[1].values"),
        ([_label("team", "is_one_of", "db"), _label("team", "does_not_contain", "d")], "[1].values"),
        ([_label("team", "is_empty"), _label("team", "starts_with", "d")], "[1].values"),
        ([_label("team", "contains", "x"), _label("team", "does_not_contain", "x")], "[1].values"),
        ([_label("team", "is_one_of", "db"), _label("team", "matches_regex", "^web")], "[1].values"),
        ([{"field_type": "attribute", "field_name": "summary", "operator": "is_one_of", "values": [v]} for v in "ab"], "[1].values"),
        ([{"urgency_ids": ["1"]}, {"urgency_ids": ["2"]}], "[1].urgency_ids"),
        # What may well be:
        ([_matches('severity=~"warn.*",team!="db"')], ""),
        ([_matches('severity=~"warn|crit"'), _matches('severity!="warn"')], ""),
        ([_matches('severity=~"warn.*",severity!~".*ing"')], ""),
        ([_label("team", "is_one_of", "db", "web"), _label("team", "is_not_one_of", "db")], ""),
        ([_label("team", "contains", "d"), _label("team", "does_not_contain", "x")], ""),
        ([{**_label("x", "is_one_of", "a"), "field_name": "$.alerts[*].labels.x"}, {**_label("x", "is_one_of", "b"), "field_name": "$.alerts[*].labels.x"}], ""),
        ([{"urgency_ids": ["1", "2"]}, {"urgency_ids": ["2"]}], ""),
    ],
)  # fmt: skip
def test_a_group_of_conditions_that_contradict_each_other_is_refused(conditions, place):
    assert _route(*conditions) == place


def test_a_rule_behind_one_that_takes_everything_is_refused():
    checks = Checks({})
    some = {"name": "S", "condition_groups": [{"conditions": [_matches('a="b"')]}]}
    check_order(checks, [some, {"name": "All"}, {"name": "F", "fallback": True}])
    checks.done()
    check_order(checks, [{"name": "All"}, some])
    with pytest.raises(Problems) as refused:
        checks.done()
    assert [one.place for one in refused.value.problems] == ["rules[1]"]
