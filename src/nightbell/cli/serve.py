"""`nightbell serve`: runs a node until SIGINT or SIGTERM, and tells whoever started it where to look next."""

import asyncio
import signal
import socket
from collections.abc import Callable
from contextlib import suppress

from rich.markup import escape

from nightbell import app
from nightbell.app import Running
from nightbell.cli import opening, screen
from nightbell.cli.options import Serving
from nightbell.cli.options import settings as settings_of
from nightbell.core.errors import NightbellError
from nightbell.engine.identity import first_link
from nightbell.settings import Settings
from nightbell.store.datalock import Busy, holder
from nightbell.telemetry import log
from nightbell.web import testing_clock

_EVERYWHERE = ("0.0.0.0", "::")


class CannotListen(NightbellError):
    """The address cannot be listened on."""

    code = "cannot_listen"


def serve(where: Serving | None = None) -> None:
    """Run Nightbell until told to stop.

    The first start makes the data directory and its PostgreSQL, and prints a link that creates the first
    administrator. Ctrl-C stops all of it.
    """
    settings = settings_of(where)
    log.configure(level=settings.log_level, style=settings.log_format)
    _refuse_a_second(settings)
    _refuse_a_taken_port(settings)
    opening.run(_serve(settings))


async def _serve(settings: Settings) -> None:
    stop = asyncio.Event()
    up = asyncio.Event()

    async def ready(running: Running) -> None:
        up.set()
        await _greet(running)

    with screen.migrating() as progress:
        node = asyncio.create_task(app.serve(settings, stop, progress=progress, ready=ready), name="node")
        _on_signals(stop, lambda: None if up.is_set() else node.cancel())
        with suppress(asyncio.CancelledError):
            await node
    if not stop.is_set():
        raise CannotListen("the web server ended by itself", hint="the log above says why")


def _on_signals(stop: asyncio.Event, asked: Callable[[], object]) -> None:
    """Stop at the first signal, politely; die at the second, and PostgreSQL stops itself."""
    loop = asyncio.get_running_loop()
    signals = (signal.SIGINT, signal.SIGTERM)

    def stopped() -> None:
        for one in signals:
            loop.remove_signal_handler(one)
            signal.signal(one, signal.SIG_DFL)
        stop.set()
        asked()

    for one in signals:
        loop.add_signal_handler(one, stopped)


async def _greet(running: Running) -> None:
    settings = running.engine.settings
    link = await first_link(running.engine.db, running.engine.clock())
    if link:
        screen.note(
            "\nCreate the first administrator with this link. It works once, for a day:\n"
            f"  [bold]{escape(settings.base_url)}/setup/{link}[/]\n"
        )
    screen.note(f"Alertmanager posts to  {escape(settings.base_url)}{opening.WEBHOOK}")
    if settings.test_clock is not None:
        screen.note(
            f"[bold yellow]TEST CLOCK:[/] it is {escape(settings.test_clock.isoformat())} and stays so. Nobody is paged in "
            f"time; move it with POST {escape(settings.base_url)}{testing_clock.PATH}."
        )
    if settings.database_url is None:
        screen.note(f"Data is kept in        {escape(str(settings.data))}")
    if settings.host in _EVERYWHERE and settings.base_url == _listening(settings):
        screen.note("[yellow]Set NIGHTBELL_BASE_URL[/] to how people reach this machine: links need it.")
    if link:
        me = screen.command()
        screen.note(f"Look next at           {me} demo, then: {me} fire HighErrorRate")
    screen.answer(f"Nightbell is ready on {_listening(settings)}")


def _listening(settings: Settings) -> str:
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    return f"http://{host}:{settings.port}"


def _refuse_a_second(settings: Settings) -> None:
    """Say who serves this data already, before the port it has taken is complained about."""
    first = holder(settings.data) if settings.database_url is None else None
    if first is not None and first.purpose == "serve":
        raise Busy(settings.data, first)


def _refuse_a_taken_port(settings: Settings) -> None:
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            settings.host, settings.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        with socket.socket(family, kind, protocol) as trial:
            trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            trial.bind(address)
    except OSError as error:
        raise CannotListen(
            f"cannot listen on {settings.host} port {settings.port}: {(error.strerror or str(error)).lower()}",
            place="port",
            hint="choose another with --port or NIGHTBELL_PORT, or stop what has it",
        ) from error
