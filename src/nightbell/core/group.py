"""What binds alerts together: one leads and pages, the others follow it and page nobody."""

from datetime import datetime
from uuid import UUID

from msgspec import Struct


class Group(Struct, frozen=True, kw_only=True):
    """An alert's place in a group.

    Shape: `leader_id` None on the one that leads. `bucket` is what new alerts find it by: none on one that follows, is
    over, or gave its bucket to a younger group.
    """

    #: Whether the rule still exists does not matter to a group in flight.
    rule_id: UUID
    leader_id: UUID | None
    bucket: bytes | None
    #: Whatever comes later starts a group of its own. It moves on with every alert that joins.
    until: datetime
    #: How many joined the one that leads.
    size: int = 0
    #: When the one that leads pages in the place of the one before it; None for the one that opened the group.
    handed_at: datetime | None = None

    @property
    def leads(self) -> bool:
        """Whether this alert leads."""
        return self.leader_id is None


class Named(Struct, frozen=True, kw_only=True):
    """Another alert, as a timeline names it."""

    id: UUID
    number: int
    summary: str
