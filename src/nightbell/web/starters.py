"""Workflows to begin with, for whoever has none: made switched off, to be looked at first."""

from typing import Any

from msgspec import Struct

from nightbell.engine.workflow_edits import TaskEdit, WorkflowEdit


class Starter(Struct, frozen=True, kw_only=True):
    """One of them: what it is called, what it does in a sentence, and what it is made of."""

    key: str
    name: str
    told: str
    trigger_params: dict[str, Any]
    tasks: tuple[tuple[str, dict[str, Any]], ...]

    @property
    def workflow(self) -> WorkflowEdit:
        """Return the workflow to make."""
        params = self.trigger_params
        return WorkflowEdit(name=self.name, description=self.told, enabled=False, trigger_params=params)

    @property
    def task_edits(self) -> list[TaskEdit]:
        """Return its tasks to make, in order."""
        return [TaskEdit(name=name, params=params) for name, params in self.tasks]


STARTERS = (
    Starter(
        key="open",
        name="Open an incident for critical alerts",
        told="When an alert with severity critical comes: an incident named after it, the alert attached, a line in its timeline.",
        trigger_params={
            "trigger_type": "alert",
            "triggers": ["alert_created"],
            "alert_condition": "ALL",
            "alert_payload_conditions": {
                "logic": "ALL",
                "conditions": [
                    {
                        "query": "$.commonLabels.severity",
                        "operator": "IS",
                        "values": ["critical"],
                        "use_regexp": False,
                    }
                ],
            },
        },
        tasks=(
            (
                "Open the incident",
                {
                    "task_type": "create_incident",
                    "title": "{{ alert.summary }}",
                    "summary": "{{ alert.description }}",
                },
            ),
            (
                "Say so in its timeline",
                {
                    "task_type": "add_to_timeline",
                    "event": "Opened by itself for alert {{ alert.short_id }} of {{ alert.source }}.",
                },
            ),
        ),
    ),
    Starter(
        key="resolve",
        name="Resolve the incident with its alert",
        told="When an alert is resolved: the incident it is attached to is resolved too.",
        trigger_params={
            "trigger_type": "alert",
            "triggers": ["alert_status_updated"],
            "alert_condition": "ALL",
            "alert_condition_status": "IS",
            "alert_statuses": ["resolved"],
        },
        tasks=(("Resolve it", {"task_type": "update_status", "status": "resolved"}),),
    ),
    Starter(
        key="learn",
        name="Ask for a retrospective",
        told="When an incident is resolved: an action item, so that somebody writes down what was learned.",
        trigger_params={
            "trigger_type": "incident",
            "triggers": ["status_updated"],
            "incident_condition": "ALL",
            "incident_condition_status": "IS",
            "incident_statuses": ["resolved"],
        },
        tasks=(
            (
                "Ask for it",
                {
                    "task_type": "add_action_item",
                    "summary": "Write the retrospective of {{ incident.title }}",
                    "priority": "medium",
                    "status": "open",
                },
            ),
        ),
    ),
)
