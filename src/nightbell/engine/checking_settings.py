"""This file says what is wrong with the settings of a path: what they say, whom they name, whether they ever match."""

from typing import Any
from uuid import UUID

from nightbell.core.errors import Invalid
from nightbell.core.uuids import as_uuid
from nightbell.engine import windows
from nightbell.engine.changing import Change, must_exist
from nightbell.engine.checking_paths import AFTER, Conditions, check_hold, conditions
from nightbell.engine.checks import Checks
from nightbell.engine.never_matching import contradiction
from nightbell.store.read.listing import Record
from nightbell.store.read.policies import path as read_path

#: Which rule names what, and the query that says what does not exist.
_NAMED = {"alert_urgency": ("urgency_ids", "urgencies"), "service": ("service_ids", "services")}


async def check_settings(
    change: Change,
    policy: Record,
    settings: dict[str, Any],
    is_default: bool,  # noqa: FBT001  a column
    own: UUID | None = None,
) -> None:
    """Refuse settings that cannot be meant; `own` is the path's id, once it has one.

    Raises: Problems naming the fields; Invalid for what does not exist.
    """
    checks = Checks(settings)
    read = conditions(checks, settings)
    check_hold(checks, settings.get("retrigger_timeout_minutes"))
    if is_default:
        _check_default(checks, settings, read)
    elif read.kind == "deferral":
        _check_deferral(checks, settings, read)
    checks.done()
    await _check_named(change, read)
    if read.kind == "deferral" and settings.get("after_deferral_behavior") == "execute_path":
        await _check_following(change, policy["id"], settings["after_deferral_path_id"], own)
    business = windows.business(Checks({}), "business_hours", policy["business_hours"])
    found = contradiction(read, settings.get("rules") or [], business)
    if found:
        place, why = found
        raise Invalid(why, place=place)


def _check_default(checks: Checks, settings: dict[str, Any], read: Conditions) -> None:
    if read.kind == "deferral":
        checks.wrong("path_type", "The default path is what remains; it cannot put alerts off.")
    for name in ("rules", "time_restrictions"):
        if settings.get(name):
            hint = "Make a path beside it, above the default."
            checks.wrong(
                name, "The default path takes whatever no other path does; it has no conditions.", hint
            )


def _check_deferral(checks: Checks, settings: dict[str, Any], read: Conditions) -> None:
    if read.windows is None and not any(rule.kind == "deferral_window" for rule in read.rules):
        hint = "Add a rule deferral_window, or time restrictions."
        checks.wrong("rules", "Without a window this would put alerts off for ever.", hint)
    after = settings.get("after_deferral_behavior") or "re_evaluate"
    if after not in AFTER:
        checks.wrong("after_deferral_behavior", f"Must be one of: {', '.join(AFTER)}.")
    if after == "execute_path" and as_uuid(str(settings.get("after_deferral_path_id"))) is None:
        checks.wrong("after_deferral_path_id", "Name the path to take after the deferral.")


async def _check_named(change: Change, read: Conditions) -> None:
    for index, rule in enumerate(read.rules):
        if rule.kind in _NAMED:
            name, query = _NAMED[rule.kind]
            await must_exist(change, query, f"rules[{index}].{name}", map(UUID, sorted(rule.ids)))


async def _check_following(change: Change, policy_id: UUID, following: Any, own: UUID | None) -> None:
    key = UUID(str(following))
    found = await read_path(change.tx, key)
    if found is None or found["policy_id"] != policy_id:
        raise Invalid(f"The policy has no path {key}.", place="after_deferral_path_id")
    if key == own or found["settings"].get("path_type") == "deferral":
        raise Invalid("After a deferral comes a path that pages.", place="after_deferral_path_id")
