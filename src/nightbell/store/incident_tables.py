"""This file names the tables of incidents: what happened, to what, who works on it, and the catalogs that describe it."""

from typing import Any

from sqlalchemy import Boolean, Column, Date, DateTime, Integer, Table, Text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, UUID

from nightbell.store.tables import METADATA

_UUID = UUID(as_uuid=True)
_TIME = DateTime(timezone=True)
_JSON = JSONB(none_as_null=True)
_UUIDS = ARRAY(_UUID)


def _table(name: str, /, **columns: Any) -> Table:
    return _link(name, id=Column("id", _UUID, primary_key=True), **columns)


def _link(name: str, /, **columns: Any) -> Table:
    own = [kind if isinstance(kind, Column) else Column(column, kind) for column, kind in columns.items()]
    return Table(name, METADATA, *own, Column("created_at", _TIME), Column("updated_at", _TIME))


def _catalog(name: str, /, **columns: Any) -> Table:
    return _table(name, name=Text, slug=Text, description=Text, position=Integer, **columns)


severities = _catalog("severities", severity=Text, color=Text)
incident_types = _catalog("incident_types", color=Text)
environments = _catalog("environments", color=Text)
functionalities = _catalog(
    "functionalities",
    public_description=Text,
    color=Text,
    service_ids=_UUIDS,
    environment_ids=_UUIDS,
    owner_team_ids=_UUIDS,
    escalation_policy_id=_UUID,
)
incident_roles = _catalog("incident_roles", summary=Text, optional=Boolean, enabled=Boolean, many=Boolean)
sub_statuses = _catalog("sub_statuses", parent_status=Text)

incident_numbers = Table("incident_numbers", METADATA, Column("only_row", Boolean), Column("last", Integer))
incidents = _table(
    "incidents",
    sequential_id=Integer,
    slug=Text,
    title=Text,
    public_title=Text,
    summary=Text,
    kind=Text,
    status=Text,
    sub_status_id=_UUID,
    private=Boolean,
    source=Text,
    severity_id=_UUID,
    parent_incident_id=_UUID,
    duplicate_of_id=_UUID,
    labels=_JSON,
    key=Text,
    resolve_alerts=Boolean,
    resolve_with_alerts=Boolean,
    muted_service_ids=_UUIDS,
    scheduled_for=_TIME,
    scheduled_until=_TIME,
    mitigation_message=Text,
    resolution_message=Text,
    cancellation_message=Text,
    retrospective=Text,
    retrospective_status=Text,
    created_by=Integer,
    in_triage_by=Integer,
    started_by=Integer,
    mitigated_by=Integer,
    resolved_by=Integer,
    closed_by=Integer,
    cancelled_by=Integer,
    in_triage_at=_TIME,
    detected_at=_TIME,
    started_at=_TIME,
    acknowledged_at=_TIME,
    mitigated_at=_TIME,
    resolved_at=_TIME,
    closed_at=_TIME,
    cancelled_at=_TIME,
    in_progress_at=_TIME,
    completed_at=_TIME,
)
incident_services = _link("incident_services", incident_id=_UUID, service_id=_UUID)
incident_teams = _link("incident_teams", incident_id=_UUID, team_id=_UUID)
incident_environments = _link("incident_environments", incident_id=_UUID, environment_id=_UUID)
incident_functionalities = _link("incident_functionalities", incident_id=_UUID, functionality_id=_UUID)
incident_type_links = _link("incident_type_links", incident_id=_UUID, incident_type_id=_UUID)
incident_alerts = _link(
    "incident_alerts", incident_id=_UUID, alert_id=_UUID, occurrence=Integer, created_by=Integer
)
incident_events = _table(
    "incident_events",
    incident_id=_UUID,
    code=Text,
    event=Text,
    visibility=Text,
    source=Text,
    actor=Text,
    user_id=Integer,
    because=_JSON,
    attachments=_JSON,
    key=Text,
    occurred_at=_TIME,
)
incident_role_assignments = _table(
    "incident_role_assignments", incident_id=_UUID, incident_role_id=_UUID, user_id=Integer, schedule_id=_UUID
)
incident_subscribers = _table(
    "incident_subscribers",
    incident_id=_UUID,
    user_id=Integer,
    email=Text,
    asked_at=_TIME,
    confirmed_at=_TIME,
    ended_at=_TIME,
)
incident_action_items = _table(
    "incident_action_items",
    incident_id=_UUID,
    summary=Text,
    description=Text,
    kind=Text,
    priority=Text,
    status=Text,
    assigned_to_user_id=Integer,
    assigned_team_ids=_UUIDS,
    due_date=Date,
    created_by=Integer,
    completed_at=_TIME,
    key=Text,
)
