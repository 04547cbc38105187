"""Makes what fills in a source's own templates of title, description and link.

Rule 1: a template costs an alert its words at most. One that fails leaves the usual ones, and the log says so.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from functools import partial
from typing import Any

import structlog

from nightbell.core.directory import Fill, Wording
from nightbell.engine.liquid.limits import Limit
from nightbell.engine.liquid.templates import BadTemplate, render

PARTS = ("title", "description", "external_url")
#: A delivery may hold thousands of alerts, and others wait behind it.
LIMIT = Limit(seconds=0.02, output=10_000, rounds=500, steps=5_000, held=50_000)
#: For an alert that does not say when it began.
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_log = structlog.get_logger(__name__)


def wording(templates: Mapping[str, str | None] | None) -> Wording | None:
    """Return what fills in the templates of a source, None where it has none."""
    fills: dict[str, Fill] = {
        part: partial(_filled, text) for part in PARTS if (text := (templates or {}).get(part))
    }
    return Wording(**fills) if fills else None


def _filled(text: str, values: Mapping[str, Any], began: datetime | None) -> str:
    try:
        # `now` is when the alert began: words that change by themselves would make news of every repeat.
        return render(text, values, now=began or _EPOCH, limit=LIMIT)
    except BadTemplate as bad:
        _log.warning("source.template", template=text[:80], why=bad.why)
        return ""
