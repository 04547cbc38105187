"""This file turns what somebody asks of a list (filters, search, order, page) into SQL over named columns.

Rule 1: a list knows its filters by name; what it does not know is ignored, what it cannot read is refused.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from msgspec import Struct
from msgspec.structs import replace
from sqlalchemy import ColumnElement, Subquery, Table, and_, false, func, literal, or_, select, true
from sqlalchemy.types import Boolean, Date, DateTime, Integer, Uuid

from nightbell.core.errors import BadPayload
from nightbell.core.uuids import as_uuid
from nightbell.store.db import Runner
from nightbell.store.statements import fetch_core

#: A row, and what a reader has put beside its columns.
Record = dict[str, Any]

#: Nobody pages further than this; a cursor does (rootly.md 3).
DEEPEST = 100_000
#: "More than ten thousand" is all a long list needs to say.
MOST_COUNTED = 10_001


class Condition(Struct, frozen=True):
    """One filter: `op` is eq, not_eq, in, not_in, gt, gte, lt or lte; `place` is how the asker wrote it."""

    field: str
    op: str
    values: tuple[str, ...]
    place: str = ""


class Listing(Struct, frozen=True, kw_only=True):
    """Which part of a list is wanted. `order` holds names, a leading minus turns one round."""

    where: tuple[Condition, ...] = ()
    search: str = ""
    order: tuple[str, ...] = ()
    limit: int = 25
    offset: int = 0
    #: Cursor: what comes after the row of this id.
    after: str = ""


class Found(Struct, frozen=True, kw_only=True):
    """A part of a list, how many there are in all, and the cursor of the next part, "" at the end."""

    rows: list[Record]
    total: int
    next_cursor: str = ""


class Shelf(Struct, frozen=True, kw_only=True):
    """What can be asked of one table: filters and orders by the name used on the wire."""

    table: Table
    filters: Mapping[str, ColumnElement[Any]]
    search: tuple[ColumnElement[Any], ...] = ()
    #: Filters to which upper and lower case are the same.
    folded: frozenset[str] = frozenset()
    #: Default order first.
    orders: Mapping[str, ColumnElement[Any]]
    default: str


async def found(runner: Runner, shelf: Shelf, listing: Listing, *within: ColumnElement[bool]) -> Found:
    """Return a part of a table, `within` always holding."""
    wanted = and_(true(), *within, *conditions(shelf, listing))
    statement = (
        select(shelf.table)
        .where(wanted)
        .order_by(*ordering(shelf, listing))
        .limit(listing.limit)
        .offset(offset(listing))
    )
    rows = [dict(row) for row in await fetch_core(runner, statement)]
    return Found(rows=rows, total=await total(runner, shelf.table, wanted, listing, len(rows)))


async def newest(
    runner: Runner,
    shelf: Shelf,
    listing: Listing,
    wanted: ColumnElement[bool],
    columns: Sequence[ColumnElement[Any]] = (),
) -> Found:
    """Return a part of a long table that is read by age: with a cursor, and counted no further than MOST_COUNTED.

    The shelf's `created_at` order is its id, which is a UUIDv7.
    """
    order = [n for n in listing.order if n.lstrip("-") in shelf.orders] or [shelf.default]
    by_age = order[0].lstrip("-") == "created_at"
    key = shelf.table.c.id
    after = as_uuid(listing.after) if by_age else None
    beyond = true() if after is None else key > after if order[0] == "created_at" else key < after
    statement = select(*(columns or shelf.table.c)).where(wanted & beyond).order_by(*ordering(shelf, listing))
    page = statement.limit(listing.limit).offset(offset(listing))
    rows = [dict(row) for row in await fetch_core(runner, page)]
    some = select(literal(1)).select_from(shelf.table).where(wanted).limit(MOST_COUNTED).subquery()
    following = str(rows[-1]["id"]) if by_age and len(rows) == listing.limit else ""
    return Found(rows=rows, total=await _counted(runner, some, listing, len(rows)), next_cursor=following)


async def total(
    runner: Runner, table: Table, wanted: ColumnElement[bool], listing: Listing, shown: int
) -> int:
    """Return how many rows match; a page that is not full already says so."""
    return await _counted(runner, select(table.c.id).where(wanted).subquery(), listing, shown)


async def _counted(runner: Runner, matching: Subquery, listing: Listing, shown: int) -> int:
    if shown < listing.limit and (shown or not listing.offset) and not listing.after:
        return listing.offset + shown
    return int((await fetch_core(runner, select(func.count()).select_from(matching)))[0][0])


def offset(listing: Listing) -> int:
    """Return how many rows to skip.

    Raises: BadPayload beyond what counting through is for.
    """
    if listing.offset > DEEPEST:
        raise BadPayload(
            "offset pagination exceeds limit",
            place="page[number]",
            hint="use page[after] with meta.next_cursor",
        )
    return listing.offset


def conditions(shelf: Shelf, listing: Listing) -> list[ColumnElement[bool]]:
    """Return the filters a shelf knows, and the search, as SQL."""
    known = [c for c in listing.where if c.field in shelf.filters]
    clauses = [
        _folded(shelf, c) if c.field in shelf.folded else compared(shelf.filters[c.field], c) for c in known
    ]
    if listing.search and shelf.search:
        clauses.append(or_(*(column.icontains(listing.search, autoescape=True) for column in shelf.search)))
    return clauses


def _folded(shelf: Shelf, condition: Condition) -> ColumnElement[bool]:
    lowered = replace(condition, values=tuple(value.lower() for value in condition.values))
    return compared(func.lower(shelf.filters[condition.field]), lowered)


def ordering(shelf: Shelf, listing: Listing) -> list[ColumnElement[Any]]:
    """Return the order, known names only; the id settles what is left, so that pages never overlap."""
    names = [n for n in listing.order if n.lstrip("-") in shelf.orders] or [shelf.default]
    ordered = [shelf.orders[n[1:]].desc() if n.startswith("-") else shelf.orders[n].asc() for n in names]
    tie = shelf.table.c.id
    return [*ordered, tie.desc() if names[0].startswith("-") else tie.asc()]


def compared(column: ColumnElement[Any], condition: Condition) -> ColumnElement[bool]:
    """Return one filter as SQL.

    Raises: BadPayload when a time or a number cannot be read.
    """
    if condition.op in _ORDERED:
        return _ORDERED[condition.op](column, read(column, condition.values[0], condition.place))
    values = [v for v in (read(column, text, condition.place) for text in condition.values) if v is not None]
    if condition.op in ("not_eq", "not_in"):
        return or_(column.is_(None), column.not_in(values))
    return column.in_(values) if values else false()


_ORDERED: dict[str, Callable[[ColumnElement[Any], Any], ColumnElement[bool]]] = {
    "gt": lambda column, value: column > value,
    "gte": lambda column, value: column >= value,
    "lt": lambda column, value: column < value,
    "lte": lambda column, value: column <= value,
}


def read(column: ColumnElement[Any], text: str, place: str) -> Any:
    """Return a filter's text as a value of the column; None for an id that cannot be one."""
    if isinstance(column.type, Uuid):
        return as_uuid(text)
    if isinstance(column.type, DateTime):
        return instant(text, place)
    if isinstance(column.type, Date):
        return instant(text, place).date()
    if isinstance(column.type, Boolean):
        return text.lower() in ("true", "1", "t", "yes")
    if isinstance(column.type, Integer):
        return int(text) if text.lstrip("-").isdecimal() and len(text) < 10 else None
    return text


def instant(text: str, place: str) -> datetime:
    """Return a time; a bare date or one without a zone is UTC (rootly.md 3).

    Raises: BadPayload naming the place.
    """
    try:
        value = datetime.fromisoformat(_PLUS.sub("+", text.strip()))
    except ValueError:
        raise BadPayload(
            f"not a time: {text[:40]!r}", place=place, hint="write 2026-11-23T02:00:00Z"
        ) from None
    return value if value.tzinfo else value.replace(tzinfo=UTC)


#: A plus sign that was not escaped in a query arrives as a space: "…T02:00:00 00:00".
_PLUS = re.compile(r"(?<=[\dT]) (?=\d\d:\d\d$)")


def by_names(table: Table, *names: str) -> dict[str, ColumnElement[Any]]:
    """Return columns of a table by their own names."""
    return {name: table.c[name] for name in names}


async def one(runner: Runner, table: Table, where: ColumnElement[bool]) -> Record | None:
    """Return the only row, or None."""
    rows = await fetch_core(runner, select(table).where(where).limit(1))
    return dict(rows[0]) if rows else None


async def many(
    runner: Runner, table: Table, where: ColumnElement[bool], *order: ColumnElement[Any]
) -> list[Record]:
    """Return rows in order."""
    return [dict(row) for row in await fetch_core(runner, select(table).where(where).order_by(*order))]
