"""What Telegram, Discord and Mattermost call when a button is pressed, each believed only with its own proof.

Telegram shows a secret it was told, Discord signs, Mattermost calls an address that holds a token and no reader sees.
"""

import msgspec
from litestar import Response
from litestar.params import FromPath
from msgspec import Struct

from nightbell.channels import discord_presses, telegram_updates
from nightbell.channels.mattermost import ACTS
from nightbell.core import links
from nightbell.core.access import Permission
from nightbell.core.chat import Press
from nightbell.core.errors import NightbellError, Unauthenticated
from nightbell.engine.chatting import webhook_secret
from nightbell.web.callbacks import nothing, turn_away
from nightbell.web.site import WebRequest, action

_PING, _BUTTON = 1, 3
_PONG, _MESSAGE = 1, 4
#: Discord: only whoever pressed sees it.
_EPHEMERAL = 64


class _Clicked(Struct):
    """What Mattermost tells of a button."""

    context: dict[str, msgspec.Raw] = {}
    trigger_id: str = ""
    post_id: str = ""
    user_id: str = ""


@action("/callbacks/telegram", Permission.PUBLIC, signed=True)
async def telegram_told(request: WebRequest) -> Response[bytes]:
    """Take one update of Telegram's, and answer with what the bot says."""
    header = request.headers.get("x-telegram-bot-api-secret-token", "")
    if not telegram_updates.genuine(webhook_secret(request.site.link_key), header):
        raise turn_away(
            request, request.site.inbound, "This request does not show the secret Telegram was told"
        )
    update = telegram_updates.one(await request.body())
    what = telegram_updates.happening(update) if update else None
    if update is None or what is None:
        return nothing()
    said = await request.site.inbound.chatting.happened("telegram", what, request.now)
    told = telegram_updates.reply(update, said.text, loud=said.loud)
    return _json({"method": told[0], **told[1]}) if told else nothing()


@action("/callbacks/discord", Permission.PUBLIC, signed=True)
async def discord_told(request: WebRequest) -> Response[bytes]:
    """Take an interaction of Discord's: its check of our signature check, or a button."""
    inbound, body = request.site.inbound, await request.body()
    known = await inbound.clerk.providers.of(request.site.db, "discord")
    signature = request.headers.get("x-signature-ed25519", "")
    stamp = request.headers.get("x-signature-timestamp", "")
    if not discord_presses.genuine(known["public_key"], signature, stamp, body):
        why = "This request does not bear Discord's signature"
        # Discord asks for this very status before it believes that we check.
        raise Unauthenticated(turn_away(request, inbound, why, status=401).message)
    try:
        interaction = msgspec.json.decode(body, type=discord_presses.Interaction)
    except (msgspec.MsgspecError, RecursionError):
        return nothing()
    if interaction.type == _PING:
        return _json({"type": _PONG})
    press = discord_presses.press(interaction)
    if press is None:
        text = "This button is not one of ours, or not any more."
    else:
        text = (await inbound.chatting.happened("discord", press, request.now)).text
    return _json(
        {"type": _MESSAGE, "data": {"content": text, "flags": _EPHEMERAL, "allowed_mentions": {"parse": []}}}
    )


@action("/callbacks/mattermost/{token:str}", Permission.PUBLIC, signed=True)
async def mattermost_told(request: WebRequest, token: FromPath[str]) -> Response[bytes]:
    """Take a button of Mattermost's; whoever can press it acts for whom the message was."""
    inbound = request.site.inbound
    try:
        link = links.opened(inbound.clerk.callback_key, token, request.now)
    except NightbellError as error:
        turn_away(request, inbound, f"A button of no message of ours: {error.message}")
        return _json({"ephemeral_text": f"{error.message} {error.hint}".strip()})
    try:
        clicked = msgspec.json.decode(await request.body(), type=_Clicked)
        act = msgspec.json.decode(clicked.context.get("act", msgspec.Raw(b'""')), type=str)
    except (msgspec.MsgspecError, RecursionError):
        return nothing()
    if act not in ACTS or not (clicked.trigger_id or clicked.post_id):
        return _json({"ephemeral_text": "This button is not one of ours."})
    reference = clicked.trigger_id or f"{clicked.post_id} {clicked.user_id} {act}"
    press = Press(reference=reference, by="", action=act, notification_id=link.notification_id)
    said = await inbound.chatting.happened("mattermost", press, request.now)
    return _json({"ephemeral_text": said.text})


def _json(answer: object) -> Response[bytes]:
    return Response(msgspec.json.encode(answer), media_type="application/json")


ROUTES = [telegram_told, discord_told, mattermost_told]
