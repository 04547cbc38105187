"""The documents of templates and tasks: every example is filled in, every filter and task is named."""

import re
from datetime import UTC, datetime

import pytest

from nightbell.engine.liquid.filters import FILTERS
from nightbell.engine.liquid.limits import LONGEST, MOST_ELEMENTS, USUAL
from nightbell.engine.liquid.templates import render
from nightbell.engine.tasks.registry import TASKS
from support.sources import ROOT

TEMPLATES = (ROOT / "docs" / "templates.md").read_text(encoding="utf-8")
TASKS_PAGE = (ROOT / "docs" / "workflow-tasks.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"^\| `(\{\{.*\}\})` \| `(.*)` \|$", TEMPLATES, re.MULTILINE)
VALUES = {
    "hosts": [{"name": "db1", "load": 3}, {"name": "db2", "load": 5}],
    "nested": [1, [2, [3]]],
    "labels": {"severity": "critical", "team": "core"},
    "began": "2026-11-23T02:00:00Z",
}


@pytest.mark.parametrize(("template", "gives"), EXAMPLES, ids=[template for template, _ in EXAMPLES])
def test_an_example_gives_what_it_says(template: str, gives: str) -> None:
    assert render(template, VALUES, now=datetime(2026, 11, 23, 2, 30, tzinfo=UTC)) == gives


def test_every_filter_has_an_example() -> None:
    shown = {name for template, _ in EXAMPLES for name in re.findall(r"\| (\w+)", template)}
    assert set(FILTERS) <= shown


def test_every_task_is_told_of() -> None:
    told = set(re.findall(r"`(\w+)`", TASKS_PAGE))
    assert set(TASKS) <= told


def test_the_limits_are_those_that_hold() -> None:
    for number in (LONGEST, USUAL.output, USUAL.held, USUAL.rounds, USUAL.steps, MOST_ELEMENTS):
        assert f"{number:,}" in TEMPLATES
    assert f"{USUAL.seconds:g} s" in TEMPLATES
