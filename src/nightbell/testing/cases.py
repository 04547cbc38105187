"""This file runs files of scenarios: `python -m nightbell.testing.cases schedule FILE…`.

Shape: one line for each check that failed, then `N passed, M failed`; the exit code is 1 where anything failed.
"""

import sys
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import msgspec

from nightbell.testing import escalation_cases, schedule_cases
from nightbell.testing.verdict import Verdict

#: What can be run: a kind of file, and what turns the cases of one into verdicts.
RUNNERS: dict[str, Callable[[Sequence[dict[str, Any]]], Iterable[Verdict]]] = {
    "schedule": schedule_cases.run,
    "escalation": escalation_cases.run,
}
USAGE = f"usage: python -m nightbell.testing.cases {{{','.join(RUNNERS)}}} FILE…"


def main(arguments: Sequence[str], say: Callable[[str], object] = sys.stdout.write) -> int:
    """Run the files named and return the exit code."""
    if len(arguments) < 2 or arguments[0] not in RUNNERS:
        say(USAGE + "\n")
        return 2
    kind, *files = arguments
    verdicts = [verdict for file in files for verdict in run_file(kind, Path(file))]
    for verdict in verdicts:
        for problem in verdict.problems:
            say(f"{verdict.case}: {problem}\n")
    failed = sum(bool(verdict.problems) for verdict in verdicts)
    say(f"{len(verdicts) - failed} passed, {failed} failed\n")
    return 1 if failed or not verdicts else 0


def run_file(kind: str, file: Path) -> list[Verdict]:
    """Return the verdicts on the cases of one file."""
    return list(RUNNERS[kind](msgspec.json.decode(file.read_bytes())["cases"]))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
