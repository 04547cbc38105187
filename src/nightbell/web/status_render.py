"""Turns what a status page shows into bytes: pages, feeds, and a few lines for programs. Text stays text.

Rule 1: nothing here waits, so that a page is there when nothing else is; no script, no cookie, no other address.
"""

import hashlib
import json
import re
from base64 import b64encode
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote
from uuid import UUID

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from msgspec import Struct

from nightbell.core.status_page import HISTORY, RECENT, Board, Published
from nightbell.web.render import web_link
from nightbell.web.times import zone

HTML = "text/html; charset=utf-8"
ATOM = "application/atom+xml; charset=utf-8"
RSS = "application/rss+xml; charset=utf-8"
JSON = "application/json; charset=utf-8"
TEMPLATES = Path(__file__).parent / "templates"
#: Nobody reads a feed further back.
_FEED = 50
#: What XML 1.0 has no place for.
_NOT_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff\ud800-\udfff]")
STYLE = (TEMPLATES / "status_style.css").read_text(encoding="utf-8").strip()
_STYLE_HASH = b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
CSP = (
    f"default-src 'none'; style-src 'sha256-{_STYLE_HASH}'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'"
)


class View(Struct, frozen=True, kw_only=True):
    """A board as of a moment, with its address; `stale` where nobody could look lately."""

    board: Board
    base_url: str
    #: When the engine last looked.
    seen: datetime
    stale: bool = False

    @property
    def home(self) -> str:
        """Return the path of the page."""
        return f"/status/{self.board.face.slug}"

    def path(self, rest: str = "") -> str:
        """Return the path of a part of it, with the token that a page for some carries."""
        token = self.board.face.token
        return f"{self.home}{rest}{f'?token={quote(token)}' if token else ''}"

    def url(self, rest: str = "") -> str:
        """Return the whole address of a part of it."""
        return self.base_url + self.path(rest)


def _clean(text: str) -> str:
    return _NOT_XML.sub("", text)


def _environment() -> Environment:
    env = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    env.filters |= {
        "clean": _clean,
        "stamp": lambda at: at.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z"),
        "rfc822": lambda at: at.astimezone(UTC).strftime("%a, %d %b %Y %H:%M:%S +0000"),
        "said": lambda status: status.replace("_", " ").capitalize(),
        "web_link": web_link,
    }
    return env


_ENV = _environment()


def _text(template: str, view: View, **facts: Any) -> bytes:
    place = zone(view.board.face.time_zone)

    def local(at: datetime) -> str:
        there = at.astimezone(place)
        return f"{there.day} {there:%b %Y, %H:%M %Z}"

    shown = {"view": view, "board": view.board, "face": view.board.face, "local": local, "style": STYLE}
    return _ENV.get_template(template).render(**shown, **facts).encode()


def page(view: View) -> bytes:
    """Return the page: how it is, what goes on, what is planned, what was lately."""
    past = view.board.past(view.seen - RECENT)
    return _text("status_page.html", view, past=[one for one in past if not one.planned], title="")


def history(view: View) -> bytes:
    """Return what is over, by month."""
    place = zone(view.board.face.time_zone)
    months: dict[str, list[Published]] = {}
    for one in view.board.past(view.seen - HISTORY):
        months.setdefault(f"{one.began.astimezone(place):%B %Y}", []).append(one)
    return _text("status_history.html", view, months=months, title="History")


def incident(view: View, ident: UUID) -> bytes | None:
    """Return the page of one incident; None where none was published here."""
    found = view.board.incident(ident)
    return _text("status_incident.html", view, one=found, title=found.title) if found else None


def _entries(board: Board) -> list[tuple[Any, Published]]:
    each = [(said, one) for one in board.incidents for said in one.said]
    return sorted(each, key=lambda pair: pair[0].at, reverse=True)[:_FEED]


def _fed(template: str, view: View) -> bytes:
    entries = _entries(view.board)
    updated = max(
        (max(said.at, said.updated_at) for said, _ in entries), default=datetime(2000, 1, 1, tzinfo=UTC)
    )
    return _text(template, view, entries=entries, updated=updated)


def atom(view: View) -> bytes:
    """Return the feed as Atom."""
    return _fed("status_feed.atom", view)


def rss(view: View) -> bytes:
    """Return the feed as RSS 2.0."""
    return _fed("status_feed.rss", view)


def summary(view: View) -> bytes:
    """Return the page for programs."""
    board = view.board
    told = {
        "page": {"title": board.face.title, "url": view.url(), "time_zone": board.face.time_zone},
        "status": {"state": board.state.wire, "text": board.says},
        "components": [{"id": str(c.id), "name": c.name, "state": c.state.wire} for c in board.components],
        "incidents": [_told(view, one) for one in board.going],
        "maintenances": [_told(view, one) for one in board.work],
        "as_of": view.seen.astimezone(UTC).isoformat(timespec="minutes").replace("+00:00", "Z"),
    }
    return json.dumps(told, ensure_ascii=False).encode("utf-8", "replace")


def _told(view: View, one: Published) -> dict[str, Any]:
    return {
        "id": str(one.id),
        "title": one.title,
        "status": one.status,
        "impact": one.impact.wire,
        "began_at": one.began.isoformat(),
        "ends_at": one.ends_at.isoformat() if one.ends_at else None,
        "components": list(view.board.names(one)),
        "text": one.said[-1].text,
        "url": view.url(f"/incidents/{one.id}"),
    }


#: What a path below a page shows.
PARTS: dict[str, tuple[Callable[[View], bytes], str]] = {
    "": (page, HTML),
    "/history": (history, HTML),
    "/feed.atom": (atom, ATOM),
    "/feed.rss": (rss, RSS),
    "/status.json": (summary, JSON),
}


def part(view: View, rest: str) -> tuple[bytes, str] | None:
    """Return what stands at a path below a page and what kind it is; None where nothing does."""
    if rest in PARTS:
        shows, kind = PARTS[rest]
        return shows(view), kind
    if rest.startswith("/incidents/"):
        try:
            ident = UUID(rest.removeprefix("/incidents/"))
        except ValueError:
            return None
        body = incident(view, ident)
        return (body, HTML) if body is not None else None
    return None


def to_the_minute(at: datetime) -> datetime:
    """Return the minute of an instant: a page says no more, so that it stays the same that long."""
    return at.replace(second=0, microsecond=0)


#: Nobody could look for this long: the page says so.
STALE = timedelta(minutes=1)
