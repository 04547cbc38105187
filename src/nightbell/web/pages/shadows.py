"""Shadows: somebody hears what a person on call is told, to learn; nothing is expected of them."""

from typing import Any
from uuid import UUID

from litestar import Response
from litestar.params import FromPath

from nightbell.core.access import Permission
from nightbell.core.calendar import zone
from nightbell.core.errors import Invalid, Unknown
from nightbell.engine.schedule_edits import ShadowEdit
from nightbell.store.read import schedules as stored
from nightbell.web import stretches
from nightbell.web.faults import told
from nightbell.web.pages.schedules import found
from nightbell.web.render import go, render
from nightbell.web.site import WebRequest, action, page
from nightbell.web.stretches import Given

_FIELDS = ("user", "of", "starts_at", "ends_at")


@page("/schedules/{ident:uuid}/shadow", Permission.RESPOND)
async def form_shown(request: WebRequest, ident: FromPath[UUID]) -> Response[bytes]:
    """Show the form of a shadow, filled in from the address."""
    row = await found(request, ident)
    span = stretches.asked(request, zone(request.visitor.time_zone))
    user, of = str(request.visitor.user_id), request.query_params.get("of", "")
    return await _form(request, row, {"user": user, "of": of, **span._asdict()}, {})


async def _form(
    request: WebRequest, row: dict[str, Any], given: dict[str, str], errors: dict[str, str]
) -> Response[bytes]:
    return await render(
        request,
        "shadow.html",
        code=422 if errors else 200,
        nav="schedules",
        schedule=row,
        given=given,
        errors=errors,
        people=stretches.people(await request.site.directory()),
        place=request.visitor.time_zone,
    )


@action("/schedules/{ident:uuid}/shadows", Permission.RESPOND)
async def created(request: WebRequest, ident: FromPath[UUID]) -> Response[bytes]:
    """Let somebody listen for a while."""
    row = await found(request, ident)
    form = await request.fields()
    given = {name: form.text(name) for name in _FIELDS}
    try:
        span = stretches.instants(
            Given(given["starts_at"], given["ends_at"]), zone(request.visitor.time_zone)
        )
        user = stretches.person(given["user"])
        if user is None:
            raise Invalid("Choose who listens.", place="user_id")
        edit = ShadowEdit(
            user_id=user, of_user_id=stretches.person(given["of"]), starts_at=span.start, ends_at=span.end
        )
        await request.site.configure.create_shadow(ident, edit, by=request.visitor.actor, now=request.now)
    except Invalid as error:
        return await _form(request, row, given, told(error))
    return go(request, f"/schedules/{ident}#shadows", "They hear what the person on call is told.")


@action("/schedules/{ident:uuid}/shadows/{shadow:uuid}/delete", Permission.RESPOND)
async def deleted(request: WebRequest, ident: FromPath[UUID], shadow: FromPath[UUID]) -> Response[bytes]:
    """Let somebody listen no longer."""
    row = await stored.shadow(request.site.db, shadow)
    if row is None or row["schedule_id"] != ident:
        raise Unknown("There is no such shadow.")
    await request.site.configure.delete_shadow(shadow, by=request.visitor.actor, now=request.now)
    return go(request, f"/schedules/{ident}#shadows", "They hear nothing more.")


ROUTES = [form_shown, created, deleted]
