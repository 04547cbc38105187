"""The embedded PostgreSQL against every way of ending: politely, killed, orphaned, and asked for twice."""

import asyncio
import os
import signal
import stat
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from nightbell.store import embedded, postmaster, providers, unroot
from nightbell.store.datalock import Busy, holder
from nightbell.store.db import Retryable, connect, retryable
from nightbell.store.embedded import Attached, Server
from support.databases import HASTY

OWNER = """
import asyncio, sys
from pathlib import Path
from nightbell.store import embedded

async def main():
    server = await embedded.start(Path(sys.argv[1]), purpose=sys.argv[2], url="http://127.0.0.1:1", options={"fsync": "off"})
    print(server.pid, flush=True)
    await asyncio.sleep(60)

asyncio.run(main())
"""


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[Server]:
    started = await embedded.start(tmp_path / "data", options=HASTY)
    yield started
    await started.stop()


class Owner:
    """Another process that runs a server on a data directory."""

    def __init__(self, data: Path, purpose: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", OWNER, data, purpose], stdout=subprocess.PIPE, text=True
        )
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        while line and not line.strip().isdigit():
            line = self.process.stdout.readline()
        self.postgres = int(line)

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()


@pytest.fixture
def other(tmp_path: Path) -> Iterator[Owner]:
    owner = Owner(tmp_path / "data", "serve")
    yield owner
    owner.kill()


async def answers(database: embedded.Database) -> bool:
    db = await connect(database.dsn, 1)
    try:
        return bool(await db.value("answers") == 1)
    finally:
        await db.close()


async def remember(server: Server, value: int) -> None:
    db = await connect(server.dsn, 1)
    await db.run("CREATE TABLE IF NOT EXISTS kept (value integer)")
    await db.run("INSERT INTO kept VALUES ($1)", value)
    await db.close()


async def remembered(server: Server) -> list[int]:
    db = await connect(server.dsn, 1)
    rows = await db.fetch("SELECT value FROM kept ORDER BY value")
    await db.close()
    return [row["value"] for row in rows]


def gone(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] == "Z"
    except OSError:
        return True


async def test_data_and_socket_are_for_their_owner_alone(server: Server) -> None:
    assert await answers(server)
    for place in (server.data, server.cluster, server.sockets):
        assert stat.S_IMODE(place.stat().st_mode) == 0o700
        assert place.stat().st_uid == os.geteuid()
    db = await connect(server.dsn, 1)
    assert (await db.fetch("SHOW listen_addresses"))[0][0] == ""
    await db.close()


async def test_a_commit_is_flushed_unless_tests_say_otherwise(tmp_path: Path) -> None:
    server = await embedded.start(tmp_path)
    db = await connect(server.dsn, 1)
    for name in ("fsync", "synchronous_commit", "full_page_writes"):
        assert (await db.fetch(f"SHOW {name}"))[0][0] == "on"
    await db.close()
    await server.stop()


async def test_what_was_stored_is_there_after_a_stop(tmp_path: Path) -> None:
    first = await embedded.start(tmp_path, options=HASTY)
    await remember(first, 1)
    await first.stop()
    assert postmaster.status(tmp_path / "postgres") is None
    second = await embedded.start(tmp_path, options=HASTY)
    assert await remembered(second) == [1]
    await second.stop()


async def test_a_second_start_is_refused_and_told_who_is_first(other: Owner, tmp_path: Path) -> None:
    with pytest.raises(Busy) as refused:
        await embedded.start(tmp_path / "data")
    assert f"process {other.process.pid}" in refused.value.message
    assert "http://127.0.0.1:1" in refused.value.message
    assert not gone(other.postgres)


async def test_a_command_attaches_to_the_server_that_serves(other: Owner, tmp_path: Path) -> None:
    database = await embedded.attach_or_start(tmp_path / "data", purpose="user add")
    assert isinstance(database, Attached)
    assert await answers(database)
    await database.stop()
    assert not gone(other.postgres)


async def test_serving_waits_for_a_command_that_is_about_to_end(tmp_path: Path) -> None:
    command = await embedded.attach_or_start(tmp_path, purpose="user add")
    waiting = asyncio.create_task(embedded.start(tmp_path, options=HASTY))
    await asyncio.sleep(0.2)
    assert not waiting.done()
    await command.stop()
    server = await waiting
    assert await answers(server)
    await server.stop()


async def test_a_killed_postgres_comes_back_with_its_data(tmp_path: Path) -> None:
    server = await embedded.start(tmp_path)
    await remember(server, 1)
    for value in range(2, 5):
        assert server.pid
        os.kill(server.pid, signal.SIGKILL)
        while server.alive():
            await asyncio.sleep(0.005)
        assert await server.ensure()
        await remember(server, value)
    assert await remembered(server) == [1, 2, 3, 4]
    assert not await server.ensure()
    await server.stop()


async def test_a_pool_carries_on_after_postgres_was_killed_under_it(server: Server) -> None:
    restarts: list[int] = []
    watch = asyncio.create_task(server.watch(lambda: restarts.append(1)))
    db = await connect(server.dsn, 4)
    assert server.pid
    busy = asyncio.create_task(db.fetch("SELECT pg_sleep(30)"))
    await asyncio.sleep(0.1)
    os.kill(server.pid, signal.SIGKILL)
    async with asyncio.timeout(10):
        while not restarts:
            await asyncio.sleep(0.02)
    assert await db.in_tx(lambda tx: tx.value("answers")) == 1
    [ended] = await asyncio.gather(busy, return_exceptions=True)
    assert isinstance(ended, BaseException)
    assert retryable(ended) is Retryable.LOST
    await db.close()
    watch.cancel()


async def test_killing_the_owner_ends_its_postgres_and_blocks_nobody(tmp_path: Path) -> None:
    for _ in range(3):
        owner = Owner(tmp_path, "serve")
        owner.kill()
        assert holder(tmp_path) is None
        began = time.monotonic()
        server = await embedded.start(tmp_path, options=HASTY)
        assert time.monotonic() - began < 5
        assert await answers(server)
        assert gone(owner.postgres)
        await server.stop()


async def test_killing_the_owner_alone_is_enough_to_end_its_postgres(tmp_path: Path) -> None:
    owner = Owner(tmp_path, "serve")
    owner.kill()
    async with asyncio.timeout(10):
        while not gone(owner.postgres):
            await asyncio.sleep(0.02)
    assert postmaster.status(tmp_path / "postgres") is None


async def test_an_orphan_is_ended_before_a_new_server_starts(tmp_path: Path) -> None:
    lost = await embedded.start(tmp_path, options={"fsync": "off"})
    await remember(lost, 1)
    lost.lock.release()  # as if the kernel had done it, while the server lives on
    orphan = lost.pid
    server = await embedded.start(tmp_path, options=HASTY)
    assert server.pid != orphan
    assert not lost.alive()
    assert await remembered(server) == [1]
    await server.stop()


async def test_a_stale_pid_file_that_names_a_living_stranger_blocks_nobody(tmp_path: Path) -> None:
    first = await embedded.start(tmp_path, options=HASTY)
    pid_file = tmp_path / "postgres" / "postmaster.pid"
    text = pid_file.read_text().splitlines()
    lock_file = first.sockets / ".s.PGSQL.5432.lock"
    await first.stop()
    stranger = subprocess.Popen(["sleep", "60"])
    for file in (pid_file, lock_file):
        file.write_text("\n".join([str(stranger.pid), *text[1:]]) + "\n")
    server = await embedded.start(tmp_path, options=HASTY)
    assert await answers(server)
    assert stranger.poll() is None
    stranger.kill()
    stranger.wait()
    await server.stop()


async def test_an_interrupted_initdb_leaves_nothing_that_matters(tmp_path: Path) -> None:
    (tmp_path / "postgres.new").mkdir()
    (tmp_path / "postgres.new" / "half").write_text("made")
    server = await embedded.start(tmp_path, options=HASTY)
    assert await answers(server)
    await server.stop()


async def test_a_long_path_gets_its_socket_elsewhere(tmp_path: Path) -> None:
    deep = tmp_path / ("d" * 60) / ("e" * 60)
    server = await embedded.start(deep, options=HASTY)
    assert len(f"{server.sockets}/.s.PGSQL.5432") <= embedded.LONGEST_SOCKET
    assert stat.S_IMODE(server.sockets.stat().st_mode) == 0o700
    assert await answers(server)
    await server.stop()


async def test_a_server_that_cannot_start_says_why(tmp_path: Path) -> None:
    with pytest.raises(embedded.PostgresFailed, match="nonsense"):
        await embedded.start(tmp_path, options={"nonsense": "on"})
    assert holder(tmp_path) is None


async def test_data_of_another_version_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "postgres").mkdir()
    (tmp_path / "postgres" / "PG_VERSION").write_text("99\n")
    with pytest.raises(providers.NoPostgres, match="PostgreSQL 99"):
        await embedded.start(tmp_path)


SYSTEM = next(iter(sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)), None)


@pytest.mark.skipif(SYSTEM is None, reason="no PostgreSQL of the system is installed")
async def test_any_postgres_from_15_on_will_do(tmp_path: Path) -> None:
    server = await embedded.start(tmp_path, binaries=SYSTEM, options=HASTY)
    assert await answers(server)
    await server.stop()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root has to become somebody else")
async def test_without_user_namespaces_root_becomes_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unroot, "_unshare", lambda: None)
    folder = Path(f"/tmp/nightbell-test-{os.getpid()}")
    assert SYSTEM, "the wheel's programs may lie where nobody cannot go"
    try:
        server = await embedded.start(folder, binaries=SYSTEM, options=HASTY)
        assert await answers(server)
        assert server.cluster.stat().st_uid == unroot.NOBODY
        await server.stop()
        monkeypatch.undo()
        server = await embedded.start(folder, binaries=SYSTEM, options=HASTY)
        assert await answers(server)
        assert server.cluster.stat().st_uid == 0
        await server.stop()
    finally:
        subprocess.run(["rm", "-rf", folder], check=True)
