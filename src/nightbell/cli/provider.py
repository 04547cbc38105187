"""`nightbell provider`: the accounts and secrets of services that carry messages, and a test of them."""

import sys

from cyclopts import App

from nightbell.channels import registry
from nightbell.channels.email import SmtpSettings
from nightbell.cli import opening, screen
from nightbell.cli.options import Where, settings
from nightbell.core.delivery import Outcome, Refused, Retry, Sent, Unsure
from nightbell.core.errors import Invalid, Unknown
from nightbell.core.providers import PROVIDERS
from nightbell.engine import trial
from nightbell.engine.messages import Desk
from nightbell.engine.providers import Providers
from nightbell.net.guard import Guard
from nightbell.net.http import Http
from nightbell.settings import Settings

_EVERYWHERE = ("0.0.0.0/0", "::/0")

app = App(name="provider", help="Set up the services that carry messages, and try them out.")


@app.command(name="list")
def list_(*, where: Where | None = None) -> None:
    """List providers and what is set of each; secrets are masked."""
    chosen = settings(where)
    opening.quiet(chosen)
    opening.run(_list(chosen))


async def _list(settings: Settings) -> None:
    async with opening.opened(settings, "provider list") as site:
        known = Providers(site.configure.vault, settings.providers)
        shown = await known.shown(site.db)
    rows = [
        [name, field.name, shown[name][field.name], "machine" if known.is_fixed(name, field.name) else ""]
        for name, provider in PROVIDERS.items()
        for field in provider.fields
    ]
    screen.table(("provider", "setting", "value", "set by"), rows)


@app.command(name="set")
def set_(name: str, setting: str, value: str = "-", *, where: Where | None = None) -> None:
    """Set one thing of a provider. A secret is better read from standard input than written into a shell's history.

    Parameters
    ----------
    name
        twilio, slack, …: see `nightbell provider list`.
    setting
        account_sid, auth_token, bot_token, …
    value
        What it is from now on; "-" reads a line of standard input, "" forgets it.
    """
    chosen = settings(where)
    opening.quiet(chosen)
    given = sys.stdin.readline().strip() if value == "-" else value
    opening.run(_set(chosen, name, setting, given))
    screen.hint("Saved.")


async def _set(settings: Settings, name: str, setting: str, value: str) -> None:
    async with opening.opened(settings, "provider set") as site:
        await site.same_key()
        await site.configure.set_provider(name, {setting: value}, by=opening.OPERATOR, now=site.now())


@app.command
def test(kind: str, address: str, *, where: Where | None = None) -> None:
    """Send a test message and say what the provider answered.

    Parameters
    ----------
    kind
        sms, voice, slack, …
    address
        Where to: a number like +15550100123, a member's id.
    """
    chosen = settings(where)
    opening.quiet(chosen)
    outcome = opening.run(_test(chosen, kind, address))
    match outcome:
        case Sent():
            screen.hint(f"Accepted: {outcome.detail} {outcome.provider_id}".strip())
        case Retry() | Refused() | Unsure():
            raise Invalid(f"{type(outcome).__name__.lower()}: {outcome.why}", place=kind)


async def _test(settings: Settings, kind: str, address: str) -> Outcome:
    async with opening.opened(settings, "provider test") as site:
        desk = Desk(site.configure.vault, site.url, Providers(site.configure.vault, settings.providers))
        http, services = Http(Guard(settings.allow_networks)), Http(Guard(_EVERYWHERE))
        try:
            channels = registry.build(SmtpSettings(), http, services)
            known = sorted(k for p in PROVIDERS.values() for k in p.kinds if k in channels)
            if kind not in known:
                raise Unknown(f"there is no channel {kind}", hint=f"one of: {', '.join(known)}")
            return await trial.try_out(site.db, desk.clerk, channels[kind], address, site.now())
        finally:
            await http.aclose()
            await services.aclose()
