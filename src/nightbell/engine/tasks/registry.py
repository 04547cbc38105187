"""Every task there is, by Rootly's name for it, and the one way to check and to carry one out.

Rule 1: what is checked when a workflow is saved is what is used when it runs: both read the same `params`.
"""

import asyncio
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import Any, Literal, get_args, get_origin

import msgspec
from msgspec import structs
from msgspec.structs import replace

from nightbell.core.errors import Invalid, NightbellError
from nightbell.core.labels import clean
from nightbell.core.workflow_params import not_read
from nightbell.engine.checks import Problems
from nightbell.engine.liquid.templates import BadTemplate, check, plain, rendered
from nightbell.engine.tasks import (
    alerts,
    flow,
    get_alerts,
    http_client,
    incident_changes,
    incidents,
    messages,
    paging,
    people,
    silence,
)
from nightbell.engine.tasks.contract import Hands, Result, Step, Task, failed, not_configured

#: Every task this program can carry out.
TASKS: dict[str, Task] = {
    task.name: task
    for tasks in (
        incidents.TASKS,
        incident_changes.TASKS,
        people.TASKS,
        paging.TASKS,
        alerts.TASKS,
        silence.TASKS,
        get_alerts.TASKS,
        messages.TASKS,
        http_client.TASKS,
        flow.TASKS,
    )
    for task in tasks
}
#: Not parameters of the task itself.
_APART = frozenset({"task_type"})
#: What a header may be called that opens something.
_SECRET = ("authorization", "api-key", "apikey", "token", "secret", "password", "cookie")
MASK = "•••"
#: Of one task, in all: they are read while somebody waits, and each may take all the time a template has.
_MOST_TEMPLATES = 100
_LONGEST_TEMPLATES = 60_000


#: Says why an address could never be called; "" when nothing speaks against it yet.
Reach = Callable[[str], str]


def problems(kind: str, raw: Mapping[str, Any], *, reach: Reach = lambda url: "") -> list[Invalid]:
    """Return what is wrong with parameters as they would be saved, field by field; nothing is known of other vendors'.

    Shape: a field whose text holds a template is checked as a template, and as what it is when it is filled in.
    """
    found = list(_bad_templates(raw))
    task = TASKS.get(kind)
    if task is None:
        return found
    wrong = {problem.place.split(".")[0].split("[")[0] for problem in found}
    values: dict[str, Any] = {}
    for field in structs.fields(task.params):
        if field.encode_name in wrong:
            continue
        problem = _field_problem(field, raw.get(field.encode_name), values, asked=task.asked)
        if problem is not None:
            found.append(problem)
    found += [
        Invalid(objection, place=name)
        for name in task.calls
        if name in values and plain(str(values[name])) and (objection := reach(str(values[name]).strip()))
    ]
    for field in structs.fields(task.params):
        name = field.encode_name
        if name in task.fields and name in values:
            found += _misread(field, values[name], task.fields[name])
    return found or _said(lambda: task.check(values))


def unread(kind: str, params: Mapping[str, Any]) -> tuple[str, ...]:
    """Return a sentence for every parameter that says something and that the task does not read."""
    task = TASKS.get(kind)
    if task is None:
        return ()
    known = _APART | {field.encode_name for field in structs.fields(task.params)}
    return tuple(
        not_read(name, known)
        for name, value in params.items()
        if name not in known and value not in (None, "", [])
    )


def _field_problem(
    field: structs.FieldInfo, value: Any, values: dict[str, Any], *, asked: tuple[str, ...] = ()
) -> Invalid | None:
    """Return what is wrong with one field; what is right is put into `values`."""
    name = field.encode_name
    if value is None or value == "" or value == []:
        label = name.replace("_", " ").removesuffix(" id").capitalize()
        needed = field.required or name in asked
        return Invalid(f"{label} can't be blank", place=name) if needed else None
    if not _holds_templates(value):
        try:
            msgspec.convert(value, field.type, strict=False)
        except msgspec.ValidationError as error:
            return Invalid(_readable(error), place=name, hint=_choices(field.type))
    values[name] = value
    return None


def _misread(field: structs.FieldInfo, value: Any, judge: Callable[[Any], object]) -> list[Invalid]:
    """Return what is wrong with what a field says already; what a template will say is seen when it is filled in."""
    said = [one for one in value if not _holds_templates(one)] if isinstance(value, list) else value
    if _holds_templates(said):
        return []
    wrong = _said(lambda: judge(msgspec.convert(said, field.type, strict=False)))
    return [Invalid(one.message, place=field.encode_name, hint=one.hint) for one in wrong]


def _choices(of: Any) -> str:
    return f"One of: {', '.join(map(str, get_args(of)))}." if get_origin(of) is Literal else ""


def _bad_templates(raw: Mapping[str, Any]) -> Iterator[Invalid]:
    """Yield what is wrong with templates, as far as anybody would write so much."""
    count, length = 0, 0
    for place, text in _texts(raw, ""):
        if not plain(text):
            count, length = count + 1, length + len(text)
        if count > _MOST_TEMPLATES or length > _LONGEST_TEMPLATES:
            most = f"{_MOST_TEMPLATES} templates of {_LONGEST_TEMPLATES} characters together"
            yield Invalid(f"A task has at most {most}.", place=place)
            return
        try:
            check(text)
        except BadTemplate as error:
            yield error.of(place)


def _texts(value: Any, place: str) -> Iterator[tuple[str, str]]:
    """Yield every text within a value, with its place; nothing as deep as this is a parameter of ours."""
    waiting: list[tuple[str, Any]] = [(place, value)]
    while waiting:
        where, one = waiting.pop()
        if isinstance(one, str):
            yield where, one
        elif isinstance(one, Mapping):
            waiting += [(f"{where}.{key}".lstrip("."), inner) for key, inner in reversed(list(one.items()))]
        elif isinstance(one, list):
            waiting += [(f"{where}[{at}]", inner) for at, inner in reversed(list(enumerate(one)))]


def _holds_templates(value: Any) -> bool:
    return any(not plain(text) for _, text in _texts(value, ""))


def _said(run: Any) -> list[Invalid]:
    try:
        run()
    except Problems as error:
        return list(error.problems)
    except Invalid as error:
        return [error]
    except msgspec.ValidationError as error:
        return [Invalid(_readable(error))]
    return []


def _readable(error: msgspec.ValidationError) -> str:
    said = str(error).partition(" - at ")[0]
    return said.replace("Invalid enum value", "There is no choice").rstrip(".") + "."


async def filled(raw: Mapping[str, Any], context: Mapping[str, Any], *, now: datetime) -> dict[str, Any]:
    """Return parameters with every text filled in. Raises: BadTemplate at its field."""
    return {
        name: await _filled(value, name, context, now) for name, value in raw.items() if name not in _APART
    }


async def _filled(value: Any, place: str, context: Mapping[str, Any], now: datetime) -> Any:
    if isinstance(value, str):
        try:
            return await rendered(value, context, now=now)
        except BadTemplate as error:
            raise error.of(place) from error
    if isinstance(value, Mapping):
        return {key: await _filled(one, f"{place}.{key}", context, now) for key, one in value.items()}
    if isinstance(value, list):
        return [await _filled(one, f"{place}[{at}]", context, now) for at, one in enumerate(value)]
    return value


def shown(kind: str, params: Mapping[str, Any]) -> dict[str, Any]:
    """Return filled-in parameters for readers: what opens something is masked."""
    return {name: _masked(name, value) for name, value in params.items()}


def _masked(name: str, value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _masked(str(key), one) for key, one in value.items()}
    if isinstance(value, str) and name == "headers":
        try:
            found = msgspec.json.decode(value or "{}", type=dict[str, Any])
        except msgspec.DecodeError:
            return MASK
        return msgspec.json.encode(_masked("", found)).decode()
    return MASK if value and any(word in name.lower() for word in _SECRET) else value


def read(task: Task, params: Mapping[str, Any]) -> Any:
    """Return filled-in parameters as the task reads them; what came out empty was not said.

    Raises: Problems naming the fields.
    """
    values: dict[str, Any] = {}
    found = [
        _field_problem(field, params.get(field.encode_name), values) for field in structs.fields(task.params)
    ]
    if wrong := [problem for problem in found if problem is not None]:
        raise Problems(wrong)
    return msgspec.convert(values, task.params, strict=False)


async def perform(kind: str, params: Mapping[str, Any], hands: Hands, step: Step) -> Result:
    """Carry out a task with parameters that are filled in. It never raises for what a person or a server did.

    Shape: an unknown kind is not configured; a task that answers `retry` for the last time has failed.
    """
    task = TASKS.get(kind)
    if task is None:
        return not_configured(f"Nothing here carries out {kind}.")
    try:
        async with asyncio.timeout(task.timeout.total_seconds()):
            result = await task.run(hands, read(task, params), step)
        result = replace(result, output=_storable(result.output), why=clean(result.why))
    except NightbellError as error:
        return failed(_told(error))
    except TimeoutError:
        return failed(f"It took longer than {task.timeout.total_seconds():g} s.")
    if result.outcome == "retry" and step.attempt >= task.attempts:
        return Result(outcome="failed", why=result.why, output=result.output)
    return result


def _storable(value: Any) -> Any:
    """Return JSON without what no database takes: a server may answer with a NUL."""
    if isinstance(value, Mapping):
        return {clean(str(key)): _storable(one) for key, one in value.items()}
    if isinstance(value, list):
        return [_storable(one) for one in value]
    return clean(value) if isinstance(value, str) else value


def _told(error: NightbellError) -> str:
    if isinstance(error, Problems):
        return " ".join(f"{p.place}: {p.message}" if p.place else p.message for p in error.problems)
    place = f"{error.place}: " if error.place and isinstance(error, Invalid) else ""
    return f"{place}{error.message}" + (f" {error.hint}" if error.hint else "")
