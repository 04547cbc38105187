"""Genuine requests, as captured; a test that asks for `capture` runs once for each."""

import json
from pathlib import Path
from typing import Any

import pytest

FOLDER = Path(__file__).parents[2] / "testdata" / "alertmanager"


def load(name: str) -> dict[str, Any]:
    capture: dict[str, Any] = json.loads((FOLDER / f"{name}.json").read_text())
    # The largest is kept once only; Go writes it as Python does.
    text = capture.get("body_raw") or json.dumps(capture["body"], ensure_ascii=False)
    return capture | {"bytes": text.encode()}


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "capture" in metafunc.fixturenames:
        names = sorted(p.stem for p in FOLDER.glob("*.json"))
        metafunc.parametrize("capture", [pytest.param(load(n), id=n) for n in names])


@pytest.fixture
def captured():
    """Return a reader of one capture's exact bytes."""
    return lambda name: load(name)["bytes"]
