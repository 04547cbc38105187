"""A status page whose database is gone: served as it was, with the time of the last look, and it says so."""

import asyncio
from datetime import timedelta
from typing import Any

import asyncpg
import pytest

from nightbell.core.journal import SYSTEM
from nightbell.engine.configure import Configure
from nightbell.engine.showing import Showing
from nightbell.engine.status_edits import StatusPageEdit
from nightbell.engine.vault import Vault
from nightbell.store.db import connect
from nightbell.store.embedded import dsn
from nightbell.testing.clock import FrozenClock
from nightbell.web.status_site import StatusSite
from support.databases import TEMPLATE, open_cluster


async def page(site: StatusSite) -> tuple[int, str]:
    """Ask for the page as the server would, and not wait for anything else."""
    sent = []

    async def send(message):
        sent.append(message)

    async def receive():
        raise AssertionError("a page has nothing to hear from its reader")

    scope: Any = {
        "type": "http",
        "method": "GET",
        "path": "/status/shop",
        "query_string": b"",
        "headers": [],
    }
    async with asyncio.timeout(1):
        await site(scope, receive, send)
    return sent[0]["status"], sent[1]["body"].decode()


@pytest.mark.timeout(60)
async def test_with_the_database_stopped_a_page_is_served_with_the_time_of_the_last_look(tmp_path):
    cluster = await asyncio.to_thread(open_cluster, tmp_path / "postgres")
    clock = FrozenClock()
    db = await connect(dsn(cluster.server.sockets, TEMPLATE), 4)
    configure = Configure(db, Vault(b"test"), {})
    await configure.create_status_page(StatusPageEdit(title="Shop"), by=SYSTEM, now=clock())
    showing = Showing(db, b"test", clock)
    site = StatusSite(showing, "https://HOST", clock)
    await showing.look()
    await cluster.server.stop()
    clock.move_to(clock() + timedelta(seconds=30))
    with pytest.raises((OSError, asyncpg.PostgresError, asyncpg.InterfaceError)):
        await showing.look()
    status, body = await page(site)
    assert (status, "Nobody could look since" in body) == (200, False)
    assert "As of <time" in body
    clock.move_to(clock() + timedelta(minutes=5))
    status, body = await page(site)
    assert (status, "Nobody could look since" in body) == (200, True)
    assert "All systems operational" in body
    await db.close()
