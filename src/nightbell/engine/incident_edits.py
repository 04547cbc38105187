"""What somebody wants changed about incidents and what they are described with; the rules of engine/edits.py hold."""

from datetime import date

from msgspec import UNSET, UnsetType

from nightbell.engine.edits import (
    Edit,
    Flag,
    Json,
    JsonList,
    MaybeId,
    MaybeIds,
    MaybeNumber,
    MaybeText,
    MaybeTime,
    Text,
)


class IncidentEdit(Edit, frozen=True, kw_only=True):
    """An incident. `status` may also be detected or acknowledged, which only stamp their instant."""

    title: MaybeText = UNSET
    public_title: MaybeText = UNSET
    kind: MaybeText = UNSET
    summary: MaybeText = UNSET
    status: MaybeText = UNSET
    private: bool | None | UnsetType = UNSET
    severity_id: MaybeId = UNSET
    sub_status_id: MaybeId = UNSET
    parent_incident_id: MaybeId = UNSET
    duplicate_of_id: MaybeId = UNSET
    labels: Json = UNSET
    resolve_alerts: Flag = UNSET
    resolve_with_alerts: Flag = UNSET
    scheduled_for: MaybeTime = UNSET
    scheduled_until: MaybeTime = UNSET
    mitigation_message: MaybeText = UNSET
    resolution_message: MaybeText = UNSET
    cancellation_message: MaybeText = UNSET
    retrospective: MaybeText = UNSET
    retrospective_status: MaybeText = UNSET
    in_triage_at: MaybeTime = UNSET
    detected_at: MaybeTime = UNSET
    started_at: MaybeTime = UNSET
    acknowledged_at: MaybeTime = UNSET
    mitigated_at: MaybeTime = UNSET
    resolved_at: MaybeTime = UNSET
    closed_at: MaybeTime = UNSET
    cancelled_at: MaybeTime = UNSET
    muted_service_ids: MaybeIds = UNSET
    service_ids: MaybeIds = UNSET
    team_ids: MaybeIds = UNSET
    environment_ids: MaybeIds = UNSET
    functionality_ids: MaybeIds = UNSET
    type_ids: MaybeIds = UNSET
    alert_ids: MaybeIds = UNSET


class EntryEdit(Edit, frozen=True, kw_only=True):
    """An entry of a timeline. `attachments`: [{"url": "https://…", "title": "graph"}]."""

    event: Text = UNSET
    visibility: MaybeText = UNSET
    occurred_at: MaybeTime = UNSET
    attachments: JsonList = UNSET


class ActionItemEdit(Edit, frozen=True, kw_only=True):
    """Something to be done after an incident, or during it."""

    summary: Text = UNSET
    description: MaybeText = UNSET
    kind: MaybeText = UNSET
    priority: MaybeText = UNSET
    status: MaybeText = UNSET
    assigned_to_user_id: MaybeNumber = UNSET
    assigned_team_ids: MaybeIds = UNSET
    due_date: date | None | UnsetType = UNSET


class CatalogEdit(Edit, frozen=True, kw_only=True):
    """What every entry of a catalog has."""

    name: Text = UNSET
    slug: Text = UNSET
    description: MaybeText = UNSET
    position: MaybeNumber = UNSET


class SeverityEdit(CatalogEdit, frozen=True, kw_only=True):
    """A severity; `severity` is critical, high, medium or low."""

    severity: MaybeText = UNSET
    color: MaybeText = UNSET


class ColoredEdit(CatalogEdit, frozen=True, kw_only=True):
    """A type of incident, or an environment."""

    color: MaybeText = UNSET


class FunctionalityEdit(ColoredEdit, frozen=True, kw_only=True):
    """Something users do with what we run."""

    public_description: MaybeText = UNSET
    service_ids: MaybeIds = UNSET
    environment_ids: MaybeIds = UNSET
    owner_team_ids: MaybeIds = UNSET
    escalation_policy_id: MaybeId = UNSET


class RoleEdit(CatalogEdit, frozen=True, kw_only=True):
    """A role in incidents; `many` people may hold it at once."""

    summary: MaybeText = UNSET
    optional: Flag = UNSET
    enabled: Flag = UNSET
    many: Flag = UNSET


class SubStatusEdit(CatalogEdit, frozen=True, kw_only=True):
    """A finer status below one of ours."""

    parent_status: Text = UNSET
