"""`nightbell ledger`: what became of every page, as a file, and whether the chain of it holds."""

import sys
from pathlib import Path
from typing import Annotated, Literal

from cyclopts import App, Parameter

from nightbell.cli import opening, screen
from nightbell.cli.options import Where, settings
from nightbell.core.errors import NightbellError, Unknown
from nightbell.core.ledger import Broken, Head
from nightbell.settings import Settings
from nightbell.store.read import ledger
from nightbell.store.read.ledger_export import checked, csv_header, csv_line, json_line

app = App(name="ledger", help="Export the ledger of pages, and check its chain.")


class ChainBroken(NightbellError):
    """The ledger was changed, or a part of it is missing."""

    code = "chain_broken"


@app.command
def export(
    *,
    format_: Annotated[Literal["jsonl", "csv"], Parameter(name="--format")] = "jsonl",
    after: int = 0,
    where: Where | None = None,
) -> None:
    """Write the ledger to standard output, oldest entry first.

    Parameters
    ----------
    format_
        JSON lines, or CSV for a spreadsheet.
    after
        Begin behind this position: where the last export ended.
    """
    chosen = settings(where)
    opening.quiet(chosen)
    opening.run(_export(chosen, format_, after))


async def _export(settings: Settings, style: str, after: int) -> None:
    line = csv_line if style == "csv" else json_line
    out = sys.stdout.buffer
    async with opening.opened(settings, "ledger export") as site:
        header = csv_header() if style == "csv" else b""
        async for one, previous in ledger.linked(site.db, after=after):
            out.write(header + line(one, previous))
            header = b""
    out.flush()


@app.command
def verify(file: Path | None = None, *, where: Where | None = None) -> None:
    """Check the chain of the database, or of an exported file. Prints its end; write that down elsewhere.

    Parameters
    ----------
    file
        An export, JSON lines or CSV; without it the database itself is checked.
    """
    if file is not None:
        _say(_checked_file(file))
        return
    chosen = settings(where)
    opening.quiet(chosen)
    _say(opening.run(_verify(chosen)))


def _checked_file(file: Path) -> Head | Broken:
    try:
        with file.open("rb") as lines:
            return checked(lines)
    except OSError as error:
        raise Unknown(f"{file}: {error.strerror}") from error


async def _verify(settings: Settings) -> Head | Broken:
    async with opening.opened(settings, "ledger verify") as site:
        return await ledger.verified(site.db)


def _say(found: Head | Broken) -> None:
    if isinstance(found, Broken):
        raise ChainBroken(f"the chain breaks at entry {found.position}: {found.why}")
    screen.answer(f"{found.position} {found.digest.hex()}")
