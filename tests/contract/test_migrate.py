"""The schema, brought up to date by one node or several."""

import subprocess
import sys

import pytest

from nightbell.store.db import connect
from nightbell.store.migrate import TooNew, head, migrate, schema
from support.databases import Cluster


async def test_an_empty_database_is_brought_to_the_newest_schema(postgres: Cluster) -> None:
    steps: list[tuple[int, int, str]] = []
    async with postgres.fresh(migrated=False) as url:
        db = await connect(url, 2)
        before = await migrate(db, lambda *step: steps.append(step))
        assert before.current is None
        assert (await schema(db)).current == head()
        await db.close()
    assert [done for done, _, _ in steps] == list(range(1, len(steps) + 1))
    assert all(total == len(steps) and what for _, total, what in steps)


NODE = """
import asyncio, sys
from nightbell.store.db import connect
from nightbell.store.migrate import migrate

async def main():
    db = await connect(sys.argv[1], 2)
    await migrate(db, lambda done, _total, _what: print(done))
    await db.close()

asyncio.run(main())
"""


async def test_two_nodes_that_start_together_migrate_once(postgres: Cluster) -> None:
    async with postgres.fresh(migrated=False) as url:
        nodes = [
            subprocess.Popen([sys.executable, "-c", NODE, url], stdout=subprocess.PIPE, text=True)
            for _ in range(2)
        ]
        steps = "".join(node.communicate()[0] for node in nodes).split()
        assert [node.returncode for node in nodes] == [0, 0]
        db = await connect(url, 1)
        assert (await schema(db)).up_to_date
        await db.close()
    assert steps
    assert len(steps) == len(set(steps))


async def test_an_older_program_leaves_a_newer_database_alone(database_url: str) -> None:
    db = await connect(database_url, 2)
    await db.run("UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(TooNew, match="9999"):
        await migrate(db)
    await db.close()


def test_a_warm_start_does_not_pay_for_alembic() -> None:
    code = (
        "import sys, nightbell.store.migrate; print('alembic' in sys.modules or 'sqlalchemy' in sys.modules)"
    )
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert said.strip() == "False"
