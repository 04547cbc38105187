"""The end of an occurrence, whoever brings it about: stop paging, keep the history, tell those who were paged."""

from datetime import datetime

from msgspec.structs import replace

from nightbell.core import climbing
from nightbell.core.alert import Change, Status, What, closed
from nightbell.core.delivery import Purpose
from nightbell.core.draft import Draft, Occurrence
from nightbell.core.journal import Actor
from nightbell.core.paging import Notification


def resolved(draft: Draft, at: datetime, by: Actor) -> None:
    """Resolve the alert as of `at`."""
    alert = draft.alert
    climbing.end(draft)
    draft.becomes(
        replace(alert, status=Status.RESOLVED, ended_at=at, resolved_at=draft.now, snoozed_until=None)
    )
    draft.past = Occurrence(
        number=alert.occurrence,
        started_at=min(alert.started_at, at),
        ended_at=at,
        acknowledged_at=alert.acknowledged_at,
    )
    draft.what = "resolved"
    draft.note("alert.resolved", f"Resolved by {by.name}.", action="resolved", by=by, ended_at=at.isoformat())
    _tell(draft, by)


def by_hand(draft: Draft, by: Actor) -> None:
    """Resolve the alert now because a person says so, whatever its source says of its members."""
    alert = draft.alert
    draft.changes = [
        Change(what=What.ENDED, member=closed(m, draft.now, draft.now), signal=None) for m in alert.firing
    ]
    draft.becomes(
        replace(alert, members=alert.members | {c.member.fingerprint: c.member for c in draft.changes})
    )
    resolved(draft, draft.now, by)


def _tell(draft: Draft, by: Actor) -> None:
    """Tell everyone who was paged, by the method that reached them, except whoever caused it."""
    told: set[int] = set()
    # The inbox shows the alert as it is; whoever was also reached elsewhere is told there.
    for sent in sorted(draft.sent, key=lambda one: one.kind == "inbox"):
        user = draft.directory.users.get(sent.user_id)
        gone = user is None or not user.active or sent.contact_method_id not in user.methods
        if (
            gone
            or sent.user_id in told
            or sent.user_id == by.user_id
            or sent.state not in ("sent", "unknown", "sending")
        ):
            continue
        told.add(sent.user_id)
        ident = draft.mint()
        draft.notifications.append(
            Notification(
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
                idempotency_key=f"{draft.alert.id}/{draft.alert.occurrence}/resolved/{sent.user_id}/{ident}",
                because={"rule": "told because they were paged"},
            )
        )
