"""What the buttons of an alert ask of the engine. A button, a key and a link in a message end in the same call."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from uuid import UUID

from nightbell.core.directory import Target
from nightbell.core.draft import Decision
from nightbell.core.errors import Invalid
from nightbell.web.forms import Form
from nightbell.web.site import WebRequest

#: A week is the longest an alert may be put aside.
_LONGEST_SNOOZE = 7 * 24 * 60
_TARGET_TYPES = ("User", "Group", "Service", "EscalationPolicy")

Act = Callable[[WebRequest, UUID, Form], Awaitable[Decision]]


async def acknowledge(request: WebRequest, alert_id: UUID, form: Form) -> Decision:
    """Take an alert."""
    return await request.site.act.acknowledge(alert_id, by=request.visitor.actor, now=request.now)


async def resolve(request: WebRequest, alert_id: UUID, form: Form) -> Decision:
    """Say that an alert is over."""
    return await request.site.act.resolve(alert_id, by=request.visitor.actor, now=request.now)


async def snooze(request: WebRequest, alert_id: UUID, form: Form) -> Decision:
    """Keep an alert quiet for the minutes of the form, an hour by default."""
    minutes = form.number("minutes", least=1, most=_LONGEST_SNOOZE, default=60)
    until = request.now + timedelta(minutes=minutes)
    return await request.site.act.snooze(alert_id, until=until, by=request.visitor.actor, now=request.now)


async def escalate(request: WebRequest, alert_id: UUID, form: Form) -> Decision:
    """Page the next level now, or what the form names: "level/2", "policy/<id>"."""
    kind, _, which = form.raw("where").partition("/")
    level = int(which) if kind == "level" and which.isdecimal() and len(which) < 4 else None
    policy = which if kind == "policy" else None
    by, now = request.visitor.actor, request.now
    return await request.site.act.escalate(alert_id, by=by, now=now, policy=policy, level=level)


async def reassign(request: WebRequest, alert_id: UUID, form: Form) -> Decision:
    """Page the target of the form instead of whoever is paged now."""
    targets = (target(form.raw("target")),)
    return await request.site.act.reassign(alert_id, targets, by=request.visitor.actor, now=request.now)


async def respond(request: WebRequest, alert_id: UUID, form: Form) -> Decision:
    """Page the target of the form beside whoever is paged now."""
    targets = (target(form.raw("target")),)
    return await request.site.act.respond(alert_id, targets, by=request.visitor.actor, now=request.now)


async def restart(request: WebRequest, alert_id: UUID, form: Form) -> Decision:
    """Start the escalation over, by the policies as they are now."""
    return await request.site.act.restart(alert_id, by=request.visitor.actor, now=request.now)


async def note(request: WebRequest, alert_id: UUID, form: Form) -> Decision:
    """Write the text of the form into the timeline."""
    text = form.needed("text", longest=5000)
    return await request.site.act.note(alert_id, text, by=request.visitor.actor, now=request.now)


def target(text: str) -> Target:
    """Return a target from a picker: "User/1001", "Group/…".

    Raises: Invalid.
    """
    kind, _, ident = text.partition("/")
    if kind not in _TARGET_TYPES or not ident:
        raise Invalid("Choose whom to page.", place="target")
    return Target(type=kind, id=ident)


ACTS: dict[str, Act] = {
    "acknowledge": acknowledge,
    "resolve": resolve,
    "snooze": snooze,
    "escalate": escalate,
}
#: These need more than a press, or are too rare for a list of alerts.
ON_THE_PAGE: dict[str, Act] = {
    **ACTS,
    "reassign": reassign,
    "respond": respond,
    "restart": restart,
    "note": note,
}
DONE = {
    "acknowledge": "Acknowledged",
    "resolve": "Resolved",
    "snooze": "Snoozed",
    "escalate": "Escalated",
    "reassign": "Reassigned",
    "respond": "Asked for help with",
    "restart": "Started over",
    "note": "Noted on",
}
#: What the engine says when there was nothing left to do.
ALREADY = {
    "already_acknowledged": "Somebody had acknowledged it already.",
    "already_resolved": "It was resolved already.",
    "already_responding": "They are being paged already.",
    "joined": "Thank you: you are on it too.",
    "already_escalated": "It had moved to the next level already.",
}
