"""Steps of a person's act that change who is paged: hand an alert over, ask others beside, start over.

Rule 1: whoever is asked beside is asked beside: the climbs there are, and an acknowledgement, stand as they stood.
"""

from datetime import datetime

from msgspec.structs import replace

from nightbell.core import climbing, paging, planning
from nightbell.core import escalation as ladder
from nightbell.core.alert import Status
from nightbell.core.directory import Target
from nightbell.core.draft import Draft
from nightbell.core.errors import Invalid, Stale
from nightbell.core.escalation import BESIDE, Escalation, Phase
from nightbell.core.events import Reassign, Respond, Restart
from nightbell.core.journal import Actor, Kind
from nightbell.core.planning import Planned
from nightbell.core.routing import Routing


def by_hand(targets: tuple[Target, ...]) -> Routing:
    """Return the routing of an alert whose targets a person named."""
    return Routing(targets=targets, stage="person", reason="somebody said so", matched=(), problems=())


def not_in_maintenance(draft: Draft) -> None:
    """Refuse what would page now while planned work mutes the alert.

    Raises: Stale.
    """
    muted = climbing.muted(draft)
    if muted:
        raise Stale(
            f"{muted.name} goes on until {muted.until:%Y-%m-%d %H:%M} UTC: the service is in maintenance.",
            hint="End the maintenance first; what still fires then is paged.",
        )


def reassign(draft: Draft, act: Reassign) -> None:
    """End every climb and page others instead.

    Raises: Stale when the alert is over, Invalid without a target.
    """
    if not draft.alert.is_open:
        raise Stale("The alert is resolved; there is nobody to hand it to.")
    if not act.targets:
        raise Invalid("Name at least one target.", place="targets")
    climbing.end(draft)
    draft.what = "reassigned"
    draft.routing = by_hand(act.targets)
    nobodys(draft)
    details = f"Reassigned by {act.by.name} to {names(draft, act.targets)}."
    draft.note("alert.reassigned", details, kind=Kind.ACTION, action="escalated", by=act.by)
    climbing.begin(draft, act.targets, f"{act.by.name} reassigned it")


def nobodys(draft: Draft) -> None:
    """Take an alert from whoever had acknowledged or snoozed it: it pages again."""
    draft.becomes(replace(draft.alert, status=Status.TRIGGERED, acknowledged_by=None, snoozed_until=None))


def restart(draft: Draft, act: Restart) -> None:
    """Climb from the first level again, by the policies as they are now; `act.targets` is whom the alert is for.

    Raises: Stale when there is nothing to start, or while planned work mutes it.
    """
    if not draft.alert.is_open:
        raise Stale("The alert is resolved; there is nothing to start again.")
    if not act.targets:
        raise Stale("Nobody is paged for this alert.", hint="Reassign it to somebody.")
    not_in_maintenance(draft)
    climbing.end(draft)
    draft.what = "restarted"
    nobodys(draft)
    whom = names(draft, act.targets)
    details = f"Started over by {act.by.name}, as the policies are now: {whom}."
    draft.note("alert.restarted", details, kind=Kind.ACTION, action="escalated", by=act.by)
    climbing.begin(draft, act.targets, f"{act.by.name} started it over")


# ---------------------------------------------------------------- others beside


def respond(draft: Draft, act: Respond) -> None:
    """Page others at once, beside whoever is paged already; who is being paged right now is not paged twice.

    An acknowledged alert stays acknowledged: whoever took it wants help, not everybody woken anew.

    Raises: Stale when the alert is over or planned work mutes it, Invalid for somebody who cannot be paged.
    """
    if not draft.alert.is_open:
        raise Stale("The alert is resolved; there is nothing to help with.")
    if not act.targets:
        raise Invalid("Name at least one target.", place="targets")
    not_in_maintenance(draft)
    found = [one for target in act.targets for one in _plans(draft, target)]
    draft.what = "already_responding"
    started = [climb for one in found if (climb := _beside(draft, one, act.by))]
    if not started:
        return
    draft.what = "responders_added"
    details = f"{act.by.name} asked {names(draft, act.targets)} to help."
    draft.note("alert.responders_added", details, kind=Kind.ACTION, action="escalated", by=act.by)
    if draft.alert.status in (Status.OPEN, Status.DEFERRED):
        draft.becomes(replace(draft.alert, status=Status.TRIGGERED))
    for climb in started:
        if ladder.due(climb, draft.now):
            climbing.advance(draft, climb.id)
    climbing.settle(draft)


def _plans(draft: Draft, target: Target) -> list[Planned]:
    """Return what a target starts now: who is asked for is not put off till the morning.

    Raises: Invalid for somebody who cannot be paged.
    """
    found, why = planning.plans(target, draft.directory, climbing.seen(draft))
    if any(choice and choice.deferred_until for *_, choice in found):
        found, why = planning.plans(target, draft.directory)
    user = draft.directory.users.get(int(target.id)) if target.type == "User" else None
    if user and not paging.reachable(user, "audible"):
        why = f"{user.name} has no verified contact method"
    if why:
        raise Invalid(f"Nobody can be paged: {why}.", place="targets")
    return found


def _beside(draft: Draft, planned: Planned, by: Actor) -> Escalation | None:
    """Start one climb beside the others; None for somebody, or something, that pages at this moment."""
    origin, plan, choice = planned
    known = [e for e in draft.escalations.values() if e.origin in (origin, BESIDE + origin)]
    paging_now = {p.escalation_id for p in draft.pages.values() if not p.ended}
    if any(e.phase is Phase.CLIMBING or e.id in paging_now for e in known):
        return None
    if any(origin == f"user:{p.user_id}" and not p.ended for p in draft.pages.values()):
        return None
    for climb in known:
        if climb.beside:
            draft.escalations[climb.id] = replace(climb, phase=Phase.ENDED, wake_at=None, token=draft.mint())
    at_once = replace(plan, initial_delay=0)
    return climbing.start(draft, (BESIDE + origin, at_once, choice), f"{by.name} asked for it")


def joined(draft: Draft, by: Actor) -> bool:
    """Take the answer of somebody who was asked beside an alert that another has taken; whether there was one."""
    mine = {p.escalation_id for p in draft.pages.values() if p.user_id == by.user_id and not p.ended}
    if not mine:
        return False
    over = _over(draft)
    for climb in [draft.escalations[ident] for ident in mine if ident in draft.escalations]:
        theirs = {p.id for p in draft.pages.values() if p.escalation_id == climb.id and not p.ended}
        own = {ident for ident in theirs if draft.pages[ident].user_id == by.user_id}
        if climb.rung and climb.rung.all_must_acknowledge and own != theirs:
            climbing.end_pages(draft, own)
            continue
        climbing.end_pages(draft, theirs)
        if climb.phase in climbing.LIVE:
            held = replace(climb, phase=Phase.HELD, wake_at=over, token=draft.mint())
            draft.escalations[climb.id] = held
    draft.what = "joined"
    draft.note("alert.joined", f"{by.name} answered too.", action="acknowledged", by=by)
    return True


def _over(draft: Draft) -> datetime | None:
    """Return when the acknowledgement that stands is over, so that all are paged again together."""
    held = [e for e in draft.escalations.values() if e.phase is Phase.HELD and e.wake_at]
    return max((e.wake_at for e in held if e.wake_at), default=None)


def names(draft: Draft, targets: tuple[Target, ...]) -> str:
    """Return targets as people call them."""
    return ", ".join(_name(draft, target) for target in targets)


def _name(draft: Draft, target: Target) -> str:
    directory = draft.directory
    match target.type:
        case "User":
            user = directory.users.get(int(target.id)) if target.id.isdecimal() else None
            return user.name if user else f"user {target.id}"
        case "Group" if target.id in directory.teams:
            return f"team {directory.teams[target.id].name}"
        case "Service" if target.id in directory.services:
            return f"service {directory.services[target.id].name}"
        case "EscalationPolicy" if target.id in directory.policies:
            return f"policy {directory.policies[target.id].name}"
        case _:
            return f"{target.type} {target.id}"
