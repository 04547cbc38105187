"""A scene on a fresh database for every flow; what nobody expected fails the test at its end too."""

from collections.abc import AsyncIterator

import pytest

from nightbell.store.db import Db
from nightbell.testing.scenario import Scene


@pytest.fixture
async def scene(db: Db) -> AsyncIterator[Scene]:
    """A Nightbell whose time stands still at 02:00."""
    scene = Scene(db)
    await scene.start()
    yield scene
    await scene.stop()
    scene.phones.verify()


@pytest.fixture
async def two_nodes(db: Db) -> AsyncIterator[Scene]:
    """Two nodes on one database."""
    scene = Scene(db, nodes=2)
    await scene.start()
    yield scene
    await scene.stop()
    scene.phones.verify()
