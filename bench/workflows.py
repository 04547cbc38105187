"""Measures how long a thousand workflows take to say which of them each of a thousand alerts starts.

Rule 1: conditions as people write them, no two workflows alike: labels, statuses, urgencies, payloads by JSONPath, pieces
of text, regular expressions. What is chosen is compared with asking each workflow by itself.
"""

import asyncio
from time import perf_counter, process_time
from typing import Any
from uuid import UUID

from bench.figures import Figure, Plain
from bench.program import Machine
from nightbell.core.workflow import Workflow, matches
from nightbell.core.workflow_choice import Choice
from nightbell.core.workflow_params import rules
from nightbell.engine.jsonpath import compiled

COUNT = 1_000
#: So many alerts are asked workflow by workflow as well, to compare.
COMPARED = 20
_SEVERITIES = ("critical", "warning", "info")


async def workflows() -> list[Figure]:
    """Measure compiling the workflows, choosing among them, and asking each."""
    machine = Machine()
    await asyncio.sleep(0)
    began = perf_counter()
    listed = [_workflow(number) for number in range(COUNT)]
    choice = Choice(listed)
    ready = perf_counter()
    alerts = [_alert(number) for number in range(COUNT)]
    chosen_at, spent_at = perf_counter(), process_time()
    chosen = [choice.chosen("alert", "alert_created", alert) for alert in alerts]
    ended, spent = perf_counter(), process_time() - spent_at
    asked = [[w for w in listed if matches(w, alert).matched] for alert in alerts[:COMPARED]]
    compared = perf_counter()
    same = all(list(one) == each for one, each in zip(chosen, asked, strict=False))
    others = machine.others(ended - began)
    found = sum(map(len, chosen))
    naive = (compared - ended) / COMPARED * COUNT
    return [
        Plain(
            name=f"{COUNT:,} workflows × {COUNT:,} alerts evaluated",
            value=f"{ended - chosen_at:.2f} s",
            others=others,
            note=f"{spent:.2f} s of one processor; {found:,} matched; {'the same as' if same else 'NOT THE SAME as'} asking each",
        ),
        Plain(
            name=f"{COUNT:,} workflows made ready", value=f"{(ready - began) * 1000:.0f} ms", others=others
        ),
        Plain(
            name="the same, asking each",
            value=f"{naive:.0f} s",
            others=others,
            note=f"from {COMPARED} alerts",
        ),
    ]


def _workflow(number: int) -> Workflow:
    return Workflow(
        id=UUID(int=number + 1),
        name=f"Workflow {number}",
        slug=f"workflow-{number}",
        kind="alert",
        triggers=("alert_created",),
        rules=rules("alert", _params(number), {}, compiled),
        position=number,
    )


def _params(number: int) -> dict[str, Any]:
    """Return the conditions of one workflow: a team of its own, then one of eight further kinds."""
    params: dict[str, Any] = {
        "alert_condition_label": "CONTAINS_ALL",
        "alert_labels": [f"team:team-{number % 200}", f"severity:{_SEVERITIES[number % 3]}"],
        "alert_condition_status": "IS",
        "alert_statuses": ["triggered", "open"],
    }
    match number % 8:
        case 0 | 1:
            params |= _payload("$.commonLabels.service", "IS", f"service-{number % 400}")
        case 2:
            params |= _payload("$.commonAnnotations.summary", "CONTAINS", f"disk {number}")
        case 3:
            params |= _payload("$.commonLabels.instance", "IS", f"^web-{number % 50}\\d*$")
            params["alert_condition_payload_use_regexp"] = True
        case 4:
            params |= _payload("$.alerts[*].labels.instance", "CONTAINS_ALL", f"web-{number % 90}")
        case 5:
            params |= _payload("$.alerts[?@.labels.severity == 'critical'].labels.job", "SET", "")
        case 6:
            params |= _payload("$.commonLabels.job", "CONTAINS_NONE", f"batch-{number}")
            params["alert_condition"] = "ANY"
        case _:
            inner = [
                {"query": "$.commonLabels.region", "operator": "IS", "values": [f"region-{number % 20}"]},
                {"query": "$.receiver", "operator": "IS NOT", "values": ["nobody"]},
            ]
            params["alert_payload_conditions"] = {"logic": "ANY", "conditions": inner}
    return params


def _payload(query: str, operator: str, value: str) -> dict[str, Any]:
    values = [value] if value else []
    return {"alert_condition_payload": operator, "alert_query_payload": query, "alert_payload": values}


def _alert(number: int) -> dict[str, Any]:
    labels = {
        "alertname": f"Alert{number}",
        "team": f"team-{number % 200}",
        "severity": _SEVERITIES[number % 3],
        "service": f"service-{number % 400}",
        "instance": f"web-{number % 90}",
        "region": f"region-{number % 20}",
        "job": f"job-{number % 10}",
    }
    data = {
        "receiver": "nightbell",
        "commonLabels": labels,
        "commonAnnotations": {"summary": f"disk {number} is full on web-{number % 90}"},
        "alerts": [{"labels": labels} for _ in range(3)],
    }
    alert = {"source": "alertmanager", "status": "triggered", "labels": labels, "data": data}
    return {"alert": alert}
