"""Retrospectives, in Rootly's shape of them, by the id of their incident: its title and times, and what was learned."""

from typing import Any

from nightbell.api.attribute import Kind, attribute, constant, times
from nightbell.api.resource import Call, Resource
from nightbell.api.resources import incident_shapes as shapes
from nightbell.core.access import Permission
from nightbell.core.errors import Invalid
from nightbell.engine.incident_edits import IncidentEdit
from nightbell.store.read import incidents
from nightbell.store.read.listing import Found, Record

#: Rootly's words for how far a text is.
_STATUS = {"draft": "active", "published": "completed"}
_TIMES = ("started_at", "mitigated_at", "resolved_at")
#: What Rootly may leave out of a page; here the template says what is in it.
_SHOWN = (
    "show_timeline", "show_timeline_trail", "show_timeline_genius", "show_timeline_tasks", "show_timeline_action_items",
    "show_services_impacted", "show_functionalities_impacted", "show_groups_impacted", "show_alerts_attached",
    "show_action_items",
)  # fmt: skip


async def _find(call: Call) -> Found:
    found = await incidents.with_retrospective(call.db, shapes.viewer(call), call.listing)
    for row in found.rows:
        row["url"] = _url(call, row)
    return found


async def _get(call: Call, key: str) -> Record | None:
    row = await incidents.incident(call.db, shapes.viewer(call), key)
    return {**row, "url": _url(call, row)} if row else None


def _url(call: Call, row: Record) -> str:
    return f"{call.edge.base_url}/incidents/{row['sequential_id']}/retrospective"


def _accept(sent: dict[str, Any]) -> dict[str, Any]:
    fields = RETROSPECTIVES.taken(sent)
    if "retrospective_status" in fields:
        status = fields["retrospective_status"]
        if status not in _STATUS:
            raise Invalid("Status must be one of: draft, published", place="status")
        fields["retrospective_status"] = _STATUS[status]
    return fields


async def _change(call: Call, row: Record, edit: IncidentEdit) -> None:
    await call.edge.incidents.update(row["id"], edit, by=call.actor, now=call.now)


def _status(row: Record) -> str:
    return "published" if row["retrospective_status"] == "completed" else "draft"


def _relationships(row: Record) -> dict[str, Any]:
    return {"incident": {"data": {"id": str(row["id"]), "type": "incidents"}}}


RETROSPECTIVES = Resource(
    type="incident_post_mortems",
    collections=("/post_mortems",),
    item="/post_mortems/{id}",
    find=_find,
    get=_get,
    edit=IncidentEdit,
    accept=_accept,
    change=_change,
    write=Permission.RESPOND,
    relationships=_relationships,
    attributes=(
        attribute("title"),
        attribute("content", of="retrospective", edit="retrospective"),
        attribute("status", of=_status, edit="retrospective_status"),
        *(attribute(name, Kind.TIME) for name in _TIMES),
        *(constant(name, True, Kind.FLAG) for name in _SHOWN),
        constant("show_timeline_order", "asc"),
        attribute("url"),
        attribute("incident_id", Kind.ID, of="id"),
        *times(),
    ),
)
