"""Steps of a decision that tell a channel: one message, for everybody who reads there. core/climbing.py calls them.

Rule 1: a channel is told beside the people of a level and never instead of one: it is not waited for, not counted as
reached, and what is refused there wakes nobody by another way.
"""

from nightbell.core import paging
from nightbell.core.ascent import place
from nightbell.core.delivery import Purpose
from nightbell.core.directory import CHANNELS, LevelTarget
from nightbell.core.draft import Draft
from nightbell.core.escalation import Escalation
from nightbell.core.journal import Kind
from nightbell.core.paging import NOBODY, Notification

#: Words of Rootly's wire for what was done, by kind of delivery.
_ACTIONS = {"slack": "slacked"}


def post(draft: Draft, climb: Escalation, target: LevelTarget, *, level: int, cycle: int) -> None:
    """Queue the one message of a level to a channel. Twice in one decision is once."""
    kind = CHANNELS[target.type]
    channel = paging.channel_id(kind, target.id)
    if any(n.contact_method_id == channel and n.user_id == NOBODY for n in draft.notifications):
        return
    draft.note(
        "channel.posted",
        f"Told {place(target)} (level {level} of {climb.plan.name}).",
        kind=Kind.NOTIFICATION,
        action=_ACTIONS[kind],
        level=level,
        policy=climb.plan.name,
        channel=target.id,
    )
    draft.notifications.append(
        Notification(
            id=draft.mint(),
            alert_id=draft.alert.id,
            page_id=None,
            user_id=NOBODY,
            contact_method_id=channel,
            kind=kind,
            purpose=Purpose.PAGE,
            occurrence=draft.alert.occurrence,
            level=level,
            send_at=draft.now,
            # One climb fires a level once in a cycle, so this names one post, whoever decides it again.
            idempotency_key=f"{climb.id}/{cycle}/{level}/{channel}",
            because={"rule": f"level {level} of {climb.plan.name}", "cycle": str(cycle)},
            about=draft.about,
            address=target.id,
        )
    )
