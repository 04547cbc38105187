"""Sends text messages through Twilio: short, with a link that works and a code to answer with."""

from nightbell.channels import gsm, twilio
from nightbell.channels.phone_numbers import check_number
from nightbell.channels.text import one_line
from nightbell.core.delivery import Message, Outcome, Purpose, Refused, Traced
from nightbell.core.errors import Invalid
from nightbell.core.receipt import Stage
from nightbell.net.http import Http

#: Parts of one message: four are 612 GSM characters, and each is paid for.
_MOST_SEGMENTS = 4
_LONGEST_TITLE = 400
#: Source: Twilio's message resource; `sending` and before say only that Twilio has it.
_STAGES = {
    "delivered": Stage.DELIVERED,
    "read": Stage.SEEN,
    "undelivered": Stage.FAILED,
    "failed": Stage.FAILED,
    "canceled": Stage.FAILED,
}


class Sms:
    """Delivers to a telephone number, as text."""

    kind = "sms"

    def __init__(self, http: Http) -> None:
        self._http = http

    def check(self, address: str, settings: dict[str, str]) -> None:
        """Raise Invalid for what is not a telephone number."""
        check_number(address)

    async def send(self, message: Message) -> Outcome:
        """Hand the message to Twilio and report what it said."""
        try:
            self.check(message.address, message.settings)
        except Invalid as error:
            return Refused(why=error.message)
        origin = message.provider.get("sms_from", "")
        if message.provider.get("auth_token") and not origin:
            return Refused(why="no number to send text messages from (Settings → Providers)")
        sender = "MessagingServiceSid" if origin.startswith("MG") else "From"
        fields = {"To": message.address, sender: origin, "Body": render(message)}
        if message.callback_url:
            fields["StatusCallback"] = message.callback_url
        return await twilio.create(self._http, message, "Messages", fields)

    async def trace(self, message: Message, provider_id: str, known: frozenset[str]) -> Traced:
        """Ask Twilio what became of a message."""
        return await twilio.trace(self._http, message, "Messages", (provider_id, known), _meaning)


def render(message: Message) -> str:
    """Return the text: what, where to look, what to answer. The end is never cut."""
    title = gsm.plain(one_line(message.title, most=_LONGEST_TITLE))
    match message.purpose:
        case Purpose.VERIFY | Purpose.TEST:
            return gsm.fitting(f"Nightbell: {title}", "", most=_MOST_SEGMENTS)
        case Purpose.UPDATE | Purpose.NOTICE:
            return gsm.fitting(f"Nightbell: {title}", _tail(message.alert_url), most=_MOST_SEGMENTS)
        case _:
            urgency = gsm.plain(one_line(message.urgency, most=40))
            head = f"{urgency}: {title}" if urgency else title
            return gsm.fitting(head, _answers(message), most=_MOST_SEGMENTS)


def _answers(message: Message) -> str:
    code = message.reply_code
    asked = f"\nReply ACK {code}, RES {code} or ESC {code}" if code else ""
    # The page behind the link has all buttons; its last part only says which is big.
    return _tail(message.acknowledge_url.removesuffix("/acknowledge")) + asked


def _tail(url: str) -> str:
    return f"\n{url}" if url else ""


def meaning(status: str, error: str) -> tuple[Stage, str]:
    """Return what a status of Twilio's says of a text message."""
    word = one_line(f"{status} ({error})" if error else status, most=100)
    return _STAGES.get(status, Stage.ACCEPTED), word


def _meaning(item: twilio.Item) -> tuple[Stage, str]:
    return meaning(item.status, str(item.error_code or ""))
