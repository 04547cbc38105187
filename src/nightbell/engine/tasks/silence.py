"""The task that silences in Alertmanager what an alert is about, so that its repeats stay away for a while.

Rule 1: Alertmanager makes another silence whenever it is asked; ours carries the step's key, and is looked for first.
"""

from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

import msgspec
from msgspec import Struct

from nightbell.core.errors import Invalid
from nightbell.core.exchange import Answered, Ask, Unanswered
from nightbell.core.labels import Matcher, Op, common, parse_matchers
from nightbell.core.workflow import duration
from nightbell.engine.tasks.contract import (
    PATIENCE,
    Hands,
    Result,
    Step,
    Task,
    done,
    failed,
    not_configured,
    retry,
)

_ANSWERED = 200
_SERVER = 500
_KEPT = 500
_MOST_MEMBERS = 1_000


class Params(Struct, frozen=True, kw_only=True):
    """What is silenced, where and for how long."""

    #: Where Alertmanager is; empty is the one of the settings.
    alertmanager_url: str | None = None
    #: As Alertmanager writes them: alertname="DiskFull",instance=~"db.*"; empty is what all that fires has in common.
    matchers: str | None = None
    #: "2 hours".
    duration: str = "1 hour"
    comment: str | None = None
    created_by: str | None = None


async def run(hands: Hands, params: Params, step: Step) -> Result:
    """Make the silence, unless an earlier attempt did."""
    known = await hands.providers.of(hands.db, "alertmanager")
    named = (params.alertmanager_url or "").strip().rstrip("/")
    base = named or known.get("base_url", "").rstrip("/")
    if not base:
        return not_configured("No Alertmanager is named, here or in the settings of this installation.")
    # Secrets go only where the machine's own settings say.
    headers = {} if named else _headers(known)
    ask = hands.web if named else hands.services
    url = f"{base}/api/v2/silences"
    matchers = await _matchers(hands, params, step)
    found = await _found(ask, url, headers, step)
    if isinstance(found, Result):
        return found
    if found:
        return done(silence_id=found, again=True)
    body = msgspec.json.encode(_silence(params, matchers, step))
    answer = await ask("POST", url, body=body, headers={**headers, "Content-Type": "application/json"})
    return _judged(answer, step)


def _readable(matchers: str) -> None:
    """Raise Invalid for matchers that cannot be read."""
    try:
        parse_matchers(matchers)
    except Invalid as error:
        raise Invalid(f"{error.message} ({error.place})", place="matchers", hint=error.hint) from error


def _silence(params: Params, matchers: list[dict[str, Any]], step: Step) -> dict[str, Any]:
    alert = step.context.get("alert") or {}
    said = params.comment or f"{step.workflow}: {alert.get('summary', '')}".rstrip(": ")
    link = f" {alert['url']}" if alert.get("url") else ""
    return {
        "matchers": matchers,
        "startsAt": _rfc(step.now),
        "endsAt": _rfc(step.began_at + duration(params.duration)),
        "createdBy": params.created_by or f"Nightbell, {step.workflow}",
        "comment": f"{said}{link} [{step.key}]",
    }


async def _matchers(hands: Hands, params: Params, step: Step) -> list[dict[str, Any]]:
    if params.matchers:
        _readable(params.matchers)
        return [_matcher(one) for one in parse_matchers(params.matchers)]
    # What an alert shows holds more than its sender's labels: its status, and what only its first member has.
    rows = await hands.db.rows("read_members", step.alert_id, _MOST_MEMBERS) if step.alert_id else []
    labels = common([row["labels"] for row in rows]) if rows else {}
    if not labels:
        raise Invalid("There are no labels to silence by.", place="matchers")
    return [_matcher(Matcher(name, Op.EQUAL, str(value))) for name, value in sorted(labels.items())]


def _matcher(one: Matcher) -> dict[str, Any]:
    return {
        "name": one.name,
        "value": one.value,
        "isRegex": one.op in (Op.MATCHES, Op.MATCHES_NOT),
        "isEqual": one.op in (Op.EQUAL, Op.MATCHES),
    }


async def _found(ask: Ask, url: str, headers: dict[str, str], step: Step) -> str | Result:
    """Return the silence of an earlier attempt, "" where there is none."""
    if step.attempt == 1:
        return ""
    answer = await ask("GET", f"{url}?{urlencode({'limit': 1_000})}", body=b"", headers=headers)
    if isinstance(answer, Unanswered):
        return _unanswered(answer, step)
    try:
        silences = msgspec.json.decode(answer.body, type=list[dict[str, Any]])
    except msgspec.DecodeError:
        # More silences than are read; another one does no harm.
        return ""
    mine = (one for one in silences if f"[{step.key}]" in str(one.get("comment", "")))
    return next((str(one.get("id", "")) for one in mine), "")


def _judged(answer: Answered | Unanswered, step: Step) -> Result:
    if isinstance(answer, Unanswered):
        return _unanswered(answer, step)
    text = answer.body[:_KEPT].decode("utf-8", "replace").replace("\0", "")
    if answer.status == _ANSWERED:
        try:
            return done(silence_id=msgspec.json.decode(answer.body, type=_Made).silenceID)
        except msgspec.MsgspecError:
            return failed(f"This is no Alertmanager: {text}")
    why = f"Alertmanager answered {answer.status}: {text}"
    if answer.status >= _SERVER:
        return retry(why, step.now + PATIENCE * 2**step.attempt)
    return failed(why)


def _unanswered(answer: Unanswered, step: Step) -> Result:
    if answer.blocked:
        return failed(answer.why)
    return retry(answer.why, step.now + PATIENCE * 2**step.attempt)


def _headers(known: dict[str, str]) -> dict[str, str]:
    token = known.get("token", "")
    return {"Authorization": f"Bearer {token}"} if token else {}


class _Made(Struct):
    silenceID: str  # noqa: N815  Alertmanager's word


def _rfc(at: datetime) -> str:
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")


TASKS = (
    Task(
        name="create_alertmanager_silence",
        label="Silence in Alertmanager",
        group="alerts",
        params=Params,
        run=run,
        fields={"duration": duration, "matchers": _readable},
        calls=("alertmanager_url",),
    ),
)
