"""What needs no server: how fast help is, what `fire` sends, and that the documents name everything."""

import re
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest

from nightbell.cli import fire
from nightbell.cli.main import app
from nightbell.core.errors import Invalid
from nightbell.core.signal import State
from nightbell.settings import Settings, Smtp
from nightbell.sources import alertmanager
from support.sources import ROOT

NOW = datetime(2026, 11, 23, 2, 0, 5, tzinfo=UTC)


def test_help_takes_less_than_half_a_second() -> None:
    took = []
    for _ in range(5):
        began = time.monotonic()
        subprocess.run([sys.executable, "-m", "nightbell", "--help"], check=True, stdout=subprocess.DEVNULL)
        took.append(time.monotonic() - began)
    assert min(took) < 0.5


def test_help_imports_nothing_heavy() -> None:
    ask = "import sys, nightbell.cli.main; print(*sys.modules)"
    loaded = subprocess.run(
        [sys.executable, "-c", ask], check=True, capture_output=True, text=True
    ).stdout.split()
    assert {"litestar", "sqlalchemy", "asyncpg", "uvicorn", "aiohttp"}.isdisjoint(loaded)


def sent(*more: str, over: bool = False) -> bytes:
    labels = fire.labelled("HighErrorRate", "critical", more)
    return msgspec.json.encode(fire.webhook(labels, NOW, over=over))


def test_fire_sends_what_alertmanager_sends() -> None:
    firing = alertmanager.decode(sent("region=eu", "job="))
    [signal] = firing.signals
    assert (signal.state, signal.starts_at, signal.ends_at) == (State.FIRING, NOW, None)
    assert signal.labels == {
        "alertname": "HighErrorRate", "instance": "demo:9100", "region": "eu", "severity": "critical",
    }  # fmt: skip
    assert not firing.quarantined + firing.warnings


@pytest.mark.parametrize(("name", "more"), [("", ()), ("X", ("alertname=",))])
def test_fire_sends_nothing_without_a_name(name: str, more: tuple[str, ...]) -> None:
    with pytest.raises(Invalid, match="needs a name"):
        fire.labelled(name, "critical", more)


@pytest.mark.parametrize(
    ("words", "given"),
    [
        (("source", "create", b"a\xff"), b""),
        (("user", "add", "a@example.org", "--name", "A", "--password-stdin"), b"long enough \xff\n"),
    ],
    ids=["an argument", "a password"],
)
def test_bytes_that_are_no_text_are_refused(
    tmp_path: Path, words: tuple[str | bytes, ...], given: bytes
) -> None:
    command = [sys.executable, "-m", "nightbell", *words, "--data", str(tmp_path)]
    done = subprocess.run(command, input=given, capture_output=True, check=False)
    assert done.returncode == 1
    assert b"is not UTF-8" in done.stderr
    assert b"Traceback" not in done.stderr


def test_a_resolve_speaks_of_the_alert_that_fired() -> None:
    [fired], [over] = alertmanager.decode(sent()).signals, alertmanager.decode(sent(over=True)).signals
    assert over.fingerprint == fired.fingerprint
    assert (over.state, over.ends_at) == (State.RESOLVED, NOW)
    assert over.starts_at and NOW - over.starts_at < timedelta(hours=1)
    assert alertmanager.decode(sent()).group_key == alertmanager.decode(sent(over=True)).group_key


@pytest.mark.parametrize("label", ["severity", "=x", ""])
def test_a_label_that_is_none_is_refused(label: str) -> None:
    with pytest.raises(Invalid, match="no label"):
        fire.labelled("A", "critical", (label,))


# ---------------------------------------------------------------- documents

SETTINGS = (ROOT / "docs" / "settings.md").read_text(encoding="utf-8")
COMMANDS = (ROOT / "docs" / "cli.md").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    "name",
    [field.name for field in msgspec.structs.fields(Settings) if field.name not in ("smtp", "providers")]
    + [f"smtp.{field.name}" for field in msgspec.structs.fields(Smtp)],
)
def test_every_setting_is_documented_with_its_variable_and_default(name: str) -> None:
    [line] = [line for line in SETTINGS.splitlines() if line.startswith(f"| `{name}` ")]
    _, _, variable, default, meaning, _ = (cell.strip() for cell in line.split("|"))
    assert variable == f"`NIGHTBELL_{name.replace('.', '_').upper()}`"
    assert meaning.endswith(".")
    owner = Smtp if name.startswith("smtp.") else Settings
    [field] = [f for f in msgspec.structs.fields(owner) if f.name == name.removeprefix("smtp.")]
    assert default.startswith(written(field.default)) or field.required


def written(default: object) -> str:
    """Return a default as the document writes it."""
    if default in ("", None, ()):
        return ""
    if isinstance(default, timedelta):
        return f"`{default.total_seconds():g}`"
    if isinstance(default, int) and default >= 2**20:
        return f"`{default // 2**20}MiB`"
    return f"`{default}`"


def every_command() -> list[str]:
    """Return every command as it is typed."""
    found = []
    for name in app:
        if name.startswith("-"):
            continue
        inner = [sub for sub in app[name] if not sub.startswith("-")]
        found += [f"nightbell {name} {sub}" for sub in inner] or [f"nightbell {name}"]
    return found


def test_every_command_is_documented() -> None:
    assert len(every_command()) > 12
    assert [c for c in every_command() if not re.search(rf"^### `{c}\b", COMMANDS, re.MULTILINE)] == []
