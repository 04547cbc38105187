"""What stands between a page and a person, asked before the night; and which notices of shifts are due."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nightbell.core.directory import ContactMethod, NotificationRule, User
from nightbell.core.noticing import ALARM, BEGINS, ENDS, GATE, UNREACHABLE, UPCOMING, Duty, Wishes, due
from nightbell.core.readiness import problems, ready

SMS, MAIL, INBOX = UUID(int=1), UUID(int=2), UUID(int=3)
KINDS = {SMS: "sms", MAIL: "email", INBOX: "inbox"}


def person(
    *verified: UUID, unverified: tuple[UUID, ...] = (), rules: tuple[UUID, ...] = (), active: bool = True
):
    methods = {
        one: ContactMethod(id=one, kind=KINDS[one], verified=one in verified)
        for one in (*verified, *unverified)
    }
    return User(
        id=1, name="Ana", role="user", active=active, methods=methods,
        rules=tuple(NotificationRule(method_id=one, loudness="audible", delay_minutes=0) for one in rules),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("user", "failing", "codes", "able"),
    [
        (person(SMS, rules=(SMS,)), {}, [], True),
        (None, {}, ["gone"], False),
        (person(SMS, rules=(SMS,), active=False), {}, ["gone"], False),
        (person(), {}, ["no_method"], False),
        (person(unverified=(SMS,)), {}, ["none_verified"], False),
        (person(SMS), {}, ["no_rule"], True),
        (person(INBOX, rules=(INBOX,)), {}, ["only_inbox"], True),
        (person(SMS, unverified=(MAIL,), rules=(SMS, MAIL)), {}, ["unverified"], True),
        (person(SMS, MAIL, rules=(SMS, MAIL)), {SMS: "dead"}, ["failing"], True),
        (person(SMS, MAIL, rules=(SMS, MAIL)), {SMS: "dead", MAIL: "550"}, ["failing", "failing"], False),
        (person(SMS, INBOX, rules=(SMS, INBOX)), {SMS: "dead"}, ["failing"], False),
        (person(SMS, MAIL, rules=(SMS,)), {MAIL: "550"}, [], True),
    ],
)
def test_what_is_wrong_is_named_and_what_is_grave_comes_first(user, failing, codes, able):
    found = problems(user, failing)
    assert [one.code for one in found] == codes
    assert ready(user, failing) is able
    assert [one.grave for one in found] == sorted((one.grave for one in found), reverse=True)


START = datetime(2027, 1, 4, 9, tzinfo=UTC)
DUTY = Duty(schedule_id=UUID(int=9), user_id=1, start=START, end=START + timedelta(hours=12))
DAY_AND_HOUR = Wishes(hours=(24, 1))


@pytest.mark.parametrize(
    ("hours", "kinds"),
    [
        (-30, []),
        (-24, [(UPCOMING, 24), (UNREACHABLE, 24)]),
        (-3, [(UPCOMING, 24), (UNREACHABLE, 24)]),
        (-2, [(UPCOMING, 24), (UNREACHABLE, 2)]),
        (-0.5, [(UPCOMING, 1), (UNREACHABLE, 2)]),
        (0, [(BEGINS, 0), (ALARM, 0)]),
        (2, [(ALARM, 0)]),
        (12, [(ENDS, 0)]),
        (13, []),
    ],
)
def test_each_notice_has_its_time(hours, kinds):
    found, _ = due([DUTY], {1: DAY_AND_HOUR}, START + timedelta(hours=hours))
    assert [(one.kind, one.hours) for one in found] == kinds


def test_whoever_wants_none_gets_only_what_nobody_may_miss():
    none = Wishes(hours=(), handoffs=False)
    assert [n.kind for n in due([DUTY], {1: none}, START)[0]] == [ALARM]
    assert [n.kind for n in due([DUTY], {1: none}, START - timedelta(hours=1))[0]] == [UNREACHABLE]
    assert due([DUTY], {1: none}, DUTY.end)[0] == []


@given(st.lists(st.integers(1, 168), max_size=4, unique=True), st.integers(-200, 20))
def test_who_looks_at_every_promised_instant_misses_nothing(hours, offset):
    """From one "next" to the following, every reminder of the duty is due exactly once."""
    wishes, now = {1: Wishes(hours=tuple(hours))}, START + timedelta(hours=offset, minutes=7)
    seen: set[tuple[str, int]] = set()
    for _ in range(20):
        found, following = due([DUTY], wishes, now)
        seen |= {(one.kind, one.hours) for one in found}
        if following is None:
            break
        assert following > now
        now = following
    begun = START + timedelta(hours=offset, minutes=7)
    ahead = {(UPCOMING, h) for h in hours if START - timedelta(hours=h) >= begun}
    gates = {(UNREACHABLE, h) for h in GATE if START - timedelta(hours=h) >= begun}
    assert ahead | gates <= seen
    if begun < DUTY.end:
        assert (ENDS, 0) in seen
