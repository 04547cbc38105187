"""The tasks of a workflow: a form made from what each takes, filled in beside it with something that came of late."""

from typing import Any
from uuid import UUID

from litestar import Response
from litestar.params import FromPath

from nightbell.core.access import Permission, may
from nightbell.core.errors import Invalid, Unknown
from nightbell.core.foreign_tasks import KNOWN
from nightbell.core.workflow import Task
from nightbell.engine.tasks.registry import TASKS
from nightbell.engine.tasks.registry import shown as masked
from nightbell.engine.workflow_edits import TaskEdit
from nightbell.engine.workflow_trials import Preview, preview
from nightbell.store.read import workflows
from nightbell.store.read.listing import Record
from nightbell.web import task_form, workflow_trying
from nightbell.web.faults import told
from nightbell.web.forms import Form
from nightbell.web.pages.workflows import stored, task_label
from nightbell.web.render import go, html, render
from nightbell.web.site import WebRequest, action, page
from nightbell.web.task_form import Field
from nightbell.web.workflow_choices import pickers

_NOBODY = UUID(int=0)


@page("/workflows/{ident:uuid}/tasks/new", Permission.CONFIGURE)
async def fresh(request: WebRequest, ident: FromPath[UUID]) -> Response[bytes]:
    """Show the form of a task that is yet to be added."""
    row, kind = await stored(request, ident), request.query_params.get("kind", "")
    if kind not in TASKS and kind not in KNOWN:
        raise Unknown("There is no such task.", hint="Choose one from the list.")
    return await _editor(
        request, row, _new(row, kind), task_form.fields(TASKS.get(kind), {}, await pickers(request)), {}
    )


def _new(row: Record, kind: str) -> Record:
    return {
        "id": None,
        "workflow_id": row["id"],
        "kind": kind,
        "name": "",
        "position": 0,
        "params": {"task_type": kind},
        "skip_on_failure": False,
        "enabled": True,
    }


@page("/workflows/{ident:uuid}/tasks/{task:uuid}", Permission.VIEW)
async def shown(request: WebRequest, ident: FromPath[UUID], task: FromPath[UUID]) -> Response[bytes]:
    """Show one task."""
    row, one = await _both(request, ident, task)
    return await _editor(
        request, row, one, task_form.fields(TASKS.get(one["kind"]), one["params"], await pickers(request)), {}
    )


async def _both(request: WebRequest, ident: UUID, task: UUID) -> tuple[Record, Record]:
    row, one = await stored(request, ident), await workflows.task(request.site.db, task)
    if one is None or one["workflow_id"] != ident:
        raise Unknown("This workflow has no such task.", hint="It may have been deleted.")
    if not may(request.visitor.role, Permission.CONFIGURE):
        one = {**one, "params": masked(one["kind"], one["params"])}
    return row, one


async def _editor(
    request: WebRequest,
    row: Record,
    one: Record,
    fields: tuple[Field, ...],
    errors: dict[str, str],
    chosen: str = "",
) -> Response[bytes]:
    known = TASKS.get(one["kind"])
    past = await workflow_trying.pasts(request, row["kind"])
    key = chosen or request.query_params.get("with", "") or (past[0].key if past else "")
    return await render(
        request,
        "task.html",
        code=422 if errors else 200,
        nav="workflows",
        workflow=row,
        task=one,
        label=task_label(one["kind"]),
        known=known,
        told=(known.params.__doc__ or "").strip() if known else "",
        fields=fields,
        errors=errors,
        wrong_at=_wrong_at,
        pasts=past,
        chosen=key,
        preview=await _previewed(request, row, one, key),
    )


def _wrong_at(errors: dict[str, str], name: str) -> str:
    """Return what is wrong with a field, or within it."""
    inside = (f"{name}.", f"{name}[")
    return next((text for place, text in errors.items() if place == name or place.startswith(inside)), "")


async def _previewed(request: WebRequest, row: Record, one: Record, key: str) -> Preview | None:
    """Return a task filled in with what came of late; with nothing where nothing came yet."""
    subject = await workflow_trying.subject(request, row["kind"], key) if key else {}
    names = ("kind", "name", "position", "params", "skip_on_failure", "enabled")
    task = Task(id=one["id"] or _NOBODY, **{name: one[name] for name in names})
    return await preview(task, subject, request.now)


@action("/workflows/{ident:uuid}/tasks/preview", Permission.CONFIGURE)
async def previewed(request: WebRequest, ident: FromPath[UUID]) -> Response[bytes]:
    """Show what the form as it is would be carried out with; nothing is saved and nothing is done."""
    row, form = await stored(request, ident), await request.fields()
    kind = form.raw("kind")
    if kind not in TASKS and kind not in KNOWN:
        raise Unknown("There is no such task.")
    try:
        params: dict[str, Any] = task_form.read(TASKS.get(kind), kind, form, {}, await pickers(request))
        found = await _previewed(request, row, {**_new(row, kind), "params": params}, form.raw("with"))
        problem = ""
    except Invalid as error:
        found, problem = None, error.message
    return html(request, "task_preview.html", preview=found, problem=problem)


@action("/workflows/{ident:uuid}/tasks/new", Permission.CONFIGURE)
async def created(request: WebRequest, ident: FromPath[UUID]) -> Response[bytes]:
    """Add a task behind the others."""
    row, form = await stored(request, ident), await request.fields()
    kind = form.raw("kind")
    if kind not in TASKS and kind not in KNOWN:
        raise Unknown("There is no such task.")
    return await _saved(request, row, _new(row, kind), form)


@action("/workflows/{ident:uuid}/tasks/{task:uuid}", Permission.CONFIGURE)
async def changed(request: WebRequest, ident: FromPath[UUID], task: FromPath[UUID]) -> Response[bytes]:
    """Save a task."""
    row, one = await _both(request, ident, task)
    return await _saved(request, row, one, await request.fields())


async def _saved(request: WebRequest, row: Record, one: Record, form: Form) -> Response[bytes]:
    known, by, now, named = TASKS.get(one["kind"]), request.visitor.actor, request.now, await pickers(request)
    given = {**one, "name": form.raw("name")[:255], "enabled": form.flag("enabled")}
    given["skip_on_failure"] = form.flag("skip_on_failure")
    try:
        params = task_form.read(known, one["kind"], form, one["params"], named)
        if form.raw("do") == "preview":
            fields = task_form.fields(known, params, named)
            return await _editor(request, row, {**given, "params": params}, fields, {}, form.raw("with"))
        edit = TaskEdit(
            name=form.text("name", longest=255),
            params=params,
            skip_on_failure=given["skip_on_failure"],
            enabled=given["enabled"],
        )
        if one["id"] is None:
            await request.site.configure.create_task(row["id"], edit, by=by, now=now)
        else:
            await request.site.configure.update_task(one["id"], edit, by=by, now=now)
    except Invalid as error:
        wrong = {place.removeprefix("params."): text for place, text in told(error).items()}
        fields = task_form.with_text(task_form.fields(known, one["params"], named), form)
        return await _editor(request, row, given, fields, wrong, form.raw("with"))
    return go(request, f"/workflows/{row['id']}#tasks", "Saved." if one["id"] else "Added.")


@action("/workflows/{ident:uuid}/tasks/{task:uuid}/move", Permission.CONFIGURE)
async def moved(request: WebRequest, ident: FromPath[UUID], task: FromPath[UUID]) -> Response[bytes]:
    """Move a task one place up or down."""
    row, one = await _both(request, ident, task)
    way = -1 if (await request.fields()).raw("way") == "up" else 1
    edit = TaskEdit(position=max(1, one["position"] + way))
    await request.site.configure.update_task(task, edit, by=request.visitor.actor, now=request.now)
    return go(request, f"/workflows/{row['id']}#tasks", "Moved.")


@action("/workflows/{ident:uuid}/tasks/{task:uuid}/delete", Permission.CONFIGURE)
async def deleted(request: WebRequest, ident: FromPath[UUID], task: FromPath[UUID]) -> Response[bytes]:
    """Forget a task."""
    row, _ = await _both(request, ident, task)
    await request.site.configure.delete_task(task, by=request.visitor.actor, now=request.now)
    return go(request, f"/workflows/{row['id']}#tasks", "The task is gone.")


ROUTES = [fresh, shown, previewed, created, changed, moved, deleted]
