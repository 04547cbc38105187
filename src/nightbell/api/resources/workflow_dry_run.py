"""What a workflow would do for something that happened: `POST /v1/workflows/{id}/dry_run`. Nothing is done."""

from typing import Any, NoReturn
from uuid import UUID

from nightbell.api.attribute import Kind
from nightbell.api.resource import Action, Call
from nightbell.api.resources.incident_shapes import viewer
from nightbell.api.sent import uuid_of
from nightbell.core.access import Permission
from nightbell.core.errors import Invalid, Unknown
from nightbell.engine import workflows
from nightbell.engine.tasks.registry import shown
from nightbell.engine.workflow_context import context
from nightbell.engine.workflow_trials import Preview, trial
from nightbell.store.read import alerts, incident_events, incidents

#: What a workflow can be tried on.
_ABOUT = ("alert_id", "incident_id", "action_item_id")


async def _dry_run(call: Call) -> tuple[Any, int]:
    """Say what a workflow would do for an alert, an incident or an action item; nothing is done."""
    key = call.parent
    try:
        workflow = await workflows.workflow(call.db, key)
    except Invalid as error:
        raise Invalid(f"This workflow cannot be read: {error.message}", place="trigger_params") from error
    if workflow is None:
        raise Unknown(f"There is no workflow {key[:60]}.")
    subject = await _subject(call)
    found = await trial(workflow, subject, call.now)
    body = {
        "id": str(workflow.id),
        "type": "workflow_dry_runs",
        "attributes": {
            "matched": found.verdict.matched,
            "enabled": workflow.enabled,
            "triggers": list(workflow.triggers),
            "why_not": list(found.verdict.why_not) if not found.verdict.matched else [],
            "conditions": [
                {"condition": one.condition, "met": one.met, "found": one.found}
                for one in found.verdict.findings
            ],
            "ignored": list(found.ignored),
            "tasks": [_tried(task) for task in found.tasks],
        },
    }
    return {"data": body}, 200


def _tried(task: Preview) -> dict[str, Any]:
    return {
        "id": str(task.id),
        "name": task.name,
        "task_type": task.kind,
        "enabled": task.enabled,
        "configured": task.known,
        "task_params": shown(task.kind, task.params),
        "problems": list(task.problems),
    }


async def _subject(call: Call) -> dict[str, Any]:
    sent = {name: call.attributes.get(name) for name in _ABOUT if call.attributes.get(name)}
    if not sent:
        raise Invalid("For what? Name one.", place="alert_id", hint=f"Send {', '.join(_ABOUT)}.")
    ids = {name: await id_of(call, name, str(value)) for name, value in sent.items()}
    found = await context(
        call.db,
        alert_id=ids.get("alert_id"),
        incident_id=ids.get("incident_id"),
        action_item_id=ids.get("action_item_id"),
        base_url=call.edge.base_url,
    )
    for name in ids:
        if name.removesuffix("_id") not in found:
            _absent(name, str(sent[name]))
    return found


async def id_of(call: Call, name: str, text: str) -> UUID:
    """Return what an id or a short id stands for, where there is such a thing to be seen."""
    found: UUID | None
    if name == "incident_id":
        found = await incidents.incident_id(call.db, viewer(call), text)
    elif name == "alert_id":
        found = await alerts.alert_id(call.db, text)
    else:
        item = await incident_events.item(call.db, viewer(call), uuid_of(text))
        found = item["id"] if item else None
    if found is None:
        _absent(name, text)
    return found


def _absent(name: str, text: str) -> NoReturn:
    raise Invalid(f"There is no {text[:60]}.", place=name, hint="Name one that exists.")


DRY_RUN = Action(
    method="POST",
    path="/workflows/{id}/dry_run",
    summary="Say what a workflow would do, and do nothing",
    permission=Permission.CONFIGURE,
    run=_dry_run,
    accepts={name: Kind.TEXT for name in _ABOUT},
)
