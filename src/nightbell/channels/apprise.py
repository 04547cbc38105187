"""Sends by Apprise, for every service that has no channel of its own here.

Apprise makes its own connections, so it works in a few threads of its own, in a cage (net/cage.py). It says only yes or
no; the numbers in its log tell a refusal from a doubt.
"""

import asyncio
import logging
import re
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from importlib import import_module
from typing import Any

from msgspec import Struct

from nightbell.channels.text import facts, lines, links, one_line, subject
from nightbell.core.delivery import Message, Outcome, Purpose, Refused, Retry, Sent, Unsure
from nightbell.core.errors import Invalid
from nightbell.net.cage import caged
from nightbell.net.guard import Guard

#: The library waits 4 s for a connection and 4 s for an answer; a plugin makes one or two requests.
PATIENCE = timedelta(seconds=15)
#: Messages under way at once; a thread that hangs cannot be stopped, so there are few.
_THREADS = 4
_LONGEST_BODY = 4_000
# These reach into this machine, speak no HTTP, start threads of their own, or read files they are told of.
_UNGUARDED = frozenset(
    "dbus gio glib gnome kde qt macosx windows syslog rsyslog blink1 growl aprs smpp smpps mqtt mqtts amqp amqps "
    "xmpp xmpps irc ircs nostr deltachat deltachats vapid fcm".split()
)
_OWN = {
    "mailto": "email", "mailtos": "email", "tgram": "telegram", "discord": "discord", "mmost": "mattermost",
    "mmosts": "mattermost", "workflow": "teams", "workflows": "teams", "ntfy": "ntfy", "ntfys": "ntfy", "slack": "slack",
    "json": "webhook", "jsons": "webhook", "twilio": "sms",
}  # fmt: skip
#: Parameters that name files or other addresses to read.
_FILES = re.compile(r"[?&](template|keyfile|subfile|attach|include|config)=", re.IGNORECASE)
_SCHEME = re.compile(r"([a-z0-9]{1,30})://\S*", re.ASCII)
_STATUS = re.compile(r"error=(\d{3})")
_LATER = frozenset({408, 425, 429, *range(500, 600)})
_HINT = "see the list of services at github.com/caronc/apprise/wiki"


class _Told(Struct, frozen=True, kw_only=True):
    """What a thread brought back."""

    sent: bool
    said: tuple[str, ...]
    refused: tuple[str, ...]


class Apprise:
    """Delivers to an Apprise URL, such as pover://user@token."""

    kind = "apprise"

    def __init__(self, guard: Guard, *, patience: timedelta = PATIENCE) -> None:
        self._guard = guard
        self._patience = patience.total_seconds()
        self._pool: ThreadPoolExecutor | None = None

    def check(self, address: str, settings: dict[str, str]) -> None:
        """Raise Invalid for a URL that Apprise does not know, or that could not be kept in its cage."""
        known = _SCHEME.fullmatch(address)
        if not known:
            raise Invalid("not an Apprise URL", place="address", hint=f"like pover://user@token; {_HINT}")
        scheme = known[1]
        if scheme in _OWN:
            raise Invalid(f"use the channel {_OWN[scheme]}, which knows more", place="address")
        if scheme in _UNGUARDED:
            raise Invalid(f"{scheme}:// cannot be guarded, so it is not used", place="address", hint=_HINT)
        if _FILES.search(address):
            raise Invalid("a URL may not name files or templates", place="address")
        library = _library()
        with caged(self._guard):
            plugin = _plugin(library, address)
        if plugin is None:
            raise Invalid(f"Apprise cannot use this {scheme}:// URL", place="address", hint=_HINT)
        if objection := self._guard.objection(f"http://{_host(plugin)}/"):
            raise Invalid(objection, place="address")

    async def send(self, message: Message) -> Outcome:
        """Let Apprise send, and report what it said or logged."""
        started = threading.Event()
        self._pool = self._pool or ThreadPoolExecutor(max_workers=_THREADS, thread_name_prefix="apprise")
        work = asyncio.get_running_loop().run_in_executor(self._pool, self._tried, message, started)
        try:
            async with asyncio.timeout(self._patience):
                return _meaning(await asyncio.shield(work))
        except Invalid as error:
            return Refused(why=error.message)
        except TimeoutError:
            if not started.is_set() and work.cancel():
                return Retry(why="every thread of Apprise is busy")
            return Unsure(why=f"no end within {self._patience:g} s; it may have been sent")

    def _tried(self, message: Message, started: threading.Event) -> _Told:
        started.set()
        self.check(message.address, message.settings)
        library = _library()
        logger, heard = logging.getLogger("apprise"), _Heard()
        logger.addHandler(heard)
        try:
            with caged(self._guard) as refused:
                sent = bool(_plugin(library, message.address).notify(**render(message)))
        finally:
            logger.removeHandler(heard)
        return _Told(sent=sent, said=tuple(heard.said), refused=tuple(refused))


def render(message: Message) -> dict[str, Any]:
    """Return what Apprise is asked to say; it cuts at the service's own length, so the links come first."""
    about = "\n".join(f"{name}: {value}" for name, value in facts(message))
    offered = "\n".join(f"{label}: {url}" for label, url in links(message))
    body = lines(message.body, most=_LONGEST_BODY)
    kind = "success" if message.status == "resolved" else "info"
    return {
        "title": subject(message),
        "body": "\n\n".join(part for part in (offered, about, body) if part) or subject(message),
        "notify_type": "failure" if message.purpose is Purpose.PAGE and kind == "info" else kind,
        "body_format": "text",
    }


def _library() -> Any:
    """Return the library with its plugins, read at the first use: half a second and 45 MB that others do not pay."""
    library: Any = import_module("apprise")
    library.plugins.N_MGR.load_modules()
    # What it warns of is the reason in our own journal.
    logging.getLogger("apprise").propagate = False
    return library


def _plugin(library: Any, address: str) -> Any:
    """Return what sends to an address, or None; every way of the library to read or write files is shut."""
    asset = library.AppriseAsset(
        app_id="Nightbell",
        app_desc="Nightbell",
        app_url="",
        async_mode=False,
        allow_templates=False,
        http_redirects=False,
        pem_autogen=False,
        pgp_autogen=False,
        service_timeout=0,
    )
    return library.Apprise.instantiate(address, asset=asset)


def _host(plugin: Any) -> str:
    host = str(getattr(plugin, "host", "") or "").strip("[]")
    return f"[{host}]" if ":" in host else host or "service.invalid"


def _meaning(told: _Told) -> Outcome:
    if told.sent:
        return Sent(detail="Apprise says it was accepted")
    if told.refused:
        return Refused(why=told.refused[-1])
    why = one_line("; ".join(told.said[-2:]), most=300) or "Apprise says no and gives no reason"
    status = int(found[1]) if (found := _STATUS.search(why)) else 0
    if status in _LATER:
        return Retry(why=why)
    return Refused(why=why) if 300 <= status < 500 else Unsure(why=f"{why}; it may have been sent")


class _Heard(logging.Handler):
    """Keeps the warnings of one thread."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.said: list[str] = []
        self._thread = threading.get_ident()

    def emit(self, record: logging.LogRecord) -> None:
        """Keep a line."""
        if record.thread == self._thread:
            self.said.append(record.getMessage())
