"""Every request captured from a real sender is read whole, by both ways of reading."""

from datetime import UTC, datetime
from typing import Any

import pytest

from nightbell.core.labels import clean, fingerprint
from nightbell.core.signal import State
from nightbell.sources import alertmanager, prometheus, reading

NOW = datetime(2026, 11, 23, 3, 0, tzinfo=UTC)


def listed(body: Any) -> list[dict[str, Any]]:
    return body["alerts"] if isinstance(body, dict) else body or []


def test_every_captured_alert_becomes_a_signal(capture):
    alerts = listed(capture["body"])
    envelope = alertmanager.decode(capture["bytes"])
    assert not envelope.quarantined
    assert bool(envelope.ignored) == (not alerts)
    assert [s.place for s in envelope.signals] == [f"alerts[{i}]" for i in range(len(alerts))]
    for signal, alert in zip(envelope.signals, alerts, strict=True):
        assert signal.state == alert.get("status", "firing")
        assert signal.labels == {clean(k): clean(v) for k, v in alert["labels"].items()}
        assert signal.annotations == {clean(k): clean(v) for k, v in alert.get("annotations", {}).items()}
        assert signal.generator_url == alert["generatorURL"]
        assert signal.starts_at == reading.instant(alert["startsAt"]) is not None
        assert (signal.ends_at is None) == (signal.state is State.FIRING)
        assert signal.expires_at is None


def test_fingerprints_sent_equal_those_computed(capture):
    for alert in listed(capture["body"]):
        if "fingerprint" in alert:
            assert fingerprint(alert["labels"]) == alert["fingerprint"]
    for signal, alert in zip(
        alertmanager.decode(capture["bytes"]).signals, listed(capture["body"]), strict=True
    ):
        assert signal.fingerprint == alert.get("fingerprint", fingerprint(alert["labels"]))


def test_the_envelope_is_what_was_sent(capture):
    body = capture["body"]
    if not isinstance(body, dict) or "groupKey" not in body:
        pytest.skip("not Alertmanager's own shape")
    envelope = alertmanager.decode(capture["bytes"])
    assert envelope.group_key == clean(body["groupKey"])
    assert envelope.status == body["status"]
    assert envelope.truncated == body["truncatedAlerts"]
    assert envelope.external_url == body["externalURL"]
    assert envelope.group_labels == reading.texts(body["groupLabels"])
    assert envelope.common_labels == reading.texts(body["commonLabels"])
    assert envelope.common_annotations == reading.texts(body["commonAnnotations"])
    assert (envelope.declared_status, envelope.rootly, envelope.warnings) == (None, None, ())


def test_the_typed_way_and_the_patient_way_agree(capture):
    body = capture["bytes"]
    typed = alertmanager._typed(body)
    genuine = isinstance(capture["body"], dict) and "groupKey" in capture["body"]
    assert (typed is not None) == (genuine and b"\\u0000" not in body)
    if typed is not None:
        assert typed == alertmanager.read(reading.parse(body))


def test_a_partly_resolved_group_is_both(captured):
    envelope = alertmanager.decode(captured("mixed_firing_resolved.am033"))
    assert sorted(s.state for s in envelope.signals) == ["firing", "firing", "resolved", "resolved"]
    assert envelope.status == "firing" and not envelope.closes_group


def test_a_wholly_resolved_group_closes_unless_cut(captured):
    assert alertmanager.decode(captured("all_resolved_group.am033")).closes_group
    cut = alertmanager.decode(captured("truncated_max_alerts3.am033"))
    assert cut.truncated == 7 and not cut.closes_group


def test_a_nanosecond_start_is_kept_to_the_microsecond(captured):
    (signal,) = alertmanager.decode(captured("single_firing.am033")).signals
    assert signal.starts_at is not None and signal.starts_at.tzinfo is UTC


def test_a_custom_payload_names_no_group_and_still_has_one(captured):
    envelope = alertmanager.decode(captured("custom_payload.am033"))
    assert envelope.group_key and envelope.truncated is None and not envelope.closes_group
    assert [s.labels["alertname"] for s in envelope.signals] == ["Retry"]
    assert envelope.common_labels["alertname"] == "Retry"


def test_prometheus_webhook_list_is_read_as_the_alerts(captured):
    envelope = alertmanager.decode(captured("prometheus_direct_post_firing.prom353"))
    assert len(envelope.signals) == 4
    assert "/api/v2/alerts" in envelope.warnings[0]


def test_prometheus_firing_until_the_end_it_announces(captured):
    body = captured("prometheus_direct_post_firing.prom353")
    envelope = prometheus.decode_push(body, datetime(2026, 11, 23, 2, 44, 10, tzinfo=UTC))
    assert [s.labels["alertname"] for s in envelope.signals] == ["Watchdog", "Flappy", "Pending", "Many"]
    for signal in envelope.signals:
        assert signal.state is State.FIRING and signal.ends_at is None
        assert signal.expires_at == datetime(2026, 11, 23, 2, 44, 31, 137000, tzinfo=UTC)


def test_prometheus_resolved_when_the_end_has_passed(captured):
    body = captured("prometheus_direct_post_resolved.prom353")
    resolved = [s for s in prometheus.decode_push(body, NOW).signals if s.state is State.RESOLVED]
    assert resolved and all(s.ends_at and s.ends_at <= NOW and s.expires_at is None for s in resolved)
