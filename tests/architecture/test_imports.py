"""Who may import whom (pyproject.toml, tool.importlinter), and what the pure rings may know at all."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.sources import PACKAGE, ROOT, Source, sources

#: A deny-list cannot hold a wall; this is all that the core may import beside itself.
PURE = {
    "re2",  # docs/adr/0038-patterns-that-people-write-are-re2.md
    "base64", "binascii", "bisect", "collections", "dataclasses", "datetime", "decimal", "difflib", "enum", "fractions",
    "functools", "hashlib", "hmac", "ipaddress", "itertools", "json", "math", "msgspec", "operator", "re", "statistics", "string",
    "struct", "types", "typing", "unicodedata", "urllib", "uuid", "zoneinfo",
}  # fmt: skip
#: Sources also parse what senders may send.
PURE_SOURCES = PURE | {"gzip", "zlib", "jsonpath_rfc9535"}


def test_every_import_points_inwards() -> None:
    """Run import-linter as a person would."""
    lint = subprocess.run(
        [Path(sys.executable).parent / "lint-imports"], cwd=ROOT, capture_output=True, text=True
    )
    assert lint.returncode == 0, lint.stdout[-3000:]


def imported(source: Source) -> Iterator[tuple[int, str]]:
    """Yield the line and the full name of every import of a file."""
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.lineno, "." * node.level + (node.module or "")


@pytest.mark.parametrize(("ring", "allowed"), [("core", PURE), ("sources", PURE_SOURCES)])
def test_the_pure_rings_import_nothing_that_waits_or_reads(ring: str, allowed: set[str]) -> None:
    strangers = [
        f"{source.name}:{line} imports {name}"
        for source in sources(PACKAGE / ring)
        for line, name in imported(source)
        if name.split(".")[0] not in allowed
        and not name.startswith(
            ("nightbell.core", "nightbell.sources" if ring == "sources" else "nightbell.core")
        )
    ]
    assert strangers == []


def test_nothing_is_imported_inside_a_function() -> None:
    hidden = [
        f"{source.name}:{inner.lineno}"
        for source in sources(PACKAGE)
        for function in source.functions()
        for inner in ast.walk(function)
        if isinstance(inner, ast.Import | ast.ImportFrom)
    ]
    assert hidden == []
