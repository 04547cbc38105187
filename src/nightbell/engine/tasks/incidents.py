"""Tasks that make incidents, or put the alert a run is about to one there is.

Rule 1: one workflow makes one incident for one occurrence of an alert, however often and wherever it runs.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any, Literal
from uuid import UUID

from msgspec import Struct, structs
from msgspec.structs import replace

from nightbell.core.errors import Invalid
from nightbell.core.incident import Incident
from nightbell.engine.incident_edits import IncidentEdit
from nightbell.engine.tasks.contract import Hands, Result, Step, Task, done
from nightbell.engine.tasks.naming import alert_of, id_of, ids_of, incident_of, texts
from nightbell.store.incident_tables import environments, functionalities, incident_types, severities
from nightbell.store.read import contexts
from nightbell.store.tables import services, teams

#: Seconds until somebody who waits for another to find an incident looks again.
_LOOKING = 0.05


class Create(Struct, frozen=True, kw_only=True):
    """The incident to be made. Services and teams that are not named are those of the alert."""

    title: str
    summary: str | None = None
    #: An id, a slug or a name, as everywhere here.
    severity_id: str | None = None
    service_ids: list[str] = []
    group_ids: list[str] = []
    environment_ids: list[str] = []
    incident_type_ids: list[str] = []
    functionality_ids: list[str] = []
    private: bool = False
    status: Literal["in_triage", "started"] = "started"
    #: Ours: instead of making one, put the alert to an open incident of one of its services, or of the same label.
    attach_to_open: Literal["no", "service", "label"] = "no"
    #: The name of that label.
    attach_label: str | None = None
    #: Ours: it is resolved when all its alerts are.
    resolve_with_alerts: bool = False
    custom_fields_mapping: str | None = None


class SubIncident(Struct, frozen=True, kw_only=True):
    """The incident to be made below this run's."""

    title: str
    summary: str | None = None


class Attach(Struct, frozen=True, kw_only=True):
    """Which open incident. Where there is none, nothing happens."""

    #: An id, a number or a slug; empty looks for one.
    incident_id: str | None = None
    attach_to_open: Literal["service", "label"] = "service"
    attach_label: str | None = None


def check(given: Mapping[str, Any]) -> None:
    """Raise Invalid where a label is asked for and none is named."""
    if given.get("attach_to_open") == "label" and not given.get("attach_label"):
        raise Invalid("Name the label by which an open incident is found.", place="attach_label")


async def create(hands: Hands, params: Create, step: Step) -> Result:
    """Make an incident, or put the alert to one that is open."""
    check(structs.asdict(params))
    edit = await _edit(hands, params, step)
    if params.attach_to_open == "no":
        return _made(await _created(hands, edit, step))
    label = _label(params, step)
    async with _alone(hands, f"{params.attach_to_open}:{label}"):
        found = await contexts.open_incident(hands.db, edit.service_ids or [], label)
        if found is not None:
            return await _attached(hands, found, step)
        if label:
            edit = replace(edit, labels=dict([label]))
        return _made(await _created(hands, edit, step))


async def create_below(hands: Hands, params: SubIncident, step: Step) -> Result:
    """Make an incident below another; it is this step's own, however often it is tried."""
    edit = IncidentEdit(
        title=params.title, summary=params.summary or None, parent_incident_id=incident_of(step)
    )
    made = await hands.incidents.create(edit, by=step.by, now=step.now, cause=step.cause, source="workflow")
    return done(sub_incident_id=str(made.id), number=made.number, slug=made.slug)


async def attach(hands: Hands, params: Attach, step: Step) -> Result:
    """Put the alert to an incident there is."""
    check(structs.asdict(params))
    if params.incident_id:
        key = params.incident_id.strip()
        found = await hands.db.value("incident_by_any", key.lstrip("#").removeprefix("INC-"))
        if found is None:
            raise Invalid(f"There is no incident {key[:60]!r}.", place="incident_id")
        return await _attached(hands, found, step)
    alert = _alert(step)
    ids = [UUID(one) for one in alert.get("service_ids", [])]
    found = await contexts.open_incident(hands.db, ids, _label(params, step))
    if found is None:
        return Result(outcome="done", why="No incident is open that it belongs to.")
    return await _attached(hands, found, step)


async def _edit(hands: Hands, params: Create, step: Step) -> IncidentEdit:
    alert = _alert(step)
    own = {"service_ids": alert.get("service_ids", []), "group_ids": alert.get("group_ids", [])}
    return IncidentEdit(
        title=params.title,
        summary=params.summary or None,
        status=params.status,
        private=params.private,
        severity_id=await id_of(hands, severities, params.severity_id, "severity_id"),
        service_ids=await ids_of(
            hands, services, texts(params.service_ids) or own["service_ids"], "service_ids"
        ),
        team_ids=await ids_of(hands, teams, texts(params.group_ids) or own["group_ids"], "group_ids"),
        environment_ids=await ids_of(hands, environments, texts(params.environment_ids), "environment_ids"),
        type_ids=await ids_of(hands, incident_types, texts(params.incident_type_ids), "incident_type_ids"),
        functionality_ids=await ids_of(
            hands, functionalities, texts(params.functionality_ids), "functionality_ids"
        ),
        resolve_with_alerts=params.resolve_with_alerts,
        alert_ids=[step.alert_id] if step.alert_id else None,
    )


async def _created(hands: Hands, edit: IncidentEdit, step: Step) -> Incident:
    key = step.key
    if step.alert_id is not None:
        key = f"{step.workflow_id}:{step.alert_id}:{step.occurrence}"
    alert = _alert(step)
    because = {**step.cause.because, "alert": alert["short_id"]} if alert else step.cause.because
    cause = replace(step.cause, key=key, because=because)
    return await hands.incidents.create(edit, by=step.by, now=step.now, cause=cause, source="workflow")


@asynccontextmanager
async def _alone(hands: Hands, measure: str) -> AsyncIterator[None]:
    """Let nobody else look for an open incident by this measure: of two alerts that come together both find none.

    Whoever waits holds no connection meanwhile, so that the one who looks has those it needs.
    """
    while True:
        async with hands.db.tx() as tx:
            if await tx.value("look_for_incident_alone", measure):
                yield
                return
        await asyncio.sleep(_LOOKING)


def _made(incident: Incident) -> Result:
    return done(
        incident_id=str(incident.id), number=incident.number, slug=incident.slug, title=incident.title
    )


async def _attached(hands: Hands, incident_id: UUID, step: Step) -> Result:
    why, attached = "", False
    try:
        attached = bool(
            await hands.incidents.attach(
                incident_id, [alert_of(step)], by=step.by, now=step.now, cause=step.cause
            )
        )
    except Invalid as error:
        # It holds as many alerts as anybody reads; that it is about this one too is true all the same.
        why = error.message
    return Result(
        outcome="done", why=why, output={"incident_id": str(incident_id), "made": False, "attached": attached}
    )


def _alert(step: Step) -> Mapping[str, Any]:
    found: Mapping[str, Any] = step.context.get("alert") or {}
    return found


def _label(params: Create | Attach, step: Step) -> tuple[str, str] | None:
    if params.attach_to_open != "label":
        return None
    name = params.attach_label or ""
    value = (_alert(step).get("labels") or {}).get(name)
    if not value:
        raise Invalid(f"The alert has no label {name!r}.", place="attach_label")
    return name, str(value)


TASKS = (
    Task(
        name="create_incident",
        label="Create an incident",
        group="incidents",
        params=Create,
        run=create,
        check=check,
    ),
    Task(
        name="create_sub_incident",
        label="Create an incident below this one",
        group="incidents",
        params=SubIncident,
        run=create_below,
        about=("incident",),
    ),
    Task(
        name="attach_alert",
        label="Attach the alert to an open incident",
        group="incidents",
        params=Attach,
        run=attach,
        check=check,
        about=("alert",),
    ),
)
