"""Which path of a policy an alert takes: paths from top to bottom, the first that matches, the default at last.

Deferral paths are asked before all others: whoever defers wants sleep, whatever else would match (rootly.md 5.1.1).
"""

from datetime import datetime
from typing import Any
from uuid import UUID

from msgspec import Struct

from nightbell.core.comparing import compared
from nightbell.core.directory import Path, PathRule, Policy


class Circumstances(Struct, frozen=True, kw_only=True):
    """What a path may look at. `payload` is the document of core/identity.py, {} where none is known."""

    now: datetime
    urgency_id: UUID | None
    source: str
    service_ids: frozenset[str]
    payload: dict[str, Any]


class Choice(Struct, frozen=True, kw_only=True):
    """The path taken and why; `deferred_until` is set when nobody is to be paged before then."""

    path: Path
    why: str
    deferred_until: datetime | None = None


def choose(policy: Policy, seen: Circumstances) -> Choice:
    """Return the path of a policy for an alert."""
    for path in sorted(policy.paths, key=lambda p: p.kind != "deferral"):
        if path.is_default or not matches(path, policy, seen):
            continue
        if path.kind != "deferral":
            return Choice(path=path, why=f"path {path.name} matches")
        until = _until(path, seen.now)
        if until is not None:
            return Choice(path=path, why=f"path {path.name} defers it", deferred_until=until)
    default = next(path for path in policy.paths if path.is_default)
    return Choice(path=default, why="no other path matches" if len(policy.paths) > 1 else "")


def _until(path: Path, now: datetime) -> datetime | None:
    """Return when a deferral is over: its window's end. One without a window would defer for ever, so it does not."""
    ends = [r.windows.end(now) for r in path.rules if r.kind == "deferral_window" and r.windows]
    ends += [path.windows.end(now)] if path.windows else []
    return min((end for end in ends if end is not None), default=None)


def matches(path: Path, policy: Policy, seen: Circumstances) -> bool:
    """Return whether a path's rules and hours hold; the default is asked of nobody."""
    if path.windows is not None and not path.windows.holds(seen.now):
        return False
    held = [_holds(rule, policy, seen) for rule in path.rules]
    # A path without rules and without hours would hide the default for ever; it never matches.
    return (any(held) if path.match_any else all(held)) if held else path.windows is not None


def _holds(rule: PathRule, policy: Policy, seen: Circumstances) -> bool:
    match rule.kind:
        case "alert_urgency":
            return str(seen.urgency_id) in rule.ids
        case "service":
            return not rule.ids.isdisjoint(seen.service_ids)
        case "source":
            return compared(rule.operator, [seen.source], rule.values)
        case "working_hour":
            return policy.business is not None and policy.business.holds(seen.now) == rule.within
        case "deferral_window":
            return rule.windows is not None and rule.windows.holds(seen.now)
        case "json_path" | "field":
            return rule.find is not None and compared(rule.operator, rule.find(seen.payload), rule.values)
        case _:
            return False
