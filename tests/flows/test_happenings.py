"""What becomes of an alert is told once, in the transaction in which it did, and only where somebody listens."""

import pytest

from nightbell.core.happening import ALERT_CREATED, ALERT_STATUS_UPDATED

BOTH = (ALERT_CREATED, ALERT_STATUS_UPDATED)


@pytest.fixture
async def ana(scene):
    ana = await scene.cast.person("Ana", "sms")
    await scene.cast.source(pages=await scene.cast.policy(([ana], 60)))
    return ana


@pytest.fixture
def listen(scene):
    """Have a workflow that hears of these."""

    async def listen(*triggers):
        await scene.db.run(
            """INSERT INTO workflows (id, name, slug, kind, triggers, trigger_params, position, created_at, updated_at)
            VALUES (gen_random_uuid(), 'Ears', 'ears', 'alert', $1, $2, 1, $3, $3)""",
            list(triggers),
            {"trigger_type": "alert", "triggers": list(triggers)},
            scene.clock(),
        )
        await scene.db.execute("bump_configuration")

    return listen


async def told(scene):
    rows = await scene.db.fetch(
        "SELECT kind, data->>'previous' AS was, data->>'status' AS is FROM happenings ORDER BY id"
    )
    return [(r["kind"], r["was"], r["is"]) for r in rows]


async def test_what_nobody_listens_to_is_not_kept(scene, ana):
    await scene.at("02:00").firing("DiskFull").pages(ana).at("02:05").resolved("DiskFull").told(ana)
    assert await told(scene) == []


async def test_an_alert_is_created_once_and_its_repeats_say_nothing(scene, ana, listen):
    await listen(*BOTH)
    await scene.at("02:00").firing("DiskFull").pages(ana).at("02:10").firing("DiskFull")
    assert await told(scene) == [(ALERT_CREATED, None, "triggered")]


async def test_an_alert_that_fires_again_changed_and_is_not_created_again(scene, ana, listen):
    await listen(*BOTH)
    await (
        scene.at("02:00").firing("DiskFull").pages(ana)
        .at("02:05").resolved("DiskFull").told(ana)
        .at("03:00").firing("DiskFull").pages(ana)
    )  # fmt: skip
    assert await told(scene) == [
        (ALERT_CREATED, None, "triggered"),
        (ALERT_STATUS_UPDATED, "triggered", "resolved"),
        (ALERT_STATUS_UPDATED, "resolved", "triggered"),
    ]
    occurrences = await scene.db.fetch("SELECT occurrence FROM happenings ORDER BY id")
    assert [r["occurrence"] for r in occurrences] == [1, 1, 2]


async def test_whoever_acknowledges_stands_in_it(scene, ana, listen):
    await listen(ALERT_STATUS_UPDATED)
    await scene.at("02:00").firing("DiskFull").pages(ana).at("02:01").acknowledged(ana)
    (row,) = await scene.db.fetch("SELECT * FROM happenings")
    assert (row["kind"], row["data"]["status"]) == (ALERT_STATUS_UPDATED, "acknowledged")
    assert row["data"]["by"] == {"kind": "user", "name": "Ana", "user_id": ana.id}
    assert (row["matched_at"], row["relayed_at"], row["depth"]) == (None, None, 0)


async def test_time_changes_a_status_too(scene, ana, listen):
    await listen(ALERT_STATUS_UPDATED)
    await scene.at("02:00").firing("DiskFull").pages(ana).at("02:01").snoozed(30, ana).at("02:31").pages(ana)
    assert [one[1:] for one in await told(scene)] == [
        ("triggered", "acknowledged"),
        ("acknowledged", "triggered"),
    ]
