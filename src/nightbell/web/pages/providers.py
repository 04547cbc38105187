"""The services that deliver for us, for the operator: accounts and secrets, a test that repeats what they answer."""

from typing import Any

from litestar import Response
from litestar.params import FromPath

from nightbell.core.access import Permission
from nightbell.core.delivery import Refused, Retry, Sent, Unsure
from nightbell.core.errors import Invalid, Unknown
from nightbell.core.providers import PROVIDERS, Provider
from nightbell.engine import trial
from nightbell.engine.sealed import MASK
from nightbell.store.read import pages
from nightbell.web import devices
from nightbell.web.faults import told
from nightbell.web.render import go, render
from nightbell.web.site import WebRequest, action, page

_SHOWN_REPLIES = 20


@page("/settings/providers", Permission.OPERATE)
async def providers(request: WebRequest) -> Response[bytes]:
    """Show what is known of each service."""
    return await _page(request, {})


async def _page(request: WebRequest, errors: dict[str, str]) -> Response[bytes]:
    known = request.site.inbound.clerk.providers
    values = await known.shown(request.site.db)
    return await render(
        request,
        "providers.html",
        code=422 if errors else 200,
        nav="settings",
        errors=errors,
        providers=[_shown(request, one, values[one.name]) for one in PROVIDERS.values()],
        replies=await pages.replies(request.site.db, _SHOWN_REPLIES),
        mask=MASK,
        bot=await devices.bot(request),
    )


def _shown(request: WebRequest, provider: Provider, values: dict[str, str]) -> dict[str, Any]:
    fixed = request.site.inbound.clerk.providers.is_fixed
    fields = [
        {
            "field": f,
            "value": values[f.name],
            "choices": [(one, one) for one in f.choices],
            "fixed": f.machine or fixed(provider.name, f.name),
        }
        for f in provider.fields
    ]
    missing = [f.label for f in provider.fields if f.name in provider.needs and not values[f.name]]
    kinds = [k for k in provider.kinds if k in request.site.channels and k not in _NOT_BY_HAND]
    calls = [(what, f"{request.site.base_url}{path}") for what, path in _CALLS.get(provider.name, ())]
    return {"provider": provider, "fields": fields, "missing": missing, "kinds": kinds, "calls": calls}


#: What an operator enters at the service, so that it can call us.
_CALLS = {
    "twilio": (("Messages that come in to your number go to (POST)", "/callbacks/twilio/sms"),),
    "slack": (
        ("Interactivity request URL; not needed with an app token", "/callbacks/slack"),
        ("Events request URL, for messages marked in rooms; the same holds", "/callbacks/slack/events"),
    ),
    "discord": (("Interactions endpoint URL of the application, for buttons", "/callbacks/discord"),),
}
#: Kinds whose addresses only a browser knows are tried out on one's own page.
_NOT_BY_HAND = ("push",)


def _named(name: str) -> Provider:
    found = PROVIDERS.get(name)
    if found is None:
        raise Unknown("There is no such provider.")
    return found


@action("/settings/providers/{name:str}", Permission.OPERATE)
async def change_provider(request: WebRequest, name: FromPath[str]) -> Response[bytes]:
    """Change what is known of a service."""
    provider = _named(name)
    form = await request.fields()
    known = request.site.inbound.clerk.providers
    editable = [f for f in provider.fields if not f.machine and not known.is_fixed(name, f.name)]
    sent = {f.name: form.raw(f.name).strip() for f in editable}
    try:
        await request.site.configure.set_provider(name, sent, by=request.visitor.actor, now=request.now)
    except Invalid as error:
        return await _page(request, {f"{name}.{place}": text for place, text in told(error).items()})
    return go(request, f"/settings/providers#{name}", f"{provider.label}: saved.")


@action("/settings/providers/{name:str}/test", Permission.OPERATE)
async def try_provider(request: WebRequest, name: FromPath[str]) -> Response[bytes]:
    """Send a test to an address, and say what the service answered."""
    provider = _named(name)
    form = await request.fields()
    kind = form.choice("kind", provider.kinds)
    clerk, channel = request.site.inbound.clerk, request.site.channels[kind]
    try:
        outcome = await trial.try_out(
            request.site.db, clerk, channel, form.text("address", longest=500), request.now
        )
    except Invalid as error:
        return await _page(request, {f"{name}.test": f"{error.message} {error.hint}".strip()})
    match outcome:
        case Sent():
            ident = f" ({outcome.provider_id})" if outcome.provider_id else ""
            said, bad = f"{provider.label} accepted it: {outcome.detail}{ident}.", False
        case Retry():
            said, bad = f"{provider.label} could not take it now: {outcome.why}", True
        case Refused():
            said, bad = f"{provider.label} refused it: {outcome.why}", True
        case Unsure():
            said, bad = f"Nobody knows whether it was taken: {outcome.why}", True
    return go(request, f"/settings/providers#{name}", said, bad=bad)


ROUTES = [providers, change_provider, try_provider]
