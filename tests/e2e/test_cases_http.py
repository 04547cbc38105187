"""The cases that must pass (peers.md 4.3), told over HTTP to the running program, whose clock stands still."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from nightbell.testing.escalation_cases import problems
from nightbell.testing.world import World
from support.served import served

pytestmark = [pytest.mark.timeout(240), pytest.mark.slow]

FILE = Path(__file__).parents[1] / "testdata" / "escalation_cases.json"
CASES = {case["id"]: case for case in json.loads(FILE.read_bytes())["cases"]}
MUST_PASS = ("E02", "E05", "E15", "E17", "E19", "E23", "E34", "E35")
#: What no part of the program can do yet; a case goes from here when it can.
NEEDS = {"E17": ["needs messages that bundle several alerts"]}


@pytest.mark.parametrize("ident", MUST_PASS)
async def test_a_case_that_must_pass_does_over_http(ident, tmp_path):
    @asynccontextmanager
    async def opened(_case: object) -> AsyncIterator[World]:
        with served(tmp_path) as world:
            yield world

    assert await problems(CASES[ident], opened) == NEEDS.get(ident, [])
