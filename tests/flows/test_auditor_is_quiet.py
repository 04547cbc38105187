"""What goes as it should never worries the auditor: every case of escalations is told, and then he is asked."""

import json
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from nightbell.audit.auditor import Auditor
from nightbell.engine.sealing import WIDE, seal
from nightbell.testing.escalation_cases import problems
from nightbell.testing.scenario import Scene
from nightbell.testing.staged import Staged

FILE = Path(__file__).parents[1] / "testdata" / "escalation_cases.json"
CASES = json.loads(FILE.read_bytes())["cases"]


async def nobody(*_: object) -> None:
    """Tell nobody: what was found is looked at here."""


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["id"])
async def test_a_case_that_goes_as_it_should_leaves_nothing_to_find(case, db):
    found = {}

    @asynccontextmanager
    async def opened(_case):
        scene = Scene(db)
        await scene.start()
        try:
            yield Staged(scene)
            await seal(db, scene.clock(), reach=WIDE)
            found.update(await Auditor(db.dsn, scene.clock, nobody, nobody).round())
        finally:
            await scene.stop()

    await problems(case, opened)
    told = await db.fetch("SELECT invariant, told FROM findings")
    assert found == {}, [tuple(row.values()) for row in told]
