"""What commands say. Rule 1: stdout carries the answer and nothing else, so that scripts can use it; the rest is stderr."""

import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from os.path import samefile
from shutil import which

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn
from rich.table import Table

from nightbell.core.errors import NightbellError

#: Notes, hints and errors. `soft_wrap` keeps links whole where a terminal is narrow.
notes = Console(stderr=True, soft_wrap=True, highlight=False)


def command() -> str:
    """Return how this program is called from here: by its name, or by its path where the name is not found."""
    called = sys.argv[0]
    found = which("nightbell")
    return "nightbell" if "/" not in called or (found and samefile(found, called)) else called


def answer(text: str) -> None:
    """Print a bare value."""
    print(text, flush=True)


def note(text: str) -> None:
    """Tell a person something, in rich's markup."""
    notes.print(text)


def hint(text: str) -> None:
    """Tell a person something that a script has no use for."""
    if notes.is_terminal:
        notes.print(text, style="dim")


def complain(error: NightbellError) -> None:
    """Say what went wrong, and the way out."""
    notes.print(f"[bold red]nightbell:[/] {escape(_sentence(error.message))}")
    if error.hint:
        notes.print(f"  {escape(_sentence(error.hint))}")


def table(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Print rows: a table for people, lines with tabs for scripts."""
    shown = [["" if value is None else str(value) for value in row] for row in rows]
    if not sys.stdout.isatty():
        for row in shown:
            print("\t".join(cell.replace("\t", " ").replace("\n", " ") for cell in row))
        return
    drawn = Table(box=None, header_style="bold", pad_edge=False)
    for column in columns:
        # Ids and links are for copying.
        drawn.add_column(column, no_wrap=column in ("id", "link"), overflow="fold")
    for row in shown:
        drawn.add_row(*map(escape, row))
    Console().print(drawn)


@contextmanager
def migrating() -> Iterator[Callable[[int, int, str], None]]:
    """Lend a function that shows how far migrations are: a bar on a terminal, a line each elsewhere."""
    if not notes.is_terminal:
        yield lambda done, total, what: note(f"Preparing the database: {done} of {total}, {escape(what)}.")
        return
    columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    bar = Progress(*columns, console=notes, transient=True)
    task = bar.add_task("Preparing the database", total=None)

    def stepped(done: int, total: int, what: str) -> None:
        bar.start()
        bar.update(task, completed=done, total=total, description=escape(what))
        if done == total:
            bar.stop()

    try:
        yield stepped
    finally:
        bar.stop()


def _sentence(text: str) -> str:
    text = text.strip()
    return text if text.endswith((".", "?", "!", ":")) else f"{text}."
