"""Steps of a decision that page people: begin, go on, hold, end. decision.py calls them; they fill its Draft."""

from datetime import datetime, timedelta
from uuid import UUID

from msgspec import Struct
from msgspec.structs import replace

from nightbell.core import ascent, asking, maintenance, paging, planning, posting, quiet
from nightbell.core import escalation as ladder
from nightbell.core.alert import BEGINS, Status
from nightbell.core.ascent import Climb, Luck
from nightbell.core.choosing import Circumstances
from nightbell.core.directory import LevelTarget, Target
from nightbell.core.draft import Draft
from nightbell.core.errors import Invalid
from nightbell.core.escalation import BESIDE, Escalation, Phase, Rise
from nightbell.core.journal import Kind
from nightbell.core.maintenance import Muted
from nightbell.core.planning import Planned

LIVE = (Phase.CLIMBING, Phase.HELD)
#: The origin of the climb that pages the people of last resort.
FALLBACK = "fallback"


class Whence(Struct, frozen=True, kw_only=True):
    """What climbs come of: `turn` is how often an origin may have been climbed by then, `prefix` goes before origins."""

    turn: int = 1
    prefix: str = ""


_BY_ITSELF = Whence()


def begin(
    draft: Draft,
    targets: tuple[Target, ...],
    reason: str,
    *,
    hold: timedelta = timedelta(),
    level: int | None = None,
    whence: Whence = _BY_ITSELF,
) -> None:
    """Start a climb for everything the targets stand for; each origin once, however many name it.

    A repeat of a new member's target pages nobody again, and policies that name each other come to an end.

    Raises: Invalid when `level` is none of the plan's.
    """
    draft.service_ids |= {t.id for t in targets if t.type == "Service"}
    started: list[Escalation] = []
    for target in targets:
        found, why = planning.plans(target, draft.directory, seen(draft))
        if not found:
            _empty(draft, target, why)
        started += [
            start(draft, (whence.prefix + origin, plan, choice), reason, hold=hold, level=level or 1)
            for origin, plan, choice in found
            if _may_start(draft, origin, whence)
        ]
    for climb in started:
        if climb.phase is Phase.CLIMBING and ladder.due(climb, draft.now):
            advance(draft, climb.id)
    if targets and all(e.phase is Phase.ENDED for e in draft.escalations.values()):
        fall_back(draft, "none of the targets could be paged")
    settle(draft)


def seen(draft: Draft) -> Circumstances:
    """Return what paths may look at: the delivery at hand, else what is stored of the alert."""
    source = draft.directory.sources.get(draft.alert.source_id) if draft.alert.source_id else None
    stored = {"commonLabels": draft.facts.labels, "alerts": [{"labels": draft.facts.labels}]}
    return Circumstances(
        now=draft.now,
        urgency_id=draft.alert.urgency_id,
        source=source.type if source else "api",
        service_ids=draft.service_ids,
        payload=draft.payload if draft.payload is not None else stored,
    )


def settle(draft: Draft) -> None:
    """Let the status say whether anybody is paged yet: an alert whose every climb is put off is deferred."""
    alert = draft.alert
    if alert.status not in (Status.TRIGGERED, Status.DEFERRED, Status.OPEN):
        return
    known = [e for e in draft.escalations.values() if e.phase is not Phase.ENDED]
    put_off = known and all(_put_off(e) for e in known)
    if put_off and alert.status is not Status.DEFERRED:
        draft.becomes(replace(alert, status=Status.DEFERRED))
    elif known and not put_off and alert.status is Status.DEFERRED:
        draft.becomes(replace(alert, status=Status.TRIGGERED))


def _put_off(climb: Escalation) -> bool:
    return climb.phase is Phase.HELD and (climb.muted_by is not None or climb.plan.deferral is not None)


def _may_start(draft: Draft, origin: str, whence: Whence) -> bool:
    # What pages at this moment need not be asked for beside; what an acknowledgement holds must be.
    if any(e.phase is Phase.CLIMBING for e in _climbs(draft, origin)):
        return False
    known = _climbs(draft, whence.prefix + origin)
    return len(known) < whence.turn and not any(e.phase in LIVE for e in known)


def _climbs(draft: Draft, origin: str) -> list[Escalation]:
    return [e for e in draft.escalations.values() if e.origin == origin and e.phase is not Phase.ENDED]


def _empty(draft: Draft, target: Target, why: str) -> None:
    draft.note(
        "routing.empty_target",
        f"Nobody to page for {target.type} {target.id}: {why}.",
        kind=Kind.ROUTING,
        action="skipped",
        target=target.id,
    )


def start(
    draft: Draft, planned: Planned, reason: str, *, hold: timedelta = timedelta(), level: int = 1
) -> Escalation:
    """Put a climb at the foot of its plan, or hold it there; it fires when it is advanced.

    Raises: Invalid when `level` is none of the plan's.
    """
    origin, plan, choice = planned
    if level != 1 and not 1 <= level <= len(plan.rungs):
        raise Invalid(f"{plan.name} has levels 1 to {len(plan.rungs)}.", place="escalation_policy_level")
    mute = muted(draft)
    # A plan that calls nobody has nothing to wait for: its fallback is paged at once.
    wake = draft.now + timedelta(seconds=plan.initial_delay if plan.rungs else 0) + hold
    put_off = choice.deferred_until if choice and choice.deferred_until else None
    climb = Escalation(
        id=draft.mint(),
        alert_id=draft.alert.id,
        occurrence=draft.alert.occurrence,
        origin=origin,
        plan=plan,
        phase=Phase.HELD if mute or put_off else Phase.CLIMBING,
        level=level - 1,
        round=1,
        fired=0,
        reached=0,
        token=draft.mint(),
        wake_at=mute.until if mute else put_off or wake,
        created_at=draft.now,
        muted_by=mute.id if mute else None,
    )
    draft.escalations[climb.id] = climb
    _say_started(draft, climb, reason, choice.why if choice else "", mute)
    return climb


def muted(draft: Draft) -> Muted | None:
    """Return the planned work that keeps this alert from paging now."""
    return maintenance.muted(draft.directory, draft.alert.source_id, draft.service_ids, draft.now)


def _say_started(draft: Draft, climb: Escalation, reason: str, why: str, mute: Muted | None) -> None:
    plan = climb.plan
    what = f"policy {plan.name}" if plan.policy_id else plan.name
    if mute:
        draft.note(
            "maintenance.muted",
            f"{mute.name} goes on until {mute.until:%Y-%m-%d %H:%M} UTC; {what} is paged then, if it still fires.",
            kind=Kind.MAINTENANCE, action="muted", maintenance=str(mute.id),
        )  # fmt: skip
    elif plan.deferral and climb.wake_at:
        draft.note(
            "escalation.deferred",
            f"Put off until {climb.wake_at:%Y-%m-%d %H:%M} UTC: {why}.",
            kind=Kind.DEFERRAL, action="deferred", policy=plan.name,
        )  # fmt: skip
    else:
        draft.note(
            "escalation.started",
            f"Paging {what}, because {reason}" + (f"; {why}." if why else "."),
            kind=Kind.ROUTING, action="escalation_policy_paged", policy=plan.name, reason=reason, path=why,
        )  # fmt: skip


def begun_since(draft: Draft, since: datetime) -> int:
    """Return how many members of the alert began since an instant: what a threshold counts.

    Those that the delivery at hand is the first to tell of began with it: Alertmanager holds its groups back for
    minutes, and a threshold of one minute would never see them.
    """
    fresh = {c.member.fingerprint for c in draft.changes if c.what in BEGINS}
    members = draft.alert.members.values()
    return sum(m.starts_at >= since or m.fingerprint in fresh for m in members)


def recount(draft: Draft) -> None:
    """Look again at climbs that count members: some have just begun."""
    for climb in list(draft.escalations.values()):
        ahead = climb.plan.rungs[climb.level] if climb.level < len(climb.plan.rungs) else None
        # One that still waits out the delay of the level before it has not come to the threshold yet.
        at_gate = ahead is not None and ahead.kind == "threshold" and climb.turn > 0
        if climb.phase is Phase.CLIMBING and at_gate:
            advance(draft, climb.id)


def advance(draft: Draft, climb_id: UUID) -> None:
    """Fire the next rung of a climb, and whatever that starts."""
    before = draft.escalations[climb_id]
    mute = muted(draft)
    if mute:
        _mute(draft, before, mute)
        return
    people = draft.directory.users
    slept: dict[int, None] = {}
    climbed = ascent.climb(
        before,
        draft.directory,
        lambda u: paging.reachable(people.get(u), before.plan.loudness),
        draft.now,
        Luck(
            turn=draft.turn,
            begun=lambda since: begun_since(draft, since),
            coin=before.token.int,
            asleep=lambda u: _sleeps(draft, before, u, slept),
        ),
    )
    _say_asleep(draft, before, slept)
    draft.escalations[climb_id] = replace(climbed.escalation, token=draft.mint(), muted_by=None)
    cycle = before.fired
    for rise in climbed.rises:
        cycle += 1
        if rise.turned:
            draft.turned[rise.turned] = draft.turned.get(rise.turned, 0) + 1
        _rise(draft, before, rise, cycle)
    for rise in climbed.rises:
        # A climb that came round fires a rung at or below where it stood.
        _spawn(draft, before, rise, turn=before.round + (rise.level <= before.level))
    _ended(draft, climbed)


def _sleeps(draft: Draft, climb: Escalation, user_id: int, slept: dict[int, None]) -> bool:
    """Return whether somebody keeps quiet hours, and remember it for the timeline."""
    found = quiet.asleep(draft.directory.users.get(user_id), climb.plan.loudness, draft.now)
    if found:
        slept[user_id] = None
    return found


def _say_asleep(draft: Draft, climb: Escalation, slept: dict[int, None]) -> None:
    for user_id in slept:
        user = draft.directory.users[user_id]
        until = user.quiet.end(draft.now) if user.quiet else None
        over = f" until {until:%Y-%m-%d %H:%M} UTC" if until else ""
        draft.note(
            "page.quiet_hours",
            f"Passed over {user.name}, who keeps quiet hours{over}: somebody else is left to be paged.",
            kind=Kind.NOTIFICATION,
            action="skipped",
            user_id=user_id,
            policy=climb.plan.name,
        )


def _mute(draft: Draft, climb: Escalation, mute: Muted) -> None:
    """Let planned work hold a climb where it stands; people paged before it began keep their personal rules (E18)."""
    if climb.muted_by != mute.id:
        draft.note(
            "maintenance.muted",
            f"{mute.name} goes on until {mute.until:%Y-%m-%d %H:%M} UTC; {climb.plan.name} goes on then.",
            kind=Kind.MAINTENANCE, action="muted", maintenance=str(mute.id),
        )  # fmt: skip
    held = replace(climb, wake_at=mute.until, muted_by=mute.id, token=draft.mint())
    draft.escalations[climb.id] = held


def _spawn(draft: Draft, climb: Escalation, rise: Rise, *, turn: int) -> None:
    """Start the climbs that a rung asks for in parallel; ours goes on (rootly.md 5.1.5). `turn` is our round."""
    if rise.spawns:
        prefix = BESIDE if climb.beside else ""
        begin(draft, rise.spawns, f"level {rise.level} names them", whence=Whence(turn=turn, prefix=prefix))


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
        asking.page(draft, climb, call, level=rise.level, cycle=cycle)
    for call in rise.calls:
        asking.tell_shadows(draft, climb, call, level=rise.level, cycle=cycle)
    for target in rise.posts:
        posting.post(draft, climb, target, level=rise.level, cycle=cycle)


def _ended(draft: Draft, climbed: Climb) -> None:
    plan = climbed.escalation.plan
    if climbed.reached_nobody or (climbed.exhausted and not _anybody(draft)):
        fall_back(draft, f"{plan.name} reached no one" if plan.rungs else f"{plan.name} has no levels")
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
    """Whether somebody may have been reached in this occurrence, or a climb may still come to somebody.

    A message that was refused reached nobody, and one to a shadow nobody who is responsible.
    """
    paged = any(not p.ended and p.shadows_user_id is None for p in draft.pages.values())
    heard = any(s.state != "refused" and not s.listens for s in draft.sent)
    return paged or heard or any(e.phase in LIVE for e in draft.escalations.values())


def fall_back(draft: Draft, why: str) -> None:
    """Page the people of last resort; a run that reached no one must not end in silence (DESIGN 6)."""
    if any(e.origin == FALLBACK and e.phase is not Phase.ENDED for e in draft.escalations.values()):
        return
    if draft.alert.status is Status.ACKNOWLEDGED:
        # Somebody has it: that those who were asked to help cannot be reached is no silence.
        draft.note("escalation.no_help", f"{why}.", kind=Kind.NOTIFICATION, action="skipped")
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
    plan = planning.direct("Fallback", *(LevelTarget(type="user", id=str(u)) for u in people))
    draft.note(
        "escalation.fallback",
        f"Paging the fallback people: {why}.",
        kind=Kind.NOTIFICATION,
        action="escalated",
        why=why,
    )
    climb = start(draft, (FALLBACK, plan, None), why)
    if climb.phase is Phase.CLIMBING:
        advance(draft, climb.id)


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
    for climb in [e for e in draft.escalations.values() if e.phase in LIVE and e not in known]:
        # A fallback that planned work keeps back would go on by itself when that is over.
        _finish(draft, climb)
    for climb in [e for e in known if e.phase in LIVE] or known:
        draft.escalations[climb.id] = replace(
            climb, phase=Phase.HELD, wake_at=until, muted_by=None, token=draft.mint()
        )
    _quiet(draft)


def _resumable(draft: Draft) -> list[Escalation]:
    """Return the newest climb of each origin; the fallback's only where there is no other."""
    newest = {e.origin: e for e in draft.escalations.values() if e.phase is not Phase.ENDED}
    return [e for e in newest.values() if e.origin != FALLBACK] or list(newest.values())


def end(draft: Draft) -> None:
    """Stop paging for good."""
    for climb in [e for e in draft.escalations.values() if e.phase is not Phase.ENDED]:
        _finish(draft, climb)
    _quiet(draft)


def _finish(draft: Draft, climb: Escalation) -> None:
    draft.escalations[climb.id] = replace(climb, phase=Phase.ENDED, wake_at=None, token=draft.mint())


def end_pages(draft: Draft, ids: set[UUID]) -> None:
    """End some pages; their waiting messages are called off, those of others go on."""
    for ident in ids:
        draft.pages[ident] = replace(draft.pages[ident], ended=True, wake_at=None)
    draft.notifications = [n for n in draft.notifications if n.page_id not in ids]


def _quiet(draft: Draft) -> None:
    for current in draft.pages.values():
        draft.pages[current.id] = replace(current, ended=True, wake_at=None)
    draft.notifications.clear()
    draft.cancel = True


def restart(draft: Draft) -> None:
    """Climb again from the first rung: a snooze or an acknowledgement is over."""
    again = _resumable(draft)
    for climb in [e for e in draft.escalations.values() if e.origin == FALLBACK and e not in again]:
        _finish(draft, climb)
    for climb in again:
        resume(draft, climb.id)
    if not again and draft.facts.targets:
        # It followed another alert, which paged for it, until somebody took it out of that group.
        begin(draft, draft.facts.targets, "it pages by itself now")
    elif not again:
        fall_back(draft, "nobody was ever paged for it")


def resume(draft: Draft, climb_id: UUID) -> None:
    """Let one climb begin again from its first rung; one that was put off begins now, or is put off again."""
    climb = draft.escalations[climb_id]
    mute = muted(draft)
    if mute:
        _mute(draft, climb, mute)
        settle(draft)
        return
    if climb.muted_by:
        draft.note(
            "maintenance.over",
            f"The planned work is over and it still fires; {climb.plan.name} is paged now.",
            kind=Kind.MAINTENANCE, action="triggered", maintenance=str(climb.muted_by),
        )  # fmt: skip
    if climb.plan.deferral:
        undefer(draft, climb)
        return
    draft.escalations[climb_id] = replace(
        climb,
        phase=Phase.CLIMBING,
        level=0,
        round=1,
        reached=0,
        turn=0,
        acknowledged=(),
        wake_at=draft.now,
        muted_by=None,
        token=draft.mint(),
    )
    advance(draft, climb_id)
    settle(draft)


def undefer(draft: Draft, climb: Escalation, *, by_hand: bool = False) -> None:
    """Choose again, or take the path that was named, now that a deferral is over (rootly.md 5.1.2).

    Somebody who ends it by hand before its time gets the default path: choosing again would defer again.
    """
    deferral = climb.plan.deferral
    if deferral is None:
        return
    _finish(draft, climb)
    if deferral.target.id not in draft.directory.policies:
        fall_back(draft, f"{climb.plan.name} is gone")
        return
    circumstances = None if by_hand else seen(draft)
    found, _ = planning.plans(deferral.target, draft.directory, circumstances)
    # Held by planned work as well, it may be woken before its own time; then it is put off again.
    early = climb.muted_by is not None and any(choice and choice.deferred_until for *_, choice in found)
    if deferral.after == "execute_path" and not early:
        found, _ = planning.plans(deferral.target, draft.directory, circumstances, path_id=deferral.path_id)
    for one in found:
        started = start(draft, one, "its deferral is over")
        if started.phase is Phase.CLIMBING and ladder.due(started, draft.now):
            advance(draft, started.id)
    settle(draft)
