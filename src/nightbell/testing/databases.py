"""A real PostgreSQL for tests: one server for a run, a template migrated once, a database for each test."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import count
from pathlib import Path

from nightbell.store import embedded
from nightbell.store.db import connect, connect_one
from nightbell.store.embedded import Server, dsn
from nightbell.store.migrate import migrate

TEMPLATE = "spine"
#: A power cut may cost a test run; it makes a database of one's own cost 12 ms.
HASTY = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off", "shared_buffers": "32MB"}


class Cluster:
    """A server, and as many migrated databases as are asked of it."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self._numbers = count(1)

    async def prepare(self) -> None:
        """Migrate the template."""
        await self._administer(f"CREATE DATABASE {TEMPLATE}")
        db = await connect(dsn(self.server.sockets, TEMPLATE), 1)
        await migrate(db)
        await db.close()

    @asynccontextmanager
    async def fresh(self, *, migrated: bool = True) -> AsyncIterator[str]:
        """Lend the address of a new database, dropped afterwards whoever is still connected."""
        name = f"test_{next(self._numbers)}"
        template = TEMPLATE if migrated else "template0"
        await self._administer(f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY file_copy")
        try:
            yield dsn(self.server.sockets, name)
        finally:
            await self._administer(f"DROP DATABASE {name} WITH (FORCE)")

    async def _administer(self, sql: str) -> None:
        connection = await connect_one(self.server.dsn)
        try:
            await connection.execute(sql)
        finally:
            await connection.close()


@asynccontextmanager
async def opened_cluster(folder: Path) -> AsyncIterator[Cluster]:
    """Lend a server in an empty folder, its template prepared."""
    cluster = Cluster(await embedded.start(folder, purpose="test", options=HASTY))
    try:
        await cluster.prepare()
        yield cluster
    finally:
        await cluster.server.stop()


def open_cluster(folder: Path) -> Cluster:
    """Start a server in an empty folder and prepare its template; for fixtures that are not async."""

    async def opened() -> Cluster:
        cluster = Cluster(await embedded.start(folder, purpose="test", options=HASTY))
        await cluster.prepare()
        return cluster

    return asyncio.run(opened())
