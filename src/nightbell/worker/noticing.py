"""Looks whether something is to be said of shifts, once a second; most looks are one locked row."""

from nightbell.engine import notices
from nightbell.engine.directory import Directories
from nightbell.engine.ingest import Committed
from nightbell.engine.node import Node
from nightbell.store.db import Db
from nightbell.worker.loop import Chore

#: How often somebody asks. Units: seconds.
EVERY = 1.0


def chore(db: Db, directories: Directories, node: Node) -> Chore:
    """Return what a worker does about shifts."""

    async def look() -> None:
        looked = await notices.look(db, directories, node.clock())
        if looked is not None and looked.said:
            node.woken(Committed(outcomes=(), pages=True, decisions=()))

    return Chore("notices", EVERY, look)
