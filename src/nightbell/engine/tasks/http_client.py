"""The task that calls an address: any method, headers and body from templates, private addresses only where allowed.

Rule 1: whatever it calls is sent the step's key as Idempotency-Key, because it may be called more than once.
"""

import json
import re
from datetime import datetime, timedelta
from typing import Any, Literal
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from liquid.exceptions import LiquidError
from msgspec import Struct

from nightbell.core.errors import Invalid
from nightbell.core.exchange import Answered, Unanswered
from nightbell.engine.incident_edits import EntryEdit
from nightbell.engine.liquid.expressions import fits
from nightbell.engine.tasks.contract import Hands, Result, Step, Task, failed, retry
from nightbell.engine.tasks.messages import also_to_slack
from nightbell.engine.tasks.naming import Named, incident_of

_KEPT = 16_384
_LONGEST_WAIT = timedelta(seconds=90)
_ATTEMPTS = 5
#: What an answer asks for by these is worth another try.
_LATER = (429, 503)
#: A header's name (RFC 9110), and those that say how a request is framed.
_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,100}")
_OURS = ("content-length", "transfer-encoding", "connection", "upgrade")


class Params(Struct, frozen=True, kw_only=True):
    """What is called, and which answer is a success."""

    url: str
    method: Literal["GET", "POST", "PATCH", "PUT", "DELETE", "OPTIONS"] = "GET"
    #: A JSON object of headers.
    headers: str | None = None
    #: A JSON object that is added to the address.
    params: str | None = None
    body: str | None = None
    #: A status, or a regular expression for all of it: 200, 200|203, 20[0-3].
    succeed_on_status: str | int = "2.."
    #: How often it is called again when the server asks for patience, 0 to 4.
    retry_count: int = 0
    #: Seconds before that, 1 to 15; the server may ask for up to 90.
    retry_wait_time: int = 1
    post_to_incident_timeline: bool = False
    event_message: str | None = None
    event_url: str | None = None
    post_to_slack_channels: list[Named] = []


def _retries(count: int) -> None:
    if not 0 <= count <= _ATTEMPTS - 1:
        raise Invalid("From 0 to 4.", place="retry_count")


def _pause(seconds: int) -> None:
    if not 0 <= seconds <= 15:
        raise Invalid("From 1 to 15 seconds.", place="retry_wait_time")


async def run(hands: Hands, params: Params, step: Step) -> Result:
    """Call it, and judge the answer."""
    _retries(params.retry_count)
    _pause(params.retry_wait_time)
    _fits(params.succeed_on_status)
    if params.post_to_incident_timeline:
        # Before anything is sent: that there is no timeline must not undo what was done.
        incident_of(step)
    headers = {"Idempotency-Key": step.key} | _headers(params.headers)
    body = (params.body or "").encode()
    if body and not any(name.lower() == "content-type" for name in headers):
        headers["Content-Type"] = "application/json" if body.lstrip()[:1] in b"{[" else "text/plain"
    url = _with(params.url.strip(), _table(params.params))
    answer = await hands.web(params.method, url, body=body, headers=headers)
    result = _judged(params, answer, step)
    if result.outcome == "done" and params.post_to_incident_timeline:
        await _told(hands, params, step)
    return await also_to_slack(hands, params.post_to_slack_channels, _event(params, step), step, result)


def _judged(params: Params, answer: Answered | Unanswered, step: Step) -> Result:
    patience = timedelta(seconds=max(1, params.retry_wait_time))
    if isinstance(answer, Unanswered):
        if answer.blocked:
            return failed(answer.why)
        return retry(answer.why, step.now + patience * 2**step.attempt)
    output = {"response": _shown(answer)}
    if _fits(params.succeed_on_status, answer.status):
        return Result(outcome="done", output=output)
    why = f"The answer was {answer.status}, and a success is {params.succeed_on_status}."
    if answer.status in _LATER and step.attempt <= params.retry_count:
        return retry(why, step.now + max(patience, _asked(answer, step.now)), **output)
    return failed(why, **output)


def _asked(answer: Answered, now: datetime) -> timedelta:
    text = answer.headers.get("retry-after", "").strip()
    asked = timedelta(seconds=int(text)) if text.isdecimal() and len(text) < 6 else timedelta()
    return asked if asked <= _LONGEST_WAIT else timedelta()


def _shown(answer: Answered) -> dict[str, Any]:
    text = answer.body[:_KEPT].decode("utf-8", "replace").replace("\0", "")
    # A cookie of theirs would be a secret on our page.
    headers = {name: value for name, value in answer.headers.items() if name != "set-cookie"}
    shown: dict[str, Any] = {"status": answer.status, "headers": headers, "body": text}
    if "json" in answer.headers.get("content-type", "") and len(answer.body) <= _KEPT:
        try:
            shown["json"] = json.loads(text)
        except (ValueError, RecursionError):
            return shown
    return shown


def _fits(wanted: str | int, status: int = 0) -> bool:
    try:
        return fits(str(wanted).strip(), str(status))
    except LiquidError as error:
        raise Invalid(
            f"{error.message}.".capitalize(), place="succeed_on_status", hint="200, 200|203, 20[0-3]"
        ) from error


def _table(text: str | None, place: str = "params") -> dict[str, str]:
    if not text or not text.strip():
        return {}
    try:
        found = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise Invalid(f"Not JSON: {error}.", place=place, hint='{"Authorization": "Bearer …"}') from error
    if not isinstance(found, dict):
        raise Invalid("Not a JSON object.", place=place, hint='{"Authorization": "Bearer …"}')
    return {
        str(name): value if isinstance(value, str) else json.dumps(value) for name, value in found.items()
    }


def _headers(text: str | None) -> dict[str, str]:
    found = _table(text, "headers")
    wrong = [name for name in found if not _NAME.fullmatch(name) or name.lower() in _OURS]
    if wrong:
        raise Invalid(f"{wrong[0]!r} is no header of yours.", place="headers")
    return found


def _with(url: str, more: dict[str, str]) -> str:
    if not more:
        return url
    try:
        parts = urlsplit(url)
    except ValueError as error:
        raise Invalid("This is no address.", place="url") from error
    return urlunsplit(parts._replace(query=urlencode([*parse_qsl(parts.query, True), *more.items()])))


def _event(params: Params, step: Step) -> str:
    return params.event_message or f"{params.method} {urlsplit(params.url).hostname} by {step.workflow}"


async def _told(hands: Hands, params: Params, step: Step) -> None:
    links = [{"url": params.event_url, "title": ""}] if params.event_url else []
    entry = EntryEdit(event=_event(params, step), attachments=links)
    await hands.incidents.note(incident_of(step), entry, by=step.by, now=step.now, cause=step.cause)


TASKS = (
    Task(
        name="http_client",
        label="Call an address",
        group="web",
        params=Params,
        run=run,
        fields={
            "succeed_on_status": _fits,
            "retry_count": _retries,
            "retry_wait_time": _pause,
            "headers": _headers,
            "params": _table,
        },
        calls=("url",),
        attempts=_ATTEMPTS,
    ),
)
