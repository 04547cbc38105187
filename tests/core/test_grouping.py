"""Which rule takes an alert, what those of one bucket share, and who leads."""

from datetime import timedelta
from uuid import UUID

import pytest
from msgspec.structs import replace

from nightbell.core.alert import Status
from nightbell.core.directory import Condition, Maintenance, Target
from nightbell.core.draft import Facts
from nightbell.core.escalation import Phase
from nightbell.core.events import Acknowledge, Escalate, Resolve, Snooze
from nightbell.core.grouping import MATCHES_EXISTING, Said, heir, place, placed, reached
from nightbell.core.journal import person
from nightbell.engine.jsonpath import compiled
from support.grouped import Night, rule, told
from support.pure import MINUTE, directory, on, policy, service, source, team, to, user

ANA, BEN = 1, 2
HIGH, LOW = UUID(int=0xA), UUID(int=0xB)
SHOP = to("Service", 0x30)
BY_CLUSTER = ("$.commonLabels.cluster",)


def said(title="Disk", *, urgency=HIGH, targets=(SHOP,), **labels):
    payload = {
        "commonLabels": {"alertname": title, **labels},
        "commonAnnotations": {},
        "alerts": [{"labels": {"instance": i}, "annotations": {}} for i in ("a", "b")],
        "status": "firing",
    }
    return Said(title=title, urgency_id=urgency, payload=payload, targets=targets)


def things(*rules):
    return directory(
        service(0x30, policy_id=0x10, teams=(0x20,)),
        team(0x20, ANA, policy_id=0x11),
        policy(0x10, ([on(ANA)], 5)),
        policy(0x11, ([on(BEN)], 5)),
        groupings=rules,
    )


def bucket(known, one):
    at = place(one, known)
    return at and at.bucket


SAME = [
    (rule(), said("A"), said("B"), True),
    (rule(by_title=True), said("A"), said("A", cluster="x"), True),
    (rule(by_title=True), said("A"), said("B"), False),
    (rule(by_urgency=True), said("A"), said("B"), True),
    (rule(by_urgency=True), said("A"), said("B", urgency=LOW), False),
    (rule(paths=BY_CLUSTER), said("A", cluster="x"), said("B", cluster="x"), True),
    (rule(paths=BY_CLUSTER), said("A", cluster="x"), said("B", cluster="y"), False),
    (rule(paths=("$.alerts[*].labels.instance",)), said("A"), said("B"), True),
    (
        rule(paths=BY_CLUSTER, by_title=True),
        said("A", cluster="x"),
        said("B", cluster="x"),
        False,
    ),
]


@pytest.mark.parametrize(("one", "first", "second", "same"), SAME)
def test_alerts_are_one_problem_when_they_share_what_the_rule_says(one, first, second, same):
    known = things(one)
    assert bucket(known, first) is not None
    assert (bucket(known, first) == bucket(known, second)) is same


def test_what_cannot_be_found_is_nothing_in_common():
    assert place(said("A"), things(rule(paths=BY_CLUSTER))) is None
    assert place(said("A", cluster=""), things(rule(paths=BY_CLUSTER))) is None
    assert place(said("A", urgency=None), things(rule(by_urgency=True))) is None


def test_the_first_rule_that_takes_an_alert_groups_it():
    known = things(rule(1, paths=BY_CLUSTER), rule(2))
    for one, taker in ((said("A", cluster="x"), 1), (said("A"), 2)):
        at = place(one, known)
        assert at
        assert at.rule.id == UUID(int=taker)


def test_buckets_of_two_rules_are_never_one():
    assert bucket(things(rule(1)), said()) != bucket(things(rule(2)), said())


def test_values_are_told_apart_from_the_paths_they_were_found_at():
    one = rule(paths=("$.commonLabels.x", "$.commonLabels.y"))
    known = things(one)
    assert bucket(known, said(x="a,b", y="c")) != bucket(known, said(x="a", y="b,c"))


TARGETS = [
    ((), (SHOP,), True),
    ((SHOP,), (SHOP,), True),
    ((to("Service", 0x31),), (SHOP,), False),
    # A service stands for its teams and for the policies of both.
    ((to("EscalationPolicy", 0x10),), (SHOP,), True),
    ((to("Group", 0x20),), (SHOP,), True),
    ((to("EscalationPolicy", 0x11),), (SHOP,), True),
    ((to("EscalationPolicy", 0x11),), (to("Group", 0x20),), True),
    ((SHOP,), (to("Group", 0x20),), False),
    ((SHOP,), (to("User", ANA),), False),
    ((), (to("User", ANA),), True),
]


@pytest.mark.parametrize(("wanted", "targets", "taken"), TARGETS)
def test_a_rule_takes_alerts_for_its_targets_and_what_stands_for_them(wanted, targets, taken):
    known = things(rule(targets=frozenset(wanted)))
    assert (place(said(targets=targets), known) is not None) is taken


def test_a_target_that_was_deleted_is_reached_by_itself():
    gone = Target(type="Service", id=str(UUID(int=0x99)))
    assert reached((gone,), things()) == {gone}


def payload(path, operator, *values, urgency_ids=()):
    return Condition(
        find=compiled(path),
        name=path,
        operator=operator,
        values=values,
        urgency_ids=tuple(map(str, urgency_ids)),
    )


def attribute(name, operator, *values, urgency_ids=()):
    ids = tuple(map(str, urgency_ids))
    return Condition(find=None, name=name, operator=operator, values=values, urgency_ids=ids)


SEVERE = payload("$.commonLabels.severity", "is_one_of", "critical", "page")
WEST = payload("$.commonLabels.cluster", "starts_with", "west")
CONDITIONS = [
    ((SEVERE,), said(severity="page"), True),
    ((SEVERE,), said(severity="info"), False),
    ((SEVERE, WEST), said(severity="page", cluster="west-1"), True),
    ((SEVERE, WEST), said(severity="page", cluster="east"), False),
    ((attribute("", "is_one_of", urgency_ids=(HIGH,)),), said(), True),
    ((attribute("", "is_one_of", urgency_ids=(HIGH,)),), said(urgency=LOW), False),
    ((attribute("alert_urgency", "is_one_of", urgency_ids=(LOW,)),), said(urgency=LOW), True),
    ((attribute("alert_urgency", "is_one_of", str(LOW)),), said(urgency=LOW), True),
    ((attribute("summary", "contains", "isk"),), said("Disk"), True),
    ((attribute("title", "matches_regex", "^D.sk$"),), said("Disk"), True),
    ((attribute("title", "is_not_one_of", "Disk"),), said("Disk"), False),
    ((payload("$.commonLabels.cluster", "is_empty"),), said(), True),
    ((payload("$.commonLabels.cluster", "is_empty"),), said(cluster="x"), False),
]


@pytest.mark.parametrize(("conditions", "one", "taken"), CONDITIONS)
def test_conditions_say_which_alerts_a_rule_takes(conditions, one, taken):
    assert (place(one, things(rule(conditions=conditions))) is not None) is taken


def test_where_any_condition_is_enough_one_is():
    known = things(rule(conditions=(SEVERE, WEST), match_any=True))
    assert place(said(cluster="west"), known)
    assert place(said(severity="page"), known)
    assert place(said(severity="info", cluster="east"), known) is None


def test_a_condition_may_ask_for_what_an_alert_of_the_group_has():
    known = things(rule(conditions=(SEVERE, payload(BY_CLUSTER[0], MATCHES_EXISTING))))
    first = bucket(known, said("A", severity="page", cluster="x"))
    assert first == bucket(known, said("B", severity="critical", cluster="x"))
    assert first != bucket(known, said("B", severity="page", cluster="y"))
    assert place(said("A", severity="info", cluster="x"), known) is None
    assert place(said("A", severity="page"), known) is None


def test_where_any_is_enough_the_first_thing_in_common_is_the_bucket():
    asked = (attribute("title", MATCHES_EXISTING), payload(BY_CLUSTER[0], MATCHES_EXISTING))
    known = things(rule(conditions=asked, match_any=True))
    assert bucket(known, said("A", cluster="x")) == bucket(known, said("A", cluster="y"))
    assert bucket(known, said("A", cluster="x")) != bucket(known, said("B", cluster="x"))


def test_an_alert_for_nobody_falls_in_no_bucket():
    sent, known = told("A"), things(rule())
    assert placed(sent.unit, sent.envelope, source(), None, known) is None
    assert placed(sent.unit, sent.envelope, source(), ("Service", SHOP.id), known) is not None


# ---------------------------------------------------------------- a night of them


def night(*rules, first=(), **more):
    return Night(
        directory(
            user(ANA, ("sms", 0)),
            user(BEN, ("sms", 0)),
            policy(0x10, ([on(ANA)], 5), ([on(BEN)], 5), *first, repeat=1),
            service(0x30, policy_id=0x10),
            source(default_target=SHOP),
            groupings=rules or (rule(),),
            **more,
        )
    )


def by(ident=ANA):
    return person(ident, f"user {ident}")


def test_the_place_of_an_alert_is_the_same_before_and_while_it_is_decided():
    world = night(rule(by_title=True, paths=("$.commonLabels.alertname",)))
    world.fires("A")
    sent = replace(told("A"), source=world._source())
    at = placed(sent.unit, sent.envelope, sent.source, None, world.directory)
    assert at
    assert world.alert("A").group.bucket == at.bucket


def test_at_the_very_end_of_the_window_a_new_group_begins():
    for minutes, leader in ((9.99, "A"), (10, None)):
        world = night()
        world.fires("A")
        world.now += minutes * MINUTE
        world.fires("B")
        assert world.leader("B") == leader


def test_facts_that_nobody_looked_up_group_nothing():
    world = night()
    world.fires("A")
    before = Facts(directory=world.directory)
    world._decided([(before, replace(told("B"), source=world._source(), number=7))])
    assert world.alert("B").group is None
    assert [name for _, name, _ in world.paged] == ["A", "B"]


def test_without_a_rule_an_alert_is_in_no_group():
    world = night()
    world.directory = replace(world.directory, groupings=())
    world.fires("A")
    assert world.alert("A").group is None


def test_one_that_may_be_stale_does_not_hold_back_what_is_certain():
    world = night()
    world.fires("A", starts=0)
    world.passes(1)
    world.ends("A")
    world.passes(1)
    # The same start again: in doubt, so held for a minute.
    world.fires("A", starts=0)
    world.fires("B")
    assert world.leader("B") is None
    assert [name for _, name, _ in world.paged] == ["A", "B"]


def test_who_leads_on_calls_the_last_level_that_called_somebody():
    world = night()
    world.fires("A")
    world.fires("B")
    world.passes(6)
    world.ends("A")
    assert [(name, who) for _, name, who in world.paged] == [("A", ANA), ("A", BEN), ("B", BEN)]
    world.passes(5)
    assert world.paged[-1][1:] == ("B", ANA), "the second round, where the leader's would have come"


def test_who_leads_on_begins_anew_where_the_leader_had_nobody_left():
    world = night()
    world.fires("A")
    world.fires("B")
    world.passes(60)
    assert {e.phase for e in world.facts[world.ids["A"]].escalations} == {Phase.EXHAUSTED}
    world.ends("A")
    assert world.paged[-1][1:] == ("B", ANA)


def test_who_leads_on_in_an_acknowledged_group_pages_when_the_acknowledgement_ends():
    world = night(acknowledge_default=30)
    world.fires("A")
    world.fires("B")
    world.happens("A", Acknowledge(by=by()))
    world.passes(10)
    world.ends("A")
    assert (world.alert("B").status, world.leader("B")) == (Status.ACKNOWLEDGED, None)
    world.passes(19)
    assert len(world.paged) == 1
    world.passes(1)
    assert world.paged[-1][1:] == ("B", ANA)


def test_an_acknowledgement_that_ends_wakes_the_whole_group():
    world = night(acknowledge_default=30)
    world.fires("A")
    world.fires("B")
    world.happens("A", Acknowledge(by=by()))
    assert world.alert("B").acknowledged_by == ANA
    world.passes(30)
    assert world.alert("B").status is Status.TRIGGERED
    assert world.alert("B").acknowledged_by is None


def test_of_those_that_follow_the_eldest_that_nobody_took_leads_on():
    world = night()
    for name in "ABCD":
        world.fires(name)
        world.now += MINUTE
    world.happens("B", Acknowledge(by=by()))
    world.ends("A")
    assert [world.leader(name) for name in "BCD"] == ["C", None, "C"]
    assert world.alert("C").group.size == 2


def test_an_outage_that_ends_alert_by_alert_pages_once_a_minute_for_what_still_fires():
    world = night()
    for name in "ABCDEF":
        world.fires(name)
    world.passes(6)
    assert [name for _, name, _ in world.paged] == ["A", "A"]
    for name in "ABC":
        world.ends(name)
        world.passes(0.25)
    assert [(name, who) for _, name, who in world.paged[2:]] == [("B", BEN)]
    world.passes(0.25)
    assert [(name, who) for _, name, who in world.paged[3:]] == [("D", BEN)]
    for name in "DEF":
        world.ends(name)
    world.passes(60)
    assert len(world.paged) == 4


def work(world, minutes=60):
    one = Maintenance(
        id=UUID(int=9),
        name="work",
        service_ids=frozenset({SHOP.id}),
        source_ids=frozenset(),
        starts_at=world.now,
        ends_at=world.now + timedelta(minutes=minutes),
        windows=None,
    )
    world.directory = replace(world.directory, maintenances=(one,))


def test_what_is_put_off_neither_leads_nor_joins():
    world = night()
    work(world)
    world.fires("A")
    world.fires("B")
    assert [(world.alert(n).status, world.alert(n).group) for n in "AB"] == [(Status.DEFERRED, None)] * 2


def test_all_of_a_group_may_be_worked_on_at_once():
    world = night()
    world.fires("A")
    world.fires("B")
    work(world, minutes=30)
    world.passes(6)
    assert world.leader("B") == "A"
    assert [name for _, name, _ in world.paged] == ["A"]
    world.passes(30)
    assert world.paged[-1][1] == "A"


def test_when_a_leader_is_over_while_all_is_worked_on_another_waits_in_its_place():
    world = night()
    world.fires("A")
    world.fires("B")
    world.fires("C")
    work(world, minutes=30)
    world.passes(6)
    world.ends("A")
    assert (world.leader("B"), world.leader("C")) == (None, "B")
    world.passes(24)
    assert [name for _, name, _ in world.paged] == ["A", "B"]


def test_one_that_is_snoozed_alone_is_paged_for_itself():
    world = night()
    world.fires("A")
    world.fires("B")
    world.happens("B", Snooze(by=by(), until=world.now + 3 * MINUTE))
    assert world.alert("A").group.size == 0
    world.passes(4)
    assert world.paged[-1][1:] == ("B", ANA)


def test_escalating_one_that_follows_to_a_level_pages_that_level():
    world = night()
    world.fires("A")
    world.fires("B")
    world.happens("B", Escalate(by=by(), level=2))
    assert world.paged[-1][1:] == ("B", BEN)
    assert world.leader("B") is None


def test_resolving_one_that_follows_resolves_nothing_else():
    world = night()
    world.fires("A")
    world.fires("B")
    world.happens("B", Resolve(by=by()))
    assert (world.alert("A").status, world.alert("B").status) == (Status.TRIGGERED, Status.RESOLVED)


def test_a_storm_does_not_fill_the_timeline_of_its_leader():
    world = night()
    for n in range(150):
        world.fires(f"Alert{n:03}")
    said_so = [name for name, code in world.codes if code == "group.gained"]
    assert set(said_so) == {"Alert000"}
    assert len(said_so) == 21
    assert world.alert("Alert000").group.size == 149


def test_nobody_follows_where_nobody_is():
    assert heir([], night().now) is None


def test_what_other_work_keeps_from_paging_does_not_wait_for_its_leader():
    world = night()
    world.directory = replace(
        world.directory,
        services=world.directory.services | {str(UUID(int=0x31)): service(0x31, policy_id=0x10)},
    )
    world.fires("A")
    world.fires("B", url=("Service", str(UUID(int=0x31))))
    world.fires("C", url=("Service", str(UUID(int=0x31))))
    works = [
        Maintenance(
            id=UUID(int=ident),
            name="work",
            service_ids=frozenset({str(UUID(int=ident))}),
            source_ids=frozenset(),
            starts_at=world.now,
            ends_at=world.now + minutes * MINUTE,
            windows=None,
        )
        for ident, minutes in ((0x30, 60), (0x31, 20))
    ]
    world.directory = replace(world.directory, maintenances=tuple(works))
    world.passes(10)
    assert [world.leader(name) for name in "ABC"] == [None, None, "B"]
    world.passes(10)
    assert world.paged[-1][1:] == ("B", ANA)
    world.passes(40)
    assert world.paged[-1][1:] == ("A", BEN), "its climb goes on where it stood"
