"""What a person does to an alert. Whoever asks (button, API, SMS, chat), these are the only ways."""

from datetime import datetime, timedelta
from typing import assert_never

from msgspec.structs import replace

from nightbell.core import climbing, closing, handing, leading, telling
from nightbell.core.alert import Status
from nightbell.core.draft import Draft
from nightbell.core.errors import Invalid, Stale
from nightbell.core.escalation import Escalation, Phase
from nightbell.core.events import (
    Acknowledge,
    Act,
    Escalate,
    Note,
    Reassign,
    Resolve,
    Respond,
    Restart,
    Snooze,
)
from nightbell.core.journal import Actor, Kind


def acted(draft: Draft, act: Act) -> None:
    """Carry out one act.

    Raises: Stale when the alert is past it, Invalid when the act itself is wrong.
    """
    if draft.alert.group is not None and leading.asked(draft, act):
        return
    match act:
        case Acknowledge():
            _acknowledge(draft, act.by)
        case Resolve():
            _resolve(draft, act.by)
        case Snooze():
            _snooze(draft, act)
        case Escalate():
            _escalate(draft, act)
        case Reassign():
            handing.reassign(draft, act)
        case Respond():
            handing.respond(draft, act)
        case Restart():
            handing.restart(draft, act)
        case Note():
            draft.what = "noted"
            draft.note("note", act.text, kind=Kind.NOTE, action="added", by=act.by)
        case _:
            assert_never(act)


def _acknowledge(draft: Draft, by: Actor) -> None:
    alert = draft.alert
    if alert.status is Status.ACKNOWLEDGED:
        if not handing.joined(draft, by):
            draft.what = "already_acknowledged"
        return
    if alert.status not in (Status.TRIGGERED, Status.DEFERRED):
        raise Stale(
            f"The alert is {alert.status}; only a triggered alert can be acknowledged.",
            hint="An open alert pages nobody: resolve it, or escalate it to somebody."
            if alert.is_open
            else "",
        )
    again = any(by.user_id in climb.acknowledged for climb in draft.escalations.values())
    waited_for = _in_part(draft, by)
    if waited_for and again:
        draft.what = "already_acknowledged"
        return
    if waited_for:
        names = ", ".join(waited_for)
        draft.what = "acknowledged_in_part"
        draft.note(
            "alert.acknowledged_in_part",
            f"Acknowledged by {by.name}; the level waits for {names} too.",
            action="acknowledged",
            by=by,
        )
        return
    climbing.hold(draft, until=_acknowledged_until(draft))
    _taken(draft, by)
    draft.note("alert.acknowledged", f"Acknowledged by {by.name}.", action="acknowledged", by=by)
    telling.tell(draft, by, "acknowledged", f"Acknowledged by {by.name}: you can leave it to them.")


def _in_part(draft: Draft, by: Actor) -> list[str]:
    """Take one person's acknowledgement where everybody must give one, and return who is still waited for."""
    waited_for: list[str] = []
    for climb in list(draft.escalations.values()):
        rung = climb.rung
        # Whoever the last level called is still called when it has had its time.
        live = climb.phase in (Phase.CLIMBING, Phase.EXHAUSTED)
        if not live or rung is None or not rung.all_must_acknowledge:
            continue
        called = [
            p
            for p in draft.pages.values()
            if p.escalation_id == climb.id and p.cycle == climb.fired and p.shadows_user_id is None
        ]
        others = sorted({p.user_id for p in called if p.user_id != by.user_id and not p.ended})
        again = by.user_id in climb.acknowledged
        if others and (again or any(p.user_id == by.user_id for p in called)):
            waited_for += [draft.directory.users[u].name for u in others if u in draft.directory.users]
            taken = climb.acknowledged if again or by.user_id is None else (*climb.acknowledged, by.user_id)
            draft.escalations[climb.id] = replace(climb, acknowledged=taken)
            climbing.end_pages(draft, {p.id for p in draft.pages.values() if p.user_id == by.user_id})
    return waited_for


def _acknowledged_until(draft: Draft) -> datetime | None:
    """Return when an acknowledgement is over: None for never.

    Asked in this order: the path, the source, the urgency, the installation.
    """
    alert, directory = draft.alert, draft.directory
    by_path = [e.plan.acknowledge_minutes for e in draft.escalations.values() if e.phase is not Phase.ENDED]
    source = directory.sources.get(alert.source_id) if alert.source_id else None
    by_urgency = directory.acknowledge_minutes.get(alert.urgency_id) if alert.urgency_id else None
    by_source = source.acknowledge_minutes if source else None
    asked = [*by_path, by_source, by_urgency, directory.acknowledge_default]
    minutes = next((m for m in asked if m is not None), -1)
    return draft.now + timedelta(minutes=minutes) if minutes > 0 else None


def _taken(draft: Draft, by: Actor) -> None:
    alert = draft.alert
    draft.what = "acknowledged"
    draft.becomes(
        replace(
            alert,
            status=Status.ACKNOWLEDGED,
            unpaged=False,
            acknowledged_at=alert.acknowledged_at or draft.now,
            acknowledged_by=by.user_id,
        )
    )


def _resolve(draft: Draft, by: Actor) -> None:
    alert = draft.alert
    if not alert.is_open:
        draft.what = "already_resolved"
        return
    closing.by_hand(draft, by)


def _snooze(draft: Draft, act: Snooze) -> None:
    alert = draft.alert
    if alert.status not in (Status.TRIGGERED, Status.ACKNOWLEDGED, Status.DEFERRED):
        raise Stale(f"The alert is {alert.status}; only one that pages somebody can be snoozed.")
    if act.until <= draft.now:
        raise Invalid(
            "The snooze must end in the future.", place="delay_minutes", hint="Give at least 1 minute."
        )
    climbing.hold(draft, until=act.until)
    if alert.status is not Status.ACKNOWLEDGED:
        _taken(draft, act.by)
    draft.becomes(replace(draft.alert, snoozed_until=act.until))
    draft.what = "snoozed"
    draft.note(
        "alert.snoozed",
        f"Snoozed by {act.by.name} until {act.until:%Y-%m-%d %H:%M} UTC.",
        action="snoozed",
        by=act.by,
        kind=Kind.ACTION,
        until=act.until.isoformat(),
    )


def _escalate(draft: Draft, act: Escalate) -> None:
    if not draft.alert.is_open:
        raise Stale("The alert is resolved; there is nothing to escalate.")
    handing.not_in_maintenance(draft)
    if act.policy:
        _say_escalated(draft, act.by, f"to {handing.names(draft, (act.policy,))}")
        _to_policy(draft, act)
        return
    climb = _current(draft)
    if act.as_of is not None and climb.fired > act.as_of:
        draft.what = "already_escalated"
        return
    if climb.plan.deferral:
        _say_escalated(draft, act.by, f"past the deferral of {climb.plan.name}")
        climbing.undefer(draft, climb, by_hand=True)
        return
    rungs = len(climb.plan.rungs)
    if act.level is not None and not 1 <= act.level <= rungs:
        raise Invalid(f"{climb.plan.name} has levels 1 to {rungs}.", place="escalation_policy_level")
    after = act.level - 1 if act.level is not None else climb.level if climb.level < rungs else 0
    draft.escalations[climb.id] = replace(
        climb, phase=Phase.CLIMBING, level=after, wake_at=draft.now, token=draft.mint()
    )
    _say_escalated(draft, act.by, f"to level {after + 1} of {climb.plan.name}")
    climbing.advance(draft, climb.id)


def _current(draft: Draft) -> Escalation:
    known = [e for e in draft.escalations.values() if e.phase is not Phase.ENDED]
    if not known:
        raise Stale("Nobody is paged for this alert.", hint="Name an escalation policy to escalate it to.")
    # Those who were asked beside follow only where there is nobody else.
    own = [e for e in known if not e.beside] or known
    live = [e for e in own if e.phase in climbing.LIVE]
    return max(live or own, key=lambda e: (bool(e.plan.policy_id), e.created_at))


def _say_escalated(draft: Draft, by: Actor, where: str) -> None:
    """An escalated alert is nobody's any more, so it pages again (E06)."""
    draft.what = "escalated"
    handing.nobodys(draft)
    draft.note(
        "alert.escalated", f"Escalated by {by.name} {where}.", kind=Kind.ACTION, action="escalated", by=by
    )


def _to_policy(draft: Draft, act: Escalate) -> None:
    target = act.policy
    if target is None:
        return
    climbing.end(draft)
    draft.routing = handing.by_hand((target,))
    climbing.begin(draft, (target,), f"{act.by.name} escalated it", level=act.level)
