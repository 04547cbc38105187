"""Sizes, and the things that may happen in one place only. Raise a budget only with a reason, in the same commit."""

import ast
import re
import statistics

import pytest

from support.sources import PACKAGE, ROOT, Function, Source, length, sources

FILES = sources(PACKAGE)
FUNCTIONS = [(source, function) for source in FILES for function in source.functions()]
HARD_LINES = 60
HARD_MODULE = 500
HARD_PARAMETERS = 6

#: Where `except Exception` is right: nothing may stop the loop, and nothing a sender does may break a connection.
CATCH_ALL = {"worker/loop.py": 1, "app.py": 1, "web/edge.py": 1, "web/hooks.py": 1}


def where(source: Source, function: Function) -> str:
    return f"{source.name}:{function.lineno} {function.name}"


def test_functions_are_short() -> None:
    lengths = sorted(length(function) for _, function in FUNCTIONS)
    assert statistics.median(lengths) <= 8
    assert lengths[int(len(lengths) * 0.95)] <= 35
    assert [where(*pair) for pair in FUNCTIONS if length(pair[1]) > HARD_LINES] == []


def test_modules_are_small() -> None:
    assert [source.name for source in FILES if len(source.text.splitlines()) > HARD_MODULE] == []


def test_functions_take_few_parameters() -> None:
    def count(function: Function) -> int:
        arguments = [*function.args.posonlyargs, *function.args.args, *function.args.kwonlyargs]
        return sum(argument.arg not in ("self", "cls") for argument in arguments)

    assert [where(*pair) for pair in FUNCTIONS if count(pair[1]) > HARD_PARAMETERS] == []


CLOCKS = {"datetime.now", "datetime.utcnow", "datetime.today", "date.today", "time.time", "time.time_ns"}
ENVIRONMENT = {"os.environ", "os.environb", "os.getenv"}
SQL_CLOCK = re.compile(
    r"\bnow\s*\(\)|\bcurrent_timestamp\b|\b(clock|statement|transaction)_timestamp\b", re.IGNORECASE
)


def dotted(source: Source) -> list[tuple[int, str]]:
    """Return the line and text of every `a.b` of a file, reduced to its last two names."""
    found = []
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Attribute):
            found.append((node.lineno, ".".join(ast.unparse(node).split(".")[-2:])))
    return found


@pytest.mark.parametrize(("names", "allowed"), [(CLOCKS, "clock.py"), (ENVIRONMENT, "settings.py")])
def test_the_clock_and_the_environment_are_read_in_one_place(names: set[str], allowed: str) -> None:
    readers = [
        f"{source.name}:{line} {name}"
        for source in FILES
        if source.name != allowed
        for line, name in dotted(source)
        if name in names
    ]
    assert readers == []


def test_statements_take_their_time_from_the_program() -> None:
    told = [
        f"{path.relative_to(PACKAGE)}:{number}"
        for path in sorted(PACKAGE.rglob("*.sql"))
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if SQL_CLOCK.search(line.split("--")[0])
    ]
    assert told == []


def test_everything_is_caught_only_where_nothing_may_escape() -> None:
    for source in FILES:
        broad = [
            node.lineno
            for node in ast.walk(source.tree)
            if isinstance(node, ast.ExceptHandler)
            and (node.type is None or (isinstance(node.type, ast.Name) and node.type.id == "Exception"))
        ]
        assert len(broad) <= CATCH_ALL.get(source.name, 0), f"{source.name}: {broad}"


def test_public_things_say_what_they_are_for() -> None:
    silent = [source.name for source in FILES if not (ast.get_docstring(source.tree) or "").strip()]
    for source in FILES:
        for node in _public(source.tree):
            said = ast.get_docstring(node) or ""
            if not said.split("\n\n")[0].rstrip().endswith((".", ":", "?")):
                silent.append(f"{source.name}:{node.lineno} {node.name}")
    assert silent == []


def _public(tree: ast.Module) -> list[Function | ast.ClassDef]:
    """Return the public classes and functions of a module, and the public methods of those classes."""
    kinds = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
    top = [node for node in tree.body if isinstance(node, kinds) and not node.name.startswith("_")]
    inside = [
        node
        for owner in top
        if isinstance(owner, ast.ClassDef)
        for node in owner.body
        if isinstance(node, kinds) and not node.name.startswith("_") and not _overloaded(node)
    ]
    return [*top, *inside]


def _overloaded(node: ast.AST) -> bool:
    return any(
        isinstance(mark, ast.Name) and mark.id in ("overload", "override")
        for mark in getattr(node, "decorator_list", [])
    )


def test_nothing_is_put_off_without_a_reason() -> None:
    marks = re.compile(r"\b(TODO|FIXME|XXX)\b")
    files = [
        *sorted(PACKAGE.rglob("*.py")),
        *sorted(PACKAGE.rglob("*.sql")),
        *sorted((ROOT / "tests").rglob("*.py")),
    ]
    found = [
        f"{path.relative_to(ROOT)}"
        for path in files
        if path.name != "test_budgets.py" and marks.search(path.read_text("utf-8"))
    ]
    assert found == []
