"""Alerts that stand alike: what is decided of one of them is decided of all, with other ids.

After a storm thousands of alerts wait at the same level of the same policy. decision.decide is asked about the first
of them; this file says of whom its answer holds. Rule 1: whatever a timer's decision looks at is the same for all that
stand alike, or it is decided one by one. tests/properties/test_alike.py holds both to each other.
"""

from datetime import datetime
from uuid import UUID

from msgspec import Struct

from nightbell.core.draft import Decision, Facts
from nightbell.core.escalation import Phase, Plan

#: What tells climbs apart that stand alike. Every other field of an Escalation is the same for all of them.
OWN = frozenset({"id", "alert_id", "token", "wake_at", "created_at"})
#: And of the page that is due.
OWN_OF_PAGE = frozenset({"id", "alert_id", "escalation_id", "wake_at"})
#: What a decision may come to beside a climb that moved on, pages, messages and lines of the journal.
_ELSE = tuple(
    name
    for name in Decision.__struct_fields__
    if name not in ("alert", "entries", "escalations", "pages", "notifications", "same")
)
#: Strategies that call the same people of the same rung at the same turn: no pointer and no coin.
_STEADY = ("default", "cycle")


class Alike(Struct, frozen=True, kw_only=True):
    """Alerts with one climb each that stand alike, in one order: climb 3 is that of alert 3.

    Shape: the climb is due, or one page of it, or both; `page_ids` is empty where no page is. Nothing else of these
    alerts is due, none has another climb, and all are of one source, urgency and service.
    """

    alert_ids: tuple[UUID, ...]
    climb_ids: tuple[UUID, ...]
    page_ids: tuple[UUID, ...] = ()


class Repeat(Struct, frozen=True, kw_only=True):
    """A decision about one alert that stands for all that stand alike."""

    decision: Decision
    alike: Alike
    climb_id: UUID
    #: The page that was due; None where none was.
    page_id: UUID | None

    @property
    def times(self) -> int:
        """How many alerts it decides."""
        return len(self.alike.alert_ids)


def repeated(facts: Facts, decision: Decision, alike: Alike, now: datetime) -> Repeat | None:
    """Return the decision as one about all that stand alike; None when each is to be decided for itself."""
    due = [p.id for p in facts.pages if p.wake_at and now >= p.wake_at]
    if len(facts.escalations) != 1 or len(due) != (1 if alike.page_ids else 0):
        return None
    (climb,), page_id = facts.escalations, due[0] if due else None
    if not _moves_on(facts, decision) or not _asks(facts, decision, page_id):
        return None
    return Repeat(decision=decision, alike=alike, climb_id=climb.id, page_id=page_id)


def steady(plan: Plan) -> bool:
    """Return whether the people a plan calls follow from where the climb stands, and from nothing else."""
    return plan.deferral is None and all(
        rung.kind != "threshold" and rung.strategy in _STEADY for rung in plan.rungs
    )


def _moves_on(facts: Facts, decision: Decision) -> bool:
    """Return whether the climb moved or stayed, pages and messages were made, the timeline says so, and that is all."""
    if not decision.same or any(getattr(decision, name) for name in _ELSE):
        return False
    for climb in decision.escalations:
        # Whether it ended in silence is asked of messages too, which differ: pages that still go on settle it.
        settled = climb.phase is not Phase.EXHAUSTED or bool(facts.pages)
        if climb.id != facts.escalations[0].id or not steady(climb.plan) or not settled:
            return False
    return True


def _asks(facts: Facts, decision: Decision, page_id: UUID | None) -> bool:
    """Return whether every page and message of the decision is new, or of the page that was due and goes on."""
    known, moved = {p.id for p in facts.pages} - {page_id}, {p.id for p in decision.pages}
    ended = any(p.ended for p in decision.pages)
    return not ended and known.isdisjoint(moved) and all(n.page_id in moved for n in decision.notifications)
