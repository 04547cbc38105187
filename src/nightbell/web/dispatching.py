"""Puts several applications under one roof: the first that serves a path gets it, and no framework before senders."""

from datetime import datetime
from typing import Protocol

from litestar.enums import ScopeType
from litestar.types import ASGIApp, HTTPScope, Message, Receive, Scope, Send

from nightbell.web.testing_clock import HEADER


class Serves(Protocol):
    """An application that knows its own paths."""

    def serves(self, path: str, /) -> bool:
        """Return whether a path is its own."""
        ...

    async def __call__(self, scope: HTTPScope, receive: Receive, send: Send, /) -> None:
        """Answer a request."""
        ...


class Now(Protocol):
    """A clock."""

    def __call__(self) -> datetime:
        """Return what it shows."""
        ...


def dispatching(first: tuple[Serves, ...], rest: ASGIApp) -> ASGIApp:
    """Return one application of several; `rest` gets what nobody else serves."""

    async def application(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == ScopeType.HTTP:
            for routes in first:
                if routes.serves(scope["path"]):
                    await routes(scope, receive, send)
                    return
        await rest(scope, receive, send)

    return application


def marked(application: ASGIApp, standing: Now) -> ASGIApp:
    """Return an application that says with every answer that its time is not real."""

    async def marking(scope: Scope, receive: Receive, send: Send) -> None:
        async def mark(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], (HEADER, standing().isoformat().encode())]
            await send(message)

        await application(scope, receive, mark)

    return marking
