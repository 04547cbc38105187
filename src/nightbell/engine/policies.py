"""This file reads stored policies into the core's values: paths, levels, hours, planned work.

Rule 1: nothing here raises because of what was stored. What cannot be read any more never holds and pages nobody.
"""

from collections import defaultdict
from collections.abc import Iterable
from typing import Any
from uuid import UUID

import msgspec

from nightbell.core.directory import Level, LevelTarget, Maintenance, Path, PathRule, Policy, Windows
from nightbell.engine import windows
from nightbell.engine.checking_paths import conditions
from nightbell.engine.checks import Checks
from nightbell.store.db import Row, Runner

STRATEGY = "paging_strategy_configuration_strategy"
SCHEDULE_STRATEGY = "paging_strategy_configuration_schedule_strategy"
#: Of a cycle: how often round, or how many people in all; and how many of them at a time.
REPEATS = "paging_strategy_configuration_repeats"
REPEATS_MODE = "paging_strategy_configuration_repeats_mode"
AT_A_TIME = "paging_strategy_configuration_page_users_count"


async def policies(tx: Runner) -> list[Policy]:
    """Return every policy with its paths, the default last."""
    levels: dict[UUID, list[Level]] = defaultdict(list)
    paths: dict[UUID, list[Path]] = defaultdict(list)
    for r in await tx.rows("directory_levels"):
        levels[r["path_id"]].append(level(r))
    for r in await tx.rows("directory_paths"):
        paths[r["policy_id"]].append(_path(r, levels[r["id"]]))
    return [
        Policy(
            id=r["id"],
            name=r["name"],
            repeat_count=r["repeat_count"],
            paths=tuple(paths[r["id"]]),
            business=windows.business(Checks({}), "business_hours", r["business_hours"]),
        )
        for r in await tx.rows("directory_policies")
    ]


def goes_round(found: Iterable[Policy]) -> bool:
    """Return whether any level takes turns by alert."""
    return any(lv.strategy == "alert" for p in found for path in p.paths for lv in path.levels)


def level(r: Row | dict[str, Any]) -> Level:
    """Return a level as it is stored."""
    said = r["settings"]
    mode = said.get(REPEATS_MODE)
    return Level(
        position=r["position"],
        delay_minutes=r["delay_minutes"],
        targets=tuple(msgspec.convert(r["targets"], list[LevelTarget], strict=False)),
        id=r["id"],
        kind=said.get("level_type") or "page",
        strategy=said.get(STRATEGY) or "default",
        everyone=said.get(SCHEDULE_STRATEGY) == "everyone",
        all_must_acknowledge=bool(said.get("require_all_acknowledgements")),
        at_a_time=said.get(AT_A_TIME) or 1,
        # "all" is everyone once, whatever the number; Rootly's own words.
        repeats=1 if mode == "all" else said.get(REPEATS) or 1,
        exactly=mode == "users" and bool(said.get(REPEATS)),
        count=said.get("threshold_count") or 0,
        minutes=said.get("threshold_minutes") or 0,
        windows=_window(said.get("window")),
    )


def _window(said: Any) -> Windows | None:
    return windows.blocks(Checks({}), "window", said) if isinstance(said, dict) else None


def _path(r: Row, levels: list[Level]) -> Path:
    said = r["settings"]
    checks = Checks({})
    read = conditions(checks, said)
    # Hours that cannot be read are not "always": the path is closed instead.
    unreadable = read.windows is None and checks.found("time_restriction")
    rules = (PathRule(kind="unreadable"),) if unreadable else read.rules
    return Path(
        id=r["id"],
        name=r["name"],
        is_default=r["is_default"],
        loudness=r["loudness"],
        repeat=r["repeat"],
        repeat_count=r["repeat_count"],
        initial_delay_minutes=r["initial_delay_minutes"],
        levels=tuple(levels),
        kind=read.kind,
        match_any=read.match_any,
        rules=rules,
        windows=read.windows,
        after=said.get("after_deferral_behavior") or "re_evaluate",
        after_path_id=_id(said.get("after_deferral_path_id")),
        acknowledge_minutes=said.get("retrigger_timeout_minutes"),
    )


def _id(text: Any) -> UUID | None:
    try:
        return UUID(str(text)) if text else None
    except ValueError:
        return None


async def maintenances(tx: Runner) -> tuple[Maintenance, ...]:
    """Return planned work; of what is over long ago, not all."""
    return tuple(maintenance(r) for r in await tx.rows("directory_maintenances"))


def maintenance(r: Row | dict[str, Any]) -> Maintenance:
    """Return planned work as it is stored. Hours that cannot be read mute nothing."""
    hours = windows.blocks(Checks({}), "hours", r["hours"]) if r["hours"] else None
    muted_by_mistake = r["hours"] is not None and hours is None
    return Maintenance(
        id=r["id"],
        name=r["name"],
        service_ids=frozenset() if muted_by_mistake else frozenset(map(str, r["service_ids"])),
        source_ids=frozenset() if muted_by_mistake else frozenset(r["source_ids"]),
        starts_at=r["starts_at"],
        ends_at=r["ends_at"],
        windows=hours,
    )
