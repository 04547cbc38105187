"""This file decides who stands in for whoever is away.

Rule 1: standing in changes nobody's own turn. Where nobody is left the layer is empty, so the layer below serves, or
there is a gap that everybody sees: a page to somebody on a beach would only lose time.
"""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from nightbell.core.rotation import Slot, served_by
from nightbell.core.schedule import Absence, Member, Person, Rotation, covers


class Service(NamedTuple):
    """A member who serves and, where that member stands in, for whose absence."""

    member: Member
    absence: Absence | None = None


class Stint(NamedTuple):
    """Instants in which the same service is done."""

    start: datetime
    end: datetime
    service: Service


def exchanged_in(rotation: Rotation, absences: Iterable[Absence]) -> tuple[Absence, ...]:
    """Return the absences that make somebody else of a rotation stand in."""
    users = {member.user for turn in rotation.turns for member in turn if isinstance(member, Person)}
    return tuple(absence for absence in absences if absence.exchanged and absence.user in users)


def serving(rotation: Rotation, turn: int, away: Mapping[int, Absence]) -> list[Service]:
    """Return who serves a turn while some people are away: for each of them the next member who is not."""
    members = served_by(rotation, turn)
    taken = {_key(member) for member in members if _gone(member, away) is None}
    found = []
    for member in members:
        absence = _gone(member, away)
        chosen = member if absence is None else _next(rotation, turn, away, taken)
        if chosen is not None:
            found.append(Service(chosen, absence))
            taken.add(_key(chosen))
    return found


def away_at(absences: Iterable[Absence], at: datetime) -> dict[int, Absence]:
    """Return whose absence covers an instant."""
    return {absence.user: absence for absence in absences if covers(absence, at)}


def stints(rotation: Rotation, slot: Slot, absences: tuple[Absence, ...]) -> Iterator[Stint]:
    """Yield who serves during a slot, given the absences that are exchanged."""
    touching = absences and [a for a in absences if a.start < slot.end and a.end > slot.start]
    if not touching:
        yield from (Stint(slot.start, slot.end, Service(member)) for member in served_by(rotation, slot.turn))
        return
    edges = {edge for absence in touching for edge in (absence.start, absence.end)}
    cuts = [slot.start, *sorted(edge for edge in edges if slot.start < edge < slot.end), slot.end]
    open_stints: dict[Service, datetime] = {}
    for start in cuts[:-1]:
        now = dict.fromkeys(serving(rotation, slot.turn, away_at(touching, start)), start)
        yield from (
            Stint(since, start, service) for service, since in open_stints.items() if service not in now
        )
        open_stints = {service: open_stints.get(service, start) for service in now}
    yield from (Stint(since, slot.end, service) for service, since in open_stints.items())


def _next(
    rotation: Rotation, turn: int, away: Mapping[int, Absence], taken: set[int | UUID]
) -> Member | None:
    following = (served_by(rotation, turn + ahead) for ahead in range(1, len(rotation.turns)))
    for member in (member for members in following for member in members):
        if _gone(member, away) is None and _key(member) not in taken:
            return member
    return None


def _gone(member: Member, away: Mapping[int, Absence]) -> Absence | None:
    return away.get(member.user) if isinstance(member, Person) else None


def _key(member: Member) -> int | UUID:
    return member.user if isinstance(member, Person) else member.schedule.id
