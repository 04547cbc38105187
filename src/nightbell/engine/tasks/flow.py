"""Tasks about the run itself: say something, wait, start another workflow."""

from typing import Literal
from uuid import UUID

from msgspec import Struct

from nightbell.core.errors import Invalid
from nightbell.core.workflow import duration
from nightbell.engine.tasks.contract import Hands, Result, Step, Task, Triggering, done
from nightbell.engine.tasks.naming import Named, one_of, uuid_of

_NUMBERED = ("sequential_id", "slug")


class Print(Struct, frozen=True, kw_only=True):
    """What is said."""

    message: str


class Wait(Struct, frozen=True, kw_only=True):
    """For how long."""

    #: "10 min", "2 hours".
    duration: str


class Trigger(Struct, frozen=True, kw_only=True):
    """Which workflow, and what it is to be about: what this run is about, where nothing else is named."""

    workflow: Named
    kind: Literal["alert", "incident", "action_item", "post_mortem", "pulse", "simple"] = "incident"
    #: The alert, incident or action item; empty is this run's own.
    resource: Named = Named()
    attribute_to_query_by: str = "id"
    check_workflow_conditions: bool = False


async def say(hands: Hands, params: Print, step: Step) -> Result:
    """Say it."""
    return done(message=params.message)


async def wait(hands: Hands, params: Wait, step: Step) -> Result:
    """Wait, counted from when the step was begun, however often it is looked at."""
    until = step.began_at + duration(params.duration)
    if step.now >= until:
        return done(waited=params.duration)
    return Result(outcome="wait", until=until, output={"until": until.isoformat()})


async def trigger(hands: Hands, params: Trigger, step: Step) -> Result:
    """Queue a run of another workflow."""
    if not params.workflow.key:
        raise Invalid("Name a workflow.", place="workflow")
    about = await _about(hands, params, step)
    wish = Triggering(
        workflow=params.workflow.key,
        key=step.key,
        cause_run_id=step.run_id,
        depth=step.depth + 1,
        check_conditions=params.check_workflow_conditions,
        **about,
    )
    run_id, why = await hands.trigger(wish, now=step.now)
    return Result(outcome="done", output={"workflow_run_id": str(run_id) if run_id else None}, why=why)


async def _about(hands: Hands, params: Trigger, step: Step) -> dict[str, UUID | None]:
    key = params.resource.key
    if not key:
        own = {"alert": step.alert_id, "incident": step.incident_id, "action_item": step.action_item_id}
        return {f"{kind}_id": ident for kind, ident in own.items()}
    if params.kind == "incident" and params.attribute_to_query_by in _NUMBERED:
        found = await hands.db.value("incident_by_any", key.lstrip("#").removeprefix("INC-"))
        if found is None:
            raise Invalid(f"There is no incident {key!r}.", place="resource")
        return {"incident_id": found}
    if params.kind not in ("alert", "incident", "action_item"):
        return {}
    return {f"{params.kind}_id": uuid_of(key, "resource")}


TASKS = (
    Task(name="print", label="Print", group="flow", params=Print, run=say),
    Task(
        name="wait",
        label="Wait",
        group="flow",
        params=Wait,
        run=wait,
        fields={"duration": duration},
    ),
    Task(
        name="trigger_workflow",
        label="Start another workflow",
        group="flow",
        params=Trigger,
        run=trigger,
        check=one_of("workflow", said="Name a workflow."),
    ),
)
