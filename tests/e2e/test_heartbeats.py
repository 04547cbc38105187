"""A real Alertmanager whose Watchdog feeds a heartbeat: nobody is paged while it lives, somebody when it is killed."""

import json
import smtplib
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest

from conftest import require_real
from support.household import WEBHOOK, House, Json, opened
from support.ports import LOOPBACK, free_port
from support.programs import Alertmanager, eventually, installed

pytestmark = [pytest.mark.real, pytest.mark.slow, pytest.mark.timeout(240)]
MAIL_PORT = free_port()


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    with opened(tmp_path_factory.mktemp("beats"), heartbeat_mail_port=MAIL_PORT) as made:
        yield made


def heartbeat(house: House, name: str) -> Json:
    """Make a heartbeat of a minute that pages Ana."""
    return house.api.add(
        "/heartbeats", name=name, alert_summary=f"{name} is silent", interval=1, interval_unit="minutes",
        notification_target_type="User", notification_target_id=house.ana["id"], enabled=True,
    )  # fmt: skip


def seen(house: House, beat: Json) -> Json:
    return house.api.one(f"/heartbeats/{beat['id']}")


def config(url: str, secret: str) -> str:
    """Return an alertmanager.yml that repeats every second; JSON is YAML."""
    hook = {"url": url, "http_config": {"authorization": {"type": "Bearer", "credentials": secret}}}
    route = {"receiver": "x", "group_wait": "0s", "group_interval": "1s", "repeat_interval": "1s"}
    return json.dumps({"route": route, "receivers": [{"name": "x", "webhook_configs": [hook]}]})


def fires(alertmanager: Alertmanager, annotations: Json) -> None:
    """Let the Watchdog fire, as a Prometheus says it."""
    now = datetime.now(UTC).isoformat()
    alert = {
        "labels": {"alertname": "Watchdog", "severity": "none"},
        "annotations": annotations,
        "startsAt": now,
    }
    httpx.post(f"{alertmanager.url}/api/v2/alerts", json=[alert]).raise_for_status()


def test_a_watchdog_pages_nobody_until_its_alertmanager_dies(house: House, tmp_path: Path) -> None:
    """A32."""
    binary = installed("prometheus-alertmanager", "alertmanager")
    if binary is None:
        require_real("an Alertmanager")
    assert binary is not None
    beat, source = heartbeat(house, "Prometheus prod"), house.source()
    said = {"rootly": json.dumps({"heartbeat": beat["id"]})}
    with Alertmanager(binary, tmp_path, config(house.program.url + WEBHOOK, source.secret)) as alertmanager:
        fires(alertmanager, said)
        eventually(lambda: seen(house, beat)["status"] == "active", within=20)
        eventually(lambda: len(source.deliveries()) >= 3, within=20, what="repeats")
        assert source.alerts() == []
        assert seen(house, beat)["last_pinged_by"] == "alertmanager"
        alertmanager.kill()
        eventually(lambda: seen(house, beat)["status"] == "expired", within=90)
        [alert] = house.api.list("/alerts", source="heartbeat")
        assert (alert["source"], alert["summary"]) == ("heartbeat", "Prometheus prod is silent")
        house.mailed(house.api.one(f"/alerts/{alert['id']}"), house.ana)
        alertmanager.start()
        fires(alertmanager, said)
        eventually(lambda: seen(house, beat)["status"] == "active", within=20)
        assert house.api.one(f"/alerts/{alert['id']}")["status"] == "resolved"


def test_a_mail_is_a_beat(house: House) -> None:
    beat = heartbeat(house, "Nightly report")
    with smtplib.SMTP(LOOPBACK, MAIL_PORT, timeout=10) as client:
        client.sendmail("cron@example.org", [beat["email_address"]], "Subject: done\r\n\r\nAll is well.\r\n")
    found = seen(house, beat)
    assert (found["status"], found["last_pinged_by"]) == ("active", "email")
