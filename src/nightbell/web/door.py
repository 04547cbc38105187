"""The door of every page: who comes, whether this role may, whether a form is ours, and the headers that go out.

Rule 1: a route says its permission in `opt`; one that says nothing is shut.
"""

import hashlib
import hmac
import secrets
from typing import Any
from urllib.parse import urlsplit

from litestar import Response
from litestar.connection import ASGIConnection
from litestar.handlers.base import BaseRouteHandler

from nightbell.core.access import Permission, may
from nightbell.core.errors import Forbidden, Unauthenticated
from nightbell.engine import identity
from nightbell.engine.identity import Visitor
from nightbell.web.site import COOKIE, SECURE_COOKIE, Site, WebRequest

CSRF_FIELD = "csrf"
_SAFE = frozenset({"GET", "HEAD"})
_SALT = 16

CSP = (
    "default-src 'none'; script-src 'self'; style-src 'self'{style}; img-src 'self' data:; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'; manifest-src 'self'"
)
HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    # Links to runbooks must not carry a signed link of ours along.
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=(), payment=()",
    "X-Robots-Tag": "noindex, nofollow",
}


async def enter(connection: ASGIConnection[Any, Any, Any, Any], handler: BaseRouteHandler) -> None:
    """Let a request in, or raise. Leaves the visitor, or None, in the scope.

    Shape: `opt` holds the permission; `signed` marks routes whose URL is itself the proof, for apps without a page.
    Raises: Unauthenticated, Forbidden.
    """
    permission = handler.opt.get("permission")
    if not isinstance(permission, Permission):
        raise Forbidden("This route has no permission, so nobody may use it.")
    site: Site = handler.opt["site"]
    visitor = await _visitor(connection, site)
    connection.scope["user"] = visitor
    connection.scope["auth"] = None
    if visitor is None and permission is not Permission.PUBLIC:
        raise Unauthenticated("Log in first.")
    if not may(visitor.role if visitor else None, permission):
        raise Forbidden(f"Your role does not allow this; it needs the permission “{permission.value}”.")
    if (
        isinstance(connection, WebRequest)
        and connection.method not in _SAFE
        and not handler.opt.get("signed")
    ):
        await _check_form(connection, visitor)


async def _visitor(connection: ASGIConnection[Any, Any, Any, Any], site: Site) -> Visitor | None:
    token = connection.cookies.get(SECURE_COOKIE if site.secure else COOKIE, "")
    return await identity.visitor_by_session(site.db, token, site.clock()) if token else None


async def _check_form(request: WebRequest, visitor: Visitor | None) -> None:
    """Refuse what another site made the browser send.

    Raises: Forbidden.
    """
    if not same_origin(request):
        raise Forbidden("This form came from another site.", hint="Open the page here and try again.")
    if visitor is None:
        return  # Log-in and signed links carry their own secret, and there is no session to ride on.
    given = (await request.form()).get(CSRF_FIELD)
    if not isinstance(given, str) or not unmasked(visitor.csrf, given):
        raise Forbidden("This form is stale.", hint="Reload the page and try again.")


def same_origin(request: WebRequest) -> bool:
    """Return whether the browser says that the request comes from one of our pages, or says nothing."""
    fetch_site = request.headers.get("sec-fetch-site")
    if fetch_site:
        return fetch_site in ("same-origin", "none")
    origin = request.headers.get("origin")
    return not origin or urlsplit(origin).netloc == request.headers.get("host", "")


def masked(secret: str) -> str:
    """Return a token for a form: another one each time, so that compression betrays nothing (BREACH)."""
    salt = secrets.token_hex(_SALT)
    return salt + _mac(secret, salt)


def unmasked(secret: str, token: str) -> bool:
    """Return whether a form's token was made from this secret."""
    salt = token[: 2 * _SALT]
    return hmac.compare_digest(_mac(secret, salt).encode(), token[2 * _SALT :].encode("utf-8", "replace"))


def _mac(secret: str, salt: str) -> str:
    return hmac.new(secret.encode(), salt.encode("utf-8", "replace"), hashlib.sha256).hexdigest()


def add_headers(response: Response[Any]) -> Response[Any]:
    """Put the security headers on what goes out; a page that set a policy of its own keeps it."""
    for name, value in HEADERS.items():
        response.headers.setdefault(name, value)
    response.headers.setdefault("Content-Security-Policy", CSP.format(style=""))
    response.headers.setdefault("Cache-Control", "no-store")
    return response
