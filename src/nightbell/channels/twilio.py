"""Speaks to Twilio: posts forms, reads answers and statuses, knows a genuine callback. Shared by sms and voice.

Twilio takes no idempotency key, so a message in doubt is looked for among what was sent, never simply sent again.
"""

from base64 import b64encode
from collections.abc import Callable, Mapping
from datetime import timedelta
from email.utils import parsedate_to_datetime
from typing import TypeVar
from urllib.parse import parse_qsl, urlencode

import msgspec
from msgspec import Struct
from twilio.request_validator import RequestValidator

from nightbell.channels import answers
from nightbell.channels.text import one_line
from nightbell.core.delivery import Absent, Found, Message, NotSaid, Outcome, Refused, Traced
from nightbell.core.receipt import Stage
from nightbell.net.http import Answer, Http, NetError

#: What an operator can do about the refusals that are theirs to mend. Source: Twilio's error dictionary.
_HINTS = {
    20003: "the account SID or the auth token in the settings is wrong or was revoked",
    20404: "the account in the settings does not exist",
    21210: "the number calls come from is not one of this account",
    21211: "this number cannot be called or written to",
    21408: "the account may not write to this country",
    21606: "the number messages come from cannot send them",
    21608: "a trial account reaches verified numbers only",
    21609: "Twilio cannot reach this installation: set NIGHTBELL_BASE_URL, or callbacks to off",
    21610: "the person answered STOP to this sender; START lets it write again",
    21614: "this number cannot receive text messages",
    21219: "a trial account reaches verified numbers only",
}
#: What is looked through for a message in doubt: sent to this number from a little before until now.
_SLACK = timedelta(minutes=2)
_MOST_LISTED = 50
T = TypeVar("T")


class _Fault(Struct):
    code: int | None = None
    message: str = ""


class _Made(Struct):
    sid: str = ""


class Item(Struct):
    """A message or a call as Twilio shows it; calls have no body and no error code."""

    sid: str = ""
    status: str = ""
    to: str = ""
    body: str | None = None
    error_code: int | None = None
    date_created: str | None = None
    start_time: str | None = None
    answered_by: str | None = None


class _Listed(Struct):
    messages: list[Item] = []
    calls: list[Item] = []


#: Returns what a status means: (stage, word).
Meaning = Callable[[Item], tuple[Stage, str]]


async def create(http: Http, message: Message, resource: str, fields: Mapping[str, str]) -> Outcome:
    """Post a form to a resource of the account, "Messages" or "Calls"; report what is known."""
    missing = [name for name in ("account_sid", "auth_token") if not message.provider.get(name)]
    if missing:
        return Refused(why=f"Twilio is not set up: {' and '.join(missing)} missing (Settings → Providers)")
    outcome = await answers.post(
        http,
        f"{_account(message)}/{resource}.json",
        body=urlencode(fields).encode(),
        headers={**_login(message), "Content-Type": "application/x-www-form-urlencoded"},
        now=message.sent_at,
        identify=_sid,
    )
    return _explained(outcome) if isinstance(outcome, Refused) else outcome


async def trace(
    http: Http, message: Message, resource: str, ident: tuple[str, frozenset[str]], meaning: Meaning
) -> Traced:
    """Return what Twilio knows of a message.

    Shape: `ident` is its SID, "" when its answer never came, and the SIDs that belong to others.
    """
    sid, known = ident
    try:
        if sid:
            url = f"{_account(message)}/{resource}/{sid}.json"
        else:
            query = urlencode({"To": message.address, "PageSize": _MOST_LISTED})
            url = f"{_account(message)}/{resource}.json?{query}"
        answer = await http.get(url, headers=_login(message), most=1024 * 1024)
    except NetError as error:
        return NotSaid(why=str(error))
    return _fetched(answer, meaning) if sid else _searched(answer, message, known, meaning)


def _fetched(answer: Answer, meaning: Meaning) -> Traced:
    if answer.status == 404:
        return Absent(why="Twilio knows no such message")
    found = _decoded(answer, Item)
    if answer.status != 200 or found is None:
        return NotSaid(why=f"Twilio answered HTTP {answer.status}")
    stage, why = meaning(found)
    return Found(provider_id=found.sid, stage=stage, why=why)


def _searched(answer: Answer, message: Message, known: frozenset[str], meaning: Meaning) -> Traced:
    listed = _decoded(answer, _Listed)
    if answer.status != 200 or listed is None:
        return NotSaid(why=f"Twilio answered HTTP {answer.status}")
    mine = [one for one in (*listed.messages, *listed.calls) if one.sid not in known and _since(one, message)]
    if not mine:
        return Absent(why="Twilio has no message to this number from that time")
    # Several that no other message claims are tries of this one: the same text to the same number.
    stage, why = meaning(mine[0])
    return Found(provider_id=mine[0].sid, stage=stage, why=why)


def _since(one: Item, message: Message) -> bool:
    """Return whether an item can be this message: made when it was, and the same text where there is one."""
    made = one.date_created or one.start_time
    if not made:
        return False
    try:
        at = parsedate_to_datetime(made)
    except ValueError:
        return False
    expected = f" {message.reply_code}" if message.reply_code else ""
    same = one.body is None or expected in one.body
    return same and abs(at - message.sent_at) <= _SLACK


def genuine(token: str, *, url: str, body: bytes, signature: str) -> bool:
    """Return whether a callback bears Twilio's signature. `url` is the one Twilio was given, query included."""
    if not token or not signature.isascii():
        return False
    params: dict[str, list[str]] = {}
    for name, value in form(body):
        params.setdefault(name, []).append(value)
    return bool(RequestValidator(token).validate(url, _Many(params), signature))


class _Many(dict[str, list[str]]):
    """Parameters that may come twice, as the validator asks for them."""

    def getlist(self, name: str) -> list[str]:
        """Return every value of a name."""
        return self[name]


def form(body: bytes) -> list[tuple[str, str]]:
    """Return the fields of a form in their order, empty ones too: they are signed like the rest."""
    try:
        return parse_qsl(body.decode("ascii"), keep_blank_values=True, max_num_fields=200)
    except (UnicodeDecodeError, ValueError):
        return []


def _explained(refused: Refused) -> Refused:
    status, _, said = refused.why.partition(": ")
    try:
        fault = msgspec.json.decode(said, type=_Fault)
    except msgspec.DecodeError:
        return refused
    hint = f"; {_HINTS[fault.code]}" if fault.code in _HINTS else ""
    code = f" (error {fault.code})" if fault.code else ""
    return Refused(why=f"{status}: {one_line(fault.message, most=200)}{code}{hint}")


def _sid(body: bytes) -> str | None:
    """Return the id of what was made; without one nothing is known to be."""
    try:
        return msgspec.json.decode(body, type=_Made).sid[:64] or None
    except msgspec.DecodeError:
        return None


def _decoded(answer: Answer, kind: type[T]) -> T | None:
    try:
        return msgspec.json.decode(answer.body, type=kind)
    except (msgspec.DecodeError, RecursionError):
        return None


def _account(message: Message) -> str:
    base = message.provider.get("base_url", "").rstrip("/")
    return f"{base}/2010-04-01/Accounts/{message.provider['account_sid']}"


def _login(message: Message) -> dict[str, str]:
    pair = f"{message.provider['account_sid']}:{message.provider['auth_token']}"
    return {"Authorization": f"Basic {b64encode(pair.encode()).decode()}"}
