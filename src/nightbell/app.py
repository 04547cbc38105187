"""Puts Nightbell together: the one place that knows every concrete type. Starts in order, stops in reverse."""

import asyncio
import gc
import resource
import secrets
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import structlog
import uvicorn
from litestar import Litestar
from litestar.enums import ScopeType
from litestar.status_codes import HTTP_404_NOT_FOUND
from litestar.types import ASGIApp, Receive, Scope, Send

from nightbell import clock
from nightbell.api import routes as api
from nightbell.api.resource import Edge
from nightbell.channels import registry as channels
from nightbell.channels.email import SmtpSettings, Tls
from nightbell.engine import configure, vault
from nightbell.engine.act import Act
from nightbell.engine.deliver import Deliver
from nightbell.engine.directory import Directories
from nightbell.engine.ingest import Committed
from nightbell.engine.messages import Desk
from nightbell.engine.node import Node
from nightbell.engine.writer import Writers
from nightbell.net.guard import Guard
from nightbell.net.http import Http
from nightbell.settings import Settings
from nightbell.sources import prometheus
from nightbell.sources.registry import SOURCES
from nightbell.store import embedded, migrate
from nightbell.store.db import Db, connect
from nightbell.telemetry import metrics
from nightbell.web import assets
from nightbell.web import routes as pages
from nightbell.web.health import Health
from nightbell.web.hooks import Hooks
from nightbell.web.rejects import Rejects
from nightbell.web.site import Site
from nightbell.web.sse import Hub
from nightbell.worker.loop import Worker
from nightbell.worker.pulse import Pulse

#: 10,000 alert groups open up to 10,000 connections (alertmanager.md 4.3).
FILES = 65_536
BACKLOG = 4_096
_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Running:
    """A node that is up."""

    settings: Settings
    db: Db
    act: Act
    directories: Directories
    vault: vault.Vault
    writers: Writers
    deliver: Deliver
    worker: Worker
    hub: Hub
    hooks: Hooks
    asgi: ASGIApp
    clock: Callable[[], datetime]


@asynccontextmanager
async def database(
    settings: Settings, progress: migrate.Progress, *, restarted: Callable[[], None] = lambda: None
) -> AsyncIterator[Db]:
    """Open the database, embedded or external, at the newest schema and with its seeds."""
    async with AsyncExitStack() as stack:
        dsn = settings.database_url
        if dsn is None:
            server = await embedded.start(
                settings.data, binaries=settings.postgres_bin, url=settings.base_url
            )
            stack.push_async_callback(server.stop)
            stack.enter_context(_task(server.watch(restarted), "postgres"))
            dsn = server.dsn
        db = await connect(dsn, size=20)
        stack.push_async_callback(db.close)
        await migrate.migrate(db, progress)
        await configure.seed(db, clock.now())
        yield db


@asynccontextmanager
async def node(
    settings: Settings, db: Db, *, now: Callable[[], datetime] = clock.now
) -> AsyncIterator[Running]:
    """Start the engine over an open database."""
    async with AsyncExitStack() as stack:
        keys = await vault.unlock(db, settings.secret_key, now())
        directories = Directories()
        hub = Hub()
        stack.callback(hub.close)
        pulse = Pulse(db)
        http = Http(Guard(settings.allow_networks))
        stack.push_async_callback(http.aclose)
        me = Node(name=_name(settings), clock=now, woken=pulse.committed)
        desk = Desk(keys, settings.base_url)
        kinds = channels.build(_smtp(settings), http)
        deliver = Deliver(db, directories, kinds, desk, me)
        worker = Worker(db, directories, deliver, me, retention_days=settings.retention_days)
        writers = Writers(
            db,
            directories,
            pulse.committed,
            lanes=settings.writers,
            hold_down=settings.hold_down,
            limit=settings.queue_limit,
        )
        writers.start()
        stack.push_async_callback(writers.stop)
        metrics.measure(metrics.QUEUE_BYTES, lambda: writers.waiting_bytes)
        act = Act(db, directories, pulse.committed)
        rejects = Rejects(db)
        stack.enter_context(_task(rejects.run(), "rejects"))
        pulse.wakes(worker.due.ring, worker.messages.ring, hub.publish)
        await stack.enter_async_context(pulse.beating())
        for task in worker.start(gone=(me.name,)):
            stack.enter_context(_cancelled(task))
        hooks = Hooks(
            db=db,
            directories=directories,
            writers=writers,
            rejects=rejects,
            clock=now,
            decode=dict(SOURCES),
            decode_push=prometheus.decode_push,
            max_body=settings.max_body,
        )
        site = Site(
            db=db,
            clock=now,
            hub=hub,
            act=act,
            configure=configure.Configure(db, keys, kinds),
            directory=lambda: directories.current(db),
            channels=kinds,
            base_url=settings.base_url,
            link_key=keys.link_key,
            assets=assets.load(),
        )
        edge = Edge(db=db, act=act, configure=site.configure, clock=now, base_url=settings.base_url)
        health = Health(db=db, clock=now, seen=worker.seen)
        running = Running(
            settings=settings,
            db=db,
            act=act,
            directories=directories,
            vault=keys,
            writers=writers,
            deliver=deliver,
            worker=worker,
            hub=hub,
            hooks=hooks,
            asgi=_dispatching((hooks, health), _framework(site, edge)),
            clock=now,
        )
        yield running
        await worker.drain()


def _framework(site: Site, edge: Edge) -> Litestar:
    """Return what Litestar serves: the pages and the API. Its own documentation pages load from elsewhere, so: none."""
    return Litestar(
        route_handlers=[*pages.build(site), *api.build(edge)],
        exception_handlers={HTTP_404_NOT_FOUND: pages.not_found(site)},
        openapi_config=None,
        logging_config=None,
    )


def _dispatching(first: tuple[Hooks | Health, ...], rest: ASGIApp) -> ASGIApp:
    """Return the whole program as one ASGI application. Senders go before any framework: a storm comes by there."""

    async def application(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == ScopeType.HTTP:
            for routes in first:
                if routes.serves(scope["path"]):
                    await routes(scope, receive, send)
                    return
        await rest(scope, receive, send)

    return application


class _Server(uvicorn.Server):
    """uvicorn inside our own loop; signals are ours."""

    def capture_signals(self) -> Any:
        """Leave signals alone."""
        return _nothing()


class _nothing:  # noqa: N801  a context manager, nothing more
    def __enter__(self) -> None: ...

    def __exit__(self, *_: object) -> None: ...


async def serve(
    settings: Settings,
    stop: asyncio.Event,
    *,
    progress: migrate.Progress = lambda _done, _total, _what: None,
    ready: Callable[[Running], Any] = lambda _running: None,
) -> None:
    """Run a node until told to stop."""
    _raise_limits()
    async with database(settings, progress) as db, node(settings, db) as running:
        config = uvicorn.Config(
            running.asgi,
            host=settings.host,
            port=settings.port,
            backlog=BACKLOG,
            log_config=None,
            access_log=False,
            server_header=False,
            date_header=True,
            lifespan="off",
            ws="none",
            timeout_keep_alive=75,
            timeout_graceful_shutdown=3,
            forwarded_allow_ips=list(settings.trusted_proxies) or None,
            proxy_headers=bool(settings.trusted_proxies),
        )
        server = _Server(config)
        serving = asyncio.create_task(server.serve(), name="http")
        while not server.started and not serving.done():
            await asyncio.sleep(0.005)
        _settle_memory()
        if not serving.done():
            called = ready(running)
            if asyncio.iscoroutine(called):
                await called
        waiting = asyncio.create_task(stop.wait())
        await asyncio.wait([waiting, serving], return_when=asyncio.FIRST_COMPLETED)
        waiting.cancel()
        running.hub.close()
        server.should_exit = True
        await serving


def _raise_limits() -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = FILES if hard == resource.RLIM_INFINITY else min(FILES, hard)
    if soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    if wanted < FILES:
        _log.warning(
            "limits.files", have=wanted, want=FILES, hint="raise LimitNOFILE: storms open many connections"
        )


def _settle_memory() -> None:
    """Freeze what was made at start: the oldest generation's collections were 30 ms pauses (stack.md 1)."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 50, 100)


def _smtp(settings: Settings) -> SmtpSettings:
    smtp = settings.smtp
    return SmtpSettings(
        host=smtp.host,
        port=smtp.port,
        user=smtp.user,
        password=smtp.password,
        tls=Tls(smtp.tls),
        sender=smtp.sender,
        timeout=smtp.timeout,
    )


def _name(settings: Settings) -> str:
    """Return this node's name.

    With the embedded database it is the same after a restart: the lock on the data directory says that our former
    self is gone. Over an external database nothing says so, and its leases lapse by themselves.
    """
    if settings.database_url is not None:
        return f"node-{secrets.token_hex(6)}"
    file = settings.data / "node"
    settings.data.mkdir(parents=True, exist_ok=True)
    if not file.exists():
        file.write_text(f"node-{secrets.token_hex(6)}\n", encoding="utf-8")
    return file.read_text(encoding="utf-8").strip()


class _cancelled:  # noqa: N801  a context manager, nothing more
    """Cancels a task at the end."""

    def __init__(self, task: "asyncio.Task[None]") -> None:
        self._task = task

    def __enter__(self) -> None: ...

    def __exit__(self, *_: object) -> None:
        self._task.cancel()


def _task(work: Any, name: str) -> _cancelled:
    return _cancelled(asyncio.create_task(work, name=name))


#: What `woken` receives, for those who wire their own node in tests.
__all__ = ["Committed", "Running", "database", "node", "serve"]
