"""Hand-made notifications, for what no capture shows; what a real Alertmanager says comes from the captures."""

import json
from datetime import datetime
from typing import Any

Json = dict[str, Any]
UNSET = "0001-01-01T00:00:00Z"


def alert(labels: Json | None = None, **changes: Any) -> Json:
    """Return one firing alert, with some of its fields changed; None leaves a field out."""
    made = {
        "status": "firing",
        "labels": {"alertname": "HandMade", "instance": "host-1"} if labels is None else labels,
        "annotations": {},
        "startsAt": "2026-11-23T02:00:00.123Z",
        "endsAt": UNSET,
        "generatorURL": "http://prometheus.example/graph",
        **changes,
    }
    return {name: value for name, value in made.items() if value is not None}


def notification(*alerts: Json, **changes: Any) -> Json:
    """Return a notification of these alerts, the labels and annotations of the first taken for common."""
    first = alerts[0] if alerts else {}
    made = {
        "receiver": "nightbell",
        "status": "firing" if any(one.get("status") == "firing" for one in alerts) else "resolved",
        "alerts": list(alerts),
        "groupLabels": {},
        "commonLabels": first.get("labels", {}) if len(alerts) == 1 else {},
        "commonAnnotations": first.get("annotations", {}) if len(alerts) == 1 else {},
        "externalURL": "http://alertmanager.example",
        "version": "4",
        "groupKey": "{}:{}",
        "truncatedAlerts": 0,
        **changes,
    }
    return {name: value for name, value in made.items() if value is not None}


def firing(
    *,
    labels: Json | None = None,
    annotations: Json | None = None,
    common: Json | None = None,
    common_annotations: Json | None = None,
    **changes: Any,
) -> Json:
    """Return a notification of one firing alert."""
    one = alert(labels, annotations=annotations or {})
    shared = {} if common is None else {"commonLabels": common}
    told = {} if common_annotations is None else {"commonAnnotations": common_annotations}
    return notification(one, **shared, **told, **changes)


def over(document: Json, *, at: str = "2026-11-23T02:30:00Z") -> Json:
    """Return a notification that says the same alerts are over."""
    ended = [one | {"status": "resolved", "endsAt": at} for one in document["alerts"]]
    return document | {"status": "resolved", "alerts": ended}


def rootly(value: Any) -> dict[str, str]:
    """Return the annotation `rootly`: JSON in a text."""
    return {"rootly": value if isinstance(value, str) else json.dumps(value)}


def target(kind: str, thing: Json) -> dict[str, str]:
    """Return a target as people write it into a rule."""
    return {"type": kind, "id": thing["id"]}


def paging(kind: str, thing: Json) -> dict[str, str]:
    """Return the annotation that pages one target."""
    return rootly({"notification_target": target(kind, thing)})


def moment(text: str) -> datetime:
    """Return a time of the wire."""
    return datetime.fromisoformat(text)
