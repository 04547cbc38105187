"""Webhooks of real Alertmanagers, as they were captured."""

import json
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parents[1] / "testdata" / "alertmanager"


@cache
def captured(name: str) -> bytes:
    """Return the bytes of a capture, of the newest Alertmanager that has it."""
    files = sorted(FOLDER.glob(f"{name}.*.json"))
    capture = json.loads(files[-1].read_text(encoding="utf-8"))
    # The largest is kept once only; Go writes it as Python does.
    raw: str = capture.get("body_raw") or json.dumps(capture["body"], ensure_ascii=False)
    return raw.encode()


def edited(name: str, edit: Callable[[dict[str, Any]], object]) -> bytes:
    """Return a capture with something changed in it."""
    document = json.loads(captured(name))
    edit(document)
    return json.dumps(document).encode()
