"""Grouping rules, for the lead: which alerts are one problem, said as a sentence, and the groups they make now."""

import re
from typing import Any
from uuid import UUID

from litestar import Response
from litestar.params import FromPath

from nightbell.core.access import Permission
from nightbell.core.directory import Directory
from nightbell.core.errors import Invalid, Unknown
from nightbell.store.read import groupings as rules
from nightbell.store.read import sources
from nightbell.web import future, grouping_form
from nightbell.web.faults import told
from nightbell.web.grouping_form import Draft
from nightbell.web.pages.teams import ALL
from nightbell.web.render import go, render
from nightbell.web.site import WebRequest, action, page
from nightbell.web.targets import options

_CONDITION = re.compile(r"conditions\[(\d+)\]")
_SAVED = "Saved. Groups that are open go on as they are."


@page("/groupings", Permission.VIEW)
async def listed(request: WebRequest) -> Response[bytes]:
    """Show the rules in the order they are asked."""
    found = (await rules.groupings(request.site.db, ALL)).rows
    directory = await request.site.directory()
    open_now = await rules.open_groups(request.site.db, [row["id"] for row in found])
    return await render(
        request,
        "groupings.html",
        nav="groupings",
        things=[(row, _targets(row["targets"], directory), open_now.get(row["id"], 0)) for row in found],
    )


def _targets(stored: list[dict[str, Any]], directory: Directory) -> list[tuple[str, bool]]:
    """Return names of targets, and whether each still exists."""
    known = {*directory.services, *directory.teams, *directory.policies}
    named = ((t["target_type"], str(t["target_id"])) for t in stored)
    return [(future.named(kind, ident, directory), ident in known) for kind, ident in named]


@page("/groupings/new", Permission.CONFIGURE)
async def fresh(request: WebRequest) -> Response[bytes]:
    """Show the form of a rule that is yet to be made."""
    return await _form(request, None, Draft(by_title=True), {})


@page("/groupings/{ident:uuid}", Permission.VIEW)
async def shown(request: WebRequest, ident: FromPath[UUID]) -> Response[bytes]:
    """Show a rule."""
    row = await _row(request, ident)
    return await _form(request, row, grouping_form.stored(row), {})


async def _row(request: WebRequest, ident: UUID) -> dict[str, Any]:
    row = await rules.grouping(request.site.db, ident)
    if row is None:
        raise Unknown("There is no such grouping rule.")
    return row


async def _form(
    request: WebRequest, row: dict[str, Any] | None, draft: Draft, errors: dict[str, str]
) -> Response[bytes]:
    directory = await request.site.directory()
    found = [(heading, things) for heading, things in options(directory) if heading != "People"]
    names = {value: name for _, things in found for value, name in things}
    db = request.site.db
    return await render(
        request,
        "grouping.html",
        code=422 if errors else 200,
        nav="groupings",
        rule=row,
        url=f"/groupings/{row['id']}" if row else "/groupings",
        draft=draft,
        words_of=grouping_form,
        targets=found,
        names=names,
        urgencies=[(str(u["id"]), u["name"]) for u in await sources.all_urgencies(db)],
        errors=errors,
        rule_errors={int(m[1]): text for place, text in errors.items() if (m := _CONDITION.match(place))},
        target_error=next((text for place, text in errors.items() if place.startswith("targets")), ""),
        path_error=next((text for place, text in errors.items() if place.startswith("attributes")), ""),
        leaders=await rules.leaders(db, row["id"]) if row else [],
    )


@action("/groupings", Permission.CONFIGURE)
async def created(request: WebRequest) -> Response[bytes]:
    """Make a rule, or change the form of one."""
    form = await request.fields()
    draft = grouping_form.sent(form)
    changed = grouping_form.pressed(draft, form)
    if changed is not None:
        return await _form(request, None, changed, {})
    try:
        edit = grouping_form.edit(draft)
        made = await request.site.configure.create_grouping(edit, by=request.visitor.actor, now=request.now)
    except Invalid as error:
        return await _form(request, None, draft, told(error))
    return go(request, f"/groupings/{made}", "Made. It groups what fires from now on.")


@action("/groupings/{ident:uuid}", Permission.CONFIGURE)
async def changed(request: WebRequest, ident: FromPath[UUID]) -> Response[bytes]:
    """Change a rule, or the form of it."""
    row = await _row(request, ident)
    form = await request.fields()
    draft = grouping_form.sent(form)
    pressed = grouping_form.pressed(draft, form)
    if pressed is not None:
        return await _form(request, row, pressed, {})
    try:
        edit = grouping_form.edit(draft)
        await request.site.configure.update_grouping(ident, edit, by=request.visitor.actor, now=request.now)
    except Invalid as error:
        return await _form(request, row, draft, told(error))
    return go(request, f"/groupings/{ident}", _SAVED)


@action("/groupings/{ident:uuid}/delete", Permission.CONFIGURE)
async def deleted(request: WebRequest, ident: FromPath[UUID]) -> Response[bytes]:
    """Forget a rule."""
    await request.site.configure.delete_grouping(ident, by=request.visitor.actor, now=request.now)
    return go(request, "/groupings", "The rule is gone. Groups that are open go on as they are.")


ROUTES = [listed, fresh, shown, created, changed, deleted]
