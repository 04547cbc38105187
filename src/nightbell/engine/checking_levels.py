"""This file says what is wrong with a level as people describe it: whom it pages, or what it waits for.

Rule 1: a level is checked whole, as it would be after the edit.
"""

import re
from typing import Any

from nightbell.engine import windows
from nightbell.engine.checking_paths import LONGEST_HOLD
from nightbell.engine.checks import Checks
from nightbell.engine.policies import AT_A_TIME, REPEATS, REPEATS_MODE, SCHEDULE_STRATEGY, STRATEGY

KINDS = ("page", "wait", "threshold", "window")
STRATEGIES = ("default", "random", "cycle", "alert")
SCHEDULE_STRATEGIES = ("on_call_only", "everyone")
REPEATS_MODES = ("users", "all")
MOST_COUNTED = 10_000
MOST_REPEATS = 100
MOST_AT_A_TIME = 25
#: What an id of a channel looks like, and where somebody finds it.
_CHANNEL_IDS = {
    "slack_channel": (
        re.compile(r"[CG][A-Z0-9]{6,20}"),
        "in Slack, at the end of the channel's details: C0123ABCD",
    ),
}


def check_level(checks: Checks, whole: dict[str, Any]) -> None:
    """Note what is wrong with a level that has these targets, delay and settings."""
    said = whole.get("settings") or {}
    for name, allowed in (
        ("level_type", KINDS),
        (STRATEGY, STRATEGIES),
        (SCHEDULE_STRATEGY, SCHEDULE_STRATEGIES),
        (REPEATS_MODE, REPEATS_MODES),
    ):
        if said.get(name) is not None and said[name] not in allowed:
            checks.wrong(name, f"Must be one of: {', '.join(allowed)}.")
    _check_cycle(checks, whole, said)
    if not isinstance(said.get("require_all_acknowledgements"), bool | None):
        checks.wrong("require_all_acknowledgements", "Must be true or false.")
    kind = said.get("level_type") or "page"
    if kind == "page":
        if not whole.get("targets"):
            checks.wrong(
                "targets", "Targets can't be blank", hint="name at least one, or make the level wait"
            )
        return
    if whole.get("targets"):
        checks.wrong("targets", f"A level of type {kind} pages nobody; put the targets on the next level.")
    _WAITS.get(str(kind), _check_nothing)(checks, whole, said)


def check_channel(checks: Checks, place: str, target: dict[str, Any]) -> None:
    """Note what is wrong with the id of a channel; whether the bot may write there only Slack knows."""
    shape, hint = _CHANNEL_IDS[target["type"]]
    if not shape.fullmatch(str(target.get("id", ""))):
        checks.wrong(f"{place}.id", "This is not the id of a channel.", hint=hint)


def _check_cycle(checks: Checks, whole: dict[str, Any], said: dict[str, Any]) -> None:
    for name, most in ((REPEATS, MOST_REPEATS), (AT_A_TIME, MOST_AT_A_TIME)):
        if said.get(name) is not None:
            _check_number(checks, name, said[name], most)
    if said.get(REPEATS_MODE) == "users" and said.get(REPEATS) is None:
        checks.wrong(REPEATS, "Say how many people are paged in all.")
    round_and_round = said.get(STRATEGY) == "cycle" and said.get(REPEATS) not in (None, 1)
    if round_and_round and not whole.get("delay_minutes"):
        checks.wrong(
            "delay_minutes", "People who are paged one after another need at least 1 minute between them."
        )


def _check_nothing(checks: Checks, whole: dict[str, Any], said: dict[str, Any]) -> None:
    """Leave a kind that is wrong already."""


def _check_wait(checks: Checks, whole: dict[str, Any], said: dict[str, Any]) -> None:
    if not whole.get("delay_minutes"):
        checks.wrong("delay_minutes", "A level that waits needs a delay of at least 1 minute.")


def _check_threshold(checks: Checks, whole: dict[str, Any], said: dict[str, Any]) -> None:
    for name, most in (("threshold_count", MOST_COUNTED), ("threshold_minutes", LONGEST_HOLD)):
        _check_number(checks, name, said.get(name), most)


def _check_number(checks: Checks, name: str, value: Any, most: int) -> None:
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= most:
        checks.wrong(name, f"Must be from 1 to {most}.")


def _check_window(checks: Checks, whole: dict[str, Any], said: dict[str, Any]) -> None:
    given = said.get("window")
    if not isinstance(given, dict):
        hint = '{"time_zone": "Europe/Berlin", "blocks": [{"days": ["M"], "start_time": "09:00", "end_time": "17:00"}]}'
        checks.wrong("window", "A level that waits for a window needs one.", hint=hint)
        return
    read = windows.blocks(checks, "window", given)
    if read is not None and windows.never_ends(read):
        checks.wrong("window.blocks", "This window is always open; the level would wait for nothing.")


_WAITS = {"wait": _check_wait, "threshold": _check_threshold, "window": _check_window}
