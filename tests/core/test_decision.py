"""The line as a whole, one event at a time: what the journal says and who is paged."""

from uuid import UUID

import pytest
from msgspec.structs import replace

from nightbell.core.alert import Status
from nightbell.core.errors import Invalid, Stale
from nightbell.core.events import Acknowledge, Due, Escalate, Note, Reassign, Resolve, Snooze
from nightbell.core.journal import person
from nightbell.core.paging import Page, next_method, step
from nightbell.core.urgency import urgency
from support.pure import World, at, directory, minter, on, policy, report, signal, source, to, user

ANA, BEN, CAL = (person(n, f"user {n}") for n in (1, 2, 3))


def world(*levels, repeat=0, **more):
    levels = levels or (([on(1)], 10), ([on(2)], 10))
    return World(
        directory(
            user(1, ("sms", 0), ("voice", 5)),
            user(2, ("sms", 0)),
            user(3, ("sms", 0)),
            user(4),
            policy(0x10, *levels, repeat=repeat),
            policy(0x11, ([on(3)], 10)),
            source(default_target=to("EscalationPolicy", 0x10)),
            **more,
        )
    )


def test_a_new_alert_is_told_routed_and_paged_in_this_order():
    night = world()
    decision = night.reported(signal())
    assert night.codes == ["alert.created", "escalation.started", "page.created"]
    assert (decision.what, decision.is_new, decision.touch, decision.cancel) == (
        "created",
        True,
        False,
        False,
    )
    assert night.paged == [(0, 1, "sms")]


def test_every_line_of_the_journal_has_a_reason_and_ids_that_sort_as_they_were_said():
    night = world()
    night.reported(signal())
    night.left_alone()
    entries = [entry for decision in night.decisions for entry in decision.entries]
    assert all(entry.details and entry.code and entry.action for entry in entries)
    assert all(entry.because for entry in entries if entry.code != "note")


def test_a_repeat_touches_the_counters_and_nothing_else():
    night = world()
    for minutes in range(4):
        night.reported(signal(), minutes=minutes)
    assert [d.what for d in night.decisions] == ["created", "repeated", "repeated", "repeated"]
    assert [d.touch for d in night.decisions] == [False, False, True, True]
    assert night.alert.request_count == 4


def test_a_page_that_moves_without_a_word_is_not_a_touch():
    night = world()
    night.reported(signal())
    decision = night.happens(Due(), minutes=5)
    assert (decision.entries, decision.touch) == ((), False)
    assert night.paged[-1] == (5, 1, "voice")


def test_a_resolve_of_nothing_known_decides_nothing():
    assert world().reported(signal(ends=3)) is None


# status          act                                     becomes, or refuses
ACTS = [
    ("open",         Acknowledge(by=ANA),                    Stale),
    ("open",         Resolve(by=ANA),                        Status.RESOLVED),
    ("open",         Snooze(by=ANA, until=at(60)),           Stale),
    ("open",         Escalate(by=ANA),                       Stale),
    ("open",         Escalate(by=ANA, policy=to("EscalationPolicy", 0x11)), Status.TRIGGERED),
    ("open",         Reassign(by=ANA, targets=(to("User", 3),)),            Status.TRIGGERED),
    ("open",         Note(by=ANA, text="x"),                 Status.OPEN),
    ("triggered",    Acknowledge(by=ANA),                    Status.ACKNOWLEDGED),
    ("triggered",    Resolve(by=ANA),                        Status.RESOLVED),
    ("triggered",    Snooze(by=ANA, until=at(60)),           Status.ACKNOWLEDGED),
    ("triggered",    Snooze(by=ANA, until=at(1)),            Invalid),
    ("triggered",    Escalate(by=ANA),                       Status.TRIGGERED),
    ("triggered",    Escalate(by=ANA, level=2),              Status.TRIGGERED),
    ("triggered",    Escalate(by=ANA, level=0),              Invalid),
    ("triggered",    Escalate(by=ANA, level=3),              Invalid),
    ("triggered",    Escalate(by=ANA, policy=to("EscalationPolicy", 0x11), level=2), Invalid),
    ("triggered",    Reassign(by=ANA, targets=()),           Invalid),
    ("acknowledged", Acknowledge(by=BEN),                    Status.ACKNOWLEDGED),
    ("acknowledged", Escalate(by=ANA),                       Status.TRIGGERED),
    ("acknowledged", Snooze(by=ANA, until=at(60)),           Status.ACKNOWLEDGED),
    ("acknowledged", Resolve(by=ANA),                        Status.RESOLVED),
    ("acknowledged", Reassign(by=ANA, targets=(to("User", 3),)),            Status.TRIGGERED),
    ("resolved",     Acknowledge(by=ANA),                    Stale),
    ("resolved",     Resolve(by=ANA),                        Status.RESOLVED),
    ("resolved",     Snooze(by=ANA, until=at(60)),           Stale),
    ("resolved",     Escalate(by=ANA),                       Stale),
    ("resolved",     Reassign(by=ANA, targets=(to("User", 3),)),            Stale),
    ("resolved",     Note(by=ANA, text="x"),                 Status.RESOLVED),
]  # fmt: skip


@pytest.mark.parametrize(("status", "act", "becomes"), ACTS)
def test_what_a_person_can_do_to_an_alert(status, act, becomes):
    night = world()
    night.reported(signal(), declared_status="open" if status == "open" else None)
    if status == "acknowledged":
        night.happens(Acknowledge(by=ANA), minutes=1)
    if status == "resolved":
        night.reported(signal(ends=1), minutes=1)
    assert night.alert.status == status
    before = night.facts
    if isinstance(becomes, Status):
        night.happens(act, minutes=2)
        assert night.alert.status is becomes
    else:
        with pytest.raises(becomes):
            night.happens(act, minutes=2)
        assert night.facts is before


def test_escalating_pages_the_next_level_and_from_the_last_the_first():
    night = world()
    night.reported(signal())
    for minutes in (1, 2, 3):
        night.happens(Escalate(by=ANA), minutes=minutes)
    assert [p for p in night.paged if p[2] == "sms"] == [
        (0, 1, "sms"),
        (1, 2, "sms"),
        (2, 1, "sms"),
        (3, 2, "sms"),
    ]


def test_after_an_escalation_the_climb_goes_on_from_there():
    night = world(([on(1)], 10), ([on(2)], 10), ([on(3)], 10))
    night.reported(signal())
    night.happens(Escalate(by=ANA), minutes=4)
    night.left_alone()
    assert (14, 3, "sms") in night.paged


@pytest.mark.parametrize(("as_of", "pages"), [(0, 1), (1, 2), (2, 2), (None, 2)])
def test_an_escalation_as_of_an_older_page_does_nothing(as_of, pages):
    night = world()
    night.reported(signal())
    night.happens(Escalate(by=ANA, as_of=as_of))
    assert len(night.paged) == pages


def test_the_second_acknowledgement_changes_nothing():
    night = world()
    night.reported(signal())
    night.happens(Acknowledge(by=ANA), minutes=1)
    decision = night.happens(Acknowledge(by=BEN), minutes=1)
    assert (decision.what, decision.entries, decision.touch) == ("already_acknowledged", (), True)
    assert night.alert.acknowledged_by == 1


def test_acknowledging_holds_the_climb_for_good_and_snoozing_until_then():
    night = world()
    night.reported(signal())
    night.happens(Acknowledge(by=ANA), minutes=1)
    assert night.next_wake() is None
    night.happens(Snooze(by=ANA, until=at(31)), minutes=1)
    assert night.next_wake() == at(31)
    night.left_alone(until=31)
    assert night.alert.status is Status.TRIGGERED
    assert night.paged[-1] == (31, 1, "sms")


def test_those_who_were_paged_are_told_of_the_end_and_whoever_caused_it_is_not():
    night = world(([on(1), on(2)], 10))
    night.reported(signal())
    decision = night.happens(Resolve(by=BEN), minutes=1)
    assert [(n.purpose, n.user_id, n.kind) for n in decision.notifications] == [("update", 1, "sms")]
    assert decision.cancel


def test_a_refused_message_goes_on_with_the_next_method():
    night = world()
    night.reported(signal())
    night.failed(1)
    assert night.paged == [(0, 1, "sms"), (0, 1, "voice")]
    assert night.codes[-1] == "page.failover"


def test_without_another_method_whoever_was_perhaps_not_reached_is_a_skipped_target():
    for state, people in (("sent", [2]), ("waiting", [2]), ("unknown", [2, 3]), ("refused", [2, 3])):
        night = world(([on(2)], 10), ([on(3)], 10))
        night.reported(signal())
        night.failed(2, state=state)
        assert [who for _, who, _ in night.paged] == people


def test_a_message_that_fails_after_somebody_took_the_alert_wakes_nobody():
    night = world()
    night.reported(signal())
    night.happens(Acknowledge(by=ANA), minutes=1)
    night.failed(1)
    assert night.paged == [(0, 1, "sms")]


@pytest.mark.parametrize(
    ("fallback", "paged", "outcome"),
    [((3,), [(0, 3, "sms")], "paged"), ((), [], "nobody"), ((4,), [], "nobody")],
)
def test_a_climb_that_reaches_no_one_pages_the_fallback_or_says_so(fallback, paged, outcome):
    night = world(([on(4)], 10), fallback_user_ids=fallback)
    decision = night.reported(signal())
    assert night.paged == paged
    assert decision and (decision.fallback, night.alert.unpaged) == (outcome, True)


def test_a_typo_in_every_target_flags_the_alert():
    night = World(directory(user(1, ("sms", 0)), source()))
    decision = night.reported(signal(), url=("User", "99"))
    assert decision and decision.fallback == "nobody"
    assert (night.alert.status, night.alert.unpaged) == (Status.OPEN, True)


def test_a_reopened_alert_is_not_flagged_for_its_last_night():
    night = world(([on(4)], 10))
    night.reported(signal())
    night.reported(signal(ends=5), minutes=6)
    assert night.alert.unpaged
    night.facts = replace(night.facts, directory=world().facts.directory)
    night.reported(signal(starts=20), minutes=21)
    assert not night.alert.unpaged and night.paged[-1] == (21, 1, "sms")


def test_a_doubtful_firing_is_held_and_then_paged():
    night = world()
    night.reported(signal())
    night.reported(signal(ends=5), minutes=6)
    night.reported(signal(), minutes=7)
    assert night.alert.status is Status.TRIGGERED and night.paged == [(0, 1, "sms")]
    night.left_alone(until=8)
    assert night.paged[1:] == [(8, 1, "sms")]


def test_a_new_member_of_an_acknowledged_alert_pages_again_unless_the_source_says_no():
    for repages, pages in ((True, 2), (False, 1)):
        night = world()
        sender = source(default_target=to("EscalationPolicy", 0x10), repage_new_members=repages)
        night.facts = replace(
            night.facts, directory=replace(night.facts.directory, sources={sender.id: sender})
        )
        night.reported(signal("a"))
        night.happens(Acknowledge(by=ANA), minutes=1)
        night.reported(signal("a"), signal("b"), minutes=2)
        assert len(night.paged) == pages


@pytest.mark.parametrize("declared", ["banana", 7, [], {}, False])
def test_an_unknown_declared_status_is_said_and_ignored(declared):
    night = world()
    night.reported(signal(), declared_status=declared)
    assert "signal.bad_status" in night.codes and night.alert.status is Status.TRIGGERED


def test_the_urgency_is_that_of_a_rule_then_of_the_source_then_of_the_service_then_the_loudest():
    sent = report(signal())
    assert urgency(sent.unit, sent.envelope, source(), (), directory()) == directory().urgencies[0]
    own = source(urgency_id=minter()())
    assert urgency(sent.unit, sent.envelope, own, (), directory()) == own.urgency_id
    assert urgency(sent.unit, sent.envelope, source(), (), directory(urgencies=())) is None


def test_an_alert_resolved_by_hand_fires_no_more_until_it_begins_anew():
    night = world()
    night.reported(signal("a"), signal("b"))
    decision = night.happens(Resolve(by=BEN), minutes=3)
    assert decision.alert.firing == () and len(decision.changes) == 2
    assert decision.past is not None
    assert (decision.past.started_at, decision.past.ended_at) == (at(0), at(3))
    again = night.reported(signal("a", starts=4), minutes=5)
    assert (again.what, again.alert.occurrence, len(again.alert.firing)) == ("reopened", 2, 1)


def test_an_episode_never_ends_before_it_began():
    night = world()
    night.reported(signal(starts=10))
    decision = night.happens(Resolve(by=BEN), minutes=3)
    assert decision.past is not None and decision.past.started_at <= decision.past.ended_at


def test_nobody_to_be_paged_at_all_leaves_the_people_of_last_resort():
    night = World(
        directory(
            user(1, ("sms", 0)), user(4, active=False), policy(0x10, ([on(4)], 10)),
            source(default_target=to("EscalationPolicy", 0x10)), fallback_user_ids=(1,),
        )
    )  # fmt: skip
    night.reported(signal())
    assert [who for _, who, _ in night.paged] == [1]


def test_a_page_wakes_at_the_earliest_rule_that_is_left_and_uses_the_browser_last():
    one = user(1, ("sms", 0), ("voice", 15), ("email", 5), methods=("inbox", "push"))
    page = Page(
        id=UUID(int=1), alert_id=UUID(int=2), escalation_id=UUID(int=3), user_id=1, occurrence=1, level=1, cycle=1,
        loudness="audible", ended=False, progress=-1, wake_at=None, created_at=at(0),
    )  # fmt: skip
    first = step(page, one, (), at(0))
    assert [m.kind for m in first.methods] == ["sms"] and first.page.wake_at == at(5)
    tried: list[str] = []
    while method := next_method(one, "audible", {m.id for m in one.methods.values() if m.kind in tried}):
        tried.append(method.kind)
    assert tried[-1] == "inbox" and sorted(tried) == ["email", "inbox", "push", "sms", "voice"]
