"""Stands in for Twilio: keeps messages and calls, shows them again, signs what it calls back.

Rule 1: what nobody took fails the test, and so does the same text to the same number twice.
"""

from collections import Counter
from collections.abc import Mapping
from datetime import datetime
from email.utils import format_datetime
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qs, parse_qsl, urlsplit

import msgspec
from msgspec import Struct
from twilio.request_validator import RequestValidator

from nightbell.testing.doubles import Double, Reply, Request, Script

ACCOUNT = "AC00000000000000000000000000000001"
TOKEN = "a-token-of-the-double"


class Handed(Struct, kw_only=True):
    """A message or call that Twilio was asked for."""

    sid: str
    to: str
    fields: dict[str, str]
    at: datetime
    status: str = "queued"
    error_code: int | None = None
    answered_by: str | None = None

    @property
    def body(self) -> str:
        """The text of a message, or the script of a call that has one with it."""
        return self.fields.get("Body", self.fields.get("Twiml", ""))

    @property
    def callback(self) -> str:
        """Where its reports go."""
        return self.fields.get("StatusCallback", "")

    @property
    def code(self) -> str:
        """What a person would answer with."""
        return self.body.partition("Reply ACK ")[2].partition(",")[0]

    def shown(self) -> dict[str, Any]:
        """Return it as Twilio's API shows it."""
        kind = {"body": self.body} if self.sid.startswith("SM") else {"answered_by": self.answered_by}
        made = format_datetime(self.at)
        return {
            "sid": self.sid,
            "to": self.to,
            "status": self.status,
            "date_created": made,
            "error_code": self.error_code,
            **kind,
        }


class TwilioDouble:
    """A Twilio on loopback. `will` scripts trouble for the next request; after it everything is accepted."""

    def __init__(self, clock: Any) -> None:
        self._clock = clock
        self._double = Double(always=self._serve)
        self.handed: list[Handed] = []
        self._taken = 0

    @property
    def settings(self) -> dict[str, str]:
        """What an operator would enter."""
        return {
            "account_sid": ACCOUNT,
            "auth_token": TOKEN,
            "sms_from": "+15550100100",
            "voice_from": "+15550100200",
            "callbacks": "on",
            "base_url": self._double.url,
        }

    def will(self, *script: Script) -> None:
        """Script what happens to the next requests."""
        self._double.will(*script)

    @property
    def asked(self) -> int:
        """How many requests came to send something, whatever became of them."""
        return sum(request.method == "POST" for request in self._double.requests)

    async def take(self) -> Handed:
        """Return the next message or call, once it is there; TimeoutError when it does not come."""
        wanted = self._taken + 1
        posts = len([r for r in self._double.requests if r.method != "POST"])
        while len(self.handed) < wanted:
            await self._double.wait_for(len(self._double.requests) + 1)
            posts += 1
        self._taken = wanted
        return self.handed[wanted - 1]

    def sign(self, url: str, fields: Mapping[str, str]) -> str:
        """Return the signature Twilio puts on a callback."""
        signed: str = RequestValidator(TOKEN).compute_signature(url, dict(fields))
        return signed

    def verify(self) -> None:
        """Raise AssertionError for what nobody took, and for what was asked for twice."""
        left = self.handed[self._taken :]
        if left:
            raise AssertionError(f"unexpected: {[(h.to, h.body or 'a call') for h in left]}")
        twice = Counter((h.to, h.body) for h in self.handed if h.body)
        if again := [pair for pair, count in twice.items() if count > 1]:
            raise AssertionError(f"sent twice: {again}")

    async def __aenter__(self) -> Self:
        await self._double.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._double.stop()
        if error is None:
            self._double.verify()
            self.verify()

    def _serve(self, request: Request) -> Reply:
        parts = urlsplit(request.path)
        resource = parts.path.removeprefix(f"/2010-04-01/Accounts/{ACCOUNT}/").removesuffix(".json")
        if resource == parts.path or "authorization" not in request.headers:
            return _fault(401, 20003, "Authenticate")
        name, _, sid = resource.partition("/")
        if request.method == "POST":
            return self._created(name, dict(parse_qsl(request.body.decode(), keep_blank_values=True)))
        if sid:
            found = [h for h in self.handed if h.sid == sid]
            return _json(200, found[0].shown()) if found else _fault(404, 20404, "not found")
        to = parse_qs(parts.query).get("To", [""])[0]
        prefix = "SM" if name == "Messages" else "CA"
        listed = [h.shown() for h in reversed(self.handed) if h.to == to and h.sid.startswith(prefix)]
        return _json(200, {name.lower(): listed})

    def _created(self, name: str, fields: dict[str, str]) -> Reply:
        prefix = "SM" if name == "Messages" else "CA"
        made = Handed(
            sid=f"{prefix}{len(self.handed) + 1:032d}", to=fields["To"], fields=fields, at=self._clock()
        )
        self.handed.append(made)
        return _json(201, made.shown())


def _json(status: int, body: dict[str, Any]) -> Reply:
    return Reply(status=status, body=msgspec.json.encode(body), headers={"Content-Type": "application/json"})


def _fault(status: int, code: int, message: str) -> Reply:
    return _json(status, {"code": code, "message": message, "status": status})
