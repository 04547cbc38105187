"""`nightbell fire`: posts what a real Alertmanager would, so that the whole line can be tried without one."""

import http.client
import urllib.error
import urllib.request
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated, Any
from urllib.parse import quote

import msgspec
from cyclopts import Parameter

from nightbell import clock
from nightbell.__about__ import __version__
from nightbell.cli import demo, opening, screen
from nightbell.cli.options import Where
from nightbell.cli.options import settings as settings_of
from nightbell.cli.source import parsed_target, source_named
from nightbell.core.errors import Invalid, NightbellError
from nightbell.core.labels import fingerprint
from nightbell.settings import Settings
from nightbell.store.datalock import holder
from nightbell.store.read.sources import all_sources

#: An alert that still fires says that it ended at the beginning of time (alertmanager.md 1.2).
_NOT_YET = "0001-01-01T00:00:00Z"
#: A resolve repeats when its alert began. We do not remember it; nothing is decided by it.
_AGO = timedelta(minutes=5)
_PATIENCE = 30.0


class NotSent(NightbellError):
    """The alert did not arrive."""

    code = "not_sent"


@Parameter(name="*")
@dataclass(frozen=True, kw_only=True)
class Post:
    """Where an alert goes; what is left out is found out."""

    target: Annotated[
        str | None,
        Parameter(help="Whom it is for: User:7, Group:<id>, EscalationPolicy:<id> or Service:<id>."),
    ] = None
    source: Annotated[
        str | None, Parameter(help=f"Whose secret to use. [{demo.SOURCE}, or the only source]")
    ] = None
    url: Annotated[str | None, Parameter(help="Nightbell's address. [the one that runs here]")] = None
    secret: Annotated[
        str | None, Parameter(help="The source's secret; with --url nothing is read from this machine.")
    ] = None


def fire(
    alertname: str,
    *,
    severity: str = "critical",
    label: tuple[str, ...] = (),
    resolve: bool = False,
    post: Post | None = None,
    where: Where | None = None,
) -> None:
    """Send an alert as an Alertmanager would, and say what became of it.

    Parameters
    ----------
    alertname
        The name of the rule that is said to fire.
    severity
        The label of that name.
    label
        More labels, each written name=value.
    resolve
        Say that it is over instead.
    """
    settings = settings_of(where)
    opening.quiet(settings)
    given = post or Post()
    labels = labelled(alertname, severity, label)
    path = _path(given.target)
    url = (given.url or _running(settings, given)).rstrip("/")
    secret = given.secret or opening.run(_secret(settings, given.source))
    body = webhook(labels, clock.now(), over=resolve)
    _tell(_posted(url + path, secret, body), alertname, url)


def labelled(alertname: str, severity: str, more: tuple[str, ...]) -> dict[str, str]:
    """Return the labels of an alert, sorted; an empty value takes a label away, as it does in Alertmanager.

    Raises: Invalid for what is not written name=value, and without a name.
    """
    labels = {"alertname": alertname, "severity": severity, "job": "demo", "instance": "demo:9100"}
    for text in more:
        name, equals, value = text.partition("=")
        if not name or not equals:
            raise Invalid(f"{text!r} is no label", place="--label", hint="write --label instance=db1:9100")
        labels[name] = value
    if not labels["alertname"]:
        raise Invalid("an alert needs a name", place="ALERTNAME", hint="nightbell fire HighErrorRate")
    return {name: value for name, value in sorted(labels.items()) if value}


def webhook(labels: dict[str, str], now: datetime, *, over: bool) -> dict[str, Any]:
    """Return the body that Alertmanager posts for one alert grouped by its name, version 4."""
    status = "resolved" if over else "firing"
    name = labels["alertname"]
    annotations = {
        "description": "Sent by hand with `nightbell fire`: nothing is really wrong.",
        "summary": f"{name} on {labels.get('instance', 'an instance')}",
    }
    alert = {
        "status": status,
        "labels": labels,
        "annotations": annotations,
        "startsAt": _stamp(now - _AGO if over else now),
        "endsAt": _stamp(now) if over else _NOT_YET,
        "generatorURL": f"http://prometheus.example:9090/graph?g0.expr={quote(name)}&g0.tab=1",
        "fingerprint": fingerprint(labels),
    }
    group = {"alertname": name}
    return {
        "receiver": "nightbell",
        "status": status,
        "alerts": [alert],
        "groupLabels": group,
        "commonLabels": labels,
        "commonAnnotations": annotations,
        "externalURL": "http://alertmanager.example:9093",
        "version": "4",
        "groupKey": f"{{}}:{{alertname={msgspec.json.encode(name).decode()}}}",
        "truncatedAlerts": 0,
    }


def _stamp(at: datetime) -> str:
    return at.isoformat().replace("+00:00", "Z")


def _path(target: str | None) -> str:
    if target is None:
        return opening.WEBHOOK
    kind, ident = parsed_target(target)
    return f"{opening.WEBHOOK}/notify/{kind}/{quote(ident, safe='')}"


def _running(settings: Settings, given: Post) -> str:
    nobody = settings.database_url is None and holder(settings.data) is None
    if nobody and not given.secret:
        raise NotSent(
            f"no nightbell serves {settings.data}",
            hint="start one with `nightbell serve`, or name one with --url and --secret",
        )
    return opening.url_of(settings)


async def _secret(settings: Settings, name: str | None) -> str:
    async with opening.opened(settings, "fire") as site:
        rows = [row for row in await all_sources(site.db) if row["type"] == "alertmanager"]
        if name is None:
            names = [row["name"] for row in rows]
            name = names[0] if len(names) == 1 else demo.SOURCE
            if name not in names:
                raise NotSent(
                    "there is no source to send as" if not names else "there are several sources",
                    hint="run `nightbell demo`, or name one with --source",
                )
        row = await source_named(site.db, name)
        return await site.configure.reveal_secret(row["id"], now=site.now())


def _posted(url: str, secret: str, body: dict[str, Any]) -> dict[str, Any]:
    headers = {
        "Authorization": f"Bearer {secret}",
        "Content-Type": "application/json",
        "User-Agent": f"nightbell-fire/{__version__}",
    }
    # A proxy of the environment's is for the world outside, and a sender's secret is not.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        request = urllib.request.Request(url, msgspec.json.encode(body) + b"\n", headers)
        with opener.open(request, timeout=_PATIENCE) as answered:
            answer: dict[str, Any] = msgspec.json.decode(answered.read(), type=dict[str, Any])
    except urllib.error.HTTPError as refused:
        why = refused.read(1000).decode("utf-8", "replace").strip()
        raise NotSent(f"{url} answered {refused.code}: {why}", hint=_HINTS.get(refused.code, "")) from refused
    except (OSError, ValueError, http.client.HTTPException) as error:
        reason = getattr(error, "reason", error)
        raise NotSent(f"{url} cannot be reached: {reason}", hint="is it served? nightbell serve") from error
    return answer


_HINTS = {
    401: "use the secret of a source: `nightbell source create` or `rotate` prints one",
    404: "--url is Nightbell's own address, like http://127.0.0.1:8080",
    503: "Nightbell or its database is starting, stopping or busy; try again",
}


def _tell(answer: dict[str, Any], alertname: str, url: str) -> None:
    results = answer.get("alerts") or []
    rows = [_row(result, alertname, url) for result in results]
    if rows:
        screen.table(("alert", "id", "status", "what", "link"), rows)
    if answer.get("reason"):
        screen.note(f"Nightbell says: {answer['reason']}.")
    elif not rows:
        screen.note("Nightbell took it, and no alert came of it.")


def _row(result: dict[str, Any], alertname: str, url: str) -> tuple[object, ...]:
    if "reason" in result:
        return (alertname, "", "set aside", f"{result.get('place', '')}: {result['reason']}", "")
    short = result.get("short_id", "")
    return (alertname, short, result.get("status"), result.get("what"), f"{url}/alerts/{short}")
