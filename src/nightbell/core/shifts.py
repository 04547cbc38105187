"""This file computes shifts: who is on call over a range, layer by layer, then as overridden, then as swapped.

Rule 1: everything is cut whole and clipped last. What the edge of a range hides must not change a shift's id.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from itertools import groupby
from operator import attrgetter
from uuid import UUID

from msgspec.structs import replace

from nightbell.core.absence import Stint, exchanged_in, stints
from nightbell.core.calendar import MOMENT, Span, joined, rest
from nightbell.core.errors import Invalid
from nightbell.core.overriding import overridden, without
from nightbell.core.rotation import Slot, slots
from nightbell.core.schedule import Absence, Feed, Nested, Person, Rotation, Schedule, Shadow
from nightbell.core.shift import Piece, Rule, Shift, Why, shift_of

#: The longest range anybody may ask for.
LONGEST = timedelta(days=400)


class WindowTooLong(Invalid):
    """More was asked for than anybody looks at."""

    code = "window_too_long"


def shifts(schedule: Schedule, *, start: datetime, end: datetime) -> tuple[Shift, ...]:
    """Return who is on call in [start, end), overrides and swaps applied.

    Shape: sorted by start, clipped to the range, half-open; a gap is an absence, see `gaps`. People who serve
    together have a shift each.
    Units: aware datetimes, UTC in and out.
    Raises: WindowTooLong over 400 days.
    """
    span = _range(start, end)
    return _clipped(_final(schedule, span), schedule.id, span)


def shifts_at(schedule: Schedule, at: datetime) -> tuple[Shift, ...]:
    """Return the shifts that cover an instant, from their true starts to their true ends."""
    found = _final(schedule, Span(at, at + MOMENT))
    return tuple(shift_of(p, schedule.id, start=p.start, end=p.end) for p in found)


def gaps(schedule: Schedule, *, start: datetime, end: datetime) -> tuple[Span, ...]:
    """Return when, in [start, end), nobody is on call."""
    span = _range(start, end)
    covered = joined(Span(piece.start, piece.end) for piece in _final(schedule, span))
    return tuple(rest(span, covered))


def lane_shifts(schedule: Schedule, *, start: datetime, end: datetime) -> dict[UUID, tuple[Shift, ...]]:
    """Return what each rotation and feed says on its own in [start, end), other layers and overrides left out."""
    span = _range(start, end)
    lanes: list[Rotation | Feed] = [*schedule.rotations, *schedule.feeds]
    found: dict[UUID, list[Piece]] = {lane.id: [] for lane in lanes}
    for lane in lanes:
        found[lane.id] += _pieces(lane, schedule, span)
    return {lane: _clipped(_continued(pieces, lanes), schedule.id, span) for lane, pieces in found.items()}


def shadow_shifts(schedule: Schedule, *, start: datetime, end: datetime) -> tuple[Shift, ...]:
    """Return who listens in [start, end): one shift for each shift that is shadowed."""
    followed = shifts(schedule, start=start, end=end)
    pairs = ((shadow, shift) for shadow in schedule.shadows for shift in followed)
    found = (_shadowed(shadow, shift) for shadow, shift in pairs if _follows(shadow, shift))
    return tuple(sorted(found, key=attrgetter("start", "user", "end")))


def reach(schedule: Schedule, span: Span) -> Span:
    """Return a span stretched to the true bounds of whatever slots its edges cut.

    Shape: what of overrides, swaps and versions of rotations touches it must be known for the shifts of the span to
    have their true starts, and so their ids.
    """
    edges = (Span(span.start, span.start + MOMENT), Span(span.end - MOMENT, span.end))
    cut = [slot.whole for lane in schedule.rotations for edge in edges for slot in slots(lane, *edge)]
    cut += [
        Span(b.start, b.end)
        for lane in schedule.feeds
        for b in lane.bookings
        if _crosses(b.start, b.end, edges)
    ]
    return Span(min([span.start, *(c.start for c in cut)]), max([span.end, *(c.end for c in cut)]))


# ---------------------------------------------------------------- ranges


def _range(start: datetime, end: datetime) -> Span:
    if end - start > LONGEST:
        raise WindowTooLong(
            f"{(end - start).days} days are too many", place="to", hint=f"ask for at most {LONGEST.days} days"
        )
    return Span(start.astimezone(UTC), end.astimezone(UTC))


def _clipped(pieces: Iterable[Piece], schedule_id: UUID, span: Span) -> tuple[Shift, ...]:
    return tuple(shift_of(p, schedule_id, start=span.start, end=span.end) for p in pieces)


# ---------------------------------------------------------------- layers


def _final(schedule: Schedule, span: Span) -> list[Piece]:
    """Return the whole pieces that touch a span, sorted."""
    if span.start >= span.end:
        return []
    several = len(schedule.rotations) + len(schedule.feeds) > 1
    base = _layered(schedule, reach(schedule, span) if several else span)
    changed = overridden(base, schedule.overrides, Rule.OVERRIDE)
    swapped = overridden(changed, schedule.swaps, Rule.SWAP)
    touching = [piece for piece in swapped if piece.end > span.start and piece.start < span.end]
    return sorted(touching, key=attrgetter("start", "end", "user"))


def _crosses(start: datetime, end: datetime, edges: Iterable[Span]) -> bool:
    return any(start < edge.end and end > edge.start for edge in edges)


def _layered(schedule: Schedule, span: Span) -> list[Piece]:
    """Return the pieces of each layer that no higher one covers, with hand-overs between versions healed."""
    lanes: list[Rotation | Feed] = [*schedule.rotations, *schedule.feeds]
    lanes.sort(key=lambda lane: -lane.position)
    found: list[Piece] = []
    covered: list[Span] = []
    for _, layer in groupby(lanes, key=lambda lane: lane.position):
        together = list(layer)
        pieces = _continued([piece for lane in together for piece in _pieces(lane, schedule, span)], together)
        found += without(pieces, covered)
        if len(together) < len(lanes):
            covered = joined(sorted([*covered, *(Span(piece.start, piece.end) for piece in pieces)]))
    return found


def _continued(pieces: list[Piece], lanes: Sequence[Rotation | Feed]) -> list[Piece]:
    """Return pieces with those joined that an edit of their rotation cut, though the same slot went on."""
    edits = {(lane.id, lane.starts_at) for lane in lanes if isinstance(lane, Rotation)}
    if len({lane for lane, _ in edits}) == len(edits):
        return pieces
    found: list[Piece] = []
    ending: dict[tuple[datetime, UUID | None, int, datetime], int] = {}
    for piece in sorted(pieces, key=attrgetter("start")):
        before = ending.get((piece.start, piece.lane, piece.user, piece.began))
        if before is not None and (piece.lane, piece.start) in edits:
            found[before] = found[before]._replace(end=piece.end)
        else:
            before = len(found)
            found.append(piece)
        ending[piece.end, piece.lane, piece.user, piece.began] = before
    return found


# ---------------------------------------------------------------- one layer


def _pieces(lane: Rotation | Feed, schedule: Schedule, span: Span) -> Iterator[Piece]:
    """Yield the whole pieces of one lane that touch a span."""
    if isinstance(lane, Feed):
        yield from _booked(lane, span)
        return
    absences = exchanged_in(lane, schedule.absences)
    found = slots(lane, *span)
    inside = _nested(lane, found)
    for slot in found:
        for stint in stints(lane, slot, absences):
            member = stint.service.member
            why = _why(lane, slot, stint.service.absence)
            if isinstance(member, Person):
                yield Piece(stint.start, stint.end, member.user, lane.id, slot.whole.start, why)
            else:
                yield from _through(member, stint, inside[member.schedule.id], lane, slot)


def _booked(feed: Feed, span: Span) -> Iterator[Piece]:
    why = Why(rule=Rule.FEED, lane=feed.name)
    for booking in feed.bookings:
        if booking.start < span.end and booking.end > span.start:
            yield Piece(booking.start, booking.end, booking.user, feed.id, booking.start, why)


def _nested(rotation: Rotation, found: Sequence[Slot]) -> dict[UUID, list[Piece]]:
    """Return what each nested schedule says over all the slots."""
    if not found:
        return {}
    span = Span(found[0].start, found[-1].end)
    members = (member for turn in rotation.turns for member in turn if isinstance(member, Nested))
    return {member.schedule.id: _final(member.schedule, span) for member in members}


def _through(
    member: Nested, stint: Stint, inside: list[Piece], rotation: Rotation, slot: Slot
) -> Iterator[Piece]:
    for piece in inside:
        if piece.start < stint.end and piece.end > stint.start:
            why = replace(piece.why, through=(member.schedule.name, *piece.why.through))
            cut = piece.cut(stint.start, stint.end)
            yield Piece(cut.start, cut.end, cut.user, rotation.id, slot.whole.start, why)


def _why(rotation: Rotation, slot: Slot, absence: Absence | None) -> Why:
    places = len(rotation.turns)
    return Why(
        rule=Rule.STAND_IN if absence else Rule.ROTATION,
        lane=rotation.name,
        turn=slot.turn,
        place=(slot.turn + rotation.phase) % places + 1,
        places=places,
        stands_for=absence.user if absence else None,
        reason=absence.reason if absence else "",
    )


# ---------------------------------------------------------------- shadows


def _follows(shadow: Shadow, shift: Shift) -> bool:
    meets = shadow.start < shift.end and shift.start < shadow.end
    return meets and shadow.of in (None, shift.user) and shadow.user != shift.user


def _shadowed(shadow: Shadow, shift: Shift) -> Shift:
    span = Span(max(shadow.start, shift.start), min(shadow.end, shift.end))
    why = Why(rule=Rule.SHADOW, lane=shift.why.lane, stands_for=shift.user, cause=shadow.id)
    piece = Piece(span.start, span.end, shadow.user, shift.rotation_id, span.start, why)
    return shift_of(piece, shift.schedule_id, start=span.start, end=span.end)
