"""What somebody says of an incident to those outside: published on a status page, or sent to whoever follows."""

from typing import Any
from uuid import UUID

from litestar import Response
from litestar.params import FromPath

from nightbell.core.access import Permission
from nightbell.core.errors import Invalid, Unknown
from nightbell.core.status_page import Said
from nightbell.engine.incident_edits import IncidentEdit
from nightbell.engine.incident_publishing import checked_address
from nightbell.engine.status_edits import StatusPageEventEdit, UpdateEdit
from nightbell.store.read import status_pages
from nightbell.web import incident_view as view
from nightbell.web import status_preview
from nightbell.web.forms import Form
from nightbell.web.render import go
from nightbell.web.site import WebRequest, action

_LONGEST = 10_000


@action("/incidents/{ref:str}/publish", Permission.RESPOND)
async def published(request: WebRequest, ref: FromPath[str]) -> Response[bytes]:
    """Publish something of an incident."""
    row = await view.find(request, ref)
    form = await request.fields()
    await _titled(request, row, form.text("title", longest=255))
    edit = StatusPageEventEdit(
        status_page_id=form.ident("page"),
        event=form.needed("event", longest=_LONGEST),
        status=form.text("status"),
        impact=form.text("impact") or None,
        notify_subscribers=form.flag("notify"),
    )
    await request.site.publishing.publish(row["id"], edit, by=request.visitor.actor, now=request.now)
    return go(request, _back(row["sequential_id"]), "Published. The page shows it within seconds.")


async def _titled(request: WebRequest, row: dict[str, Any], title: str) -> None:
    """Keep what the public calls it, where that is something else now."""
    if title and title != (row["public_title"] or row["title"]):
        edit = IncidentEdit(public_title=title)
        await request.site.incidents.update(row["id"], edit, by=request.visitor.actor, now=request.now)


def _back(number: int) -> str:
    return f"/incidents/{number}#public"


@action("/incidents/{ref:str}/publish/preview", Permission.RESPOND)
async def previewed(request: WebRequest, ref: FromPath[str]) -> Response[bytes]:
    """Show the page as the public would read it with this."""
    row = await view.find(request, ref)
    if row["private"]:
        raise Invalid("A private incident is never published.", place="incident_id")
    form = await request.fields()
    said = Said(
        id=UUID(int=0),
        at=request.now,
        updated_at=request.now,
        status=form.text("status"),
        text=form.needed("event", longest=_LONGEST),
        impact=form.text("impact") or None,
    )
    title = form.text("title", longest=255) or row["public_title"]
    return await status_preview.page(request, form.ident("page"), {**row, "public_title": title}, said)


@action("/incidents/{ref:str}/published/{ident:uuid}", Permission.RESPOND)
async def changed(request: WebRequest, ref: FromPath[str], ident: FromPath[UUID]) -> Response[bytes]:
    """Change what was published; nobody is told again."""
    number = await _owned(request, ref, ident)
    form = await request.fields()
    edit = StatusPageEventEdit(
        event=form.needed("event", longest=_LONGEST),
        status=form.text("status"),
        impact=form.text("impact") or None,
    )
    await request.site.publishing.change_published(ident, edit, by=request.visitor.actor, now=request.now)
    return go(request, _back(number), "Saved. The page shows it within seconds.")


@action("/incidents/{ref:str}/published/{ident:uuid}/delete", Permission.RESPOND)
async def taken_back(request: WebRequest, ref: FromPath[str], ident: FromPath[UUID]) -> Response[bytes]:
    """Take back what was published."""
    number = await _owned(request, ref, ident)
    await request.site.publishing.unpublish(ident, by=request.visitor.actor, now=request.now)
    return go(request, _back(number), "Taken back. Whoever read it, read it.")


async def _owned(request: WebRequest, ref: str, ident: UUID) -> int:
    """Return the number of the incident of which something was published, if who asks may know of it."""
    row = await view.find(request, ref)
    event = await status_pages.published_event(request.site.db, ident)
    if event is None or event["incident_id"] != row["id"]:
        raise Unknown("Nothing like that was published of this incident.")
    number: int = row["sequential_id"]
    return number


@action("/incidents/{ref:str}/updates", Permission.RESPOND)
async def told(request: WebRequest, ref: FromPath[str]) -> Response[bytes]:
    """Write once to everybody who follows."""
    row = await view.find(request, ref)
    form: Form = await request.fields()
    edit = UpdateEdit(
        title=form.text("title", longest=200),
        body=form.needed("body", longest=_LONGEST),
        key=form.text("key", longest=64),
    )
    await request.site.publishing.tell(row["id"], edit, by=request.visitor.actor, now=request.now)
    return go(request, f"/incidents/{row['sequential_id']}#followers", "On its way.")


@action("/incidents/{ref:str}/addresses", Permission.RESPOND)
async def asked(request: WebRequest, ref: FromPath[str]) -> Response[bytes]:
    """Ask an address whether it wants to be told."""
    row = await view.find(request, ref)
    form = await request.fields()
    email = checked_address(form.needed("email", longest=254))
    await request.site.incidents.subscribe(
        row["id"], emails=[email], by=request.visitor.actor, now=request.now
    )
    return go(request, f"/incidents/{row['sequential_id']}#followers", "They are asked by mail.")


ROUTES = [published, previewed, changed, taken_back, told, asked]
