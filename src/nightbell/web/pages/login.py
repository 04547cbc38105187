"""Who comes in, and how: log in, log out, a one-time link, the theme of this browser."""

from typing import Any
from urllib.parse import quote
from zoneinfo import available_timezones

from litestar import Response
from litestar.datastructures import Cookie
from litestar.params import FromPath

from nightbell.core.access import Permission, Role
from nightbell.core.errors import NightbellError, Unauthenticated
from nightbell.engine import identity
from nightbell.engine.identity import Account, Invitation
from nightbell.engine.joining import accept
from nightbell.store.read import pages
from nightbell.web.render import THEME_COOKIE, go, render, safe_path
from nightbell.web.site import COOKIE, SECURE_COOKIE, WebRequest, action, page
from nightbell.web.times import span

_YEAR = 365 * 24 * 3600
#: Failures in five minutes: of one address at one account, of one address, of one account from anywhere.
_HERE, _ADDRESS, _ACCOUNT = 5, 60, 200


@page("/login", Permission.PUBLIC)
async def login(request: WebRequest) -> Response[bytes]:
    """Ask who comes."""
    wanted = safe_path(str(request.query_params.get("next", "/")))
    if request.maybe_visitor:
        return go(request, wanted)
    return await _asked(request, wanted)


async def _asked(
    request: WebRequest, wanted: str, *, email: str = "", error: str = "", code: int = 200
) -> Response[bytes]:
    has_owner = await pages.has_owner(request.site.db)
    return await render(
        request, "login.html", code=code, next=wanted, email=email, error=error, has_owner=has_owner
    )


@action("/login", Permission.PUBLIC)
async def log_in(request: WebRequest) -> Response[bytes]:
    """Let somebody in who knows the password."""
    form = await request.fields()
    wanted, email = safe_path(form.raw("next")), form.text("email")
    throttle, now = request.site.throttle, request.now
    here = f"{request.browser.remote_ip} {email.lower()}"
    limits = {here: _HERE, request.browser.remote_ip: _ADDRESS, email.lower(): _ACCOUNT}
    wait = throttle.wait(limits, now)
    if wait:
        error = f"Too many failures. Try again in {span(wait)}."
        return await _asked(request, wanted, email=email, error=error, code=429)
    try:
        token = await identity.log_in(request.site.db, email, form.raw("password"), request.browser, now)
    except Unauthenticated as fault:
        throttle.failed(limits, now)
        return await _asked(request, wanted, email=email, error=fault.message, code=401)
    throttle.succeeded(here)
    return _entered(request, token, wanted)


def _entered(request: WebRequest, token: str, wanted: str) -> Response[bytes]:
    response = go(request, wanted)
    response.cookies.append(_session_cookie(request, token, int(identity.SESSION.total_seconds())))
    return response


def _session_cookie(request: WebRequest, token: str, max_age: int) -> Cookie:
    secure = request.site.secure
    return Cookie(
        key=SECURE_COOKIE if secure else COOKIE, value=token, max_age=max_age, path="/", httponly=True, samesite="lax",
        secure=secure,
    )  # fmt: skip


@action("/logout", Permission.SELF)
async def log_out(request: WebRequest) -> Response[bytes]:
    """End this browser's session."""
    await identity.log_out(request.site.db, request.visitor)
    response = go(request, "/login")
    response.cookies.append(_session_cookie(request, "", 0))
    return response


@page("/setup/{token:str}", Permission.PUBLIC)
async def join(request: WebRequest, token: FromPath[str]) -> Response[bytes]:
    """Show what a one-time link offers."""
    offer = await identity.invitation(request.site.db, token, request.now)
    return await _offered(request, offer, {}, {})


async def _offered(
    request: WebRequest, offer: Invitation, filled: dict[str, str], errors: dict[str, str]
) -> Response[bytes]:
    blank = {"email": "", "name": "", "time_zone": "Etc/UTC"}
    return await render(
        request,
        "join.html",
        code=422 if errors else 200,
        offer=offer,
        first=offer.role is Role.OWNER and offer.email is None,
        filled={**blank, **filled},
        errors=errors,
        zones=zones(),
    )


@action("/setup/{token:str}", Permission.PUBLIC)
async def joined(request: WebRequest, token: FromPath[str]) -> Response[bytes]:
    """Spend a one-time link: make the person and let them in."""
    offer = await identity.invitation(request.site.db, token, request.now)
    form = await request.fields()
    filled = {name: form.text(name) for name in ("email", "name", "time_zone")}
    try:
        account = Account(password=form.raw("password"), **filled)
        user_id = await accept(request.site.db, token, account, request.now)
    except NightbellError as error:
        return await _offered(request, offer, filled, {error.place: f"{error.message} {error.hint}".strip()})
    token = await identity.open_session(request.site.db, user_id, request.browser, request.now)
    return _entered(request, token, "/")


@action("/theme", Permission.PUBLIC)
async def theme(request: WebRequest) -> Response[bytes]:
    """Remember dark or light in this browser."""
    form = await request.fields()
    response = go(request, safe_path(form.raw("back")))
    value = form.choice("theme", ("dark", "light"))
    cookie: Any = Cookie(
        key=THEME_COOKIE, value=value, max_age=_YEAR, path="/", httponly=True, samesite="lax"
    )
    response.cookies.append(cookie)
    return response


def zones() -> list[tuple[str, str]]:
    """Return every time zone for a picker, UTC first."""
    names = sorted(
        name for name in available_timezones() if "/" in name and not name.startswith(("Etc/", "posix/"))
    )
    return [(name, name.replace("_", " ")) for name in ["Etc/UTC", *names]]


def login_path(path: str) -> str:
    """Return where to ask who comes, and where to go on afterwards."""
    return f"/login?next={quote(path, safe='/')}" if path != "/" else "/login"


ROUTES = [login, log_in, log_out, join, joined, theme]
