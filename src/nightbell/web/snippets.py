"""Writes what an SRE copies: the receiver for alertmanager.yml, the annotation for a rule, a request to try it.

The texts are YAML by construction: every value that people name goes through JSON, which YAML reads as it is.
"""

import json
from urllib.parse import quote

from msgspec import Struct

WEBHOOK = "/webhooks/incoming/alertmanager_webhooks"


class Snippets(Struct, frozen=True, kw_only=True):
    """Everything there is to copy, for one source and one target."""

    url: str
    alertmanager: str
    rule: str
    curl: str


def webhook_url(base_url: str, target: str = "") -> str:
    """Return where Alertmanager posts; a target "Group/<id>" says whom its alerts are for."""
    if not target:
        return base_url + WEBHOOK
    kind, _, ident = target.partition("/")
    return f"{base_url}{WEBHOOK}/notify/{quote(kind)}/{quote(ident, safe='')}"


def snippets(base_url: str, secret: str, target: str = "", *, name: str = "nightbell") -> Snippets:
    """Return the texts; `secret` may be a mask where the reader may not see it."""
    url = webhook_url(base_url, target)
    return Snippets(
        url=url,
        alertmanager=_alertmanager(url, secret, name),
        rule=_rule(target),
        curl=_curl(url, secret),
    )


def _alertmanager(url: str, secret: str, name: str) -> str:
    return f"""route:
  receiver: {name}
  group_by: [alertname, cluster, namespace]
  group_wait: 10s
  group_interval: 1m
  repeat_interval: 4h

receivers:
  - name: {name}
    webhook_configs:
      - url: {json.dumps(url, ensure_ascii=False)}
        send_resolved: true
        max_alerts: 0
        http_config:
          authorization:
            type: Bearer
            credentials: {json.dumps(secret, ensure_ascii=False)}
"""


def _rule(target: str) -> str:
    kind, _, ident = target.partition("/")
    named = {"notification_target": {"type": kind or "EscalationPolicy", "id": ident or "<id>"}}
    return f"""groups:
  - name: example
    rules:
      - alert: HighErrorRate
        expr: sum(rate(http_requests_total{{code=~"5.."}}[5m])) > 10
        for: 2m
        labels:
          severity: critical
        annotations:
          summary: "Too many 5xx"
          runbook_url: "https://runbooks.example.org/high-error-rate"
          # Optional: whom this rule pages. It wins over the receiver's URL.
          rootly: {json.dumps(json.dumps(named, separators=(",", ":")))}
"""


def _curl(url: str, secret: str) -> str:
    body = {
        "version": "4",
        "groupKey": '{}:{alertname="NightbellTest"}',
        "truncatedAlerts": 0,
        "status": "firing",
        "receiver": "nightbell",
        "groupLabels": {"alertname": "NightbellTest"},
        "commonLabels": {"alertname": "NightbellTest", "severity": "info"},
        "commonAnnotations": {"summary": "A test from the Configure page"},
        "externalURL": "",
        "alerts": [
            {
                "status": "firing",
                "labels": {"alertname": "NightbellTest", "severity": "info"},
                "annotations": {"summary": "A test from the Configure page"},
                "startsAt": "2026-01-01T00:00:00Z",
                "endsAt": "0001-01-01T00:00:00Z",
                "generatorURL": "",
                "fingerprint": "a1b2c3d4e5f60718",
            }
        ],
    }
    return (
        f"curl -i {_shell(url)} \\\n"
        f"  -H {_shell('Authorization: Bearer ' + secret)} \\\n"
        f"  -H 'Content-Type: application/json' \\\n"
        f"  -d {_shell(json.dumps(body))}\n"
    )


def _shell(text: str) -> str:
    return "'" + text.replace("'", "'\\''") + "'"


class HeartbeatSnippets(Struct, frozen=True, kw_only=True):
    """What makes a heartbeat beat: a command, an address, a rule that always fires."""

    curl: str
    url: str
    rule: str


def heartbeat_snippets(base_url: str, ident: str, secret: str) -> HeartbeatSnippets:
    """Return the texts; `secret` may be a mask where the reader may not see it."""
    url = f"{base_url}/v1/heartbeats/{ident}/ping"
    named = json.dumps(json.dumps({"heartbeat": ident}, separators=(",", ":")))
    return HeartbeatSnippets(
        curl=f"curl -fsS -m 10 --retry 5 -X POST {_shell(url)} \\\n  -H {_shell('Authorization: Bearer ' + secret)}\n",
        url=f"{url}?secret={secret}",
        rule=f"""groups:
  - name: watchdog
    rules:
      - alert: Watchdog
        expr: vector(1)
        labels:
          severity: none
        annotations:
          rootly: {named}
""",
    )
