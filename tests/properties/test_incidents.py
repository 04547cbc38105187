"""What must hold of incidents, whatever people do to them, in whatever order, and however wrong their clocks are."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from nightbell.core import incident as rules
from nightbell.core.errors import Invalid
from nightbell.core.incident import Incident, Status
from nightbell.core.incident_timeline import moving, told
from nightbell.core.journal import SYSTEM
from nightbell.engine.act import Act
from nightbell.engine.configure import seed
from nightbell.engine.directory import Directories
from nightbell.engine.incident_edits import IncidentEdit
from nightbell.engine.incidents import Incidents
from nightbell.store.db import Db, connect
from support.databases import Cluster

T = datetime(2026, 11, 23, 2, tzinfo=UTC)
KINDS = st.sampled_from(["normal", "backfilled", "scheduled"])
STEPS = st.lists(
    st.tuples(st.sampled_from([*Status, "detected", "acknowledged", "restart"]), st.integers(-3, 60)),
    max_size=15,
)


def made(kind: str) -> Incident:
    plan = kind == "scheduled"
    new = Incident(
        id=UUID(int=1), sequential_id=1, slug="x", title="X", kind=kind, status=rules.first_statuses(kind)[0],
        private=False, source="web", created_at=T, updated_at=T, scheduled_for=T if plan else None,
        scheduled_until=T + timedelta(hours=1) if plan else None,
    )  # fmt: skip
    return rules.begun(new, by=None, now=T)


def done(incident: Incident, step: str, now: datetime) -> Incident:
    if step in rules.MARKS:
        return rules.marked(incident, step, now=now)
    to = rules.restarting(incident) if step == "restart" else Status(step)
    return rules.moved(incident, to, by=7, now=now)


@given(KINDS, STEPS)
def test_statuses_that_people_give_keep_the_instants_in_order(
    kind: str, steps: list[tuple[str, int]]
) -> None:
    incident, now = made(kind), T
    for step, minutes in steps:
        # Clocks of those who write differ: now and then one is behind.
        now = max(T, now + timedelta(minutes=minutes))
        before = incident
        try:
            incident = done(incident, step, now)
        except Invalid as refused:
            assert refused.place == "status"
            assert refused.hint
            continue
        wrong = [
            p for p in rules.misplaced(incident, now + timedelta(hours=1)) if "detected" not in p.message
        ]
        assert wrong == [], (before, step)
        assert all(phase.length >= timedelta() for phase in rules.phases(incident, now))
        assert sum(phase.open for phase in rules.phases(incident, now)) <= 1
        if incident.status is not before.status:
            assert moving(before, incident).changed == ("status",)


@given(
    st.fixed_dictionaries(
        {},
        optional={
            "title": st.sampled_from(["X", "Y"]),
            "summary": st.sampled_from([None, "told"]),
            "private": st.booleans(),
            "resolve_alerts": st.booleans(),
            "severity_id": st.sampled_from([None, UUID(int=4)]),
            "labels": st.sampled_from([{}, {"a": "b"}]),
            "detected_at": st.sampled_from([None, T]),
        },
    )
)
def test_each_attribute_that_changes_has_a_line_of_its_own(values: dict[str, Any]) -> None:
    before = made("normal")
    after = replace(before, **values)
    changed = [name for name in values if getattr(before, name) != getattr(after, name)]
    assert sorted(line.changed[0] for line in told(before, after, {})) == sorted(changed)


# ---------------------------------------------------------------- over a real database

ACTS = st.lists(
    st.tuples(
        st.integers(0, 2),
        st.sampled_from(
            ["started", "in_triage", "mitigated", "resolved", "closed", "cancelled", "title", "merge"]
        ),
    ),
    min_size=1,
    max_size=12,
)
CONTRADICTIONS = """
    SELECT 1 FROM incidents WHERE mitigated_at < started_at OR resolved_at < started_at OR resolved_at < mitigated_at
    OR closed_at < resolved_at OR (status = 'started' AND resolved_at IS NOT NULL)
    OR (duplicate_of_id IS NOT NULL AND duplicate_of_id IN (SELECT id FROM incidents WHERE duplicate_of_id = incidents.id))
"""


@pytest.mark.parametrize("together", [False, True])
@settings(max_examples=5, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(acts=ACTS)
def test_every_change_has_one_line_however_they_are_interleaved(
    postgres: Cluster, together: bool, acts: list[tuple[int, str]]
) -> None:
    asyncio.run(_interleaved(postgres, acts, together=together))


async def _interleaved(postgres: Cluster, acts: list[tuple[int, str]], *, together: bool) -> None:
    async with postgres.fresh() as url:
        db = await connect(url, 4)
        try:
            await seed(db, T)
            desk = Incidents(db, Act(db, Directories(), lambda _: None), lambda _: None)
            ids = [(await desk.create(IncidentEdit(title=f"n{n}"), by=SYSTEM, now=T)).id for n in range(3)]
            tasks = [_act(desk, ids, which, act, number) for number, (which, act) in enumerate(acts)]
            if together:
                came = await asyncio.gather(*tasks)
            else:
                came = [await task for task in tasks]
            await _agrees(db, sum(came))
        finally:
            await db.close()


async def _act(desk: Incidents, ids: list[UUID], which: int, act: str, number: int) -> int:
    """Do it, and return how many lines it must have left."""
    ident, now = ids[which], T + timedelta(minutes=number)
    try:
        if act == "merge":
            await desk.merge(ident, ids[(which + 1) % 3], by=SYSTEM, now=now)
        elif act == "title":
            await desk.update(ident, IncidentEdit(title=f"title {number}"), by=SYSTEM, now=now)
        else:
            await desk.move(ident, Status(act), by=SYSTEM, now=now)
    except Invalid:
        return 0
    return 1


async def _agrees(db: Db, most: int) -> None:
    assert await db.fetch(CONTRADICTIONS) == []
    lines = (await db.fetch("SELECT count(*) FROM incident_events WHERE code <> 'incident.merged'"))[0][0]
    # Three were made; what was so already is no change and has no line.
    assert 3 <= lines <= 3 + most
    twice = "SELECT 1 FROM incident_events GROUP BY incident_id, event, occurred_at HAVING count(*) > 1"
    assert await db.fetch(twice) == []
    told = (await db.fetch("SELECT count(*) FROM happenings WHERE kind = 'status_updated'"))[0][0]
    moves = "SELECT count(*) FROM incident_events WHERE code ~ 'started|triaged|mitigated|resolved|closed|cancelled'"
    assert (await db.fetch(moves))[0][0] == told
