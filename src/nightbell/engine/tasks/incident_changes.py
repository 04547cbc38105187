"""Tasks that change the incident a run is about: what it says, where it stands, its timeline, its alerts, its items."""

from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from msgspec import Struct

from nightbell.core.errors import Invalid, Stale
from nightbell.core.incident import read_status
from nightbell.engine.incident_edits import ActionItemEdit, EntryEdit, IncidentEdit
from nightbell.engine.tasks.contract import Hands, Result, Step, Task, done
from nightbell.engine.tasks.messages import also_to_slack
from nightbell.engine.tasks.naming import Named, id_of, ids_of, incident_of, person_of, texts, uuid_of
from nightbell.store.incident_tables import environments, functionalities, incident_types, severities
from nightbell.store.tables import services, teams

_TIMES = ("started_at", "detected_at", "acknowledged_at", "mitigated_at", "resolved_at")
_LINKS = {
    "service_ids": ("service_ids", services),
    "group_ids": ("team_ids", teams),
    "environment_ids": ("environment_ids", environments),
    "incident_type_ids": ("type_ids", incident_types),
    "functionality_ids": ("functionality_ids", functionalities),
}


class Update(Struct, frozen=True, kw_only=True):
    """What is changed; what is empty stays as it is."""

    #: Empty is this run's incident.
    incident_id: str | None = None
    attribute_to_query_by: str = "id"
    title: str | None = None
    summary: str | None = None
    status: str | None = None
    severity_id: str | None = None
    service_ids: list[str] | None = None
    group_ids: list[str] | None = None
    environment_ids: list[str] | None = None
    incident_type_ids: list[str] | None = None
    functionality_ids: list[str] | None = None
    started_at: str | None = None
    detected_at: str | None = None
    acknowledged_at: str | None = None
    mitigated_at: str | None = None
    resolved_at: str | None = None
    private: bool | None = None
    custom_fields_mapping: str | None = None


class Status(Struct, frozen=True, kw_only=True):
    """Where the incident goes."""

    status: Literal["in_triage", "started", "mitigated", "resolved", "closed", "cancelled"]
    inactivity_timeout: str | None = None
    #: Ours: what is said with it.
    message: str | None = None


class AttachedAlerts(Struct, frozen=True, kw_only=True):
    """What becomes of the incident's alerts."""

    status: Literal["acknowledged", "resolved"]


class Entry(Struct, frozen=True, kw_only=True):
    """A line of the timeline."""

    event: str
    url: str | None = None
    #: Ours: who may read it.
    visibility: Literal["internal", "external"] = "internal"
    post_to_slack_channels: list[Named] = []


class AddItem(Struct, frozen=True, kw_only=True):
    """Something to be done."""

    summary: str
    description: str | None = None
    kind: str | None = None
    priority: Literal["high", "medium", "low"] = "medium"
    status: Literal["open", "in_progress", "cancelled", "done"] = "open"
    assigned_to_user: Named | None = None
    assigned_to_user_id: str | None = None
    incident_role_id: str | None = None
    attribute_to_query_by: str | None = None
    query_value: str | None = None
    post_to_incident_timeline: bool = False
    post_to_slack_channels: list[Named] = []
    custom_fields_mapping: str | None = None


class UpdateItem(Struct, frozen=True, kw_only=True):
    """What is changed of an action item; what is empty stays as it is."""

    #: The id of the item; empty is this run's own.
    query_value: str | None = None
    attribute_to_query_by: str = "id"
    summary: str | None = None
    description: str | None = None
    priority: Literal["high", "medium", "low"] | None = None
    status: Literal["open", "in_progress", "cancelled", "done"] | None = None
    assigned_to_user: Named | None = None
    assigned_to_user_id: str | None = None
    group_ids: list[str] | None = None
    post_to_incident_timeline: bool = False
    custom_fields_mapping: str | None = None


async def update(hands: Hands, params: Update, step: Step) -> Result:
    """Change the incident."""
    found = await _found(hands, params.incident_id, params.attribute_to_query_by, step)
    sent: dict[str, Any] = {
        name: value
        for name in ("title", "summary", "status", "private")
        if (value := getattr(params, name)) not in (None, "")
    }
    if params.severity_id:
        sent["severity_id"] = await id_of(hands, severities, params.severity_id, "severity_id")
    for name, (ours, table) in _LINKS.items():
        if keys := texts(getattr(params, name)):
            sent[ours] = await ids_of(hands, table, keys, name)
    for name in _TIMES:
        if text := getattr(params, name):
            sent[name] = _instant(text, name)
    edit = IncidentEdit(**sent)
    changed = await hands.incidents.update(found, edit, by=step.by, now=step.now, cause=step.cause)
    return done(incident_id=str(changed.id), number=changed.number, status=changed.status)


async def set_status(hands: Hands, params: Status, step: Step) -> Result:
    """Let the incident go on."""
    moved = await hands.incidents.move(
        incident_of(step),
        read_status(params.status),
        message=params.message,
        by=step.by,
        now=step.now,
        cause=step.cause,
    )
    return done(incident_id=str(moved.id), status=moved.status)


async def set_alerts(hands: Hands, params: AttachedAlerts, step: Step) -> Result:
    """Take or end every alert of the incident; what is over stays over."""
    found = incident_of(step)
    if params.status == "resolved":
        count = await hands.incidents.resolve_alerts(found, by=step.by, now=step.now, cause=step.cause)
        return done(alerts=count)
    rows = await hands.db.rows("context_incident_alerts", found, 1_000)
    count = 0
    for row in rows:
        try:
            decision = await hands.act.acknowledge(row["alert_id"], by=step.by, now=step.now)
        except Stale:
            continue
        count += decision.what == "acknowledged"
    return done(alerts=count)


async def add_entry(hands: Hands, params: Entry, step: Step) -> Result:
    """Write into the timeline."""
    edit = EntryEdit(
        event=params.event,
        visibility=params.visibility,
        attachments=[{"url": params.url, "title": ""}] if params.url else [],
    )
    ident = await hands.incidents.note(incident_of(step), edit, by=step.by, now=step.now, cause=step.cause)
    said = done(event_id=str(ident))
    return await also_to_slack(hands, params.post_to_slack_channels, params.event, step, said)


async def add_item(hands: Hands, params: AddItem, step: Step) -> Result:
    """Add an action item."""
    owner = params.assigned_to_user.key if params.assigned_to_user else params.assigned_to_user_id
    edit = ActionItemEdit(
        summary=params.summary,
        description=params.description,
        kind=params.kind or "task",
        priority=params.priority,
        status=params.status,
        assigned_to_user_id=await person_of(hands, owner, "assigned_to_user") if owner else None,
    )
    ident = await hands.incidents.add_item(
        incident_of(step), edit, by=step.by, now=step.now, cause=step.cause
    )
    text = f"Action item: {params.summary}"
    said = done(action_item_id=str(ident))
    return await also_to_slack(hands, params.post_to_slack_channels, text, step, said)


async def update_item(hands: Hands, params: UpdateItem, step: Step) -> Result:
    """Change an action item."""
    found = uuid_of(params.query_value, "query_value") or step.action_item_id
    if found is None or params.attribute_to_query_by != "id":
        raise Invalid("Name the action item by its id.", place="query_value")
    owner = params.assigned_to_user.key if params.assigned_to_user else params.assigned_to_user_id
    names = ("summary", "description", "priority", "status")
    sent: dict[str, Any] = {name: value for name in names if (value := getattr(params, name))}
    if owner:
        sent["assigned_to_user_id"] = await person_of(hands, owner, "assigned_to_user")
    if keys := texts(params.group_ids):
        sent["assigned_team_ids"] = await ids_of(hands, teams, keys, "group_ids")
    await hands.incidents.update_item(
        found, ActionItemEdit(**sent), by=step.by, now=step.now, cause=step.cause
    )
    return done(action_item_id=str(found))


async def _found(hands: Hands, key: str | None, by: str, step: Step) -> UUID:
    if not key or not key.strip():
        return incident_of(step)
    if by not in ("id", "slug", "sequential_id"):
        raise Invalid(
            f"Incidents have no {by} here.", place="attribute_to_query_by", hint="id, slug, sequential_id"
        )
    found: UUID | None = await hands.db.value("incident_by_any", key.strip().lstrip("#").removeprefix("INC-"))
    if found is None:
        raise Invalid(f"There is no incident {key[:60]!r}.", place="incident_id")
    return found


def _instant(text: str, place: str = "") -> datetime:
    try:
        at = datetime.fromisoformat(text.strip())
    except ValueError as error:
        raise Invalid(f"{text[:60]!r} is no instant.", place=place, hint="2026-11-23T02:00:00Z") from error
    if at.tzinfo is None:
        raise Invalid(f"{text[:60]!r} has no zone.", place=place, hint="2026-11-23T02:00:00Z")
    return at


#: Of these a run about an alert finds the incident the alert belongs to.
_INCIDENTS: tuple[Literal["alert", "incident", "action_item"], ...] = ("incident", "alert", "action_item")
TASKS = (
    Task(
        name="update_incident",
        label="Update the incident",
        group="incidents",
        params=Update,
        run=update,
        fields={"status": read_status} | dict.fromkeys(_TIMES, _instant),
    ),
    Task(
        name="update_status",
        label="Set the status of the incident",
        group="incidents",
        params=Status,
        run=set_status,
        about=_INCIDENTS,
    ),
    Task(
        name="update_attached_alerts",
        label="Acknowledge or resolve the incident's alerts",
        group="incidents",
        params=AttachedAlerts,
        run=set_alerts,
        about=_INCIDENTS,
    ),
    Task(
        name="add_to_timeline",
        label="Add to the timeline",
        group="incidents",
        params=Entry,
        run=add_entry,
        about=_INCIDENTS,
    ),
    Task(
        name="add_action_item",
        label="Add an action item",
        group="incidents",
        params=AddItem,
        run=add_item,
        about=_INCIDENTS,
        asked=("priority", "status"),
    ),
    Task(
        name="update_action_item",
        label="Update an action item",
        group="incidents",
        params=UpdateItem,
        run=update_item,
    ),
)
