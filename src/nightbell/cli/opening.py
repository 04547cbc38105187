"""Opens an installation for a command: beside the server that runs on it, or by starting its database for a moment."""

import asyncio
from collections.abc import AsyncIterator, Coroutine
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar

import asyncpg
import structlog
import uvloop
from sqlalchemy.exc import DBAPIError

from nightbell import clock
from nightbell.cli import screen
from nightbell.core.errors import NightbellError, Stale
from nightbell.core.journal import Actor
from nightbell.engine.configure import Configure, seed
from nightbell.engine.vault import unlock
from nightbell.settings import Settings
from nightbell.store import embedded, migrate
from nightbell.store.datalock import holder
from nightbell.store.db import DATABASE_TROUBLE, Db, connect
from nightbell.store.embedded import Attached
from nightbell.store.read.sources import all_sources
from nightbell.telemetry import log

T = TypeVar("T")

#: Where an Alertmanager posts.
WEBHOOK = "/webhooks/incoming/alertmanager_webhooks"

#: Who stands in the audit log for what commands change.
OPERATOR = Actor(kind="system", name="Command line")
_log = structlog.get_logger(__name__)


class Unreachable(NightbellError):
    """The database, or something else of the machine's, cannot be used."""

    code = "unreachable"


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A database, up; nothing is said of its schema."""

    db: Db
    dsn: str
    #: Another nightbell runs it.
    attached: bool
    #: Where PostgreSQL's programs are; None for an external database.
    binaries: Path | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """An installation that a command may read and change."""

    db: Db
    configure: Configure
    settings: Settings
    #: How people reach it: as the server that runs says, else as the settings say.
    url: str

    def now(self) -> datetime:
        """Return the time, for whatever is changed."""
        return clock.now()

    async def same_key(self) -> None:
        """Make sure that secrets sealed here can be opened by the server. Raises: Invalid naming the variable."""
        for source in (await all_sources(self.db))[:1]:
            await self.configure.reveal_secret(source["id"], now=self.now())


def run(work: Coroutine[Any, Any, T]) -> T:
    """Run a command's coroutine to its end.

    Raises: Unreachable, one sentence, for what databases and the system refuse; the traceback is logged at "debug".
    """
    try:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            return runner.run(work)
    except (*DATABASE_TROUBLE, DBAPIError) as error:
        _log.debug("command.failed", exc_info=True)
        raise Unreachable(_told(error), hint=_way_out(error)) from error


def quiet(settings: Settings) -> None:
    """Set up logging for a command: what a person asked for comes on stdout, and only trouble beside it."""
    level = "debug" if settings.log_level == "debug" else "warning"
    log.configure(level=level, style=settings.log_format)


@asynccontextmanager
async def located(settings: Settings, purpose: str) -> AsyncIterator[Place]:
    """Open the database as it is. Raises: Busy and what else `attach_or_start` does."""
    async with AsyncExitStack() as stack:
        dsn, attached, binaries = settings.database_url, True, None
        if dsn is None:
            server = await embedded.attach_or_start(
                settings.data, binaries=settings.postgres_bin, purpose=purpose
            )
            stack.push_async_callback(server.stop)
            dsn, attached, binaries = server.dsn, isinstance(server, Attached), server.binaries
        # Nobody comes back for a command, so it waits longer for a database that is busy than a server does.
        db = await connect(dsn, size=4, patience=embedded.PATIENCE)
        stack.push_async_callback(db.close)
        yield Place(db=db, dsn=dsn, attached=attached, binaries=binaries)


@asynccontextmanager
async def opened(settings: Settings, purpose: str) -> AsyncIterator[Opened]:
    """Open an installation at the newest schema and with its seeds, whether a server runs on it or not.

    Raises: Stale when the server that runs is older than this program.
    """
    async with located(settings, purpose) as place:
        await _current(place)
        now = clock.now()
        await seed(place.db, now)
        keys = await unlock(place.db, settings.secret_key, now)
        # Channels are for checking contact methods, which no command adds.
        configure = Configure(place.db, keys, {})
        yield Opened(db=place.db, configure=configure, settings=settings, url=url_of(settings))


def url_of(settings: Settings) -> str:
    """Return how the installation is reached."""
    serving = holder(settings.data)
    return (serving.url if serving else "") or settings.base_url


async def _current(place: Place) -> None:
    found = await migrate.schema(place.db)
    if place.attached and found.current is not None and not found.up_to_date:
        raise Stale(
            f"the database is at schema {found.current} and this nightbell wants {found.head}",
            hint="restart the nightbell that serves with this version, or run: nightbell db migrate",
        )
    with screen.migrating() as progress:
        await migrate.migrate(place.db, progress)


def _told(error: BaseException) -> str:
    if isinstance(error, DBAPIError) and error.orig is not None:
        return f"PostgreSQL refused: {str(error.orig).split(': ', 1)[-1].splitlines()[0]}"
    if isinstance(error, asyncpg.PostgresError):
        return f"PostgreSQL refused: {error}"
    if isinstance(error, TimeoutError):
        return "the database did not answer in time"
    if isinstance(error, OSError) and error.filename:
        return f"{error.filename}: {error.strerror}"
    return f"the database cannot be reached: {error}"


def _way_out(error: BaseException) -> str:
    if isinstance(error, TimeoutError):
        return "it may be busy or stopped: look at its log, and try again"
    if isinstance(error, OSError) and error.filename:
        return "let this user write there, or name another directory with --data or NIGHTBELL_DATA"
    return "check --database-url or NIGHTBELL_DATABASE_URL, and that its PostgreSQL runs"
