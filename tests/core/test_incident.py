"""How an incident goes on: which status may follow which, what each one stamps, and how long each took."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from msgspec.structs import replace

from nightbell.core import incident as rules
from nightbell.core.errors import Invalid
from nightbell.core.incident import Incident, Status

T = datetime(2026, 11, 23, 2, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def made(status: Status = Status.STARTED, *, kind: str = "normal") -> Incident:
    """A new incident at 02:00."""
    end = T + 60 * MINUTE if kind == "scheduled" else None
    new = Incident(
        id=UUID(int=1), sequential_id=1, slug="x", title="X", kind=kind, status=status, private=False, source="web",
        created_at=T, updated_at=T, scheduled_for=T if end else None, scheduled_until=end,
    )  # fmt: skip
    return rules.begun(new, by=7, now=T)


def after(*steps: Status, kind: str = "normal") -> Incident:
    """What an incident came to a minute for each step."""
    first = Status.SCHEDULED if kind == "scheduled" else Status.STARTED
    incident = made(first, kind=kind)
    for minute, step in enumerate(steps, start=1):
        incident = rules.moved(incident, step, by=7, now=T + minute * MINUTE)
    return incident


S = Status
NORMAL = {
    S.IN_TRIAGE: {S.STARTED, S.MITIGATED, S.RESOLVED, S.CANCELLED},
    S.STARTED: {S.IN_TRIAGE, S.MITIGATED, S.RESOLVED, S.CANCELLED},
    S.MITIGATED: {S.STARTED, S.RESOLVED, S.CANCELLED},
    S.RESOLVED: {S.STARTED, S.CLOSED},
    S.CLOSED: {S.STARTED},
    S.CANCELLED: {S.STARTED},
    S.SCHEDULED: set(),
    S.IN_PROGRESS: set(),
    S.COMPLETED: set(),
}
PLANNED = {
    S.SCHEDULED: {S.IN_PROGRESS, S.CANCELLED},
    S.IN_PROGRESS: {S.COMPLETED, S.CANCELLED},
    S.COMPLETED: {S.IN_PROGRESS},
    S.CANCELLED: {S.SCHEDULED},
}


@pytest.mark.parametrize("kind", ["normal", "scheduled"])
@pytest.mark.parametrize("before", list(Status))
@pytest.mark.parametrize("to", list(Status))
def test_only_what_may_follow_follows(kind: str, before: Status, to: Status) -> None:
    allowed = (PLANNED if kind == "scheduled" else NORMAL).get(before, set())
    incident = replace(made(kind=kind), status=before)
    if to is before:
        assert rules.moved(incident, to, by=7, now=T) is incident
    elif to in allowed:
        moved = rules.moved(incident, to, by=7, now=T + MINUTE)
        assert moved.status is to
        assert to is S.SCHEDULED or getattr(moved, f"{to}_at") is not None
    else:
        with pytest.raises(Invalid) as caught:
            rules.moved(incident, to, by=7, now=T)
        assert caught.value.place == "status"
        for one in allowed:
            assert one in caught.value.hint


def test_a_status_stamps_when_and_by_whom() -> None:
    incident = after(S.MITIGATED, S.RESOLVED, S.CLOSED)
    assert (incident.mitigated_at, incident.resolved_at, incident.closed_at) == tuple(
        T + n * MINUTE for n in (1, 2, 3)
    )
    assert (incident.mitigated_by, incident.resolved_by, incident.closed_by) == (7, 7, 7)
    assert not rules.misplaced(incident, T + 3 * MINUTE)


def test_restarting_forgets_what_is_not_true_any_more() -> None:
    incident = after(S.MITIGATED, S.RESOLVED, S.CLOSED, S.STARTED)
    assert (incident.mitigated_at, incident.resolved_at, incident.closed_at, incident.resolved_by) == (
        None,
    ) * 4
    assert incident.started_at == T


def test_what_is_resolved_straight_from_triage_was_started() -> None:
    incident = rules.moved(made(S.IN_TRIAGE), S.RESOLVED, by=7, now=T + 5 * MINUTE)
    assert (incident.started_at, incident.resolved_at) == (T, T + 5 * MINUTE)


def test_a_clock_that_lags_stamps_nothing_before_what_came_first() -> None:
    incident = rules.moved(made(), S.MITIGATED, by=7, now=T - MINUTE)
    assert incident.mitigated_at == T
    assert not rules.misplaced(incident, T)


def test_the_first_person_to_move_it_has_it() -> None:
    assert rules.moved(made(), S.MITIGATED, by=7, now=T + MINUTE).acknowledged_at == T + MINUTE
    assert rules.moved(made(), S.MITIGATED, by=None, now=T + MINUTE).acknowledged_at is None
    again = rules.moved(after(S.MITIGATED), S.RESOLVED, by=8, now=T + 9 * MINUTE)
    assert again.acknowledged_at == T + MINUTE


@pytest.mark.parametrize(
    ("before", "to"),
    [(S.MITIGATED, S.STARTED), (S.RESOLVED, S.STARTED), (S.CLOSED, S.STARTED), (S.CANCELLED, S.STARTED)],
)
def test_what_is_over_can_be_restarted(before: Status, to: Status) -> None:
    assert rules.restarting(replace(made(), status=before)) is to


@pytest.mark.parametrize("before", [S.IN_TRIAGE, S.STARTED])
def test_what_goes_on_is_not_restarted(before: Status) -> None:
    with pytest.raises(Invalid, match="cannot be restarted"):
        rules.restarting(replace(made(), status=before))


WRONG = [
    ({"started_at": T + MINUTE, "mitigated_at": T, "status": S.MITIGATED}, "mitigated_at"),
    ({"mitigated_at": T}, "mitigated_at"),
    ({"closed_at": T}, "closed_at"),
    ({"cancelled_at": T}, "cancelled_at"),
    ({"started_at": None}, "started_at"),
    ({"started_at": T + timedelta(days=1)}, "started_at"),
    ({"detected_at": T, "acknowledged_at": T - MINUTE}, "acknowledged_at"),
    ({"in_triage_at": T + MINUTE}, "started_at"),
    ({"status": S.RESOLVED}, "resolved_at"),
    ({"kind": "scheduled", "status": S.SCHEDULED}, "scheduled_for"),
    ({"scheduled_for": T, "scheduled_until": T}, "scheduled_until"),
]


@pytest.mark.parametrize(("values", "place"), WRONG, ids=[str(place) for _, place in WRONG])
def test_instants_that_cannot_be_are_named(values: dict[str, object], place: str) -> None:
    found = rules.misplaced(replace(made(), **values), T)
    assert place in [problem.place for problem in found]


def test_each_phase_lasted_as_long_as_it_did() -> None:
    incident = after(S.MITIGATED, S.RESOLVED)
    assert [(p.status, p.length, p.open) for p in rules.phases(incident, T + 60 * MINUTE)] == [
        (S.STARTED, MINUTE, False),
        (S.MITIGATED, MINUTE, False),
    ]
    assert rules.phases(made(), T + 5 * MINUTE)[-1] == rules.Phase(S.STARTED, 5 * MINUTE, open=True)


def test_how_long_it_took_is_counted_from_when_it_was_detected() -> None:
    incident = replace(after(S.MITIGATED, S.RESOLVED), detected_at=T - 4 * MINUTE)
    assert rules.to_acknowledge(incident) == 5 * MINUTE
    assert rules.to_mitigate(incident) == 5 * MINUTE
    assert rules.to_resolve(incident) == 6 * MINUTE
    assert rules.to_resolve(made()) is None


@pytest.mark.parametrize("kind", rules.KINDS)
def test_every_kind_begins_as_something(kind: str) -> None:
    assert rules.first_statuses(kind)[0] in (S.STARTED, S.SCHEDULED)


def test_a_status_that_is_none_is_refused_with_those_there_are() -> None:
    with pytest.raises(Invalid) as caught:
        rules.read_status("burning")
    assert "mitigated" in caught.value.hint
