"""Builds the pages: every handler behind the same door, with the same headers and the same words for errors.

`app.py` calls `build(site)` and adds what it returns to its own routes; `not_found` is for paths nobody has.
"""

import traceback
from collections.abc import Callable
from typing import Any

import structlog
from litestar import Request, Response, Router
from litestar.exceptions import HTTPException

from nightbell.core.errors import (
    BadPayload,
    Forbidden,
    Invalid,
    NightbellError,
    Overloaded,
    Stale,
    Unauthenticated,
    Unknown,
)
from nightbell.web import calendars, chat_hooks, slack_hooks, twilio_hooks
from nightbell.web.door import enter
from nightbell.web.pages import (
    absences,
    action_items,
    alert,
    alerts,
    deliveries,
    devices,
    feeds,
    follow,
    groupings,
    heartbeats,
    incident,
    incident_alerts,
    incident_catalogs,
    incident_forms,
    incident_people,
    incident_plans,
    incident_publishing,
    incident_rooms,
    incident_statistics,
    incidents,
    integrations,
    link,
    live,
    login,
    maintenances,
    me,
    now,
    overrides,
    paths,
    people,
    policies,
    proof,
    providers,
    retrospectives,
    rotations,
    routing,
    runs,
    schedules,
    services,
    settings,
    shadows,
    shared,
    status_pages,
    subscriptions,
    swaps,
    teams,
    throttles,
    urgencies,
    webhooks,
    wishes,
    workflow_tasks,
    workflows,
)
from nightbell.web.render import go, html, safe_path
from nightbell.web.site import Site, WebRequest

#: A form of ours is small; a policy of 20 levels with 25 targets each is 40 KB.
_LARGEST_FORM = 1024 * 1024
PAGES = (
    absences, action_items, alert, alerts, deliveries, devices, feeds, follow, groupings, heartbeats, incident, incident_alerts,
    incident_catalogs, incident_forms, incident_people, incident_plans, incident_publishing, incident_rooms, incident_statistics, incidents, integrations, link, live, login,
    maintenances, me, now, overrides, paths, people, policies, providers, proof, retrospectives, rotations, routing, runs, schedules, services, settings, shadows,
    shared, status_pages, subscriptions, swaps, teams, throttles, urgencies, webhooks, wishes, workflow_tasks, workflows,
)  # fmt: skip
STATUS: dict[type[NightbellError], int] = {
    BadPayload: 400,
    Invalid: 422,
    Unknown: 404,
    Stale: 409,
    Forbidden: 403,
    Unauthenticated: 401,
    Overloaded: 503,
}
TITLES = {
    400: "That cannot be read",
    401: "Log in first",
    403: "Not allowed",
    404: "Not found",
    405: "Not this way",
    409: "Too late",
    413: "Too large",
    422: "That does not fit",
    500: "That is our fault",
    503: "Too busy",
}
_log = structlog.get_logger(__name__)


def build(site: Site) -> list[Router]:
    """Return the pages, ready for a Litestar application."""
    handlers = [
        handler
        for module in (*PAGES, calendars, twilio_hooks, slack_hooks, chat_hooks)
        for handler in module.ROUTES
    ]
    router = Router(
        path="/",
        route_handlers=handlers,
        guards=[enter],
        opt={"site": site},
        request_class=WebRequest,
        request_max_body_size=_LARGEST_FORM,
        exception_handlers={
            NightbellError: _explained(site, _of_ours),
            HTTPException: _explained(site, _of_http),
            Exception: _explained(site, _of_a_defect),
        },
        include_in_schema=False,
    )
    return [router]


def not_found(site: Site) -> Callable[[Request[Any, Any, Any], Exception], Response[Any]]:
    """Return what answers a path that nobody has, for whoever browses."""
    return _explained(site, _of_http)


Told = Callable[[Exception], tuple[int, str, str]]


def _of_ours(error: Exception) -> tuple[int, str, str]:
    if not isinstance(error, NightbellError):
        raise TypeError("only our own errors come here")
    code = next((code for kind, code in STATUS.items() if isinstance(error, kind)), 400)
    return code, error.message, error.hint


def _of_http(error: Exception) -> tuple[int, str, str]:
    if not isinstance(error, HTTPException):
        raise TypeError("only errors of HTTP come here")
    return error.status_code, "There is nothing here." if error.status_code == 404 else error.detail, ""


def _of_a_defect(error: Exception) -> tuple[int, str, str]:
    # Places only: the values around a fault may be somebody's session.
    trace = [
        f"{f.filename.rpartition('nightbell/')[2]}:{f.lineno}"
        for f in traceback.extract_tb(error.__traceback__)
    ]
    _log.error("page.failed", why=f"{type(error).__name__}: {error}", trace=trace[-6:])
    return (
        500,
        "Something here is broken, and the log says what.",
        "Paging goes on; it does not depend on pages.",
    )


def _explained(site: Site, told: Told) -> Callable[[Request[Any, Any, Any], Exception], Response[Any]]:
    def handle(request: Request[Any, Any, Any], error: Exception) -> Response[Any]:
        code, message, hint = told(error)
        asked = _Failed(request.scope, request.receive, request.send, site)
        path = request.url.path
        if code == 401 and request.method == "GET":
            query = f"?{request.url.query}" if request.url.query else ""
            return go(asked, login.login_path(path + query))
        if request.method == "POST" and code in (409, 422) and asked.maybe_visitor:
            return go(asked, _back(request), f"{message} {hint}".strip(), bad=True)
        return _page(asked, code, message, hint)

    return handle


class _Failed(WebRequest):
    """A request that met an error, perhaps before a handler was found."""

    def __init__(self, scope: Any, receive: Any, send: Any, site: Site) -> None:
        super().__init__(scope, receive, send)
        self._site = site

    @property
    def site(self) -> Site:
        """Return what the pages work with."""
        return self._site


def _back(request: Request[Any, Any, Any]) -> str:
    """Return the page a form stood on, by the browser's word for it, if that is ours."""
    referer = request.headers.get("referer", "")
    host = request.headers.get("host", "")
    for scheme in ("http://", "https://"):
        if host and referer.startswith(f"{scheme}{host}/"):
            return safe_path(referer.removeprefix(f"{scheme}{host}"))
    return "/"


def _page(request: WebRequest, code: int, message: str, hint: str) -> Response[bytes]:
    known = request.maybe_visitor is not None
    return html(
        request,
        "error.html",
        code=code,
        title=TITLES.get(code, "That did not work"),
        message=message,
        hint=hint,
        back="/" if known else "/login",
        back_says="To the start" if known else "Log in",
    )
