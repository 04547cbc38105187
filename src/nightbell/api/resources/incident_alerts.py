"""Alerts of an incident, and an alert put to incidents: the same link from both ends."""

from typing import Any
from uuid import UUID

from msgspec.structs import replace

from nightbell.api.attribute import Kind
from nightbell.api.resource import Action, Call
from nightbell.api.resources import alert_parts as parts
from nightbell.api.resources.alerts import ALERTS
from nightbell.api.resources.incident_shapes import viewer
from nightbell.api.resources.incidents import INCIDENTS
from nightbell.core.access import Permission
from nightbell.core.errors import Invalid
from nightbell.store.read import alerts, incidents
from nightbell.store.read.listing import Found


async def _find(call: Call) -> Found:
    row = await INCIDENTS.row(call, call.parent)
    found = await alerts.listed(call.db, call.listing, alerts.of_incident(row["id"]))
    await parts.enrich(call, found.rows, largest=alerts.LARGEST_IN_LIST)
    return found


async def _attach(call: Call) -> tuple[Any, int]:
    row = await INCIDENTS.row(call, call.parent)
    await call.edge.incidents.attach(row["id"], await _alerts(call), by=call.actor, now=call.now)
    return await LINKED.page(call, await _find(call)), 200


async def _detach(call: Call) -> tuple[Any, int]:
    row = await INCIDENTS.row(call, call.parent)
    await call.edge.incidents.detach(row["id"], await _alerts(call), by=call.actor, now=call.now)
    return await LINKED.page(call, await _find(call)), 200


async def _alerts(call: Call) -> list[UUID]:
    """Return the alerts that were named, by id or short id."""
    asked = call.attributes.get("alert_ids")
    if not isinstance(asked, list) or not asked:
        raise Invalid("Name at least one alert.", place="alert_ids")
    out = []
    for one in asked:
        ident = await alerts.alert_id(call.db, one) if isinstance(one, str) else None
        if ident is None:
            raise Invalid(f"There is no alert {str(one)[:60]}.", place="alert_ids")
        out.append(ident)
    return out


async def _attach_to(call: Call) -> tuple[Any, int]:
    """Attach one alert to incidents, named by id, slug or number."""
    row = await ALERTS.row(call, call.parent)
    asked = call.attributes.get("incident_ids")
    if not isinstance(asked, list) or not asked:
        raise Invalid("Name at least one incident.", place="incident_ids")
    found = [await incidents.incident_id(call.db, viewer(call), str(one)) for one in asked]
    if None in found:
        absent = str(asked[found.index(None)])[:60]
        raise Invalid(f"There is no incident {absent}.", place="incident_ids")
    for ident in filter(None, found):
        await call.edge.incidents.attach(ident, [row["id"]], by=call.actor, now=call.now)
    return await ALERTS.shown(call, await ALERTS.row(call, str(row["id"]))), 200


_PATH = "/incidents/{id}/alerts"
_ACCEPTS = {"alert_ids": Kind.LIST}
LINKED = replace(
    ALERTS,
    name="incident_alerts",
    collections=(_PATH,),
    find=_find,
    item="",
    get=None,
    create=None,
    change=None,
    actions=(
        Action(
            method="POST",
            path=_PATH,
            summary="Attach alerts to an incident",
            permission=Permission.RESPOND,
            run=_attach,
            accepts=_ACCEPTS,
        ),
        Action(
            method="DELETE",
            path=_PATH,
            summary="Take alerts off an incident",
            permission=Permission.RESPOND,
            run=_detach,
            accepts=_ACCEPTS,
        ),
        Action(
            method="POST",
            path="/alerts/{id}/attach",
            summary="Attach an alert to incidents",
            permission=Permission.RESPOND,
            run=_attach_to,
            accepts={"incident_ids": Kind.LIST},
        ),
    ),
)
