"""Log lines: one event each, and never a secret."""

import io
import json
import logging
from collections.abc import Iterator

import pytest
import structlog

from nightbell.telemetry import log


@pytest.fixture
def lines() -> Iterator[io.StringIO]:
    out = io.StringIO()
    log.configure(level="info", style="json", stream=out)
    yield out
    structlog.reset_defaults()
    logging.getLogger().handlers.clear()


@pytest.mark.parametrize(
    "said",
    [
        "POST /webhooks/incoming/alertmanager_webhooks?secret=hunter2&x=1",
        "Authorization: Bearer hunter2",
        '{"password": "hunter2"}',
        "postgresql://me:hunter2@db/nightbell",
        "api_key=hunter2",
        "X-Token: hunter2",
    ],
)
def test_a_secret_in_a_text_is_hidden(said: str) -> None:
    assert "hunter2" not in log.hide(said)


def test_ordinary_text_is_left_alone() -> None:
    said = "3 tokens left for checkout:8080 at http://10.0.0.1:9093/#/alerts, user@example.org"
    assert log.hide(said) == said


def test_a_secret_in_a_field_is_hidden_however_deep(lines: io.StringIO) -> None:
    structlog.get_logger().info("page.created", alert=3, token="hunter2", headers=[{"Cookie": "hunter2"}])
    event = json.loads(lines.getvalue())
    assert "hunter2" not in lines.getvalue()
    assert (event["event"], event["level"], event["alert"]) == ("page.created", "info", 3)


def test_libraries_speak_through_the_same_door(lines: io.StringIO) -> None:
    logging.getLogger("library").warning("went to ?secret=%s", "hunter2")
    logging.getLogger("library").info("quiet %s", {"a": 1})
    first, second = (json.loads(line) for line in lines.getvalue().splitlines())
    assert "hunter2" not in first["event"]
    assert second["event"] == "quiet {'a': 1}"


def test_a_secret_in_a_traceback_is_hidden(lines: io.StringIO) -> None:
    try:
        raise ValueError("?secret=hunter2")
    except ValueError:
        structlog.get_logger().exception("failed")
    assert "hunter2" not in lines.getvalue()
    assert "ValueError" in lines.getvalue()
