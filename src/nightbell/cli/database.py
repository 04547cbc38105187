"""`nightbell db`: the database itself, for whoever runs the machine."""

import asyncio
import os
import shutil
import signal
import sys
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import unquote, urlsplit, urlunsplit

from cyclopts import App, Parameter

from nightbell.cli import opening, screen
from nightbell.cli.opening import Place
from nightbell.cli.options import Where, settings
from nightbell.core.errors import NightbellError, Unknown
from nightbell.settings import Settings
from nightbell.store import migrate as schemas
from nightbell.store import providers
from nightbell.store.datalock import holder
from nightbell.telemetry.log import hide

app = App(name="db", help="Look at, migrate and dump the database.")

_SIZES = """
SELECT current_setting('server_version') AS version,
    pg_size_pretty(pg_database_size(current_database())) AS size,
    (SELECT n_live_tup FROM pg_stat_user_tables WHERE relname = 'alerts') AS alerts
"""


class ProgramFailed(NightbellError):
    """A program of PostgreSQL's did not do its work."""

    code = "program_failed"


@app.command
def status(*, where: Where | None = None) -> None:
    """Say where the database is, how big, at which schema, and who runs it; changes nothing."""
    chosen = settings(where)
    opening.quiet(chosen)
    if chosen.database_url is None and not (chosen.data / "postgres").exists():
        raise Unknown(f"there is no database in {chosen.data} yet", hint="nightbell serve makes one")
    screen.table(("what", "is"), opening.run(_status(chosen)))


async def _status(settings: Settings) -> list[tuple[str, object]]:
    serving = holder(settings.data) if settings.database_url is None else None
    async with opening.located(settings, "db status") as place:
        found = await schemas.schema(place.db)
        [sizes] = await place.db.fetch(_SIZES)
    state = "up to date" if found.up_to_date else "run: nightbell db migrate"
    return [
        ("database", hide(settings.database_url or f"embedded, in {settings.data}")),
        ("postgresql", sizes["version"]),
        ("schema", f"{found.current or 'none'} of {found.head} ({state})"),
        ("size", sizes["size"]),
        ("alerts", f"about {sizes['alerts'] or 0}"),
        ("served by", f"process {serving.pid}, {serving.url}" if serving else "nobody here"),
    ]


@app.command
def migrate(*, where: Where | None = None) -> None:
    """Bring the schema to this version of Nightbell: all of it, or nothing of it."""
    chosen = settings(where)
    opening.quiet(chosen)
    before = opening.run(_migrate(chosen))
    done = "was up to date" if before.up_to_date else f"went from {before.current or 'nothing'}"
    screen.note(f"The schema {done} and is at {before.head}.")


async def _migrate(settings: Settings) -> schemas.Schema:
    async with opening.located(settings, "db migrate") as place:
        with screen.migrating() as progress:
            return await schemas.migrate(place.db, progress)


@app.command
def shell(
    *arguments: Annotated[str, Parameter(allow_leading_hyphen=True)], where: Where | None = None
) -> None:
    """Open psql on the database.

    Parameters
    ----------
    arguments
        For psql itself, after two dashes: nightbell db shell -- -c "TABLE users"
    """
    chosen = settings(where)
    opening.quiet(chosen)
    sys.exit(opening.run(_shell(chosen, arguments)))


async def _shell(settings: Settings, arguments: tuple[str, ...]) -> int:
    async with opening.located(settings, "db shell") as place:
        # Ctrl-C is for psql, which cancels a query with it.
        asyncio.get_running_loop().add_signal_handler(signal.SIGINT, lambda: None)
        program = await asyncio.create_subprocess_exec(
            _program(settings, place, "psql"), _dsn(place), *arguments
        )
        return await program.wait()


@app.command
def dump(
    file: Path | None = None,
    *,
    format_: Annotated[Literal["plain", "custom"], Parameter(name="--format")] = "plain",
    where: Where | None = None,
) -> None:
    """Write the whole database as pg_dump does, while it is in use.

    Parameters
    ----------
    file
        Where to; standard output when it is left out. It holds secrets: only you may read it.
    format_
        SQL, or the format that pg_restore reads.
    """
    chosen = settings(where)
    opening.quiet(chosen)
    opening.run(_dump(chosen, file, format_))


async def _dump(settings: Settings, file: Path | None, form: str) -> None:
    async with opening.located(settings, "db dump") as place:
        command = [
            _program(settings, place, "pg_dump"),
            f"--dbname={_dsn(place)}",
            f"--format={form}",
            "--no-owner",
        ]
        if file is None:
            await _succeeds(command, sys.stdout.fileno())
            return
        unfinished = file.with_name(f"{file.name}.part")
        target = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        try:
            await _succeeds(command, target)
            unfinished.rename(file)
        finally:
            os.close(target)
            unfinished.unlink(missing_ok=True)
    screen.note(f"Written: {file}")


async def _succeeds(command: list[str], output: int) -> None:
    program = await asyncio.create_subprocess_exec(*command, stdout=output)
    if await program.wait():
        raise ProgramFailed(f"pg_dump ended with code {program.returncode}", hint="what it said stands above")


def _program(settings: Settings, place: Place, name: str) -> str:
    folder = place.binaries or providers.find(settings.postgres_bin)[0]
    found = folder / name if (folder / name).is_file() else shutil.which(name)
    if found is None:
        raise ProgramFailed(f"{name} is not installed", hint="install PostgreSQL's client programs")
    return str(found)


def _dsn(place: Place) -> str:
    """Return the address for a program, its password moved to where the list of processes does not show it."""
    parts = urlsplit(place.dsn)
    if parts.password is None:
        return place.dsn
    os.putenv("PGPASSWORD", unquote(parts.password))
    user, _, host = parts.netloc.rpartition("@")
    return urlunsplit(parts._replace(netloc=f"{user.partition(':')[0]}@{host}"))
