"""Builds requests as Alertmanager sends them: version 4, twelve labels an alert, one group per request.

Rule 1: whatever tells two requests apart is drawn from the request's number, so that a run can be repeated and counted.
"""

from dataclasses import dataclass

_ALERTNAMES = (
    "KubePodCrashLooping", "KubePodNotReady", "HighErrorRate", "HighRequestLatency", "NodeFilesystemAlmostFull",
    "NodeMemoryHigh", "TargetDown", "CertificateExpiresSoon", "QueueBacklogGrowing", "ReplicationLagHigh",
)  # fmt: skip
_SEVERITIES = ("critical", "warning", "info")
_TEAMS = ("payments", "search", "platform", "storefront", "data", "identity", "edge")

#: What one alert takes from its numbers: name, container, pod, host, pod, service, severity, team, pod, fingerprint…
_ALERT = (
    '{"status":"firing","labels":{"alertname":"%(name)s","cluster":"eu-central-1a","container":"%(service)s",'
    '"environment":"production","instance":"10.24.%(high)d.%(low)d:9102","job":"kube-state-metrics",'
    '"namespace":"%(namespace)s","node":"node-%(node)03d.eu.example.com","pod":"%(service)s-7d9f8c6b5-%(pod)08x",'
    '"service":"%(service)s","severity":"%(severity)s","team":"%(team)s"},'
    '"annotations":{"description":"Pod %(namespace)s/%(service)s-7d9f8c6b5-%(pod)08x on node-%(node)03d has been '
    'in this state for more than 15 minutes and is not recovering by itself.",'
    '"runbook_url":"https://runbooks.example.com/%(name)s","summary":"%(name)s in %(namespace)s"},'
    '"startsAt":"2026-11-23T04:10:27.513Z","endsAt":"0001-01-01T00:00:00Z",'
    '"generatorURL":"http://prometheus.eu.example.com:9090/graph?g0.expr=rate%%28kube_pod_restarts_total%%5B5m%%5D%%29'
    '+%%3E+0&g0.tab=1","fingerprint":"%(fingerprint)016x"}'
)
_WEBHOOK = (
    '{"receiver":"nightbell","status":"firing","alerts":[%(alerts)s],'
    '"groupLabels":{"alertname":"%(name)s","namespace":"%(namespace)s"},'
    '"commonLabels":{"alertname":"%(name)s","cluster":"eu-central-1a","container":"%(service)s",'
    '"environment":"production","job":"kube-state-metrics","namespace":"%(namespace)s","service":"%(service)s",'
    '"severity":"%(severity)s","team":"%(team)s"},'
    '"commonAnnotations":{"runbook_url":"https://runbooks.example.com/%(name)s",'
    '"summary":"%(name)s in %(namespace)s"},"externalURL":"http://alertmanager.eu.example.com:9093","version":"4",'
    '"groupKey":"{}/{team=\\"%(team)s\\"}:{alertname=\\"%(name)s\\", namespace=\\"%(namespace)s\\"}",'
    '"truncatedAlerts":0}\n'
)
# Odd, so that multiplying by it permutes the numbers of 64 bits: fingerprints look random and never repeat.
_SPREAD = 0x9E3779B97F4A7C15
_64_BITS = 0xFFFFFFFFFFFFFFFF


@dataclass(frozen=True, slots=True)
class Series:
    """Requests of one size; `salt` keeps the alerts of two runs apart."""

    per_webhook: int
    salt: int = 0

    def body(self, number: int) -> bytes:
        """Return the request of this number, about 850 bytes an alert."""
        shared = {
            "name": _ALERTNAMES[number % len(_ALERTNAMES)],
            "namespace": f"ns-{self.salt:x}-{number}",
            "service": f"svc-{number % 173}",
            "severity": _SEVERITIES[number % len(_SEVERITIES)],
            "team": _TEAMS[number % len(_TEAMS)],
        }
        first = number * self.per_webhook
        alerts = ",".join([self._alert(first + i, shared) for i in range(self.per_webhook)])
        return (_WEBHOOK % {**shared, "alerts": alerts}).encode()

    def _alert(self, number: int, shared: dict[str, str]) -> str:
        return _ALERT % {
            **shared,
            "high": number >> 8 & 255,
            "low": number & 255,
            "node": number % 400,
            "pod": number & 0xFFFFFFFF,
            "fingerprint": ((self.salt << 40 | number) * _SPREAD) & _64_BITS,
        }


def number_in(namespace: str) -> int:
    """Return the number of the request that a namespace came from."""
    return int(namespace.rsplit("-", 1)[1])
