"""This file reads stored conditions, and the grouping rules made of them, into the core's values.

Rule 1: nothing here raises because of what was stored. A rule that cannot be read any more groups nothing.
"""

from datetime import timedelta
from typing import Any

from nightbell.core import alert_fields
from nightbell.core.directory import Condition, Grouping, Target
from nightbell.core.errors import Invalid
from nightbell.core.labels import parse_matchers
from nightbell.engine.jsonpath import compiled
from nightbell.store.db import Row, Runner


async def groupings(tx: Runner) -> tuple[Grouping, ...]:
    """Return every grouping rule in the order they are asked."""
    found = (grouping(r) for r in await tx.rows("directory_groupings"))
    return tuple(rule for rule in found if rule)


def grouping(r: Row | dict[str, Any]) -> Grouping | None:
    """Return a grouping rule as it is stored; None for one that cannot be read."""
    try:
        paths = tuple((a["json_path"], compiled(a["json_path"])) for a in r["attributes"])
        conditions = tuple(condition(c) for c in r["conditions"])
    except Invalid:
        return None
    return Grouping(
        id=r["id"],
        name=r["name"],
        window=timedelta(minutes=r["time_window"]),
        match_any=r["condition_type"] == "any",
        by_title=r["by_title"],
        by_urgency=r["by_urgency"],
        targets=frozenset(Target(type=t["target_type"], id=str(t["target_id"])) for t in r["targets"]),
        paths=paths,
        conditions=conditions,
    )


def condition(c: dict[str, Any]) -> Condition:
    """Return a condition as it is stored.

    Raises: Invalid for a path or a matcher that cannot be read.
    """
    kind, values = c["field_type"], tuple(str(v) for v in c.get("values") or ())
    matchers = tuple(m for text in values for m in parse_matchers(text)) if kind == "matcher" else ()
    return Condition(
        find=compiled(c["field_name"]) if kind == "payload" else None,
        name=(alert_fields.named(c) if kind == "alert_field" else c["field_name"]) or "",
        operator=c["operator"] or "",
        values=values,
        urgency_ids=tuple(map(str, c.get("urgency_ids") or ())),
        matchers=matchers,
    )
