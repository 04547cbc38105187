"""The forms of paths and routes: what is stored comes back as it went, and no button breaks them."""

from uuid import UUID

import pytest

from nightbell.web import conditions, path_form, route_form
from nightbell.web.forms import Form

BLOCK = {
    "monday": True, "tuesday": False, "wednesday": False, "thursday": False, "friday": False, "saturday": False,
    "sunday": True, "start_time": "18:00", "end_time": "09:00", "all_day": False,
}  # fmt: skip
RULES = [
    {"rule_type": "alert_urgency", "urgency_ids": ["a", "b"]},
    {"rule_type": "service", "service_ids": ["s"]},
    {"rule_type": "working_hour", "within_working_hour": False},
    {"rule_type": "json_path", "operator": "is_one_of", "values": ["x", "y z"], "json_path": "$.a"},
    {"rule_type": "json_path", "operator": "is_set", "values": [], "json_path": "$.a"},
    {"rule_type": "json_path", "operator": "is", "values": ["a, b"], "json_path": "$.a"},
    {"rule_type": "field", "operator": "contains", "values": ["disk"], "fieldable_type": "AlertField", "fieldable_id": "f"},
    {"rule_type": "source", "operator": "is", "values": ["api"]},
    {"rule_type": "deferral_window", "time_zone": "Etc/UTC", "time_blocks": [BLOCK]},
    {"rule_type": "deferral_window", "time_zone": "Etc/UTC", "time_blocks": [BLOCK, BLOCK]},
    {"rule_type": "deferral_window", "time_zone": "Etc/UTC", "time_blocks": [{"monday": True, "all_day": True}]},
    {"rule_type": "of another age", "x": 1},
]  # fmt: skip


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule["rule_type"])
def test_a_rule_comes_back_from_the_form_as_it_went(rule):
    assert conditions.rule_of(conditions.from_rule(rule)) == rule


def test_a_whole_path_comes_back_from_the_form_as_it_went():
    settings = {
        "path_type": "deferral", "match_mode": "match-any-rule", "rules": RULES, "retrigger_timeout_minutes": 45,
        "time_restriction_time_zone": "Europe/Berlin", "after_deferral_behavior": "execute_path",
        "after_deferral_path_id": str(UUID(int=7)),
        "time_restrictions": [{"start_day": "friday", "start_time": "18:00", "end_day": "monday", "end_time": "08:00"}],
    }  # fmt: skip
    row = {
        "id": UUID(int=1), "name": "Night", "is_default": False, "loudness": "quiet", "repeat": True, "repeat_count": 3,
        "initial_delay_minutes": 4, "settings": settings,
    }  # fmt: skip
    draft = path_form.from_rows({"name": "P", "repeat_count": 1}, row, [])
    edit = path_form.edit_of(draft).sent()
    assert edit == {
        "name": "Night", "loudness": "quiet", "initial_delay_minutes": 4, "repeat": True, "repeat_count": 3,
        "settings": settings,
    }  # fmt: skip
    assert path_form.core_path(draft).after_path_id == UUID(int=7)
    assert ("45", "45 minutes") in path_form.holds_options(draft)


def test_the_rounds_of_a_policy_are_left_to_it():
    row = {
        "id": UUID(int=1), "name": "N", "is_default": False, "loudness": "audible", "repeat": None, "repeat_count": None,
        "initial_delay_minutes": 0, "settings": {},
    }  # fmt: skip
    draft = path_form.from_rows({"name": "P", "repeat_count": 2}, row, [])
    assert (draft.own_rounds, draft.steps.repeat_count) == (False, 2)
    assert path_form.edit_of(draft).sent()["repeat"] is None


NONSENSE = (
    "", "drop:9", "up:0", "unrule:9", "unrule:x", "unhours:3", "unservice:0:x", "unservice", "rule:", "group:9",
    "condition:0:9", "uncondition:0:0:9", "unto:0:x", "payload:0:x", "uncondition:0:x:y", "down:7", ":::",
)  # fmt: skip


@pytest.mark.parametrize("what", NONSENSE)
def test_a_button_that_names_nothing_changes_nothing_of_a_path(what):
    form = Form([("new_rule", "source")])
    draft = path_form.new(deferral=True, zone="Etc/UTC")
    if what != "rule:":
        assert path_form.edited(draft, what, form) == draft


@pytest.mark.parametrize("what", NONSENSE)
def test_a_button_that_names_nothing_changes_nothing_of_a_route(what):
    draft = route_form.new()
    if what != "rule:":
        assert route_form.edited(draft, what, Form([])) == draft


def test_a_route_comes_back_from_the_form_as_it_went():
    matcher = {"field_type": "matcher", "field_name": None, "operator": "is_one_of", "values": ['a="b"']}
    payload = {"field_type": "payload", "field_name": "$.a", "operator": "contains", "values": ["x", "y"]}
    odd = {"field_type": "attribute", "field_name": "summary", "operator": "contains", "values": ["x"]}
    rule = {
        "id": "1", "name": "R", "fallback": False, "destinations": [{"target_type": "User", "target_id": "1"}],
        "condition_groups": [{"conditions": [matcher, payload]}, {"conditions": [odd]}],
    }  # fmt: skip
    row = {"name": "N", "enabled": False, "source_ids": [UUID(int=3)], "rules": [rule]}
    edit = route_form.edit_of(route_form.from_row(row)).sent()
    assert edit == {"name": "N", "enabled": False, "source_ids": [UUID(int=3)], "rules": [rule]}
