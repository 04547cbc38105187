"""This file decides what becomes of a swap: one person asks, another says yes, and only then anything changes.

Rule 1: nobody is put on call by somebody else's click. A swap without a taker is open to everybody, once.
"""

from collections.abc import Iterator
from datetime import datetime
from enum import StrEnum
from uuid import UUID, uuid5

from msgspec import Struct
from msgspec.structs import replace

from nightbell.core.calendar import Span
from nightbell.core.errors import Forbidden, Invalid, Stale
from nightbell.core.schedule import Change, Override, Schedule
from nightbell.core.shifts import shifts


class SwapState(StrEnum):
    """Where a swap is; only `asked` can change."""

    ASKED = "asked"
    TAKEN = "taken"
    DECLINED = "declined"
    WITHDRAWN = "withdrawn"
    EXPIRED = "expired"


class Swap(Struct, frozen=True, kw_only=True):
    """Somebody asks another to take what they serve in [start, end) and may serve something of theirs in return."""

    id: UUID
    schedule_id: UUID
    requester: int
    #: Who is asked; None: anybody.
    taker: int | None
    start: datetime
    end: datetime
    #: When the requester serves in place of the taker.
    in_return: Span | None = None
    state: SwapState = SwapState.ASKED
    reason: str = ""


def errors_in_swap(schedule: Schedule, swap: Swap, *, now: datetime) -> tuple[Invalid, ...]:
    """Return what is wrong with a swap that is asked for."""
    return (*_errors_in_people(swap), *_errors_in_times(schedule, swap, now))


def taken(swap: Swap, *, by: int, now: datetime) -> Swap:
    """Return a swap that somebody said yes to.

    Raises: Stale where it is over, Forbidden for whoever was not asked.
    """
    _open(swap, now)
    if by == swap.requester or swap.taker not in (None, by):
        raise Forbidden("this swap was not offered to you")
    return replace(swap, taker=by, state=SwapState.TAKEN)


def declined(swap: Swap, *, by: int, now: datetime) -> Swap:
    """Return a swap that the one who was asked said no to.

    Raises: Stale where it is over, Forbidden for whoever was not asked.
    """
    _open(swap, now)
    if by != swap.taker:
        raise Forbidden("this swap was not offered to you")
    return replace(swap, state=SwapState.DECLINED)


def withdrawn(swap: Swap, *, by: int, now: datetime) -> Swap:
    """Return a swap that whoever asked no longer wants.

    Raises: Stale where it is over, Forbidden for anybody else.
    """
    _open(swap, now)
    if by != swap.requester:
        raise Forbidden("only whoever asked can take it back")
    return replace(swap, state=SwapState.WITHDRAWN)


def expired(swap: Swap, *, now: datetime) -> bool:
    """Return whether nobody can say yes any more, because it would begin now."""
    return swap.state is SwapState.ASKED and now >= _first(swap)


def exchanges(swap: Swap) -> tuple[Override, ...]:
    """Return what a swap changes: nothing until it is taken. Put these in `Schedule.swaps`."""
    if swap.state is not SwapState.TAKEN or swap.taker is None:
        return ()
    given = _exchange(swap, Span(swap.start, swap.end), serves=swap.taker, instead_of=swap.requester)
    if swap.in_return is None:
        return (given,)
    return (given, _exchange(swap, swap.in_return, serves=swap.requester, instead_of=swap.taker))


def _exchange(swap: Swap, span: Span, *, serves: int, instead_of: int) -> Override:
    return Override(
        id=swap.id if serves == swap.taker else uuid5(swap.id, "in return"),
        change=Change.REPLACE,
        start=span.start,
        end=span.end,
        user=serves,
        replaces=instead_of,
        reason=swap.reason,
    )


def _first(swap: Swap) -> datetime:
    return min(swap.start, swap.in_return.start) if swap.in_return else swap.start


def _open(swap: Swap, now: datetime) -> None:
    if swap.state is not SwapState.ASKED:
        raise Stale(f"this swap is {swap.state.value}", hint="ask for another")
    if expired(swap, now=now):
        raise Stale("this swap would begin in the past", hint="ask for a later one")


def _errors_in_people(swap: Swap) -> Iterator[Invalid]:
    if swap.taker == swap.requester:
        yield Invalid(
            "nobody can swap with themselves", place="taker_user_id", hint="another person, or nobody"
        )
    if swap.in_return is not None and swap.taker is None:
        hint = "the person who would be replaced in return"
        yield Invalid("nobody is named to give something in return", place="taker_user_id", hint=hint)


def _errors_in_times(schedule: Schedule, swap: Swap, now: datetime) -> Iterator[Invalid]:
    parts = [("", Span(swap.start, swap.end), swap.requester)]
    if swap.in_return is not None and swap.taker is not None:
        parts.append(("in_return.", swap.in_return, swap.taker))
    for prefix, span, giver in parts:
        if span.end <= span.start:
            yield Invalid(
                "it ends before it begins", place=f"{prefix}ends_at", hint="an instant after starts_at"
            )
        elif span.start < now:
            yield Invalid(
                "it begins in the past", place=f"{prefix}starts_at", hint=f"{now.isoformat()} or later"
            )
        elif not any(shift.user == giver for shift in shifts(schedule, start=span.start, end=span.end)):
            yield Invalid(
                "there is nothing to give", place=f"{prefix}starts_at", hint="a time when they are on call"
            )
