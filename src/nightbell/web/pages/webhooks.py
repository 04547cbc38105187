"""Outgoing webhooks, for whoever connects things: who hears of what, what was delivered, and once more if need be."""

from typing import Any
from uuid import UUID

from litestar import Response
from litestar.params import FromPath

from nightbell.core.access import Permission
from nightbell.core.errors import Invalid, Unknown
from nightbell.core.webhook import EVENT_TYPES
from nightbell.engine.configure_webhooks import EndpointEdit, masked_headers
from nightbell.store.read import webhooks
from nightbell.store.read.listing import Listing
from nightbell.web.faults import told
from nightbell.web.forms import Form
from nightbell.web.pages.alert import pretty_body
from nightbell.web.render import go, render
from nightbell.web.site import WebRequest, action, page

URL = "/integrations/webhooks"
PAGE = 25
#: Lines for headers that are not there yet.
_SPARE = 2
#: How the events stand on the form: what they are about, and the first part of their names.
_GROUPS = (
    ("Alerts", "alert."),
    ("Incidents", "incident."),
    ("Planned work", "incident.scheduled."),
    ("Timelines of incidents", "incident_event."),
    ("Retrospectives", "incident_post_mortem."),
    ("Status pages", "incident_status_page_event."),
    ("Shifts", "shift."),
    ("Runs of workflows", "genius_workflow_run."),
    ("The audit log", "audit_log."),
)


def grouped() -> list[tuple[str, list[tuple[str, str]]]]:
    """Return the events by what they are about: (event, its last word)."""
    out: list[tuple[str, list[tuple[str, str]]]] = []
    for label, start in _GROUPS:
        own = [name for name in EVENT_TYPES if name.startswith(start) and "." not in name.removeprefix(start)]
        out.append((label, [(name, name.removeprefix(start).replace("_", " ")) for name in own]))
    return out


@page(URL, Permission.CONNECT)
async def listed(request: WebRequest) -> Response[bytes]:
    """Show every endpoint and how it does."""
    return await _listed(request, {}, {})


async def _listed(request: WebRequest, errors: dict[str, str], given: dict[str, Any]) -> Response[bytes]:
    rows = await webhooks.overview(request.site.db)
    return await render(
        request,
        "webhooks.html",
        code=422 if errors else 200,
        nav="integrations",
        endpoints=[{**row, "look": _look(row)} for row in rows],
        errors=errors,
        given={"name": "", "url": "", "events": ["alert.created"], **given},
        groups=grouped(),
    )


def _look(row: dict[str, Any]) -> str:
    if not row["enabled"]:
        return "given_up" if row["disabled_why"] else "off"
    return "failing" if row["failing_since"] else "well"


@action(URL, Permission.CONNECT)
async def created(request: WebRequest) -> Response[bytes]:
    """Make an endpoint, and show its secret: this once."""
    form = await request.fields()
    edit = EndpointEdit(name=form.raw("name"), url=form.raw("url"), event_types=form.many("events"))
    try:
        ident = await request.site.configure.create_endpoint(edit, by=request.visitor.actor, now=request.now)
    except Invalid as error:
        given = {"name": form.raw("name"), "url": form.raw("url"), "events": form.many("events")}
        return await _listed(request, told(error), given)
    return await _shown(request, ident, {}, secret=await request.site.configure.reveal_endpoint_secret(ident))


@page(f"{URL}/{{ident:uuid}}", Permission.CONNECT)
async def shown(request: WebRequest, ident: FromPath[UUID]) -> Response[bytes]:
    """Show one endpoint: its settings, and what was delivered to it."""
    return await _shown(request, ident, {})


async def _shown(
    request: WebRequest, ident: UUID, errors: dict[str, str], *, secret: str = ""
) -> Response[bytes]:
    site = request.site
    row = await webhooks.endpoint(site.db, str(ident))
    if row is None:
        raise Unknown("There is no such endpoint.", hint="It may have been deleted.")
    after = str(request.query_params.get("after", ""))
    found = await webhooks.deliveries(site.db, ident, Listing(limit=PAGE, after=after))
    headers = masked_headers(row["custom_headers"])
    return await render(
        request,
        "webhook.html",
        code=422 if errors else 200,
        nav="integrations",
        endpoint={**row, "look": _look(row)},
        headers=headers + [{"name": "", "value": ""}] * _SPARE,
        errors=errors,
        secret=secret,
        groups=grouped(),
        deliveries=found.rows,
        older=found.next_cursor,
        first=not after,
    )


@action(f"{URL}/{{ident:uuid}}", Permission.CONNECT)
async def changed(request: WebRequest, ident: FromPath[UUID]) -> Response[bytes]:
    """Change an endpoint."""
    form = await request.fields()
    try:
        edit = _edit(form)
        await request.site.configure.update_endpoint(ident, edit, by=request.visitor.actor, now=request.now)
    except Invalid as error:
        return await _shown(request, ident, told(error))
    return go(request, f"{URL}/{ident}", "Saved.")


def _edit(form: Form) -> EndpointEdit:
    pairs = zip(form.aligned("header"), form.aligned("value"), strict=False)
    return EndpointEdit(
        name=form.raw("name"),
        url=form.raw("url"),
        event_types=form.many("events"),
        enabled=form.flag("enabled"),
        private=form.flag("private"),
        custom_headers=[{"name": name, "value": value} for name, value in pairs if name],
    )


@action(f"{URL}/{{ident:uuid}}/rotate", Permission.CONNECT)
async def rotated(request: WebRequest, ident: FromPath[UUID]) -> Response[bytes]:
    """Make a new secret, and show it: this once."""
    configure = request.site.configure
    secret = await configure.rotate_endpoint_secret(ident, by=request.visitor.actor, now=request.now)
    return await _shown(request, ident, {}, secret=secret)


@action(f"{URL}/{{ident:uuid}}/test", Permission.CONNECT)
async def tried(request: WebRequest, ident: FromPath[UUID]) -> Response[bytes]:
    """Send a test, and show what becomes of it."""
    key = await request.site.configure.try_endpoint(ident, by=request.visitor.actor, now=request.now)
    return go(request, f"{URL}/{ident}/deliveries/{key}", "A test is on its way.")


@action(f"{URL}/{{ident:uuid}}/delete", Permission.CONNECT)
async def deleted(request: WebRequest, ident: FromPath[UUID]) -> Response[bytes]:
    """Forget an endpoint, and what was delivered to it."""
    await request.site.configure.delete_endpoint(ident, by=request.visitor.actor, now=request.now)
    return go(request, URL, "The endpoint is gone.")


@page(f"{URL}/{{ident:uuid}}/deliveries/{{key:uuid}}", Permission.CONNECT)
async def delivery(request: WebRequest, ident: FromPath[UUID], key: FromPath[UUID]) -> Response[bytes]:
    """Show one delivery: its payload, every try, and what was answered."""
    row = await webhooks.delivery(request.site.db, key)
    endpoint = await webhooks.endpoint(request.site.db, str(ident))
    if row is None or endpoint is None or row["endpoint_id"] != ident:
        raise Unknown("There is no such delivery.", hint="Deliveries are kept for some days only.")
    return await render(
        request,
        "webhook_delivery.html",
        nav="integrations",
        endpoint=endpoint,
        delivery=row,
        payload=pretty_body(row["payload"].encode()),
    )


@action(f"{URL}/{{ident:uuid}}/deliveries/{{key:uuid}}/deliver", Permission.CONNECT)
async def redelivered(request: WebRequest, ident: FromPath[UUID], key: FromPath[UUID]) -> Response[bytes]:
    """Send a delivery once more."""
    await request.site.configure.redeliver(key, by=request.visitor.actor, now=request.now)
    return go(
        request, f"{URL}/{ident}/deliveries/{key}", "It is on its way once more, under the same event id."
    )


ROUTES = [listed, created, shown, changed, rotated, tried, deleted, delivery, redelivered]
