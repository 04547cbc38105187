"""Reads what Prometheus posts to an Alertmanager (`POST /api/v2/alerts`): alerts without status or fingerprint.

Such a sender never says "resolved": an alert is over when its `endsAt` has passed without being sent again.
"""

from datetime import datetime, timedelta
from typing import Any

from nightbell.core.labels import common, fingerprint
from nightbell.core.signal import Envelope, Quarantined, Signal, State
from nightbell.sources.reading import (
    MAX_WARNINGS,
    distinct,
    kind,
    label_set,
    parse,
    text,
    texts,
    time_in,
    too_deep,
)

#: Alertmanager's own resolve_timeout, for who sends no end (amtool, scripts).
RESOLVE_TIMEOUT = timedelta(minutes=5)
#: There are no notification groups here; one key for all leaves grouping to the alertname.
GROUP_KEY = "prometheus"


def decode_push(body: bytes, now: datetime) -> Envelope:
    """Return what the request says, as of `now`.

    Raises: BadPayload when the bytes are not JSON.
    Source: Alertmanager's API v2; vmalert and rulers post the same.
    """
    try:
        return read(parse(body), now)
    except RecursionError as error:
        raise too_deep() from error


def read(payload: Any, now: datetime) -> Envelope:
    """Return what a JSON value says as of `now`, whatever it is."""
    warnings: list[str] = []
    alerts = payload if isinstance(payload, list) else []
    read = [_member(a, f"[{i}]", now, warnings) for i, a in enumerate(alerts)]
    signals = distinct((s for s in read if isinstance(s, Signal)), warnings)
    return Envelope(
        receiver="",
        group_key=GROUP_KEY,
        group_labels={},
        common_labels=common(s.labels for s in signals),
        common_annotations=common(s.annotations for s in signals),
        external_url="",
        status="",
        truncated=None,
        declared_status=None,
        rootly=None,
        signals=signals,
        quarantined=tuple(q for q in read if isinstance(q, Quarantined)),
        warnings=tuple(warnings[:MAX_WARNINGS]),
        ignored=_why_ignored(payload),
    )


def _why_ignored(payload: Any) -> str:
    if isinstance(payload, dict) and "alerts" in payload:
        return "this is Alertmanager's webhook; it belongs at /webhooks/incoming/alertmanager_webhooks"
    if not isinstance(payload, list):
        return f"the body is {kind(payload)}, not a list of alerts"
    return "" if payload else "the list of alerts is empty"


def _member(alert: Any, place: str, now: datetime, warnings: list[str]) -> Signal | Quarantined:
    labels = label_set(alert, place)
    if isinstance(labels, Quarantined):
        return labels
    ends = time_in(alert, "endsAt", place, warnings)
    over = ends is not None and ends <= now
    return Signal(
        fingerprint=fingerprint(labels),
        state=State.RESOLVED if over else State.FIRING,
        labels=texts(labels),
        annotations=texts(alert.get("annotations")),
        starts_at=_start(time_in(alert, "startsAt", place, warnings), ends if over else None, now),
        ends_at=ends if over else None,
        generator_url=text(alert.get("generatorURL")),
        place=place,
        expires_at=None if over else ends or now + RESOLVE_TIMEOUT,
    )


def _start(sent: datetime | None, ended: datetime | None, now: datetime) -> datetime:
    # No alert begins after it ended, whether the sender says so or says nothing.
    return min(sent or now, ended or sent or now)
