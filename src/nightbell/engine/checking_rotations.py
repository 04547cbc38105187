"""This file says what is wrong with a rotation as people describe it, field by field and all at once.

Rule 1: a rotation is checked whole, as it would be after the edit, so that no order of edits gets a wrong one past. The
core says what is wrong, by the names of the wire (`core/rotation_checks.py`); here is what only rows have.
"""

from typing import Any

from nightbell.core.calendar import DAY_LETTERS, clock, zone
from nightbell.core.errors import Invalid
from nightbell.core.rotation_checks import errors_in_plan
from nightbell.core.rotation_plan import advance_of, cadence
from nightbell.core.schedule import Advance, Unit
from nightbell.engine.checks import Checks, Problems
from nightbell.engine.rotating import TYPES, plan_of

MOST_WINDOWS = 24
#: Units: minutes.
LONGEST_TURN = 366 * 24 * 60


def is_zone(name: str) -> str:
    """Return what is wrong with the name of a time zone, "" for nothing: a test for `Checks.that`."""
    try:
        zone(name)
    except Invalid as error:
        return f"{error.message}; {error.hint}"
    return ""


def checked_rotation(fields: dict[str, Any]) -> dict[str, Any]:
    """Return a rotation's columns, trimmed and without what its type does not have.

    Raises: Problems naming the fields.
    """
    checks = Checks(fields)
    checks.required("name", "type", "handoff_time")
    checks.text("name")
    checks.number("position", 1, 1000)
    checks.choice("type", TYPES)
    checks.number("turn_minutes", 1, LONGEST_TURN)
    if fields["advance"]:
        checks.choice("advance", [advance.value for advance in Advance])
    _only_what_it_has(fields)
    _check_windows(checks)
    checks.done()
    _refuse(fields, [])
    _check_counting(checks)
    checks.done()
    return checks.sent


def checked_day(fields: dict[str, Any], *, required: bool) -> dict[str, Any]:
    """Return the columns of an active day.

    Raises: Problems naming the fields.
    """
    checks = Checks(fields)
    if required:
        checks.required("day", "windows")
    checks.choice("day", DAY_LETTERS)
    if "windows" in fields:
        checks.required("windows")
        _check_windows(checks)
        _check_clocks(checks)
    checks.done()
    return checks.sent


def checked_days(row: dict[str, Any], given: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the hours of single days of a rotation, which must make it active at some time.

    Raises: Problems naming the fields.
    """
    days = [
        checked_day({"day": day.get("day"), "windows": day.get("windows")}, required=True) for day in given
    ]
    if row["hours"] == "custom":
        # With no day at all whole days would be meant: Terraform makes a rotation before its days.
        _refuse(row, days or [{"day": next(iter(DAY_LETTERS)), "windows": []}])
    return days


def checked_week(fields: dict[str, Any]) -> dict[str, Any]:
    """Return the columns of somebody's working hours.

    Raises: Problems naming the fields.
    """
    checks = Checks(fields)
    checks.required("days", "windows")
    strange = [day for day in fields["days"] if day not in DAY_LETTERS]
    if strange:
        checks.wrong("days", f"{strange[0]!r} is no day", f"One of {', '.join(DAY_LETTERS)}.")
    fields["days"] = list(dict.fromkeys(fields["days"]))
    _check_windows(checks)
    _check_clocks(checks)
    checks.done()
    return checks.sent


def _check_clocks(checks: Checks) -> None:
    for index, window in enumerate(checks.sent["windows"]):
        for edge, text in window.items():
            try:
                clock(text, edge)
            except Invalid as error:
                checks.wrong(f"windows[{index}].{edge}", error.message, error.hint)


def _check_counting(checks: Checks) -> None:
    """Refuse what a rotation that is right by itself would not heed."""
    fields = checks.sent
    plan = plan_of(fields, [])
    counts = Advance(fields["advance"]) if fields["advance"] else advance_of(plan)
    if fields["advance"] and counts is not Advance.ELAPSED and cadence(plan)[0] is Unit.HOUR:
        checks.wrong("advance", "Turns of hours count hours, whatever the day", "elapsed, or turns of days.")
    elif fields["turn_minutes"] and counts is not Advance.ELAPSED:
        hint = "Give active hours instead, or let turns count every day: advance elapsed."
        checks.wrong("turn_minutes", "Turns that count days last for their active hours", hint)


def _only_what_it_has(fields: dict[str, Any]) -> None:
    """Empty what another type left behind."""
    kind = fields.get("type")
    if kind not in ("weekly", "biweekly", "monthly"):
        fields["handoff_day"] = None
    if kind != "custom":
        fields["length"] = fields["length_unit"] = None
    fields["advance"] = fields["advance"] or None
    fields["days"] = list(dict.fromkeys(fields["days"] or []))


def _check_windows(checks: Checks) -> None:
    windows = checks.sent["windows"] or []
    if len(windows) > MOST_WINDOWS:
        checks.wrong("windows", f"A day has at most {MOST_WINDOWS} stretches of hours")
    edges = ("start_time", "end_time")
    checks.sent["windows"] = [{edge: str(window.get(edge) or "") for edge in edges} for window in windows]


def _refuse(fields: dict[str, Any], days: list[dict[str, Any]]) -> None:
    wrong = errors_in_plan(plan_of(fields, days))
    if wrong:
        raise Problems(wrong)
