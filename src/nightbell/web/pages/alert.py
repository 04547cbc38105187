"""One alert, for the engineer at night: what it is, big buttons, and everything that happened and will happen."""

import json
from collections.abc import Sequence
from datetime import timedelta
from statistics import median
from typing import Any
from uuid import UUID

from litestar import Response
from litestar.params import FromPath

from nightbell.core import shortid
from nightbell.core.access import Permission
from nightbell.core.directory import Directory
from nightbell.core.errors import Unknown
from nightbell.core.escalation import Phase
from nightbell.core.why import why as explained
from nightbell.store.db import Row
from nightbell.store.read import groupings, incident_pages, pages
from nightbell.store.read import why as recorded
from nightbell.web import acts, future, timeline
from nightbell.web.incident_view import viewer
from nightbell.web.pages.alerts import chips
from nightbell.web.render import go, render, safe_path
from nightbell.web.search import Search
from nightbell.web.site import WebRequest, action, page
from nightbell.web.targets import options
from nightbell.web.timeline import Story
from nightbell.web.times import Times

#: So many unresolved alerts in a row, and none resolved, look like `send_resolved: false`.
_SUSPICIOUS = 5
#: An instance that began this much after the first one joined later, rather than with it.
_LATE = timedelta(minutes=1)
_RULES = {
    "group": "one alert for each group of Alertmanager and alert name",
    "alertname": "one alert for each alert name of this source",
    "fingerprint": "one alert for each set of labels",
    "key": "one alert for each value found by the key's JSONPath",
}
_LINKS = {
    "runbook_url": "Runbook",
    "runbook": "Runbook",
    "dashboard_url": "Dashboard",
    "dashboard": "Dashboard",
    "panel_url": "Panel",
}


@page(["/alerts/{ref:str}", "/account/alerts/{ref:str}"], Permission.VIEW)
async def shown(request: WebRequest, ref: FromPath[str]) -> Response[bytes]:
    """Show one alert."""
    db, alert = request.site.db, await find(request, ref)
    directory = await request.site.directory()
    ident = alert["id"]
    found = {
        "members": await pages.members(db, ident),
        "occurrences": await pages.occurrences(db, ident),
        "deliveries": await pages.deliveries_of_alert(db, alert) if alert["source_id"] else [],
    }
    story = await _story(request, alert, directory)
    times = Times(request.now, request.visitor.time_zone)
    return await render(
        request,
        "alert.html",
        nav="alerts",
        alert=alert,
        short=shortid.encode(alert["number"]),
        timeline=timeline.lines(story, times),
        members=[_member(m, alert) for m in found["members"]],
        payload=await _payload(request, alert),
        past=_past([o for o in found["occurrences"] if o["number"] < alert["occurrence"]]),
        deliveries=found["deliveries"],
        never_resolves=await _never_resolves(request, alert),
        targets=options(directory),
        levels=_levels(story, directory),
        policies=sorted((p.name, str(p.id)) for p in directory.policies.values()),
        curl=_curl(request, alert),
        group=await _group(request, alert) if alert["group_rule_id"] else None,
        incidents=await incident_pages.of_alert(db, viewer(request), ident),
        open_incidents=await incident_pages.choices(db, viewer(request)),
        why=explained(await recorded.case(db, ident, alert["status"]), times.exact),
        **_shown(alert, directory, found["members"]),
    )


async def _group(request: WebRequest, alert: dict[str, Any]) -> dict[str, Any]:
    """Return who leads an alert, who follows it, and the rule behind it; None for a rule that was deleted."""
    db, leader = request.site.db, alert["leader_id"]
    return {
        "rule": await groupings.grouping(db, alert["group_rule_id"]),
        "leader": (await groupings.leading(db, [leader])).get(leader) if leader else None,
        "followers": await groupings.followers(db, alert["id"]),
    }


async def find(request: WebRequest, ref: str) -> dict[str, Any]:
    """Return an alert by its short id or its id.

    Raises: Unknown.
    """
    number = shortid.decode(ref)
    ident = None if number is not None else _uuid(ref)
    found = await pages.alert(request.site.db, number=number, ident=ident)
    if found is None:
        raise Unknown(f"There is no alert {ref[:60]}.", hint="It may have been deleted by retention.")
    return found


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


async def _story(request: WebRequest, alert: dict[str, Any], directory: Directory) -> Story:
    db, ident = request.site.db, alert["id"]
    climbs = [future.escalation(row) for row in await pages.escalations(db, ident)]
    live = [
        c for c in climbs if c.phase in (Phase.CLIMBING, Phase.HELD) and c.occurrence == alert["occurrence"]
    ]
    return Story(
        events=await pages.events(db, ident),
        notifications=await pages.notifications(db, ident),
        climbs=live,
        pages=await pages.open_pages(db, ident),
        directory=directory,
    )


def _levels(story: Story, directory: Directory) -> list[tuple[int, str]]:
    """Return the levels an alert can be escalated to, by name: those of its newest policy under way."""
    own = [climb for climb in story.climbs if climb.plan.policy_id and climb.plan.rungs]
    if not own:
        return []
    rungs = max(own, key=lambda climb: climb.created_at).plan.rungs
    return [
        (rung.position, ", ".join(future.named(t.type, t.id, directory) for t in rung.targets) or rung.kind)
        for rung in rungs
    ]


def _shown(alert: dict[str, Any], directory: Directory, members: Sequence[Row]) -> dict[str, Any]:
    rule = alert["dedup_rule"].split(" ")[0]
    routing = [str(line) for line in alert["routing"] if isinstance(line, str)]
    return {
        "names": {
            "targets": [future.named(t["type"], t["id"], directory) for t in alert["targets"]],
            "services": [
                directory.services[str(s)].name for s in alert["service_ids"] if str(s) in directory.services
            ],
        },
        "chips": chips(alert["labels"], Search()),
        "annotations": [(k, v) for k, v in sorted(alert["annotations"].items()) if k not in _LINKS],
        "links": links(alert, members),
        "rule_says": _RULES.get(rule, ""),
        "routing_says": " ".join(routing)
        or "No annotation, URL, route or default of its source names anybody.",
    }


def links(alert: dict[str, Any], members: Sequence[Row]) -> list[tuple[str, str]]:
    """Return where else to look: the rule in Prometheus, runbooks, dashboards, each address once."""
    found = [("Rule", m["generator_url"]) for m in members[:1] if m["generator_url"]]
    if alert["external_url"]:
        found.append(("Source", alert["external_url"]))
    found += [
        (label, alert["annotations"][name])
        for name, label in _LINKS.items()
        if alert["annotations"].get(name)
    ]
    unique = {address: label for label, address in reversed(found)}
    return [(label, address) for address, label in reversed(unique.items())]


def _member(row: Row, alert: dict[str, Any]) -> dict[str, Any]:
    labels: dict[str, str] = row["labels"]
    own = {k: v for k, v in labels.items() if alert["labels"].get(k) != v and k != "alertname"}
    name = (
        own.get("instance") or ", ".join(f"{k}={v}" for k, v in sorted(own.items())) or labels.get("instance")
    )
    return {
        **dict(row.items()),
        "name": name or row["fingerprint"],
        "late": row["starts_at"] - alert["started_at"] > _LATE and row["occurrence"] == alert["occurrence"],
    }


def _past(rows: Sequence[Row]) -> dict[str, Any] | None:
    if not rows:
        return None
    lengths = [(r["ended_at"] - r["started_at"]).total_seconds() for r in rows]
    return {"count": len(rows), "usual": timedelta(seconds=median(lengths))}


async def _payload(request: WebRequest, alert: dict[str, Any]) -> dict[str, Any] | None:
    if alert["delivery_id"] is None:
        return None
    found = await pages.delivery(request.site.db, alert["delivery_id"])
    if found is None:
        return None
    return {**found, "text": pretty_body(found["body"])}


def pretty_body(body: bytes) -> str:
    """Return a raw body for reading: JSON laid out, anything else as it is, long ones cut."""
    text = body[: pages.SHOWN_BODY].decode("utf-8", "replace")
    if len(body) > pages.SHOWN_BODY:
        return f"{text}\n… {len(body) - pages.SHOWN_BODY:,} more bytes"
    try:
        return json.dumps(json.loads(text), indent=2, ensure_ascii=False)
    except (ValueError, RecursionError):
        return text


async def _never_resolves(request: WebRequest, alert: dict[str, Any]) -> int:
    """Return how many alerts of this receiver came without one ever resolving; 0 where that means nothing."""
    if alert["status"] == "resolved" or alert["source_id"] is None:
        return 0
    history = await pages.receiver_history(request.site.db, alert["source_id"], alert["receiver"])
    return history["seen"] if history["seen"] >= _SUSPICIOUS and not history["resolved"] else 0


def _curl(request: WebRequest, alert: dict[str, Any]) -> str:
    url = f"{request.site.base_url}/v1/alerts/{alert['id']}"
    return f'curl -H "Authorization: Bearer $TOKEN" \\\n  {url}'


@action("/alerts/{ref:str}/{name:str}", Permission.RESPOND)
async def acted(request: WebRequest, ref: FromPath[str], name: FromPath[str]) -> Response[bytes]:
    """Do what a button says and show the alert again."""
    alert = await find(request, ref)
    doing = acts.ON_THE_PAGE.get(name)
    if doing is None:
        raise Unknown("There is no such button.")
    form = await request.fields()
    decision = await doing(request, alert["id"], form)
    said = acts.ALREADY.get(decision.what) or f"{acts.DONE[name]} {alert['summary'][:100]}."
    return go(request, safe_path(form.raw("back"), f"/alerts/{shortid.encode(alert['number'])}"), said)


ROUTES = [shown, acted]
