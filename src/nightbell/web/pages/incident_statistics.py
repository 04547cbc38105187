"""What incidents come to, for the lead: how many by week, how long they took by severity, service and team."""

import csv
import io
from datetime import datetime, timedelta
from typing import Any

from litestar import Response

from nightbell.core import incident as rules
from nightbell.core import incident_figures as figures
from nightbell.core.access import Permission
from nightbell.core.incident_figures import Case
from nightbell.engine.incident_work import read
from nightbell.store.read import incident_figures
from nightbell.web import incident_charts as charts
from nightbell.web import incident_view as view
from nightbell.web import words
from nightbell.web.render import compressed, render
from nightbell.web.site import WebRequest, page
from nightbell.web.times import zone

_WEEKS = (12, 26, 52)
#: A cell that begins with one of these is a formula to a spreadsheet.
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


@page("/incidents/statistics", Permission.VIEW)
async def shown(request: WebRequest) -> Response[bytes]:
    """Show the figures."""
    asked = request.query_params
    by = asked.get("by", "severity")
    by = by if by in figures.BY else "severity"
    number = _weeks(asked.get("weeks", ""))
    place = zone(request.visitor.time_zone)
    cases = figures.counted(await _cases(request, number))
    weeks = figures.weeks(cases, request.now, place, number)
    phases = figures.phases(cases, request.now)
    return await render(
        request,
        "incident_statistics.html",
        nav="incidents",
        by=by,
        number=number,
        spans=_WEEKS,
        all=figures.line("all", cases),
        weeks=weeks,
        chart=charts.by_week(weeks),
        lines=charts.drawn(figures.lines(cases, by)),
        phases=list(
            zip(
                [words.INCIDENT[name].word for name, _ in phases],
                [one for _, one in phases],
                charts.stretches([one for _, one in phases]),
                strict=True,
            )
        ),
        levels=charts.LEVELS,
    )


def _weeks(text: str) -> int:
    return int(text) if text.isdecimal() and len(text) < 4 and int(text) in _WEEKS else _WEEKS[0]


async def _cases(request: WebRequest, number: int) -> list[Case]:
    place, who = zone(request.visitor.time_zone), view.viewer(request)
    first = figures.monday(request.now, place) - figures.WEEK * (number - 1)
    since = datetime.combine(first, datetime.min.time(), tzinfo=place)
    return [_case(row) for row in await incident_figures.since(request.site.db, who, since)]


def _case(row: dict[str, Any]) -> Case:
    return Case(
        incident=read(row),
        severity=row["severity_name"] or "",
        level=row["level"],
        services=tuple(row["services"]),
        teams=tuple(row["teams"]),
    )


_COLUMNS = (
    "number", "title", "kind", "status", "severity", "services", "teams", "began_at", "acknowledged_at", "mitigated_at",
    "resolved_at", "closed_at", "seconds_to_acknowledge", "seconds_to_mitigate", "seconds_to_resolve",
)  # fmt: skip


@page("/incidents/statistics.csv", Permission.VIEW)
async def exported(request: WebRequest) -> Response[bytes]:
    """Return every incident that is counted, one a line, with its instants in UTC and its durations in seconds."""
    cases = figures.counted(await _cases(request, _weeks(request.query_params.get("weeks", ""))))
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(_COLUMNS)
    writer.writerows([_cell(value) for value in _row(case)] for case in cases)
    response = compressed(request, out.getvalue().encode("utf-8", "replace"), "text/csv")
    response.headers["Content-Disposition"] = 'attachment; filename="incidents.csv"'
    return response


def _row(case: Case) -> list[object]:
    one = case.incident
    return [
        one.sequential_id,
        one.title,
        one.kind,
        one.status.value,
        case.severity,
        "; ".join(case.services),
        "; ".join(case.teams),
        rules.began(one),
        one.acknowledged_at,
        one.mitigated_at,
        one.resolved_at,
        one.closed_at,
        rules.to_acknowledge(one),
        rules.to_mitigate(one),
        rules.to_resolve(one),
    ]


def _cell(value: object) -> str:
    if isinstance(value, datetime):
        return value.isoformat(timespec="seconds")
    if isinstance(value, timedelta):
        return str(int(value.total_seconds()))
    text = "" if value is None else str(value)
    return f"'{text}" if text.startswith(_FORMULA) else text


ROUTES = [shown, exported]
