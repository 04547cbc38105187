"""The end of an occurrence, whoever brings it about: stop paging, keep the history, tell those who were paged."""

from datetime import datetime

from msgspec.structs import replace

from nightbell.core import climbing, telling
from nightbell.core.alert import Change, Status, What, closed
from nightbell.core.draft import Draft, Occurrence
from nightbell.core.journal import Actor


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
    telling.tell(draft, by, "resolved", f"Resolved by {by.name}.")


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
