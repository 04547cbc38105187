"""Pushes to a browser or an installed app, through the push service of whoever made the browser.

The service learns where and how long, never what: the message is encrypted for that one browser.
"""

import hashlib
from typing import Any

import msgspec
from yarl import URL

from nightbell.channels import answers
from nightbell.channels.text import lines, one_line, subject
from nightbell.core.delivery import Message, Outcome, Purpose, Refused, Sent
from nightbell.core.errors import Invalid
from nightbell.net import webpush
from nightbell.net.http import Answer, Http
from nightbell.net.webpush import Subscription

_LONGEST_TITLE = 300
_LONGEST_BODY = 1_500
#: How long a push service keeps what a telephone that is off does not take. Later, escalation has moved on.
_KEPT_SECONDS = 3_600


class Push:
    """Delivers to a subscribed browser; the address is the endpoint that it was given."""

    kind = "push"

    def __init__(self, http: Http) -> None:
        self._http = http

    def check(self, address: str, settings: dict[str, str]) -> None:
        """Raise Invalid for what no browser would have sent."""
        hint = "use “Allow on this device” in the browser or the app that shall ring"
        if objection := self._http.guard.objection(address):
            raise Invalid(objection, place="address", hint=hint)
        if URL(address).user is not None:
            raise Invalid("an endpoint of a push service holds no password", place="address", hint=hint)
        try:
            webpush.keys_of(_subscription(address, settings))
        except ValueError:
            raise Invalid(
                "the keys of the subscription are not usable", place="settings", hint=hint
            ) from None

    async def send(self, message: Message) -> Outcome:
        """Encrypt the message and hand it to the push service."""
        private = message.provider.get("private_key", "")
        if not private:
            return Refused(why="no key to sign with: it is made when Nightbell starts")
        try:
            self.check(message.address, message.settings)
        except Invalid as error:
            return Refused(why=error.message, gone=True)
        to = _subscription(message.address, message.settings)
        body = webpush.encrypt(msgspec.json.encode(render(message)), to)
        ask = answers.Ask(url=message.address, body=body, headers=_headers(message, private))
        return await answers.exchange(self._http, ask, lambda answer: _judged(answer, message))


def render(message: Message) -> dict[str, Any]:
    """Return what the service worker is told. All of it fits: JSON at most doubles what is cut by bytes."""
    return {
        "title": one_line(subject(message), most=_LONGEST_TITLE),
        "body": lines(message.body, most=_LONGEST_BODY // 2),
        # Of one alert only the newest is shown.
        "tag": message.short_id or "test",
        "url": message.acknowledge_url.removesuffix("/acknowledge") or message.alert_url,
        "acknowledge": message.acknowledge_url,
        "loud": message.purpose is Purpose.PAGE,
        "at": int(message.sent_at.timestamp() * 1000),
    }


def _headers(message: Message, private: str) -> dict[str, str]:
    headers = {
        "Authorization": webpush.authorization(
            private, message.address, contact=_contact(message), now=message.sent_at
        ),
        "Content-Encoding": "aes128gcm",
        "Content-Type": "application/octet-stream",
        "TTL": str(_KEPT_SECONDS),
        "Urgency": "high" if message.purpose is Purpose.PAGE else "normal",
    }
    if message.short_id:
        # What waits for a telephone that is off is replaced, so that it never rings for old news.
        headers["Topic"] = hashlib.sha256(message.short_id.encode()).hexdigest()[:32]
    return headers


def _contact(message: Message) -> str:
    """Return where push services write when we misbehave; some refuse what is neither https: nor mailto:."""
    own = message.alert_url
    ours = str(URL(own).origin()) if own.startswith("https://") else "mailto:nightbell@localhost"
    return message.provider.get("contact") or ours


def _subscription(address: str, settings: dict[str, str]) -> Subscription:
    return Subscription(endpoint=address, p256dh=settings.get("p256dh", ""), auth=settings.get("auth", ""))


def _judged(answer: Answer, message: Message) -> Outcome:
    if answers.accepted(answer):
        named = answer.headers.get("location", "").rpartition("/")[2]
        return Sent(provider_id=named[:200], detail=f"HTTP {answer.status}")
    outcome = answers.rejected(answer, message.sent_at)
    if isinstance(outcome, Refused) and answer.status in (404, 410):
        return Refused(why=f"{outcome.why}; this device does not listen any more: allow it again", gone=True)
    return outcome
