"""Which events webhooks tell, and when a delivery is tried again."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from nightbell.core.webhook import (
    EVENT_TYPES,
    LONGEST_WAIT,
    PATIENCE,
    WAITS,
    Answered,
    events,
    following,
    kinds,
)

NOW = datetime(2026, 11, 23, 2, 0, 5, tzinfo=UTC)
IDENT = UUID("01890000-0000-7000-8000-000000000001")


@pytest.mark.parametrize(
    ("kind", "data", "incident_kind", "told"),
    [
        ("alert_created", {}, "", "alert.created"),
        ("alert_status_updated", {"status": "resolved"}, "", None),
        ("incident_created", {}, "normal", "incident.created"),
        ("incident_updated", {}, "normal", "incident.updated"),
        ("status_updated", {"status": "mitigated"}, "normal", "incident.mitigated"),
        ("status_updated", {"status": "resolved"}, "normal", "incident.resolved"),
        ("status_updated", {"status": "started"}, "normal", None),
        ("status_updated", {}, "normal", None),
        ("status_updated", {"status": "resolved", "previous": "resolved"}, "normal", None),
        ("incident_in_triage", {"status": "in_triage"}, "normal", "incident.in_triage"),
        ("status_updated", {"status": "in_triage", "previous": "started"}, "normal", None),
        ("incident_created", {}, "scheduled", "incident.scheduled.created"),
        ("status_updated", {"status": "in_progress"}, "scheduled", "incident.scheduled.in_progress"),
        ("status_updated", {"status": "cancelled"}, "scheduled", None),
        ("workflow_run_failed", {}, "", "genius_workflow_run.failed"),
        ("workflow_run_failed", {}, "scheduled", "genius_workflow_run.failed"),
        ("title_updated", {}, "normal", None),
    ],
)
def test_a_happening_is_one_event_or_none(kind, data, incident_kind, told):
    assert events(kind, data, incident_kind) == ((told,) if told else ())
    assert told is None or told in EVENT_TYPES


@pytest.mark.parametrize(
    ("changed", "written", "told"),
    [
        (["retrospective"], "active", "updated"),
        (["retrospective", "retrospective_status"], "active", "created"),
        (["retrospective_status"], "completed", "published"),
        (["retrospective_status"], "not_started", "updated"),
        (["title"], "active", None),
    ],
)
def test_a_retrospective_is_an_event_beside_the_change_of_its_incident(changed, written, told):
    also = (f"incident_post_mortem.{told}",) if told else ()
    assert events("incident_updated", {"changed": changed}, "normal", written=written) == (
        "incident.updated",
        *also,
    )


def test_whoever_asks_for_an_event_listens_to_what_makes_it():
    assert kinds(["alert.created"]) == {"alert_created"}
    assert kinds(["incident.mitigated"]) == {"status_updated"}
    assert kinds(["incident.scheduled.created", "incident.scheduled.completed"]) == {
        "incident_created",
        "status_updated",
    }
    assert kinds(["audit_log.created", "pulse.created"]) == set()


def test_every_event_but_those_of_no_happening_has_a_kind():
    without = {name for name in EVENT_TYPES if not kinds([name])}
    assert without == {"audit_log.created", "pulse.created"}


def next_of(answered, *, attempt=1, until=NOW + PATIENCE):
    return following(answered, attempt=attempt, ident=IDENT, until=until, now=NOW)


@pytest.mark.parametrize("status", [200, 201, 204, 299])
def test_what_was_taken_is_delivered(status):
    assert next_of(Answered(status=status)).state == "delivered"


@pytest.mark.parametrize("status", [None, 301, 400, 404, 410, 429, 500, 503])
def test_everything_else_is_tried_again(status):
    tried = next_of(Answered(status=status))
    assert tried.state == "waiting"
    assert timedelta(seconds=3) < tried.send_at - NOW < timedelta(seconds=7)


def test_patience_grows_and_stays():
    waits = [next_of(Answered(status=500), attempt=n).send_at - NOW for n in range(1, 12)]
    assert waits == sorted(waits)
    assert waits[-1] == waits[len(WAITS) - 1]


def test_a_receiver_says_when_but_not_never():
    assert next_of(Answered(status=429, after=timedelta(minutes=7))).send_at == NOW + timedelta(minutes=7)
    assert next_of(Answered(status=429, after=timedelta(days=9))).send_at == NOW + LONGEST_WAIT


def test_what_would_be_tried_too_late_has_failed():
    assert next_of(Answered(status=500), until=NOW + timedelta(seconds=1)).state == "failed"
