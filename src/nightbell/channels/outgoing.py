"""Posts an event to the URL of somebody's endpoint, signed as Rootly signs its webhooks, and says what was answered."""

import hashlib
import hmac
from datetime import datetime

from nightbell.channels.answers import retry_after
from nightbell.channels.text import one_line
from nightbell.core.errors import Invalid
from nightbell.core.webhook import LONGEST_ANSWER, Answered, Asked
from nightbell.net.http import Answer, Http, NetError

SIGNATURE = "X-Rootly-Signature"


class Outgoing:
    """Delivers events to endpoints."""

    def __init__(self, http: Http) -> None:
        self._http = http

    def check(self, url: str) -> None:
        """Raise Invalid for an address that cannot be called, or lies where none may be called."""
        if objection := self._http.guard.objection(url):
            raise Invalid(objection, place="url", hint="for example https://hooks.example.org/nightbell")

    async def post(self, asked: Asked) -> Answered:
        """Post one event. Every answer is an answer: only 2xx is yes."""
        headers = {
            **asked.headers,
            "Content-Type": "application/json",
            SIGNATURE: signature(asked.secret, asked.body, asked.at),
        }
        try:
            answer = await self._http.post(asked.url, body=asked.body, headers=headers)
        except NetError as error:
            return Answered(why=str(error))
        return _answered(answer, asked.at)


def signature(secret: str, body: bytes, at: datetime) -> str:
    """Return the signature of a body: HMAC-SHA256 over the Unix time and the body as it is sent, in hex.

    Source: rootly.md 3, "Outgoing webhooks".
    """
    stamp = str(int(at.timestamp()))
    return f"t={stamp},v1={hmac.new(secret.encode(), stamp.encode() + body, hashlib.sha256).hexdigest()}"


def _answered(answer: Answer, now: datetime) -> Answered:
    text = answer.body[: LONGEST_ANSWER * 4].decode("utf-8", "replace").replace("\0", "")[:LONGEST_ANSWER]
    if 200 <= answer.status < 300:
        return Answered(status=answer.status, body=text, why=f"HTTP {answer.status}")
    if 300 <= answer.status < 400:
        to = one_line(answer.headers.get("location", "elsewhere"), most=300)
        why = f"HTTP {answer.status}: redirected to {to}; redirects are not followed"
        return Answered(status=answer.status, body=text, why=why)
    said = one_line(text, most=300)
    why = f"HTTP {answer.status}: {said}" if said else f"HTTP {answer.status}"
    return Answered(status=answer.status, body=text, why=why, after=retry_after(answer, now))
