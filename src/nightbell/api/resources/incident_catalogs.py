"""What incidents are described with: severities, types, roles, environments, functionalities, statuses."""

from collections.abc import Callable
from datetime import UTC, datetime
from uuid import NAMESPACE_URL, UUID, uuid5

from nightbell.api.attribute import Attribute, Kind, attribute, constant, times
from nightbell.api.resource import Call, Resource
from nightbell.api.resources import flat
from nightbell.core.incident import Status
from nightbell.core.incident_timeline import spoken
from nightbell.engine import incident_edits as edits
from nightbell.store.read import incident_catalogs as catalogs
from nightbell.store.read.listing import Found, Record

#: What Rootly tells people by; nobody here is told by a catalog.
_TOLD = (
    constant("notify_emails", [], Kind.LIST),
    constant("slack_channels", [], Kind.LIST),
    constant("slack_aliases", [], Kind.LIST),
)
_NAMED = (
    attribute("name", edit="name"),
    attribute("slug", edit="slug"),
    attribute("description", edit="description"),
)
_PLACED = attribute("position", Kind.NUMBER, edit="position")
_COLOR = attribute("color", of=lambda row: row["color"] or flat.DEFAULT_COLOR, edit="color")


def _catalog(name: str, edit: type[edits.CatalogEdit], *attributes: Attribute) -> Resource:
    async def find(call: Call) -> Found:
        return await catalogs.entries(call.db, name, call.listing)

    async def get(call: Call, key: str) -> Record | None:
        return await catalogs.entry(call.db, name, key)

    async def create(call: Call, sent: edits.CatalogEdit) -> UUID:
        return await call.edge.configure.create_entry(name, sent, by=call.actor, now=call.now)

    async def change(call: Call, row: Record, sent: edits.CatalogEdit) -> None:
        await call.edge.configure.update_entry(name, row["id"], sent, by=call.actor, now=call.now)

    async def delete(call: Call, row: Record) -> None:
        await call.edge.configure.delete_entry(name, row["id"], by=call.actor, now=call.now)

    return Resource(
        type=name,
        collections=(f"/{name}",),
        item=f"/{name}/{{id}}",
        find=find,
        get=get,
        edit=edit,
        create=create,
        change=change,
        delete=delete,
        attributes=(*_NAMED, *attributes, _PLACED, *times()),
    )


SEVERITIES = _catalog(
    "severities", edits.SeverityEdit, attribute("severity", edit="severity"), _COLOR, *_TOLD
)
TYPES = _catalog("incident_types", edits.ColoredEdit, _COLOR, *_TOLD)
ENVIRONMENTS = _catalog("environments", edits.ColoredEdit, _COLOR, *_TOLD)
FUNCTIONALITIES = _catalog(
    "functionalities",
    edits.FunctionalityEdit,
    attribute("public_description", edit="public_description"),
    _COLOR,
    constant("backstage_id", None),
    attribute("environment_ids", Kind.LIST, edit="environment_ids"),
    attribute("service_ids", Kind.LIST, edit="service_ids"),
    attribute("owner_group_ids", Kind.LIST, of="owner_team_ids", edit="owner_team_ids"),
    constant("owner_user_ids", [], Kind.LIST),
    attribute("escalation_policy_id", Kind.ID, edit="escalation_policy_id"),
    *_TOLD,
)
ROLES = _catalog(
    "incident_roles",
    edits.RoleEdit,
    attribute("summary", edit="summary"),
    attribute("optional", Kind.FLAG, edit="optional"),
    attribute("enabled", Kind.FLAG, edit="enabled"),
    attribute("allow_multi_user_assignment", Kind.FLAG, of="many", edit="many"),
)
SUB_STATUSES = _catalog("sub_statuses", edits.SubStatusEdit, attribute("parent_status", edit="parent_status"))

# ---------------------------------------------------------------- statuses, which nobody changes

_COLORS = {
    Status.IN_TRIAGE: "#9061F9",
    Status.STARTED: "#E02424",
    Status.MITIGATED: "#F59E0B",
    Status.RESOLVED: "#0E9F6E",
    Status.CLOSED: "#6B7280",
    Status.CANCELLED: "#6B7280",
    Status.SCHEDULED: "#047BF8",
    Status.IN_PROGRESS: "#047BF8",
    Status.COMPLETED: "#0E9F6E",
}
_SINCE = datetime(2026, 1, 1, tzinfo=UTC)


def _status(status: Status) -> Record:
    return {
        # The same on every installation.
        "id": uuid5(NAMESPACE_URL, f"nightbell:status:{status}"),
        "name": spoken(status).capitalize(),
        "slug": status.value,
        "color": _COLORS[status],
        "created_at": _SINCE,
        "updated_at": _SINCE,
    }


def _known(field: str) -> Callable[[Record, tuple[str, ...]], bool]:
    return lambda row, values: str(row[field]) in values


_ASKED = {name: _known(name) for name in ("name", "slug", "id")}


async def _statuses(call: Call) -> Found:
    rows = [_status(status) for status in Status]
    for condition in call.listing.where:
        if condition.field in _ASKED and condition.op in ("eq", "in"):
            rows = [row for row in rows if _ASKED[condition.field](row, condition.values)]
    start, end = call.listing.offset, call.listing.offset + call.listing.limit
    return Found(rows=rows[start:end], total=len(rows))


async def _one_status(call: Call, key: str) -> Record | None:
    rows = (_status(status) for status in Status)
    return next((row for row in rows if key in (str(row["id"]), row["slug"])), None)


STATUSES = Resource(
    type="statuses",
    collections=("/statuses",),
    item="/statuses/{id}",
    find=_statuses,
    get=_one_status,
    attributes=(
        attribute("name"),
        attribute("slug"),
        constant("description", None),
        attribute("color"),
        constant("enabled", True, Kind.FLAG),
        *times(),
    ),
)

INCIDENT_CATALOGS: tuple[Resource, ...] = (
    SEVERITIES,
    TYPES,
    ENVIRONMENTS,
    FUNCTIONALITIES,
    ROLES,
    SUB_STATUSES,
    STATUSES,
)
