"""How runs go on: what follows each answer, when a workflow goes round, and which loops are cut."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from nightbell.core import running
from nightbell.core.masking import LONGEST, masked
from nightbell.core.running import Answer, Do, Over, Run, Sleep, Status, StepStatus
from nightbell.core.workflow import Repeat, Task

NOW = datetime(2026, 11, 23, 2, tzinfo=UTC)  # a Monday
W, OTHER, ALERT, INCIDENT = (UUID(int=n) for n in range(1, 5))


def a_task(at, **more):
    return Task(id=UUID(int=at + 10), kind="deed", name="Deed", position=at + 1, params={}, **more)


def a_run(*tasks):
    return Run(id=UUID(int=9), status=Status.QUEUED, tasks=tasks)


def begun(run, now=NOW):
    following = running.next_step(run, now, UUID(int=99))
    assert isinstance(following, Do)
    return running.begun(run, following)


def answered(run, fared, now=NOW, **more):
    return running.after(run, Answer(fared=fared, **more), now)


def test_a_run_without_tasks_is_completed():
    following = running.next_step(a_run(), NOW, UUID(int=99))
    assert isinstance(following, Over)
    assert following.run.status is Status.COMPLETED


@pytest.mark.parametrize(
    ("fared", "skip", "status", "step"),
    [
        ("done", False, Status.COMPLETED, StepStatus.COMPLETED),
        ("failed", True, Status.WITH_ERRORS, StepStatus.FAILED),
        ("failed", False, Status.FAILED, StepStatus.FAILED),
        ("not_configured", False, Status.WITH_ERRORS, StepStatus.NOT_CONFIGURED),
        ("not_configured", True, Status.WITH_ERRORS, StepStatus.NOT_CONFIGURED),
    ],
)
def test_what_follows_an_answer_that_is_final(fared, skip, status, step):
    run, closed = answered(begun(a_run(a_task(0, skip_on_failure=skip))), fared, why="so")
    assert (closed.status, closed.ended_at, closed.why) == (step, NOW, "so")
    following = running.next_step(run, NOW, UUID(int=99))
    assert isinstance(following, Over)
    assert following.run.status is status


def test_a_retry_waits_as_long_as_the_task_says_or_longer_each_time():
    run, step = answered(begun(a_run(a_task(0))), "retry", attempts=9)
    assert (step.status, step.wake_at) == (StepStatus.WAITING, NOW + running.BACKOFF)
    assert running.next_step(run, NOW, UUID(int=99)) == Sleep(until=NOW + running.BACKOFF)
    run = begun(run, NOW + running.BACKOFF)
    assert run.step.attempts == 2
    run, step = answered(run, "retry", attempts=9, until=NOW + timedelta(hours=1))
    assert step.wake_at == NOW + timedelta(hours=1)


def test_the_last_attempt_that_does_not_work_has_failed():
    run, _ = answered(begun(a_run(a_task(0))), "retry", attempts=2, why="busy")
    run, step = answered(begun(run, NOW + timedelta(hours=1)), "retry", attempts=2, why="busy")
    assert (run.status, run.why) == (Status.FAILED, "Deed: Attempted 2 times. busy")
    assert step.status is StepStatus.FAILED


def test_to_wait_is_no_attempt():
    run = begun(a_run(a_task(0)))
    for _ in range(50):
        run, step = answered(run, "wait", until=NOW + timedelta(minutes=1))
        assert step.attempts == 0
        run = begun(run, NOW + timedelta(minutes=1))
    assert run.step.attempts == 1


def test_whoever_answers_nothing_is_refused():
    with pytest.raises(LookupError):
        answered(a_run(a_task(0)), "done")


def test_a_task_that_takes_the_process_down_is_given_up():
    run = begun(a_run(a_task(0)))
    for _ in range(20):
        if running.interrupted_too_often(run.step, 4):
            break
        run = begun(run)
    assert run.step.attempts == 4 + running.MOST_INTERRUPTED + 1


@pytest.mark.parametrize(
    ("repeat", "times", "now", "expected"),
    [
        (None, 0, NOW, None),
        (Repeat(every=timedelta(hours=1)), 1000, NOW, NOW + timedelta(hours=1)),
        (Repeat(every=timedelta(hours=1), times=2), 1, NOW, NOW + timedelta(hours=1)),
        (Repeat(every=timedelta(hours=1), times=2), 2, NOW, None),
        (Repeat(every=timedelta(hours=1), within=timedelta(hours=3)), 0, NOW + timedelta(hours=2), NOW + timedelta(hours=3)),
        (Repeat(every=timedelta(hours=1), within=timedelta(hours=3)), 0, NOW + timedelta(hours=2, minutes=1), None),
        (Repeat(every=timedelta(hours=1), days=("W",)), 0, NOW, datetime(2026, 11, 25, tzinfo=UTC)),
        (Repeat(every=timedelta(hours=1), days=("M", "T")), 0, NOW, NOW + timedelta(hours=1)),
        (Repeat(every=timedelta(hours=1), days=("M",)), 0, NOW + timedelta(hours=21, minutes=30), datetime(2026, 11, 30, tzinfo=UTC)),
    ],
)  # fmt: skip
def test_when_a_workflow_goes_round(repeat, times, now, expected):
    assert running.again(repeat, first=NOW, times=times, now=now) == expected


@pytest.mark.parametrize(
    ("depth", "chain", "cut"),
    [
        (0, (), False),
        (1, ((OTHER, ALERT),), False),
        (1, ((W, INCIDENT),), False),
        (1, ((W, ALERT),), True),
        (2, ((OTHER, INCIDENT), (W, ALERT)), True),
        (running.DEEPEST - 1, (), False),
        (running.DEEPEST, (), True),
    ],
)
def test_which_loops_are_cut(depth, chain, cut):
    assert running.loop(W, ALERT, depth, chain).startswith("Loop cut") is cut


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("plain words of a token", "plain words of a token"),
        ({"Authorization": "Bearer x"}, {"Authorization": "•••"}),
        (
            {"headers": '{"X-Api-Key": "abc", "Accept": "x"}'},
            {"headers": '{"X-Api-Key": •••, "Accept": "x"}'},
        ),
        ("Cookie: a=b; c=d\nHost: y", "Cookie: •••\nHost: y"),
        ("https://u:p@host/x?y=1", "https://•••@host/x?y=1"),
        ("https://host/?access_token=abc&y=1", "https://host/?access_token=•••&y=1"),
        ([{"password": "x", "n": 1}], [{"password": "•••", "n": 1}]),
        ({"password": ""}, {"password": ""}),
        (None, None),
        ("x" * (LONGEST + 1), "x" * LONGEST + "…"),
        ('my.access_token_of-x = "a b"', "my.access_token_of-x = •••"),
    ],
)
def test_secrets_are_masked(value, expected):
    assert masked(value) == expected
