"""Puts Nightbell together: the one place that knows every concrete type. Starts in order, stops in reverse."""

import asyncio
import secrets
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import structlog
import uvicorn
from litestar import Litestar, Request, Response
from litestar.status_codes import HTTP_404_NOT_FOUND
from litestar.types import ASGIApp

from nightbell import clock
from nightbell.api import routes as api
from nightbell.api.resource import Edge
from nightbell.api.unwrapped import Unwrapped
from nightbell.audit.auditor import PROMISES, Auditor
from nightbell.channels import registry as channels
from nightbell.channels.email import SmtpSettings, Tls
from nightbell.channels.outgoing import Outgoing
from nightbell.channels.slack import Slack
from nightbell.channels.slack_rooms import SlackRooms
from nightbell.core.delivery import Channel
from nightbell.engine import configure, vapid, vault
from nightbell.engine.act import Act
from nightbell.engine.aftercare import Aftercare
from nightbell.engine.chatting import Chatting, webhook_secret
from nightbell.engine.deliver import Deliver
from nightbell.engine.directory import Directories
from nightbell.engine.heartbeats import Heartbeats
from nightbell.engine.housekeeping import keep_house
from nightbell.engine.incident_planned import Planned
from nightbell.engine.incident_publishing import Publishing
from nightbell.engine.incident_updates import Herald
from nightbell.engine.incidents import Incidents
from nightbell.engine.intake import Shared
from nightbell.engine.linking import Linking
from nightbell.engine.messages import Desk
from nightbell.engine.node import Node
from nightbell.engine.outgoing import Sending
from nightbell.engine.polling import Polling
from nightbell.engine.pressing import Pressing
from nightbell.engine.providers import Providers
from nightbell.engine.receive import Receive as Receiving
from nightbell.engine.relaying import Relaying
from nightbell.engine.rooms import Rooms
from nightbell.engine.showing import Showing
from nightbell.engine.spoken import Spoken
from nightbell.engine.workflow_runs import Runs
from nightbell.net import webpush
from nightbell.net.exchange import asking
from nightbell.net.guard import Guard
from nightbell.net.http import Http
from nightbell.settings import Settings
from nightbell.sources.registry import SOURCES
from nightbell.store import embedded, migrate
from nightbell.store.db import Db, connect
from nightbell.telemetry.memory import all_to_stay, settle_memory
from nightbell.web import assets
from nightbell.web import routes as pages
from nightbell.web.beats import Beats
from nightbell.web.dispatching import dispatching, marked
from nightbell.web.health import Health
from nightbell.web.hooks import Hooks
from nightbell.web.inbound import Inbound
from nightbell.web.mail_door import MailDoor
from nightbell.web.rejects import Rejects
from nightbell.web.server import BACKLOG, Server, raise_limits
from nightbell.web.site import Site
from nightbell.web.sse import Hub
from nightbell.web.status_site import StatusSite
from nightbell.web.testing_clock import TestingClock
from nightbell.worker import (
    aftercare,
    calendars,
    following,
    intakes,
    noticing,
    readings,
    rooming,
    showing,
    watching,
    webhooks,
)
from nightbell.worker.alarms import Alarms
from nightbell.worker.frames import Begin
from nightbell.worker.loop import Chore, Worker
from nightbell.worker.pulse import Pulse
from nightbell.worker.slack_line import SlackLine
from nightbell.worker.standing import Passage
from nightbell.worker.telegram_line import Hook, TelegramLine
from nightbell.worker.workflows import Lanes, Reach, lanes_of

_EVERYWHERE = ("0.0.0.0/0", "::/0")
#: A question to Telegram is open for 20 s when nothing happens.
_LONG_QUESTION = timedelta(seconds=35)
_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Engine:
    """The engine of a node, put together and not started."""

    settings: Settings
    db: Db
    clock: Callable[[], datetime]
    vault: vault.Vault
    directories: Directories
    pulse: Pulse
    hub: Hub
    http: Http
    kinds: Mapping[str, Channel]
    me: Node
    act: Act
    deliver: Deliver
    worker: Worker
    intake: Shared
    rejects: Rejects
    #: What services outside call, and how we call them.
    inbound: Inbound
    services: Http
    slack: SlackLine
    telegram: TelegramLine
    showing: Showing
    #: What the API works with, and what tells endpoints outside.
    edge: Edge
    outgoing: Sending
    #: Workflows, in lanes of their own.
    lanes: Lanes


@dataclass(frozen=True, slots=True, kw_only=True)
class Running:
    """A node that is up."""

    engine: Engine
    asgi: ASGIApp


@asynccontextmanager
async def database(
    settings: Settings,
    progress: migrate.Progress,
    *,
    restarted: Callable[[], None] = lambda: None,
    now: Callable[[], datetime] = clock.now,
) -> AsyncIterator[Db]:
    """Open the database, embedded or external, at the newest schema and with its seeds."""
    async with AsyncExitStack() as stack:
        dsn = settings.database_url
        if dsn is None:
            server = await embedded.start(
                settings.data, binaries=settings.postgres_bin, url=settings.base_url
            )
            stack.push_async_callback(server.stop)
            stack.callback(asyncio.create_task(server.watch(restarted), name="postgres").cancel)
            dsn = server.dsn
        db = await connect(dsn, size=20)
        stack.push_async_callback(db.close)
        await migrate.migrate(db, progress)
        await configure.seed(db, now())
        # Before anybody sends: the first delivery of a day must find its partition.
        await keep_house(db, now(), retention_days=settings.retention_days)
        yield db


@asynccontextmanager
async def node(
    settings: Settings, db: Db, *, now: Callable[[], datetime] = clock.now
) -> AsyncIterator[Running]:
    """Start the engine over an open database."""
    async with AsyncExitStack() as stack:
        engine = await _engine(settings, db, now)
        stack.push_async_callback(engine.http.aclose)
        stack.push_async_callback(engine.services.aclose)
        stack.push_async_callback(engine.slack.close)
        stack.push_async_callback(engine.telegram.aclose)
        stack.push_async_callback(engine.lanes.close)
        stack.push_async_callback(engine.outgoing.close)
        stack.callback(engine.hub.close)
        stack.callback(engine.showing.close)
        engine.pulse.hands(engine.worker.take)
        stack.push_async_callback(engine.intake.stop)
        await engine.intake.start(engine.worker.lends)
        stack.callback(asyncio.create_task(engine.rejects.run(), name="rejects").cancel)
        worker = engine.worker
        engine.lanes.goes_behind(lambda: worker.sending or engine.intake.waiting_bytes > 0)
        engine.pulse.wakes(worker.due.ring, worker.messages.ring, engine.hub.publish, worker.grown.ring)
        await stack.enter_async_context(engine.pulse.beating())
        for task in engine.worker.start(gone=(engine.me.name,)):
            stack.callback(task.cancel)
        if settings.heartbeat_mail_port:
            door = MailDoor(db, Heartbeats(db, engine.directories, engine.me))
            await stack.enter_async_context(door.listening(settings.host, settings.heartbeat_mail_port))
        yield Running(engine=engine, asgi=_application(engine))
        await engine.worker.drain()


async def _engine(settings: Settings, db: Db, now: Callable[[], datetime]) -> Engine:
    keys = await vault.unlock(db, settings.secret_key, now())
    await vapid.ensure(db, keys, webpush.new_key(), now())
    directories, pulse = Directories(settings.providers), Pulse(db)
    http = Http(Guard(settings.allow_networks))
    # Where services are, only the machine's own settings say: those may lie in private networks.
    services = Http(Guard(_EVERYWHERE))
    kinds = channels.build(_smtp(settings), http, services)
    me = Node(name=_name(settings), clock=now, woken=pulse.committed)
    providers = Providers(keys, settings.providers)
    desk = Desk(keys, settings.base_url, providers)
    deliver = Deliver(db, directories, kinds, desk, me)
    act = Act(db, directories, pulse.committed)
    receive = Receiving(db, directories, act, pulse.committed)
    rejects = Rejects(db)
    edge = _edge(settings, db, directories, pulse, act, (configure.Configure(db, keys, kinds), keys, now))
    rooms = Rooms(db, providers, SlackRooms(services), edge.incidents, me, settings.base_url)
    pressing = Pressing(db, receive, providers, Slack(services))
    slack = SlackLine(db, providers, pressing, rooms, now)
    chatting = Chatting(receive, Linking(db, edge.configure, pulse.committed))
    telegram = _telegram(settings, keys, me, Polling(db, "telegram", me.name), chatting, providers)
    outgoing = Sending(db, directories, keys, Outgoing(http), me)
    reach = Reach(kinds, providers, asking(http), asking(services), settings.base_url)
    lanes = await lanes_of(db.dsn, directories, pulse, me, reach)
    care, pages_shown = Aftercare(db, kinds, desk, receive), Showing(db, keys.link_key, now)
    inbound = Inbound(
        receive=receive, clerk=desk.clerk, spoken=Spoken(db, desk), slack=pressing, rooms=rooms, chatting=chatting, rejects=rejects
    )  # fmt: skip
    chores = (
        *(calendars.chore(db, keys, http, now), noticing.chore(db, directories, me)),
        *showing.chores(pages_shown, edge.publishing, Planned(db, edge.incidents), now),
        *(following.chore(edge.incidents, now), slack.chore(), telegram.chore(), rooming.chore(rooms)),
        *aftercare.chores(care, now),
        *lanes.chores(keep_days=settings.retention_days),
        *webhooks.chores(Relaying(db, Unwrapped(edge), rooms), outgoing, me, keep=settings.retention_days),
        *_watched(settings, db, directories, act, me),
    )
    return Engine(
        settings=settings,
        db=db,
        clock=now,
        vault=keys,
        directories=directories,
        pulse=pulse,
        hub=Hub(),
        http=http,
        kinds=kinds,
        me=me,
        act=act,
        deliver=deliver,
        worker=Worker(db, directories, deliver, me, retention_days=settings.retention_days, chores=chores),
        intake=_intake(settings, db, directories, pulse, held=now is not clock.now),
        rejects=rejects,
        inbound=inbound,
        services=services,
        slack=slack,
        telegram=telegram,
        showing=pages_shown,
        edge=edge,
        outgoing=outgoing,
        lanes=lanes,
    )


def _edge(
    settings: Settings,
    db: Db,
    directories: Directories,
    pulse: Pulse,
    act: Act,
    made: tuple[configure.Configure, vault.Vault, Callable[[], datetime]],
) -> Edge:
    """Return what the API works with; the pages use the same."""
    changes, keys, now = made
    herald = Herald(keys.link_key, settings.base_url)
    return Edge(
        db=db,
        act=act,
        configure=changes,
        publishing=Publishing(db, act, pulse.committed, directories, herald),
        incidents=Incidents(db, act, pulse.committed, pulse.incidents),
        runs=Runs(db, directories, settings.base_url, pulse.happened),
        clock=now,
        base_url=settings.base_url,
        directory=lambda: directories.current(db),
    )


def _intake(settings: Settings, db: Db, directories: Directories, pulse: Pulse, *, held: bool) -> Shared:
    """Return what takes requests. Where somebody holds the time, one process puts in order what happens in it."""
    begin = Begin(
        dsn=db.dsn,
        lanes=settings.writers,
        hold_down=settings.hold_down,
        queue_limit=settings.queue_limit,
        providers=settings.providers,
        log_level=settings.log_level,
        log_format=settings.log_format,
    )
    intake = intakes.shared(
        begin, db, directories, pulse, 1 if held else intakes.processes(settings.processes)
    )
    readings.measured(intake, directories)
    return intake


def _telegram(
    settings: Settings,
    keys: vault.Vault,
    me: Node,
    polling: Polling,
    chatting: Chatting,
    providers: Providers,
) -> TelegramLine:
    """Return what hears Telegram, by a client that is more patient than a question is long."""
    hook = Hook(
        url=f"{settings.base_url}/callbacks/telegram", secret=webhook_secret(keys.link_key), clock=me.clock
    )
    patient = Http(Guard(_EVERYWHERE), total=_LONG_QUESTION)
    return TelegramLine(providers, polling, chatting, patient, hook)


def _watched(settings: Settings, db: Db, directories: Directories, act: Act, me: Node) -> tuple[Chore, ...]:
    """Return what watches: the ledger, and the auditor with the engine's way to page whom he tells."""
    alarms = Alarms(db, directories, act, me)
    auditor = Auditor(db.dsn, me.clock, alarms.alarm, alarms.calm)
    kept = watching.Kept(settings.ledger_days, settings.data / "ledger")
    return watching.chores(db, me.clock, auditor.round, kept)


def _application(engine: Engine) -> ASGIApp:
    """Return the whole program as one ASGI application. Senders go before any framework: a storm comes by there."""
    settings, db = engine.settings, engine.db
    hooks = Hooks(
        db=db,
        directories=engine.directories,
        intake=engine.intake,
        rejects=engine.rejects,
        clock=engine.clock,
        kinds=SOURCES,
        max_body=settings.max_body,
    )
    health = Health(db=db, seen=engine.worker.seen)
    beats = Beats(db=db, heartbeats=Heartbeats(db, engine.directories, engine.me), clock=engine.clock)
    status = StatusSite(engine.showing, settings.base_url, engine.clock)
    site = Site(
        db=db,
        clock=engine.clock,
        hub=engine.hub,
        act=engine.act,
        configure=engine.edge.configure,
        directory=lambda: engine.directories.current(db),
        channels=engine.kinds,
        base_url=settings.base_url,
        link_key=engine.vault.link_key,
        inbound=engine.inbound,
        showing=engine.showing,
        publishing=engine.edge.publishing,
        incidents=engine.edge.incidents,
        runs=engine.edge.runs,
        promises=tuple(PROMISES.items()),
        assets=assets.load(),
    )
    if isinstance(engine.clock, clock.Standing):
        return marked(
            dispatching(
                (_testing_clock(engine), hooks, health, beats, status), _framework(site, engine.edge)
            ),
            engine.clock,
        )
    return dispatching((hooks, health, beats, status), _framework(site, engine.edge))


def _testing_clock(engine: Engine) -> TestingClock:
    """Return what moves the time of a program whose clock stands still."""
    standing = engine.clock
    if not isinstance(standing, clock.Standing):
        raise TypeError("only a clock that stands still is moved")

    async def house() -> None:
        await keep_house(engine.db, standing(), retention_days=engine.settings.retention_days)

    def ring() -> None:
        engine.worker.ring()
        engine.lanes.ring()

    passage = Passage(engine.db, standing, ring, house)
    return TestingClock(clock=standing, advance=passage.advance)


def _framework(site: Site, edge: Edge) -> ASGIApp:
    """Return what Litestar serves: the pages and the API. Its own documentation pages load from elsewhere, so: none."""
    page = pages.not_found(site)

    def not_found(request: Request[Any, Any, Any], error: Exception) -> Response[Any]:
        # Litestar looks for no wildcard behind a part of a path that it knows, so this is also asked about the API.
        return api.nowhere(request) if api.serves(request.scope["path"]) else page(request, error)

    with all_to_stay():
        application = Litestar(
            route_handlers=[*pages.build(site), *api.build(edge)],
            exception_handlers={HTTP_404_NOT_FOUND: not_found},
            openapi_config=None,
            logging_config=None,
        )
    return api.aliased(application)


async def serve(
    settings: Settings,
    stop: asyncio.Event,
    *,
    progress: migrate.Progress = lambda _done, _total, _what: None,
    ready: Callable[[Running], Any] = lambda _running: None,
) -> None:
    """Run a node until told to stop."""
    raise_limits()
    now = _clock(settings)
    async with database(settings, progress, now=now) as db, node(settings, db, now=now) as running:
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
        server = Server(config)
        serving = asyncio.create_task(server.serve(), name="http")
        while not server.started and not serving.done():
            await asyncio.sleep(0.005)
        settle_memory()
        if not serving.done():
            called = ready(running)
            if asyncio.iscoroutine(called):
                await called
        waiting = asyncio.create_task(stop.wait())
        await asyncio.wait([waiting, serving], return_when=asyncio.FIRST_COMPLETED)
        waiting.cancel()
        running.engine.hub.close()
        server.should_exit = True
        await serving


def _clock(settings: Settings) -> Callable[[], datetime]:
    """Return the clock to go by; a test's is warned of, because nobody is paged in time by it."""
    if settings.test_clock is None:
        return clock.now
    _log.warning("clock.test", now=settings.test_clock.isoformat(), hint="time stands still: only for tests")
    return clock.Standing(settings.test_clock)


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
