"""Checks the templates of a source when they are saved: what fills them in (engine/wording.py) cannot ask back."""

from nightbell.core.directory import TEMPLATES
from nightbell.engine.checks import Checks
from nightbell.engine.liquid.templates import BadTemplate, check
from nightbell.engine.wording import PARTS

_LONGEST = 2_000


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
