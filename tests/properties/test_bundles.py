"""Random storms on a real PostgreSQL: whatever is told together or held back, every page reaches its person."""

import asyncio
from datetime import timedelta

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from nightbell.core.delivery import Purpose, Retry, Unsure
from nightbell.store.db import connect
from nightbell.testing import payloads
from nightbell.testing.scenario import Scene
from support.databases import Cluster

#: How many alerts fire on which service at once, and how many seconds later the next come.
storms = st.lists(
    st.tuples(st.sampled_from(["api", "web"]), st.integers(1, 7), st.integers(0, 40)), min_size=1, max_size=4
)
limits = st.lists(
    st.tuples(st.sampled_from(["method", "installation"]), st.integers(1, 3), st.integers(5, 90)), max_size=2,
    unique_by=lambda one: (one[0], one[2]),
)  # fmt: skip
troubles = st.lists(st.sampled_from([Retry(why="busy"), Unsure(why="no answer")]), max_size=2)


async def play(postgres: Cluster, night, throttles, answers) -> None:
    async with postgres.fresh() as url:
        db = await connect(url, 10)
        scene = Scene(db, nodes=2)
        await scene.start()
        try:
            people = [await scene.cast.person(name, "sms", "voice+1") for name in ("Ana", "Ben")]
            policy = await scene.cast.policy(([*people], 240))
            sources = {name: await scene.cast.source(name=name, pages=policy) for name in ("api", "web")}
            for scope, most, seconds in throttles:
                sql = """INSERT INTO throttles (id, kind, scope, most, seconds, created_at, updated_at)
                    VALUES (gen_random_uuid(), 'sms', $1, $2, $3, $4, $4)"""
                await db.run(sql, scope, most, seconds, scene.clock())
            await db.run("UPDATE configuration SET version = version + 1")
            scene.phones["sms"].will(*answers)
            fired: list[str] = []
            for service, many, pause in night:
                scene.awake = False
                for _ in range(many):
                    fired.append(f"Alert{len(fired)}")
                    await _fires(scene, fired[-1], sources[service])
                scene.awake = True
                await scene.go(scene.clock() + timedelta(seconds=pause), strict=False)
            await scene.go(scene.clock() + timedelta(hours=2), strict=False)
            await _agrees(scene, fired)
        finally:
            scene.phones.unclaimed.clear()
            await scene.stop()
            await db.close()


async def _fires(scene, name, source) -> None:
    group = scene.group(source, name, {})
    group.fires("host-1", at=scene.clock())
    await scene.post(payloads.body(group.document()), source=source)


async def _agrees(scene, fired) -> None:
    """Nothing waits, every page has messages that went out, and each person heard of every alert by each way."""
    rows = await scene.db.fetch("SELECT DISTINCT state FROM notifications")
    assert {row["state"] for row in rows} <= {"sent", "unknown"}
    silent = """SELECT 1 FROM pages p WHERE NOT EXISTS (
        SELECT 1 FROM notifications n WHERE n.page_id = p.id AND n.state = 'sent')"""
    assert await scene.db.fetch(silent) == []
    heard: dict[tuple[str, str], set[str]] = {
        (h.message.recipient, h.kind): set() for h in scene.phones.heard
    }
    for one in scene.phones.heard:
        if one.message.purpose is Purpose.PAGE:
            titles = [told.title for told in one.message.bundle] or [one.message.title]
            heard[one.message.recipient, one.kind] |= set(titles)
    for person in ("Ana", "Ben"):
        for way in ("sms", "voice"):
            assert heard[person, way] == set(fired), (person, way)


@given(storms, limits, troubles)
@settings(
    max_examples=12,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
def test_bundling_and_throttling_hide_no_page(postgres, night, throttles, answers):
    asyncio.run(play(postgres, night, throttles, answers))
