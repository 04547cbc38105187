"""What the page about oneself needs to know of bots and push: what a browser subscribes to, which bot to write to."""

from msgspec import Struct

from nightbell.net import webpush
from nightbell.web.site import WebRequest


class Bot(Struct, frozen=True, kw_only=True):
    """The Telegram bot of this installation. `name` is "" while there is none that hears."""

    name: str
    trouble: str


async def push_key(request: WebRequest) -> str:
    """Return the public key that a browser subscribes to, "" while push cannot be sent."""
    known = await request.site.inbound.clerk.providers.of(request.site.db, "push")
    return webpush.public_key(known["private_key"]) if known["private_key"] else ""


async def bot(request: WebRequest) -> Bot:
    """Return which bot people write to."""
    known = await request.site.inbound.clerk.providers.of(request.site.db, "telegram")
    row = await request.site.db.row("poller", "telegram") if known["bot_token"] else None
    if row is None or known["updates"] not in ("poll", "webhook"):
        return Bot(name="", trouble="")
    return Bot(name=row["known_as"], trouble=row["trouble"])
