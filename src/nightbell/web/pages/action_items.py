"""What is to be done for incidents: a person's list, and each item's form."""

from datetime import date
from typing import Any
from uuid import UUID

from litestar import Response
from litestar.params import FromPath

from nightbell.core.access import Permission
from nightbell.core.errors import Invalid, Unknown
from nightbell.core.uuids import as_uuid
from nightbell.engine.incident_edits import ActionItemEdit
from nightbell.store.read import incident_pages as reads
from nightbell.store.read import teams
from nightbell.store.read.listing import Listing
from nightbell.web import incident_view as view
from nightbell.web import words
from nightbell.web.faults import told
from nightbell.web.forms import Form, whole
from nightbell.web.pages.incident import people
from nightbell.web.render import go, render, safe_path
from nightbell.web.site import WebRequest, action, page
from nightbell.web.times import zone

#: Whose, in which state, and the name of the tab.
TABS = (
    ("mine", "open", "Mine"),
    ("mine", "over", "Mine, over"),
    ("all", "open", "Everybody's"),
    ("all", "over", "Everybody's, over"),
)
_LARGEST_ID = 999_999_999


@page("/action-items", Permission.VIEW)
async def listed(request: WebRequest) -> Response[bytes]:
    """Show what a person and their teams are to do, or everybody."""
    mine = request.query_params.get("whose") != "all"
    state = "over" if request.query_params.get("state") == "over" else "open"
    who = view.viewer(request)
    found = await reads.to_do(request.site.db, who, whose=who.user_id if mine else None, open=state == "open")
    return await render(
        request, "action_items.html", nav="incidents", items=found, mine=mine, chosen=state, tabs=TABS,
        today=_today(request),
    )  # fmt: skip


def _today(request: WebRequest) -> date:
    return request.now.astimezone(zone(request.visitor.time_zone)).date()


@action("/incidents/{ref:str}/items", Permission.RESPOND)
async def added(request: WebRequest, ref: FromPath[str]) -> Response[bytes]:
    """Add an action item."""
    row, form = await view.find(request, ref), await request.fields()
    edit = ActionItemEdit(**_said(form))
    await request.site.incidents.add_item(row["id"], edit, by=request.visitor.actor, now=request.now)
    return go(request, f"{view.url(row)}#to-do", "Added.")


def _said(form: Form) -> dict[str, Any]:
    """Return what a form says of an item.

    Raises: Invalid.
    """
    owner = form.text("owner")
    return {
        "summary": form.text("summary", longest=2000),
        "kind": form.choice("kind", words.TO_DO_KIND, "task"),
        "priority": form.choice("priority", words.PRIORITY, "medium"),
        "assigned_to_user_id": whole(owner, "owner", least=1, most=_LARGEST_ID) if owner else None,
        "due_date": _due(form),
    }


def _due(form: Form) -> date | None:
    text = form.text("due")
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        raise Invalid("A date, please: 2026-12-01.", place="due") from None


async def _find(request: WebRequest, row: dict[str, Any], ident: UUID) -> dict[str, Any]:
    found = next((one for one in await reads.items(request.site.db, row["id"]) if one["id"] == ident), None)
    if found is None:
        raise Unknown("There is no such action item.")
    return found


@page("/incidents/{ref:str}/items/{ident:uuid}", Permission.VIEW)
async def shown(request: WebRequest, ref: FromPath[str], ident: FromPath[UUID]) -> Response[bytes]:
    """Show one action item."""
    row = await view.find(request, ref)
    return await _item(request, row, await _find(request, row, ident), {})


async def _item(
    request: WebRequest, row: dict[str, Any], item: dict[str, Any], errors: dict[str, str]
) -> Response[bytes]:
    all_teams = (await teams.teams(request.site.db, Listing(limit=1000))).rows
    return await render(
        request,
        "incident_item.html",
        code=422 if errors else 200,
        nav="incidents",
        incident=row,
        item=item,
        teams=[(one["id"], one["name"]) for one in all_teams],
        errors=errors,
        **await people(request),
    )


@action("/incidents/{ref:str}/items/{ident:uuid}", Permission.RESPOND)
async def changed(request: WebRequest, ref: FromPath[str], ident: FromPath[UUID]) -> Response[bytes]:
    """Change an action item."""
    row, form = await view.find(request, ref), await request.fields()
    item = await _find(request, row, ident)
    try:
        edit = ActionItemEdit(
            **_said(form),
            status=form.choice("status", words.TO_DO),
            description=form.text("description", longest=20_000) or None,
            assigned_team_ids=[found for one in form.many("team") if (found := as_uuid(one))],
        )
        await request.site.incidents.update_item(ident, edit, by=request.visitor.actor, now=request.now)
    except Invalid as error:
        kept = {name: form.raw(name) for name in ("summary", "description", "status", "priority", "kind")}
        return await _item(request, row, item | kept | {"due_date": form.raw("due")}, told(error))
    return go(request, f"{view.url(row)}#to-do", "Saved.")


@action("/incidents/{ref:str}/items/{ident:uuid}/status", Permission.RESPOND)
async def moved(request: WebRequest, ref: FromPath[str], ident: FromPath[UUID]) -> Response[bytes]:
    """Say that an action item is done, or open again."""
    row, form = await view.find(request, ref), await request.fields()
    await _find(request, row, ident)
    edit = ActionItemEdit(status=form.choice("status", words.TO_DO))
    await request.site.incidents.update_item(ident, edit, by=request.visitor.actor, now=request.now)
    return go(request, safe_path(form.raw("back"), view.url(row)))


@action("/incidents/{ref:str}/items/{ident:uuid}/delete", Permission.RESPOND)
async def deleted(request: WebRequest, ref: FromPath[str], ident: FromPath[UUID]) -> Response[bytes]:
    """Forget an action item."""
    row = await view.find(request, ref)
    await _find(request, row, ident)
    await request.site.incidents.delete_item(ident, by=request.visitor.actor, now=request.now)
    return go(request, f"{view.url(row)}#to-do", "The action item is gone.")


ROUTES = [listed, added, shown, changed, moved, deleted]
