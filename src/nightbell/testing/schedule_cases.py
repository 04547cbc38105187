"""This file asks the core who is on call in scenarios, of the instant and of the range, and compares."""

import re
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta

from msgspec.structs import replace

from nightbell.core.errors import NightbellError
from nightbell.core.oncall import on_call
from nightbell.core.override_checks import errors_in_override
from nightbell.core.shifts import shifts, shifts_at
from nightbell.testing.schedule_stage import Case, Stage
from nightbell.testing.verdict import Verdict

_PROSE = "id title source tags policy_choice given cross_checked want_more note"
_READ = set(
    f"{_PROSE} timezone layers schedules overrides swaps unavailable fixed edits ical concurrency feed_expectation checks "
    "participants name rotation windows priority shift_duration_seconds "
    "fixed_windows fixed_shifts temporary temporary_schedules edit changes events time_off vacations absences holidays "
    "unit every start advance active_from until".split()
)
_FEED = re.compile(r"DTSTART for (?P<who>\w+)'s first shift is (?P<start>\S+)")


def run(cases: Sequence[Case]) -> Iterator[Verdict]:
    """Yield the verdict on each case."""
    for case in cases:
        yield Verdict(case.get("id", "?"), tuple(problems(case)))


def problems(case: Case) -> list[str]:
    """Return what the core says otherwise than a case expects."""
    try:
        stage = Stage(case)
        found = [*_wrong_checks(stage), *_wrong_feed(stage), *_wrong_conflict(stage)]
    except (NightbellError, ValueError, KeyError) as fault:
        found = [f"cannot be read: {type(fault).__name__}: {fault}"]
    return [*found, *(f"says {word!r}, which is not read here" for word in _unread(case))] if found else []


def _unread(case: Case) -> list[str]:
    """Return the words of a case that are not known here: a hint where a check fails."""
    layers = case.get("layers", [])
    words = {
        *case,
        *(word for layer in layers for part in (layer, layer.get("rotation") or {}) for word in part),
    }
    return sorted(words - _READ)


def _wrong_checks(stage: Stage) -> Iterator[str]:
    """Yield the checks that fail, asked of the instant and of the range."""
    for check in stage.case["checks"]:
        at = datetime.fromisoformat(check["at"])
        wanted = sorted(set(check["on_call"]))
        now = stage.names(on_call(stage.schedule, at))
        if now != wanted:
            yield f"at {check['at']}: expected {_shown(wanted)}, on call {_shown(now)}"
        ranged = stage.names({shift.user for shift in shifts_at(stage.schedule, at)})
        if ranged != now:
            yield f"at {check['at']}: on call {_shown(now)}, but shifts say {_shown(ranged)}"


def _wrong_feed(stage: Stage) -> Iterator[str]:
    """Yield where a person's first shift is not when the feed should say."""
    match = _FEED.search(stage.case.get("feed_expectation", ""))
    if match:
        wanted, month = datetime.fromisoformat(match["start"]), timedelta(weeks=4)
        found = shifts(stage.schedule, start=wanted - month, end=wanted + month)
        first = next((shift.start for shift in found if shift.user == stage.user(match["who"])), None)
        if first != wanted:
            yield f"first shift of {match['who']}: expected {wanted.isoformat()}, found {first}"


def _wrong_conflict(stage: Stage) -> Iterator[str]:
    """Yield where the second of two equal overrides would be accepted."""
    if "concurrency" in stage.case:
        start, hour = datetime(2027, 1, 4, 8, tzinfo=UTC), timedelta(hours=1)
        first = stage.override({"kind": "add", "user": "ana"}, start, start + 2 * hour)
        second = stage.override({"kind": "add", "user": "ana"}, start + hour, start + 3 * hour)
        taken = replace(stage.schedule, overrides=(first,))
        if not errors_in_override(taken, second, now=start - hour):
            yield "an override that overlaps another of the same person is accepted"


def _shown(names: list[str]) -> str:
    return ", ".join(names) or "nobody"
