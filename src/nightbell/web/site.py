"""What every page is given: the database, the engine, the clock, and the few facts about this installation."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from litestar import Request, get, post
from litestar.datastructures import State
from litestar.handlers import HTTPRouteHandler

from nightbell.core.access import Permission
from nightbell.core.delivery import Channel
from nightbell.core.directory import Directory
from nightbell.core.errors import Unauthenticated
from nightbell.engine.act import Act
from nightbell.engine.configure import Configure
from nightbell.engine.identity import Browser, Visitor
from nightbell.engine.incident_publishing import Publishing
from nightbell.engine.incidents import Incidents
from nightbell.engine.showing import Showing
from nightbell.engine.workflow_runs import Runs
from nightbell.store.db import Db
from nightbell.web.assets import Assets, load
from nightbell.web.duty import Roster
from nightbell.web.forms import Form
from nightbell.web.inbound import Inbound
from nightbell.web.sse import Hub
from nightbell.web.throttle import Throttle

COOKIE = "nightbell"
#: The prefix makes browsers refuse it from anything but this very host over https.
SECURE_COOKIE = "__Host-nightbell"


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """What the pages work with."""

    db: Db
    clock: Callable[[], datetime]
    hub: Hub
    act: Act
    configure: Configure
    #: Returns the configuration as it is now.
    directory: Callable[[], Awaitable[Directory]]
    #: Every kind of contact method there is.
    channels: Mapping[str, Channel]
    #: How people and senders reach us, without a slash at the end.
    base_url: str
    #: Signs the links of messages.
    link_key: bytes
    #: What services outside call: web/inbound.py.
    inbound: Inbound
    #: What status pages show, and who publishes it.
    showing: Showing
    publishing: Publishing
    #: Who changes incidents, and who begins and ends runs of workflows.
    incidents: Incidents
    runs: Runs
    #: Name and words of what the auditor watches.
    promises: tuple[tuple[str, str], ...] = ()
    assets: Assets = field(default_factory=load)
    throttle: Throttle = field(default_factory=Throttle)
    roster: Roster = field(default_factory=Roster)

    def __deepcopy__(self, _memo: object) -> "Site":
        """Stay one: Litestar copies a router with everything in its `opt` when it is registered."""
        return self

    @property
    def secure(self) -> bool:
        """Whether people come by https, so that cookies may insist on it."""
        return self.base_url.startswith("https://")


class WebRequest(Request[Visitor | None, None, State]):
    """A request for a page, past the door."""

    @property
    def site(self) -> Site:
        """Return what the pages work with."""
        site: Site = self.route_handler.opt["site"]
        return site

    @property
    def visitor(self) -> Visitor:
        """Return who asks.

        Raises: Unauthenticated on a public page that nobody we know has opened.
        """
        if self.maybe_visitor is None:
            raise Unauthenticated("Log in first.")
        return self.maybe_visitor

    @property
    def maybe_visitor(self) -> Visitor | None:
        """Return who asks, or None."""
        found: Visitor | None = self.scope.get("user")
        return found

    @property
    def now(self) -> datetime:
        """Return the present instant."""
        return self.site.clock()

    @property
    def browser(self) -> Browser:
        """Return where the request comes from."""
        remote = self.client.host if self.client else ""
        return Browser(user_agent=self.headers.get("user-agent", ""), remote_ip=remote)

    async def fields(self) -> Form:
        """Return what a form sent."""
        return Form((await self.form()).multi_items())


def page(path: str | list[str], permission: Permission) -> Callable[[Any], HTTPRouteHandler]:
    """Return the decorator of a page that changes nothing."""
    return get(path, opt={"permission": permission}, include_in_schema=False)


def action(
    path: str | list[str], permission: Permission, *, signed: bool = False
) -> Callable[[Any], HTTPRouteHandler]:
    """Return the decorator of a form's target: it changes something, then sends the browser on."""
    opt = {"permission": permission, "signed": signed}
    return post(path, opt=opt, include_in_schema=False, status_code=200)
