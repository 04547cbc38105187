"""How far a message came: reports in any order, twice or late, end in the same state."""

from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nightbell.core.receipt import FINAL, Stage, after, further, state_after

STAGES = [stage for stage in Stage if stage is not Stage.NONE]


def told(state: str, stages: list[Stage]) -> tuple[str, Stage, int]:
    """Return where a message ends that is told of so, and how often it failed anew."""
    known, failures = Stage.NONE, 0
    for said in stages:
        progress = after(known, said)
        if progress.moved or state == "unknown":
            state = state_after(state, progress.stage)
        known, failures = progress.stage, failures + progress.newly_failed
    return state, known, failures


@given(
    st.sampled_from(["sent", "unknown"]), st.lists(st.sampled_from(STAGES), min_size=1, max_size=6), st.data()
)
def test_reports_in_any_order_or_twice_end_in_the_same_state(state, stages, data):
    shuffled = data.draw(st.permutations(stages + data.draw(st.lists(st.sampled_from(stages)))))
    assert told(state, stages)[:2] == told(state, shuffled)[:2]


@given(st.lists(st.sampled_from(STAGES), max_size=8))
def test_a_message_fails_over_once_at_most(stages):
    assert told("sent", stages)[2] <= 1


@given(st.sampled_from(list(Stage)), st.sampled_from(list(Stage)), st.sampled_from(list(Stage)))
def test_stages_are_a_join(a, b, c):
    assert further(a, a) is a
    assert further(a, b) is further(b, a)
    assert further(further(a, b), c) is further(a, further(b, c))


def test_a_failure_says_nothing_against_a_person_who_answered():
    for proof in (Stage.DELIVERED, Stage.SEEN, Stage.ACKNOWLEDGED):
        for order in permutations((proof, Stage.FAILED, Stage.ACCEPTED)):
            assert told("sent", list(order))[:2] == ("sent", proof)


@pytest.mark.parametrize(
    ("state", "stage", "expected"),
    [
        ("sent", Stage.FAILED, "refused"),
        ("unknown", Stage.ACCEPTED, "sent"),
        ("unknown", Stage.FAILED, "refused"),
        ("waiting", Stage.DELIVERED, "sent"),
        ("refused", Stage.DELIVERED, "sent"),
        ("sending", Stage.DELIVERED, "sending"),
        ("canceled", Stage.DELIVERED, "canceled"),
        ("sent", Stage.HANDED_OVER, "sent"),
    ],
)
def test_what_a_report_makes_of_a_message(state, stage, expected):
    assert state_after(state, stage) == expected


def test_the_provider_is_asked_until_the_end_is_known():
    assert {Stage.FAILED, Stage.DELIVERED, Stage.SEEN, Stage.ACKNOWLEDGED} == FINAL
