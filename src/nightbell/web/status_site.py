"""Serves the status pages at /status/<slug>, before any framework: from memory alone, for anybody, whatever else is slow.

Rule 1: nothing here awaits anything but the one who reads. A page for some is for who sends its token; without it,
it is not there.
"""

import gzip
import hashlib
from collections.abc import Callable, Mapping
from datetime import datetime
from hmac import compare_digest
from typing import Protocol
from urllib.parse import parse_qs

from litestar.types import HTTPScope, Receive, Send
from msgspec import Struct

from nightbell.core.status_page import Board
from nightbell.web.status_render import CSP, HTML, STALE, View, part, to_the_minute

_PREFIX = "/status/"
_LONGEST_PATH = 200
#: Pages kept rendered; more are rendered again when asked for.
_KEPT = 500
_HEADERS = {
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "content-security-policy": CSP,
}
#: A reader asks again after 15 s; what stands between may go on showing it while we are gone.
_PUBLIC = "public, max-age=15, stale-while-revalidate=30, stale-if-error=86400"
_PRIVATE = "private, max-age=15"


class Shown(Protocol):
    """What holds the boards: engine/showing.py."""

    boards: Mapping[str, Board]
    seen: datetime | None
    version: int


class Rendered(Struct, frozen=True, kw_only=True):
    """One part of a page, ready to be sent."""

    body: bytes
    gzipped: bytes
    kind: str
    etag: str


class StatusSite:
    """The status pages, as one ASGI application."""

    def __init__(self, shown: Shown, base_url: str, clock: Callable[[], datetime]) -> None:
        self._shown = shown
        self._base_url = base_url
        self._clock = clock
        self._rendered: dict[tuple[str, str], Rendered | None] = {}
        self._made_of: tuple[int, datetime, bool] | None = None

    def serves(self, path: str) -> bool:
        """Return whether a path is one of ours."""
        return path.startswith(_PREFIX)

    async def __call__(self, scope: HTTPScope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        status, headers, body = self.answer(scope)
        if scope["method"] == "HEAD":
            body = b""
        await send(
            {
                "type": "http.response.start",
                "status": status,
                "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
            }
        )
        await send({"type": "http.response.body", "body": body, "more_body": False})

    def answer(self, scope: HTTPScope) -> tuple[int, dict[str, str], bytes]:
        """Return status, headers and body."""
        if scope["method"] not in ("GET", "HEAD"):
            return _plain(405, "Use GET.", {"allow": "GET, HEAD"})
        if self._shown.seen is None:
            return _plain(503, "This page is being made. Try again in a moment.", {"retry-after": "2"})
        slug, _, rest = scope["path"][:_LONGEST_PATH].rstrip("/").removeprefix(_PREFIX).partition("/")
        board = self._shown.boards.get(slug)
        if board is None or not _may(board, scope["query_string"]):
            return _plain(404, "There is no such page.")
        found = self._part(board, self._shown.seen, f"/{rest}" if rest else "")
        if found is None:
            return _plain(404, "There is no such page.")
        return _answer(found, board, {name.lower(): value for name, value in scope["headers"]})

    def _part(self, board: Board, seen: datetime, rest: str) -> Rendered | None:
        """Return a part of a page; rendered once for each minute and change."""
        stale = self._clock() - seen > STALE
        made_of = (self._shown.version, to_the_minute(seen), stale)
        if made_of != self._made_of or len(self._rendered) > _KEPT:
            self._rendered.clear()
            self._made_of = made_of
        key = (board.face.slug, rest)
        if key not in self._rendered:
            view = View(board=board, base_url=self._base_url, seen=made_of[1], stale=stale)
            self._rendered[key] = _rendered(part(view, rest))
        return self._rendered[key]


def _rendered(made: tuple[bytes, str] | None) -> Rendered | None:
    if made is None:
        return None
    body, kind = made
    etag = f'W/"{hashlib.blake2b(body, digest_size=12).hexdigest()}"'
    return Rendered(body=body, gzipped=gzip.compress(body, 6, mtime=0), kind=kind, etag=etag)


def _may(board: Board, query: bytes) -> bool:
    """Return whether a request may read a page: it is for everybody, or its token was sent."""
    if not board.face.token:
        return True
    given = parse_qs(query.decode("latin-1")).get("token", [""])[0]
    return compare_digest(given.encode("utf-8", "replace"), board.face.token.encode())


def _answer(found: Rendered, board: Board, sent: Mapping[bytes, bytes]) -> tuple[int, dict[str, str], bytes]:
    headers = {
        **_HEADERS,
        "etag": found.etag,
        "cache-control": _PRIVATE if board.face.token else _PUBLIC,
        "vary": "Accept-Encoding",
    }
    if not board.face.indexed:
        headers["x-robots-tag"] = "noindex, nofollow"
    if _same(sent.get(b"if-none-match", b"").decode("latin-1"), found.etag):
        return 304, headers, b""
    headers["content-type"] = found.kind
    body = found.body
    if b"gzip" in sent.get(b"accept-encoding", b""):
        headers["content-encoding"], body = "gzip", found.gzipped
    headers["content-length"] = str(len(body))
    return 200, headers, body


def _same(asked: str, etag: str) -> bool:
    """Return whether a reader has this very text already; compared weakly, as RFC 9110 13.1.2 asks."""
    known = {one.strip().removeprefix("W/") for one in asked.split(",")}
    return etag.removeprefix("W/") in known or "*" in known


def _plain(
    status: int, said: str, more: Mapping[str, str] | None = None
) -> tuple[int, dict[str, str], bytes]:
    title = {404: "Not found", 405: "Not this way", 503: "Not yet"}[status]
    page = (
        '<!doctype html><html lang="en"><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{title}</title><h1>{title}</h1><p>{said}</p></html>"
    )
    body = page.encode()
    headers = {
        **_HEADERS,
        "content-type": HTML,
        "content-length": str(len(body)),
        "cache-control": "no-store",
        **(more or {}),
    }
    return status, headers, body
