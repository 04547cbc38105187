"""Builds what Alertmanager would send: a Group remembers what fires and says it the way Alertmanager does.

A notification lists everything that fires and what resolved since the last one; it is "resolved" when nothing fires.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from msgspec import json

from nightbell.core.labels import common, fingerprint

_UNSET = "0001-01-01T00:00:00Z"


def alert(
    labels: Mapping[str, str],
    *,
    starts: datetime,
    ends: datetime | None = None,
    annotations: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """Return one alert of a webhook; it is resolved when it has an end."""
    return {
        "status": "resolved" if ends else "firing",
        "labels": dict(labels),
        "annotations": dict(annotations or {}),
        "startsAt": starts.isoformat(),
        "endsAt": ends.isoformat() if ends else _UNSET,
        "generatorURL": "http://prometheus.example:9090/graph?g0.expr=up",
        "fingerprint": fingerprint(labels),
    }


def webhook(
    alerts: list[dict[str, Any]],
    *,
    group_labels: Mapping[str, str],
    receiver: str = "nightbell",
    truncated: int = 0,
    **more: Any,
) -> dict[str, Any]:
    """Return the document of one notification; `more` is added at the top."""
    firing = any(one["status"] == "firing" for one in alerts)
    shown = ", ".join(f'{name}="{value}"' for name, value in sorted(group_labels.items()))
    return {
        "receiver": receiver,
        "status": "firing" if firing else "resolved",
        "alerts": alerts,
        "groupLabels": dict(group_labels),
        "commonLabels": common([one["labels"] for one in alerts]),
        "commonAnnotations": common([one["annotations"] for one in alerts]),
        "externalURL": "http://alertmanager.example:9093",
        "version": "4",
        "groupKey": "{}:{" + shown + "}",
        "truncatedAlerts": truncated,
        **more,
    }


def body(document: Mapping[str, Any]) -> bytes:
    """Return a document as the bytes a sender posts."""
    return json.encode(document)


class Group:
    """One group of an Alertmanager: an alert name on several hosts."""

    def __init__(
        self,
        alertname: str,
        *,
        receiver: str = "nightbell",
        labels: Mapping[str, str] | None = None,
        annotations: Mapping[str, str] | None = None,
        group_labels: Mapping[str, str] | None = None,
    ) -> None:
        self.alertname = alertname
        self.annotations = dict(annotations or {})
        self._receiver = receiver
        self._labels = {"alertname": alertname, **(labels or {})}
        self._group_labels = dict(group_labels or {"alertname": alertname})
        #: Since when each host fires.
        self.firing: dict[str, datetime] = {}
        self._over: dict[str, tuple[datetime, datetime]] = {}

    def fires(self, *hosts: str, at: datetime) -> None:
        """Let hosts fire; one that does already goes on."""
        for host in hosts:
            self.firing.setdefault(host, at)

    def ends(self, *hosts: str, at: datetime) -> None:
        """Let hosts be over, all of them when none is named."""
        for host in hosts or tuple(self.firing):
            self._over[host] = (self.firing.pop(host), at)

    def document(self, **more: Any) -> dict[str, Any]:
        """Return the next notification of the group."""
        over = [
            alert(self._of(host), starts=starts, ends=ends, annotations=self.annotations)
            for host, (starts, ends) in self._over.items()
        ]
        firing = [
            alert(self._of(host), starts=starts, annotations=self.annotations)
            for host, starts in self.firing.items()
        ]
        self._over.clear()
        return webhook([*firing, *over], group_labels=self._group_labels, receiver=self._receiver, **more)

    def _of(self, host: str) -> dict[str, str]:
        return {**self._labels, "instance": host}
