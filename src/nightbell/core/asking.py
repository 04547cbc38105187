"""Steps of a decision that ask for one person's attention, and let others hear of it. core/climbing.py calls them.

Rule 1: whoever only shadows is told and nothing more. They are never waited for, never counted as reached, and a page
to somebody who is on call is never left out because the same person shadows another.
"""

from datetime import datetime

from msgspec.structs import replace

from nightbell.core import paging, quiet
from nightbell.core.draft import Draft
from nightbell.core.escalation import Call, Escalation
from nightbell.core.journal import Kind
from nightbell.core.paging import Page


def page(draft: Draft, climb: Escalation, call: Call, *, level: int, cycle: int) -> None:
    """Ask for one person's attention: a page, and its first messages. Twice in one decision is once."""
    user = draft.directory.users[call.user_id]
    if any(p.shadows_user_id is None for p in _just_made(draft, user.id)):
        draft.note(
            "page.same_moment",
            f"{user.name} is paged already at this moment.",
            kind=Kind.NOTIFICATION,
            action="skipped",
            level=level,
            user_id=user.id,
        )
        return
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
    go_on(draft, _made(draft, climb, user.id, level, cycle), fresh=True)


def tell_shadows(draft: Draft, climb: Escalation, call: Call, *, level: int, cycle: int) -> None:
    """Let those hear it who shadow somebody that this decision paged (rootly.md 5.2)."""
    if not call.shadows or not _just_made(draft, call.user_id):
        return
    users = draft.directory.users
    for user_id in call.shadows:
        user, loudness = users.get(user_id), climb.plan.loudness
        sleeps = quiet.asleep(user, loudness, draft.now)
        skip = sleeps or _just_made(draft, user_id) or not paging.reachable(user, loudness)
        if skip:
            continue
        draft.note(
            "page.shadowed",
            f"Told {users[user_id].name} too, who shadows {users[call.user_id].name} and is not responsible.",
            kind=Kind.NOTIFICATION,
            action="notified",
            level=level,
            user_id=user_id,
            shadows=call.user_id,
        )
        listening = replace(_made(draft, climb, user_id, level, cycle), shadows_user_id=call.user_id)
        go_on(draft, listening, fresh=True)


def go_on(draft: Draft, current: Page, *, fresh: bool = False) -> None:
    """Use the contact methods of a page whose time has come."""
    user = draft.directory.users.get(current.user_id)
    if user is None or not user.active:
        draft.pages[current.id] = replace(current, ended=True, wake_at=None)
        return
    held = quiet.holds_until(user, current.loudness, draft.now)
    if held is not None:
        _hold(draft, current, held, user.name)
        return
    sent = () if fresh else [s for s in draft.sent if s.user_id == user.id]
    step = paging.step(current, user, sent, draft.now)
    draft.pages[current.id] = step.page
    draft.notify(step.page, step.methods, f"{step.page.loudness} rules of {user.name}")


def _hold(draft: Draft, current: Page, until: datetime, name: str) -> None:
    """Let a quiet page wait for the end of somebody's quiet hours."""
    draft.pages[current.id] = replace(current, wake_at=until)
    draft.note(
        "page.held",
        f"{name} keeps quiet hours until {until:%Y-%m-%d %H:%M} UTC; a quiet page waits for their end.",
        kind=Kind.NOTIFICATION,
        action="deferred",
        level=current.level,
        user_id=current.user_id,
    )


def _made(draft: Draft, climb: Escalation, user_id: int, level: int, cycle: int) -> Page:
    return Page(
        id=draft.mint(),
        alert_id=draft.alert.id,
        escalation_id=climb.id,
        user_id=user_id,
        occurrence=draft.alert.occurrence,
        level=level,
        cycle=cycle,
        loudness=climb.plan.loudness,
        ended=False,
        progress=-1,
        wake_at=None,
        created_at=draft.now,
    )


def _just_made(draft: Draft, user_id: int) -> list[Page]:
    """Return the pages that this decision made for a person."""
    known = {p.id for p in draft.facts.pages}
    mine = (p for p in draft.pages.values() if p.user_id == user_id and p.created_at == draft.now)
    return [p for p in mine if p.id not in known]
