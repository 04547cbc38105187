"""The list of alerts, for whoever is on duty: what fires, who is being called, and one key to take it."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from litestar import Response

from nightbell.core.access import Permission
from nightbell.core.directory import Directory
from nightbell.core.errors import Invalid, NightbellError, Unknown
from nightbell.store.db import Row
from nightbell.store.read import groupings, page_alerts, pages
from nightbell.store.read.page_alerts import Place, Screen, Wanted
from nightbell.web import acts, future, search, words
from nightbell.web.render import go, render, safe_path
from nightbell.web.search import Search
from nightbell.web.site import WebRequest, action, page
from nightbell.web.times import exact_span

PAGE = 50
#: Chips in a row: these first, then whatever else fits.
_FIRST = ("severity", "cluster", "namespace", "service", "job", "instance", "team")
_HIDDEN = frozenset({"alertname", "status", "prometheus", "monitor", "alertgroup"})
_CHIPS = 6
_MOST_MARKED = 200


@page(["/alerts", "/account/alerts"], Permission.VIEW)
async def listed(request: WebRequest) -> Response[bytes]:
    """Show the alerts of one status that match the search box."""
    status = request.query_params.get("status", "triggered")
    status = status if status in dict(words.TABS) else "triggered"
    looked = search.parse(str(request.query_params.get("q", ""))[:1000])
    after = str(request.query_params.get("after", ""))
    looked, found = await _found(request, status, looked, after)
    counts = await pages.alert_counts(request.site.db)
    return await render(
        request,
        "alerts.html",
        nav="alerts",
        status=status,
        tab=dict(words.TABS)[status],
        counts=counts,
        any_alert=counts["all"] > 0,
        search=looked,
        drops=[(m, search.without_matcher(looked, m)) for m in looked.matchers],
        rows=await shown_rows(request, found.rows, looked),
        more=_cursor(found.more),
        unseen=_cursor(found.unseen),
        unseen_at=found.unseen[0] if found.unseen else None,
        after=after,
        here=_here(status, looked.text, after),
    )


async def shown_rows(request: WebRequest, rows: list[dict[str, Any]], looked: Search) -> list[dict[str, Any]]:
    """Return alerts as a list shows them: with chips, who has it and what comes next."""
    directory = await request.site.directory()
    people, climbs = await pages.attention(request.site.db, [row["id"] for row in rows])
    now = request.now
    shown = [_row(r, people.get(r["id"], []), climbs.get(r["id"]), directory, looked, now) for r in rows]
    alone: dict[str, Any] = {"behind": 0, "leader": None}
    if not any(r["group_rule_id"] for r in rows):
        return [row | alone for row in shown]
    return await _with_groups(request, shown)


async def _with_groups(request: WebRequest, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Put beside alerts how many stand behind each, or whom it follows."""
    db = request.site.db
    leading = [r["id"] for r in rows if r["group_rule_id"] and not r["leader_id"]]
    followed = await groupings.followed(db, leading)
    named = await groupings.leading(db, {r["leader_id"] for r in rows if r["leader_id"]})
    for row in rows:
        over = row["status"] == "resolved"
        row["behind"] = (row["group_size"] or 0) if over else followed.get(row["id"], 0)
        row["leader"] = named.get(row["leader_id"])
        if row["leader"] and row["status"] == "triggered":
            row["what"], row["next_at"] = "its leader pages", None
    return rows


async def _found(request: WebRequest, status: str, looked: Search, after: str) -> tuple[Search, Screen]:
    if looked.error:
        return looked, Screen(rows=[])
    wanted = Wanted(
        status="" if status == "all" else status,
        matchers=looked.matchers,
        words=looked.words,
        after=_after(after),
        limit=PAGE,
    )
    try:
        return looked, await page_alerts.screen(request.site.db, wanted)
    except Invalid as error:
        return Search(text=looked.text, error=error.message), Screen(rows=[])


def _cursor(place: Place | None) -> str:
    return f"{place[0].timestamp():.6f}.{place[1].hex}" if place else ""


def _after(text: str) -> Place | None:
    try:
        at, _, ident = text.rpartition(".")
        return datetime.fromtimestamp(float(at), UTC), UUID(hex=ident)
    except (ValueError, OverflowError, OSError):
        return None


def _here(status: str, text: str, after: str) -> str:
    return "/alerts?" + urlencode(
        {k: v for k, v in {"status": status, "q": text, "after": after}.items() if v}
    )


def _row(
    row: dict[str, Any],
    people: Sequence[Row],
    climb: Row | None,
    directory: Directory,
    looked: Search,
    now: datetime,
) -> dict[str, Any]:
    blurb = row["description"] or ""
    steps = future.steps(future.escalation(climb), directory, now)[:1] if climb else []
    return {
        **row,
        "blurb": "" if blurb == row["summary"] else blurb[:160],
        "chips": chips(row["labels"], looked)[:_CHIPS],
        "who": _who(row, people, directory),
        "what": _what(row, people, steps),
        "next_at": steps[0].at if steps and row["status"] == "triggered" else row["snoozed_until"],
    }


def chips(labels: dict[str, str], looked: Search) -> list[tuple[str, str, str]]:
    """Return labels worth showing first, each with the search that a click asks for."""
    shown = [name for name in _FIRST if name in labels] + [n for n in sorted(labels) if n not in _FIRST]
    return [(n, labels[n], search.with_matcher(looked, n, labels[n])) for n in shown if n not in _HIDDEN]


def _who(row: dict[str, Any], people: Sequence[Row], directory: Directory) -> str:
    if row["status"] == "acknowledged":
        user = directory.users.get(row["acknowledged_by"] or 0)
        return user.name if user else ""
    if row["status"] == "triggered":
        names = list(dict.fromkeys(p["name"] for p in people))
        return ", ".join(names[:2]) + (f" +{len(names) - 2}" if len(names) > 2 else "")
    return ""


def _what(row: dict[str, Any], people: Sequence[Row], steps: list[future.Step]) -> str:
    match row["status"]:
        case "resolved":
            return f"lasted {exact_span(row['ended_at'] - row['started_at'])}"
        case "acknowledged":
            return "pages again" if row["snoozed_until"] else "working on it"
        case "open":
            return "pages nobody" if not row["targets"] else "recorded, not paged"
        case "triggered" if row["unpaged"] and not people:
            return "✕ nobody was reached"
        case "triggered":
            level = f"level {people[0]['level']}" if people else "not paged yet"
            return f"{level} · next" if steps else level
        case _:
            return ""


@action("/alerts/act", Permission.RESPOND)
async def act_on_many(request: WebRequest) -> Response[bytes]:
    """Do one thing to every alert that was marked, and say what came of it."""
    form = await request.fields()
    back = safe_path(form.raw("back"), "/alerts")
    name = form.choice("action", acts.ACTS)
    marked = form.many("id")[:_MOST_MARKED]
    if not marked:
        return go(request, back, "Mark an alert first.", bad=True)
    done, refused = 0, ""
    for text in marked:
        try:
            await acts.ACTS[name](request, _ident(text), form)
            done += 1
        except NightbellError as error:
            refused = error.message
    said = f"{acts.DONE[name]} {words.plural(done, 'alert')}."
    return go(
        request, back, f"{said} {len(marked) - done} refused: {refused}" if refused else said, bad=not done
    )


def _ident(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise Unknown("There is no such alert.") from None


ROUTES = [listed, act_on_many]
