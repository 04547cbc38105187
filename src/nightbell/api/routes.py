"""This file turns the declared resources into routes under /v1 and /api/v1, and what goes wrong into answers."""

from collections.abc import Awaitable, Callable, Iterator, Sequence
from functools import partial
from typing import Any, cast

import structlog
from litestar import Request, Response, Router
from litestar.enums import ScopeType
from litestar.exceptions import HTTPException
from litestar.handlers import HTTPRouteHandler
from litestar.types import ASGIApp, ControllerRouterHandler, HTTPScope, Method, Receive, Scope, Send

from nightbell.api import jsonapi, openapi
from nightbell.api import resource as does
from nightbell.api.auth import identified, require
from nightbell.api.query import parse
from nightbell.api.resource import Action, Call, Edge, Resource
from nightbell.api.resources import RESOURCES
from nightbell.api.sent import attributes
from nightbell.core.access import Permission
from nightbell.core.errors import Invalid, NightbellError, Overloaded
from nightbell.store.db import retryable

#: Where the API is: Rootly's path.
PREFIX = "/v1"
#: What its terminal client makes of a plain host.
ALIAS = "/api/v1"
SWAGGER = "/swagger/v1/swagger.json"
#: Larger than any configuration; alerts of senders come in elsewhere. Units: bytes.
LARGEST_BODY = 4 * 1024 * 1024

_log: structlog.stdlib.BoundLogger = structlog.get_logger("nightbell.api")

Run = Callable[[Call], Awaitable[tuple[Any, int]]]
AnyRequest = Request[Any, Any, Any]
_ANY: Sequence[Method] = ("GET", "POST", "PUT", "PATCH", "DELETE")


def build(edge: Edge, resources: Sequence[Resource] = RESOURCES) -> list[ControllerRouterHandler]:
    """Return the routes of the API."""
    handlers = [handler for resource in resources for handler in _routes(edge, resource)]
    handlers += [
        *_refusals(handlers),
        *(_handler(path, _ANY, Permission.PUBLIC, _nowhere) for path in ("/", "/{rest:path}")),
    ]
    described = openapi.describe(resources, edge.base_url)
    swagger = _handler(SWAGGER, ("GET",), Permission.PUBLIC, partial(_swagger, described))
    return [_router(PREFIX, handlers), _router("/", [swagger])]


def aliased(application: ASGIApp) -> ASGIApp:
    """Return an application that finds the API at its other address too: a thousand routes less than both."""

    async def application_of_both(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == ScopeType.HTTP and scope["path"].startswith(f"{ALIAS}/"):
            path = scope["path"].removeprefix(ALIAS)
            raw = scope["raw_path"].removeprefix(ALIAS.encode())
            scope = cast("HTTPScope", {**scope, "path": PREFIX + path, "raw_path": PREFIX.encode() + raw})
        await application(scope, receive, send)

    return application_of_both


def _router(prefix: str, handlers: Sequence[ControllerRouterHandler]) -> Router:
    return Router(
        path=prefix,
        route_handlers=handlers,
        exception_handlers={NightbellError: _refused, HTTPException: _http, Exception: _fault},
        request_max_body_size=LARGEST_BODY,
        include_in_schema=False,
    )


def _routes(edge: Edge, resource: Resource) -> Iterator[HTTPRouteHandler]:
    for path in resource.collections:
        if resource.find:
            yield _bound(edge, resource, path, ("GET",), resource.read, partial(does.listing, resource))
        if resource.create:
            yield _bound(edge, resource, path, ("POST",), resource.write, partial(does.creating, resource))
    if resource.item:
        yield _bound(edge, resource, resource.item, ("GET",), resource.read, partial(does.showing, resource))
    if resource.change:
        run = partial(does.changing, resource)
        yield _bound(edge, resource, resource.item, ("PUT", "PATCH"), resource.write, run)
    if resource.delete:
        run = partial(does.deleting, resource)
        yield _bound(edge, resource, resource.item, ("DELETE",), resource.write, run)
    for action in resource.actions:
        yield _acting(edge, resource, action)


def _refusals(handlers: Sequence[HTTPRouteHandler]) -> Iterator[HTTPRouteHandler]:
    """Answer the methods a path does not have ourselves: Litestar's own 405 is not JSON:API."""
    allowed: dict[str, set[Method]] = {}
    for handler in handlers:
        for path in handler.paths:
            allowed.setdefault(path, set()).update(handler.http_methods)
    for path, methods in allowed.items():
        if others := [method for method in _ANY if method not in methods]:
            yield _handler(path, others, Permission.PUBLIC, partial(_not_allowed, ", ".join(sorted(methods))))


def _acting(edge: Edge, resource: Resource, action: Action) -> HTTPRouteHandler:
    # What the action itself accepts is called so already.
    names = {ours: wire for ours, wire in resource.names.items() if ours not in action.accepts}

    async def run(request: AnyRequest) -> Response[bytes]:
        call = await _call(edge, resource, request)
        require(call.visitor, action.permission)
        try:
            body, status = await action.run(call)
        except Invalid as error:
            raise jsonapi.renamed(error, names) from error
        return jsonapi.answer(body, status, media_type=action.media_type)

    # What clients patch they also put, and what Rootly puts some of them post.
    methods: dict[str, tuple[Method, ...]] = {
        "GET": ("GET",),
        "PATCH": ("PATCH", "PUT"),
        "PUT": ("PUT", "PATCH", "POST"),
        "DELETE": ("DELETE",),
    }
    return _handler(action.path, methods.get(action.method, ("POST",)), action.permission, run)


def _bound(
    edge: Edge, resource: Resource, path: str, methods: Sequence[Method], permission: Permission, run: Run
) -> HTTPRouteHandler:
    async def answered(request: AnyRequest) -> Response[bytes]:
        body, status = await run(await _call(edge, resource, request))
        return jsonapi.answer(body, status)

    return _handler(path, methods, permission, answered)


def _handler(
    path: str,
    methods: Sequence[Method],
    permission: Permission,
    run: Callable[[AnyRequest], Awaitable[Response[bytes]]],
) -> HTTPRouteHandler:
    async def handle(request: AnyRequest) -> Response[bytes]:
        return await run(request)

    # Callers prove themselves by a header that no browser adds by itself, so forms of other sites cannot ride along.
    opt = {"permission": permission, "exclude_from_csrf": True}
    typed = path.replace("{id}", "{id:str}").replace("{request_id}", "{request_id:str}")
    return HTTPRouteHandler(typed, http_method=list(methods), opt=opt, status_code=200)(handle)


async def _call(edge: Edge, resource: Resource, request: AnyRequest) -> Call:
    now = edge.clock()
    visitor = await identified(edge.db, request.headers.get("authorization", ""), now)
    body = await request.body() if request.method != "GET" else b""
    return Call(
        edge=edge,
        visitor=visitor,
        now=now,
        url=edge.base_url + request.scope["path"],
        path={name: str(value).replace("\0", "") for name, value in request.path_params.items()},
        query=parse(request.scope["query_string"], largest=resource.largest_page, usual=resource.usual_page),
        attributes=attributes(body),
    )


def serves(path: str) -> bool:
    """Return whether a path belongs to the API, though nothing may be there."""
    return f"{path}/".startswith((f"{PREFIX}/", f"{ALIAS}/"))


def nowhere(request: AnyRequest) -> Response[bytes]:
    """Answer for a path of the API at which there is nothing."""
    return jsonapi.failed("Not found", 404, f"There is nothing at {request.scope['path'][:200]}.")


async def _nowhere(request: AnyRequest) -> Response[bytes]:
    return nowhere(request)


async def _not_allowed(allowed: str, request: AnyRequest) -> Response[bytes]:
    response = jsonapi.failed("Method not allowed", 405, f"Here one can: {allowed}.")
    response.headers["Allow"] = allowed
    return response


async def _swagger(described: dict[str, Any], request: AnyRequest) -> Response[bytes]:
    return jsonapi.answer(described, media_type="application/json")


# ---------------------------------------------------------------- what goes wrong


def _refused(_request: AnyRequest, error: NightbellError) -> Response[bytes]:
    return jsonapi.refused(error)


def _http(_request: AnyRequest, error: HTTPException) -> Response[bytes]:
    response = jsonapi.failed(str(error.detail), error.status_code)
    for name, value in (error.headers or {}).items():
        response.headers[name] = value
    return response


def _fault(request: AnyRequest, error: Exception) -> Response[bytes]:
    if retryable(error) is not None:
        _log.warning("api.database_away", path=request.scope["path"], why=str(error))
        return jsonapi.refused(Overloaded("The database does not answer.", hint="Try again in a moment."))
    _log.error("api.failed", path=request.scope["path"], exc_info=error)
    return jsonapi.failed("Internal error", 500, "The fault is ours; it is in the log.")
