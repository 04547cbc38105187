"""What a workflow, as it stands in the form, would have made of what came of late; and of one of these, in full."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from msgspec import Struct

from nightbell.core import shortid
from nightbell.core.errors import Invalid
from nightbell.core.workflow import Verdict, Workflow, matches
from nightbell.engine import workflow_context, workflows
from nightbell.engine.workflow_trials import Trial, trial
from nightbell.store.read import incident_pages, page_alerts, pages
from nightbell.store.read.listing import Record
from nightbell.store.read.page_alerts import Wanted
from nightbell.web import workflow_form
from nightbell.web.incident_view import viewer
from nightbell.web.site import WebRequest
from nightbell.web.workflow_form import Draft

#: So many of late are asked.
_LATE = 20
_LARGEST = 18


class Past(Struct, frozen=True, kw_only=True):
    """Something of late that can be tried: an alert by its short id, an incident by its number."""

    key: str
    summary: str
    status: str
    url: str


class Late(Struct, frozen=True, kw_only=True):
    """What would have become of each, or why nothing can be tried."""

    rows: tuple[tuple[Past, Verdict], ...] = ()
    problem: str = ""

    @property
    def count(self) -> int:
        """Return how many would have been matched."""
        return sum(verdict.matched for _, verdict in self.rows)


async def pasts(request: WebRequest, kind: str) -> list[Past]:
    """Return what came of late for a workflow of a kind; what is private is left out for whom it does not concern."""
    if kind == "alert":
        rows = (await page_alerts.screen(request.site.db, Wanted(limit=_LATE))).rows
        return [
            Past(
                key=shortid.encode(row["number"]),
                summary=row["summary"],
                status=row["status"],
                url=f"/alerts/{shortid.encode(row['number'])}",
            )
            for row in rows
        ]
    if kind != "incident":
        return []
    wanted = incident_pages.Wanted(limit=_LATE)
    incidents = (await incident_pages.screen(request.site.db, viewer(request), wanted)).rows
    return [
        Past(
            key=str(row["sequential_id"]),
            summary=row["title"],
            status=row["status"],
            url=f"/incidents/{row['sequential_id']}",
        )
        for row in incidents
    ]


async def subject(request: WebRequest, kind: str, key: str) -> dict[str, Any]:
    """Return the context of an alert or incident of late; {} where there is none."""
    found = await _ident(request, kind, key)
    if found is None:
        return {}
    site = request.site
    alert, incident = (found, None) if kind == "alert" else (None, found)
    return await workflow_context.context(
        site.db, alert_id=alert, incident_id=incident, base_url=site.base_url
    )


async def _ident(request: WebRequest, kind: str, key: str) -> UUID | None:
    row: Mapping[str, Any] | None = None
    if kind == "alert":
        number = shortid.decode(key) if key.isalnum() and len(key) < _LARGEST else None
        row = await pages.alert(request.site.db, number=number) if number is not None else None
    elif key.isdecimal() and len(key) < 10:
        row = await incident_pages.incident(request.site.db, viewer(request), number=int(key))
    return row["id"] if row is not None else None


def drafted(row: Record, draft: Draft, tasks: list[Record]) -> Workflow:
    """Return the workflow that a form stands for.

    Raises: Invalid where a condition cannot be read.
    """
    sent = workflow_form.edit_of(draft, row).sent()
    listed = [{name: _plain(task[name]) for name in _TASK} for task in tasks]
    return workflows.stored({**row, **sent, "triggers": list(draft.triggers), "tasks": listed})


_TASK = ("id", "kind", "name", "position", "params", "skip_on_failure", "enabled")


def _plain(value: Any) -> Any:
    return str(value) if isinstance(value, UUID) else value


async def late(request: WebRequest, row: Record, draft: Draft) -> Late:
    """Return what would have become of what came of late."""
    try:
        workflow = drafted(row, draft, [])
        rows = []
        for past in await pasts(request, draft.kind):
            verdict = matches(workflow, await subject(request, draft.kind, past.key))
            rows.append((past, verdict))
    except (Invalid, KeyError) as error:
        return Late(
            problem=f"This cannot be tried: {getattr(error, 'message', 'a condition is not complete')}"
        )
    return Late(rows=tuple(rows))


async def one(request: WebRequest, row: Record, tasks: list[Record], key: str) -> Trial | None:
    """Return what a stored workflow would do for one of them; None where there is no such thing."""
    context = await subject(request, row["kind"], key)
    if not context:
        return None
    workflow = drafted(row, workflow_form.from_row(row), tasks)
    return await trial(workflow, context, request.now)
