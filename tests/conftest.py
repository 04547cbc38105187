"""Fixtures for everybody: a real PostgreSQL, and a fresh, migrated database for each test that asks."""

import asyncio
import gc
import os
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from shutil import disk_usage
from tempfile import TemporaryDirectory

import pytest

from nightbell.store.db import Db, connect
from support.databases import Cluster, open_cluster

MEMORY = Path("/dev/shm")  # noqa: S108 - a fresh folder in it
#: A server with a few small databases at a time is well below this. Units: bytes.
ROOM = 2_000_000_000


def pytest_collection_finish() -> None:
    """Look no more for garbage in what the tests import: it took longer than a template may, in the middle of one."""
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """The server of this worker, without fsync, in memory where there is room."""
    with ExitStack() as stack:
        folder = stack.enter_context(memory_folder()) or tmp_path_factory.mktemp("postgres")
        cluster = open_cluster(folder)
        stack.callback(lambda: asyncio.run(cluster.server.stop()))
        yield cluster


@contextmanager
def memory_folder() -> Iterator[Path | None]:
    """Lend a folder in memory, None where there is none: a database is 800 files, and some disks take 0.2 s to make them."""
    if not MEMORY.is_dir() or not os.access(MEMORY, os.W_OK) or disk_usage(MEMORY).free < ROOM:
        yield None
        return
    with TemporaryDirectory(prefix="nightbell-test-", dir=MEMORY) as folder:
        yield Path(folder)


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
