"""Runs of workflows: what each did, step by step, with what it was given and what came of it; begun, ended, done again."""

from typing import Any
from uuid import UUID

from litestar import Response
from litestar.params import FromPath
from msgspec import json

from nightbell.core.access import Permission
from nightbell.core.errors import Invalid, NightbellError, Stale, Unknown
from nightbell.core.masking import masked
from nightbell.core.running import GOES_ON, Status
from nightbell.core.shortid import encode
from nightbell.core.uuids import as_uuid
from nightbell.core.workflow import ABOUT
from nightbell.engine.workflow_runs import About, Wish
from nightbell.store.read import alerts, incident_events, incidents, workflow_runs
from nightbell.store.read.listing import Condition, Listing, Record
from nightbell.web.faults import told
from nightbell.web.incident_view import viewer
from nightbell.web.pages.workflows import stored, task_label
from nightbell.web.render import go, render
from nightbell.web.site import WebRequest, action, page
from nightbell.web.times import span

PAGE = 25
#: What a step that is still to come has not got.
_NOT_BEGUN = {"why": "", "attempts": 0, "wake_at": None, "skip_on_failure": False, "given": "", "came": ""}
#: What started a run, for people.
_BY = {"by_hand": "by hand", "repeat": "again, as it repeats", "trigger_workflow": "another workflow"}


@page("/workflows/{ident:uuid}/runs", Permission.VIEW)
async def listed(request: WebRequest, ident: FromPath[UUID]) -> Response[bytes]:
    """Show the runs of a workflow, the newest first."""
    return await _listed(request, await stored(request, ident), {})


async def _listed(request: WebRequest, workflow: Record, errors: dict[str, str]) -> Response[bytes]:
    db, asked = request.site.db, request.query_params
    status = asked.get("status", "") if asked.get("status", "") in [s.value for s in Status] else ""
    number = int(asked.get("page", "1")) if asked.get("page", "1").isdecimal() else 1
    listing = Listing(
        where=(Condition("status", "eq", (status,)),) if status else (),
        limit=PAGE,
        offset=(min(max(number, 1), 400) - 1) * PAGE,
    )
    found = await workflow_runs.runs(db, viewer(request), workflow["id"], listing)
    return await render(
        request,
        "runs.html",
        code=422 if errors else 200,
        nav="workflows",
        workflow=workflow,
        rows=[{**row, **await _about(request, row), "why_now": _why_now(row)} for row in found.rows],
        total=found.total,
        number=number,
        more=found.total > number * PAGE,
        status=status,
        statuses=[s.value for s in Status],
        about=ABOUT[workflow["kind"]],
        given=asked.get("about", ""),
        errors=errors,
        lasted=_lasted,
    )


@action("/workflows/{ident:uuid}/runs", Permission.RESPOND)
async def begun(request: WebRequest, ident: FromPath[UUID]) -> Response[bytes]:
    """Run a workflow by hand."""
    row, form = await stored(request, ident), await request.fields()
    try:
        about = await _named(request, ABOUT[row["kind"]], form.raw("about").strip())
        wish = Wish(about=about, immediate=True, check_conditions=form.flag("check_conditions"))
        run = await request.site.runs.begin(str(ident), wish, by=request.visitor.actor, now=request.now)
    except Invalid as error:
        return await _listed(request, row, {"about": next(iter(told(error).values()))})
    return go(request, f"/workflows/{ident}/runs/{run}", "It runs.")


async def _named(request: WebRequest, about: str, text: str) -> About:
    """Return what somebody typed: a short id of an alert, the number of an incident, an id."""
    if not about:
        return About()
    if not text:
        raise Invalid(f"Which {about.replace('_', ' ')}?", place="about")
    db, key = request.site.db, text.rpartition("/")[2].lstrip("#")
    found: UUID | None
    if about == "alert":
        found = await alerts.alert_id(db, key)
    elif about == "incident":
        found = await incidents.incident_id(db, viewer(request), key)
    else:
        ident = as_uuid(key)
        item = await incident_events.item(db, viewer(request), ident) if ident else None
        found = item["id"] if item else None
    if found is None:
        raise Invalid(f"There is no {about.replace('_', ' ')} {text[:60]}.", place="about")
    return About(**{f"{about}_id": found})


@page("/workflows/{ident:uuid}/runs/{key:uuid}", Permission.VIEW)
async def shown(request: WebRequest, ident: FromPath[UUID], key: FromPath[UUID]) -> Response[bytes]:
    """Show one run: how it stands, each step with its input, output and duration, and why it ran."""
    run = await _run(request, ident, key)
    db, who = request.site.db, viewer(request)
    cause = await workflow_runs.run(db, who, run["cause_run_id"])
    return await render(
        request,
        "run.html",
        nav="workflows",
        run={**run, **await _about(request, run), "why_now": _why_now(run)},
        name=run["plan"]["name"],
        goes_on=run["status"] in GOES_ON,
        steps=_steps(run, await workflow_runs.steps(db, [key])),
        context=_pretty(masked(run["context"])) if run["context"] else "",
        cause=cause,
        caused=await workflow_runs.caused(db, who, key),
        lasted=_lasted,
    )


async def _run(request: WebRequest, ident: UUID, key: UUID) -> Record:
    run = await workflow_runs.run(request.site.db, viewer(request), key)
    if run is None or run["workflow_id"] != ident:
        raise Unknown("There is no such run.", hint="Runs are kept for some time only.")
    return run


@action("/workflows/{ident:uuid}/runs/{key:uuid}/cancel", Permission.RESPOND)
async def canceled(request: WebRequest, ident: FromPath[UUID], key: FromPath[UUID]) -> Response[bytes]:
    """End a run."""
    await _run(request, ident, key)
    url = f"/workflows/{ident}/runs/{key}"
    try:
        await request.site.runs.cancel(key, by=request.visitor.actor, now=request.now)
    except Stale as error:
        return go(request, url, error.message)
    return go(request, url, "Canceled. What it had begun may still be done; nothing after it is.")


@action("/workflows/{ident:uuid}/runs/{key:uuid}/again", Permission.RESPOND)
async def again(request: WebRequest, ident: FromPath[UUID], key: FromPath[UUID]) -> Response[bytes]:
    """Do a run again, by the workflow as it is now."""
    await _run(request, ident, key)
    try:
        run = await request.site.runs.again(key, by=request.visitor.actor, now=request.now)
    except NightbellError as error:
        return go(request, f"/workflows/{ident}/runs/{key}", error.message)
    return go(request, f"/workflows/{ident}/runs/{run}", "It runs again.")


def _steps(run: Record, rows: list[Record]) -> list[dict[str, Any]]:
    """Return what was done, and behind it what is still to be done or never was."""
    done = [
        {
            **row,
            "label": row["name"] or task_label(row["kind"]),
            "said": task_label(row["kind"]),
            "given": _pretty(row["input"]) if row["input"] else "",
            "came": _pretty(row["output"]) if row["output"] else "",
        }
        for row in rows
    ]
    ahead = [
        {
            "status": "ahead",
            "label": task["name"] or task_label(task["kind"]),
            "said": task_label(task["kind"]),
            "position": at,
            **_NOT_BEGUN,
        }
        for at, task in enumerate(run["plan"]["tasks"])
        if at >= len(rows)
    ]
    return [*done, *ahead]


async def _about(request: WebRequest, run: Record) -> dict[str, Any]:
    """Return links to what a run is about."""
    db, found = request.site.db, []
    if run["alert_id"] and (number := await db.value("number_of_alert", run["alert_id"])):
        short = encode(number)
        found.append((f"/alerts/{short}", f"alert {short}"))
    if run["incident_id"] and (number := await db.value("number_of_incident", run["incident_id"])):
        found.append((f"/incidents/{number}", f"incident #{number}"))
    return {"about": found}


def _why_now(run: Record) -> str:
    trigger = run["trigger"]
    return _BY.get(trigger) or trigger.replace("_", " ")


def _pretty(value: Any) -> str:
    return json.format(json.encode(value), indent=2).decode()


def _lasted(one: Record) -> str:
    """Return how long a run or a step took; "" while it is not over."""
    ended = one.get("ended_at") or one.get("completed_at") or one.get("failed_at") or one.get("canceled_at")
    began = one.get("started_at")
    if not ended or not began:
        return ""
    took = ended - began
    seconds = took.total_seconds()
    return f"{seconds * 1000:.0f} ms" if seconds < 1 else f"{seconds:.1f} s" if seconds < 60 else span(took)


ROUTES = [listed, begun, shown, canceled, again]
