"""The line, top to bottom: facts and one event in, a Decision out. Nothing here waits, writes or reads a clock.

Four entrances end here: a delivery (Report), a person (Act), time (Due), a message that failed (Failed).
"""

from datetime import datetime
from uuid import UUID

from msgspec.structs import replace

from nightbell.core import acting, asking, climbing, following, leading, paging
from nightbell.core import alert as alerts
from nightbell.core import escalation as ladder
from nightbell.core.alert import Change, Status, What
from nightbell.core.closing import resolved
from nightbell.core.draft import Decision, Draft, Facts, Mint
from nightbell.core.events import (
    Due,
    Event,
    Failed,
    GroupOver,
    Handed,
    Joined,
    Led,
    Left,
    Promoted,
    Report,
)
from nightbell.core.journal import Actor, Kind
from nightbell.core.reporting import group_over, reported
from nightbell.core.signal import State

TIME = Actor(kind="system", name="time")


def decide(facts: Facts, event: Event, now: datetime, mint: Mint) -> tuple[Decision, Facts] | None:
    """Return what should be and the facts as they will be then; None when nothing should change.

    Raises: Stale or Invalid when a person asks for what cannot be.
    """
    draft = Draft(facts, now, mint)
    match event:
        case Report():
            if not reported(draft, event):
                return None
        case GroupOver():
            group_over(draft, event)
        case Due():
            due(draft)
        case Failed():
            failed(draft, event)
        case Joined() | Left() | Led() | Promoted() | Handed():
            following.heard(draft, event)
        case _:
            acting.acted(draft, event)
    if draft.alert.group is not None:
        leading.told(draft, event)
    decision = draft.decision()
    after = replace(
        facts,
        alert=draft.alert,
        escalations=tuple(draft.escalations.values()),
        pages=tuple(p for p in draft.pages.values() if not p.ended),
        sent=tuple(draft.sent),
        service_ids=draft.service_ids,
        turns=_turned(facts.turns, draft.turned) if draft.turned else facts.turns,
    )
    return decision, leading.kept(draft, after) if draft.alert.group is not None else after


def _turned(turns: dict[UUID, int], by: dict[UUID, int]) -> dict[UUID, int]:
    return turns | {level: turns.get(level, 0) + n for level, n in by.items()}


def due(draft: Draft) -> None:
    """Do what time asks of an alert: expire members, end snoozes, climb on, use later contact methods."""
    _expire(draft)
    if not draft.alert.is_open:
        return
    _wake(draft)
    _acknowledgement_over(draft)
    for climb in [e for e in draft.escalations.values() if ladder.due(e, draft.now)]:
        # Held and due: snoozed, and since then only another climb of the alert was escalated.
        go_on = climbing.resume if climb.phase is ladder.Phase.HELD else climbing.advance
        go_on(draft, climb.id)
    for page in [p for p in draft.pages.values() if p.wake_at and draft.now >= p.wake_at and not p.ended]:
        asking.go_on(draft, page)


def _expire(draft: Draft) -> None:
    alert = draft.alert
    over = [m for m in alert.firing if m.expires_at and draft.now >= m.expires_at]
    if not over:
        return
    draft.changes = [
        Change(what=What.ENDED, member=alerts.closed(m, m.expires_at or draft.now, draft.now), signal=None)
        for m in over
    ]
    members = alert.members | {c.member.fingerprint: c.member for c in draft.changes}
    draft.becomes(replace(alert, members=members))
    draft.note(
        "member.expired",
        f"{len(over)} not reported again in time.",
        kind=Kind.INFORMATIONAL,
        action="updated",
        by=TIME,
    )
    if not any(m.state is State.FIRING for m in members.values()):
        resolved(draft, alerts.ended_at(members, alert.occurrence, draft.now), TIME)


def _wake(draft: Draft) -> None:
    until = draft.alert.snoozed_until
    if until is None or draft.now < until:
        return
    draft.becomes(replace(draft.alert, status=Status.TRIGGERED, snoozed_until=None, acknowledged_by=None))
    draft.note(
        "alert.snooze_over",
        "The snooze is over and it still fires; paging again.",
        action="retriggered",
        by=TIME,
    )
    climbing.restart(draft)


def _acknowledgement_over(draft: Draft) -> None:
    """Page again when an acknowledgement has held as long as it may: whoever took it may have gone to sleep."""
    held = [
        e for e in draft.escalations.values() if e.phase is ladder.Phase.HELD and ladder.due(e, draft.now)
    ]
    if draft.alert.status is not Status.ACKNOWLEDGED or not held or draft.alert.snoozed_until:
        return
    draft.becomes(replace(draft.alert, status=Status.TRIGGERED, acknowledged_by=None))
    draft.note(
        "alert.acknowledgement_over",
        "Acknowledged for as long as an acknowledgement holds, and it still fires; paging again.",
        action="ack_timeout_retriggered",
        by=TIME,
    )
    climbing.restart(draft)


def failed(draft: Draft, event: Failed) -> None:
    """Use the person's next contact method at once; with none left, climb on if nobody else was reached."""
    page = draft.pages.get(event.page_id)
    # Where somebody has acknowledged it, only those who were asked to help have pages left.
    if page is None or draft.alert.status not in (Status.TRIGGERED, Status.ACKNOWLEDGED):
        return
    user = draft.directory.users.get(page.user_id)
    mine = [s for s in draft.sent if s.page_id == page.id]
    tried = {s.contact_method_id for s in mine}
    method = paging.next_method(user, page.loudness, tried) if user else None
    name = user.name if user else f"user {page.user_id}"
    if method:
        draft.note(
            "page.failover",
            f"{event.why} Using {method.kind} for {name} at once.",
            kind=Kind.NOTIFICATION,
            action="notified",
            level=page.level,
            user_id=page.user_id,
            doubtful=event.doubtful,
        )
        draft.notify(page, (method,), "failover: the method before it failed or is in doubt")
        return
    if any(s.state in ("waiting", "sending", "sent") for s in mine):
        return
    if page.shadows_user_id is not None:
        # They were only to hear of it.
        draft.pages[page.id] = replace(page, ended=True, wake_at=None)
        return
    doubtful = any(s.state == "unknown" for s in mine)
    draft.note(
        "page.unreachable",
        f"{_cannot_be_reached(name, doubtful=doubtful)} {event.why}",
        kind=Kind.NOTIFICATION,
        action="level_skipped",
        level=page.level,
        user_id=page.user_id,
    )
    # One that may have arrived goes on by its later rules, beside whoever is called now.
    draft.pages[page.id] = page if doubtful else replace(page, ended=True, wake_at=None)
    _climb_on(draft, page)


def _cannot_be_reached(name: str, *, doubtful: bool) -> str:
    if doubtful:
        return f"Nobody knows whether any method reached {name}; going on as if none had."
    return f"{name} cannot be reached by any method."


def _climb_on(draft: Draft, page: paging.Page) -> None:
    climb = draft.escalations.get(page.escalation_id)
    if climb is None:
        return
    others = [
        p
        for p in draft.pages.values()
        if p.escalation_id == climb.id and p.id != page.id and not p.ended and p.shadows_user_id is None
    ]
    alone = not any(p.cycle == page.cycle for p in others)
    if climb.phase is ladder.Phase.CLIMBING and climb.fired == page.cycle and alone:
        climbing.advance(draft, climb.id)
    elif climb.phase is ladder.Phase.EXHAUSTED and not others:
        last = climbing.give_up if climb.origin == climbing.FALLBACK else climbing.fall_back
        last(draft, f"{climb.plan.name} reached no one")
