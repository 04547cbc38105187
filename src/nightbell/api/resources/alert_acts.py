"""What people do about an alert over the API. A word that was not understood is refused before anything happens."""

from datetime import timedelta
from typing import Any
from uuid import UUID

from nightbell.api.resource import Call
from nightbell.core.directory import Target
from nightbell.core.errors import BadPayload, Invalid, Unknown
from nightbell.store.read import alerts

#: Long enough for any holiday; a longer snooze is a resolve. Units: minutes.
LONGEST_SNOOZE = 60 * 24 * 30


async def acknowledge(call: Call) -> None:
    """Take an alert."""
    await call.edge.act.acknowledge(await _ident(call), by=call.actor, now=call.now)


async def resolve(call: Call) -> None:
    """Say that it is over."""
    await call.edge.act.resolve(await _ident(call), by=call.actor, now=call.now)


async def snooze(call: Call) -> None:
    """Keep it quiet for `delay_minutes`."""
    minutes = call.attributes.get("delay_minutes")
    if isinstance(minutes, str) and minutes.isdecimal() and len(minutes) < 9:
        minutes = int(minutes)
    if isinstance(minutes, bool) or not isinstance(minutes, int) or not 1 <= minutes <= LONGEST_SNOOZE:
        raise BadPayload(f"delay_minutes must be from 1 to {LONGEST_SNOOZE}.", place="delay_minutes")
    until = call.now + timedelta(minutes=minutes)
    await call.edge.act.snooze(await _ident(call), until=until, by=call.actor, now=call.now)


async def escalate(call: Call) -> None:
    """Page the next level, a level, or another policy."""
    sent = call.attributes
    policy, level = sent.get("escalation_policy_id") or None, sent.get("escalation_policy_level")
    if level is not None and (isinstance(level, bool) or not isinstance(level, int)):
        raise Invalid("escalation_policy_level must be a number.", place="escalation_policy_level")
    ident = await _ident(call)
    chosen = str(policy) if policy else None
    try:
        await call.edge.act.escalate(ident, by=call.actor, now=call.now, policy=chosen, level=level)
    except Unknown as error:
        if error.place != "target":
            raise
        # 404 would say that the alert is not there.
        raise Invalid(error.message, place="escalation_policy_id") from error


async def add_responders(call: Call) -> None:
    """Page others beside whoever is paged: `targets` of any type, or `user_ids`."""
    wanted = [*_listed(call, "targets"), *({"type": "User", "id": one} for one in _listed(call, "user_ids"))]
    if not wanted:
        raise Invalid("Name at least one target.", place="targets")
    if not all(isinstance(one, dict) and one.get("type") and one.get("id") for one in wanted):
        raise Invalid(
            "A target has a type and an id.", place="targets", hint='{"type": "User", "id": "1001"}'
        )
    targets = tuple(dict.fromkeys(Target(type=str(t["type"]), id=str(t["id"])) for t in wanted))
    ident = await _ident(call)
    try:
        await call.edge.act.respond(ident, targets, by=call.actor, now=call.now)
    except Unknown as error:
        # 404 would say that the alert is not there.
        raise Invalid(error.message, place="targets") from error


def _listed(call: Call, name: str) -> list[Any]:
    given = call.attributes.get(name) or []
    if not isinstance(given, list):
        raise Invalid("Must be a list.", place=name)
    return given


async def restart(call: Call) -> None:
    """Start its escalation over, by the policies as they are now."""
    await call.edge.act.restart(await _ident(call), by=call.actor, now=call.now)


async def _ident(call: Call) -> UUID:
    ident = await alerts.alert_id(call.db, call.parent)
    if ident is None:
        raise Unknown(f"There is no alert {call.parent[:60]}.")
    return ident
