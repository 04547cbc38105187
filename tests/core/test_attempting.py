"""What follows from one attempt to deliver a message."""

from datetime import timedelta
from uuid import UUID

import pytest

from nightbell.core.attempting import LONGEST_WAIT, WAITS, after_attempt
from nightbell.core.delivery import Refused, Retry, Sent, Unsure
from support.pure import NOW

IDENT = UUID(int=12345)


def after(outcome, attempt=1, ident=IDENT):
    return after_attempt(outcome, attempt=attempt, ident=ident, now=NOW)


# answer                 state      outcome    fails over, in doubt
@pytest.mark.parametrize(
    ("answer", "state", "outcome", "fail_over", "doubtful"),
    [
        (Sent(provider_id="x"),  "sent",    "sent",    False,  False),
        (Refused(why="no"),      "refused", "refused", True,   False),
        (Unsure(why="silence"),  "unknown", "unknown", True,   True),
        (Retry(why="503"),       "waiting", "retry",   False,  False),
    ],
)  # fmt: skip
def test_what_an_answer_means(answer, state, outcome, fail_over, doubtful):
    following = after(answer)
    assert (following.state, following.outcome, following.fail_over, following.doubtful) == (
        state, outcome, fail_over, doubtful,
    )  # fmt: skip
    assert (following.send_at is not None) == (state == "waiting")


def test_waits_grow_and_scatter_by_a_fifth():
    for attempt, wait in enumerate(WAITS, start=1):
        sent = after(Retry(why="503"), attempt).send_at
        assert sent is not None
        assert 0.8 * wait <= (sent - NOW).total_seconds() <= 1.2 * wait


def test_the_same_message_waits_as_long_in_a_replay():
    assert after(Retry(why="503"), 3) == after(Retry(why="503"), 3)
    assert after(Retry(why="503"), 3).send_at != after(Retry(why="503"), 3, UUID(int=5)).send_at


def test_after_the_last_try_a_message_is_given_up_and_fails_over():
    assert after(Retry(why="503"), len(WAITS)).state == "waiting"
    over = after(Retry(why="503"), len(WAITS) + 1)
    assert (over.state, over.fail_over) == ("refused", True)
    assert "503" in over.why


@pytest.mark.parametrize(("asked", "wait"), [(7, 7), (3600, 600)])
def test_the_provider_may_say_how_long_up_to_ten_minutes(asked, wait):
    sent = after(Retry(why="429", after=timedelta(seconds=asked))).send_at
    assert sent == NOW + timedelta(seconds=wait) <= NOW + LONGEST_WAIT


@pytest.mark.parametrize(
    ("attempt", "asked", "fail_over"),
    [(1, None, False), (2, None, True), (3, None, False), (1, 5, False), (1, 6, True), (1, 60, True)],
)
def test_a_wait_that_is_long_or_not_the_first_uses_the_next_method_meanwhile(attempt, asked, fail_over):
    answer = Retry(why="x", after=timedelta(seconds=asked) if asked else None)
    assert after(answer, attempt).fail_over is fail_over
