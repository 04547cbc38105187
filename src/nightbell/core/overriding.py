"""This file applies overrides and swaps to who is on call, for an instant and for a range.

Rule 1: all overrides of one pass act on what was there before the pass, so who replaced somebody is not replaced in
turn. Where two edit the same person at once, which `core/schedule_checks.py` refuses, removing wins, then the earlier.
"""

from bisect import bisect_right
from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import datetime

from nightbell.core.calendar import Span, joined, rest
from nightbell.core.schedule import Change, Override, covers
from nightbell.core.shift import Piece, Rule, Why


def people_at(people: frozenset[int], overrides: Collection[Override], at: datetime) -> frozenset[int]:
    """Return who is on call at an instant once some overrides have acted."""
    acting = [override for override in overrides if covers(override, at)]
    if not acting:
        return people
    covering = [override for override in acting if override.change is Change.COVER]
    if covering:
        people = frozenset(override.user for override in covering if override.user is not None)
    edits = _edits(acting)
    edited = (edits[user][0].user if user in edits else user for user in people)
    added = (override.user for override in acting if override.change is Change.ADD)
    return frozenset(user for user in (*edited, *added) if user is not None)


def overridden(pieces: list[Piece], overrides: Collection[Override], rule: Rule) -> list[Piece]:
    """Return pieces once some overrides have acted, in no order; `rule` is what changed ones give as theirs."""
    if not overrides:
        return pieces
    covering = [override for override in overrides if override.change is Change.COVER]
    holes = joined(sorted(Span(override.start, override.end) for override in covering))
    edits = _edits(overrides)
    base = [*without(pieces, holes), *_served(covering, rule)]
    edited = [part for piece in base for part in _edited(piece, edits.get(piece.user, ()), rule)]
    return [*edited, *_served([o for o in overrides if o.change is Change.ADD], rule)]


def without(pieces: Iterable[Piece], holes: Sequence[Span]) -> Iterator[Piece]:
    """Yield what is left of pieces outside some spans, given in order and apart."""
    if not holes:
        yield from pieces
        return
    ends = [hole.end for hole in holes]
    for piece in pieces:
        nearby = (holes[n] for n in range(bisect_right(ends, piece.start), len(holes)))
        yield from (piece.cut(*part) for part in rest(Span(piece.start, piece.end), nearby))


def _edits(overrides: Iterable[Override]) -> dict[int, list[Override]]:
    """Return what removes or replaces each person, what wins first."""
    found: dict[int, list[Override]] = {}
    for override in sorted(overrides, key=lambda o: (o.change is not Change.REMOVE, o.start, o.id)):
        if override.replaces is not None:
            found.setdefault(override.replaces, []).append(override)
    return found


def _edited(piece: Piece, edits: Iterable[Override], rule: Rule) -> Iterator[Piece]:
    """Yield a piece with the parts that somebody edited taken out or given to another."""
    left = [Span(piece.start, piece.end)]
    for edit in edits:
        hole = Span(edit.start, edit.end)
        if edit.user is not None:
            yield from (_given(piece, part, edit, rule) for part in _inside(left, hole))
        left = [part for span in left for part in rest(span, (hole,))]
    yield from (piece.cut(*part) for part in left)


def _inside(spans: Iterable[Span], hole: Span) -> Iterator[Span]:
    both = (Span(max(span.start, hole.start), min(span.end, hole.end)) for span in spans)
    return (span for span in both if span.start < span.end)


def _given(piece: Piece, part: Span, edit: Override, rule: Rule) -> Piece:
    assert edit.user is not None
    why = _why(edit, rule, lane=piece.why.lane, through=piece.why.through)
    return Piece(part.start, part.end, edit.user, piece.lane, piece.began, why)


def _served(overrides: Iterable[Override], rule: Rule) -> Iterator[Piece]:
    """Yield the pieces of overrides that stand alone."""
    for override in overrides:
        if override.user is not None:
            start, end = override.start, override.end
            yield Piece(start, end, override.user, None, start, _why(override, rule))


def _why(override: Override, rule: Rule, *, lane: str = "", through: tuple[str, ...] = ()) -> Why:
    return Why(
        rule=rule,
        lane=lane,
        through=through,
        stands_for=override.replaces,
        cause=override.id,
        change=override.change,
        reason=override.reason,
    )
