"""What always holds of the core, whatever is reported, done or left alone, and in whatever order."""

from datetime import timedelta
from uuid import UUID

from hypothesis import example, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from nightbell.core.alert import Status
from nightbell.core.decision import decide
from nightbell.core.directory import LevelTarget
from nightbell.core.draft import Facts
from nightbell.core.errors import Invalid, Stale
from nightbell.core.escalation import Phase
from nightbell.core.events import (
    Acknowledge,
    Due,
    Escalate,
    Event,
    Note,
    Reassign,
    Resolve,
    Respond,
    Restart,
    Snooze,
)
from nightbell.core.journal import person
from nightbell.core.signal import State
from support.pure import (
    MINUTE,
    NOW,
    World,
    at,
    directory,
    minter,
    on,
    policy,
    report,
    service,
    signal,
    source,
    team,
    to,
    user,
)

ANA, BEN, CAL, DAN = 1, 2, 3, 4
KINDS = ("sms", "voice", "email")
LIVE = (Phase.CLIMBING, Phase.HELD)

rules = st.lists(st.tuples(st.sampled_from(KINDS), st.integers(0, 45)), min_size=1, max_size=4)
targets = st.one_of(
    st.sampled_from([ANA, BEN, CAL, DAN, 99]).map(on),
    st.sampled_from([0x20, 0x21]).map(
        lambda t: LevelTarget(type="team", id=str(UUID(int=t)), team_members="all")
    ),
    st.just(LevelTarget(type="team", id=str(UUID(int=0x21)), team_members="escalate")),
    st.sampled_from([0x30, 0x31]).map(lambda s: LevelTarget(type="service", id=str(UUID(int=s)))),
)
levels = st.lists(st.tuples(st.lists(targets, max_size=3), st.integers(0, 40)), max_size=4)


@st.composite
def directories(draw):
    """Two policies that may name each other through services and teams, four people, one who cannot be reached."""
    first = policy(0x10, *draw(levels), repeat=draw(st.integers(0, 3)), delay=draw(st.sampled_from([0, 7])))
    second = policy(0x11, *draw(levels), repeat=draw(st.integers(0, 2)))
    return directory(
        user(ANA, *draw(rules)),
        user(BEN, *draw(rules)),
        user(CAL, *draw(rules)),
        user(DAN),
        first,
        second,
        team(0x20, ANA, BEN),
        team(0x21, CAL, policy_id=0x11),
        service(0x30, policy_id=0x10),
        service(0x31, policy_id=0x11),
        source(default_target=to("EscalationPolicy", 0x10)),
        fallback_user_ids=draw(st.sampled_from([(), (CAL,), (DAN,)])),
    )


hosts = st.sampled_from(["a", "b", "c"])


@st.composite
def deliveries(draw):
    """Return arguments of a report: some hosts, each firing or resolved, times in any order."""
    signals = [
        signal(host, starts=draw(st.integers(0, 60)), ends=draw(st.none() | st.integers(0, 90)))
        for host in draw(st.lists(hosts, min_size=1, max_size=3, unique=True))
    ]
    declared = draw(st.sampled_from([None, None, None, None, "open", "triggered", "resolved", "banana"]))
    return signals, {"truncated": draw(st.sampled_from([0, 0, 0, 3])), "declared_status": declared}


people = st.sampled_from([ANA, BEN]).map(lambda u: person(u, f"user {u}"))
acts = st.one_of(
    st.builds(Acknowledge, by=people),
    st.builds(Resolve, by=people),
    st.builds(lambda by, m: ("snooze", by, m), people, st.integers(1, 60)),
    st.builds(Escalate, by=people, level=st.none() | st.integers(-1, 5), as_of=st.none() | st.integers(0, 4)),
    st.builds(Escalate, by=people, policy=st.just(to("EscalationPolicy", 0x11))),
    st.builds(Reassign, by=people, targets=st.sampled_from([(), (to("User", BEN),), (to("Service", 0x31),)])),
    st.builds(
        Respond,
        by=people,
        targets=st.sampled_from(
            [
                (),
                (to("User", CAL),),
                (to("User", DAN),),
                (to("Group", 0x21), to("Service", 0x30)),
                (to("User", BEN),),
            ]
        ),
    ),
    st.builds(
        Restart,
        by=people,
        targets=st.sampled_from([(), (to("EscalationPolicy", 0x10),), (to("Group", 0x20),)]),
    ),
    st.builds(Note, by=people, text=st.just("looking")),
)
steps = st.lists(
    st.one_of(
        deliveries(), acts, st.just("wait"), st.integers(1, 30), st.sampled_from(["refused", "unknown"])
    ),
    max_size=14,
)


def play(world, step):
    """Let one step of a random story happen; what people may not do changes nothing."""
    if isinstance(step, tuple) and step[0] == "snooze":
        step = Snooze(by=step[1], until=world.now + step[2] * MINUTE)
    if isinstance(step, tuple):
        world.reported(*step[0], **step[1])
    elif world.facts.alert is None:
        return
    elif step == "wait":
        wake = world.next_wake()
        world.now = max(wake or world.now, world.now)
        world.happens(Due())
    elif isinstance(step, int):
        world.now += step * MINUTE
    elif isinstance(step, str):
        if world.facts.sent:
            world.failed(world.facts.sent[-1].user_id, state=step)
    else:
        try:
            world.happens(step)
        except (Stale, Invalid):
            pass


def holds(world):
    """Check what must hold of an alert at any moment."""
    alert, facts = world.alert, world.facts
    live = [e for e in facts.escalations if e.phase in LIVE]
    firing = any(m.state is State.FIRING for m in alert.members.values())
    assert firing == alert.is_open
    assert (alert.ended_at is not None) == (alert.status is Status.RESOLVED)
    assert all(e.wake_at is not None for e in facts.escalations if e.phase is Phase.CLIMBING)
    assert all(e.wake_at is None for e in facts.escalations if e.phase not in LIVE)
    assert len({e.origin for e in live}) == len(live)
    assert len({(e.id) for e in facts.escalations}) == len(facts.escalations)
    assert (alert.snoozed_until is None) or alert.status is Status.ACKNOWLEDGED
    if alert.status is not Status.TRIGGERED:
        # Only those who were asked to help go on ringing where somebody has taken it.
        asked = {e.id for e in facts.escalations if e.beside}
        helped = alert.status is Status.ACKNOWLEDGED
        assert not any(
            e.phase is Phase.CLIMBING and not (helped and e.id in asked) for e in facts.escalations
        )
        assert all(helped and page.escalation_id in asked for page in facts.pages)
    if alert.status is Status.RESOLVED:
        assert not live
    for member in alert.members.values():
        assert (member.state is State.RESOLVED) == (member.ends_at is not None)
        assert member.ends_at is None or member.ends_at >= member.starts_at


#: Asked to help with what somebody has taken: rare among random stories.
DIRECTORY = directory(
    user(ANA, ("sms", 0)),
    user(CAL, ("sms", 0), ("voice", 5)),
    policy(0x10, ([on(ANA)], 5)),
    source(default_target=to("EscalationPolicy", 0x10)),
)
HELPED = [
    ([signal()], {}),
    Acknowledge(by=person(ANA, "Ana")),
    Respond(by=person(ANA, "Ana"), targets=(to("User", CAL),)),
    "wait",
    Acknowledge(by=person(CAL, "Cal")),
    10,
    Respond(by=person(ANA, "Ana"), targets=(to("User", CAL),)),
    "refused",
    Resolve(by=person(ANA, "Ana")),
]


#: Asked to help through a policy that calls itself by way of a team: what it calls is beside the alert's own too.
ROUND = directory(
    user(ANA, ("sms", 0)),
    user(CAL, ("sms", 0)),
    policy(0x10),
    policy(0x11, ([LevelTarget(type="team", id=str(UUID(int=0x21)), team_members="escalate")], 0), repeat=1),
    team(0x21, CAL, policy_id=0x11),
    source(default_target=to("EscalationPolicy", 0x10)),
)
ASKED_ROUND = [
    ([signal()], {}),
    Acknowledge(by=person(ANA, "Ana")),
    Respond(by=person(ANA, "Ana"), targets=(to("Group", 0x21),)),
]


@given(directories(), steps)
@example(DIRECTORY, HELPED)
@example(ROUND, ASKED_ROUND)
@settings(max_examples=300, deadline=None)
def test_whatever_happens_the_alert_its_climbs_and_pages_agree(things, story):
    world = World(things)
    for step in story:
        play(world, step)
        if world.facts.alert:
            holds(world)


@given(directories(), steps)
@settings(max_examples=200, deadline=None)
def test_whatever_happened_time_comes_to_an_end_and_every_wake_up_does_something(things, story):
    world = World(things)
    for step in story:
        play(world, step)
    if world.facts.alert:
        world.left_alone()
        holds(world)
        assert not any(e.phase is Phase.CLIMBING for e in world.facts.escalations)


@given(directories(), deliveries())
@settings(max_examples=200, deadline=None)
def test_an_alert_for_somebody_pages_somebody_or_says_that_it_could_not(things, sent):
    world = World(things)
    world.reported(*sent[0], **sent[1])
    if world.facts.alert and world.alert.status is Status.TRIGGERED:
        world.left_alone()
        assert world.paged or world.alert.unpaged


@given(
    st.lists(
        st.tuples(st.lists(st.sampled_from([ANA, BEN, CAL]), min_size=1, max_size=3), st.integers(1, 60)),
        min_size=1,
        max_size=5,
    ),
    st.integers(0, 4),
)
@settings(deadline=None)
def test_left_alone_every_level_pages_its_people_at_its_minute_in_every_round(ladder, repeat):
    things = directory(
        user(ANA, ("sms", 0)),
        user(BEN, ("sms", 0)),
        user(CAL, ("sms", 0)),
        policy(0x10, *(([on(u) for u in who], wait) for who, wait in ladder), repeat=repeat),
        source(default_target=to("EscalationPolicy", 0x10)),
    )
    world = World(things)
    world.reported(signal())
    world.left_alone()
    expected, minute = [], 0
    for who, wait in ladder * (repeat + 1):
        expected += [(minute, u, "sms") for u in dict.fromkeys(who)]
        minute += wait
    assert world.paged == expected
    assert world.codes[-1] == "escalation.exhausted"
    assert not world.alert.unpaged


@given(directories(), steps, deliveries())
@settings(max_examples=200, deadline=None)
def test_a_delivery_applied_twice_is_the_delivery_applied_once_but_for_the_counters(things, story, sent):
    world = World(things)
    for step in story:
        play(world, step)
    if world.reported(*sent[0], **sent[1]) is None:
        return
    before = world.facts
    again = world.reported(*sent[0], **sent[1])
    if again is None:
        return
    assert not any(n.purpose == "page" for n in again.notifications)
    assert counted_out(world.facts.alert) == counted_out(before.alert)
    assert [replace(e, token=UUID(int=0)) for e in world.facts.escalations] == [
        replace(e, token=UUID(int=0)) for e in before.escalations
    ]
    assert world.facts.pages == before.pages


def counted_out(alert):
    return replace(
        alert, request_count=0, members={k: replace(m, last_seen_at=NOW) for k, m in alert.members.items()}
    )


@st.composite
def episodes(draw):
    """Return what one host says over time: episodes that follow one another, the last of them not over."""
    host, minute, said = draw(hosts), 0, []
    for _ in range(draw(st.integers(0, 3))):
        start = minute + draw(st.integers(1, 20))
        end = start + draw(st.integers(1, 20))
        said += [signal(host, starts=start), signal(host, starts=start, ends=end)]
        minute = end
    return [*said, signal(host, starts=minute + draw(st.integers(1, 20)))]


@given(episodes().flatmap(st.permutations))
def test_in_whatever_order_its_episodes_are_told_a_host_that_fires_now_is_an_open_alert(sent):
    world = World(directory(user(ANA, ("sms", 0)), source(default_target=to("User", ANA))))
    for one in sent:
        world.reported(one, truncated=None)
    assert world.alert.is_open
    (member,) = world.alert.members.values()
    assert member.state is State.FIRING


@given(st.lists(st.integers(0, 3), min_size=1, max_size=6), st.integers(1, 3), st.randoms())
def test_firings_in_any_order_and_any_number_and_then_the_resolves_end_resolved(starts, copies, chance):
    firing = [signal("a", starts=s) for s in starts] * copies
    chance.shuffle(firing)
    world = World(directory(user(ANA, ("sms", 0)), source(default_target=to("User", ANA))))
    for one in [*firing, signal("a", starts=max(starts), ends=5)]:
        world.reported(one, truncated=None)
    assert world.alert.status is Status.RESOLVED
    assert world.alert.ended_at == at(5)


@given(
    st.lists(st.sampled_from(["f", "r"]), min_size=1, max_size=5),
    st.lists(st.sampled_from(["f", "r"]), max_size=5),
    st.randoms(),
)
def test_what_one_host_says_never_changes_what_another_host_is(a, b, chance):
    def told(order):
        world = World(directory(user(ANA, ("sms", 0)), source(default_target=to("User", ANA))))
        said = {"a": iter(enumerate(a)), "b": iter(enumerate(b))}
        for host in order:
            n, word = next(said[host])
            ends = None if word == "f" else n + 0.5
            world.reported(
                signal(host, starts=n if ends is None else max(n - 1, 0), ends=ends), truncated=None
            )
        return world.facts.alert

    one_by_one = ["a"] * len(a) + ["b"] * len(b)
    mixed = list(one_by_one)
    chance.shuffle(mixed)
    first, second = told(one_by_one), told(mixed)
    if first is None or second is None:
        assert first is second
        return
    assert first.status == second.status or {first.status, second.status} <= {Status.TRIGGERED, Status.OPEN}
    assert {k: (m.state, m.starts_at, m.ends_at) for k, m in first.members.items()} == {
        k: (m.state, m.starts_at, m.ends_at) for k, m in second.members.items()
    }


@given(directories(), steps, st.integers(0, 2**32))
@settings(max_examples=100, deadline=None)
def test_the_same_facts_event_instant_and_mint_give_the_same_decision(things, story, seed):
    world = World(things)
    for step in story:
        play(world, step)
    events: list[Event] = [Due(), report(signal("a"), signal("b")), Resolve(by=person(ANA, "user 1"))]
    for event in events if world.facts.alert else events[1:2]:
        first, second = (decide(world.facts, event, world.now, minter(seed)) for _ in range(2))
        assert first == second


def test_a_decision_changes_no_fact_it_was_given():
    world = World(directory(user(ANA, ("sms", 0)), source(default_target=to("User", ANA))))
    world.reported(signal("a"))
    before = world.facts
    kept = Facts(**{name: getattr(before, name) for name in before.__struct_fields__})
    decide(before, report(signal("a", ends=3), signal("b")), NOW + timedelta(minutes=5), minter())
    assert before == kept
