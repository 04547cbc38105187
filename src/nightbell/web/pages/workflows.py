"""Workflows, for the lead: what happens by itself, when, under which conditions, and what it would have done."""

import re
from uuid import UUID

from litestar import Response
from litestar.params import FromPath

from nightbell.core.access import Permission
from nightbell.core.errors import Invalid, Unknown
from nightbell.core.foreign_tasks import KNOWN
from nightbell.core.workflow import TRIGGERS
from nightbell.core.workflow_conditions import BARE
from nightbell.engine.tasks.registry import TASKS
from nightbell.engine.workflow_edits import WorkflowEdit
from nightbell.store.read import workflows
from nightbell.store.read.listing import Record
from nightbell.web import workflow_form, workflow_trying
from nightbell.web.faults import told
from nightbell.web.render import go, render
from nightbell.web.site import WebRequest, action, page
from nightbell.web.starters import STARTERS
from nightbell.web.workflow_choices import choices
from nightbell.web.workflow_form import Draft

_PLACED = re.compile(r"trigger_params\.alert_payload_conditions\.conditions\[(\d+)\]")


#: How the groups of tasks are called where one is chosen.
_GROUPS = {"incidents": "Incidents", "alerts": "Alerts", "people": "People", "messages": "Messages", "web": "Other systems", "flow": "The workflow itself"}  # fmt: skip


def kinds() -> list[tuple[str, list[tuple[str, str]]]]:
    """Return every task by group, those of other vendors last."""
    found = [
        (label, sorted((t.name, t.label) for t in TASKS.values() if t.group == group))
        for group, label in _GROUPS.items()
    ]
    foreign = sorted((name, task_label(name)) for name in KNOWN - TASKS.keys())
    return [(label, listed) for label, listed in [*found, ("Not carried out here", foreign)] if listed]


@page("/workflows", Permission.VIEW)
async def listed(request: WebRequest) -> Response[bytes]:
    """Show every workflow with its switch and its last run."""
    rows = await workflows.all_workflows(request.site.db)
    idents = [row["id"] for row in rows]
    tasks: dict[UUID, list[str]] = {}
    for task in await workflows.all_tasks(request.site.db, idents):
        tasks.setdefault(task["workflow_id"], []).append(task["name"] or task_label(task["kind"]))
    return await render(
        request,
        "workflows.html",
        nav="workflows",
        workflows=rows,
        tasks=tasks,
        runs=await workflows.last_runs(request.site.db, idents),
        groups=await workflows.group_names(request.site.db),
        starters=STARTERS,
        kinds=workflow_form.KINDS,
    )


def task_label(kind: str) -> str:
    """Return what people call a kind of task."""
    known = TASKS.get(kind)
    return known.label if known else kind.replace("_", " ").capitalize()


@action("/workflows/start", Permission.CONFIGURE)
async def started(request: WebRequest) -> Response[bytes]:
    """Make one of the workflows to begin with, switched off."""
    form = await request.fields()
    starter = next((one for one in STARTERS if one.key == form.raw("starter")), None)
    if starter is None:
        raise Unknown("There is no such workflow to begin with.")
    by, now, configure = request.visitor.actor, request.now, request.site.configure
    ident = await configure.create_workflow(starter.workflow, by=by, now=now)
    for edit in starter.task_edits:
        await configure.create_task(ident, edit, by=by, now=now)
    return go(request, f"/workflows/{ident}", "Made, and switched off. Look at it, try it, switch it on.")


@action("/workflows/{ident:uuid}/switch", Permission.CONFIGURE)
async def switched(request: WebRequest, ident: FromPath[UUID]) -> Response[bytes]:
    """Switch a workflow on or off."""
    on = (await request.fields()).raw("on") == "1"
    edit = WorkflowEdit(enabled=on)
    await request.site.configure.update_workflow(ident, edit, by=request.visitor.actor, now=request.now)
    return go(request, "/workflows", "Switched on." if on else "Switched off.")


@page("/workflows/new", Permission.CONFIGURE)
async def fresh(request: WebRequest) -> Response[bytes]:
    """Show the form of a workflow that is yet to be made."""
    kind = request.query_params.get("kind", "alert")
    return await _editor(request, None, workflow_form.new(kind if kind in TRIGGERS else "alert"), {})


@page("/workflows/{ident:uuid}", Permission.VIEW)
async def shown(request: WebRequest, ident: FromPath[UUID]) -> Response[bytes]:
    """Show one workflow: its conditions, its tasks, and what it would do."""
    row = await stored(request, ident)
    return await _editor(request, row, workflow_form.from_row(row), {})


async def stored(request: WebRequest, ident: UUID) -> Record:
    """Return a workflow's row. Raises: Unknown when there is none."""
    row = await workflows.workflow(request.site.db, str(ident))
    if row is None:
        raise Unknown("There is no such workflow.", hint="It may have been deleted.")
    return row


async def _editor(
    request: WebRequest,
    row: Record | None,
    draft: Draft,
    errors: dict[str, str],
    *,
    changed: bool = False,
    trying: bool = False,
) -> Response[bytes]:
    tasks = await workflows.all_tasks(request.site.db, [row["id"]]) if row else []
    tried = request.query_params.get("try", "")
    return await render(
        request,
        "workflow.html",
        code=422 if errors else 200,
        nav="workflows",
        workflow=row,
        ident=row["id"] if row else None,
        draft=draft,
        errors=errors,
        row_errors=_by_row(errors, draft),
        changed=changed,
        form=workflow_form,
        specs=workflow_form.specs(draft.kind),
        bare=BARE,
        triggers=workflow_form.usual(draft.kind, draft.triggers),
        choices=await choices(request, draft.kind),
        tasks=tasks,
        label=task_label,
        kinds=kinds(),
        known=TASKS,
        tried=tried,
        late=await workflow_trying.late(request, row, draft) if row and (tried or trying) else None,
        trial=await workflow_trying.one(request, row, tasks, tried)
        if row and tried not in ("", "late")
        else None,
        runs=await workflows.last_runs(request.site.db, [row["id"]]) if row else {},
    )


def _by_row(errors: dict[str, str], draft: Draft) -> dict[int, str]:
    """Return what is wrong by the row it belongs to."""
    found: dict[int, str] = {}
    payload = [n for n, one in enumerate(draft.rows) if one.key == workflow_form.PAYLOAD]
    specs = workflow_form.specs(draft.kind)
    for place, text in errors.items():
        placed = _PLACED.match(place)
        if placed and int(placed[1]) < len(payload):
            found[payload[int(placed[1])]] = text
        elif "payload" in place and payload:
            found[payload[0]] = text
        for number, one in enumerate(draft.rows):
            spec = specs.get(one.key)
            name = place.removeprefix("trigger_params.").partition("[")[0]
            if spec is not None and name and name in (spec.key, spec.values):
                found[number] = text
    return found


@action("/workflows/new", Permission.CONFIGURE)
async def created(request: WebRequest) -> Response[bytes]:
    """Make a workflow, or change its form."""
    form = await request.fields()
    kind = form.choice("kind", tuple(TRIGGERS), "alert")
    return await _changed(request, None, kind)


@action("/workflows/{ident:uuid}", Permission.CONFIGURE)
async def changed(request: WebRequest, ident: FromPath[UUID]) -> Response[bytes]:
    """Save a workflow, or change its form."""
    row = await stored(request, ident)
    return await _changed(request, row, row["kind"])


async def _changed(request: WebRequest, row: Record | None, kind: str) -> Response[bytes]:
    form = await request.fields()
    draft, what = workflow_form.from_form(form, kind), form.raw("do") or "save"
    if what != "save":
        after = workflow_form.edited(draft, what, form)
        return await _editor(request, row, after, {}, changed=True, trying=what == "try")
    by, now, configure = request.visitor.actor, request.now, request.site.configure
    try:
        edit = workflow_form.edit_of(draft, row or {})
        if row is None:
            ident = await configure.create_workflow(edit, by=by, now=now)
        else:
            ident = row["id"]
            await configure.update_workflow(ident, edit, by=by, now=now)
    except Invalid as error:
        return await _editor(request, row, draft, told(error), changed=True)
    said = "Saved. It counts for what happens from now on." if row else "Made. Now say what it does."
    return go(request, f"/workflows/{ident}", said)


@action("/workflows/{ident:uuid}/lock", Permission.CONFIGURE)
async def locked(request: WebRequest, ident: FromPath[UUID]) -> Response[bytes]:
    """Lock a workflow, or unlock it."""
    lock = (await request.fields()).raw("lock") == "1"
    edit = WorkflowEdit(locked=lock)
    await request.site.configure.update_workflow(ident, edit, by=request.visitor.actor, now=request.now)
    return go(request, f"/workflows/{ident}", "Locked." if lock else "Unlocked.")


@action("/workflows/{ident:uuid}/delete", Permission.CONFIGURE)
async def deleted(request: WebRequest, ident: FromPath[UUID]) -> Response[bytes]:
    """Forget a workflow; its runs stay."""
    await request.site.configure.delete_workflow(ident, by=request.visitor.actor, now=request.now)
    return go(request, "/workflows", "The workflow is gone. What it did stays with its runs.")


ROUTES = [listed, started, switched, fresh, shown, created, changed, locked, deleted]
