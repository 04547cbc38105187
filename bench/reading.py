"""Measures lists and filters over a million alerts: the database's part, as the API asks for it.

Rule 1: labels are spread as in a real fleet: few severities, a hundred services, tens of thousands of pods.
"""

from datetime import timedelta
from time import monotonic

from bench.figures import Plain, milliseconds
from bench.ingest import Run
from bench.program import Machine, opened, ours, running
from nightbell import clock
from nightbell.core.labels import tag
from nightbell.store.db import Db
from nightbell.store.read import alerts
from nightbell.store.read.listing import Condition, Listing

_MONTH = timedelta(days=30)
#: Label and how many values it has.
_SPREAD = {
    "severity": 3, "team": 8, "cluster": 4, "environment": 2, "namespace": 200, "service": 120, "alertname": 50,
    "job": 12, "container": 120, "node": 400, "instance": 5_000, "pod": 60_000,
}  # fmt: skip
_FILL = """
INSERT INTO alerts (id, number, identity, status, summary, alertname, member_count, firing_count, started_at, ended_at,
    resolved_at, last_received_at, tags, content, created_at, updated_at)
SELECT (lpad(to_hex(((extract(epoch FROM t.at)) * 1000)::bigint), 12, '0') || '7000'
        || overlay(md5(n::text) PLACING '8' FROM 1 FOR 1) )::varchar(32)::uuid,
    -n, decode(md5(n::text), 'hex'), CASE WHEN n % 50 = 0 THEN 'open' ELSE 'resolved' END, 'Alert ' || n % 50,
    'alertname-' || n % 50, 1, CASE WHEN n % 50 = 0 THEN 1 ELSE 0 END, t.at,
    CASE WHEN n % 50 <> 0 THEN t.at + interval '9 minutes' END,
    CASE WHEN n % 50 <> 0 THEN t.at + interval '9 minutes' END, t.at, {tags}, n, t.at, t.at
FROM generate_series($1::int, $2::int) AS n, LATERAL (SELECT $3::timestamptz + n * $4::interval AS at) t
"""


async def lists(run: Run, *, rows: int) -> list[Plain]:
    """Fill the table, then ask what people ask."""
    async with running(run.data, run.port):
        pass
    async with opened(run.data) as db:
        await _fill(db, rows)
        return [await _asked(db, name, listing) for name, listing in _QUESTIONS.items()]


async def _fill(db: Db, rows: int) -> None:
    lists = {name: [tag(name, f"{name}-{n}") for n in range(many)] for name, many in _SPREAD.items()}
    # Hashed, so that labels do not go together.
    chosen = [
        f"(${5 + i}::bigint[])[1 + (hashint8extended(n, {i}) & {2**62 - 1}) % {len(values)}]"
        for i, values in enumerate(lists.values())
    ]
    sql = _FILL.format(tags=f"ARRAY[{', '.join(chosen)}]")
    start, step = clock.now() - _MONTH, _MONTH / rows
    for first in range(1, rows + 1, 50_000):
        await db.run(sql, first, min(first + 49_999, rows), start, step, *lists.values())
    await db.run("VACUUM ANALYZE alerts")


def _labels(*values: str) -> Condition:
    return Condition("labels", "eq", values)


_QUESTIONS = {
    "open, newest 50": Listing(where=(Condition("status", "eq", ("open",)),), limit=50),
    "one label, a third of the rows": Listing(where=(_labels("severity=severity-1"),), limit=50),
    "two labels, 1 in 360": Listing(where=(_labels("severity=severity-1", "service=service-7"),), limit=50),
    "two labels, 1 in 24,000": Listing(
        where=(_labels("service=service-7", "namespace=namespace-9"),), limit=50
    ),
    "three labels, few hits": Listing(
        where=(_labels("node=node-5", "service=service-7", "team=team-2"),), limit=50
    ),
    "a rare label (about 17 rows)": Listing(where=(_labels("pod=pod-4711"),), limit=50),
    "two labels, open only": Listing(
        where=(_labels("severity=severity-1", "service=service-7"), Condition("status", "eq", ("open",))),
        limit=50,
    ),
    "an alert name": Listing(where=(Condition("external_id", "eq", ("alertname-7",)),), limit=50),
    "page 100 of everything": Listing(limit=50, offset=5_000),
}


async def _asked(db: Db, name: str, listing: Listing) -> Plain:
    machine, spent, times, found = Machine(), ours(), [], 0
    for _ in range(40):
        began = monotonic()
        page = await alerts.listed(db, listing)
        times.append(monotonic() - began)
        found = page.total
    shown = f"{found:,}" if found <= 10_000 else "10,000+"
    return Plain(
        name=f"list with its capped count: {name}",
        value=milliseconds(sorted(times)),
        others=machine.others(ours() - spent),
        note=f"{shown} match",
    )
