"""How many go out in a while, and that whatever waits goes later."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nightbell.core.throttling import INSTALLATION, METHOD, Throttle, Use, Wish, sentence, turns

NOW = datetime(2027, 1, 1, tzinfo=UTC)
ANA, BO = UUID(int=1), UUID(int=2)
ONE_A_MINUTE = Throttle(kind="sms", scope=METHOD, most=1, seconds=60)


def wish(n: int, whom: UUID = ANA, kind: str = "sms") -> Wish:
    return Wish(id=UUID(int=100 + n), kind=kind, contact_method_id=whom)


def used(seconds_ago: float, whom: UUID = ANA, kind: str = "sms") -> Use:
    return Use(kind=kind, contact_method_id=whom, at=NOW - timedelta(seconds=seconds_ago))


@pytest.mark.parametrize(
    ("throttle", "uses", "goes", "waits"),
    [
        (ONE_A_MINUTE, [], 1, 0),
        (ONE_A_MINUTE, [used(59)], 0, 1),
        (ONE_A_MINUTE, [used(60)], 1, 0),
        (ONE_A_MINUTE, [used(10, BO)], 1, 0),
        (ONE_A_MINUTE, [used(10, kind="voice")], 1, 0),
        (Throttle(kind="sms", scope=METHOD, most=2, seconds=60), [used(50), used(10)], 0, 10),
        (Throttle(kind="sms", scope=METHOD, most=2, seconds=60), [used(50)], 1, 0),
        (Throttle(kind="sms", scope=INSTALLATION, most=1, seconds=60), [used(10, BO)], 0, 50),
        (Throttle(kind="voice", scope=METHOD, most=1, seconds=60), [used(10)], 1, 0),
        # A clock that was set back an hour: never longer than the throttle itself.
        (ONE_A_MINUTE, [used(-3600)], 0, 60),
    ],
)
def test_a_message_goes_or_waits_for_its_turn(throttle, uses, goes, waits):
    decided = turns([wish(0)], uses, [throttle], NOW)
    assert len(decided.go) == goes
    expected = {} if goes else {wish(0).id: NOW + timedelta(seconds=waits)}
    assert decided.wait == expected


def test_the_longest_of_several_throttles_holds():
    both = [ONE_A_MINUTE, Throttle(kind="sms", scope=METHOD, most=2, seconds=600)]
    decided = turns([wish(0)], [used(30), used(40)], both, NOW)
    assert decided.wait == {wish(0).id: NOW + timedelta(seconds=560)}


def test_first_come_first_served():
    decided = turns([wish(0), wish(1), wish(2, BO)], [], [ONE_A_MINUTE], NOW)
    assert decided.go == (wish(0).id, wish(2).id)


throttles = st.builds(
    Throttle,
    kind=st.sampled_from(["sms", "voice"]),
    scope=st.sampled_from([METHOD, INSTALLATION]),
    most=st.integers(1, 4),
    seconds=st.integers(1, 120),
)
wishes = st.lists(st.tuples(st.sampled_from([ANA, BO]), st.sampled_from(["sms", "voice"])), max_size=12)


@given(wishes, st.lists(throttles, max_size=3))
def test_throttling_delays_and_never_loses(asked, limits):
    """Let time pass from one promised instant to the next: everything goes, and never more than allowed at once."""
    waiting = [wish(n, whom, kind) for n, (whom, kind) in enumerate(asked)]
    uses: list[Use] = []
    gone: list[UUID] = []
    now = NOW
    for _ in range(len(waiting) + 1):
        decided = turns(waiting, uses, limits, now)
        assert set(decided.go) | decided.wait.keys() == {w.id for w in waiting}
        assert not set(decided.go) & decided.wait.keys()
        assert all(until > now for until in decided.wait.values())
        gone += decided.go
        uses += [
            Use(kind=w.kind, contact_method_id=w.contact_method_id, at=now)
            for w in waiting
            if w.id in decided.go
        ]
        for limit in limits:
            recent = [u for u in uses if u.kind == limit.kind and u.at > now - limit.span]
            by_method = [sum(u.contact_method_id == m for u in recent) for m in (ANA, BO)]
            assert max(by_method if limit.scope == METHOD else [len(recent)]) <= limit.most
        waiting = [w for w in waiting if w.id in decided.wait]
        if not waiting:
            break
        now = min(decided.wait.values())
    assert len(gone) == len(asked)


def test_a_throttle_says_what_it_is():
    assert sentence(ONE_A_MINUTE) == "at most 1 sms in 60 s to one contact method"
