"""What store.db promises, against a real server."""

import asyncio
from datetime import UTC, datetime
from uuid import uuid4

import asyncpg
import msgspec
import pytest
import sqlalchemy as sa

from nightbell.cli import opening
from nightbell.store.db import Db, Retryable, Tx, connect, retryable
from nightbell.store.queries import parse, statements
from nightbell.store.statements import fetch_core, run_core


@pytest.fixture
async def things(db: Db) -> Db:
    """A table to play with."""
    await db.run("CREATE TABLE things (id uuid PRIMARY KEY, about jsonb, at timestamptz, name text UNIQUE)")
    return db


INSERT = "INSERT INTO things (id, about, at, name) VALUES ($1, $2, $3, $4)"
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


async def test_values_come_back_as_they_went_in(things: Db) -> None:
    key, about = uuid4(), {"labels": ["a", {"b": None}], "n": 1.5}
    assert await things.run(INSERT, key, about, NOON, "x") == 1
    [row] = await things.fetch("SELECT * FROM things")
    assert dict(row) == {"id": key, "about": about, "at": NOON, "name": "x"}
    assert row["at"].tzinfo is not None


async def test_raw_json_goes_in_unread(things: Db) -> None:
    await things.run(INSERT, uuid4(), msgspec.Raw(b'{"kept": [1]}'), NOON, "x")
    assert (await things.fetch("SELECT about->'kept' AS kept FROM things"))[0]["kept"] == [1]


async def test_arrays_of_json_unnest(things: Db) -> None:
    sql = "INSERT INTO things (id, about) SELECT * FROM unnest($1::uuid[], $2::jsonb[])"
    assert await things.run(sql, [uuid4(), uuid4()], [{"a": 1}, msgspec.Raw(b"[2]")]) == 2


async def test_a_transaction_that_raises_leaves_nothing(things: Db) -> None:
    with pytest.raises(ZeroDivisionError):
        async with things.tx() as tx:
            await tx.run(INSERT, uuid4(), {}, NOON, "x")
            raise ZeroDivisionError
    assert await things.fetch("SELECT * FROM things") == []


async def test_a_savepoint_undoes_its_block_only(things: Db) -> None:
    async with things.tx() as tx:
        await tx.run(INSERT, uuid4(), {}, NOON, "kept")
        with pytest.raises(asyncpg.UniqueViolationError):
            async with tx.savepoint():
                await tx.run(INSERT, uuid4(), {}, NOON, "kept")
    assert [row["name"] for row in await things.fetch("SELECT name FROM things")] == ["kept"]


async def test_a_named_statement_is_found_by_its_name(db: Db) -> None:
    assert await db.value("answers") == 1
    with pytest.raises(KeyError, match="no statement is named nonsense"):
        await db.rows("nonsense")


async def test_errors_are_sorted_by_what_trying_again_does(things: Db) -> None:
    await things.run(INSERT, uuid4(), {}, NOON, "x")
    with pytest.raises(asyncpg.UniqueViolationError) as refused:
        await things.run(INSERT, uuid4(), {}, NOON, "x")
    assert retryable(refused.value) is Retryable.CONFLICT
    assert retryable(ConnectionResetError()) is Retryable.LOST
    assert retryable(ValueError()) is None


async def test_a_deadlock_is_tried_again_until_both_are_through(things: Db) -> None:
    first, second = uuid4(), uuid4()
    await things.run(INSERT, first, {}, NOON, "1")
    await things.run(INSERT, second, {}, NOON, "2")
    met = asyncio.Barrier(2)

    async def touch(*keys: object) -> int:
        tries = 0

        async def work(tx: Tx) -> None:
            nonlocal tries
            tries += 1
            await tx.run("UPDATE things SET about = '1' WHERE id = $1", keys[0])
            if tries == 1:
                await met.wait()
            await tx.run("UPDATE things SET about = '2' WHERE id = $1", keys[1])

        await things.in_tx(work)
        return tries

    assert sorted(await asyncio.gather(touch(first, second), touch(second, first))) == [1, 2]


async def test_the_pool_outlives_its_connections(things: Db) -> None:
    await things.run("SELECT 1")
    await things.fetch(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE datname = current_database() AND pid <> pg_backend_pid()"
    )
    assert await things.in_tx(lambda tx: tx.value("answers")) == 1


async def test_core_statements_run_with_our_values(things: Db) -> None:
    table = sa.table("things", sa.column("id", sa.Uuid), sa.column("about"), sa.column("name", sa.Text))
    keys = [uuid4(), uuid4()]
    for key, name in zip(keys, ("a", "b"), strict=True):
        assert await run_core(things, sa.insert(table).values(id=key, about={"n": name}, name=name)) == 1
    found = await fetch_core(
        things,
        sa.select(table).where(table.c.id.in_(keys), table.c.name != "a").order_by(table.c.name).limit(5),
    )
    assert [(row["id"], row["about"]) for row in found] == [(keys[1], {"n": "b"})]


async def test_a_listener_hears_what_is_committed_and_comes_back_when_cut_off(db: Db) -> None:
    heard: list[str] = []

    def hear(payload: str) -> None:
        heard.append(payload)

    async def until(count: int) -> None:
        while len(heard) < count:
            await asyncio.sleep(0.01)

    async with db.listen("test", hear), asyncio.timeout(5):
        await until(1)
        await db.execute("notify", "test", "one")
        await until(2)
        await db.fetch(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND query LIKE 'LISTEN%'"
        )
        await until(3)
        await db.execute("notify", "test", "two")
        await until(4)
    assert heard == ["", "one", "", "two"]


def test_every_statement_of_the_package_has_a_name_of_its_own() -> None:
    assert "answers" in statements()


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("-- a: one\nSELECT 1;\n\n-- a: two\nSELECT 2;\n", "two statements are named a"),
        ("-- a: nothing\n\n-- b: something\nSELECT 1;\n", "a has no statement"),
    ],
)
def test_a_careless_sql_file_is_refused(text: str, complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        parse(text, origin="x.sql")


def test_comments_inside_a_statement_belong_to_it() -> None:
    found = parse(
        "-- a: one\nSELECT 1 -- why: because\n-- note: still a\n+ 1;\n\n-- b: two\nSELECT 2;", origin="x.sql"
    )
    assert found == {
        "a": "-- a: one\nSELECT 1 -- why: because\n-- note: still a\n+ 1",
        "b": "-- b: two\nSELECT 2",
    }


async def test_a_server_that_says_nothing_is_waited_for_as_long_as_whoever_asks_wants() -> None:
    """A server that takes a connection and does not come to serve it: a busy machine, a disk that stalls."""
    over = asyncio.Event()

    async def silent(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await over.wait()
        writer.close()

    server = await asyncio.start_server(silent, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    with pytest.raises(TimeoutError):
        await connect(f"postgresql://nobody@127.0.0.1:{port}/none?sslmode=disable", patience=0.05)
    over.set()
    server.close()


def test_a_command_says_of_a_database_that_is_slow_that_it_may_be_busy() -> None:
    async def late() -> None:
        raise TimeoutError

    with pytest.raises(opening.Unreachable) as told:
        opening.run(late())
    assert told.value.message == "the database did not answer in time"
    assert "busy" in (told.value.hint or "")
