"""Steps of a decision for alerts that are one problem: lead, follow, take over what the leader came to, lead on.

Rule 1: whoever follows pages nobody, so it follows only an alert that is open and pages whomever it would page itself.
"""

from collections.abc import Iterable, Sequence
from datetime import timedelta
from uuid import UUID

from msgspec.structs import replace

from nightbell.core import climbing, grouping, handing, planning, shortid
from nightbell.core.alert import Alert, Status
from nightbell.core.directory import Target
from nightbell.core.draft import Draft, Facts
from nightbell.core.escalation import Escalation, Phase
from nightbell.core.events import (
    Act,
    Escalate,
    Event,
    Handed,
    Heard,
    Joined,
    Led,
    Left,
    Over,
    Promoted,
    Reassign,
    Resolve,
    Restart,
    Snooze,
    Tell,
)
from nightbell.core.group import Group, Named
from nightbell.core.grouping import Placed, Said
from nightbell.core.journal import SYSTEM, Actor, Kind
from nightbell.core.routing import Routing

_SUMMARY = 200


def begin(draft: Draft, found: Routing, *, hold: timedelta, fresh: bool) -> None:
    """Start what an alert asks for, unless it follows another, or joins one now.

    Shape: `fresh` where it pages for the first time in this occurrence; only then does a rule look at it.
    """
    group = draft.alert.group
    if group is not None and not group.leads and not _asks_for_more(draft, found):
        return
    looked = fresh and draft.directory.groupings and draft.facts.leaders is not None
    at = _placed(draft, found) if looked else None
    if at and _joined(draft, at, found.targets, doubtful=bool(hold)):
        return
    climbing.begin(draft, found.targets, found.reason, hold=hold)
    known = [e for e in draft.escalations.values() if e.phase is not Phase.ENDED]
    if at and draft.alert.status is Status.TRIGGERED and known and not _silenced(known):
        _leads(draft, at)


def _placed(draft: Draft, found: Routing) -> Placed | None:
    said = Said(
        title=draft.alert.summary,
        urgency_id=draft.alert.urgency_id,
        payload=draft.payload or {},
        targets=found.targets,
    )
    return grouping.place(said, draft.directory)


def _asks_for_more(draft: Draft, found: Routing) -> bool:
    """Let an alert that follows go its own way once it asks for somebody whom its group need not page."""
    if set(found.targets) <= set(draft.facts.targets):
        return False
    leave(draft, "something new in it is for others than before")
    handing.nobodys(draft)
    return True


# ---------------------------------------------------------------- joining


def _joined(draft: Draft, at: Placed, targets: tuple[Target, ...], *, doubtful: bool) -> bool:
    """Follow the alert that leads this bucket, if it is one that pages for this one too."""
    leader = _leader(draft, at)
    if leader is None or leader.alert is None or not grouping.takes(leader, at.bucket, draft.now):
        return False
    missing = _missing(draft, leader, targets)
    if missing is None or (missing and leader.alert.status is Status.ACKNOWLEDGED):
        return False
    if not doubtful and _in_doubt(draft, leader):
        return False
    _follow(draft, at, leader.alert)
    joined = Joined(alert=named(draft.alert), until=draft.now + at.rule.window, targets=missing)
    _tell(draft, joined, to=leader.alert.id)
    return True


def _leader(draft: Draft, at: Placed) -> Facts | None:
    return (draft.facts.leaders or {}).get(at.bucket)


def _missing(draft: Draft, leader: Facts, targets: tuple[Target, ...]) -> tuple[Target, ...] | None:
    """Return the targets that a leader does not page yet; None for an alert that must page by itself.

    That is one that is muted or put off now, one that names nobody, and one that calls louder than the leader does.
    """
    climbs = [e for e in leader.escalations if e.phase is not Phase.ENDED]
    missing: list[Target] = []
    draft.service_ids |= {t.id for t in targets if t.type == "Service"}
    if climbing.muted(draft):
        return None
    for target in targets:
        found, _ = planning.plans(target, draft.directory, climbing.seen(draft))
        if not found or any(plan.deferral for _, plan, _ in found):
            return None
        for origin, plan, _ in found:
            loud = {e.plan.loudness for e in climbs if e.origin == origin}
            if not loud:
                missing.append(target)
            elif plan.loudness == "audible" and plan.loudness not in loud:
                return None
    return tuple(dict.fromkeys(missing))


def _in_doubt(draft: Draft, leader: Facts) -> bool:
    """Whether a leader is held back because it may be stale: what is certain must not wait for it."""
    if leader.alert and leader.alert.group and leader.alert.group.handed_at:
        return False
    live = [e for e in leader.escalations if e.phase in climbing.LIVE]
    return bool(live) and all(
        e.phase is Phase.CLIMBING
        and e.fired == e.level == e.turn == 0
        and not e.plan.initial_delay
        and e.wake_at is not None
        and e.wake_at > draft.now
        for e in live
    )


def _follow(draft: Draft, at: Placed, leader: Alert) -> None:
    taken = leader.status is Status.ACKNOWLEDGED
    draft.becomes(
        replace(
            draft.alert,
            status=leader.status,
            acknowledged_at=draft.now if taken else draft.alert.acknowledged_at,
            acknowledged_by=leader.acknowledged_by,
            group=Group(
                rule_id=at.rule.id, leader_id=leader.id, bucket=None, until=draft.now + at.rule.window
            ),
        )
    )
    pages = "which somebody has taken" if taken else "which pages for it"
    draft.note(
        "group.joined",
        f"Joined the group of {short(named(leader))} {leader.summary}, {pages}: "
        f"rule {at.rule.name}, {at.why} within {_minutes(at.rule.window)}.",
        kind=Kind.GROUPING,
        action="added",
        rule=at.rule.name,
        rule_id=str(at.rule.id),
        leader=str(leader.id),
        leader_short_id=shortid.encode(leader.number),
    )


def _leads(draft: Draft, at: Placed) -> None:
    group = Group(rule_id=at.rule.id, leader_id=None, bucket=at.bucket, until=draft.now + at.rule.window)
    before = _leader(draft, at)
    if before and before.alert and before.alert.id != draft.alert.id:
        draft.supersedes = before.alert.id
    draft.becomes(replace(draft.alert, group=group))
    draft.note(
        "group.opened",
        f"Leads a group: rule {at.rule.name}, {at.why}. What comes within {_minutes(at.rule.window)} joins it.",
        kind=Kind.GROUPING,
        action="opened",
        rule=at.rule.name,
        rule_id=str(at.rule.id),
    )


def leave(draft: Draft, why: str, by: Actor = SYSTEM) -> None:
    """Take an alert out of the group it follows; from now on it pages by itself."""
    group = draft.alert.group
    if group is None or group.leader_id is None:
        return
    _tell(draft, Left(alert=named(draft.alert)), to=group.leader_id)
    draft.becomes(replace(draft.alert, group=None))
    draft.note(
        "group.left",
        f"Left its group: {why}.",
        kind=Kind.GROUPING,
        action="removed",
        by=by,
        leader=str(group.leader_id),
    )


def stays_taken(draft: Draft) -> bool:
    """Return whether what is new in an acknowledged alert is covered by its group; else it leaves the group."""
    group = draft.alert.group
    if group is None or group.leads:
        return False
    if draft.now < group.until:
        return True
    leave(draft, "something new fires in it, and the window of its group is over")
    return False


def asked(draft: Draft, act: Act) -> bool:
    """Take an alert out of its group when a person wants it paged by itself; whether that was all they asked."""
    group = draft.alert.group
    alone = isinstance(act, Snooze | Escalate | Reassign | Restart)
    if group is None or group.leads or not draft.alert.is_open or not alone:
        return False
    by = act.by
    if not isinstance(act, Escalate) or act.policy is not None:
        leave(draft, f"{by.name} wants it dealt with by itself", by)
        return False
    handing.not_in_maintenance(draft)
    leave(draft, f"{by.name} escalated it", by)
    draft.what = "escalated"
    handing.nobodys(draft)
    draft.note("alert.escalated", f"Escalated by {by.name}.", kind=Kind.ACTION, action="escalated", by=by)
    climbing.begin(draft, draft.facts.targets, f"{by.name} escalated it", level=act.level)
    return True


# ---------------------------------------------------------------- what others hear of it


def told(draft: Draft, event: Event) -> None:
    """Note what those that follow must hear: the leader was taken, pages again, is over, or is kept from paging."""
    before, alert = draft.facts.alert, draft.alert
    group = alert.group
    if before is None or before.group is None or group is None or not group.leads:
        return
    promoted = isinstance(event, Promoted)
    if not before.group.leads and not promoted:
        return
    over = before.is_open and not alert.is_open
    silenced = not over and _held_anew(draft, since=() if promoted else draft.facts.escalations)
    if over or silenced:
        draft.becomes(replace(alert, group=replace(group, bucket=None)))
    by = event.by if isinstance(event, Act) else SYSTEM
    news: Led | Over | None = None
    if over and isinstance(event, Resolve):
        news = Led(leader=named(alert), status=Status.RESOLVED, by=by)
    elif over or silenced:
        news = Over(
            leader=named(alert),
            why="is over" if over else "is kept from paging by planned work",
            group=group,
            climbs=draft.facts.escalations,
            snoozed_until=before.snoozed_until,
            at=draft.now,
            resolved=over,
            held_by=mute.id if silenced and (mute := climbing.muted(draft)) else None,
        )
    elif _passes_on(before.status, alert.status):
        news = Led(leader=named(alert), status=alert.status, by=by)
    if news:
        draft.tells.append(Tell(event=news, directory=draft.directory, followers_of=alert.id))


def _passes_on(before: Status, after: Status) -> bool:
    """Whether those that follow take a change over: the leader was taken, or what was taken pages again."""
    taken = Status.ACKNOWLEDGED
    return after is not before and (after is taken or (before is taken and after is Status.TRIGGERED))


def _held_anew(draft: Draft, since: Iterable[Escalation]) -> bool:
    """Whether every climb is kept from paging, and was not, or was by other work."""
    now, then = list(draft.escalations.values()), list(since)
    return _silenced(now) and (not _silenced(then) or {e.muted_by for e in now} != {e.muted_by for e in then})


def _silenced(climbs: Iterable[Escalation]) -> bool:
    live = [e for e in climbs if e.phase in climbing.LIVE]
    return bool(live) and all(e.muted_by or e.plan.deferral for e in live)


def shared(event: Heard | Over, followers: Sequence[Facts]) -> list[tuple[Facts, Heard]]:
    """Return what each of those that follow hears. When a leader is over, the eldest leads on and has the rest."""
    if not isinstance(event, Over):
        return [(one, event) for one in followers]
    held = event.held_by
    # What the same work keeps from paging waits for its end with its leader.
    moved = [f for f in followers if held is None or not grouping.is_held(f, held, event.at)]
    now_on = grouping.heir(moved, event.at)
    if now_on is None or now_on.alert is None:
        return []
    rest = [f for f in moved if f is not now_on]
    promoted = Promoted(
        leader=event.leader,
        why=event.why,
        group=replace(event.group, leader_id=None, size=len(rest)),
        climbs=event.climbs,
        snoozed_until=event.snoozed_until,
    )
    handed = Handed(leader=named(now_on.alert))
    return [(now_on, promoted), *((one, handed) for one in rest)]


def kept(draft: Draft, after: Facts) -> Facts:
    """Return the facts of an alert in a group with what it may need to page by itself later in the same batch."""
    shown = draft.shown
    if shown is None:
        return after
    targets = shown.routing.targets if shown.routing else after.targets
    return replace(after, labels=shown.text.labels, targets=targets)


# ---------------------------------------------------------------- words


def _tell(draft: Draft, event: Heard, *, to: UUID) -> None:
    draft.tells.append(Tell(event=event, directory=draft.directory, to=to))


def named(alert: Alert) -> Named:
    """Return an alert as timelines of others name it."""
    return Named(id=alert.id, number=alert.number, summary=alert.summary[:_SUMMARY])


def short(alert: Named) -> str:
    """Return the short id of an alert."""
    return shortid.encode(alert.number)


def _minutes(window: timedelta) -> str:
    minutes = int(window / timedelta(minutes=1))
    return f"{minutes} minutes" if minutes != 1 else "1 minute"
