"""Incidents: what happened, where it stands, what it is about and who has it."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

import msgspec

from nightbell.api.asking import first, with_times
from nightbell.api.attribute import Kind, attribute, constant, times
from nightbell.api.auth import require
from nightbell.api.jsonapi import Document
from nightbell.api.resource import Action, Call, Resource
from nightbell.api.resources import incident_acts as acts
from nightbell.api.resources import incident_charts
from nightbell.api.resources import incident_shapes as shapes
from nightbell.core import incident as rules
from nightbell.core.access import Permission
from nightbell.core.errors import BadPayload, Invalid, Unknown
from nightbell.core.incident_export import as_json, markdown
from nightbell.engine.incident_edits import IncidentEdit
from nightbell.engine.incident_reports import report
from nightbell.store.read import incident_pages, incidents
from nightbell.store.read.listing import Found, Record

_TIMES = (*rules.TIMES, "scheduled_for", "scheduled_until")
#: Lists of ids by the wire's names.
_IDS = {
    "service_ids": "service_ids",
    "group_ids": "team_ids",
    "environment_ids": "environment_ids",
    "functionality_ids": "functionality_ids",
    "incident_type_ids": "type_ids",
    "muted_service_ids": "muted_service_ids",
    "alert_ids": "alert_ids",
}
#: What others link their own things by.
_FOREIGN = (
    "slack_channel_short_url", "zoom_meeting_id", "zoom_meeting_join_url", "google_meeting_url", "google_drive_url", "jira_issue_id",
    "jira_issue_key", "jira_issue_url", "github_issue_url", "gitlab_issue_url", "linear_issue_id", "linear_issue_key",
    "linear_issue_url", "asana_task_url", "trello_card_url", "zendesk_ticket_url", "pagerduty_incident_url",
    "opsgenie_incident_url", "service_now_incident_url", "confluence_page_url", "datadog_notebook_url",
)  # fmt: skip


async def _find(call: Call) -> Found:
    found = await incidents.listed(call.db, shapes.viewer(call), call.listing)
    await shapes.enrich(call, found.rows)
    return found


async def _get(call: Call, key: str) -> Record | None:
    row = await incidents.incident(call.db, shapes.viewer(call), key)
    if row is not None:
        await shapes.enrich(call, [row])
    return row


def _accept(sent: dict[str, Any]) -> dict[str, Any]:
    fields = INCIDENTS.taken(sent)
    for wire, ours in _IDS.items():
        if wire in sent:
            ids = sent[wire]
            # Clients that cannot leave a list out send one empty text.
            fields[ours] = [one for one in ids if one != ""] if isinstance(ids, list) else ids
    return with_times(fields, *_TIMES)


async def _create(call: Call, edit: IncidentEdit) -> UUID:
    if not call.attributes.get("title"):
        raise Invalid("Title can't be blank", place="title")
    await _seen(call, edit)
    made = await call.edge.incidents.create(edit, by=call.actor, now=call.now, source="api")
    return made.id


async def _change(call: Call, row: Record, edit: IncidentEdit) -> None:
    await _seen(call, edit)
    await call.edge.incidents.update(row["id"], edit, by=call.actor, now=call.now)


async def _seen(call: Call, edit: IncidentEdit) -> None:
    """Refuse to name incidents that are kept from who asks: to them, there are none."""
    for name, wire in (
        ("parent_incident_id", "parent_incident_id"),
        ("duplicate_of_id", "duplicate_incident_id"),
    ):
        ident = edit.sent().get(name)
        if ident and await incidents.incident_id(call.db, shapes.viewer(call), ident) is None:
            raise Invalid(f"There is no incident {ident}.", place=wire, hint="Name one that exists.")


async def _delete(call: Call, row: Record) -> None:
    """Everything of it goes, so not everybody who works on it may do this."""
    require(call.visitor, Permission.CONFIGURE)
    await call.edge.incidents.delete(row["id"], by=call.actor, now=call.now)


async def documents(call: Call, rows: Sequence[Record]) -> list[Document]:
    """Return these incidents as resource objects, for `included`."""
    await shapes.enrich(call, rows)
    return [INCIDENTS.document(row) for row in rows]


def _act(method: str, name: str, summary: str, do: acts.Do, **accepts: Kind) -> Action:
    async def run(call: Call) -> tuple[Any, int]:
        row = await INCIDENTS.row(call, call.parent)
        await do(call, row)
        return await INCIDENTS.shown(call, await INCIDENTS.row(call, str(row["id"]))), 200

    return Action(
        method=method,
        path=f"/incidents/{{id}}/{name}",
        summary=summary,
        permission=Permission.RESPOND,
        run=run,
        accepts=accepts,
    )


async def _export(call: Call) -> tuple[Any, int]:
    """Show everything of it: as Markdown in `text` for people, or as `incident` for programs."""
    row = await INCIDENTS.row(call, call.parent)
    wanted = first(call, "format") or "json"
    if wanted not in ("json", "markdown"):
        raise BadPayload("format must be json or markdown.", place="format")
    seen = await incident_pages.incident(call.db, shapes.viewer(call), ident=row["id"])
    if seen is None:
        raise Unknown("There is no such incident.")
    told = await report(call.db, seen, base_url=call.edge.base_url, now=call.now)
    if wanted == "markdown":
        return {"format": wanted, "text": markdown(told, seen["retrospective"])}, 200
    return {"format": wanted, "incident": msgspec.Raw(as_json(told, seen["retrospective"]))}, 200


_ROLE = {"user_id": Kind.TEXT, "incident_role_id": Kind.ID}
_PEOPLE = {"user_ids": Kind.LIST, "remove_users_with_no_private_incident_access": Kind.FLAG}

INCIDENTS = Resource(
    type="incidents",
    collections=("/incidents",),
    item="/incidents/{id}",
    parameters=(
        "filter[status]",
        "filter[severity]",
        "filter[services]",
        "filter[teams]",
        "filter[environments]",
        "filter[sequential_id]",
        "filter[private]",
        "filter[started_at][gte]",
        "filter[started_at][lte]",
        "filter[created_at][gte]",
        "filter[created_at][lte]",
        "fields[incidents]",
    ),
    find=_find,
    get=_get,
    edit=IncidentEdit,
    accept=_accept,
    create=_create,
    change=_change,
    delete=_delete,
    write=Permission.RESPOND,
    relationships=shapes.relationships,
    include=shapes.INCLUDE,
    actions=(
        _act("PUT", "in_triage", "Put it back in triage", acts.to("in_triage")),
        _act("PUT", "start", "Say that it is an incident", acts.to("started")),
        _act(
            "PUT", "mitigate", "It does no harm any more", acts.to("mitigated"), mitigation_message=Kind.TEXT
        ),
        _act("PUT", "resolve", "It is over", acts.to("resolved"), resolution_message=Kind.TEXT),
        _act("PUT", "close", "Nothing is left to do for it", acts.to("closed")),
        _act("PUT", "cancel", "It was none", acts.to("cancelled"), cancellation_message=Kind.TEXT),
        _act("PUT", "restart", "It was not over", acts.restart),
        _act("PUT", "acknowledge", "Somebody has it", acts.acknowledge),
        _act(
            "PUT",
            "duplicate",
            "It is the same as another one",
            acts.duplicate,
            duplicate_incident_id=Kind.ID,
            cancellation_message=Kind.TEXT,
            reason_for_cancellation=Kind.TEXT,
            auto_cancel_incident=Kind.FLAG,
        ),
        _act("PUT", "unmark_as_duplicate", "It is no duplicate after all", acts.unmark),
        _act("PUT", "detach_from_parent", "It is below no other one any more", acts.detach_from_parent),
        _act("POST", "merge", "Others are the same as this one", acts.merge, incident_ids=Kind.LIST),
        _act("POST", "add_subscribers", "Tell people of it", acts.add_subscribers, **_PEOPLE),
        _act("DELETE", "remove_subscribers", "Tell people no more", acts.remove_subscribers, **_PEOPLE),
        _act("POST", "assign_role_to_user", "Give a role", acts.assign, **_ROLE, schedule_id=Kind.ID),
        _act("DELETE", "unassign_role_from_user", "Take a role", acts.unassign, **_ROLE),
        _act("DELETE", "remove_assigned_role_from_user", "Take a role", acts.unassign, **_ROLE),
        Action(
            method="GET",
            path="/incidents/{id}/export",
            summary="Everything of an incident, as Markdown or JSON (`format`)",
            permission=Permission.VIEW,
            run=_export,
        ),
        *(incident_charts.chart(kind, field) for kind, field in incident_charts.CHARTS.items()),
    ),
    attributes=(
        attribute("sequential_id", Kind.NUMBER),
        attribute("title", edit="title"),
        attribute("kind", edit="kind"),
        attribute("slug"),
        attribute("parent_incident_id", Kind.ID, edit="parent_incident_id"),
        attribute("duplicate_incident_id", Kind.ID, of="duplicate_of_id", edit="duplicate_of_id"),
        attribute("summary", edit="summary"),
        attribute("private", Kind.FLAG, edit="private"),
        attribute("source"),
        attribute("status", edit="status"),
        attribute("url"),
        attribute("short_url"),
        attribute("public_title", edit="public_title"),
        attribute("severity", Kind.OBJECT, of=shapes.severity),
        attribute("severity_id", Kind.ID, edit="severity_id"),
        attribute("sub_status_id", Kind.ID, edit="sub_status_id"),
        attribute("user", Kind.OBJECT, of=shapes.person("created_by")),
        *(attribute(name, Kind.OBJECT, of=shapes.person(name)) for name in shapes.PEOPLE[1:]),
        *(
            attribute(name, Kind.OBJECT, of=shapes.data(name))
            for name in ("services", "groups", "environments")
        ),
        *(attribute(name, Kind.LIST, of=ours, edit=ours) for name, ours in _IDS.items()),
        attribute("labels", Kind.OBJECT, edit="labels"),
        attribute("mitigation_message", edit="mitigation_message"),
        attribute("resolution_message", edit="resolution_message"),
        attribute("cancellation_message", edit="cancellation_message"),
        attribute("scheduled_for", Kind.TIME, edit="scheduled_for"),
        attribute("scheduled_until", Kind.TIME, edit="scheduled_until"),
        attribute("retrospective_progress_status", of="retrospective_status", edit="retrospective_status"),
        *(attribute(name) for name in shapes.ROOM),
        *(constant(name, None) for name in _FOREIGN),
        *(attribute(name, Kind.TIME, edit=name) for name in rules.TIMES),
        *times(),
        # Ours: what Rootly does not tell.
        attribute("in_progress_at", Kind.TIME),
        attribute("completed_at", Kind.TIME),
        attribute("resolve_alerts", Kind.FLAG, edit="resolve_alerts"),
        attribute("resolve_with_alerts", Kind.FLAG, edit="resolve_with_alerts"),
        attribute("retrospective", edit="retrospective"),
        attribute(
            "next_statuses", Kind.LIST, of=lambda row: [str(s) for s in rules.successors(row["rules"])]
        ),
        attribute("seconds_to_acknowledge", Kind.NUMBER, of=shapes.seconds(rules.to_acknowledge)),
        attribute("seconds_to_mitigate", Kind.NUMBER, of=shapes.seconds(rules.to_mitigate)),
        attribute("seconds_to_resolve", Kind.NUMBER, of=shapes.seconds(rules.to_resolve)),
    ),
)
