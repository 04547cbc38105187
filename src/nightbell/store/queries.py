"""This file reads the named SQL statements of `store/sql/*.sql`, once, when the program starts.

A statement begins with a line `-- name: its purpose` at the start of the file or after an empty line; the first
word before the colon is its name. Names are unique over all files. Arguments are `$1`, `$2`, …
"""

import re
from functools import cache
from pathlib import Path

SQL = Path(__file__).parent / "sql"

_HEADING = re.compile(r"(?:\A|(?<=\n\n))-- ([a-z][a-z0-9_]*): ", re.MULTILINE)


def parse(text: str, *, origin: str) -> dict[str, str]:
    """Return the statements of one file by name.

    Shape: each text keeps its heading, so that the name is seen in pg_stat_activity and in the server's log.
    Raises: ValueError for a name used twice and for an empty statement.
    """
    found: dict[str, str] = {}
    headings = list(_HEADING.finditer(text))
    for heading, following in zip(headings, [*headings[1:], None], strict=True):
        statement = (
            text[heading.start() : following.start() if following else len(text)].strip().removesuffix(";")
        )
        if heading[1] in found:
            raise ValueError(f"{origin}: two statements are named {heading[1]}")
        if not any(line and not line.startswith("--") for line in statement.splitlines()):
            raise ValueError(f"{origin}: {heading[1]} has no statement")
        found[heading[1]] = statement
    return found


@cache
def statements() -> dict[str, str]:
    """Return every named statement of the package.

    Raises: ValueError when two files use one name.
    """
    found: dict[str, str] = {}
    for file in sorted(SQL.glob("*.sql")):
        for name, statement in parse(file.read_text(encoding="utf-8"), origin=file.name).items():
            if name in found:
                raise ValueError(f"{file.name}: another file has a statement named {name}")
            found[name] = statement
    return found


def statement(name: str) -> str:
    """Return one statement.

    Raises: KeyError naming it, when no file has it.
    """
    try:
        return statements()[name]
    except KeyError:
        raise KeyError(f"no statement is named {name} in {SQL.name}/*.sql") from None
