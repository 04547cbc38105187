"""This file reads runs of workflows and their steps.

Rule 1: what a run says of a private incident is for those whom that incident concerns.
"""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import ColumnElement, and_, exists, or_, select, true

from nightbell.store.db import Runner
from nightbell.store.incident_tables import incidents
from nightbell.store.read.incidents import Viewer, visible
from nightbell.store.read.listing import Found, Listing, Record, Shelf, by_names, found, many, one
from nightbell.store.workflow_tables import workflow_runs as rows
from nightbell.store.workflow_tables import workflow_steps

RUNS = Shelf(
    table=rows,
    filters=by_names(
        rows,
        *(
            "status",
            "triggered_by",
            "trigger",
            "alert_id",
            "incident_id",
            "action_item_id",
            "user_id",
            "depth",
        ),
        *(
            "cause_run_id",
            "created_at",
            "updated_at",
            "started_at",
            "completed_at",
            "failed_at",
            "canceled_at",
        ),
    ),
    search=(rows.c.status_message,),
    # The id sorts by when it was made.
    orders={
        "id": rows.c.id,
        "created_at": rows.c.id,
        "updated_at": rows.c.updated_at,
        "status": rows.c.status,
    },
    default="id",
)


def seen(viewer: Viewer) -> ColumnElement[bool]:
    """Return which runs somebody may see."""
    if viewer.everything:
        return true()
    concerned = exists(select(incidents.c.id).where(incidents.c.id == rows.c.incident_id, visible(viewer)))
    return or_(rows.c.incident_id.is_(None), concerned)


async def runs(runner: Runner, viewer: Viewer, workflow_id: UUID, listing: Listing) -> Found:
    """Return runs of a workflow, the newest first."""
    newest = listing if listing.order else _newest(listing)
    return await found(runner, RUNS, newest, rows.c.workflow_id == workflow_id, seen(viewer))


async def run(runner: Runner, viewer: Viewer, run_id: UUID | None) -> Record | None:
    """Return one run."""
    return await one(runner, rows, and_(rows.c.id == run_id, seen(viewer))) if run_id else None


async def steps(runner: Runner, run_ids: Sequence[UUID]) -> list[Record]:
    """Return every step of these runs, in order."""
    mine = workflow_steps.c.run_id.in_(run_ids)
    return await many(runner, workflow_steps, mine, workflow_steps.c.run_id, workflow_steps.c.position)


async def caused(runner: Runner, viewer: Viewer, run_id: UUID) -> list[Record]:
    """Return the runs that a run caused, the first first."""
    return await many(runner, rows, and_(rows.c.cause_run_id == run_id, seen(viewer)), rows.c.id)


def _newest(listing: Listing) -> Listing:
    return Listing(
        where=listing.where,
        search=listing.search,
        order=("-id",),
        limit=listing.limit,
        offset=listing.offset,
        after=listing.after,
    )
