"""Makes what fills in a source's own templates of title, description and link, and checks them when they are saved.

Rule 1: a template costs an alert its words at most. One that fails leaves the usual ones, and the log says so.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from functools import partial
from typing import Any

import structlog

from nightbell.core.directory import Fill, Wording
from nightbell.engine.changing import Checks
from nightbell.engine.liquid.limits import Limit
from nightbell.engine.liquid.templates import BadTemplate, check, render

#: Where a source's settings keep them, as Rootly calls it.
TEMPLATES = "alert_template_attributes"
PARTS = ("title", "description", "external_url")
#: A delivery may hold thousands of alerts, and others wait behind it.
LIMIT = Limit(seconds=0.02, output=10_000, rounds=500, steps=5_000, held=50_000)
_LONGEST = 2_000
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


def check_wording(checks: Checks) -> None:
    """Note what is wrong with the templates of a source."""
    templates = (checks.sent.get("settings") or {}).get(TEMPLATES) or {}
    for part in PARTS:
        text, place = templates.get(part), f"{TEMPLATES}.{part}"
        if text is None or text == "":
            continue
        if not isinstance(text, str) or len(text) > _LONGEST:
            checks.wrong(place, f"Must be a text of at most {_LONGEST} characters.")
            continue
        try:
            check(text)
        except BadTemplate as bad:
            checks.wrong(place, bad.message)
