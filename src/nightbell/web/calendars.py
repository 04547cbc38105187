"""Answers calendar programs, scripts and wall screens, which cannot log in: the secret in the address is the proof.

Rule 1: these only read, and what is wrong with an address is never said.
"""

from hashlib import sha256

from litestar import Response
from litestar.params import FromPath

from nightbell.core.access import Permission, may
from nightbell.core.errors import Unknown
from nightbell.engine import publishing
from nightbell.engine.identity import visitor_by_token
from nightbell.web.door import CSP, add_headers
from nightbell.web.render import html
from nightbell.web.site import WebRequest, page
from nightbell.web.times import Times

# The charset is added on the way out.
_CALENDAR = "text/calendar"
_TEXT = "text/plain"
_SUFFIX = ".ics"


@page("/ical/{name:str}", Permission.PUBLIC)
async def ical(request: WebRequest, name: FromPath[str]) -> Response[bytes]:
    """Send the calendar of a secret address: `/ical/<token>.ics`."""
    directory = await request.site.directory()
    token = name.removesuffix(_SUFFIX)
    try:
        found = await publishing.calendar(request.site.db, directory, token, request.now)
    except Unknown as error:
        return _sent(request, f"{error.message} {error.hint}\n".encode(), _TEXT, status=404)
    response = _sent(request, found.body, _CALENDAR)
    response.headers["Content-Disposition"] = 'inline; filename="on-call.ics"'
    return response


@page("/oncall.txt", Permission.PUBLIC)
async def on_call(request: WebRequest) -> Response[bytes]:
    """Say who is on call: `/oncall.txt?token=…`, or with an API token in the header."""
    db, now = request.site.db, request.now
    token = str(request.query_params.get("token", ""))
    scheme, _, bearer = request.headers.get("authorization", "").partition(" ")
    if token:
        try:
            link = await publishing.opened(db, token, "on_call")
        except Unknown as error:
            return _sent(request, f"{error.message} {error.hint}\n".encode(), _TEXT, status=404)
        return _sent(request, (await publishing.on_call_text(db, now, link)).encode(), _TEXT)
    visitor = await visitor_by_token(db, bearer.strip(), now) if scheme.lower() == "bearer" else None
    if not may(visitor.role if visitor else None, Permission.VIEW):
        return _sent(request, b"Add ?token=... or send an API token.\n", _TEXT, status=401)
    return _sent(request, (await publishing.on_call_text(db, now)).encode(), _TEXT)


@page("/on-call/{token:str}", Permission.PUBLIC)
async def board(request: WebRequest, token: FromPath[str]) -> Response[bytes]:
    """Show who is on call now and next, to whoever has the address; the browser asks again each minute."""
    directory = await request.site.directory()
    try:
        found = await publishing.board(request.site.db, directory, token, request.now)
    except Unknown:
        return add_headers(Response(b"Not found.\n", status_code=404, media_type=_TEXT))
    zones = {post.time_zone: Times(request.now, post.time_zone) for post in found.posts}
    response = html(request, "board.html", board=found, zones=zones)
    style = f" {request.site.assets.csp_hash('link.css')}"
    response.headers["Content-Security-Policy"] = CSP.format(style=style)
    response.headers["Referrer-Policy"] = "no-referrer"
    response.headers["Cache-Control"] = "private, max-age=20"
    # It is the same for everybody, whatever they are logged in as.
    response.headers["Vary"] = "Accept-Encoding"
    return response


def _sent(request: WebRequest, body: bytes, kind: str, *, status: int = 200) -> Response[bytes]:
    """Return an answer, or only that nothing changed since the asker's copy."""
    tag = f'"{sha256(body).hexdigest()[:32]}"'
    same = status == 200 and request.headers.get("if-none-match") == tag
    response = Response(b"" if same else body, status_code=304 if same else status, media_type=kind)
    response.headers["ETag"] = tag
    # Whoever keeps a copy asks again before showing it.
    response.headers["Cache-Control"] = "private, no-cache"
    return add_headers(response)


ROUTES = [ical, on_call, board]
