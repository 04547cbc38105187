"""Every named statement is SQL that this schema understands, whether or not a test ever runs it, and all asked exist."""

import re
from pathlib import Path

import asyncpg

import nightbell
from nightbell.store.db import Db, connect_one
from nightbell.store.queries import statements


async def test_every_named_statement_can_be_prepared(db: Db):
    connection = await connect_one(db.dsn)
    wrong = []
    for name, sql in statements().items():
        try:
            await connection.prepare(sql)
        except asyncpg.PostgresError as error:
            wrong.append(f"{name}: {error}")
    await connection.close()
    assert not wrong


def test_every_statement_that_is_asked_for_exists():
    source = "\n".join(file.read_text() for file in Path(nightbell.__file__).parent.rglob("*.py"))
    asked = set(re.findall(r"await [\w.]+\.(?:rows|row|value|execute|many)\(\s*\"([a-z0-9_]+)\"", source))
    assert len(asked) > 200
    assert asked - set(statements()) == set()
