"""Who serves in a schedule at all, whenever their turn comes."""

from nightbell.core.schedule import Nested, Schedule


def everybody(schedule: Schedule) -> frozenset[int]:
    """Return everybody who has a turn in a schedule, those of nested schedules too."""
    people: set[int] = set()
    for rotation in schedule.rotations:
        for turn in rotation.turns:
            for member in turn:
                people |= everybody(member.schedule) if isinstance(member, Nested) else {member.user}
    return frozenset(people)
