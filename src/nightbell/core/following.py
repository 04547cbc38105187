"""Steps of a decision for what an alert hears of its group: who joined, what the leader came to, that it leads now.

Rule 1: whoever takes over a group is paged for where its leader stood; those it paged were told that it is over.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, assert_never

from msgspec.structs import replace

from nightbell.core import climbing, closing, leading
from nightbell.core.alert import Status
from nightbell.core.draft import Draft
from nightbell.core.escalation import BREATH, Escalation, Phase
from nightbell.core.events import Handed, Heard, Joined, Led, Left, Promoted
from nightbell.core.group import Group
from nightbell.core.journal import Kind

#: A leader's timeline names those that join first; of a storm it names every hundredth.
_EACH, _EVERY = 20, 100


def heard(draft: Draft, event: Heard) -> None:
    """Take over what happened to another alert of the group."""
    draft.what = "grouped"
    match event:
        case Joined():
            _gained(draft, event)
        case Left():
            _resized(draft, -1)
        case Led():
            _led(draft, event)
        case Promoted():
            _promoted(draft, event)
        case Handed():
            _handed(draft, event)
        case _:
            assert_never(event)


def _gained(draft: Draft, event: Joined) -> None:
    _regrouped(draft, until=event.until)
    group = _resized(draft, 1)
    if group.size <= _EACH or group.size % _EVERY == 0:
        draft.note(
            "group.gained",
            f"{leading.short(event.alert)} {event.alert.summary} joined; {_many(group.size)} now.",
            kind=Kind.GROUPING,
            action="attached",
            alert=str(event.alert.id),
        )
    if event.targets and draft.alert.is_open:
        climbing.begin(draft, event.targets, f"{leading.short(event.alert)} joined and is for them too")


def _many(following: int) -> str:
    return f"{following} follow" if following != 1 else "1 follows"


def _resized(draft: Draft, by: int) -> Group:
    group = _group(draft)
    return _regrouped(draft, size=max(group.size + by, 0))


def _regrouped(draft: Draft, **changes: Any) -> Group:
    group = replace(_group(draft), **changes)
    draft.becomes(replace(draft.alert, group=group))
    return group


def _group(draft: Draft) -> Group:
    if draft.alert.group is None:
        raise LookupError("an alert that is in no group heard of one")
    return draft.alert.group


def _led(draft: Draft, event: Led) -> None:
    leader = f"its leader {leading.short(event.leader)}"
    match event.status:
        case Status.RESOLVED if draft.alert.is_open:
            closing.by_hand(draft, event.by)
            draft.note(
                "group.resolved",
                f"Resolved with {leader}.",
                kind=Kind.GROUPING,
                action="resolved",
                by=event.by,
            )
        case Status.ACKNOWLEDGED if draft.alert.status in (Status.TRIGGERED, Status.DEFERRED):
            climbing.hold(draft, until=None)
            at = draft.alert.acknowledged_at or draft.now
            _becomes(draft, Status.ACKNOWLEDGED, acknowledged_at=at, acknowledged_by=event.by.user_id)
            draft.note(
                "group.acknowledged",
                f"Acknowledged with {leader}.",
                kind=Kind.GROUPING,
                action="acknowledged",
                by=event.by,
            )
        case Status.TRIGGERED if draft.alert.status is Status.ACKNOWLEDGED:
            _becomes(draft, Status.TRIGGERED, acknowledged_by=None)
            draft.note(
                "group.retriggered",
                f"Pages again with {leader}.",
                kind=Kind.GROUPING,
                action="retriggered",
                by=event.by,
            )


def _becomes(draft: Draft, status: Status, **changes: Any) -> None:
    draft.becomes(replace(draft.alert, status=status, **changes))


def _handed(draft: Draft, event: Handed) -> None:
    _regrouped(draft, leader_id=event.leader.id)
    draft.note(
        "group.handed",
        f"Follows {leading.short(event.leader)} {event.leader.summary} from now on.",
        kind=Kind.GROUPING,
        action="updated",
        leader=str(event.leader.id),
    )


def _promoted(draft: Draft, event: Promoted) -> None:
    """Lead on. Whoever the leader paged is told that it is over, so they are paged for this one, where they stood.

    An outage ends alert by alert: a group that was handed on a moment ago pages once for all of that minute.
    """
    taken = draft.alert.status is Status.ACKNOWLEDGED
    before = event.group.handed_at
    at = max(draft.now, before + BREATH) if before else draft.now
    group = event.group if taken else replace(event.group, handed_at=at)
    draft.becomes(replace(draft.alert, group=group, snoozed_until=event.snoozed_until if taken else None))
    draft.note(
        "group.leads",
        f"Leads its group: {leading.short(event.leader)} {event.why}, and this still fires.",
        kind=Kind.GROUPING,
        action="updated",
        leader=str(event.leader.id),
    )
    if not climbing.muted(draft):
        _go_on(draft, event.climbs, None if taken else at)
    if taken:
        return
    why = "its leader is over and it still fires"
    climbing.begin(draft, draft.facts.targets, why, hold=at - draft.now)
    if all(e.phase is Phase.ENDED for e in draft.escalations.values()):
        climbing.fall_back(draft, "nobody is known to be paged for it")


def _go_on(draft: Draft, climbs: Sequence[Escalation], at: datetime | None) -> None:
    """Take over the climbs of a leader, to page at an instant; None for what somebody has taken."""
    newest = {e.origin: e for e in climbs if e.phase is not Phase.ENDED}
    for climb in newest.values():
        beside = climb.origin == climbing.FALLBACK or climb.beside
        if beside or climb.muted_by or climb.plan.deferral:
            continue
        own = _taken_over(draft, climb, at)
        draft.escalations[own.id] = own
        if own.phase is Phase.CLIMBING and own.wake_at and own.wake_at <= draft.now:
            climbing.advance(draft, own.id)


def _taken_over(draft: Draft, climb: Escalation, at: datetime | None) -> Escalation:
    # It has called nobody yet: its delay goes on.
    waits = climb.phase is Phase.CLIMBING and climb.fired == 0
    held_until = climb.wake_at if climb.phase is Phase.HELD else None
    return replace(
        climb,
        id=draft.mint(),
        alert_id=draft.alert.id,
        occurrence=draft.alert.occurrence,
        phase=Phase.CLIMBING if at else Phase.HELD,
        level=climb.level if waits else _again(climb),
        round=1 if climb.phase is Phase.EXHAUSTED else climb.round,
        fired=0,
        reached=0,
        turn=0,
        acknowledged=(),
        token=draft.mint(),
        wake_at=held_until if at is None else climb.wake_at if waits else at,
        created_at=draft.now,
    )


def _again(climb: Escalation) -> int:
    """Return the level before the last one that called somebody: that one is called again."""
    if climb.phase is Phase.EXHAUSTED:
        return 0
    called = [n for n, rung in enumerate(climb.plan.rungs[: climb.level]) if rung.kind == "page"]
    return max(called, default=0)
