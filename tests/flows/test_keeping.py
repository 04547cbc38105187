"""What is old leaves the ledger for a file, the chain says so itself, and everything can still be checked from its first entry."""

from datetime import timedelta

import pytest
from msgspec import json

from nightbell.audit.auditor import Auditor
from nightbell.core.ledger import Broken, Head
from nightbell.engine import keeping
from nightbell.engine.keeping import keep
from nightbell.engine.sealing import WIDE, seal
from nightbell.store.read import ledger
from nightbell.store.read.ledger_export import checked, csv_header, csv_line, json_line

LONG = timedelta(days=420)


@pytest.fixture
async def folder(scene, tmp_path):
    """Four entries of an old page, sealed when it was sent; where they may be put away."""
    ana = await scene.cast.person("Ana", "sms")
    await scene.cast.source(pages=await scene.cast.service(policy=await scene.cast.policy(([ana], 10))))
    await scene.at("02:00").firing("DiskFull").pages(ana)
    assert await seal(scene.db, scene.clock(), reach=WIDE) == 4
    return tmp_path / "ledger"


@pytest.fixture
async def auditor(scene):
    async def nobody(*_):
        """Tell nobody."""

    return Auditor(scene.db.dsn, scene.clock, nobody, nobody)


async def positions(scene):
    return [one.position async for one in ledger.entries(scene.db)]


async def breaks(auditor):
    """Return how many findings about the ledger stand after a round."""
    return (await auditor.round()).get("ledger", 0)


async def test_what_is_old_is_put_away_and_the_chain_begins_behind_it(scene, folder, auditor):
    assert await breaks(auditor) == 0
    later = scene.clock() + LONG
    before = await ledger.head(scene.db)
    assert await keep(scene.db, later, days=400, folder=folder) == 4
    assert await positions(scene) == [5]
    assert await ledger.beginning(scene.db) == before
    [entry] = [json.decode(one.entry) async for one in ledger.entries(scene.db)]
    assert entry["step"] == "put_away"
    assert entry["told"]["last"] == 4
    end = await ledger.verified(scene.db)
    assert isinstance(end, Head) and end.position == 5
    # An end that was put away is not gone, and another walk meets the chain as the first did.
    assert [await breaks(auditor) for _ in range(2)] == [0, 0]


async def test_files_and_exports_together_are_the_whole_chain(scene, folder):
    later = scene.clock() + LONG
    await keep(scene.db, later, days=400, folder=folder)
    [file] = folder.iterdir()
    assert file.name == "ledger-000000000001-000000000004.jsonl"
    lines = file.read_bytes().splitlines(keepends=True)
    assert checked(lines) == await ledger.beginning(scene.db)
    rest = [json_line(*pair) async for pair in ledger.linked(scene.db)]
    assert checked(lines + rest) == await ledger.head(scene.db)
    assert checked(rest) == await ledger.head(scene.db)
    table = [csv_line(*pair) async for pair in ledger.linked(scene.db, after=2)]
    assert checked([csv_header(), *table]) == await ledger.head(scene.db)


async def test_what_was_put_away_is_not_sealed_again(scene, folder):
    later = scene.clock() + LONG
    await keep(scene.db, later, days=400, folder=folder)
    for now in (later, later + timedelta(minutes=5), scene.clock()):
        assert await seal(scene.db, now, reach=WIDE) == 0


async def test_what_is_young_stays_and_a_few_days_are_not_worth_a_file(scene, folder):
    now = scene.clock()
    for age in (timedelta(days=1), timedelta(days=400), timedelta(days=406)):
        assert await keep(scene.db, now + age, days=400, folder=folder) == 0
    assert await keep(scene.db, now + LONG * 10, days=0, folder=folder) == 0
    assert not folder.exists()


async def test_a_backlog_is_put_away_in_parts_that_follow_each_other(scene, folder, monkeypatch):
    monkeypatch.setattr(keeping, "BATCH", 3)
    assert await keep(scene.db, scene.clock() + LONG, days=400, folder=folder) == 4
    lines = [
        line for file in sorted(folder.iterdir()) for line in file.read_bytes().splitlines(keepends=True)
    ]
    assert checked(lines) == await ledger.beginning(scene.db)
    assert await positions(scene) == [5, 6]
    assert isinstance(await ledger.verified(scene.db), Head)


async def test_a_part_that_does_not_hold_stays_where_it_is(scene, folder):
    await scene.db.run("UPDATE ledger SET entry = replace(entry, 'sms', 'fax') WHERE position = 2")
    assert await keep(scene.db, scene.clock() + LONG, days=400, folder=folder) == 0
    assert await positions(scene) == [1, 2, 3, 4]


async def test_nothing_leaves_the_table_when_there_is_nowhere_to_put_it(scene, folder):
    folder.write_text("a file, where a folder would be")
    with pytest.raises(OSError, match="exists"):
        await keep(scene.db, scene.clock() + LONG, days=400, folder=folder)
    assert await positions(scene) == [1, 2, 3, 4]


@pytest.mark.parametrize(
    "fault",
    [
        "DELETE FROM ledger_anchors",
        "DELETE FROM ledger WHERE position = 5",
        "UPDATE ledger_anchors SET digest = 'x'",
        "UPDATE ledger SET entry = replace(entry, '\"last\":4', '\"last\":3')",
    ],
    ids=["no anchor", "no entry", "another digest", "another entry"],
)
async def test_a_beginning_that_was_tampered_with_is_found(scene, folder, auditor, fault):
    await keep(scene.db, scene.clock() + LONG, days=400, folder=folder)
    assert await breaks(auditor) == 0
    await scene.db.run(fault)
    assert isinstance(await ledger.verified(scene.db), Broken)
    assert await breaks(auditor) >= 1


async def test_a_beginning_that_was_made_up_is_found(scene, folder, auditor):
    """Somebody deletes the first entries and writes that they were put away, but the chain does not say so."""
    await scene.db.run(
        """INSERT INTO ledger_anchors (id, first, position, digest, archive, sha256, before, created_at, updated_at)
        SELECT subject, 1, 2, digest, '', '', at, at, at FROM ledger WHERE position = 2"""
    )
    await scene.db.run("DELETE FROM ledger WHERE position <= 2")
    broken = await ledger.verified(scene.db)
    assert isinstance(broken, Broken) and "no entry says" in broken.why
    assert await breaks(auditor) == 1


async def test_findings_that_were_settled_long_ago_are_forgotten(scene, folder):
    now = scene.clock()
    for number, gone in enumerate((None, now - timedelta(days=399), now - timedelta(days=401))):
        await scene.db.run(
            "INSERT INTO findings (id, invariant, subject, told, last_seen_at, gone_at, created_at, updated_at)"
            " VALUES (gen_random_uuid(), 'in_time', $1, '', $2, $3, $2, $2)",
            str(number), now - timedelta(days=500), gone,
        )  # fmt: skip
    await keep(scene.db, now, days=400, folder=folder)
    rows = await scene.db.fetch("SELECT subject FROM findings ORDER BY subject")
    assert [row["subject"] for row in rows] == ["0", "1"]
