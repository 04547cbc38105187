"""Silence pages, the next beat ends it, and whoever switches a heartbeat off is not woken by it."""

from datetime import timedelta

import pytest

from nightbell.core.errors import Forbidden, Unknown
from nightbell.core.journal import SYSTEM
from nightbell.engine import edits
from nightbell.testing import payloads


@pytest.fixture
async def ana(scene):
    return await scene.cast.person("Ana", "sms", "sms+15")


@pytest.fixture
def watched(scene, ana):
    async def make(name="backup", *, enabled=True, **more):
        edit = edits.HeartbeatEdit(
            name=name,
            alert_summary=f"{name} is silent",
            interval_count=60,
            interval_unit="minutes",
            target={"type": "User", "id": str(ana.id)},
            enabled=enabled,
            **more,
        )
        return await scene.configure.create_heartbeat(edit, by=SYSTEM, now=scene.clock())

    return make


async def beat(scene, key):
    await scene.engine.heartbeats.ping(key, secret=None)
    await scene.settle()


async def change(scene, key, **fields):
    edit = edits.HeartbeatEdit(**fields)
    await scene.configure.update_heartbeat(key, edit, by=SYSTEM, now=scene.clock())
    await scene.settle()


async def status(scene, key):
    return (await scene.db.fetch("SELECT status FROM heartbeats WHERE id = $1", key))[0]["status"]


async def test_silence_pages_and_the_next_beat_ends_it(scene, ana, watched):
    key = await watched()
    await (
        scene.at("02:00").then(lambda: beat(scene, key))
        .quiet_until("02:59")
        .at("03:00").pages(ana).status("triggered")
        .at("03:05").then(lambda: beat(scene, key)).told(ana).status("resolved")
        .quiet_until("04:04")
        .at("04:05").pages(ana).status("triggered").says("alert.reopened")
        .at("04:20").pages(ana)
    )  # fmt: skip


async def test_nobody_is_paged_before_the_first_beat(scene, watched):
    await watched()
    await scene.at("02:00").quiet_until("12:00")


async def test_grace_is_added_to_the_interval(scene, ana, watched):
    key = await watched(grace_seconds=90)
    await beat(scene, key)
    await scene.at("02:00").quiet_until("03:01").at("03:01:30").pages(ana)


async def test_a_heartbeat_that_is_off_is_followed_and_pages_nobody(scene, watched):
    key = await watched(enabled=False)
    await beat(scene, key)
    await scene.at("02:00").quiet_until("05:00")
    assert await status(scene, key) == "expired"
    assert await scene.alerts() == []


async def test_switching_it_off_ends_its_alert_and_what_was_pending(scene, ana, watched):
    key = await watched()
    await (
        scene.at("02:00").then(lambda: beat(scene, key))
        .at("03:00").pages(ana)
        .at("03:01").then(lambda: change(scene, key, enabled=False)).told(ana).status("resolved")
        .quiet_until("06:00")
    )  # fmt: skip
    assert await status(scene, key) == "waiting"


async def test_deleting_it_ends_its_alert_and_what_was_pending(scene, ana, watched):
    key = await watched()

    async def delete():
        await scene.configure.delete_heartbeat(key, by=SYSTEM, now=scene.clock())
        await scene.settle()

    await (
        scene.at("02:00").then(lambda: beat(scene, key))
        .at("03:00").pages(ana)
        .at("03:01").then(delete).told(ana).status("resolved")
        .quiet_until("06:00")
    )  # fmt: skip


async def test_another_interval_starts_it_anew(scene, watched):
    key = await watched()
    await beat(scene, key)
    await change(scene, key, interval_count=5)
    assert await status(scene, key) == "waiting"
    await scene.at("02:00").quiet_until("05:00")


async def test_another_name_starts_nothing_anew(scene, ana, watched):
    key = await watched()
    await beat(scene, key)
    await change(scene, key, name="nightly backup")
    await scene.at("02:00").at("03:00").pages(ana)


async def test_a_ping_needs_the_secret_of_this_heartbeat(scene, watched):
    key, other = await watched(), await watched("other")
    secret = await scene.configure.reveal_heartbeat_secret(key)
    await scene.engine.heartbeats.ping(key, secret=secret)
    with pytest.raises(Forbidden):
        await scene.engine.heartbeats.ping(other, secret=secret)
    await scene.configure.delete_heartbeat(key, by=SYSTEM, now=scene.clock())
    with pytest.raises(Unknown):
        await scene.engine.heartbeats.ping(key, secret=secret)


async def test_silence_while_nobody_could_listen_is_forgiven(scene, ana, watched):
    key = await watched()
    await beat(scene, key)
    scene.clock.move_to(scene.clock() + timedelta(hours=3))
    assert await scene.engine.heartbeats.forgive(scene.clock()) == 1
    await scene.at("05:00").quiet_until("05:59").at("06:00").pages(ana)


async def watchdog(scene, source, annotation=None, *, url=None, over=False):
    group = payloads.Group("Watchdog", labels={"severity": "none"})
    group.fires("prometheus", at=scene.clock())
    if over:
        group.ends(at=scene.clock())
    document = group.document()
    for alert in document["alerts"]:
        alert["annotations"] = {"rootly": annotation} if annotation else {}
    return await scene.post(payloads.body(document), source=source, url=url)


async def test_a_watchdog_feeds_its_heartbeat_and_its_silence_pages(scene, ana, watched):
    key = await watched()
    source = await scene.cast.source(pages=ana)
    said = f'{{"heartbeat":"{key}"}}'
    outcome = await watchdog(scene, source, said)
    assert (outcome.outcome, outcome.results[0]["what"]) == ("accepted", "beat")
    assert await scene.alerts() == []
    await (
        scene.at("02:00")
        .at("02:50").then(lambda: watchdog(scene, source, said))
        .quiet_until("03:49")
        .at("03:50").pages(ana).status("triggered")
        .at("03:55").then(lambda: watchdog(scene, source, said)).told(ana).status("resolved")
        .quiet_until("04:54")
        .at("04:55").pages(ana)
        .at("04:56").then(lambda: watchdog(scene, source, said)).told(ana)
    )  # fmt: skip


async def test_a_receiver_of_its_own_feeds_a_heartbeat_without_an_annotation(scene, watched):
    key = await watched()
    outcome = await watchdog(scene, await scene.cast.source(), url=("Heartbeat", str(key)))
    assert outcome.results == [{"heartbeat": str(key), "name": "backup", "what": "beat"}]


async def test_matchers_choose_the_watchdog_of_any_source(scene, watched):
    key = await watched(matchers='alertname="Watchdog"')
    await watchdog(scene, await scene.cast.source())
    assert await status(scene, key) == "active"
    assert await scene.alerts() == []


async def test_a_resolved_watchdog_is_no_beat_and_no_alert(scene, watched):
    key = await watched(matchers='alertname="Watchdog"')
    await watchdog(scene, await scene.cast.source(), over=True)
    assert (await status(scene, key), await scene.alerts()) == ("waiting", [])


async def test_a_watchdog_that_names_no_heartbeat_is_an_alert_that_says_so(scene):
    await watchdog(scene, await scene.cast.source(), '{"heartbeat":"nonsense"}')
    assert "nonsense" in scene.outcome.reason
    assert len(await scene.alerts()) == 1


async def test_two_nodes_page_one_silence_once(two_nodes):
    scene = two_nodes
    ana = await scene.cast.person("Ana", "sms")
    edit = edits.HeartbeatEdit(
        name="backup", alert_summary="silent", interval_count=5, interval_unit="minutes", enabled=True,
        target={"type": "User", "id": str(ana.id)},
    )  # fmt: skip
    key = await scene.configure.create_heartbeat(edit, by=SYSTEM, now=scene.clock())
    await beat(scene, key)
    await scene.at("02:00").at("02:05").pages(ana).quiet_until("03:00")
