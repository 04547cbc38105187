"""The schema, brought up to date by one node or several."""

import subprocess
import sys

import pytest

from nightbell.store.db import connect, connect_one
from nightbell.store.migrate import TooNew, head, migrate, schema
from nightbell.store.migrations import FOLDER
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
from nightbell.store.db import connect, connect_one
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


async def test_a_climb_under_way_keeps_its_plan_when_plans_move_to_a_table_of_their_own(
    postgres: Cluster,
) -> None:
    files = sorted(FOLDER.glob("0*.sql"))
    before = [file for file in files if file.name < "0011"]
    (plans,) = (file for file in files if file.name.startswith("0011"))
    async with postgres.fresh(migrated=False) as url:
        connection = await connect_one(url)
        for file in before:
            await connection.execute(file.read_text())
        # Without their alerts: keys are not looked at meanwhile.
        await connection.execute("SET session_replication_role = replica")
        await connection.execute(
            """INSERT INTO escalations (id, alert_id, occurrence, origin, plan, phase, level, round, token, wake_at,
                   created_at, updated_at)
               SELECT gen_random_uuid(), gen_random_uuid(), 1, 'user:1', '{"name": "A"}', 'climbing', 1, 1,
                   gen_random_uuid(), at, at, at
               FROM generate_series(timestamptz '2026-11-23 02:00Z', '2026-11-23 02:02Z', '1 minute') at"""
        )
        await connection.execute("SET session_replication_role = origin")
        await connection.execute(plans.read_text())
        held = await connection.fetch("SELECT p.plan FROM escalations e JOIN plans p ON p.id = e.plan_id")
        assert [row["plan"] for row in held] == [{"name": "A"}] * 3
        assert await connection.fetchval("SELECT count(*) FROM plans") == 1
        await connection.close()
