"""This file brings the schema up to date, once, whichever of several nodes comes first.

Alembic does the work and is imported only when there is some: it costs 0.4 s that a warm start does not have.
"""

from collections.abc import Callable
from importlib import import_module
from typing import Any

import asyncpg
from msgspec import Struct

from nightbell.core.errors import NightbellError
from nightbell.store.db import Db
from nightbell.store.migrations import FOLDER

#: Told after each step: how many are done, of how many, and what it was.
Progress = Callable[[int, int, str], None]


class TooNew(NightbellError):
    """The database was written by a newer nightbell."""

    code = "schema_too_new"


class Schema(Struct, frozen=True, kw_only=True):
    """Where the schema is, and where this program wants it."""

    #: None in an empty database.
    current: str | None
    head: str

    @property
    def up_to_date(self) -> bool:
        """Tell whether there is nothing to do."""
        return self.current == self.head


def head() -> str:
    """Return the newest revision of this program, by the names of its files alone: "0001"."""
    return max(file.name[1:5] for file in (FOLDER / "versions").glob("v[0-9]*.py"))


async def schema(db: Db) -> Schema:
    """Return where the schema is.

    Raises: TooNew.
    """
    try:
        rows = await db.fetch("SELECT version_num FROM alembic_version")
    except asyncpg.UndefinedTableError:
        rows = []
    current = rows[0][0] if rows else None
    if current is not None and current > head():
        raise TooNew(
            f"the database is at schema {current}, and this nightbell knows only {head()}",
            hint="run the newer nightbell, or restore a backup that this one made",
        )
    return Schema(current=current, head=head())


async def migrate(db: Db, progress: Progress = lambda _done, _total, _what: None) -> Schema:
    """Bring the schema to the newest revision and return where it was before.

    Shape: all steps in one transaction, under an advisory lock; a failure leaves the schema as it was.
    Raises: TooNew.
    """
    before = await schema(db)
    if not before.up_to_date:
        # The one import that waits: nothing but this line needs Alembic and SQLAlchemy's engine.
        upgrading: Any = import_module("nightbell.store.upgrading")
        await upgrading.upgrade(db.dsn, progress)
        await db.drop_connections()
    return before
