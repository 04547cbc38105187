"""What is one's own, for everyone: how to be reached and when, browsers, tokens, password and time zone."""

from collections import defaultdict
from datetime import timedelta
from typing import Any
from uuid import UUID

from litestar import Response
from litestar.params import FromPath

from nightbell.core.access import Permission, Role, narrowed
from nightbell.core.errors import Invalid, NightbellError, Unknown
from nightbell.core.verification import NEED_NO_CODE
from nightbell.engine import identity, trial
from nightbell.engine.edits import ContactMethodEdit, NotificationRuleEdit, UserEdit
from nightbell.engine.sealed import masked_settings
from nightbell.store.read import pages, people
from nightbell.web import devices, words
from nightbell.web.faults import told
from nightbell.web.pages import wishes
from nightbell.web.pages.login import zones
from nightbell.web.render import go, render
from nightbell.web.site import WebRequest, action, page
from nightbell.web.ways import FORMS, shown

_LONGEST_DELAY = 10_080
#: Fresh enough to say on the page how a test went.
_RECENT = timedelta(minutes=10)


@page("/me", Permission.SELF)
async def me(request: WebRequest) -> Response[bytes]:
    """Show what is one's own."""
    return await page_of_me(request, {})


async def page_of_me(
    request: WebRequest,
    errors: dict[str, str],
    *,
    filled: dict[str, str] | None = None,
    token: str = "",
    link_code: str = "",
) -> Response[bytes]:
    """Show what is one's own, with what is wrong with a form, or a secret that is shown this once."""
    db, visitor, now = request.site.db, request.visitor, request.now
    methods = await people.all_contact_methods(db, visitor.user_id)
    shown_methods = [await _method(request, method) for method in methods]
    by_loudness: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for rule in await people.notification_rules(db, visitor.user_id):
        by_loudness[rule["loudness"]].append(rule)
    return await render(
        request,
        "me.html",
        code=422 if errors else 200,
        nav="me",
        errors=errors,
        filled=filled or {},
        token=token,
        methods=shown_methods,
        codes={r["contact_method_id"]: r for r in await people.verifications(db, visitor.user_id, now)},
        names={m["id"]: _named(m) for m in shown_methods},
        rules=by_loudness,
        kinds=[(k, FORMS[k]) for k in FORMS if k in request.site.channels],
        push_key=await devices.push_key(request),
        bot=await devices.bot(request),
        link_code=link_code,
        has_inbox=any(m["kind"] == "inbox" for m in methods),
        sessions=await pages.sessions(db, visitor.user_id, now),
        keys=await pages.api_keys(db, visitor.user_id),
        roles=[role for role in Role if narrowed(visitor.role, role) is role],
        zones=zones(),
        **await wishes.shown(request),
    )


async def _method(request: WebRequest, method: dict[str, Any]) -> dict[str, Any]:
    test = await pages.last_test(request.site.db, request.visitor.user_id, method["id"])
    fresh = test if test and request.now - test["created_at"] < _RECENT else None
    address = request.site.configure.vault.open_text(method["address"])
    return {
        **method,
        "test": fresh,
        "shown": shown(method["kind"], method["name"], address),
        "settings": {} if method["kind"] == "push" else masked_settings(method["settings"]),
    }


def _named(method: dict[str, Any]) -> str:
    kind = words.WAY.get(method["kind"], method["kind"])
    return f"{kind} {method['shown']}".strip()


# ---------------------------------------------------------------- contact methods


@action("/me/methods", Permission.SELF)
async def add_method(request: WebRequest) -> Response[bytes]:
    """Add a way to be reached."""
    form = await request.fields()
    kind = form.choice("kind", request.site.channels)
    wanted = FORMS[kind].settings if kind in FORMS else ()
    settings = {one.name: form.text(one.name) for one in wanted if form.text(one.name)}
    edit = ContactMethodEdit(
        kind=kind,
        address=form.text("address", longest=2000),
        settings=settings,
        name=words.CHANNEL.get(kind, kind),
    )
    visitor, configure = request.visitor, request.site.configure
    try:
        made = await configure.create_contact_method(
            visitor.user_id, edit, verified=False, by=visitor.actor, now=request.now
        )
    except Invalid as error:
        faults = {f"{kind}.{place}": text for place, text in told(error).items()}
        return await page_of_me(request, faults, filled={f"{kind}.address": form.text("address")})
    if kind in NEED_NO_CODE:
        return go(request, "/me", "Added. Send it a test, so that you know it works before the night does.")
    await configure.send_code(made, visitor.user_id, request.now)
    return go(request, "/me", "Added. A code is on its way there; enter it here, and pages may use it.")


async def _own_method(request: WebRequest, ident: UUID) -> dict[str, Any]:
    found = await people.contact_method(request.site.db, ident)
    if found is None or found["user_id"] != request.visitor.user_id:
        raise Unknown("You have no such contact method.")
    return found


@action("/me/methods/{ident:uuid}/test", Permission.SELF)
async def test_method(request: WebRequest, ident: FromPath[UUID]) -> Response[bytes]:
    """Send a test, the same way as a page."""
    await trial.send_test(request.site.db, ident, request.visitor.user_id, request.now)
    request.site.hub.publish("alerts")
    return go(request, "/me", "A test is on its way; how it fares is shown beside the contact method.")


@action("/me/methods/{ident:uuid}/code", Permission.SELF)
async def send_code(request: WebRequest, ident: FromPath[UUID]) -> Response[bytes]:
    """Send a code that proves a contact method."""
    await request.site.configure.send_code(ident, request.visitor.user_id, request.now)
    request.site.hub.publish("alerts")
    return go(request, "/me", "A code is on its way. Enter it beside the contact method.")


@action("/me/methods/{ident:uuid}/confirm", Permission.SELF)
async def confirm_method(request: WebRequest, ident: FromPath[UUID]) -> Response[bytes]:
    """Verify a contact method by the code that went there."""
    form = await request.fields()
    visitor = request.visitor
    await request.site.configure.confirm_code(
        ident, visitor.user_id, form.text("code", longest=40), by=visitor.actor, now=request.now
    )
    return go(request, "/me", "Verified. Pages may use it from now on.")


@action("/me/methods/{ident:uuid}/delete", Permission.SELF)
async def remove_method(request: WebRequest, ident: FromPath[UUID]) -> Response[bytes]:
    """Forget a way to be reached, and the rules that use it."""
    await _own_method(request, ident)
    await request.site.configure.delete_contact_method(ident, by=request.visitor.actor, now=request.now)
    return go(request, "/me", "Removed, with the rules that used it.")


# ---------------------------------------------------------------- rules


@action("/me/rules", Permission.SELF)
async def add_rule(request: WebRequest) -> Response[bytes]:
    """Add a rule: after so many minutes, use this contact method."""
    form = await request.fields()
    method = await _own_method(request, form.ident("contact_method_id"))
    edit = NotificationRuleEdit(
        contact_method_id=method["id"],
        loudness=form.choice("loudness", ("audible", "quiet")),
        delay_minutes=form.number("delay_minutes", least=0, most=_LONGEST_DELAY, default=0),
    )
    visitor = request.visitor
    await request.site.configure.create_notification_rule(
        visitor.user_id, edit, by=visitor.actor, now=request.now
    )
    return go(request, "/me#rules", "Added.")


@action("/me/rules/{ident:uuid}/delete", Permission.SELF)
async def remove_rule(request: WebRequest, ident: FromPath[UUID]) -> Response[bytes]:
    """Drop a rule."""
    found = await people.notification_rule(request.site.db, ident)
    if found is None or found["user_id"] != request.visitor.user_id:
        raise Unknown("You have no such rule.")
    await request.site.configure.delete_notification_rule(ident, by=request.visitor.actor, now=request.now)
    return go(request, "/me#rules", "Removed.")


# ---------------------------------------------------------------- account


@action("/me/account", Permission.SELF)
async def change_account(request: WebRequest) -> Response[bytes]:
    """Change name and time zone."""
    form = await request.fields()
    edit = UserEdit(name=form.text("name"), time_zone=form.text("time_zone"))
    try:
        await request.site.configure.update_user(
            request.visitor.user_id, edit, by=request.visitor.actor, now=request.now
        )
    except Invalid as error:
        return await page_of_me(request, told(error))
    return go(request, "/me", "Saved.")


@action("/me/password", Permission.SELF)
async def change_password(request: WebRequest) -> Response[bytes]:
    """Replace one's password, and end the sessions of other browsers."""
    form = await request.fields()
    db, visitor = request.site.db, request.visitor
    try:
        await identity.change_password(
            db, visitor.user_id, form.raw("old_password"), form.raw("password"), request.now
        )
    except NightbellError as error:
        return await page_of_me(request, {error.place: f"{error.message} {error.hint}".strip()})
    ended = await identity.log_out_elsewhere(db, visitor)
    return go(request, "/me", f"Changed. {words.plural(ended, 'other browser')} logged out.")


@action("/me/sessions/{ident:uuid}/delete", Permission.SELF)
async def end_session(request: WebRequest, ident: FromPath[UUID]) -> Response[bytes]:
    """Log another browser out."""
    if not await identity.log_out(request.site.db, request.visitor, session_id=ident):
        raise Unknown("That browser is logged out already.")
    return go(request, "/me#sessions", "Logged out.")


@action("/me/tokens", Permission.SELF)
async def add_token(request: WebRequest) -> Response[bytes]:
    """Make an API token and show it, this once."""
    form = await request.fields()
    visitor = request.visitor
    role = Role(form.choice("role", [r.value for r in Role]))
    try:
        if narrowed(visitor.role, role) is not role:
            raise Invalid("A token cannot do more than you.", place="role")
        name = form.text("name")
        token = await identity.create_token(request.site.db, visitor.user_id, name, role, request.now)
    except NightbellError as error:
        return await page_of_me(request, {f"token.{error.place}": f"{error.message} {error.hint}".strip()})
    return await page_of_me(request, {}, token=token)


@action("/me/tokens/{ident:uuid}/delete", Permission.SELF)
async def remove_token(request: WebRequest, ident: FromPath[UUID]) -> Response[bytes]:
    """Take an API token back."""
    if not await identity.revoke_token(request.site.db, request.visitor, ident, request.now):
        raise Unknown("You have no such token.")
    return go(request, "/me#tokens", "Taken back: it opens nothing any more.")


ROUTES = [
    me, add_method, test_method, send_code, confirm_method, remove_method, add_rule, remove_rule, change_account,
    change_password, end_session, add_token, remove_token,
]  # fmt: skip
