"""A run that is taken up again, wherever it was interrupted, comes to the same end and does nothing twice that was done."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from nightbell.core import running
from nightbell.core.running import Answer, Do, Over, Run, Sleep, Status
from nightbell.core.workflow import Task

NOW = datetime(2026, 11, 23, 2, tzinfo=UTC)
_RUN = UUID(int=1)
#: So many turns are more than any run of these takes.
_MOST = 400

fares = st.sampled_from(["done", "failed", "retry", "wait", "not_configured"])


@st.composite
def scripts(draw):
    """Return tasks, and what each answers at its first, second, … attempt; the last answer is final."""
    tasks, answers = [], []
    for at in range(draw(st.integers(0, 5))):
        tasks.append(
            Task(
                id=UUID(int=at + 10),
                kind="deed",
                name="",
                position=at + 1,
                params={},
                skip_on_failure=draw(st.booleans()),
            )
        )
        before = draw(st.lists(st.sampled_from(["retry", "wait"]), max_size=4))
        answers.append([*before, draw(st.sampled_from(["done", "failed", "not_configured"]))])
    return tuple(tasks), answers


class World:
    """What is outside: it counts deeds by key, and answers by how often a key was asked to the end."""

    def __init__(self, answers):
        self.answers = answers
        self.heard = {}
        self.deeds = []

    def asked(self, step, *, lost=False):
        """Return what comes of an attempt; one whose answer is lost is asked the same again."""
        self.deeds.append((step.position, step.key))
        told = self.heard.get(step.key, 0)
        script = self.answers[step.position]
        if not lost:
            self.heard[step.key] = told + 1
        return Answer(fared=script[min(told, len(script) - 1)], why="so", attempts=10)


def carried_out(tasks, answers, crashes=frozenset()):
    """Carry out a run that is killed at these turns: (turn, where), before the begin is kept, before the deed, after it."""
    world, now = World(answers), NOW
    kept = Run(id=_RUN, status=Status.QUEUED, tasks=tasks)
    closed: list[tuple[int, str, str, str]] = []
    for turn in range(_MOST):
        now += timedelta(hours=1)
        following = running.next_step(kept, now, UUID(int=1000 + turn))
        if isinstance(following, Over):
            return following.run, closed, world
        if isinstance(following, Sleep):
            continue
        if (turn, "before") in crashes:
            continue
        kept = running.begun(kept, following)
        if (turn, "begun") in crashes:
            continue
        lost = (turn, "done") in crashes
        answer = world.asked(following.step, lost=lost)
        if lost:
            continue
        kept, step = running.after(kept, answer, now)
        if step.ended_at:
            closed.append((step.position, step.status, step.key, step.why))
    raise AssertionError("the run never ended")


@given(
    scripts(),
    st.frozensets(st.tuples(st.integers(0, 30), st.sampled_from(["before", "begun", "done"])), max_size=5),
)
def test_a_run_interrupted_anywhere_comes_to_the_same_end(script, crashes):
    tasks, answers = script
    whole, closed, _ = carried_out(tasks, answers)
    again, closed_again, world = carried_out(tasks, answers, crashes)
    assert (again.status, again.why, again.position) == (whole.status, whole.why, whole.position)
    assert closed_again == closed
    assert {key for _, key in world.deeds} == {f"{_RUN}:{at}" for at, _ in world.deeds}


@given(scripts())
def test_tasks_are_done_in_order_and_a_task_that_is_over_is_never_asked_again(script):
    tasks, answers = script
    run, closed, world = carried_out(tasks, answers)
    assert [at for at, *_ in closed] == list(range(len(closed)))
    asked = [at for at, _ in world.deeds]
    assert asked == sorted(asked)
    assert run.status in (Status.COMPLETED, Status.WITH_ERRORS, Status.FAILED)
    if run.status is Status.COMPLETED:
        assert len(closed) == len(tasks)


@given(st.integers(1, 100_000))
def test_patience_grows_and_has_an_end(attempt):
    assert timedelta() < running.backoff(attempt) <= running.LONGEST_BACKOFF
    assert running.backoff(attempt) <= running.backoff(attempt + 1)


@given(scripts())
def test_whatever_is_kept_of_a_run_begins_with_a_step_on_disk(script):
    tasks, _ = script
    following = running.next_step(Run(id=_RUN, status=Status.QUEUED, tasks=tasks), NOW, UUID(int=7))
    if tasks:
        assert isinstance(following, Do)
        assert (
            running.begun(Run(id=_RUN, status=Status.QUEUED, tasks=tasks), following).step == following.step
        )
