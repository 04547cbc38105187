"""This file says what a shift is, what its id is, and why it is this person's.

Rule 1: an id depends on what made the shift (schedule, rotation or override, true start, person) and never on the
range somebody asked about, so the same shift has the same id on every page and in every answer.
"""

from collections.abc import Callable
from datetime import UTC, datetime
from enum import StrEnum
from hashlib import blake2b
from typing import NamedTuple
from uuid import UUID

from msgspec import Struct

from nightbell.core.schedule import Change

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Rule(StrEnum):
    """What put somebody on call."""

    ROTATION = "rotation"
    STAND_IN = "stand_in"
    FEED = "feed"
    OVERRIDE = "override"
    SWAP = "swap"
    SHADOW = "shadow"


class Why(Struct, frozen=True, kw_only=True):
    """Why a shift is this person's."""

    rule: Rule
    #: The rotation's or feed's name; "" where no layer is behind it.
    lane: str = ""
    #: The turn's number since the anchor and its place, from 1, among those of the rotation.
    turn: int | None = None
    place: int | None = None
    places: int | None = None
    #: Names of the nested schedules it was found through, outermost first.
    through: tuple[str, ...] = ()
    #: Who would serve otherwise.
    stands_for: int | None = None
    #: The override, swap or shadow behind it.
    cause: UUID | None = None
    change: Change | None = None
    #: What somebody wrote down as the reason of the override or absence.
    reason: str = ""

    def sentence(self, name_of: Callable[[int], str]) -> str:
        """Say it, given what people are called."""
        for_whom = name_of(self.stands_for) if self.stands_for is not None else "whoever is on call"
        text = _SENTENCES[self.rule, self.change].format(why=self, for_whom=for_whom)
        through = f" Found through {' in '.join(reversed(self.through))}." if self.through else ""
        return text + through + (f" Reason given: {self.reason}." if self.reason else "")


_SENTENCES = {
    (Rule.ROTATION, None): "Their turn in rotation {why.lane}: place {why.place} of {why.places}.",
    (Rule.STAND_IN, None): "{for_whom} is away; next in rotation {why.lane}.",
    (Rule.FEED, None): "Booked in the calendar {why.lane}.",
    (Rule.OVERRIDE, Change.ADD): "An override adds them.",
    (Rule.OVERRIDE, Change.COVER): "An override covers the whole schedule.",
    (Rule.OVERRIDE, Change.REPLACE): "An override puts them in place of {for_whom}.",
    (Rule.SWAP, Change.REPLACE): "They agreed to take this from {for_whom}.",
    (Rule.SHADOW, None): "They shadow {for_whom} and are not responsible.",
}


class Piece(NamedTuple):
    """A shift in the making: who is on call from start to before end, and what put them there."""

    start: datetime
    end: datetime
    user: int
    #: The rotation or feed; None where an override stands alone.
    lane: UUID | None
    #: The start of the whole slot it was cut from.
    began: datetime
    why: Why

    def cut(self, start: datetime, end: datetime) -> "Piece":
        """Return the part of it in [start, end), which must touch it."""
        if start <= self.start and end >= self.end:
            return self
        return Piece(max(start, self.start), min(end, self.end), self.user, self.lane, self.began, self.why)


class Shift(Struct, frozen=True, kw_only=True):
    """Somebody is on call in [start, end)."""

    schedule_id: UUID
    rotation_id: UUID | None
    user: int
    start: datetime
    end: datetime
    why: Why
    #: The start before a range clipped it.
    true_start: datetime
    #: Of an override, the parts of the shifts it stands for; empty where nobody asked (`core/displaced.py`).
    displaced: tuple["Shift", ...] = ()

    @property
    def id(self) -> UUID:
        """The same for the same schedule, layer, cause, true start and person. Worked out when asked: 3 µs."""
        start = int((self.true_start - _EPOCH).total_seconds() * 1_000_000)
        made_by = f"{self.schedule_id.hex} {self.rotation_id} {self.why.cause} {start} {self.user}"
        # Version 5 says "from a name"; 8, for hashes of one's own, is unknown to Python 3.11.
        return UUID(bytes=blake2b(made_by.encode(), digest_size=16).digest(), version=5)

    @property
    def is_override(self) -> bool:
        """Whether it differs from what the layers say."""
        return self.why.rule in (Rule.OVERRIDE, Rule.SWAP)

    @property
    def is_shadow(self) -> bool:
        """Whether it only listens."""
        return self.why.rule is Rule.SHADOW


def shift_of(piece: Piece, schedule_id: UUID, *, start: datetime, end: datetime) -> Shift:
    """Return the part in [start, end) of the shift that a whole piece is."""
    return Shift(
        schedule_id=schedule_id,
        rotation_id=piece.lane,
        user=piece.user,
        start=max(piece.start, start),
        end=min(piece.end, end),
        why=piece.why,
        true_start=piece.start,
    )
