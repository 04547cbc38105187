"""This file holds the connections: a pool, transactions, and named statements with their arguments.

Everything that waits for PostgreSQL comes through here; nothing here knows a table.
"""

import asyncio
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from enum import StrEnum
from typing import Any, Protocol, TypeVar

import asyncpg
import msgspec

from nightbell.store.queries import statement

T = TypeVar("T")

#: Sent with every connection: an idle transaction never holds rows longer than this, whoever forgot it.
SESSION = {
    "application_name": "nightbell",
    "timezone": "UTC",
    "jit": "off",
    # A statement that takes every processor for itself holds pages up; started workers cost 10 ms besides.
    "max_parallel_workers_per_gather": "0",
    "idle_in_transaction_session_timeout": "60s",
}

#: How long a connection may take to open. Units: seconds.
PATIENCE = 10.0

_JSONB_VERSION = b"\x01"


class Row(Protocol):
    """One row: values by name or position, and what `dict(row)` and `Struct(**row)` need."""

    def __getitem__(self, key: str | int) -> Any: ...  # noqa: D105
    def __len__(self) -> int: ...  # noqa: D105
    def get(self, key: str, default: Any = None) -> Any:
        """Return the value of a column, or the default when the statement has no such column."""

    def keys(self) -> Iterable[str]:
        """Return the names of the columns."""

    def values(self) -> Iterable[Any]:
        """Return the values, in the order of the columns."""

    def items(self) -> Iterable[tuple[str, Any]]:
        """Return names and values."""


class Retryable(StrEnum):
    """Why the same transaction, tried again, may succeed."""

    DEADLOCK = "deadlock"
    SERIALIZATION = "serialization"
    #: Someone else inserted the same thing first; reading again will find it.
    CONFLICT = "conflict"
    #: The server went away. Whether a commit under way took effect is not known.
    LOST = "lost"


#: Whatever a statement may raise for the sake of the database or the way to it. The last but one is what asyncpg says
#: of a connection that was cut while it was being set up or given back.
DATABASE_TROUBLE = (asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError, OSError)

_REASONS: tuple[tuple[Retryable, tuple[type[BaseException], ...]], ...] = (
    (Retryable.DEADLOCK, (asyncpg.DeadlockDetectedError, asyncpg.LockNotAvailableError)),
    (Retryable.SERIALIZATION, (asyncpg.SerializationError,)),
    (Retryable.CONFLICT, (asyncpg.UniqueViolationError,)),
    (
        Retryable.LOST,
        (
            asyncpg.PostgresConnectionError,
            asyncpg.InterfaceError,
            asyncpg.InternalClientError,
            asyncpg.CannotConnectNowError,
            asyncpg.AdminShutdownError,
            asyncpg.CrashShutdownError,
            asyncpg.IdleInTransactionSessionTimeoutError,
            asyncpg.TooManyConnectionsError,
            # The server we talk to became a standby; the next connection finds the one that takes writes.
            asyncpg.ReadOnlySQLTransactionError,
            ConnectionError,
            FileNotFoundError,
            TimeoutError,
        ),
    ),
)


def retryable(error: BaseException) -> Retryable | None:
    """Return why trying again may help, or None when it cannot."""
    if isinstance(error, asyncpg.CheckViolationError) and "partition constraint" in str(error):
        # The day's partition was made between the choice of a partition and the insert.
        return Retryable.CONFLICT
    return next((reason for reason, kinds in _REASONS if isinstance(error, kinds)), None)


class Runner(ABC):
    """What a pool and a transaction have in common: they run statements.

    The methods that take a name look it up in `store/sql/*.sql`; `fetch` and `run` take the text itself.
    """

    @abstractmethod
    async def fetch(self, sql: str, *args: Any) -> list[Row]:
        """Run one statement and return its rows."""

    @abstractmethod
    async def run(self, sql: str, *args: Any) -> int:
        """Run one statement and return how many rows it touched."""

    @abstractmethod
    async def many(self, name: str, rows: Iterable[Sequence[Any]]) -> None:
        """Run a named statement once for each row of arguments; all of them or none."""

    async def rows(self, name: str, *args: Any) -> list[Row]:
        """Return the rows of a named statement."""
        return await self.fetch(statement(name), *args)

    async def row(self, name: str, *args: Any) -> Row | None:
        """Return the first row of a named statement, or None."""
        found = await self.fetch(statement(name), *args)
        return found[0] if found else None

    async def value(self, name: str, *args: Any) -> Any:
        """Return the first column of the first row of a named statement, or None."""
        found = await self.fetch(statement(name), *args)
        return found[0][0] if found else None

    async def execute(self, name: str, *args: Any) -> int:
        """Run a named statement and return how many rows it touched."""
        return await self.run(statement(name), *args)


class Tx(Runner):
    """One transaction on one connection, open until its `async with` ends."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection

    async def fetch(self, sql: str, *args: Any) -> list[Row]:
        """Run one statement and return its rows."""
        return await self._connection.fetch(sql, *args)  # type: ignore[no-any-return]  # asyncpg is untyped

    async def run(self, sql: str, *args: Any) -> int:
        """Run one statement and return how many rows it touched."""
        return _touched(await self._connection.execute(sql, *args))

    async def many(self, name: str, rows: Iterable[Sequence[Any]]) -> None:
        """Run a named statement once for each row of arguments; all of them or none."""
        await self._connection.executemany(statement(name), rows)

    @asynccontextmanager
    async def savepoint(self) -> AsyncIterator[None]:
        """Undo what the block did, and only that, when it raises."""
        async with self._connection.transaction():
            yield


class Db(Runner):
    """A pool of connections to one database."""

    def __init__(self, pool: Any, dsn: str) -> None:
        self._pool = pool
        #: Where it leads, for whoever needs a connection of its own. Holds a password when the database is external.
        self.dsn = dsn

    async def fetch(self, sql: str, *args: Any) -> list[Row]:
        """Run one statement in a transaction of its own and return its rows."""
        return await self._pool.fetch(sql, *args)  # type: ignore[no-any-return]  # asyncpg is untyped

    async def run(self, sql: str, *args: Any) -> int:
        """Run one statement in a transaction of its own and return how many rows it touched."""
        return _touched(await self._pool.execute(sql, *args))

    async def many(self, name: str, rows: Iterable[Sequence[Any]]) -> None:
        """Run a named statement once for each row of arguments; all of them or none."""
        await self._pool.executemany(statement(name), rows)

    @asynccontextmanager
    async def tx(self) -> AsyncIterator[Tx]:
        """Open a transaction: committed when the block ends, rolled back when it raises.

        Raises: whatever the block raises; `retryable` classifies it. A connection lost on the way to the rollback
        does not hide the error that led there.
        """
        async with self._pool.acquire() as connection:
            transaction = connection.transaction()
            await transaction.start()
            try:
                yield Tx(connection)
            except BaseException:
                await _roll_back(connection, transaction)
                raise
            await transaction.commit()

    async def in_tx(self, work: Callable[[Tx], Awaitable[T]], *, tries: int = 3) -> T:
        """Do the work in a transaction, again in a fresh one after a deadlock, a conflict or a lost connection.

        The work must be safe to run twice: after a lost connection the first commit may have taken effect.
        """
        for remaining in reversed(range(tries)):
            try:
                async with self.tx() as tx:
                    return await work(tx)
            except DATABASE_TROUBLE as error:
                if not remaining or retryable(error) is None:
                    raise
                await asyncio.sleep(0.02 * (tries - remaining) ** 2)
        raise AssertionError("unreachable: the last try returns or raises")

    @asynccontextmanager
    async def listen(self, channel: str, heard: Callable[[str], None]) -> AsyncIterator[None]:
        """Call `heard` with the payload of each NOTIFY, on a connection of its own that comes back when lost.

        A notification sent while the connection was away is missed, so `heard("")` is called after each reconnect;
        correctness never rests on this.
        """
        task = asyncio.create_task(_listen(self.dsn, channel, heard), name=f"listen {channel}")
        try:
            yield
        finally:
            task.cancel()
            await asyncio.wait([task])

    async def drop_connections(self) -> None:
        """Forget all connections, so that the next statement opens a new one: after the server was restarted."""
        await self._pool.expire_connections()

    async def close(self) -> None:
        """Close the pool; statements under way get five seconds."""
        try:
            await asyncio.wait_for(self._pool.close(), timeout=5)
        except TimeoutError:
            self._pool.terminate()


async def connect(dsn: str, size: int = 10, *, patience: float = PATIENCE) -> Db:
    """Open a pool of at most `size` connections; one is opened now, so a wrong address fails here.

    Shape: a connection that is not there within `patience` seconds is a TimeoutError.
    """
    pool = await asyncpg.create_pool(
        dsn,
        # No floor: asyncpg would keep reconnecting, and logging, while a server restarts.
        min_size=0,
        max_size=size,
        # Idle sessions cost PostgreSQL about 3 MB each, so they go after a minute.
        max_inactive_connection_lifetime=60,
        max_queries=2**31,
        init=prepare,
        connect=_connected,
        connection_class=_Connection,
        **{**_OPTIONS, "timeout": patience},
    )
    try:
        async with pool.acquire():
            return Db(pool, dsn)
    except BaseException:
        pool.terminate()
        raise


async def _connected(*args: Any, **options: Any) -> Any:
    """Open a connection; that of several servers none takes writes yet is a lost connection like any other."""
    try:
        return await asyncpg.connect(*args, **options)
    except asyncpg.TargetServerAttributeNotMatched as nobody:
        raise ConnectionError(f"no server takes writes: {nobody}") from nobody


async def connect_one(dsn: str) -> Any:
    """Open a single asyncpg connection with our codecs, outside any pool."""
    connection = await _connected(dsn, connection_class=_Connection, **_OPTIONS)
    await prepare(connection)
    return connection


async def prepare(connection: Any) -> None:
    """Teach a new connection that json and jsonb are msgspec's business.

    Shape: any value goes in, `msgspec.Raw` as the text it is. In a jsonb[] argument a value that is itself a list
    must be a Raw, because asyncpg takes nested lists for dimensions.
    """
    await connection.set_type_codec(
        "jsonb", schema="pg_catalog", format="binary", encoder=_encode_jsonb, decoder=_decode_jsonb
    )
    await connection.set_type_codec(
        "json", schema="pg_catalog", format="binary", encoder=msgspec.json.encode, decoder=msgspec.json.decode
    )


class _Connection(asyncpg.Connection):  # type: ignore[misc]  # asyncpg is untyped
    """A connection that goes back to the pool without a round trip.

    Nothing here changes session state outside a transaction, so there is nothing to reset.
    """

    def get_reset_query(self) -> str:
        return ""


_OPTIONS: dict[str, Any] = {
    "server_settings": SESSION,
    "timeout": PATIENCE,
    # Our statements are a fixed set; none is ever worth forgetting.
    "statement_cache_size": 1000,
    "max_cached_statement_lifetime": 0,
    "max_cacheable_statement_size": 0,
}


def _encode_jsonb(value: object) -> bytes:
    return _JSONB_VERSION + msgspec.json.encode(value)


def _decode_jsonb(data: bytes) -> object:
    return msgspec.json.decode(data[1:])


def _touched(status: str) -> int:
    """Read the row count of a command's status: "UPDATE 3", "INSERT 0 1", "LISTEN"."""
    last = status.rsplit(" ", 1)[-1]
    return int(last) if last.isdigit() else 0


async def _roll_back(connection: Any, transaction: Any) -> None:
    if connection.is_closed():
        return
    try:
        await transaction.rollback()
    except DATABASE_TROUBLE:
        # The server rolls back by itself when it loses the session; the error that brought us here matters more.
        connection.terminate()


async def _listen(dsn: str, channel: str, heard: Callable[[str], None]) -> None:
    while True:
        lost = asyncio.Event()
        try:
            connection = await connect_one(dsn)
        except DATABASE_TROUBLE:
            await asyncio.sleep(0.5)
            continue
        try:
            connection.add_termination_listener(lambda _, lost=lost: lost.set())
            await connection.add_listener(
                channel, lambda _connection, _pid, _channel, payload: heard(payload)
            )
            heard("")
            await lost.wait()
        except DATABASE_TROUBLE:
            await asyncio.sleep(0.5)
        finally:
            connection.terminate()
