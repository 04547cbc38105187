"""What always holds of alerts in groups, in whatever order they fire, end, are taken, put off and left alone."""

from datetime import timedelta
from uuid import UUID

from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from nightbell.core import maintenance
from nightbell.core.alert import Status
from nightbell.core.directory import Maintenance
from nightbell.core.errors import Invalid, Stale
from nightbell.core.escalation import Phase
from nightbell.core.events import Acknowledge, Escalate, Reassign, Resolve, Respond, Restart, Snooze
from nightbell.core.journal import person
from support.grouped import Night, rule
from support.pure import directory, on, policy, service, source, to, user

ANA, BEN = 1, 2
NAMES = ["A", "B", "C", "D"]
LABELS = [{}, {"cluster": "west"}, {"cluster": "east"}]
SERVICES = {0x30: 0x10, 0x31: 0x11}

names = st.sampled_from(NAMES)
people = st.sampled_from([ANA, BEN]).map(lambda u: person(u, f"user {u}"))
acts = st.one_of(
    st.builds(Acknowledge, by=people),
    st.builds(Resolve, by=people),
    st.builds(lambda by, m: ("snooze", by, m), people, st.integers(1, 40)),
    st.builds(Escalate, by=people),
    st.builds(Escalate, by=people, policy=st.just(to("EscalationPolicy", 0x11))),
    st.builds(Reassign, by=people, targets=st.just((to("User", BEN),))),
    st.builds(Respond, by=people, targets=st.just((to("User", BEN),))),
    st.builds(Restart, by=people, targets=st.just((to("Service", 0x30),))),
)
fires = st.tuples(
    st.just("fires"), names, st.sampled_from("ab"), st.sampled_from(LABELS), st.sampled_from(list(SERVICES))
)
ends = st.tuples(st.just("ends"), names, st.sampled_from("ab"))
works = st.tuples(st.just("work"), st.sampled_from(list(SERVICES)), st.integers(1, 40))
beginnings = st.permutations(NAMES).map(
    lambda order: [("fires", name, "a", LABELS[1], 0x30) for name in order[:3]]
)
goings_on = st.lists(
    st.one_of(
        fires,
        ends,
        ends,
        st.tuples(st.just("act"), names, acts),
        st.tuples(st.just("act"), names, acts),
        st.integers(0, 12),
        works,
    ),
    min_size=4,
    max_size=20,
)
#: Most stories begin with a group, so that there is something to lead and to follow.
steps = st.tuples(beginnings, goings_on).map(lambda both: both[0] + both[1])
rules = st.sampled_from(
    [
        rule(),
        rule(),
        rule(paths=("$.commonLabels.cluster",)),
        rule(minutes=2),
        rule(by_title=True),
        rule(targets=frozenset({to("EscalationPolicy", 0x10)})),
    ]
)


def night(grouping, *, acknowledge=None):
    return Night(
        directory(
            user(ANA, ("sms", 0)),
            user(BEN, ("sms", 0), ("voice", 3)),
            policy(0x10, ([on(ANA)], 5), ([on(BEN)], 5)),
            policy(0x11, ([on(BEN)], 7), repeat=1),
            *(service(s, policy_id=p) for s, p in SERVICES.items()),
            source(),
            groupings=(grouping,),
            acknowledge_default=acknowledge,
        )
    )


def play(world, step):
    """Let one step of a random story happen; what people may not do changes nothing."""
    match step:
        case int():
            world.passes(step)
        case ("fires", name, host, labels, service_id):
            target = to("Service", service_id)
            world.fires(name, host, labels=labels, url=(target.type, target.id))
        case ("ends", name, host):
            world.ends(name, host)
        case ("work", service_id, minutes):
            known = world.directory.maintenances
            one = Maintenance(
                id=UUID(int=0x90 + len(known)),
                name="work",
                service_ids=frozenset({str(UUID(int=service_id))}),
                source_ids=frozenset(),
                starts_at=world.now,
                ends_at=world.now + timedelta(minutes=minutes),
                windows=None,
            )
            world.directory = replace(world.directory, maintenances=(*known, one))
        case ("act", name, act) if name in world.ids:
            if isinstance(act, tuple):
                act = Snooze(by=act[1], until=world.now + timedelta(minutes=act[2]))
            try:
                world.happens(name, act)
            except (Stale, Invalid):
                pass


def holds(world):
    """Check what must hold of all alerts together at any moment."""
    buckets = [f.alert.group.bucket for f in world.facts.values() if f.alert.group and f.alert.group.bucket]
    assert len(buckets) == len(set(buckets)), "two take others into one bucket"
    for known in world.facts.values():
        alert, group = known.alert, known.alert.group
        if group and group.bucket:
            assert group.leads
            assert alert.is_open
        if not alert.is_open:
            continue
        if group and group.leader_id:
            cared_for(world, known)
        elif alert.status in (Status.TRIGGERED, Status.DEFERRED):
            assert known.escalations, f"{alert.alertname} fires, follows nobody and pages nobody"


def cared_for(world, known):
    """Check that somebody hears of an alert that follows another."""
    alert, leader = known.alert, world.facts[known.alert.group.leader_id]
    own = [e for e in known.escalations if e.phase is Phase.CLIMBING and not e.origin.startswith("beside ")]
    assert own == [], "what follows climbs by itself"
    assert leader.alert.is_open, f"{alert.alertname} follows one that is over"
    assert leader.alert.group, "a leader that is in no group"
    assert leader.alert.group.leads, "a leader that follows"
    if alert.status is Status.ACKNOWLEDGED:
        return
    assert alert.status is Status.TRIGGERED
    assert leader.alert.status is not Status.ACKNOWLEDGED, "taken with its leader, and still it waits"
    assert leader.escalations, "its leader pages nobody"
    waits = [e.wake_at for e in leader.escalations if e.muted_by and e.phase in (Phase.CLIMBING, Phase.HELD)]
    calls = [e for e in leader.escalations if not e.muted_by]
    if waits and not calls:
        assert muted(world, known), "silenced by another's work"


def muted(world, known):
    """Return whether planned work keeps an alert from paging now."""
    return maintenance.muted(world.directory, known.alert.source_id, known.service_ids, world.now)


@given(rules, steps)
@settings(max_examples=600, deadline=None)
def test_whatever_fires_is_climbed_for_taken_or_follows_what_is(grouping, story):
    world = night(grouping)
    for step in story:
        play(world, step)
        holds(world)


@given(rules, steps)
@settings(max_examples=200, deadline=None)
def test_an_acknowledgement_that_ends_leaves_nobody_behind(grouping, story):
    world = night(grouping, acknowledge=4)
    for step in story:
        play(world, step)
        holds(world)
    world.passes(60)
    holds(world)


@given(rules, steps)
@settings(max_examples=200, deadline=None)
def test_when_all_is_over_no_group_is_left(grouping, story):
    world = night(grouping)
    for step in story:
        play(world, step)
    for name in NAMES:
        for host in "ab":
            if name in world.ids:
                world.ends(name, host)
    world.passes(0)
    holds(world)
    assert all(not f.alert.is_open for f in world.facts.values())
    assert all(f.alert.group is None or f.alert.group.bucket is None for f in world.facts.values())


@given(st.permutations(NAMES), st.permutations(NAMES))
@settings(max_examples=50, deadline=None)
def test_of_alerts_in_any_order_one_pages_and_the_group_is_handed_down(order, over):
    world = night(rule())
    for name in order:
        world.fires(name, url=("Service", str(UUID(int=0x30))))
    assert [(name, who) for _, name, who in world.paged] == [(order[0], ANA)]
    for n, name in enumerate(over):
        world.ends(name)
        holds(world)
        still = [f for f in world.facts.values() if f.alert.is_open]
        assert len([f for f in still if f.alert.group.leads]) == (1 if n < len(over) - 1 else 0)
