"""Calls telephones through Twilio: says the summary twice and asks for a key.

Rule 1: only a key is an answer. A call that a machine took was not seen, and one that nobody took has failed.
"""

from html import escape

from nightbell.channels import twilio
from nightbell.channels.phone_numbers import check_number
from nightbell.channels.text import one_line
from nightbell.core.delivery import Message, Outcome, Purpose, Refused, Traced
from nightbell.core.errors import Invalid
from nightbell.core.receipt import Stage
from nightbell.net.http import Http

#: Seconds a telephone rings; voice mail usually begins after 25 to 30.
_RINGS = "25"
_LONGEST_TITLE = 300
#: A key, what it does, how it is said.
KEYS = (("1", "acknowledge", "acknowledge"), ("2", "resolve", "resolve"), ("3", "escalate", "escalate"))
_FAILED = frozenset({"busy", "no-answer", "failed", "canceled"})
_VOICE = 'voice="alice" language="en-US"'


class Voice:
    """Delivers to a telephone number, as a call."""

    kind = "voice"

    def __init__(self, http: Http) -> None:
        self._http = http

    def check(self, address: str, settings: dict[str, str]) -> None:
        """Raise Invalid for what is not a telephone number."""
        check_number(address)

    async def send(self, message: Message) -> Outcome:
        """Ask Twilio to call and report what it said."""
        try:
            self.check(message.address, message.settings)
        except Invalid as error:
            return Refused(why=error.message)
        origin = message.provider.get("voice_from", "")
        if message.provider.get("auth_token") and not origin:
            return Refused(why="no number to call from (Settings → Providers)")
        fields = {"To": message.address, "From": origin, "Timeout": _RINGS, **_script(message)}
        return await twilio.create(self._http, message, "Calls", fields)

    async def trace(self, message: Message, provider_id: str, known: frozenset[str]) -> Traced:
        """Ask Twilio what became of a call."""
        return await twilio.trace(self._http, message, "Calls", (provider_id, known), _meaning)


def _script(message: Message) -> dict[str, str]:
    if not message.callback_url:
        return {"Twiml": spoken(message, keys_url="")}
    return {
        "Url": f"{message.callback_url}/script",
        "StatusCallback": message.callback_url,
        "StatusCallbackEvent": "completed",
        "MachineDetection": "Enable",
    }


def spoken(message: Message, *, keys_url: str) -> str:
    """Return TwiML that says the summary twice; with `keys_url`, where keys are sent, it asks for one."""
    summary = _summary(message)
    if not keys_url or message.purpose is not Purpose.PAGE:
        return _response(_say(f"{summary} {summary} Goodbye."))
    asked = " ".join(f"Press {key} to {said}." for key, _, said in KEYS)
    gather = f'<Gather numDigits="1" timeout="8" action="{escape(keys_url)}" actionOnEmptyResult="false">'
    body = f'{gather}{_say(f"{summary} {asked}")}<Pause length="1"/>{_say(f"{summary} {asked}")}</Gather>'
    return _response(f"{body}{_say('No key was pressed. This alert is not acknowledged. Goodbye.')}")


def to_a_machine(message: Message) -> str:
    """Return TwiML for whatever listens to an answering machine later."""
    return _response(_say(f"{_summary(message)} This was not acknowledged. Goodbye."))


def told(text: str, *, keys_url: str = "") -> str:
    """Return TwiML that says what became of a key, and with `keys_url` asks for another."""
    if not keys_url:
        return _response(_say(f"{one_line(text, most=400)} Goodbye."))
    gather = f'<Gather numDigits="1" timeout="8" action="{escape(keys_url)}">{_say(one_line(text, most=400))}</Gather>'
    return _response(f"{gather}{_say('No key was pressed. Goodbye.')}")


def _summary(message: Message) -> str:
    title = one_line(message.title, most=_LONGEST_TITLE)
    match message.purpose:
        case Purpose.PAGE:
            urgency = one_line(f"{message.urgency} alert", most=60)
            return f"Nightbell, for {one_line(message.recipient, most=60)}. {urgency}: {title}."
        case Purpose.VERIFY:
            # Digits one by one, or "482913" becomes a number of half a million.
            return "Nightbell. " + " ".join(f"{c}," if c.isdigit() else c for c in title) + "."
        case _:
            return f"Nightbell. {title}."


def _say(text: str) -> str:
    return f"<Say {_VOICE}>{escape(text)}</Say>"


def _response(body: str) -> str:
    return f'<?xml version="1.0" encoding="UTF-8"?><Response>{body}</Response>'


def meaning(status: str, answered_by: str) -> tuple[Stage, str]:
    """Return what a status of Twilio's says of a call. That somebody picked up is arrival; only a key is an answer."""
    word = one_line(f"{status}, answered by {answered_by}" if answered_by else status, most=100)
    if status in _FAILED:
        return Stage.FAILED, word
    if answered_by.startswith("machine") or answered_by == "fax":
        return Stage.FAILED, word
    return (Stage.DELIVERED if status == "completed" else Stage.ACCEPTED), word


def _meaning(item: twilio.Item) -> tuple[Stage, str]:
    return meaning(item.status, item.answered_by or "")
