"""Turns a template and its facts into an answer: the frame around every page, redirects, short-lived messages."""

import gzip
import json
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote, urlencode, urlsplit

from jinja2 import Environment, FileSystemLoader, StrictUndefined, pass_context
from jinja2.runtime import Context
from litestar import Response
from litestar.datastructures import Cookie

from nightbell.clock import Standing
from nightbell.core import shortid
from nightbell.core.access import Permission, may
from nightbell.store.read import pages as reads
from nightbell.web import words
from nightbell.web.door import CSRF_FIELD, add_headers, masked
from nightbell.web.site import WebRequest
from nightbell.web.times import Times, exact_span, span, tiny_span

#: The charset is added on the way out.
HTML = "text/html"
THEME_COOKIE = "nightbell_theme"
TOAST_COOKIE = "nightbell_toast"
#: Less is not worth a processor's time.
_SMALLEST_GZIP = 1000
_TOAST_SECONDS = 20


def _environment() -> Environment:
    env = Environment(
        loader=FileSystemLoader(Path(__file__).parent / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    for name in ("clock", "ago", "age", "until", "full", "day", "moment"):
        env.filters[name] = _time_filter(name)
    env.filters |= {
        "span": span,
        "exact_span": exact_span,
        "tiny_span": tiny_span,
        "shortid": shortid.encode,
        "web_link": web_link,
        "pretty": lambda value: json.dumps(value, indent=2, ensure_ascii=False),
        "query": lambda values: urlencode({k: v for k, v in values.items() if v}),
        "counted": words.counted,
        "plural": words.plural,
    }
    env.globals |= {"words": words, "Permission": Permission}
    return env


def _time_filter(name: str) -> Any:
    @pass_context
    def shown(context: Context, at: datetime | None) -> Any:
        times: Times = context["times"]
        return getattr(times, name)(at) if at is not None else ""

    return shown


def web_link(address: str | None) -> str:
    """Return an address that may stand in a link: http and https only, so that no label can run a script."""
    text = (address or "").strip()
    return text if text.lower().startswith(("http://", "https://")) else ""


_ENV = _environment()


async def render(
    request: WebRequest, template: str, *, code: int = 200, nav: str = "", **facts: Any
) -> Response[bytes]:
    """Return a page of the frame, with what the frame itself shows of the visitor's alerts."""
    visitor = request.maybe_visitor
    chrome = None
    if visitor is not None:
        chrome = await reads.chrome(request.site.db, visitor.user_id, request.now)
    toast = request.cookies.get(TOAST_COOKIE, "")
    response = html(
        request,
        template,
        code=code,
        nav=nav,
        chrome=chrome,
        toast=unquote(toast)[1:],
        toast_bad=toast.startswith("!"),
        csrf=masked(visitor.csrf) if visitor else "",
        **facts,
    )
    if toast and "x-live" not in request.headers:
        response.cookies.append(Cookie(key=TOAST_COOKIE, value="", max_age=0, path="/"))
    return response


def html(request: WebRequest, template: str, *, code: int = 200, **facts: Any) -> Response[bytes]:
    """Return a template without the frame's own questions to the database."""
    visitor, now = request.maybe_visitor, request.now
    text = _ENV.get_template(template).render(
        assets=request.site.assets,
        base_url=request.site.base_url,
        visitor=visitor,
        may=lambda permission: may(visitor.role if visitor else None, permission),
        now=now,
        test_clock=isinstance(request.site.clock, Standing),
        times=Times(now, visitor.time_zone if visitor else "UTC"),
        path=request.url.path,
        back_here=back_here(request),
        csrf_field=CSRF_FIELD,
        theme="light" if request.cookies.get(THEME_COOKIE) == "light" else "dark",
        **facts,
    )
    return compressed(request, text.encode(), HTML, code=code)


def back_here(request: WebRequest) -> str:
    """Return where the visitor stands: the page that was asked for, filters and all; else the one it was asked from.

    What a form answers, and what a page fetches of itself, has no address to come back to.
    """
    url = urlsplit(str(request.url))
    if request.method != "GET" or "x-live" in request.headers:
        url = urlsplit(request.headers.get("referer", "/"))
    return safe_path(f"{url.path}?{url.query}" if url.query else url.path)


def compressed(request: WebRequest, body: bytes, media_type: str, *, code: int = 200) -> Response[bytes]:
    """Return an answer, gzipped where the reader can take it and it is worth it."""
    headers = {"Vary": "Accept-Encoding, Cookie"}
    if len(body) >= _SMALLEST_GZIP and "gzip" in request.headers.get("accept-encoding", ""):
        body = gzip.compress(body, 5, mtime=0)
        headers["Content-Encoding"] = "gzip"
    response = Response(body, status_code=code, media_type=media_type, headers=headers)
    add_headers(response)
    return response


def go(request: WebRequest, path: str, said: str = "", *, bad: bool = False) -> Response[bytes]:
    """Send the browser on with GET, and say something on the next page."""
    response = Response(b"", status_code=303, media_type="text/plain", headers={"Location": path})
    if said:
        response.cookies.append(_cookie(request, TOAST_COOKIE, quote(("!" if bad else ".") + said[:600])))
    add_headers(response)
    return response


def _cookie(request: WebRequest, name: str, value: str) -> Cookie:
    return Cookie(
        key=name,
        value=value,
        max_age=_TOAST_SECONDS,
        path="/",
        httponly=True,
        samesite="lax",
        secure=request.site.secure,
    )


def safe_path(text: str, default: str = "/") -> str:
    """Return a path on this very site, or the default: nobody is sent elsewhere by a link of ours."""
    usable = (
        text.startswith("/") and not text.startswith(("//", "/\\")) and "\n" not in text and "\r" not in text
    )
    return text if usable and len(text) < 2000 else default
