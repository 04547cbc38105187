"""Steps of a decision that page people: begin, go on, hold, end. decision.py calls them; they fill its Draft."""

from datetime import datetime, timedelta
from uuid import UUID

from msgspec.structs import replace

from nightbell.core import escalation as ladder
from nightbell.core import paging
from nightbell.core.directory import LevelTarget, Target
from nightbell.core.draft import Draft
from nightbell.core.errors import Invalid
from nightbell.core.escalation import Call, Climb, Escalation, Phase, Plan, Rise, Rung
from nightbell.core.journal import Kind
from nightbell.core.paging import Page

LIVE = (Phase.CLIMBING, Phase.HELD)
#: The origin of the climb that pages the people of last resort.
FALLBACK = "fallback"


def begin(
    draft: Draft,
    targets: tuple[Target, ...],
    reason: str,
    *,
    hold: timedelta = timedelta(),
    level: int | None = None,
    turn: int = 1,
) -> None:
    """Start a climb for everything the targets stand for; each origin once, however many name it.

    `turn` is how often an origin may have been climbed by then: a repeat of a new member's target pages nobody again,
    and policies that name each other come to an end.

    Raises: Invalid when `level` is none of the plan's.
    """
    started: list[Escalation] = []
    for target in targets:
        found, why = ladder.plans(target, draft.directory)
        if not found:
            _empty(draft, target, why)
        for origin, plan in found:
            if _may_start(draft, origin, turn):
                started.append(_start(draft, origin, plan, hold, level=level or 1))
                _say_started(draft, plan, reason)
    for climb in started:
        if ladder.due(climb, draft.now):
            advance(draft, climb.id)
    if targets and all(e.phase is Phase.ENDED for e in draft.escalations.values()):
        fall_back(draft, "none of the targets could be paged")


def _may_start(draft: Draft, origin: str, turn: int) -> bool:
    known = [e for e in draft.escalations.values() if e.origin == origin and e.phase is not Phase.ENDED]
    return len(known) < turn and not any(e.phase in LIVE for e in known)


def _empty(draft: Draft, target: Target, why: str) -> None:
    draft.note(
        "routing.empty_target",
        f"Nobody to page for {target.type} {target.id}: {why}.",
        kind=Kind.ROUTING,
        action="skipped",
        target=target.id,
    )


def _start(draft: Draft, origin: str, plan: Plan, hold: timedelta, *, level: int = 1) -> Escalation:
    if level != 1 and not 1 <= level <= len(plan.rungs):
        raise Invalid(f"{plan.name} has levels 1 to {len(plan.rungs)}.", place="escalation_policy_level")
    wake = draft.now + timedelta(seconds=plan.initial_delay) + hold
    climb = Escalation(
        id=draft.mint(),
        alert_id=draft.alert.id,
        occurrence=draft.alert.occurrence,
        origin=origin,
        plan=plan,
        phase=Phase.CLIMBING,
        level=level - 1,
        round=1,
        fired=0,
        reached=0,
        token=draft.mint(),
        wake_at=wake,
        created_at=draft.now,
    )
    draft.escalations[climb.id] = climb
    return climb


def _say_started(draft: Draft, plan: Plan, reason: str) -> None:
    what = f"policy {plan.name}" if plan.policy_id else plan.name
    draft.note(
        "escalation.started",
        f"Paging {what}, because {reason}.",
        kind=Kind.ROUTING,
        action="escalation_policy_paged",
        policy=plan.name,
        reason=reason,
    )


def advance(draft: Draft, climb_id: UUID) -> None:
    """Fire the next rung of a climb, and whatever that starts."""
    before = draft.escalations[climb_id]
    people = draft.directory.users
    climbed = ladder.climb(
        before, draft.directory, lambda u: paging.reachable(people.get(u), before.plan.loudness), draft.now
    )
    draft.escalations[climb_id] = replace(climbed.escalation, token=draft.mint())
    cycle = before.fired
    for rise in climbed.rises:
        cycle += 1
        _rise(draft, before, rise, cycle)
    for rise in climbed.rises:
        # A climb that came round fires a rung at or below where it stood.
        begin_beside(draft, rise, turn=before.round + (rise.level <= before.level))
    _ended(draft, climbed)


def begin_beside(draft: Draft, rise: Rise, *, turn: int) -> None:
    """Start the climbs that a rung asks for in parallel; ours goes on (rootly.md 5.1.5). `turn` is our round."""
    if rise.spawns:
        begin(draft, rise.spawns, f"level {rise.level} names them", turn=turn)


def _rise(draft: Draft, climb: Escalation, rise: Rise, cycle: int) -> None:
    for why in rise.empty:
        draft.note(
            "escalation.level_skipped" if not rise.calls and not rise.spawns else "escalation.target_skipped",
            f"Level {rise.level} of {climb.plan.name}: {why}.",
            kind=Kind.NOTIFICATION,
            action="level_skipped",
            level=rise.level,
            policy=climb.plan.name,
        )
    for call in rise.calls:
        page(draft, climb, call, rise.level, cycle)


def page(draft: Draft, climb: Escalation, call: Call, level: int, cycle: int) -> None:
    """Ask for one person's attention: a page, and its first messages. Twice in one decision is once."""
    user = draft.directory.users[call.user_id]
    if any(
        p.user_id == user.id and p.created_at == draft.now and p.id not in _known(draft)
        for p in draft.pages.values()
    ):
        draft.note(
            "page.same_moment",
            f"{user.name} is paged already at this moment.",
            kind=Kind.NOTIFICATION,
            action="skipped",
            level=level,
            user_id=user.id,
        )
        return
    new = Page(
        id=draft.mint(),
        alert_id=draft.alert.id,
        escalation_id=climb.id,
        user_id=user.id,
        occurrence=draft.alert.occurrence,
        level=level,
        cycle=cycle,
        loudness=climb.plan.loudness,
        ended=False,
        progress=-1,
        wake_at=None,
        created_at=draft.now,
    )
    draft.note(
        "page.created",
        f"Paged {user.name} (level {level}: {call.because}).",
        kind=Kind.NOTIFICATION,
        action="paged",
        level=level,
        user_id=user.id,
        policy=climb.plan.name,
        named_by=call.because,
    )
    go_on(draft, new, fresh=True)


def _known(draft: Draft) -> set[UUID]:
    return {p.id for p in draft.facts.pages}


def go_on(draft: Draft, current: Page, *, fresh: bool = False) -> None:
    """Use the contact methods of a page whose time has come."""
    user = draft.directory.users.get(current.user_id)
    if user is None or not user.active:
        draft.pages[current.id] = replace(current, ended=True, wake_at=None)
        return
    step = paging.step(current, user, () if fresh else _of(draft, user.id), draft.now)
    draft.pages[current.id] = step.page
    draft.notify(step.page, step.methods, f"{step.page.loudness} rules of {user.name}")


def _of(draft: Draft, user_id: int) -> list[paging.Sent]:
    return [s for s in draft.sent if s.user_id == user_id]


def _ended(draft: Draft, climbed: Climb) -> None:
    plan = climbed.escalation.plan
    if climbed.reached_nobody or (climbed.exhausted and not _anybody(draft)):
        fall_back(draft, f"{plan.name} reached no one")
    elif climbed.exhausted:
        draft.note(
            "escalation.exhausted",
            f"{plan.name} has nobody further to page."
            if plan.policy_id
            else f"{plan.name} was paged directly; nobody follows.",
            kind=Kind.NOTIFICATION,
            action="skipped",
            policy=plan.name,
        )


def _anybody(draft: Draft) -> bool:
    """Whether somebody was paged in this occurrence, or a climb may still come to somebody."""
    return bool(draft.pages or draft.sent) or any(e.phase in LIVE for e in draft.escalations.values())


def fall_back(draft: Draft, why: str) -> None:
    """Page the people of last resort; a run that reached no one must not end in silence (DESIGN 6)."""
    if any(e.origin == FALLBACK and e.phase is not Phase.ENDED for e in draft.escalations.values()):
        return
    people = [
        u
        for u in draft.directory.fallback_user_ids
        if paging.reachable(draft.directory.users.get(u), "audible")
    ]
    if not people:
        give_up(draft, why)
        return
    draft.fallback = "paged"
    draft.becomes(replace(draft.alert, unpaged=True))
    targets = tuple(LevelTarget(type="user", id=str(u)) for u in people)
    plan = Plan(
        name="Fallback",
        policy_id=None,
        path_id=None,
        loudness="audible",
        initial_delay=0,
        rounds=1,
        rungs=(Rung(position=1, wait=0, targets=targets),),
    )
    draft.note(
        "escalation.fallback",
        f"Paging the fallback people: {why}.",
        kind=Kind.NOTIFICATION,
        action="escalated",
        why=why,
    )
    advance(draft, _start(draft, FALLBACK, plan, timedelta()).id)


def give_up(draft: Draft, why: str) -> None:
    """Say, loudly, that nobody could be reached at all."""
    draft.fallback = "nobody"
    draft.becomes(replace(draft.alert, unpaged=True))
    draft.note(
        "escalation.unpaged",
        f"Nobody was paged: {why}, and no fallback person can be reached.",
        kind=Kind.NOTIFICATION,
        action="skipped",
        why=why,
    )


def hold(draft: Draft, *, until: datetime | None) -> None:
    """Stop paging: climbs wait (for ever, or until the given instant), pages end, waiting messages are cancelled."""
    known = _resumable(draft)
    for climb in [e for e in known if e.phase in LIVE] or known:
        draft.escalations[climb.id] = replace(climb, phase=Phase.HELD, wake_at=until, token=draft.mint())
    _quiet(draft)


def _resumable(draft: Draft) -> list[Escalation]:
    """Return the newest climb of each origin; the fallback's only where there is no other."""
    newest = {e.origin: e for e in draft.escalations.values() if e.phase is not Phase.ENDED}
    return [e for e in newest.values() if e.origin != FALLBACK] or list(newest.values())


def end(draft: Draft) -> None:
    """Stop paging for good."""
    for climb in [e for e in draft.escalations.values() if e.phase is not Phase.ENDED]:
        draft.escalations[climb.id] = replace(climb, phase=Phase.ENDED, wake_at=None, token=draft.mint())
    _quiet(draft)


def _quiet(draft: Draft) -> None:
    for current in draft.pages.values():
        draft.pages[current.id] = replace(current, ended=True, wake_at=None)
    draft.notifications.clear()
    draft.cancel = True


def restart(draft: Draft) -> None:
    """Climb again from the first rung: a snooze or an acknowledgement is over."""
    again = _resumable(draft)
    for climb in [e for e in draft.escalations.values() if e.origin == FALLBACK and e not in again]:
        draft.escalations[climb.id] = replace(climb, phase=Phase.ENDED, wake_at=None, token=draft.mint())
    for climb in again:
        resume(draft, climb.id)
    if not again:
        fall_back(draft, "nobody was ever paged for it")


def resume(draft: Draft, climb_id: UUID) -> None:
    """Let one climb begin again from its first rung."""
    draft.escalations[climb_id] = replace(
        draft.escalations[climb_id],
        phase=Phase.CLIMBING,
        level=0,
        round=1,
        reached=0,
        wake_at=draft.now,
        token=draft.mint(),
    )
    advance(draft, climb_id)
