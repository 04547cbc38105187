"""Climbs that stand alike: what is decided of one is what would be decided of each, however else they differ."""

import re
from uuid import UUID

from hypothesis import event, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from nightbell.core.alert import Alert, Status
from nightbell.core.alike import OWN, OWN_OF_PAGE, Alike, repeated
from nightbell.core.decision import decide
from nightbell.core.directory import LevelTarget
from nightbell.core.draft import Facts
from nightbell.core.escalation import Escalation, Phase
from nightbell.core.events import Due
from nightbell.core.paging import Page
from nightbell.store.queries import statement
from nightbell.store.write import ledger
from properties.test_decide import ANA, BEN, CAL, DAN, KINDS, directories, play, steps
from support.pure import MINUTE, World, directory, minter, on, policy, signal, source, team, to, user

#: Of an alert, what those that stand alike have in common; whatever else it says may differ.
SHARED = {"status", "source_id", "urgency_id", "occurrence", "group"}
_ID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")


def stands(facts, now):
    """Whether alerts_alike would find this alert, see store/sql/tick.sql."""
    alert, climbs = facts.alert, facts.escalations
    pages = due_pages(facts, now)
    return (
        alert is not None
        and alert.status is Status.TRIGGERED
        and alert.group is None
        and (alert.wake_at is None or alert.wake_at > now)
        and len(climbs) == 1
        and len(pages) <= 1
        and (bool(pages) or climb_is_due(facts, now))
        and (climbs[0].phase is Phase.CLIMBING or not climb_is_due(facts, now))
        and not (pages and any(now - s.created_at < MINUTE for s in facts.sent))
        and all(p.escalation_id == climbs[0].id for p in pages)
    )


def due_pages(facts, now):
    return [p for p in facts.pages if p.wake_at and p.wake_at <= now]


def climb_is_due(facts, now):
    wake = facts.escalations[0].wake_at
    return wake is not None and wake <= now


def another(facts, now, seed):
    """Return the facts of another alert whose climb stands alike; what may differ does."""
    mint, (climb,), alert = minter(seed), facts.escalations, facts.alert
    ident, climb_id = mint(), mint()
    return replace(
        facts,
        alert=replace(
            alert,
            id=ident,
            number=alert.number + 7,
            identity=b"another",
            summary="Another",
            alertname="Another",
            request_count=99,
            truncated=3,
            started_at=alert.started_at - 90 * MINUTE,
            acknowledged_at=now - 30 * MINUTE,
            last_received_at=now,
            delivery_id=mint(),
            content=4,
            created_at=alert.created_at - 90 * MINUTE,
            members={},
        ),
        escalations=(
            replace(
                climb,
                id=climb_id,
                alert_id=ident,
                token=mint(),
                wake_at=now - 3 * MINUTE if climb_is_due(facts, now) else climb.wake_at and now + 9 * MINUTE,
                created_at=climb.created_at - 40 * MINUTE,
            ),
        ),
        pages=tuple(
            replace(p, id=mint(), alert_id=ident, escalation_id=climb_id, wake_at=now - 2 * MINUTE)
            for p in due_pages(facts, now)
        ) or tuple(
            replace(p, id=mint(), alert_id=ident, user_id=77, level=9, created_at=now - MINUTE, wake_at=now + MINUTE)
            for p in facts.pages[:1]
        ),
        sent=(),
        labels={"alertname": "Another"},
        targets=(),
        turns={mint(): 5},
    )  # fmt: skip


def written(decision):
    """Return the rows of a decision as text, and its ids in the order they appear in it."""
    rows = [
        [ledger.climb_row(e) for e in decision.escalations],
        [ledger.page_row(p) for p in decision.pages],
        [ledger.message_row(n) for n in decision.notifications],
        [ledger.entry_row(e) for e in decision.entries],
    ]
    text = re.sub(r"UUID\('([^']*)'\)", r"\1", repr(rows))
    return _ID.sub("id", text), _ID.findall(text)


people = st.lists(st.sampled_from([ANA, BEN, CAL, DAN, 99]).map(on), max_size=3)
whole_team = LevelTarget(type="team", id=str(UUID(int=0x20)), team_members="all")
ladders = st.lists(
    st.tuples(people | st.just([whole_team]) | st.just([on(ANA), whole_team]), st.integers(0, 9)),
    min_size=1,
    max_size=4,
)


@st.composite
def nights(draw):
    """One policy, four people of whom one cannot be reached, and whether somebody is paged at last."""
    minutes = st.sampled_from([(), (0,), (0, 0), (3,), (0, 7)])
    return directory(
        *(user(u, *(zip(KINDS, draw(minutes), strict=False)), methods=("email",)) for u in (ANA, BEN, CAL)),
        user(DAN),
        team(0x20, ANA, BEN),
        policy(0x10, *draw(ladders), repeat=draw(st.integers(0, 3)), delay=draw(st.sampled_from([0, 7]))),
        source(default_target=to("EscalationPolicy", 0x10)),
        fallback_user_ids=draw(st.sampled_from([(), (CAL,), (DAN,)])),
    )


def due(facts, now, seed):
    """Decide what time does."""
    decided = decide(facts, Due(), now, minter(seed))
    assert decided is not None
    return decided


def compare(facts, now, seed):
    """Hold what is decided for many to what is decided of another; return whether it is for many."""
    other = another(facts, now, seed)
    (decision, _), (each, _) = due(facts, now, 1), due(other, now, 2)
    some = Alike(alert_ids=(), climb_ids=(), page_ids=tuple(p.id for p in due_pages(facts, now)))
    if repeated(facts, decision, some, now) is None:
        return False
    assert repeated(other, each, some, now)
    (said, ids), (expected, others) = written(decision), written(each)
    assert said == expected
    # The same id stands for the same thing throughout, and what both share stays as it is.
    pairs = set(zip(ids, others, strict=True))
    assert len(pairs) == len({a for a, _ in pairs}) == len({b for _, b in pairs})
    assert all(a == b for a, b in pairs if a in others or b in ids)
    return True


@given(nights(), st.integers(10, 1000))
@settings(max_examples=300, deadline=None)
def test_what_is_decided_of_one_is_decided_of_every_other_that_stands_alike(things, seed):
    world = World(things)
    world.reported(signal())
    for _ in range(12):
        wake = world.next_wake()
        if wake is None:
            break
        now = max(wake, world.now)
        if stands(world.facts, now):
            what = (climb_is_due(world.facts, now), len(due_pages(world.facts, now)))
            event(f"{what} repeated" if compare(world.facts, now, seed) else f"{what} decided one by one")
        play(world, "wait")


@given(directories(), steps, st.integers(10, 1000))
@settings(max_examples=200, deadline=None)
def test_so_it_is_whatever_happened_before(things, story, seed):
    world = World(things)
    for step in [*story, *(["wait"] * 6)]:
        wake = world.next_wake() if world.facts.alert else None
        now = max(wake, world.now) if wake else world.now
        if stands(world.facts, now):
            compare(world.facts, now, seed)
        play(world, step)


def test_what_alerts_are_gathered_by_is_everything_of_climb_and_page_that_is_not_their_own():
    grouped = set(re.findall(r"s\.(\w+)", statement("alerts_alike").split("GROUP BY")[1]))
    assert set(Escalation.__struct_fields__) - OWN - {"plan"} | {"plan_id"} <= grouped
    # A page that ended is not due, and the occurrence of one that is due is that of its climb.
    assert {
        f"page_{name}" for name in set(Page.__struct_fields__) - OWN_OF_PAGE - {"ended", "occurrence"}
    } <= grouped
    assert SHARED - {"group"} <= grouped


def test_whoever_adds_to_what_a_decision_may_know_says_whether_alerts_that_stand_alike_may_differ_in_it():
    assert set(Alert.__struct_fields__) - SHARED == {
        "id", "number", "identity", "summary", "alertname", "request_count", "truncated", "started_at", "ended_at",
        "acknowledged_at", "acknowledged_by", "resolved_at", "snoozed_until", "last_received_at", "delivery_id",
        "unpaged", "content", "created_at", "members",
    }  # fmt: skip
    assert set(Facts.__struct_fields__) == {
        "directory", "alert", "escalations", "pages", "sent", "labels", "service_ids", "targets", "turns", "leaders",
    }  # fmt: skip
