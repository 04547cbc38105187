"""Incidents over a real database: what is made, changed and ended, and what stands in their timelines."""

import asyncio
from datetime import datetime, timedelta

import pytest

from nightbell.core.errors import Invalid
from nightbell.core.incident import Status
from nightbell.core.journal import SYSTEM, person
from nightbell.engine.changing import Problems
from nightbell.engine.edits import ServiceEdit, UserEdit
from nightbell.engine.incident_edits import ActionItemEdit, EntryEdit, IncidentEdit
from nightbell.engine.incidents import Cause, Incidents
from nightbell.store.incident_tables import incident_events, incidents
from nightbell.store.statements import fetch_core
from sqlalchemy import select

T = incident_events.c


@pytest.fixture
def desk(scene):
    """The writer of incidents, as the program puts it together."""
    return Incidents(scene.db, scene.engine.act, lambda _: None)


@pytest.fixture
async def ana(scene):
    key = await scene.configure.create_user(
        UserEdit(name="Ana", email="ana@example.org", role="owner"), by=SYSTEM, now=scene.clock()
    )
    return person(key, "Ana")


async def lines(scene, incident_id):
    rows = await fetch_core(scene.db, select(incident_events).where(T.incident_id == incident_id).order_by(T.id))
    return [row["event"] for row in rows]


async def happened(scene):
    rows = await scene.db.fetch("SELECT kind FROM happenings WHERE incident_id IS NOT NULL ORDER BY id")
    return [row["kind"] for row in rows]


async def test_an_incident_goes_its_way_and_says_so(scene, desk, ana):
    made = await desk.create(IncidentEdit(title="API is slow"), by=ana, now=scene.clock())
    assert (made.sequential_id, made.slug, made.status) == (1, "api-is-slow", "started")
    await desk.move(made.id, Status.MITIGATED, message="rolled back", by=ana, now=scene.clock())
    await desk.move(made.id, Status.RESOLVED, by=ana, now=scene.clock())
    await desk.move(made.id, Status.CLOSED, by=ana, now=scene.clock())
    assert await lines(scene, made.id) == [
        "Created as started: API is slow",
        "Mitigated (was started): rolled back",
        "Resolved (was mitigated)",
        "Closed (was resolved)",
    ]
    assert await happened(scene) == [
        "incident_created", "incident_started",
        "status_updated", "incident_updated", "status_updated", "incident_updated", "status_updated", "incident_updated",
    ]  # fmt: skip
