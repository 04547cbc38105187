"""What incidents are described with, for the lead: severities, types, roles and environments, each on a page of its own."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from litestar import Response
from litestar.params import FromPath
from msgspec import Struct

from nightbell.core.access import Permission
from nightbell.core.errors import Invalid, Unknown
from nightbell.engine.configure_incidents import CATALOGS
from nightbell.engine.incident_edits import CatalogEdit, ColoredEdit, RoleEdit, SeverityEdit
from nightbell.store.read import incident_pages as reads
from nightbell.web import words
from nightbell.web.faults import told
from nightbell.web.forms import Form
from nightbell.web.render import go, render
from nightbell.web.site import WebRequest, action, page


class Shelf(Struct, frozen=True, kw_only=True):
    """One catalog: where its page is, which table it is, and what its page says."""

    name: str
    table: str
    title: str
    says: str
    empty: str
    example: str
    #: The column that says in a sentence what an entry is.
    text: str = "description"


SHELVES = (
    Shelf(
        name="severities",
        table="severities",
        title="Severities",
        says="How bad an incident is. The first in the list is the worst.",
        empty="Workflows, filters and reports ask how bad an incident is.",
        example="SEV1",
    ),
    Shelf(
        name="incident-types",
        table="incident_types",
        title="Types",
        says="What kind of trouble it is.",
        empty="A type tells security incidents from outages, for workflows and reports.",
        example="Security",
    ),
    Shelf(
        name="incident-roles",
        table="incident_roles",
        title="Roles",
        says="Who does what while an incident is open. One that is not in use is offered for no incident.",
        empty="Somebody decides, somebody tells the others: say so before the night it is needed.",
        example="Commander",
        text="summary",
    ),
    Shelf(
        name="environments",
        table="environments",
        title="Environments",
        says="Where it happens.",
        empty="An incident in production is not one in staging.",
        example="Production",
    ),
)
_NAMES = [f"/{shelf.name}" for shelf in SHELVES]


def _shelf(request: WebRequest) -> Shelf:
    name = request.url.path.split("/")[1]
    return next(one for one in SHELVES if one.name == name)


@page(_NAMES, Permission.VIEW)
async def listed(request: WebRequest) -> Response[bytes]:
    """Show one catalog."""
    return await _listed(request, _shelf(request), {}, {})


async def _listed(
    request: WebRequest, shelf: Shelf, errors: dict[str, str], given: Mapping[str, Any]
) -> Response[bytes]:
    blank = {
        "name": "",
        "description": "",
        "severity": "medium",
        "many": False,
        "optional": False,
        "enabled": True,
    }
    return await render(
        request,
        "incident_catalog.html",
        code=422 if errors else 200,
        nav="incidents",
        shelf=shelf,
        shelves=SHELVES,
        rows=await reads.catalog(request.site.db, CATALOGS[shelf.table].table),
        uses=await reads.uses(request.site.db),
        given={**blank, **given},
        errors=errors,
    )


def _edit(shelf: Shelf, form: Form) -> CatalogEdit:
    """Return what a form says of an entry.

    Raises: Invalid.
    """
    said: dict[str, Any] = {
        "name": form.text("name"),
        shelf.text: form.text("description", longest=5000) or None,
    }
    match shelf.name:
        case "severities":
            return SeverityEdit(**said, severity=form.choice("severity", words.SEVERITY, "medium"))
        case "incident-roles":
            flags: dict[str, Any] = {name: form.flag(name) for name in ("many", "optional", "enabled")}
            return RoleEdit(**said, **flags)
        case _:
            return ColoredEdit(**said)


@action(_NAMES, Permission.CONFIGURE)
async def created(request: WebRequest) -> Response[bytes]:
    """Add an entry at the end."""
    shelf, form = _shelf(request), await request.fields()
    try:
        edit = _edit(shelf, form)
        await request.site.configure.create_entry(
            shelf.table, edit, by=request.visitor.actor, now=request.now
        )
    except Invalid as error:
        given = {name: form.raw(name) for name in ("name", "description", "severity", "many", "optional")}
        return await _listed(request, shelf, told(error), given)
    return go(request, f"/{shelf.name}", "Added.")


@action([f"{name}/{{ident:uuid}}" for name in _NAMES], Permission.CONFIGURE)
async def changed(request: WebRequest, ident: FromPath[UUID]) -> Response[bytes]:
    """Change an entry, or its place among the others."""
    shelf, form = _shelf(request), await request.fields()
    if form.raw("do") in ("up", "down"):
        await _move(request, shelf, ident, -1 if form.raw("do") == "up" else 1)
        return go(request, f"/{shelf.name}")
    try:
        edit = _edit(shelf, form)
        await request.site.configure.update_entry(
            shelf.table, ident, edit, by=request.visitor.actor, now=request.now
        )
    except Invalid as error:
        return await _listed(request, shelf, told(error), {})
    return go(request, f"/{shelf.name}", "Saved.")


async def _move(request: WebRequest, shelf: Shelf, ident: UUID, by: int) -> None:
    order = [row["id"] for row in await reads.catalog(request.site.db, CATALOGS[shelf.table].table)]
    if ident not in order:
        raise Unknown("There is no such entry.")
    at = order.index(ident)
    to = max(0, min(len(order) - 1, at + by))
    order[at], order[to] = order[to], order[at]
    for position, one in enumerate(order, start=1):
        edit = CatalogEdit(position=position)
        await request.site.configure.update_entry(
            shelf.table, one, edit, by=request.visitor.actor, now=request.now
        )


@action([f"{name}/{{ident:uuid}}/delete" for name in _NAMES], Permission.CONFIGURE)
async def deleted(request: WebRequest, ident: FromPath[UUID]) -> Response[bytes]:
    """Delete an entry; incidents that have it lose it."""
    shelf = _shelf(request)
    await request.site.configure.delete_entry(shelf.table, ident, by=request.visitor.actor, now=request.now)
    return go(request, f"/{shelf.name}", "It is gone.")


ROUTES = [listed, created, changed, deleted]
