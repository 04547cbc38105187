"""Escalation policies, for the lead: levels as sentences, and beside them the clock they lead to."""

from typing import Any
from uuid import UUID

from litestar import Response

from nightbell.core.access import Permission
from nightbell.core.calendar import zone
from nightbell.core.directory import Directory
from nightbell.core.errors import Invalid, Unknown
from nightbell.engine.edits import LevelEdit, PolicyEdit
from nightbell.store.read import policies
from nightbell.web import ladder, lanes, rotation_form
from nightbell.web.faults import told
from nightbell.web.ladder import Draft
from nightbell.web.pages.teams import ALL
from nightbell.web.render import go, html, render
from nightbell.web.site import WebRequest, action, page
from nightbell.web.timeline import ways


@page("/policies", Permission.VIEW)
async def listed(request: WebRequest) -> Response[bytes]:
    """Show the policies."""
    return await _listed(request, {}, "")


async def _listed(request: WebRequest, errors: dict[str, str], name: str) -> Response[bytes]:
    directory = await request.site.directory()
    found = (await policies.policies(request.site.db, ALL)).rows
    facts: dict[str, Any] = {"directory": directory, "things": found, "errors": errors, "name": name}
    return await render(request, "policies.html", code=422 if errors else 200, nav="policies", **facts)


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


@page("/policies/{ident:uuid}", Permission.VIEW)
async def shown(request: WebRequest, ident: UUID) -> Response[bytes]:
    """Show one policy and what it would do."""
    found = await _policy(request, ident)
    levels = await _levels(request, ident)
    return await _editor(
        request, found, ladder.from_rows(found, levels), {}, moment=request.query_params.get("at", "")
    )


async def _policy(request: WebRequest, ident: UUID) -> dict[str, Any]:
    found = await policies.policy(request.site.db, ident)
    if found is None:
        raise Unknown("There is no such policy.")
    return found


async def _levels(request: WebRequest, ident: UUID) -> list[dict[str, Any]]:
    path = await policies.default_path(request.site.db, ident)
    return await policies.levels_of_path(request.site.db, path["id"]) if path else []


async def _editor(
    request: WebRequest,
    policy: dict[str, Any],
    draft: Draft,
    errors: dict[str, str],
    *,
    moment: str = "",
    changed: bool = False,
) -> Response[bytes]:
    directory = await request.site.directory()
    owners = await policies.owners_of(request.site.db, policy["id"])
    return await render(
        request,
        "policy.html",
        code=422 if errors else 200,
        nav="policies",
        policy=policy,
        draft=draft,
        changed=changed,
        owners=owners,
        named=lambda text: ladder.named(text, directory),
        options=ladder.options(directory),
        errors=errors,
        paths=(await policies.paths(request.site.db, policy["id"], ALL)).rows,
        form=ladder,
        days=rotation_form.DAYS,
        **_ladder(request, draft, directory, moment),
    )


def _ladder(request: WebRequest, draft: Draft, directory: Directory, moment: str) -> dict[str, Any]:
    """Return what a page at a moment would lead to; what the schedules say of the past is on their own pages."""
    place = zone(request.visitor.time_zone)
    start = max(lanes.local(moment, place) or request.now, request.now)
    played = ladder.played(draft, directory, start)
    return {
        "steps": [(ladder.after(step, start), step, [(p, ways(p)) for p in step.people]) for step in played],
        "moment": lanes.for_field(start, place),
        "later": start > request.now,
        "reaches": any(step.people or step.spawns for step in played),
    }


@action("/policies/preview", Permission.VIEW)
async def previewed(request: WebRequest) -> Response[bytes]:
    """Show what the form would lead to, without saving it."""
    form = await request.fields()
    facts = _ladder(request, ladder.from_form(form), await request.site.directory(), form.text("moment"))
    return html(request, "ladder.html", **facts)


@action("/policies/{ident:uuid}", Permission.CONFIGURE)
async def changed(request: WebRequest, ident: UUID) -> Response[bytes]:
    """Save the form; its other buttons only change the form."""
    found = await _policy(request, ident)
    form = await request.fields()
    draft = ladder.from_form(form)
    what, moment = form.raw("do") or "save", form.text("moment")
    if what != "save":
        draft = ladder.edited(draft, what)
        changed = draft != ladder.from_rows(found, await _levels(request, ident))
        return await _editor(request, found, draft, {}, moment=moment, changed=changed)
    try:
        await _save(request, ident, draft)
    except Invalid as error:
        return await _editor(request, found, draft, told(error), moment=moment, changed=True)
    return go(request, f"/policies/{ident}", "Saved. Climbs under way keep the policy they began with.")


async def _save(request: WebRequest, ident: UUID, draft: Draft) -> None:
    """Make the stored levels those of the form; each is checked before the first is written."""
    by, now, configure = request.visitor.actor, request.now, request.site.configure
    wanted = [ladder.edit_of(rung) for rung in draft.rungs]
    edit = PolicyEdit(name=draft.name, repeat_count=draft.repeat_count)
    await configure.update_policy(ident, edit, by=by, now=now)
    stored = await _levels(request, ident)
    for level, edit_level in zip(stored, wanted, strict=False):
        await configure.update_level(level["id"], edit_level, by=by, now=now)
    for level in reversed(stored[len(wanted) :]):
        await configure.delete_level(level["id"], by=by, now=now)
    for edit_level in wanted[len(stored) :]:
        await configure.create_level(ident, None, edit_level, by=by, now=now)


@action("/policies/{ident:uuid}/delete", Permission.CONFIGURE)
async def deleted(request: WebRequest, ident: UUID) -> Response[bytes]:
    """Forget a policy; climbs under way go on."""
    await request.site.configure.delete_policy(ident, by=request.visitor.actor, now=request.now)
    return go(request, "/policies", "The policy is gone.")


ROUTES = [listed, created, shown, previewed, changed, deleted]
