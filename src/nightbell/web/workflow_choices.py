"""What the conditions of a workflow may name, by what the wire calls their values: (value, name)."""

from collections.abc import Iterable

from nightbell.core.workflow_params import ALERT_STATUSES, GROUPS
from nightbell.store.read import incident_catalogs, sources, workflows
from nightbell.store.read.listing import Record
from nightbell.web.site import WebRequest

Choices = dict[str, list[tuple[str, str]]]
_CATALOGS = {
    "severity_ids": "severities",
    "incident_type_ids": "incident_types",
    "environment_ids": "environments",
    "functionality_ids": "functionalities",
    "incident_role_ids": "incident_roles",
    "sub_status_ids": "sub_statuses",
}


async def choices(request: WebRequest, kind: str) -> Choices:
    """Return the choices of every condition that a workflow of a kind can ask for and that has some."""
    directory, db = await request.site.directory(), request.site.db
    found: Choices = {
        spec.values: [(one, one.replace("_", " ")) for one in spec.allowed]
        for _, group in GROUPS[kind]
        for spec in group
        if spec.allowed
    }
    if kind == "alert":
        found["alert_urgency_ids"] = _named(await sources.all_urgencies(db))
        found["alert_statuses"] = [(one, one) for one in ALERT_STATUSES]
        return found
    found["incident_visibilities"] = [("true", "private"), ("false", "open to all")]
    for values, table in _CATALOGS.items():
        found[values] = _named(await incident_catalogs.catalog(db, table))
    found["service_ids"] = _sorted((str(s.id), s.name) for s in directory.services.values())
    found["group_ids"] = _sorted((str(t.id), t.name) for t in directory.teams.values())
    found["incident_action_item_group_ids"] = found["group_ids"]
    return found


async def pickers(request: WebRequest) -> Choices:
    """Return what the parameters of tasks may name, by their own name."""
    directory, db = await request.site.directory(), request.site.db
    found: Choices = {
        values: _named(await incident_catalogs.catalog(db, table)) for values, table in _CATALOGS.items()
    }
    services = _sorted((str(s.id), s.name) for s in directory.services.values())
    teams = _sorted((str(t.id), t.name) for t in directory.teams.values())
    people = _sorted((str(u.id), u.name) for u in directory.users.values() if u.active)
    policies = _sorted((str(p.id), p.name) for p in directory.policies.values())
    schedules = _sorted((str(s.id), s.name) for s in directory.schedules.values())
    workflow_names = [(str(w["id"]), w["name"]) for w in await workflows.all_workflows(db)]
    return {
        **found,
        "severity_id": found["severity_ids"],
        "incident_role_id": found["incident_role_ids"],
        "incident_role": found["incident_role_ids"],
        "severity": found["severity_ids"],
        "alert_urgency_id": _named(await sources.all_urgencies(db)),
        "service_ids": services,
        "service_target": services,
        "group_ids": teams,
        "group_target": teams,
        "group_id": teams,
        "user_ids": people,
        "escalation_policy_target": policies,
        "schedule_target": schedules,
        "user_target": people,
        "assigned_to_user": people,
        "assigned_to_user_id": people,
        "workflow": workflow_names,
    }


def _sorted(pairs: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    # The directory finds things by id and by slug; each is listed once.
    return sorted(set(pairs), key=lambda pair: pair[1].lower())


def _named(rows: list[Record]) -> list[tuple[str, str]]:
    return [(str(row["id"]), row["name"]) for row in rows]
