"""The list of alerts against a real database: what is found, in which order, and where a screen ends."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from nightbell.core.errors import Invalid
from nightbell.core.labels import tags
from nightbell.store.db import Db
from nightbell.store.read import page_alerts
from nightbell.store.read.page_alerts import Wanted, screen
from nightbell.web.search import parse

NOW = datetime(2026, 11, 23, 3, 0, tzinfo=UTC)


async def keep(db: Db, number: int, *, minutes: int, labels: dict[str, str], summary: str = "Alert") -> None:
    """Store an open alert that began so many minutes ago."""
    at = NOW - timedelta(minutes=minutes)
    ident = UUID(int=number)
    await db.run(
        "INSERT INTO alerts (id, number, identity, status, summary, alertname, member_count, firing_count, started_at,"
        " last_received_at, tags, content, created_at, updated_at)"
        " VALUES ($1, $2, $3, 'open', $4, $4, 1, 1, $5, $5, $6, 0, $5, $5)",
        ident, number, ident.bytes, summary, at, tags(labels),
    )  # fmt: skip
    await db.run(
        "INSERT INTO alert_details (alert_id, labels, annotations, receiver, group_key, dedup_key, dedup_rule,"
        " created_at, updated_at) VALUES ($1, $2, '{}', 'r', 'g', 'k', 'group', $3, $3)",
        ident, labels, at,
    )  # fmt: skip


async def found(db: Db, text: str = "", **wanted: object) -> list[int]:
    """Return the numbers of the alerts that a search finds."""
    asked = parse(text)
    assert not asked.error
    screened = await screen(db, Wanted(matchers=asked.matchers, words=asked.words, **wanted))  # type: ignore[arg-type]
    return [row["number"] for row in screened.rows]


async def test_the_latest_to_start_is_first_whenever_it_was_made(db: Db) -> None:
    for number, minutes in ((1, 5), (2, 60), (3, 1)):
        await keep(db, number, minutes=minutes, labels={})
    assert await found(db) == [3, 1, 2]


async def test_matchers_mean_what_prometheus_means(db: Db) -> None:
    await keep(db, 1, minutes=1, labels={"team": "pay", "severity": "critical"})
    await keep(db, 2, minutes=2, labels={"team": "payments"})
    await keep(db, 3, minutes=3, labels={"severity": "warning"})
    assert await found(db, "team=pay") == [1]
    assert await found(db, 'team=~"pay.*"') == [1, 2]
    assert await found(db, 'team=~"pay"') == [1]
    assert await found(db, "team!=pay") == [2, 3]
    assert await found(db, 'team=""') == [3]
    assert await found(db, 'team!~".+"') == [3]
    assert await found(db, 'severity=critical team=~"p.*"') == [1]


async def test_words_are_looked_for_in_the_summary_and_are_no_patterns(db: Db) -> None:
    await keep(db, 1, minutes=1, labels={}, summary="Disk 90% full")
    await keep(db, 2, minutes=2, labels={}, summary="Disk 900 full")
    assert await found(db, "disk") == [1, 2]
    assert await found(db, '"90%"') == [1]


async def test_a_screen_goes_on_where_the_last_one_ended(db: Db) -> None:
    for number in range(1, 8):
        await keep(db, number, minutes=number // 3, labels={})
    seen: list[int] = []
    after = None
    for _ in range(4):
        shown = await screen(db, Wanted(limit=3, after=after))
        seen += [row["number"] for row in shown.rows]
        after = shown.more
        if after is None:
            break
    assert sorted(seen) == list(range(1, 8))


async def test_a_search_without_an_index_says_where_it_stopped(
    db: Db, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(page_alerts, "SCANNED", 3)
    for number in range(1, 6):
        await keep(db, number, minutes=number, labels={"n": str(number)})
    first = await screen(db, Wanted(matchers=parse('n=~"[25]"').matchers))
    assert [row["number"] for row in first.rows] == [2]
    assert first.unseen is not None
    rest = await screen(db, Wanted(matchers=parse('n=~"[25]"').matchers, after=first.unseen))
    assert ([row["number"] for row in rest.rows], rest.unseen) == ([5], None)


async def test_a_pattern_only_python_understands_is_refused_by_name(db: Db) -> None:
    await keep(db, 1, minutes=1, labels={"a": "b"})
    with pytest.raises(Invalid) as error:
        await found(db, 'a=~"(?P<x>b)"')
    assert error.value.place == "q"
