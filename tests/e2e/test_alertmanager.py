"""The whole line with real parts: Prometheus evaluates, Alertmanager notifies, a mail arrives, a person answers.

Two generations of both programs: this Debian's own, and those of a later suite that scripts/newer-alertmanager
unpacked. The configuration is the integration page's own, only host, secret and intervals changed.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import TypeVar

import httpx
import pytest

from conftest import require_real
from support.bodies import moment, target
from support.household import PUSH, WEBHOOK, House, Json, Sender
from support.ports import LOOPBACK
from support.programs import Alertmanager, Program, Prometheus, eventually, installed, unpacked

pytestmark = [pytest.mark.real, pytest.mark.timeout(120)]

P = TypeVar("P", bound=Program)

#: One step of Prometheus and Alertmanager; the whole line takes about a dozen. Units: as Prometheus writes them.
STEP = "1s"


@dataclass(frozen=True)
class Generation:
    """A Prometheus and an Alertmanager that belong together."""

    name: str
    prometheus: Path
    alertmanager: Path


@pytest.fixture(scope="module", params=["installed", "newer"])
def generation(request: pytest.FixtureRequest) -> Generation:
    """This Debian's own programs, and those of a later suite."""
    if request.param == "installed":
        prometheus = installed("prometheus")
        alertmanager = installed("prometheus-alertmanager", "alertmanager")
    else:
        prometheus, alertmanager = unpacked("prometheus"), unpacked("prometheus-alertmanager")
    if prometheus is None or alertmanager is None:
        require_real(f"an {request.param} Prometheus or Alertmanager")
    assert prometheus is not None
    assert alertmanager is not None
    return Generation(request.param, prometheus, alertmanager)


def rules_of(*, alertname: str, annotations: Json) -> str:
    """Return the page's rule file (1.3 c); JSON is YAML."""
    rule = {
        "alert": alertname,
        "expr": "vector(1)",
        "labels": {
            "event": "Heartbeat",
            "instance": "prometheus",
            "monitor": "prometheus",
            "severity": "major",
            "timeout": "120",
        },
        "annotations": {
            "summary": "Heartbeat from prometheus",
            "description": "Heartbeat from from prometheus",
            **annotations,
        },
    }
    return json.dumps({"groups": [{"name": "heartbeat", "interval": STEP, "rules": [rule]}]})


#: The page's route, verbatim; the child routes by the alert's name.
ROUTE = """
route:
  receiver: default
  group_by: [job]
  group_wait: {step}
  group_interval: {step}
  routes:
  - receiver: rootly
    match: {{alertname: {alertname}}}
    repeat_interval: 1m
receivers:
- name: default
- name: rootly
  webhook_configs:
  - url: '{url}'
    send_resolved: true
    http_config:
      authorization:
        type: Bearer
        credentials: {secret}
"""


class Line:
    """A Prometheus and an Alertmanager that lead to a source."""

    def __init__(self, folder: Path, generation: Generation, source: Sender) -> None:
        self.folder = folder
        self.generation = generation
        self.source = source
        self.house = source.house
        self._running: list[Program] = []

    def alertmanager(self, *, alertname: str, suffix: str = "") -> Alertmanager:
        """Start an Alertmanager with the page's configuration."""
        url = f"{self.house.program.url}{WEBHOOK}{suffix}"
        config = ROUTE.format(step=STEP, alertname=alertname, url=url, secret=self.source.secret)
        return self._started(Alertmanager(self.generation.alertmanager, self.folder / "am", config))

    def prometheus(self, *, rules: str, alerting: Json) -> Prometheus:
        """Start a Prometheus with one rule file that sends its alerts there."""
        config = {
            "global": {"evaluation_interval": STEP, "scrape_interval": STEP},
            "rule_files": ["rules.yml"],
            "alerting": {"alertmanagers": [alerting]},
        }
        made = Prometheus(
            self.generation.prometheus, self.folder / "prom", config=json.dumps(config), rules=rules
        )
        return self._started(made)

    def _started(self, program: P) -> P:
        self._running.append(program)
        program.start()
        return program

    def stop(self) -> None:
        """Stop all of it, the last first."""
        for program in reversed(self._running):
            program.stop()


@pytest.fixture
def line(generation: Generation, house: House, tmp_path: Path) -> Iterator[Line]:
    """A line that leads to a source of its own."""
    made = Line(tmp_path, generation, house.source())
    yield made
    made.stop()


def quiet(prometheus: Prometheus) -> None:
    """Let the rule be false from now on: its alert ends, as when the trouble is over."""
    rules = prometheus.rules.read_text(encoding="utf-8").replace("vector(1)", "vector(1) == 0")
    prometheus.rules.write_text(rules, encoding="utf-8")
    httpx.post(f"{prometheus.url}/-/reload", timeout=10).raise_for_status()


def alert_of(source: Sender, status: str, *, within: float = 20) -> Json:
    """Return the source's only alert once it has this status."""

    def look() -> Json:
        found = source.alert()
        assert found["status"] == status, found["status"]
        return found

    return eventually(look, within=within, what=f"an alert that is {status}")


def acknowledge_by_link(mail_text: str) -> None:
    """Do what a person does with the mail: open the link, which changes nothing, and press the button."""
    link = next(iter(re.findall(r"https?://\S+/acknowledge", mail_text)))
    page = httpx.get(link)
    assert page.status_code == 200
    pressed = httpx.post(link)
    assert pressed.status_code == 200, pressed.text[:500]


def settled(alertmanager: Alertmanager) -> None:
    """Check that Alertmanager sent, and that nothing it sent failed."""
    assert alertmanager.metric("alertmanager_notifications_total") >= 1
    assert alertmanager.metric("alertmanager_notifications_failed_total") == 0
    assert alertmanager.metric("alertmanager_notification_requests_failed_total") == 0


def test_a_rule_fires_a_page_is_acknowledged_by_its_link_and_the_end_is_prometheus_own(line: Line):
    """C8: example (c), the rule's own annotation."""
    house, source = line.house, line.source
    wanted = json.dumps({"notification_target": target("User", house.ana)})
    alertmanager = line.alertmanager(alertname="Heartbeat")
    prometheus = line.prometheus(
        rules=rules_of(alertname="Heartbeat", annotations={"rootly": wanted}), alerting=_to(alertmanager.port)
    )
    fired = alert_of(source, "triggered")
    assert fired["summary"] == "Heartbeat"
    assert fired["description"] == "Heartbeat from from prometheus"
    mail = house.mailed(fired, house.ana)[0]
    acknowledge_by_link(mail.text)
    taken = source.alert()
    assert (taken["status"], house.paged(taken)) == ("acknowledged", ["Ana"])
    quiet(prometheus)
    ended = alert_of(source, "resolved")
    sent = json.loads(source.delivery()["body"])
    assert [one["status"] for one in sent["alerts"]] == ["resolved"]
    latest = datetime.fromisoformat(sent["alerts"][0]["endsAt"])
    assert abs(moment(ended["ended_at"]) - latest) < timedelta(milliseconds=1)
    assert abs(moment(ended["started_at"]) - moment(fired["started_at"])) < timedelta(milliseconds=1)
    settled(alertmanager)
    assert {one["outcome"] for one in source.deliveries()} == {"accepted"}
    assert source.deliveries()[0]["user_agent"].startswith("Alertmanager/")


def test_the_receiver_url_of_the_page_pages(line: Line):
    """C8: example (b), `/notify/User/<id>`; the resolve reaches who was paged and did not answer."""
    house, source = line.house, line.source
    alertmanager = line.alertmanager(alertname="Rootly", suffix=f"/notify/User/{house.ana['id']}")
    prometheus = line.prometheus(
        rules=rules_of(alertname="Rootly", annotations={}), alerting=_to(alertmanager.port)
    )
    fired = alert_of(source, "triggered")
    house.mailed(fired, house.ana)
    quiet(prometheus)
    ended = alert_of(source, "resolved")
    _, news = house.mailed(ended, house.ana, 2)
    assert "resolved" in news.message["Subject"].lower()
    settled(alertmanager)


def test_the_plain_configuration_records_and_pages_nobody(line: Line):
    """C8: example (a)."""
    alertmanager = line.alertmanager(alertname="Rootly")
    prometheus = line.prometheus(
        rules=rules_of(alertname="Rootly", annotations={}), alerting=_to(alertmanager.port)
    )
    fired = alert_of(line.source, "open")
    assert line.house.paged(fired) == []
    quiet(prometheus)
    alert_of(line.source, "resolved")
    settled(alertmanager)


def test_a_prometheus_needs_no_alertmanager(line: Line):
    """C8, alertmanager.md 5: straight to /api/v2/alerts; over when Prometheus says so."""
    house, source = line.house, line.source
    wanted = json.dumps({"notification_target": target("User", house.ana)})
    straight = _to(house.program.port) | {
        "api_version": "v2",
        "authorization": {"type": "Bearer", "credentials": source.secret},
    }
    prometheus = line.prometheus(
        rules=rules_of(alertname="Direct", annotations={"rootly": wanted}), alerting=straight
    )
    fired = alert_of(source, "triggered")
    house.mailed(fired, house.ana)
    eventually(lambda: source.alert()["request_count"] >= 3, what="Prometheus sending again")
    assert house.paged(fired) == ["Ana"]
    quiet(prometheus)
    ended = alert_of(source, "resolved")
    assert moment(ended["ended_at"]) > moment(ended["started_at"])
    assert source.deliveries()[0]["path"] == PUSH
    assert _metric(prometheus, "prometheus_notifications_errors_total") == 0


def test_a_prometheus_that_dies_leaves_nothing_firing_for_ever(line: Line):
    """alertmanager.md 5: what is not sent again is over at its own `endsAt`."""
    source = line.source
    straight = _to(line.house.program.port) | {
        "api_version": "v2",
        "authorization": {"type": "Bearer", "credentials": source.secret},
    }
    prometheus = line.prometheus(rules=rules_of(alertname="Dies", annotations={}), alerting=straight)
    alert_of(source, "open")
    prometheus.kill()
    last = json.loads(source.delivery()["body"])[0]["endsAt"]
    ended = alert_of(source, "resolved", within=30)
    assert abs(moment(ended["ended_at"]) - datetime.fromisoformat(last)) < timedelta(milliseconds=1)


def _to(port: int) -> Json:
    return {"static_configs": [{"targets": [f"{LOOPBACK}:{port}"]}]}


def _metric(prometheus: Prometheus, name: str) -> float:
    text = httpx.get(f"{prometheus.url}/metrics", timeout=5).text
    return sum(float(one.rsplit(" ", 1)[1]) for one in text.splitlines() if one.startswith(name))
