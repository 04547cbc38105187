"""What Twilio calls: reports of messages and calls, answers by text, the script of a call and the keys pressed in it.

Rule 1: a key or a text acts, a fetch never does; every request bears Twilio's signature, and those about one message a
token of ours besides.
"""

from html import escape

from litestar import Response
from litestar.params import FromPath

from nightbell.channels import sms, twilio, voice
from nightbell.core import links
from nightbell.core.access import Permission
from nightbell.core.errors import NightbellError
from nightbell.core.links import Link
from nightbell.core.receipt import Receipt, Stage
from nightbell.engine.receive import Pressed, Written
from nightbell.web.callbacks import called_url, nothing, turn_away, xml
from nightbell.web.inbound import Inbound
from nightbell.web.site import WebRequest, action

_ACTIONS = {key: act for key, act, _ in voice.KEYS}
Fields = dict[str, str]


@action("/callbacks/twilio/sms", Permission.PUBLIC, signed=True)
async def answered(request: WebRequest) -> Response[bytes]:
    """Take a text that somebody sent us, and answer it."""
    inbound, fields = await _genuine(request)
    text = Written(
        kind="sms",
        reference=fields.get("MessageSid", "") or fields.get("SmsSid", ""),
        addresses=(fields.get("From", ""),),
        text=fields.get("Body", ""),
    )
    if not text.reference:
        raise turn_away(request, inbound, "A text without a MessageSid")
    answer = await inbound.receive.written(text, request.now)
    told = f"<Message>{escape(answer.text)}</Message>" if answer.text else ""
    return xml(f"<Response>{told}</Response>")


@action("/callbacks/twilio/sms/{token:str}", Permission.PUBLIC, signed=True)
async def reported(request: WebRequest, token: FromPath[str]) -> Response[bytes]:
    """Take a report of what became of a text message."""
    inbound, fields = await _genuine(request)
    link = _named(request, inbound, token)
    stage, word = sms.meaning(fields.get("MessageStatus", ""), fields.get("ErrorCode", ""))
    await _reported(request, inbound, link, (stage, word, fields.get("MessageSid", "")))
    return nothing()


@action("/callbacks/twilio/voice/{token:str}", Permission.PUBLIC, signed=True)
async def hung_up(request: WebRequest, token: FromPath[str]) -> Response[bytes]:
    """Take a report of what became of a call."""
    inbound, fields = await _genuine(request)
    link = _named(request, inbound, token)
    stage, word = voice.meaning(fields.get("CallStatus", ""), fields.get("AnsweredBy", ""))
    await _reported(request, inbound, link, (stage, word, fields.get("CallSid", "")))
    return nothing()


@action("/callbacks/twilio/voice/{token:str}/script", Permission.PUBLIC, signed=True)
async def script(request: WebRequest, token: FromPath[str]) -> Response[bytes]:
    """Say what a call says, once somebody picked up."""
    inbound, fields = await _genuine(request)
    link = _named(request, inbound, token)
    message = await inbound.spoken.message(link.notification_id, request.now)
    if message is None:
        return xml(voice.told("This alert is not known any more."))
    stage, _ = voice.meaning("in-progress", fields.get("AnsweredBy", ""))
    if stage is Stage.FAILED:
        return xml(voice.to_a_machine(message))
    return xml(voice.spoken(message, keys_url=_keys_url(request, token)))


@action("/callbacks/twilio/voice/{token:str}/keys", Permission.PUBLIC, signed=True)
async def keys(request: WebRequest, token: FromPath[str]) -> Response[bytes]:
    """Do what the key of a call says, and say so."""
    inbound, fields = await _genuine(request)
    link = _named(request, inbound, token)
    digit = fields.get("Digits", "")
    seen = (Stage.SEEN, "a key was pressed", fields.get("CallSid", ""))
    await _reported(request, inbound, link, seen)
    act = _ACTIONS.get(digit)
    if act is None:
        again = " ".join(f"Press {key} to {said}." for key, _, said in voice.KEYS)
        return xml(voice.told(f"That key does nothing. {again}", keys_url=_keys_url(request, token)))
    press = Pressed(
        kind="voice",
        # One key of one call acts once, however often it is reported.
        reference=f"{fields.get('CallSid', '')}/{digit}",
        addresses=(),
        action=act,
        notification_id=link.notification_id,
    )
    answer = await inbound.receive.pressed(press, request.now)
    return xml(voice.told(answer.text))


def _keys_url(request: WebRequest, token: str) -> str:
    return f"{request.site.base_url}/callbacks/twilio/voice/{token}/keys"


async def _genuine(request: WebRequest) -> tuple[Inbound, Fields]:
    """Return the fields of a request that Twilio signed.

    Raises: Forbidden for any other.
    """
    inbound = request.site.inbound
    body = await request.body()
    known = await inbound.clerk.providers.of(request.site.db, "twilio")
    genuine = twilio.genuine(
        known["auth_token"],
        url=called_url(request),
        body=body,
        signature=request.headers.get("x-twilio-signature", ""),
    )
    if not genuine:
        raise turn_away(request, inbound, "This callback does not bear Twilio's signature")
    # PostgreSQL keeps no NUL, and somebody may text one.
    return inbound, {name: value.replace("\0", "\ufffd") for name, value in twilio.form(body)}


def _named(request: WebRequest, inbound: Inbound, token: str) -> Link:
    """Return which message a token names.

    Raises: Forbidden when it is not ours or past its time.
    """
    try:
        return links.opened(inbound.clerk.callback_key, token, request.now)
    except NightbellError as error:
        raise turn_away(request, inbound, f"A callback for no message of ours: {error.message}") from error


async def _reported(request: WebRequest, inbound: Inbound, link: Link, said: tuple[Stage, str, str]) -> None:
    stage, word, sid = said
    report = Receipt(notification_id=link.notification_id, stage=stage, provider_id=sid, why=word)
    await inbound.receive.receipt(report, request.now)


ROUTES = [answered, reported, hung_up, script, keys]
