"""Every named statement is SQL that this schema understands, whether or not a test ever runs it."""

import asyncpg

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
