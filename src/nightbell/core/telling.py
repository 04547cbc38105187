"""Tells those who were paged what became of it, by the method that reached them, and never whoever did it.

Rule 1: good news wakes nobody: no update is a telephone call, and whoever wants none gets none.
"""

from nightbell.core.delivery import Purpose
from nightbell.core.draft import Draft
from nightbell.core.journal import Actor
from nightbell.core.paging import Notification, Sent

_REACHED = ("sent", "unknown", "sending")
#: Kinds an update is not sent by: a call would wake somebody to say that they may sleep.
_TOO_LOUD = frozenset({"voice"})


def tell(draft: Draft, by: Actor, what: str, said: str) -> None:
    """Queue one update to everyone who was paged in this occurrence; `what` says "resolved" or "acknowledged"."""
    told: set[int] = set()
    # The inbox shows the alert as it is; whoever was also reached elsewhere is told there.
    for sent in sorted(draft.sent, key=lambda one: one.kind == "inbox"):
        if sent.user_id in told or sent.user_id == by.user_id or not _wants(draft, sent, what):
            continue
        told.add(sent.user_id)
        draft.notifications.append(_update(draft, sent, what, said))


def _wants(draft: Draft, sent: Sent, what: str) -> bool:
    user = draft.directory.users.get(sent.user_id)
    if user is None or not user.active or sent.contact_method_id not in user.methods:
        return False
    if sent.state not in _REACHED or sent.kind in _TOO_LOUD:
        return False
    if what == "acknowledged" and any(user.id in e.acknowledged for e in draft.escalations.values()):
        # They have taken it too.
        return False
    return user.updates == "all" or (user.updates == "resolved" and what == "resolved")


def _update(draft: Draft, sent: Sent, what: str, said: str) -> Notification:
    ident = draft.mint()
    return Notification(
        id=ident,
        alert_id=draft.alert.id,
        page_id=None,
        user_id=sent.user_id,
        contact_method_id=sent.contact_method_id,
        kind=sent.kind,
        purpose=Purpose.UPDATE,
        occurrence=draft.alert.occurrence,
        level=None,
        send_at=draft.now,
        idempotency_key=f"{draft.alert.id}/{draft.alert.occurrence}/{what}/{sent.user_id}/{ident}",
        because={"rule": "told because they were paged", "what": what, "said": said},
        about=draft.about,
    )
