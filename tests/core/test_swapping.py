"""Swaps: one asks, the other says yes, and only then anything changes."""

from uuid import UUID

import pytest
from msgspec.structs import replace

from nightbell.core.calendar import Span
from nightbell.core.errors import Forbidden, Stale
from nightbell.core.oncall import on_call
from nightbell.core.swapping import (
    Swap,
    SwapState,
    declined,
    errors_in_swap,
    exchanges,
    expired,
    taken,
    withdrawn,
)
from support.schedules import ANA, BEN, CAL, DAY, HOUR, at, rotation, schedule

NOW = at("2027-06-07T00:00")
DAILY = schedule(rotation(ANA, BEN, CAL))
SWAP = Swap(
    id=UUID(int=3),
    schedule_id=DAILY.id,
    requester=ANA,
    taker=BEN,
    start=at("2027-06-07T12:00"),
    end=at("2027-06-07T18:00"),
)


def serving(swap: Swap, when: str) -> frozenset[int]:
    return on_call(replace(DAILY, swaps=exchanges(swap)), at(when))


def test_a_swap_changes_nothing_until_the_other_says_yes():
    assert exchanges(SWAP) == ()
    yes = taken(SWAP, by=BEN, now=NOW)
    assert [serving(yes, when) for when in ("2027-06-07T11:00", "2027-06-07T12:00", "2027-06-07T18:00")] == [
        {ANA},
        {BEN},
        {ANA},
    ]
    for no in (declined(SWAP, by=BEN, now=NOW), withdrawn(SWAP, by=ANA, now=NOW)):
        assert exchanges(no) == ()


def test_a_swap_in_return_changes_both():
    both = replace(SWAP, in_return=Span(at("2027-06-08T09:00"), at("2027-06-08T15:00")))
    first, second = exchanges(taken(both, by=BEN, now=NOW))
    assert first.id == both.id != second.id
    yes = taken(both, by=BEN, now=NOW)
    assert [serving(yes, when) for when in ("2027-06-07T12:00", "2027-06-08T09:00", "2027-06-08T15:00")] == [
        {BEN},
        {ANA},
        {BEN},
    ]


def test_an_open_swap_is_anybody_s_once():
    anybody = replace(SWAP, taker=None)
    yes = taken(anybody, by=CAL, now=NOW)
    assert (yes.taker, yes.state) == (CAL, SwapState.TAKEN)
    with pytest.raises(Stale):
        taken(yes, by=BEN, now=NOW)
    with pytest.raises(Forbidden):
        declined(anybody, by=CAL, now=NOW)


@pytest.mark.parametrize(
    ("act", "by"), [(taken, CAL), (taken, ANA), (declined, ANA), (declined, CAL), (withdrawn, BEN)]
)
def test_nobody_answers_for_another(act, by):
    with pytest.raises(Forbidden):
        act(SWAP, by=by, now=NOW)


def test_nobody_takes_their_own():
    with pytest.raises(Forbidden):
        taken(replace(SWAP, taker=None), by=ANA, now=NOW)


def test_a_swap_is_over_when_it_would_begin():
    assert not expired(SWAP, now=SWAP.start - HOUR)
    assert expired(SWAP, now=SWAP.start)
    assert expired(replace(SWAP, in_return=Span(NOW, NOW + HOUR)), now=NOW)
    for act, by in ((taken, BEN), (declined, BEN), (withdrawn, ANA)):
        with pytest.raises(Stale):
            act(SWAP, by=by, now=SWAP.start)
    assert not expired(taken(SWAP, by=BEN, now=NOW), now=SWAP.start)


def test_what_is_wrong_with_a_swap_is_said_field_by_field():
    def wrong(**changes) -> list[str]:
        return [error.place for error in errors_in_swap(DAILY, replace(SWAP, **changes), now=NOW)]

    assert wrong() == []
    assert wrong(taker=None) == []
    assert wrong(taker=ANA) == ["taker_user_id"]
    assert wrong(end=SWAP.start) == ["ends_at"]
    assert wrong(start=NOW - HOUR) == ["starts_at"]
    assert [error.place for error in errors_in_swap(DAILY, SWAP, now=SWAP.start)] == []
    assert wrong(start=SWAP.start + DAY, end=SWAP.end + DAY) == ["starts_at"]
    back = Span(at("2027-06-08T09:00"), at("2027-06-08T15:00"))
    assert wrong(in_return=back) == []
    assert wrong(taker=None, in_return=back) == ["taker_user_id"]
    assert wrong(in_return=Span(back.start + DAY, back.end + DAY)) == ["in_return.starts_at"]
    assert wrong(in_return=Span(back.end, back.start)) == ["in_return.ends_at"]
