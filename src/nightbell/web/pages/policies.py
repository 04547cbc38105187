"""Escalation policies, for the lead: the list, the working hours of one, and its end. pages/paths.py edits what it does."""

from typing import Any
from uuid import UUID

from litestar import Response
from litestar.params import FromPath

from nightbell.core.access import Permission
from nightbell.core.errors import Invalid
from nightbell.core.holes import holes
from nightbell.engine.edits import LevelEdit, PolicyEdit
from nightbell.store.read import policies
from nightbell.web.faults import told
from nightbell.web.forms import Form
from nightbell.web.pages.teams import ALL
from nightbell.web.render import go, render
from nightbell.web.site import WebRequest, action, page


@page("/policies", Permission.VIEW)
async def listed(request: WebRequest) -> Response[bytes]:
    """Show the policies."""
    return await _listed(request, {}, "")


async def _listed(request: WebRequest, errors: dict[str, str], name: str) -> Response[bytes]:
    directory = await request.site.directory()
    found = (await policies.policies(request.site.db, ALL)).rows
    known = {row["id"]: directory.policies.get(str(row["id"])) for row in found}
    facts: dict[str, Any] = {
        "things": [(row, known[row["id"]], _holes(known[row["id"]], directory)) for row in found],
        "errors": errors,
        "name": name,
    }
    return await render(request, "policies.html", code=422 if errors else 200, nav="policies", **facts)


def _holes(policy: Any, directory: Any) -> list[str]:
    return [one.details for one in holes(policy, directory)] if policy else []


@action("/policies", Permission.CONFIGURE)
async def created(request: WebRequest) -> Response[bytes]:
    """Make a policy whose first level is whoever makes it."""
    form = await request.fields()
    by, now, configure = request.visitor.actor, request.now, request.site.configure
    try:
        ident = await configure.create_policy(
            PolicyEdit(name=form.text("name"), repeat_count=1), by=by, now=now
        )
    except Invalid as error:
        return await _listed(request, told(error), form.text("name"))
    first = LevelEdit(targets=[{"type": "user", "id": str(request.visitor.user_id)}], delay_minutes=5)
    await configure.create_level(ident, None, first, by=by, now=now)
    return go(request, f"/policies/{ident}", "Made, with you on its first level.")


@action("/policies/{ident:uuid}/hours", Permission.CONFIGURE)
async def hours(request: WebRequest, ident: FromPath[UUID]) -> Response[bytes]:
    """Say what the working hours of a policy are; without a day it has none."""
    form = await request.fields()
    edit = PolicyEdit(business_hours=_business(form))
    where = f"/policies/{ident}"
    try:
        await request.site.configure.update_policy(ident, edit, by=request.visitor.actor, now=request.now)
    except Invalid as error:
        return go(request, where, " ".join(("Not saved.", *told(error).values())), bad=True)
    return go(request, where, "Saved.")


def _business(form: Form) -> dict[str, Any] | None:
    days = form.many("day")
    if not days:
        return None
    times = {"start_time": form.text("from"), "end_time": form.text("to")}
    return {"time_zone": form.text("zone") or "Etc/UTC", "days": days, **times}


@action("/policies/{ident:uuid}/delete", Permission.CONFIGURE)
async def deleted(request: WebRequest, ident: FromPath[UUID]) -> Response[bytes]:
    """Forget a policy; climbs under way go on."""
    await request.site.configure.delete_policy(ident, by=request.visitor.actor, now=request.now)
    return go(request, "/policies", "The policy is gone.")


ROUTES = [listed, created, hours, deleted]
