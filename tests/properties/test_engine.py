"""Random nights on a real PostgreSQL with two nodes: whatever is interleaved, what is stored agrees with itself."""

import asyncio
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from nightbell.core.delivery import Refused, Retry, Unsure
from nightbell.core.directory import Target
from nightbell.core.errors import Invalid, Stale, Unknown
from nightbell.store.db import connect
from nightbell.testing import payloads
from nightbell.testing.cast import Person
from nightbell.testing.scenario import Scene
from support.databases import Cluster

NAMES = ("DiskFull", "CpuHot")
#: Each finds rows that contradict each other; all must find none.
CONTRADICTIONS = {
    "a resolved alert with a live climb": """
        SELECT 1 FROM alerts a JOIN escalations e ON e.alert_id = a.id
        WHERE a.status = 'resolved' AND e.phase IN ('climbing', 'held')""",
    "a climb of an alert that is not triggered": """
        SELECT 1 FROM alerts a JOIN escalations e ON e.alert_id = a.id
        WHERE a.status <> 'triggered' AND e.phase = 'climbing'""",
    "a page of an alert that is not triggered": """
        SELECT 1 FROM alerts a JOIN pages p ON p.alert_id = a.id WHERE a.status <> 'triggered' AND p.phase = 'paging'""",
    "a waiting page message of an alert that is not triggered": """
        SELECT 1 FROM alerts a JOIN notifications n ON n.alert_id = a.id
        WHERE a.status <> 'triggered' AND n.state = 'waiting' AND n.purpose = 'page'""",
    "a live climb of an earlier occurrence": """
        SELECT 1 FROM alerts a JOIN escalations e ON e.alert_id = a.id
        WHERE e.occurrence <> a.occurrence AND e.phase <> 'ended'""",
    "an open alert in which nothing fires, or a resolved one in which something does": """
        SELECT 1 FROM alerts a WHERE (status = 'resolved') = EXISTS (
            SELECT 1 FROM alert_members m WHERE m.alert_id = a.id AND m.state = 'firing')""",
    "counts of members that are not their number": """
        SELECT 1 FROM alerts a WHERE (member_count, firing_count) <> (
            SELECT count(*), count(*) FILTER (WHERE state = 'firing') FROM alert_members m WHERE m.alert_id = a.id)""",
    "an episode missing from the history": """
        SELECT 1 FROM alerts a WHERE occurrence - (status <> 'resolved')::int <> (
            SELECT count(*) FROM occurrences o WHERE o.alert_id = a.id)""",
    "a snooze of an alert that nobody took": """
        SELECT 1 FROM alerts WHERE snoozed_until IS NOT NULL AND status <> 'acknowledged'""",
    "a message sent twice without a reason": """
        SELECT 1 FROM notifications WHERE state = 'sent' AND attempts > 1
        AND NOT EXISTS (SELECT 1 FROM attempts x WHERE x.notification_id = notifications.id
                        AND x.outcome IN ('retry', 'unknown'))""",
    "an open alert that follows one that is over, or one that follows": """
        SELECT 1 FROM alerts a JOIN alerts l ON l.id = a.leader_id
        WHERE a.status <> 'resolved' AND (l.status = 'resolved' OR l.leader_id IS NOT NULL)""",
    "a triggered alert that follows one somebody took": """
        SELECT 1 FROM alerts a JOIN alerts l ON l.id = a.leader_id
        WHERE a.status = 'triggered' AND l.status <> 'triggered'""",
    "a climb of an alert that follows another": """
        SELECT 1 FROM alerts a JOIN escalations e ON e.alert_id = a.id
        WHERE a.leader_id IS NOT NULL AND a.status <> 'resolved' AND e.occurrence = a.occurrence
        AND e.phase <> 'ended'""",
    "a triggered alert that nobody is paged for": """
        SELECT 1 FROM alerts a WHERE status = 'triggered' AND leader_id IS NULL AND NOT EXISTS (
            SELECT 1 FROM escalations e WHERE e.alert_id = a.id AND e.occurrence = a.occurrence
            AND e.phase <> 'ended')""",
    "an attempt without an end": "SELECT 1 FROM attempts WHERE outcome IS NULL",
}

alertnames = st.sampled_from(NAMES)
hosts = st.sets(st.sampled_from(["a", "b", "c"]), min_size=1).map(sorted)
single = st.one_of(
    st.tuples(st.just("fires"), alertnames, hosts),
    st.tuples(st.just("ends"), alertnames, hosts),
    st.tuples(st.just("repeats"), alertnames, st.none()),
    st.tuples(st.sampled_from(["acknowledge", "resolve", "snooze", "escalate"]), alertnames, st.none()),
    st.tuples(st.just("elsewhere"), alertnames, st.none()),
)
nights = st.lists(
    st.one_of(
        st.lists(single, min_size=1, max_size=4),
        # Units: seconds. A second is less than the wait before a second try.
        st.sampled_from([1, 1, 5, 60, 200, 300, 420, 900, 2000]),
        st.sampled_from(["asleep", "awake"]),
        st.sampled_from([Retry(why="503"), Refused(why="blocked"), Unsure(why="no answer")]),
        st.just("kill"),
    ),
    min_size=1,
    max_size=10,
)


class Night:
    """A scene whose people and senders do several things at one moment."""

    def __init__(self, scene: Scene, somebody: Person, elsewhere: Target) -> None:
        self._scene = scene
        self._somebody = somebody
        self._elsewhere = elsewhere

    async def happens(self, step) -> None:
        match step:
            case list():
                await asyncio.gather(*(self._one(n, *what) for n, what in enumerate(step)))
                await self._scene.settle()
            case int():
                await self._scene.go(self._scene.clock() + timedelta(seconds=step), strict=False)
            case "asleep":
                self._scene.awake = False
            case "awake":
                self._scene.awake = True
                await self._scene.settle()
            case "kill":
                await self._scene.restart()
            case answer:
                self._scene.phones["sms"].will(answer)
        self._scene.phones.unclaimed.clear()

    async def _one(self, n, what, name, hosts) -> None:
        engine, now = self._scene.engines[n % 2], self._scene.clock()
        if what in ("fires", "ends", "repeats"):
            await self._said(n, what, name, hosts)
            return
        try:
            alert = (await self._scene.alert(name))["id"]
            by = self._somebody.actor
            match what:
                case "snooze":
                    await engine.act.snooze(alert, until=now + timedelta(minutes=15), by=by, now=now)
                case "elsewhere":
                    await engine.act.escalate(alert, policy=self._elsewhere.id, by=by, now=now)
                case _:
                    await getattr(engine.act, what)(alert, by=by, now=now)
        except (Stale, Invalid, Unknown):
            pass

    async def _said(self, n, what, name, hosts) -> None:
        source = await self._scene.sender()
        group = self._scene.group(source, name, {})
        known = [host for host in hosts or () if host in group.firing]
        if what == "fires":
            group.fires(*hosts, at=self._scene.clock())
        elif what == "ends" and known:
            group.ends(*known, at=self._scene.clock())
        document = group.document()
        if document["alerts"]:
            await self._scene.post(payloads.body(document), source=source, node=n % 2)


async def contradictions(scene):
    return [why for why, sql in CONTRADICTIONS.items() if await scene.db.fetch(sql)]


async def play(cluster: Cluster, night, *, grouped: bool) -> None:
    async with cluster.fresh() as url:
        db = await connect(url, 10)
        scene = Scene(db, nodes=2)
        try:
            await scene.start()
            ana = await scene.cast.person("Ana", "sms", "voice+3")
            ben = await scene.cast.person("Ben", "sms+1")
            own = await scene.cast.service(policy=await scene.cast.policy(([ben], 7), repeat=1))
            await scene.cast.source(pages=await scene.cast.policy(([ana, own], 5), ([ben], 0), repeat=1))
            if grouped:
                await scene.cast.grouping()
            told = Night(scene, ana, await scene.cast.policy(([ben], 4)))
            for step in night:
                await told.happens(step)
                assert await contradictions(scene) == []
            scene.awake = True
            await scene.go(scene.clock() + timedelta(days=1), strict=False)
            assert await contradictions(scene) == []
            assert await db.value("next_due") is None
        finally:
            await scene.stop()
            await db.close()


@pytest.mark.timeout(300)
@given(nights, st.booleans())
@settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
def test_whatever_is_interleaved_the_rows_agree_with_each_other(postgres, night, grouped):
    asyncio.run(play(postgres, night, grouped=grouped))
