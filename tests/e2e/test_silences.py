"""A workflow's silence in a real Alertmanager: made once, however often the step is tried, and it silences."""

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import pytest

from conftest import require_real
from nightbell.core.exchange import Ask
from nightbell.engine.tasks import registry
from nightbell.engine.tasks.contract import Result, Step
from nightbell.net.exchange import asking
from nightbell.net.guard import Guard
from nightbell.net.http import Http
from support.programs import Alertmanager, installed

pytestmark = [pytest.mark.real, pytest.mark.timeout(60)]
NOW = datetime.now(UTC).replace(microsecond=0)


@pytest.fixture(scope="module")
def alertmanager(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Alertmanager]:
    """An Alertmanager that tells nobody."""
    binary = installed("prometheus-alertmanager", "alertmanager")
    if binary is None:
        require_real("an Alertmanager")
    assert binary is not None
    folder = tmp_path_factory.mktemp("alertmanager")
    with Alertmanager(
        Path(binary), folder, "route: {receiver: none}\nreceivers: [{name: none}]\n"
    ) as running:
        yield running


def silenced(url: str, *, attempt: int, duration: str = "1 hour") -> Result:
    """Carry out the task for the same step once more."""

    async def work() -> Result:
        http = Http(Guard(["127.0.0.0/8"]))
        try:
            step = Step(
                run_id=UUID(int=1), step_id=UUID(int=2), key="run-1/0", context={}, workflow_id=UUID(int=3),
                workflow="Night shift", now=NOW, began_at=NOW, attempt=attempt,
            )  # fmt: skip
            params = {
                "alertmanager_url": url,
                "matchers": 'alertname="DiskFull",instance=~"db.*"',
                "duration": duration,
            }
            return await registry.perform("create_alertmanager_silence", params, _Hands(asking(http)), step)  # type: ignore[arg-type]
        finally:
            await http.aclose()

    return asyncio.run(work())


class _Hands:
    """As much of the hands as this task needs."""

    def __init__(self, web: Ask) -> None:
        self.web = self.services = web
        self.db: Any = None
        self.providers = self

    async def of(self, _db: Any, _name: str) -> dict[str, str]:
        """Return that nothing is set up."""
        return {}


def test_a_silence_is_made_once_and_silences(alertmanager: Alertmanager) -> None:
    made = silenced(alertmanager.url, attempt=1)
    assert made.outcome == "done", made.why
    again = silenced(alertmanager.url, attempt=2)
    assert again.output == {"silence_id": made.output["silence_id"], "again": True}
    silences = httpx.get(f"{alertmanager.url}/api/v2/silences").json()
    assert [one["createdBy"] for one in silences] == ["Nightbell, Night shift"]
    alert = {"labels": {"alertname": "DiskFull", "instance": "db1"}, "startsAt": NOW.isoformat()}
    httpx.post(f"{alertmanager.url}/api/v2/alerts", json=[alert]).raise_for_status()
    shown = httpx.get(f"{alertmanager.url}/api/v2/alerts").json()
    assert [one["status"]["silencedBy"] for one in shown] == [[made.output["silence_id"]]]


def test_a_silence_that_alertmanager_refuses_says_what_it_said(alertmanager: Alertmanager) -> None:
    # It is over before it begins, which our own check of the duration cannot see.
    said = silenced(alertmanager.url + "/nowhere", attempt=1)
    assert (said.outcome, "404" in said.why) == ("failed", True)
