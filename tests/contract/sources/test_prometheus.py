"""What is made of alerts pushed to /api/v2/alerts, where only the end says whether one still fires."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from nightbell.core.errors import BadPayload
from nightbell.core.labels import fingerprint
from nightbell.core.signal import State
from nightbell.sources.prometheus import RESOLVE_TIMEOUT, decode_push

NOW = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)
ZERO = "0001-01-01T00:00:00.000Z"
MINUTE = timedelta(minutes=1)


def push(*alerts: Any):
    return decode_push(json.dumps(alerts).encode(), NOW)


def only(**alert: Any):
    (signal,) = push({"labels": {"alertname": "X"}} | alert).signals
    return signal


@pytest.mark.parametrize(
    "unset", [{}, {"endsAt": ZERO}, {"endsAt": None}, {"endsAt": ""}, {"endsAt": "soon"}]
)
def test_without_an_end_an_alert_fires_for_the_resolve_timeout(unset):
    signal = only(**unset)
    assert (signal.state, signal.ends_at) == (State.FIRING, None)
    assert signal.expires_at == NOW + RESOLVE_TIMEOUT


def test_with_an_end_to_come_it_fires_until_then():
    signal = only(endsAt=(NOW + MINUTE).isoformat())
    assert (signal.state, signal.ends_at, signal.expires_at) == (State.FIRING, None, NOW + MINUTE)


@pytest.mark.parametrize("ends", [NOW, NOW - MINUTE])
def test_with_an_end_that_has_come_it_is_resolved(ends):
    signal = only(endsAt=ends.isoformat(), startsAt=(NOW - 9 * MINUTE).isoformat())
    assert (signal.state, signal.ends_at, signal.expires_at) == (State.RESOLVED, ends, None)
    assert signal.starts_at == NOW - 9 * MINUTE


@pytest.mark.parametrize("starts", [{}, {"startsAt": ZERO}, {"startsAt": "x"}])
def test_without_a_start_it_starts_now_and_never_after_its_end(starts):
    assert only(**starts).starts_at == NOW
    assert only(endsAt=(NOW - MINUTE).isoformat(), **starts).starts_at == NOW - MINUTE


def test_it_has_alertmanagers_fingerprint_without_empty_labels():
    assert (
        only(labels={"foo": "bar", "none": ""}).fingerprint
        == fingerprint({"foo": "bar"})
        == "3fff2c2d7595e046"
    )


def test_a_bad_alert_is_set_aside_and_its_siblings_go_on():
    envelope = push({"labels": {"a": "1"}}, {"labels": None}, 7, {"labels": {"a": "2"}})
    assert [s.place for s in envelope.signals] == ["[0]", "[3]"]
    assert [q.place for q in envelope.quarantined] == ["[1].labels", "[2]"]


def test_there_is_one_group_and_no_count_of_what_was_cut():
    envelope = push({"labels": {"alertname": "X", "i": "1"}}, {"labels": {"alertname": "X", "i": "2"}})
    assert (envelope.receiver, envelope.group_key, envelope.truncated) == ("", "prometheus", None)
    assert envelope.common_labels == {"alertname": "X"}
    assert not envelope.closes_group and not envelope.ignored


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        ([], "the list of alerts is empty"),
        (None, "the body is null, not a list of alerts"),
        ({"labels": {}}, "the body is an object, not a list of alerts"),
        (
            {"alerts": []},
            "this is Alertmanager's webhook; it belongs at /webhooks/incoming/alertmanager_webhooks",
        ),
    ],
)
def test_json_that_is_no_list_is_ignored_and_says_why(payload, reason):
    envelope = decode_push(json.dumps(payload).encode(), NOW)
    assert envelope.ignored == reason and envelope.signals == ()


@pytest.mark.parametrize("body", [b"", b"{", b"[NaN]", b"[" * 100_000])
def test_what_is_not_json_is_refused(body):
    with pytest.raises(BadPayload):
        decode_push(body, NOW)
