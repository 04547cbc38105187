"""How a chat or a device becomes a contact method: a code for Telegram, a subscription for push; and what an app needs."""

from typing import Any
from uuid import UUID

import msgspec
from litestar import Response
from litestar.exceptions import NotFoundException

from nightbell.core.access import Permission
from nightbell.core.errors import Invalid
from nightbell.engine.edits import ContactMethodEdit
from nightbell.web.door import add_headers
from nightbell.web.faults import told
from nightbell.web.pages.me import page_of_me
from nightbell.web.render import go
from nightbell.web.site import WebRequest, action, page

_ICONS = (("bell-192.png", "192x192"), ("bell-512.png", "512x512"))
_MOST_DEVICES = 20


@action("/me/telegram", Permission.SELF)
async def link_telegram(request: WebRequest) -> Response[bytes]:
    """Show a link that opens the bot with a code, once."""
    linking = request.site.inbound.chatting.linking
    code = await linking.code(request.visitor.user_id, "telegram", request.now)
    return await page_of_me(request, {}, link_code=code)


@action("/me/push", Permission.SELF)
async def allow_push(request: WebRequest) -> Response[bytes]:
    """Keep the subscription of this very browser, in place of one it gave before."""
    form = await request.fields()
    visitor, configure, now = request.visitor, request.site.configure, request.now
    settings = {name: form.text(name) for name in ("p256dh", "auth")}
    name = form.text("device", longest=60) or "A device"
    edit = ContactMethodEdit(
        kind="push", address=form.text("endpoint", longest=2000), name=name, settings=settings
    )
    try:
        for ident in await _same_device(request, form.text("endpoint", longest=2000), name):
            await configure.update_contact_method(ident, edit, verified=True, by=visitor.actor, now=now)
            return go(request, "/me", "This device is allowed. Send it a test.")
        # Only this browser can have had its own keys: it is proven.
        await configure.create_contact_method(visitor.user_id, edit, verified=True, by=visitor.actor, now=now)
    except Invalid as error:
        return await page_of_me(request, {f"push.{place}": text for place, text in told(error).items()})
    return go(request, "/me", "Allowed. Send it a test, so that you know it rings before the night does.")


async def _same_device(request: WebRequest, endpoint: str, name: str) -> list[UUID]:
    """Return the device that has this endpoint, or one like it that lost its own."""
    rows = await request.site.db.rows("push_methods", request.visitor.user_id)
    if len(rows) >= _MOST_DEVICES:
        raise Invalid(f"At most {_MOST_DEVICES} devices; remove one first.", place="endpoint")
    vault = request.site.configure.vault
    known = [row["id"] for row in rows if vault.open_text(row["address"]) == endpoint]
    return known or [row["id"] for row in rows if row["failing_since"] and row["name"] == name][:1]


@page("/sw.js", Permission.PUBLIC)
async def service_worker(request: WebRequest) -> Response[bytes]:
    """Send the script that shows push messages; it must be at the root to be allowed all pages."""
    text = request.site.assets.text("sw.js")
    if not text:
        raise NotFoundException("The scripts were never built.")
    return _told(text.encode(), "text/javascript; charset=utf-8", cached="no-cache")


@page("/manifest.webmanifest", Permission.PUBLIC)
async def manifest(request: WebRequest) -> Response[bytes]:
    """Say what a telephone needs to install the pages as an app."""
    icons: list[dict[str, Any]] = [{"src": "/static/bell.svg", "sizes": "any", "type": "image/svg+xml"}]
    icons += [
        {"src": f"/static/{name}", "sizes": size, "type": "image/png", "purpose": purpose}
        for name, size in _ICONS
        for purpose in ("any", "maskable")
    ]
    about = {
        "id": "/",
        "name": "Nightbell",
        "short_name": "Nightbell",
        "description": "On call: pages that ring, and buttons that answer them.",
        "start_url": "/",
        "scope": "/",
        "display": "standalone",
        "background_color": "#0d1017",
        "theme_color": "#0d1017",
        "icons": icons,
    }
    return _told(msgspec.json.encode(about), "application/manifest+json", cached="public, max-age=3600")


def _told(body: bytes, media_type: str, *, cached: str) -> Response[bytes]:
    response = Response(body, media_type=media_type, headers={"Cache-Control": cached})
    add_headers(response)
    return response


ROUTES = [link_telegram, allow_push, service_worker, manifest]
