"""The program's own source files, parsed, for the tests of its shape."""

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "src" / "nightbell"

Function = ast.FunctionDef | ast.AsyncFunctionDef


class Source:
    """One file."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.name = path.relative_to(PACKAGE).as_posix()
        self.text = path.read_text(encoding="utf-8")
        self.tree = ast.parse(self.text)

    def functions(self) -> Iterator[Function]:
        """Yield every function and method, nested ones too."""
        return (
            node for node in ast.walk(self.tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        )


@cache
def sources(folder: Path) -> tuple[Source, ...]:
    """Return every Python file below a folder."""
    return tuple(Source(path) for path in sorted(folder.rglob("*.py")))


def length(function: Function) -> int:
    """Return how many lines a function's body has, its docstring and blank lines left out."""
    lines: set[int] = set()
    body = function.body[1:] if ast.get_docstring(function) else function.body
    for statement in body:
        for node in ast.walk(statement):
            if isinstance(node, ast.expr | ast.stmt):
                lines.update(range(node.lineno, (node.end_lineno or node.lineno) + 1))
    return len(lines)
