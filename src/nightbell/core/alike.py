"""Climbs that stand alike: what is decided of one of them is decided of all, with other ids.

After a storm thousands of alerts wait at the same level of the same policy. decision.decide is asked about the first
of them; this file says of whom its answer holds. Rule 1: whatever a timer's decision looks at is the same for all that
stand alike, or it is decided one by one. tests/core/test_alike.py holds both to each other.
"""

from uuid import UUID

from msgspec import Struct

from nightbell.core.draft import Decision, Facts
from nightbell.core.escalation import Phase, Plan

#: What tells climbs apart that stand alike. Every other field of an Escalation is the same for all of them.
OWN = frozenset({"id", "alert_id", "token", "wake_at", "created_at"})
#: What a decision may come to beside a climb that moved on, pages, messages and lines of the journal.
_ELSE = tuple(
    name
    for name in Decision.__struct_fields__
    if name not in ("alert", "entries", "escalations", "pages", "notifications", "same")
)
#: Strategies that call the same people of the same rung at the same turn: no pointer and no coin.
_STEADY = ("default", "cycle")


class Alike(Struct, frozen=True, kw_only=True):
    """Alerts with one climb each, all due and all standing alike, in one order: climb 3 is that of alert 3.

    Shape: nothing else of these alerts is due, none has another climb, and all are of one source, urgency and service.
    """

    alert_ids: tuple[UUID, ...]
    climb_ids: tuple[UUID, ...]


class Repeat(Struct, frozen=True, kw_only=True):
    """A decision about one climb that stands for all that stand alike."""

    decision: Decision
    alike: Alike

    @property
    def times(self) -> int:
        """How many alerts it decides."""
        return len(self.alike.alert_ids)


def repeated(facts: Facts, decision: Decision, alike: Alike) -> Repeat | None:
    """Return the decision as one about all that stand alike; None when each is to be decided for itself."""
    if len(facts.escalations) != 1 or not steady(facts.escalations[0].plan):
        return None
    if not _moves_on(facts, decision) or not _pages_anew(facts, decision):
        return None
    return Repeat(decision=decision, alike=alike)


def steady(plan: Plan) -> bool:
    """Return whether the people a plan calls follow from where the climb stands, and from nothing else."""
    return plan.deferral is None and all(
        rung.kind != "threshold" and rung.strategy in _STEADY for rung in plan.rungs
    )


def _moves_on(facts: Facts, decision: Decision) -> bool:
    """Return whether the climb moved, somebody was paged, the timeline says so, and that is all."""
    if len(decision.escalations) != 1:
        return False
    (climb,) = decision.escalations
    # Whether it ended in silence is asked of messages too, which differ: pages that still go on settle it.
    settled = climb.phase is not Phase.EXHAUSTED or bool(facts.pages)
    return settled and decision.same and not any(getattr(decision, name) for name in _ELSE)


def _pages_anew(facts: Facts, decision: Decision) -> bool:
    """Return whether every page and message of the decision is new and belongs to its climb."""
    known, new = {p.id for p in facts.pages}, {p.id for p in decision.pages}
    return known.isdisjoint(new) and all(n.page_id in new for n in decision.notifications)
