"""What every command can be told about where Nightbell lives. The rest of the settings come from file and environment."""

from dataclasses import dataclass, fields
from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Parameter

from nightbell.settings import Settings, load


@Parameter(name="*")
@dataclass(frozen=True, kw_only=True)
class Where:
    """Which installation a command works on."""

    data: Annotated[
        Path | None, Parameter(help="The data directory; also NIGHTBELL_DATA. [~/.local/share/nightbell]")
    ] = None
    database_url: Annotated[
        str | None,
        Parameter(
            help="A PostgreSQL of your own instead of the embedded one; also NIGHTBELL_DATABASE_URL, "
            "which keeps a password out of the list of processes."
        ),
    ] = None


@Parameter(name="*")
@dataclass(frozen=True, kw_only=True)
class Serving(Where):
    """Where Nightbell listens, and how people reach it."""

    host: Annotated[str | None, Parameter(help="The address to listen on. [127.0.0.1]")] = None
    port: Annotated[int | None, Parameter(help="The port to listen on. [8080]")] = None
    base_url: Annotated[
        str | None, Parameter(help="How people and senders reach Nightbell; it stands in every link.")
    ] = None
    postgres_bin: Annotated[
        Path | None, Parameter(help="The folder of another PostgreSQL's programs, 15 or newer.")
    ] = None
    test_clock: Annotated[
        str | None,
        Parameter(
            help="For tests: let time begin at this instant, like 2027-01-01T00:00:00Z, and pass only when "
            "POST /testing/clock says so. Refused unless the address is loopback."
        ),
    ] = None
    log_level: Annotated[
        Literal["debug", "info", "warning", "error"] | None, Parameter(help="How much is logged. [info]")
    ] = None
    log_format: Annotated[
        Literal["json", "console"] | None, Parameter(help="How it is logged. [console]")
    ] = None


def settings(where: Where | None) -> Settings:
    """Return the settings, the command line's over all others. Raises: BadSetting."""
    given = where or Where()
    return load({field.name: getattr(given, field.name) for field in fields(given)})
