"""A whole program on a database of a test: served on loopback, its clock standing still, its services doubles."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

import httpx
import uvicorn

from nightbell.app import Running, node
from nightbell.core.directory import Target
from nightbell.core.journal import SYSTEM, person
from nightbell.engine import edits
from nightbell.engine.act import NewAlert
from nightbell.engine.configure import Configure
from nightbell.settings import Settings
from nightbell.store.db import Db
from nightbell.testing.clock import FrozenClock
from support.ports import LOOPBACK, held

START = datetime(2026, 11, 23, 2, 0, 5, tzinfo=UTC)


class _Server(uvicorn.Server):
    @contextmanager
    def capture_signals(self):
        yield


@dataclass
class Bell:
    """The running program, and a client that calls it."""

    url: str
    running: Running
    clock: FrozenClock
    client: httpx.AsyncClient

    @property
    def engine(self):
        return self.running.engine

    @property
    def db(self):
        return self.engine.db

    @property
    def configure(self):
        return Configure(self.db, self.engine.vault, self.engine.kinds)

    async def person(self, name="Ana", *, role="user", settings=None, **methods):
        """Make a person whose only contact methods are these, kind=address, all used at once."""
        edit = edits.UserEdit(name=name, email=f"{name.lower()}@example.org", role=role)
        user_id = await self.configure.create_user(edit, by=SYSTEM, now=self.clock())
        for row in await self.db.fetch("SELECT id FROM contact_methods WHERE user_id = $1", user_id):
            await self.configure.delete_contact_method(row["id"], by=SYSTEM, now=self.clock())
        for kind, address in methods.items():
            method = edits.ContactMethodEdit(kind=kind, address=address, settings=settings or {})
            await self.configure.create_contact_method(
                user_id, method, verified=True, by=SYSTEM, now=self.clock()
            )
        return user_id

    async def page(self, *user_ids, summary="DiskFull on db-1"):
        """Make an alert that pages people, and return its id."""
        new = NewAlert(summary=summary, targets=tuple(Target(type="User", id=str(u)) for u in user_ids))
        made = await self.engine.act.create(new, by=person(user_ids[0], "Somebody"), now=self.clock())
        return made.id

    async def status(self, alert_id: UUID) -> str:
        """Return where an alert stands."""
        return str((await self.db.fetch("SELECT status FROM alerts WHERE id = $1", alert_id))[0][0])

    async def becomes(self, sql, *args, wanted):
        """Wait until a query answers with exactly these rows."""
        rows = None
        try:
            async with asyncio.timeout(20):
                while (rows := [tuple(r.values()) for r in await self.db.fetch(sql, *args)]) != wanted:
                    await asyncio.sleep(0.02)
        except TimeoutError:
            raise AssertionError(f"{rows}, not {wanted}") from None


@asynccontextmanager
async def ringing(
    db: Db, folder: Path, providers: Mapping[str, Mapping[str, str]], clock: FrozenClock
) -> AsyncIterator[Bell]:
    """Run the program for as long as the block lasts; it may call loopback."""
    door = held()
    url = f"http://{LOOPBACK}:{door.getsockname()[1]}"
    settings = Settings(
        data=folder,
        base_url=url,
        providers={name: dict(one) for name, one in providers.items()},
        allow_networks=("127.0.0.0/8",),
    )
    async with node(settings, db, now=clock) as running, httpx.AsyncClient() as client:
        config = uvicorn.Config(running.asgi, log_config=None, lifespan="off", ws="none")
        server = _Server(config)
        serving = asyncio.create_task(server.serve(sockets=[door]))
        while not server.started:
            await asyncio.sleep(0.005)
        yield Bell(url, running, clock, client)
        running.engine.hub.close()
        server.should_exit = True
        await serving
