"""Fixtures for everybody: a real PostgreSQL, and a fresh, migrated database for each test that asks."""

import asyncio
import os
from collections.abc import AsyncIterator, Iterator

import pytest

from nightbell.store.db import Db, connect
from support.databases import Cluster, open_cluster


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """The server of this worker, without fsync."""
    cluster = open_cluster(tmp_path_factory.mktemp("postgres"))
    yield cluster
    asyncio.run(cluster.server.stop())


@pytest.fixture
async def database_url(postgres: Cluster) -> AsyncIterator[str]:
    """The address of a fresh, migrated database."""
    async with postgres.fresh() as url:
        yield url


@pytest.fixture
async def db(database_url: str) -> AsyncIterator[Db]:
    """A pool on a fresh, migrated database."""
    opened = await connect(database_url, 10)
    yield opened
    await opened.close()


def require_real(what: str) -> None:
    """Skip a test whose real program is missing, or fail it where nothing may be missing (CI)."""
    message = f"{what} is not installed; scripts/test-needs installs it as root"
    if os.environ.get("NIGHTBELL_REQUIRE_REAL") == "1":
        pytest.fail(message)
    pytest.skip(message)
