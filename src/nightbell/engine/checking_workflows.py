"""This file checks workflows and their tasks, field by field, and finds those that would start each other for ever."""

from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from typing import Any
from uuid import UUID

from nightbell.core.errors import Invalid
from nightbell.core.foreign_tasks import KNOWN
from nightbell.core.workflow import TRIGGERS, WEEKDAYS, duration, known_trigger
from nightbell.core.workflow_params import problems
from nightbell.engine.checks import Checks
from nightbell.engine.configure_teams import SLUG
from nightbell.engine.jsonpath import path_problem
from nightbell.engine.tasks import registry
from nightbell.store.db import Row

#: Kinds of Rootly that nothing here starts.
_ELSEWHERE = ("post_mortem", "pulse")
_DURATIONS = ("wait", "repeat_every_duration", "repeat_condition_duration_since_first_run")
_LISTS = (
    "repeat_on", "environment_ids", "severity_ids", "incident_type_ids", "incident_role_ids", "service_ids",
    "functionality_ids", "group_ids", "cause_ids", "sub_status_ids",
)  # fmt: skip
_FLAGS = ("command_feedback_enabled", "continuously_repeat", "run_once_per_resource", "locked")
MOST_TASKS = 100


def check_workflow(checks: Checks, before: Mapping[str, Any]) -> None:
    """Check what was sent of a workflow, by what it will be; fills in what follows from it. Raises: Problems."""
    checks.text("name")
    checks.text("description", longest=10_000, empty=True)
    checks.text("command", longest=255, empty=True)
    if not checks.sent.get("slug", True):
        del checks.sent["slug"]
    checks.that(
        "slug", lambda s: "" if SLUG.fullmatch(s) else "Slug: lower-case letters, digits, - and _ only."
    )
    checks.number("repeat_condition_number_of_repeats", 0, 1_000_000)
    checks.number("position", 0, 1_000_000)
    for name in _DURATIONS:
        _check_duration(checks, name)
    _fill(checks.sent)
    strange = [day for day in checks.sent.get("repeat_on", ()) if day not in WEEKDAYS]
    if strange:
        checks.wrong(
            "repeat_on", f"There is no day {strange[0]}.", f"Use {', '.join(WEEKDAYS)}: R is Thursday."
        )
    after = {**before, **checks.sent}
    if after.get("repeat_condition_duration_since_first_run") and not after.get("repeat_every_duration"):
        checks.wrong("repeat_every_duration", "It ends after a while, but never repeats.", 'Say "10 min".')
    _check_trigger(checks, after)
    checks.done()


def _fill(sent: dict[str, Any]) -> None:
    """Put what a column holds in the place of a null."""
    for names, empty in ((_LISTS, []), (_FLAGS, False), (("repeat_condition_number_of_repeats",), 0)):
        for name in names:
            if name in sent and sent[name] is None:
                sent[name] = empty
    if sent.get("enabled", True) is None:
        sent["enabled"] = True


def _check_duration(checks: Checks, name: str) -> None:
    text = checks.sent.get(name)
    if not text:
        if name in checks.sent:
            checks.sent[name] = None
        return
    try:
        length = duration(text)
    except Invalid as error:
        checks.wrong(name, error.message, error.hint)
        return
    if name == "repeat_every_duration" and length.total_seconds() < 60:
        checks.wrong(name, "A workflow repeats once a minute at most.", 'Say "1 min" or more.')


def _check_trigger(checks: Checks, after: Mapping[str, Any]) -> None:
    params = after.get("trigger_params")
    if params is None:
        params = checks.sent["trigger_params"] = {"trigger_type": "simple", "triggers": []}
    kind = params.get("trigger_type")
    if kind in _ELSEWHERE:
        checks.wrong(
            "trigger_params.trigger_type", f"Nothing here starts a workflow of kind {kind}.", _kinds()
        )
    elif not isinstance(kind, str) or kind not in TRIGGERS:
        checks.wrong("trigger_params.trigger_type", f"There is no kind of workflow {kind!r}.", _kinds())
    else:
        _check_triggers(checks, kind, params)
        for problem in problems(kind, params, after, path_problem):
            checks.wrong(problem.place, problem.message, problem.hint)
        checks.sent["kind"] = kind


def _kinds() -> str:
    return f"Use {', '.join(TRIGGERS)}."


def _check_triggers(checks: Checks, kind: str, params: Mapping[str, Any]) -> None:
    triggers = params.get("triggers")
    if triggers is not None and not isinstance(triggers, list):
        checks.wrong("trigger_params.triggers", "This is a list.")
        return
    for number, trigger in enumerate(triggers or ()):
        if not isinstance(trigger, str) or not known_trigger(kind, trigger):
            hint = _near(str(trigger), TRIGGERS[kind])
            place = f"trigger_params.triggers[{number}]"
            checks.wrong(place, f"No workflow of kind {kind} is started by {trigger!r}.", hint)
    checks.sent["triggers"] = [t for t in triggers or () if isinstance(t, str)]


def check_task(checks: Checks, reach: registry.Reach) -> None:
    """Check what was sent of a task; puts its kind beside its parameters. Raises: Problems."""
    checks.text("name", empty=True)
    checks.number("position", 1, 1_000_000)
    for name, empty in (("name", ""), ("skip_on_failure", False), ("enabled", True)):
        if name in checks.sent and checks.sent[name] is None:
            checks.sent[name] = empty
    if "params" in checks.sent:
        _check_params(checks, checks.sent["params"], reach)
    checks.done()


def _check_params(checks: Checks, params: dict[str, Any], reach: registry.Reach) -> None:
    kind, known = params.get("task_type"), {*KNOWN, *registry.TASKS}
    if not isinstance(kind, str) or kind not in known:
        said = f"There is no task {kind!r}." if kind else "Task type can't be blank"
        checks.wrong("params.task_type", said, _near(str(kind), known))
        return
    checks.sent["kind"] = kind
    for problem in registry.problems(kind, params, reach=reach):
        checks.wrong(f"params.{problem.place}".rstrip("."), problem.message, problem.hint)


def _near(word: str, known: Iterable[str]) -> str:
    names = sorted(known)
    near = get_close_matches(word, names, n=3, cutoff=0.5)
    return f"Use {', '.join(near or names[:8])}."


# ---------------------------------------------------------------- loops


def loop(calls: Iterable[Row], names: Iterable[Row], start: UUID) -> tuple[str, ...]:
    """Return the names of a way from a workflow back to itself, () when there is none."""
    known = {str(row["id"]): row["id"] for row in names}
    titles = {row["id"]: row["name"] for row in names}
    for row in names:
        known.setdefault(row["slug"], row["id"])
    next_of: dict[UUID, list[UUID]] = {}
    for row in calls:
        if (called := known.get(row["called"] or "")) is not None:
            next_of.setdefault(row["workflow_id"], []).append(called)
    way = _way(next_of, start)
    return tuple(titles[one] for one in way)


def _way(next_of: Mapping[UUID, list[UUID]], start: UUID) -> list[UUID]:
    """Return the shortest way round, the start at both ends."""
    reached: dict[UUID, list[UUID]] = {start: [start]}
    waiting = [start]
    while waiting:
        here = waiting.pop(0)
        for following in next_of.get(here, ()):
            if following == start:
                return [*reached[here], start]
            if following not in reached:
                reached[following] = [*reached[here], following]
                waiting.append(following)
    return []
