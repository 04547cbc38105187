"""This file runs SQLAlchemy Core statements through asyncpg: Core writes the SQL, its engine is never used.

For CRUD and dynamic filters only. Importing this file costs what SQLAlchemy costs, so `store.db` does not.
"""

from typing import Any

from sqlalchemy import ClauseElement
from sqlalchemy.dialects.postgresql.asyncpg import PGDialect_asyncpg

from nightbell.store.db import Row, Runner

_DIALECT: Any = PGDialect_asyncpg()  # type: ignore[no-untyped-call]  # SQLAlchemy leaves it untyped


def compiled(element: ClauseElement) -> tuple[str, list[Any]]:
    """Return the SQL text and its positional arguments.

    Values go to asyncpg as they are, without SQLAlchemy's bind processors: our codecs know jsonb and UUIDs.
    """
    result: Any = element.compile(dialect=_DIALECT, compile_kwargs={"render_postcompile": True})
    return str(result), [result.params[name] for name in result.positiontup or ()]


async def fetch_core(runner: Runner, element: ClauseElement) -> list[Row]:
    """Run a Core statement and return its rows (a SELECT, or anything with RETURNING)."""
    sql, args = compiled(element)
    return await runner.fetch(sql, *args)


async def run_core(runner: Runner, element: ClauseElement) -> int:
    """Run a Core statement and return how many rows it touched."""
    sql, args = compiled(element)
    return await runner.run(sql, *args)
