"""What somebody wants changed about workflows: one Edit per noun, like those of `edits.py`."""

from typing import Any

from msgspec import UNSET, UnsetType

from nightbell.engine.edits import (
    Edit,
    Json,
    MaybeFlag,
    MaybeId,
    MaybeNumber,
    MaybeText,
    Number,
    Text,
)

#: Ids of catalogs: kept as texts, because some catalogs are elsewhere.
Keys = list[str] | None | UnsetType


class WorkflowEdit(Edit, frozen=True, kw_only=True):
    """A workflow. `trigger_params` are Rootly's, whole; durations are written "10 min"."""

    name: Text = UNSET
    slug: MaybeText = UNSET
    description: MaybeText = UNSET
    trigger_params: Json = UNSET
    command: MaybeText = UNSET
    command_feedback_enabled: MaybeFlag = UNSET
    wait: MaybeText = UNSET
    repeat_every_duration: MaybeText = UNSET
    repeat_condition_duration_since_first_run: MaybeText = UNSET
    repeat_condition_number_of_repeats: MaybeNumber = UNSET
    continuously_repeat: MaybeFlag = UNSET
    repeat_on: Keys = UNSET
    run_once_per_resource: MaybeFlag = UNSET
    enabled: MaybeFlag = UNSET
    locked: MaybeFlag = UNSET
    position: Number = UNSET
    workflow_group_id: MaybeId = UNSET
    environment_ids: Keys = UNSET
    severity_ids: Keys = UNSET
    incident_type_ids: Keys = UNSET
    incident_role_ids: Keys = UNSET
    service_ids: Keys = UNSET
    functionality_ids: Keys = UNSET
    group_ids: Keys = UNSET
    cause_ids: Keys = UNSET
    sub_status_ids: Keys = UNSET


class TaskEdit(Edit, frozen=True, kw_only=True):
    """A task of a workflow. `params` are Rootly's task_params, whole, with their task_type."""

    name: MaybeText = UNSET
    params: dict[str, Any] | UnsetType = UNSET
    position: Number = UNSET
    skip_on_failure: MaybeFlag = UNSET
    enabled: MaybeFlag = UNSET


class WorkflowGroupEdit(Edit, frozen=True, kw_only=True):
    """A folder of workflows."""

    name: Text = UNSET
    slug: Text = UNSET
    description: MaybeText = UNSET
    kind: MaybeText = UNSET
    icon: MaybeText = UNSET
    expanded: MaybeFlag = UNSET
    position: Number = UNSET
