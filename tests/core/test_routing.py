"""Whom an alert is for: what annotations ask, who exists, which rule matches, by tables."""

import json
from uuid import UUID

import pytest

from nightbell.core import comparing, identity, routing
from nightbell.core.directory import Condition, Route, RouteRule
from nightbell.core.labels import parse_matchers
from nightbell.engine.jsonpath import compiled
from support.pure import SOURCE, directory, policy, report, service, signal, source, team, to, user

HOUSE = directory(user(1), user(2, active=False), policy(0x10), team(0x20, 1), service(0x30))


def asked(value):
    return routing.asked_by(value)


@pytest.mark.parametrize(
    ("value", "targets", "problems"),
    [
        ({"notification_target": {"type": "User", "id": "1"}}, (("User", "1"),), 0),
        ({"notification_target": {"type": "User", "id": 1}}, (("User", "1"),), 0),
        (
            {"alerting_targets": [{"type": "A", "id": "1"}, {"type": "B", "id": "2"}]},
            (("A", "1"), ("B", "2")),
            0,
        ),
        ({"alerting_targets": [], "notification_target": {"type": "A", "id": "1"}}, (("A", "1"),), 0),
        (
            {"alerting_targets": {"type": "A"}, "notification_target": {"type": "A", "id": "1"}},
            (("A", "1"),),
            2,
        ),
        ({"alerting_targets": [{"type": "A", "id": "1"}], "notification_target": {}}, (("A", "1"),), 1),
        ({"notification_target": {"type": "A"}}, (), 1),
        ({"notification_target": {"type": "A", "id": True}}, (), 1),
        ({"notification_target": {"type": "A", "id": ""}}, (), 1),
        ({"notification_target": "User"}, (), 1),
        ({"alerting_targets": [None, 7]}, (), 2),
        ({}, (), 0),
        ([], (), 1),
        (None, (), 1),
        (7, (), 1),
        ("text", (), 1),
    ],
)
def test_what_a_rootly_value_asks_for(value, targets, problems):
    found = asked(value)
    assert (found.targets, len(found.problems)) == (targets, problems)


@pytest.mark.parametrize(("text", "char"), [("{notification_target:", 2), ("", 1), ('{"a": 1} x', 10)])
def test_invalid_json_is_named_with_its_place(text, char):
    sent = report(signal("a", annotations={"rootly": text}))
    (problem,) = routing.annotations(sent.unit, sent.envelope).problems
    assert f"invalid JSON at char {char}" in problem


def test_only_firing_members_are_asked():
    text = json.dumps({"notification_target": {"type": "User", "id": "1"}})
    sent = report(signal("a"), signal("b", ends=3, annotations={"rootly": text}))
    assert routing.annotations(sent.unit, sent.envelope).targets == ()


def test_a_top_level_value_counts_where_no_annotation_does():
    value = {"notification_target": {"type": "User", "id": "1"}}
    sent = report(signal("a"), rootly=value)
    assert routing.annotations(sent.unit, sent.envelope).targets == (("User", "1"),)


@pytest.mark.parametrize(
    ("kind", "ident", "found"),
    [
        ("User", "1", to("User", 1)),
        ("user", " 1 ", to("User", 1)),
        ("User", "01", to("User", 1)),
        ("User", "2", None),
        ("User", "3", None),
        ("User", "-1", None),
        ("User", "١", None),
        ("User", "9" * 400, None),
        ("Team", str(UUID(int=0x20)), to("Group", 0x20)),
        ("group", str(UUID(int=0x20)).upper(), to("Group", 0x20)),
        ("escalation_policy", str(UUID(int=0x10)), to("EscalationPolicy", 0x10)),
        ("EscalationPolicy", str(UUID(int=0x20)), None),
        ("Service", str(UUID(int=0x30)), to("Service", 0x30)),
        ("Service", "", None),
        ("Functionality", str(UUID(int=0x30)), None),
        ("Robot", "1", None),
        ("", "", None),
    ],
)
def test_who_exists(kind, ident, found):
    target, why = routing.existing(kind, ident, HOUSE)
    assert target == found
    assert bool(why) == (found is None)


# operator             found               wanted         holds
OPERATORS = [
    ("is",               ["a"],              ("a",),        True),
    ("is",               ["a"],              ("b",),        False),
    ("is_one_of",        ["a"],              ("b", "a"),    True),
    ("is_not",           ["a"],              ("b",),        True),
    ("is_not_one_of",    ["a"],              ("b", "a"),    False),
    ("is_not_one_of",    [""],               ("b",),        True),
    ("contains",         ["abc"],            ("b",),        True),
    ("does_not_contain", ["abc", "b"],       ("d",),        True),
    ("does_not_contain", ["abc", "d"],       ("d",),        False),
    ("starts_with",      ["abc"],            ("ab",),       True),
    ("ends_with",        ["abc"],            ("ab",),       False),
    ("matches_regex",    ["api-7"],          (r"\d$",),     True),
    ("matches_regex",    ["api"],            (r"\d$",),     False),
    ("is_empty",         [""],               (),            True),
    ("is_empty",         ["a"],              (),            False),
]  # fmt: skip


@pytest.mark.parametrize(("operator", "found", "wanted", "holds"), OPERATORS)
def test_every_operator(operator, found, wanted, holds):
    assert comparing.OPERATORS[operator](found, wanted) is holds


def condition(name, operator, *values, path=True):
    return Condition(find=compiled(name) if path else None, name=name, operator=operator, values=values)


def holds(one, said):
    sent = report(said)
    return routing.holds(one, identity.document(sent.envelope, sent.unit.signals))


def test_a_path_that_is_absent_counts_as_empty():
    assert holds(condition("$.commonLabels.nothing", "is_empty"), signal())
    assert holds(condition("$.commonLabels.nothing", "is_not", "x"), signal())
    assert not holds(condition("$.commonLabels.nothing", "is", "x"), signal())


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("summary", "DiskFull"),
        ("status", "firing"),
        ("source", "alertmanager"),
        ("instance", "a"),
        ("labels.instance", "a"),
    ],
)
def test_attributes_are_looked_up_by_name(name, value):
    assert holds(condition(name, "is", value, path=False), signal())


def rule(ident, *groups, whom=1, fallback=False):
    return RouteRule(id=ident, name=ident, groups=groups, destinations=(to("User", whom),), fallback=fallback)


CRITICAL = condition("$.commonLabels.severity", "is", "critical")
DB = condition("$.commonLabels.team", "is", "db")


@pytest.mark.parametrize(
    ("rules", "labels", "first"),
    [
        ([rule("x", (CRITICAL, DB))], {"severity": "critical"}, None),
        ([rule("x", (CRITICAL, DB))], {"severity": "critical", "team": "db"}, "x"),
        ([rule("x", (CRITICAL,), (DB,))], {"team": "db"}, "x"),
        ([rule("x", (CRITICAL,)), rule("y", (CRITICAL,))], {"severity": "critical"}, "x"),
        ([rule("x", (CRITICAL,)), rule("y")], {}, "y"),
        ([rule("x", (CRITICAL,)), rule("y", (DB,), fallback=True)], {}, "y"),
        ([], {}, None),
    ],
)
def test_which_rule_of_a_route_matches(rules, labels, first):
    sent = report(signal("a", labels=labels))
    payload = identity.document(sent.envelope, sent.unit.signals)
    route = Route(id=UUID(int=1), name="r", source_ids=frozenset([SOURCE]), rules=tuple(rules))
    found = routing.first_match(route, payload)
    assert (found and found.id) == first


@pytest.mark.parametrize(
    ("text", "matches"),
    [
        ('severity=~"warn.*"', True),
        ('severity=~"arn"', False),
        ('{severity="warning",team!="web"}', True),
        ('severity="warning",team="web"', False),
        ('absent=""', True),
    ],
)
def test_matchers_mean_what_prometheus_means(text, matches):
    one = Condition(find=None, name="", operator="", values=(), matchers=tuple(parse_matchers(text)))
    assert holds(one, signal("a", labels={"severity": "warning", "team": "db"})) is matches


@pytest.mark.parametrize(
    ("urgency", "name", "matches"),
    [(1, "", True), (2, "", False), (None, "", False), (1, "instance", True), (1, "nothing", False)],
)
def test_a_condition_may_ask_for_an_urgency_alone_or_besides(urgency, name, matches):
    sent = report(signal())
    one = Condition(
        find=None, name=name, operator="is", values=("a",) if name else (), urgency_ids=(str(UUID(int=1)),)
    )
    payload = identity.document(sent.envelope, sent.unit.signals)
    assert routing.holds(one, payload, UUID(int=urgency) if urgency else None) is matches


USER, NOBODY = {"type": "User", "id": "1"}, {"type": "User", "id": "99"}


@pytest.mark.parametrize(
    ("annotation", "url", "routed", "default", "stage", "problems"),
    [
        (USER, ("User", "1"), True, True, "annotation", 1),
        (USER, None, True, True, "annotation", 0),
        (NOBODY, ("User", "1"), True, True, "url", 1),
        (NOBODY, ("User", "99"), True, True, "route", 2),
        (None, ("User", "99"), False, True, "default", 1),
        (None, None, True, True, "route", 0),
        (None, None, False, True, "default", 0),
        (NOBODY, ("Robot", "1"), False, False, "", 2),
        (None, None, False, False, "", 0),
    ],
)
def test_the_first_stage_that_names_somebody_who_exists_wins(
    annotation, url, routed, default, stage, problems
):
    routes = (Route(id=UUID(int=1), name="r", source_ids=frozenset([SOURCE]), rules=(rule("x"),)),)
    house = directory(user(1), routes=routes if routed else ())
    said = {"rootly": json.dumps({"notification_target": annotation})} if annotation else {}
    sent = report(signal("a", annotations=said))
    sender = source(default_target=to("User", 1) if default else None)
    found = routing.route(sent.unit, sent.envelope, sender, url, house)
    assert (found.stage, len(found.problems)) == (stage, problems)
    assert found.targets == ((to("User", 1),) if stage else ())
    assert bool(found.reason) == bool(stage)


def test_a_route_of_another_source_is_not_asked():
    routes = (Route(id=UUID(int=1), name="r", source_ids=frozenset([UUID(int=77)]), rules=(rule("x"),)),)
    sent = report(signal())
    assert (
        routing.route(sent.unit, sent.envelope, source(), None, directory(user(1), routes=routes)).stage == ""
    )
