"""Alerts and incidents together, from either page: made into one, attached, taken out, resolved."""

from uuid import UUID

from litestar import Response
from litestar.params import FromPath

from nightbell.core import shortid
from nightbell.core.access import Permission
from nightbell.core.errors import Invalid
from nightbell.web import incident_view as view
from nightbell.web import words
from nightbell.web.pages.alert import find as find_alert
from nightbell.web.render import go
from nightbell.web.site import WebRequest, action

#: Ids of alerts in one field.
_MOST_IDS = 50


@action("/incidents/attach", Permission.RESPOND)
async def attached_from_alert(request: WebRequest) -> Response[bytes]:
    """Attach an alert, on whose page the form stands, to an incident."""
    form = await request.fields()
    alert = await find_alert(request, form.needed("alert"))
    row = await view.find(request, form.needed("incident"))
    await request.site.incidents.attach(row["id"], [alert["id"]], by=request.visitor.actor, now=request.now)
    back = f"/alerts/{shortid.encode(alert['number'])}#incidents"
    return go(request, back, f"Attached to #{row['sequential_id']} {row['title'][:100]}.")


@action("/incidents/{ref:str}/alerts", Permission.RESPOND)
async def attached(request: WebRequest, ref: FromPath[str]) -> Response[bytes]:
    """Attach alerts by their ids."""
    row, form = await view.find(request, ref), await request.fields()
    refs = form.text("alert", longest=2000).replace(",", " ").split()[:_MOST_IDS]
    if not refs:
        raise Invalid("Name an alert.", place="alert")
    ids = [(await find_alert(request, one))["id"] for one in refs]
    await request.site.incidents.attach(row["id"], ids, by=request.visitor.actor, now=request.now)
    return go(request, f"{view.url(row)}#alerts", f"{words.plural(len(ids), 'alert')} attached.")


@action("/incidents/{ref:str}/alerts/{ident:uuid}/detach", Permission.RESPOND)
async def detached(request: WebRequest, ref: FromPath[str], ident: FromPath[UUID]) -> Response[bytes]:
    """Take an alert out of an incident; it stays as it is."""
    row = await view.find(request, ref)
    await request.site.incidents.detach(row["id"], [ident], by=request.visitor.actor, now=request.now)
    return go(request, f"{view.url(row)}#alerts", "Detached.")


@action("/incidents/{ref:str}/alerts/resolve", Permission.RESPOND)
async def resolved(request: WebRequest, ref: FromPath[str]) -> Response[bytes]:
    """Resolve every alert of an incident; the incident stays as it is."""
    row = await view.find(request, ref)
    done = await request.site.incidents.resolve_alerts(row["id"], by=request.visitor.actor, now=request.now)
    return go(request, f"{view.url(row)}#alerts", f"{words.plural(done, 'alert')} resolved.")


ROUTES = [attached_from_alert, attached, detached, resolved]
