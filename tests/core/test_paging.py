"""Which contact methods a page uses at which minute."""

from uuid import UUID

import pytest
from msgspec.structs import replace

from nightbell.core import paging
from nightbell.core.paging import Page, Sent
from support.pure import NOW, at, user


def page(*, progress=-1, began=0):
    return Page(
        id=UUID(int=1),
        alert_id=UUID(int=2),
        escalation_id=UUID(int=3),
        user_id=1,
        occurrence=1,
        level=1,
        cycle=1,
        loudness="audible",
        ended=False,
        progress=progress,
        wake_at=None,
        created_at=at(began),
    )


def sent(ana, kind, minute):
    method = next(m for m in ana.methods.values() if m.kind == kind)
    return Sent(
        page_id=None, user_id=1, contact_method_id=method.id, kind=kind, state="sent", created_at=at(minute)
    )


def used(step):
    return [m.kind for m in step.methods]


THREE = user(1, ("sms", 0), ("voice", 0), ("sms", 30))


# progress   minute   methods             progress after, wake
@pytest.mark.parametrize(
    ("progress", "minute", "kinds", "after", "wake"),
    [
        (-1,       0,       ["sms", "voice"],   0,              30),
        (0,        1,       [],                 0,              30),
        (0,        29.99,   [],                 0,              30),
        (0,        30,      ["sms"],            30,             None),
        (0,        500,     ["sms"],            30,             None),
        (-1,       500,     ["sms", "voice"],   30,             None),
        (30,       31,      [],                 30,             None),
    ],
)  # fmt: skip
def test_rules_are_used_when_their_minute_has_come(progress, minute, kinds, after, wake):
    step = paging.step(page(progress=progress), THREE, (), at(minute))
    assert used(step) == kinds
    assert (step.page.progress, step.page.wake_at) == (after, None if wake is None else at(wake))


def test_a_person_whose_first_rule_comes_later_is_left_until_then():
    step = paging.step(page(), user(1, ("sms", 5)), (), NOW)
    assert used(step) == [] and step.page.wake_at == at(5)


def test_two_rules_of_one_method_that_fell_due_together_are_one_message():
    step = paging.step(page(), user(1, ("sms", 1), ("sms", 2)), (), at(3))
    assert used(step) == ["sms"] and step.page.progress == 2


def test_a_later_rule_is_silent_where_another_page_used_the_method_within_the_minute():
    assert used(paging.step(page(progress=0), THREE, [sent(THREE, "sms", 29.5)], at(30))) == []
    assert used(paging.step(page(progress=0), THREE, [sent(THREE, "sms", 29)], at(30))) == ["sms"]
    assert used(paging.step(page(progress=0), THREE, [sent(THREE, "voice", 29.5)], at(30))) == ["sms"]


def test_a_first_rule_is_never_silent():
    assert used(paging.step(page(), THREE, [sent(THREE, "sms", 0)], NOW)) == ["sms", "voice"]


def test_a_rule_added_meanwhile_counts_if_its_minute_is_still_to_come():
    before, now = user(1, ("sms", 0)), user(1, ("sms", 0), ("voice", 0), ("voice", 30))
    step = paging.step(page(), before, (), NOW)
    step = paging.step(step.page, now, (), at(1))
    assert used(step) == [] and step.page.wake_at == at(30)
    assert used(paging.step(step.page, now, (), at(30))) == ["voice"]


def test_a_rule_taken_away_meanwhile_is_not_used():
    step = paging.step(page(progress=0), user(1, ("sms", 0)), (), at(30))
    assert used(step) == [] and step.page.wake_at is None


def unverified(one, kind):
    methods = {i: replace(m, verified=m.verified and m.kind != kind) for i, m in one.methods.items()}
    return replace(one, methods=methods)


def test_an_unverified_method_is_never_used():
    assert used(paging.step(page(), unverified(THREE, "sms"), (), NOW)) == ["voice"]


def test_without_a_usable_rule_every_verified_method_is_used_at_once():
    ana = unverified(user(1, ("sms", 9), methods=("email", "voice")), "sms")
    assert used(paging.step(page(), ana, (), NOW)) == ["email", "voice"]


def test_rules_of_the_other_loudness_do_not_count():
    quiet = replace(THREE, rules=tuple(replace(r, loudness="quiet") for r in THREE.rules))
    step = paging.step(page(), quiet, (), NOW)
    assert used(step) == ["sms", "voice"] and step.page.wake_at is None


@pytest.mark.parametrize(
    ("who", "reachable"),
    [
        (None, False),
        (user(1), False),
        (THREE, True),
        (replace(THREE, active=False), False),
        (unverified(user(1, ("sms", 0)), "sms"), False),
        (user(1, methods=("email",)), True),
        (user(1, ("sms", 30)), True),
    ],
)
def test_who_can_be_reached(who, reachable):
    assert paging.reachable(who, "audible") is reachable


def test_the_next_method_is_the_next_rule_and_then_any_other():
    ana = user(1, ("sms", 0), ("voice", 10), methods=("email",))
    by_kind = {m.kind: m.id for m in ana.methods.values()}
    tried: set[UUID] = set()
    order = []
    while method := paging.next_method(ana, "audible", tried):
        order.append(method.kind)
        tried.add(by_kind[method.kind])
    assert order == ["sms", "voice", "email"]


def test_the_next_method_is_never_one_that_was_not_verified():
    ana = unverified(unverified(THREE, "voice"), "sms")
    assert paging.next_method(ana, "audible", set()) is None


def test_what_is_about_nothing_is_what_the_table_says_of_it():
    """The column's default (0009_notifying.sql): rows and programs must mean the same by it."""
    assert str(paging.NOTHING) == "00000000-0000-0000-0000-000000000000"
