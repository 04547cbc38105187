"""Runs of workflows in Rootly's shape: what they are about, how they stand, and each step with what came of it.

Rule 1: what was masked when it was kept cannot be shown; nothing here reads the plan, where secrets still are.
"""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from msgspec import UNSET

from nightbell.api.attribute import Kind, attribute, constant, times
from nightbell.api.jsonapi import Document
from nightbell.api.resource import Action, Call, Resource
from nightbell.api.resources.incident_shapes import viewer
from nightbell.api.resources.workflow_dry_run import id_of
from nightbell.api.sent import uuid_of
from nightbell.core.access import Permission
from nightbell.core.errors import Invalid, Unknown
from nightbell.core.masking import masked
from nightbell.engine.edits import Edit, Json, MaybeFlag, MaybeText
from nightbell.engine.workflow_runs import About, Wish
from nightbell.store.read import workflow_runs, workflows
from nightbell.store.read.listing import Found, Record

_ABOUT = ("alert_id", "incident_id", "action_item_id")


class RunEdit(Edit, frozen=True, kw_only=True):
    """A run that somebody wants: about what, at once or after the workflow's wait, whatever its conditions say or not."""

    alert_id: MaybeText = UNSET
    incident_id: MaybeText = UNSET
    action_item_id: MaybeText = UNSET
    immediate: MaybeFlag = UNSET
    check_conditions: MaybeFlag = UNSET
    context: Json = UNSET


async def _find(call: Call) -> Found:
    workflow = await workflows.workflow(call.db, call.parent)
    if workflow is None:
        raise Unknown(f"There is no workflow {call.parent[:60]}.")
    return await workflow_runs.runs(call.db, viewer(call), workflow["id"], call.listing)


async def _get(call: Call, key: str) -> Record | None:
    return await workflow_runs.run(call.db, viewer(call), uuid_of(key))


def _accept(sent: dict[str, Any]) -> dict[str, Any]:
    """Take what says how it is to run too: of the run itself it is no attribute."""
    flags = {name: sent[name] for name in ("immediate", "check_conditions") if name in sent}
    return RUNS.taken(sent) | flags


async def _create(call: Call, edit: RunEdit) -> UUID:
    for name in ("post_mortem_id", "pulse_id"):
        if call.attributes.get(name):
            raise Invalid("There is no such thing here.", place=name)
    ids = {name: await id_of(call, name, str(key)) for name in _ABOUT if (key := getattr(edit, name))}
    wish = Wish(
        about=About(**ids),
        immediate=edit.immediate is not False,
        check_conditions=edit.check_conditions is True,
        context=edit.context or {},
    )
    return await call.edge.runs.begin(call.parent, wish, by=call.actor, now=call.now)


async def _steps_of(call: Call, rows: Sequence[Record]) -> list[Document]:
    return [_step(row) for row in await workflow_runs.steps(call.db, [row["id"] for row in rows])]


def _step(row: Record) -> Document:
    return Document(
        type="genius_task_runs",
        id=str(row["id"]),
        attributes={a.name: a.show(row) for a in _STEP},
        relationships={"workflow_run": {"data": {"id": str(row["run_id"]), "type": "workflow_runs"}}},
    )


def _duration(row: Record) -> float | None:
    """Return how long a step took. Units: seconds."""
    ended = row["ended_at"]
    return round((ended - row["started_at"]).total_seconds(), 3) if ended else None


_STEP = (
    attribute("workflow_run_id", Kind.ID, of="run_id"),
    attribute("task_id", Kind.ID),
    attribute("name"),
    attribute("task_type", of="kind"),
    attribute("position", Kind.NUMBER, of=lambda row: row["position"] + 1),
    attribute("status"),
    attribute("status_message", of=lambda row: row["why"] or None),
    attribute("attempts", Kind.NUMBER),
    attribute("idempotency_key", of="key"),
    attribute("input", Kind.OBJECT),
    attribute("output", Kind.OBJECT),
    attribute("duration", Kind.NUMBER, of=_duration),
    attribute("started_at", Kind.TIME),
    attribute("completed_at", Kind.TIME, of="ended_at"),
)


async def _cancel(call: Call) -> tuple[Any, int]:
    """End a run: nothing after the task it is at is done."""
    row = await RUNS.row(call, call.parent)
    await call.edge.runs.cancel(row["id"], by=call.actor, now=call.now)
    return await RUNS.shown(call, await RUNS.row(call, call.parent)), 200


async def _again(call: Call) -> tuple[Any, int]:
    """Run what a run was about once more, by the workflow as it is now."""
    row = await RUNS.row(call, call.parent)
    ident = await call.edge.runs.again(row["id"], by=call.actor, now=call.now)
    return await RUNS.shown(call, await RUNS.row(call, str(ident))), 201


def _relations(row: Record) -> dict[str, Any]:
    return {"workflow": {"data": {"id": str(row["workflow_id"]), "type": "workflows"}}}


RUNS = Resource(
    type="workflow_runs",
    collections=("/workflows/{id}/workflow_runs",),
    item="/workflow_runs/{id}",
    find=_find,
    get=_get,
    edit=RunEdit,
    accept=_accept,
    create=_create,
    write=Permission.RESPOND,
    include={"genius_task_runs": _steps_of},
    relationships=_relations,
    actions=(
        Action(
            method="POST",
            path="/workflow_runs/{id}/cancel",
            summary="End a run",
            permission=Permission.RESPOND,
            run=_cancel,
        ),
        Action(
            method="POST",
            path="/workflow_runs/{id}/rerun",
            summary="Run once more what a run was about",
            permission=Permission.RESPOND,
            run=_again,
        ),
    ),
    attributes=(
        attribute("workflow_id", Kind.ID),
        attribute("status"),
        attribute("status_message"),
        attribute("triggered_by"),
        attribute("trigger"),
        *(attribute(name, Kind.TIME) for name in ("started_at", "completed_at", "failed_at", "canceled_at")),
        *(attribute(name, Kind.ID, edit=name) for name in _ABOUT),
        constant("post_mortem_id", None, Kind.ID),
        constant("pulse_id", None, Kind.ID),
        attribute("context", Kind.OBJECT, of=lambda row: masked(row["context"]), edit="context"),
        attribute("user_id", Kind.NUMBER),
        attribute("cause_run_id", Kind.ID),
        attribute("repeat_count", Kind.NUMBER),
        attribute("wake_at", Kind.TIME),
        *times(),
    ),
)
