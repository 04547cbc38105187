"""This file edits rotations so that the past stays true and whoever is on call now stays on call.

Rule 1: an edit at an instant closes the old rotation there and opens the new one; hand-offs that were never edited do
not move. Whoever has the turn keeps it until the next hand-off; a member who was removed is followed at once by the
next in the old order, who then has the rest of that turn.
"""

from datetime import datetime
from uuid import UUID

from msgspec.structs import replace

from nightbell.core.rotation import served_by, turn_running
from nightbell.core.schedule import Member, Person, Rotation, Schedule, Turn


def revised(schedule: Schedule, rotation: Rotation, *, at: datetime) -> Schedule:
    """Return a schedule in which a rotation is, from an instant on, as given: edited, or new.

    Shape: where it goes on from what was running, `starts_at` and `phase` of the one given are worked out here;
    everything else is taken as it is. What was planned to begin later under the same id is replaced too.
    """
    kept = tuple(old for old in schedule.rotations if old.id != rotation.id)
    versions = [old for old in schedule.rotations if old.id == rotation.id and not _begins_after(old, at)]
    closed = [_closed(old, at) for old in versions]
    running = next((old for old in versions if old.ends_at is None or old.ends_at > at), None)
    opened = rotation if running is None else _opened(running, rotation, at)
    return replace(schedule, rotations=(*kept, *closed, opened))


def ended(schedule: Schedule, rotation_id: UUID, *, at: datetime) -> Schedule:
    """Return a schedule in which a rotation ends at an instant; what it said before stays."""
    others = [old for old in schedule.rotations if old.id != rotation_id]
    closed = [
        _closed(old, at) for old in schedule.rotations if old.id == rotation_id and not _begins_after(old, at)
    ]
    return replace(schedule, rotations=(*others, *closed))


def with_turns(rotation: Rotation, turns: tuple[Turn, ...]) -> Rotation:
    """Return a rotation with other members, to be handed to `revised`."""
    return replace(rotation, turns=turns)


def _begins_after(rotation: Rotation, at: datetime) -> bool:
    return rotation.starts_at is not None and rotation.starts_at >= at


def _closed(rotation: Rotation, at: datetime) -> Rotation:
    return replace(rotation, ends_at=at if rotation.ends_at is None else min(rotation.ends_at, at))


def _opened(old: Rotation, new: Rotation, at: datetime) -> Rotation:
    """Return the new rotation, beginning where the old one is closed, with the running turn where it was."""
    starts_at = max(at, new.starts_at) if new.starts_at else at
    opened = replace(new, starts_at=starts_at)
    if not new.turns or starts_at != at:
        return opened
    phase = _kept(old, new, at) - turn_running(opened, at)
    return replace(opened, phase=phase % len(new.turns))


def _kept(old: Rotation, new: Rotation, at: datetime) -> int:
    """Return the place, among the new turns, of whoever has the running turn or follows first in the old order."""
    turn = turn_running(old, at)
    for ahead in range(len(old.turns)):
        place = _place(served_by(old, turn + ahead), new.turns)
        if place is not None:
            return place
    return 0


def _place(turn: Turn, turns: tuple[Turn, ...]) -> int | None:
    """Return which turn is the same as this one or, failing that, the first that shares a member with it."""
    wanted = {_key(member) for member in turn}
    shared = [len(wanted & {_key(member) for member in other}) for other in turns]
    same = (n for n, other in enumerate(turns) if {_key(member) for member in other} == wanted)
    return next(same, next((n for n, count in enumerate(shared) if count), None))


def _key(member: Member) -> int | UUID:
    return member.user if isinstance(member, Person) else member.schedule.id
