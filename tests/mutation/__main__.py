"""`python -m mutation [module …]`, run in `tests/`: changes one thing at a time and names what no test noticed.

Each mutant lives in a forked process that has pytest and the libraries loaded, so a thousand take minutes. First the
tables of `core/` are asked, then the properties; `--flows` asks the flows on a real PostgreSQL too, about ten seconds
for each mutant that is left. Ends with the list that docs/mutation-testing.md argues about.
"""

import argparse
import ast
import importlib
import importlib.abc
import importlib.machinery
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from types import CodeType, ModuleType

import pytest

from mutation.operators import Mutant, mutants

_TESTS = Path(__file__).resolve().parent.parent
_CORE = _TESTS.parent / "src" / "nightbell" / "core"
SCHEDULE = (
    "calendar", "rotation", "turns_by_clock", "turns_by_day", "absence", "overriding", "oncall", "shifts", "shift",
    "schedule", "revision", "override_checks",
)  # fmt: skip
ESCALATION = ("escalation", "ascent", "climbing", "planning", "choosing", "paging", "maintenance", "closing")
#: The tables that speak of each half, the quickest to notice something first.
_TABLES = {
    "schedule": (
        "rotation",
        "schedule",
        "cases",
        "calendar",
        "revision",
        "override_checks",
        "rotation_plan",
        "duty",
    ),
    "escalation": (
        "escalation",
        "ascent",
        "climbing",
        "climbing_reached",
        "climbing_held",
        "planning",
        "decision",
        "choosing",
        "paging",
        "maintenance",
        "alert",
    ),
}
_PROPERTIES = {"schedule": "test_schedule.py", "escalation": "test_decide.py"}
#: The stories that tell most of escalation, on a real PostgreSQL.
_FLOWS = ("escalation_cases", "escalation", "levels", "paths", "maintenance", "responders", "shadows")
#: What a mutant may take of each stage; one that loops for ever is noticed. Units: seconds.
_PATIENCE = {"core": 60, "properties": 300, "flows": 600}
#: Imported before anything is forked; nothing of ours may be, or a mutant would come too late.
_LOADED = (
    "asyncpg",
    "hypothesis",
    "litestar",
    "msgspec",
    "sqlalchemy",
    "icalendar",
    "holidays",
    "cryptography",
)


def _tests(module: str, stage: str) -> list[str]:
    half = "schedule" if module in SCHEDULE else "escalation"
    match stage:
        case "core":
            found = [_TESTS / "core" / f"test_{name}.py" for name in _TABLES[half]]
        case "properties":
            found = [_TESTS / "properties" / _PROPERTIES[half]]
        case _:
            found = [_TESTS / "flows" / f"test_{name}.py" for name in _FLOWS]
    return [str(path) for path in found]


class _Substitute(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Imports the mutant in the place of its module."""

    def __init__(self, name: str, code: CodeType) -> None:
        self._name = name
        self._code = code

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        if fullname != self._name:
            return None
        return importlib.machinery.ModuleSpec(fullname, self, origin=f"mutant of {fullname}")

    def exec_module(self, module: ModuleType) -> None:
        exec(self._code, module.__dict__)  # noqa: S102  # our own module, one operator changed


def _noticed(module: str, code: CodeType, stage: str) -> bool:
    """Return whether a test fails with the mutant in place, in a process of its own."""
    child = os.fork()
    if child == 0:
        sys.meta_path.insert(0, _Substitute(f"nightbell.core.{module}", code))
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, 1)
        os.dup2(nowhere, 2)
        signal.alarm(_PATIENCE[stage])
        options = ["-x", "-q", "-p", "no:cacheprovider", "-p", "no:xdist"]
        os._exit(int(pytest.main([*options, *_tests(module, stage)])))
    _, status = os.waitpid(child, 0)
    return status != 0


def _survivors(named: str, stages: Sequence[str]) -> tuple[int, list[str]]:
    """Try the mutants of a module, or of one line of it ("climbing:58"); return how many, and which nobody noticed."""
    module, _, line = named.partition(":")
    source = (_CORE / f"{module}.py").read_text("utf-8")
    every = enumerate(mutants(ast.parse(source)))
    wanted = [at for at, one in every if not line or one.line == int(line)]
    left = []
    same = compile(source, f"{module}.py", "exec")
    for stage in stages:
        if _noticed(module, same, stage):
            raise SystemExit(
                f"{module}: the tests of stage {stage} fail, or are not there, without any change."
            )
    for at in wanted:
        tree = ast.parse(source)
        one: Mutant = mutants(tree)[at]
        one.make()
        code = compile(ast.fix_missing_locations(tree), f"{module}.py", "exec")
        if not any(_noticed(module, code, stage) for stage in stages):
            text = source.splitlines()[one.line - 1].strip()
            left.append(f"{module}.py:{one.line}: {one.what}: `{text}`")
            print(left[-1], flush=True)
    return len(wanted), left


def main() -> None:
    """Mutate the modules that were named, or all that decide who is on call and who is paged."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("modules", nargs="*", default=[*SCHEDULE, *ESCALATION])
    parser.add_argument("--stages", nargs="+", choices=list(_PATIENCE), default=["core", "properties"])
    asked = parser.parse_args()
    for name in _LOADED:
        importlib.import_module(name)
    made = 0
    left: list[str] = []
    for module in asked.modules:
        count, some = _survivors(module, asked.stages)
        made += count
        left += some
        print(f"-- {module}: {count} mutants, {len(some)} survived", flush=True)
    print(f"{made} mutants, {len(left)} survived")


if __name__ == "__main__":
    main()
