"""The page behind a link in a message, for a phone with one bar: what, since when, three big buttons.

Rule 1: GET never changes anything, because mail scanners and chat previews follow every link.
"""

from datetime import timedelta
from typing import Any

from litestar import Response
from litestar.params import FromPath

from nightbell.core import links, shortid
from nightbell.core.access import Permission, may
from nightbell.core.directory import User
from nightbell.core.errors import Forbidden, NightbellError, Unknown
from nightbell.core.journal import person
from nightbell.core.links import Link
from nightbell.engine import bundles
from nightbell.store.read import pages
from nightbell.web import acts
from nightbell.web.door import CSP
from nightbell.web.render import html
from nightbell.web.site import WebRequest, action, page

SNOOZE = timedelta(minutes=30)
_ACTIONS = ("acknowledge", "escalate", "snooze", "resolve")


@page(["/a/{token:str}", "/a/{token:str}/{wanted:str}"], Permission.PUBLIC)
async def shown(
    request: WebRequest, token: FromPath[str], wanted: FromPath[str] = "acknowledge"
) -> Response[bytes]:
    """Show one alert to whoever holds its link."""
    link, _ = await _opened(request, token)
    return await _page(request, token, link, wanted)


@action("/a/{token:str}/{wanted:str}", Permission.PUBLIC, signed=True)
async def done(request: WebRequest, token: FromPath[str], wanted: FromPath[str]) -> Response[bytes]:
    """Do what a button of the link page says; apps may post here directly."""
    link, user = await _opened(request, token)
    if wanted not in _ACTIONS:
        raise Unknown("There is no such button.")
    if not may(user.role, Permission.RESPOND):
        raise Forbidden(f"{user.name} may look, not act.")
    try:
        said, code = await _act(request, link, user, wanted), 200
        await request.site.inbound.receive.answered(link.notification_id, wanted, "link", request.now)
    except NightbellError as error:
        said, code = f"{error.message} {error.hint}".strip(), 409
    return await _page(request, token, link, wanted, said=said, code=code)


async def _act(request: WebRequest, link: Link, user: User, wanted: str) -> str:
    act, by, now = request.site.act, person(user.id, user.name), request.now
    match wanted:
        case "acknowledge" if (
            len(named := await bundles.alerts_of(request.site.db, link.notification_id)) > 1
        ):
            return _said_of(await bundles.acknowledge(act, named, by=by, now=now), len(named))
        case "acknowledge":
            decision = await act.acknowledge(link.alert_id, by=by, now=now)
        case "resolve":
            decision = await act.resolve(link.alert_id, by=by, now=now)
        case "snooze":
            decision = await act.snooze(link.alert_id, until=now + SNOOZE, by=by, now=now)
        case _:
            decision = await act.escalate(link.alert_id, by=by, now=now, as_of=link.as_of)
    return acts.ALREADY.get(decision.what) or f"{acts.DONE[wanted]}."


def _said_of(taken: int, named: int) -> str:
    """Return what became of all that a message named."""
    before = "" if taken == named else f" The other {named - taken} were taken or over already."
    return f"Acknowledged {taken} of the {named} alerts this message named.{before}"


async def _opened(request: WebRequest, token: str) -> tuple[Link, User]:
    """Return what a link stands for and whose it is.

    Raises: Forbidden when it expired, was changed, or its person has left.
    """
    link = links.opened(request.site.link_key, token, request.now)
    directory = await request.site.directory()
    user = directory.users.get(link.user_id)
    if user is None or not user.active:
        raise Forbidden("This link belongs to somebody who has left.")
    return link, user


async def _page(
    request: WebRequest, token: str, link: Link, wanted: str, *, said: str = "", code: int = 200
) -> Response[bytes]:
    alert: dict[str, Any] | None = await pages.alert(request.site.db, ident=link.alert_id)
    if alert is None:
        raise Unknown("This alert does not exist any more.")
    named = await bundles.alerts_of(request.site.db, link.notification_id)
    bundle = await request.site.db.rows("alerts_of_bundle", named) if len(named) > 1 else []
    directory = await request.site.directory()
    user = directory.users.get(link.user_id)
    labels = [(k, v) for k, v in sorted(alert["labels"].items()) if k not in ("alertname", "status")]
    response = html(
        request,
        "link_bundle.html" if bundle else "link.html",
        bundle=bundle,
        code=code,
        alert=alert,
        short=shortid.encode(alert["number"]),
        token=token,
        wanted=wanted if wanted in _ACTIONS else "acknowledge",
        said=said,
        labels=labels[:8],
        allowed=user is not None and may(user.role, Permission.RESPOND),
    )
    style = f" {request.site.assets.csp_hash('link.css')}"
    response.headers["Content-Security-Policy"] = CSP.format(style=style)
    response.headers["Referrer-Policy"] = "no-referrer"
    return response


ROUTES = [shown, done]
