"""The editor of a policy's paths: conditions and levels as sentences, and beside them what an alert would lead to."""

import re
from typing import Any
from uuid import UUID

from litestar import Response
from litestar.params import FromPath

from nightbell.core.access import Permission
from nightbell.core.calendar import zone
from nightbell.core.directory import Directory, Policy
from nightbell.core.errors import Invalid, Unknown
from nightbell.core.holes import holes
from nightbell.engine.edits import PathEdit, PolicyEdit
from nightbell.store.read import page_alerts, pages, policies, sources
from nightbell.store.read.page_alerts import Wanted
from nightbell.web import conditions, ladder, lanes, path_form, rotation_form, trying
from nightbell.web.faults import told
from nightbell.web.forms import Form
from nightbell.web.pages.teams import ALL
from nightbell.web.path_form import NEW, Draft
from nightbell.web.render import go, html, render
from nightbell.web.site import WebRequest, action, page
from nightbell.web.timeline import ways

#: Alerts of late that can be tried against a policy.
_ALERTS = 15
_RULE = re.compile(r"rules\[(\d+)\]")
_SAVED = "Saved. Escalations under way keep the policy they began with; start one over on its alert."


@page("/policies/{ident:uuid}", Permission.VIEW)
async def shown(request: WebRequest, ident: FromPath[UUID]) -> Response[bytes]:
    """Show a policy by its default path."""
    return await _shown(request, ident, None)


@page("/policies/{ident:uuid}/paths/{path:uuid}", Permission.VIEW)
async def path_shown(request: WebRequest, ident: FromPath[UUID], path: FromPath[UUID]) -> Response[bytes]:
    """Show a path that conditions choose."""
    return await _shown(request, ident, path)


async def _shown(request: WebRequest, ident: UUID, path: UUID | None) -> Response[bytes]:
    policy = await _policy(request, ident)
    asked = {"at": request.query_params.get("moment", ""), "alert": request.query_params.get("alert", "")}
    return await _editor(request, policy, await _stored(request, policy, path), {}, asked)


@page("/policies/{ident:uuid}/paths/new", Permission.CONFIGURE)
async def path_new(request: WebRequest, ident: FromPath[UUID]) -> Response[bytes]:
    """Show the form of a path that is yet to be made."""
    policy = await _policy(request, ident)
    deferral = request.query_params.get("kind") == "deferral"
    draft = path_form.new(deferral=deferral, zone=_zone(request, policy))
    return await _editor(request, policy, draft, {}, {"at": "", "alert": ""})


def _zone(request: WebRequest, policy: dict[str, Any]) -> str:
    business = policy["business_hours"] or {}
    return str(business.get("time_zone") or request.visitor.time_zone)


async def _policy(request: WebRequest, ident: UUID) -> dict[str, Any]:
    found = await policies.policy(request.site.db, ident)
    if found is None:
        raise Unknown("There is no such policy.")
    return found


async def _stored(request: WebRequest, policy: dict[str, Any], path: UUID | None) -> Draft:
    db = request.site.db
    found = await (policies.path(db, path) if path else policies.default_path(db, policy["id"]))
    if found is None or found["policy_id"] != policy["id"]:
        raise Unknown("This policy has no such path.")
    return path_form.from_rows(policy, found, await policies.levels_of_path(db, found["id"]))


async def _editor(
    request: WebRequest,
    policy: dict[str, Any],
    draft: Draft,
    errors: dict[str, str],
    asked: dict[str, str],
    *,
    changed: bool = False,
) -> Response[bytes]:
    directory = await request.site.directory()
    urgencies = [(str(row["id"]), row["name"]) for row in await sources.all_urgencies(request.site.db)]
    rows = (await policies.paths(request.site.db, policy["id"], ALL)).rows
    known = directory.policies.get(str(policy["id"]))
    return await render(
        request,
        "policy.html",
        code=422 if errors else 200,
        nav="policies",
        policy=policy,
        path_draft=draft,
        draft=draft.steps,
        changed=changed,
        owners=await policies.owners_of(request.site.db, policy["id"]),
        named=lambda text: ladder.named(text, directory),
        options=ladder.options(directory),
        errors=errors,
        paths=_in_order(rows, directory, dict(urgencies)),
        holes=holes(known, directory) if known else (),
        services=_services(directory),
        rule_errors=_by_rule(errors),
        urgencies=urgencies,
        form=ladder,
        asking=conditions,
        choices=path_form,
        days=rotation_form.DAYS,
        here=_zone(request, policy),
        alerts=(await page_alerts.screen(request.site.db, Wanted(limit=_ALERTS))).rows,
        tried_alert=asked["alert"],
        **await _tried(request, draft, directory, known, asked),
    )


def _services(directory: Directory) -> dict[str, str]:
    """Return every service by id, by name."""
    found = {str(one.id): one.name for one in directory.services.values()}
    return dict(sorted(found.items(), key=lambda pair: pair[1].lower()))


def _by_rule(errors: dict[str, str]) -> dict[int, str]:
    """Return what is wrong with each condition, by its number."""
    placed = ((_RULE.match(place), text) for place, text in errors.items())
    return {int(found[1]): text for found, text in placed if found}


def _in_order(
    rows: list[dict[str, Any]], directory: Directory, urgencies: dict[str, str]
) -> list[tuple[dict[str, Any], str]]:
    """Return paths as they are asked, each with when it is taken; deferrals first, the default at last."""
    ordered = sorted(
        rows, key=lambda r: (r["is_default"], r["settings"].get("path_type") != "deferral", r["position"])
    )
    return [(row, _when(row, directory, urgencies)) for row in ordered]


def _when(row: dict[str, Any], directory: Directory, urgencies: dict[str, str]) -> str:
    said = row["settings"]
    if row["is_default"]:
        return "everything else"
    rules = [conditions.sentence(rule, directory, urgencies) for rule in said.get("rules") or ()]
    joined = (" or " if said.get("match_mode") == "match-any-rule" else ", ").join(rules)
    hours = "at certain hours of the week" if said.get("time_restrictions") else ""
    return ", ".join(filter(None, (joined, hours))) or "never: it has no conditions"


async def _tried(
    request: WebRequest, draft: Draft, directory: Directory, known: Policy | None, asked: dict[str, str]
) -> dict[str, Any]:
    """Return what an alert at a moment would lead to; what the schedules say of the past is on their own pages."""
    place = zone(request.visitor.time_zone)
    start = max(lanes.local(asked["at"], place) or request.now, request.now)
    path = path_form.core_path(draft)
    given = await _given(request, asked["alert"], directory) or trying.taking(path, directory)
    base = known or Policy(id=NEW, name=draft.steps.name, repeat_count=0, paths=(path,))
    policy = trying.with_draft(base, path, repeat_count=draft.steps.repeat_count, name=draft.steps.name)
    # Without an alert, a path is shown as if it were taken.
    alone = not (asked["alert"] or path.is_default or draft.deferral)
    found = trying.tried(policy, given, directory, start, only=path if alone else None)
    return {
        "tried": found,
        "own": path.id,
        "steps": [
            (ladder.after(step, start), step, [(p, ways(p)) for p in step.people]) for step in found.steps
        ],
        "moment": lanes.for_field(start, place),
        "later": start > request.now,
        "reaches": any(step.people or step.spawns for step in found.steps),
    }


async def _given(request: WebRequest, text: str, directory: Directory) -> trying.Given | None:
    """Return the alert that is tried: "alert/<number>" or "urgency/<id>"; None where none is named."""
    kind, _, ident = text.partition("/")
    if kind == "alert" and ident.isdecimal() and len(ident) < 18:
        row = await pages.alert(request.site.db, number=int(ident))
        if row is not None:
            return trying.alert(row)
    wanted = next((one for one in directory.urgencies if str(one) == ident), None)
    return trying.Given(urgency_id=wanted) if wanted else None


# ---------------------------------------------------------------- changing


@action("/policies/{ident:uuid}/preview", Permission.VIEW)
async def previewed(request: WebRequest, ident: FromPath[UUID]) -> Response[bytes]:
    """Show what the form would lead to, without saving it."""
    form = await request.fields()
    directory = await request.site.directory()
    known = directory.policies.get(str(ident))
    draft = _read(form, known.paths[-1].id if known else NEW)
    asked = {"at": form.text("moment"), "alert": form.text("alert")}
    return html(request, "ladder.html", **await _tried(request, draft, directory, known, asked))


def _read(form: Form, default: UUID) -> Draft:
    """Return what the form holds; one that names no path is about the default."""
    ident = form.ident("path") if form.raw("path") else default
    return path_form.from_form(form, ident, is_default=ident == default)


@action("/policies/{ident:uuid}", Permission.CONFIGURE)
async def changed(request: WebRequest, ident: FromPath[UUID]) -> Response[bytes]:
    """Save the form of a path; its other buttons only change the form."""
    policy = await _policy(request, ident)
    form = await request.fields()
    default = await policies.default_path(request.site.db, ident)
    draft, what = _read(form, default["id"] if default else NEW), form.raw("do") or "save"
    asked = {"at": form.text("moment"), "alert": form.text("alert")}
    if what != "save":
        draft = path_form.edited(draft, what, form)
        moved = draft.ident == NEW or draft != await _stored(request, policy, draft.ident)
        return await _editor(request, policy, draft, {}, asked, changed=moved)
    try:
        path = await _save(request, ident, draft)
    except Invalid as error:
        return await _editor(request, policy, draft, told(error), asked, changed=True)
    where = f"/policies/{ident}" if draft.is_default else f"/policies/{ident}/paths/{path}"
    return go(request, where, _SAVED)


async def _save(request: WebRequest, ident: UUID, draft: Draft) -> UUID:
    """Make what is stored that of the form; each level is checked before the first thing is written."""
    by, now, configure = request.visitor.actor, request.now, request.site.configure
    wanted = [] if draft.deferral else [ladder.edit_of(rung) for rung in draft.steps.rungs]
    if not wanted and not draft.deferral:
        raise Invalid("A path without levels pages nobody; name somebody.", place="levels")
    edit, path = path_form.edit_of(draft), draft.ident
    if path != NEW:
        # Of this very policy, whatever the form says.
        await _stored(request, await _policy(request, ident), path)
    if draft.is_default:
        policy = PolicyEdit(name=draft.steps.name, repeat_count=draft.steps.repeat_count)
        await configure.update_policy(ident, policy, by=by, now=now)
    if path == NEW:
        path = await configure.create_path(ident, edit, by=by, now=now)
    else:
        await configure.update_path(path, edit, by=by, now=now)
    stored = await policies.levels_of_path(request.site.db, path)
    for level, edit_level in zip(stored, wanted, strict=False):
        await configure.update_level(level["id"], edit_level, by=by, now=now)
    for level in reversed(stored[len(wanted) :]):
        await configure.delete_level(level["id"], by=by, now=now)
    for edit_level in wanted[len(stored) :]:
        await configure.create_level(None, path, edit_level, by=by, now=now)
    return path


@action("/policies/{ident:uuid}/paths/{path:uuid}/move", Permission.CONFIGURE)
async def moved(request: WebRequest, ident: FromPath[UUID], path: FromPath[UUID]) -> Response[bytes]:
    """Ask a path earlier, or later, than its neighbour."""
    form = await request.fields()
    rows = (await policies.paths(request.site.db, ident, ALL)).rows
    order = [
        row["id"] for row, _ in _in_order(rows, await request.site.directory(), {}) if not row["is_default"]
    ]
    if path not in order:
        raise Unknown("This policy has no such path.")
    at = order.index(path)
    to = at + (1 if form.raw("do") == "down" else -1)
    if 0 <= to < len(order):
        order[at], order[to] = order[to], order[at]
    for position, one in enumerate(order, start=1):
        edit = PathEdit(position=position)
        await request.site.configure.update_path(one, edit, by=request.visitor.actor, now=request.now)
    return go(request, f"/policies/{ident}/paths/{path}")


@action("/policies/{ident:uuid}/paths/{path:uuid}/delete", Permission.CONFIGURE)
async def path_deleted(request: WebRequest, ident: FromPath[UUID], path: FromPath[UUID]) -> Response[bytes]:
    """Forget a path; escalations under way go on."""
    await request.site.configure.delete_path(path, by=request.visitor.actor, now=request.now)
    return go(request, f"/policies/{ident}", "The path is gone.")


ROUTES = [shown, path_shown, path_new, previewed, changed, moved, path_deleted]
