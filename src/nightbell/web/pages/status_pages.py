"""Status pages, for whoever decides what the public reads: which there are, what each shows, who follows it."""

from typing import Any
from uuid import UUID

from litestar import Response
from litestar.params import FromPath

from nightbell.core.access import Permission
from nightbell.core.errors import Invalid, Unknown
from nightbell.engine.status_edits import StatusPageEdit
from nightbell.store.read import incident_updates, status_pages, teams
from nightbell.web import status_preview
from nightbell.web.faults import told
from nightbell.web.forms import Form
from nightbell.web.pages.teams import ALL
from nightbell.web.render import go, render
from nightbell.web.site import WebRequest, action, page

_TEXTS = ("public_title", "description", "public_description", "success_message", "failure_message", "footer")
_LINKS = ("website_url", "support_url", "privacy_url")


@page("/status-pages", Permission.VIEW)
async def listed(request: WebRequest) -> Response[bytes]:
    """Show the status pages."""
    return await _listed(request, {}, "")


async def _listed(request: WebRequest, errors: dict[str, str], title: str) -> Response[bytes]:
    rows = (await status_pages.status_pages(request.site.db, ALL)).rows
    boards = request.site.showing.boards
    return await render(
        request,
        "status_pages.html",
        code=422 if errors else 200,
        nav="status-pages",
        pages=[{**row, "board": boards.get(row["slug"])} for row in rows],
        errors=errors,
        title=title,
    )


@action("/status-pages", Permission.CONFIGURE)
async def created(request: WebRequest) -> Response[bytes]:
    """Make a status page, switched off until somebody looked at it."""
    form = await request.fields()
    edit = StatusPageEdit(title=form.text("title"), enabled=False, time_zone=request.visitor.time_zone)
    try:
        ident = await request.site.configure.create_status_page(
            edit, by=request.visitor.actor, now=request.now
        )
    except Invalid as error:
        return await _listed(request, told(error), form.text("title"))
    return go(request, f"/status-pages/{ident}", "Made. Nobody sees it before you switch it on.")


@page("/status-pages/{ident:uuid}", Permission.VIEW)
async def shown(request: WebRequest, ident: FromPath[UUID]) -> Response[bytes]:
    """Show what a status page shows, and to whom."""
    return await _shown(request, ident, {})


async def _shown(
    request: WebRequest, ident: UUID, errors: dict[str, str], given: dict[str, Any] | None = None
) -> Response[bytes]:
    db, site = request.site.db, request.site
    row = await status_pages.status_page(db, ident)
    if row is None:
        raise Unknown("There is no such status page.")
    services = (await teams.services(db, ALL)).rows
    chosen = (given or row)["service_ids"]
    places = {key: place for place, key in enumerate(chosen)}
    token = site.configure.status_page_token(row)
    return await render(
        request,
        "status_page_edit.html",
        code=422 if errors else 200,
        nav="status-pages",
        page=row,
        given={**row, **(given or {})},
        services=sorted(services, key=lambda one: (places.get(one["id"], len(places)), one["name"].lower())),
        chosen=places,
        address=f"{site.base_url}/status/{row['slug']}" + (f"?token={token}" if token else ""),
        addresses=await incident_updates.page_addresses(db, ident),
        errors=errors,
    )


@action("/status-pages/{ident:uuid}", Permission.CONFIGURE)
async def changed(request: WebRequest, ident: FromPath[UUID]) -> Response[bytes]:
    """Change a status page."""
    form = await request.fields()
    fields = _edited(form)
    try:
        edit = StatusPageEdit(**fields)
        await request.site.configure.update_status_page(
            ident, edit, by=request.visitor.actor, now=request.now
        )
    except Invalid as error:
        return await _shown(request, ident, told(error), fields)
    return go(request, f"/status-pages/{ident}", "Saved. The public sees it within seconds.")


def _edited(form: Form) -> dict[str, Any]:
    """Return the fields of a form; services are in the order of the numbers beside them."""
    order = {key: place for place, key in enumerate(form.aligned("shown"))}
    ticked = [key for key in form.many("service") if key in order]
    numbers = dict(zip(form.aligned("shown"), form.aligned("place"), strict=False))

    def place(key: str) -> tuple[int, int]:
        said = numbers.get(key, "")
        return (int(said) if said.isdecimal() and len(said) < 6 else 99_999, order[key])

    return {
        "title": form.text("title"),
        "slug": form.text("slug"),
        **{name: form.text(name, longest=5_000) for name in _TEXTS},
        **{name: form.text(name, longest=2_000) for name in _LINKS},
        "time_zone": form.text("time_zone"),
        "service_ids": [UUID(key) for key in sorted(ticked, key=place)],
        "public": not form.flag("hidden"),
        "indexed": form.flag("indexed"),
        "enabled": form.flag("enabled"),
    }


@page("/status-pages/{ident:uuid}/preview", Permission.VIEW)
async def previewed(request: WebRequest, ident: FromPath[UUID]) -> Response[bytes]:
    """Show the page as the public reads it, switched on or not."""
    return await status_preview.page(request, ident)


@action("/status-pages/{ident:uuid}/token", Permission.CONFIGURE)
async def renewed(request: WebRequest, ident: FromPath[UUID]) -> Response[bytes]:
    """Give a page that is not for everybody a new address."""
    await request.site.configure.renew_status_page_token(ident, by=request.visitor.actor, now=request.now)
    return go(request, f"/status-pages/{ident}", "There is a new address; the one before it opens nothing.")


@action("/status-pages/{ident:uuid}/addresses", Permission.CONFIGURE)
async def asked(request: WebRequest, ident: FromPath[UUID]) -> Response[bytes]:
    """Ask an address whether it wants what a page publishes."""
    form = await request.fields()
    await request.site.publishing.invite_to_page(
        ident, form.needed("email", longest=254), by=request.visitor.actor, now=request.now
    )
    return go(request, f"/status-pages/{ident}#addresses", "They are asked by mail.")


@action("/status-pages/{ident:uuid}/addresses/{who:uuid}/drop", Permission.CONFIGURE)
async def dropped(request: WebRequest, ident: FromPath[UUID], who: FromPath[UUID]) -> Response[bytes]:
    """Forget an address."""
    await request.site.publishing.drop_from_page(ident, who, by=request.visitor.actor, now=request.now)
    return go(request, f"/status-pages/{ident}#addresses", "It is told nothing more.")


@action("/status-pages/{ident:uuid}/delete", Permission.CONFIGURE)
async def deleted(request: WebRequest, ident: FromPath[UUID]) -> Response[bytes]:
    """Take a status page away."""
    await request.site.configure.delete_status_page(ident, by=request.visitor.actor, now=request.now)
    return go(request, "/status-pages", "The page is gone, and so is what was published on it.")


ROUTES = [listed, created, shown, changed, previewed, renewed, asked, dropped, deleted]
