"""This file drives Alembic over our migrations; `store.migrate` decides whether it is needed at all."""

from collections.abc import Callable
from typing import Any

from alembic.config import Config
from alembic.runtime.environment import EnvironmentContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from nightbell.store.db import connect_one
from nightbell.store.migrations import FOLDER

#: An arbitrary constant, the same on every node: who holds it migrates, the others wait and find nothing to do.
_LOCK = 0x6E69676874


async def upgrade(dsn: str, progress: Callable[[int, int, str], None]) -> None:
    """Run every missing migration in one transaction; once at a time in a process, for Alembic keeps globals."""
    engine = create_async_engine(
        "postgresql+asyncpg://", async_creator=lambda: connect_one(dsn), poolclass=NullPool
    )
    try:
        async with engine.connect() as connection:
            await connection.run_sync(_upgrade, progress)
    finally:
        await engine.dispose()


def _upgrade(connection: Connection, progress: Callable[[int, int, str], None]) -> None:
    script = ScriptDirectory(str(FOLDER))
    planned: list[Any] = []
    done = 0

    def plan(current: Any, _context: Any) -> Any:
        # Alembic reads the version after the lock is ours, so a node that waited plans nothing.
        planned.extend(script._upgrade_revs("head", current))
        return planned

    def applied(*_: Any, **details: Any) -> None:
        nonlocal done
        done += 1
        progress(done, len(planned), str(details["step"].up_revision.doc).rstrip("."))

    with EnvironmentContext(Config(), script, fn=plan) as environment:
        environment.configure(connection=connection, on_version_apply=applied, transactional_ddl=True)
        with environment.begin_transaction():
            connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_LOCK})")
            environment.run_migrations()
