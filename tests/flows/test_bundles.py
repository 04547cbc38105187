"""One message for many alerts, turns in a storm, throttles: told from end to end on telephones that keep what they hear."""

from datetime import timedelta
from uuid import UUID

import pytest

from nightbell.core.delivery import Purpose, Refused, Retry, Sent, Unsure
from nightbell.core.errors import Stale
from nightbell.engine import bundles
from nightbell.testing.scenario import Scene


async def storm(scene: Scene, source, many: int, *, name: str = "Alert") -> None:
    """Let many alerts fire before anybody looks at the first."""
    scene.awake = False
    for n in range(many):
        await scene.now.firing(f"{name}{n}", source=source)
    scene.awake = True
    await scene.settle()


async def household(scene: Scene, *ways: str):
    ana = await scene.cast.person("Ana", *(ways or ("sms",)))
    return ana, await scene.cast.source(pages=await scene.cast.policy(([ana], 30)))


async def test_many_alerts_of_one_moment_are_one_message(scene):
    ana, source = await household(scene)
    await storm(scene, source, 4)
    message = scene.phones.claim("Ana", "sms", Purpose.PAGE).message
    scene.phones.verify()
    assert message.title.startswith("4 unacked alerts on ")
    assert [told.title for told in message.bundle] == ["Alert0", "Alert1", "Alert2", "Alert3"]
    assert not message.escalate_url
    assert not message.snooze_url


async def test_every_bundled_page_is_recorded_as_sent_with_that_message(scene):
    _, source = await household(scene)
    await storm(scene, source, 4)
    rows = await scene.db.fetch("SELECT state, bundle_id, page_id FROM notifications")
    assert {r["state"] for r in rows} == {"sent"}
    assert len({r["bundle_id"] for r in rows}) == 1
    assert len({r["page_id"] for r in rows}) == 4
    assert (await scene.db.fetch("SELECT count(*) FROM attempts WHERE outcome = 'sent'"))[0][0] == 4
    scene.phones.unclaimed.clear()


async def test_one_answer_takes_all_it_named_and_none_that_came_later(scene):
    ana, source = await household(scene)
    await storm(scene, source, 3)
    message = scene.phones.claim("Ana", "sms", Purpose.PAGE).message
    await scene.now.firing("Later", source=source).pages(ana)
    named = await bundles.alerts_of(scene.db, message.notification_id)
    taken = await bundles.acknowledge(scene.engine.act, named, by=ana.actor, now=scene.clock())
    assert taken == 3
    stands = {r["alertname"]: r["status"] for r in await scene.alerts()}
    assert stands.pop("Later") == "triggered"
    assert set(stands.values()) == {"acknowledged"}


async def test_answering_a_bundle_that_is_over_says_so(scene):
    ana, source = await household(scene)
    await storm(scene, source, 2)
    message = scene.phones.claim("Ana", "sms", Purpose.PAGE).message
    named = await bundles.alerts_of(scene.db, message.notification_id)
    for alert in named:
        await scene.engine.act.resolve(alert, by=ana.actor, now=scene.clock())
    with pytest.raises(Stale):
        await bundles.acknowledge(scene.engine.act, named, by=ana.actor, now=scene.clock())


async def test_the_last_message_about_an_alert_says_what_else_it_named(scene):
    ana, source = await household(scene)
    await storm(scene, source, 2)
    scene.phones.unclaimed.clear()
    first = (await scene.alert("Alert0"))["id"]
    assert len(await bundles.told_with(scene.db, ana.id, first)) == 2
    assert await bundles.told_with(scene.db, ana.id, UUID(int=1)) == []


async def test_web_hooks_and_the_inbox_get_every_alert_by_itself(scene):
    ana, source = await household(scene, "inbox")
    await storm(scene, source, 3)
    await scene.now.pages(ana, by="inbox", times=3)


async def test_two_services_are_two_messages(scene):
    ana = await scene.cast.person("Ana", "sms")
    policy = await scene.cast.policy(([ana], 30))
    scene.awake = False
    for name in ("one", "two"):
        source = await scene.cast.source(name=name, pages=policy)
        for n in range(2):
            await scene.now.firing(f"{name}{n}", source=source)
    await scene.now.awake().pages(ana, times=2, alerts=2)


async def test_a_bundle_that_is_refused_uses_the_next_method_once(scene):
    ana, source = await household(scene, "sms", "voice+5")
    scene.phones["sms"].will(Refused(why="no such number"))
    await storm(scene, source, 3)
    await (
        scene.now.pages(ana, by="sms", alerts=3)
        .pages(ana, by="voice", alerts=3)
        .says("page.failover", "Alert0")
        .says("page.failover", "Alert2")
    )


async def test_a_bundle_that_was_tried_is_tried_again_as_it_was(scene):
    ana, source = await household(scene)
    scene.phones["sms"].will(Retry(why="busy", after=timedelta(seconds=3)))
    await storm(scene, source, 2)
    first = scene.phones.claim("Ana", "sms", Purpose.PAGE).message
    await storm(scene, source, 2, name="More")
    assert len(scene.phones.claim("Ana", "sms", Purpose.PAGE).message.bundle) == 2
    await scene.go(scene.clock() + timedelta(seconds=3), strict=False)
    again = scene.phones.claim("Ana", "sms", Purpose.PAGE).message
    assert again.idempotency_key == first.idempotency_key
    assert {t.title for t in again.bundle} == {t.title for t in first.bundle}


async def test_a_bundle_in_doubt_fails_over_each_page(scene):
    ana, source = await household(scene, "sms", "email+10")
    scene.phones["sms"].will(Unsure(why="no answer"))
    await storm(scene, source, 2)
    await scene.now.pages(ana, by="sms", alerts=2).pages(ana, by="email", alerts=2)


async def test_a_storm_does_not_delay_the_first_message_about_another_service(scene):
    ana, bo = await scene.cast.person("Ana", "inbox"), await scene.cast.person("Bo", "inbox")
    loud = await scene.cast.source(name="loud", pages=await scene.cast.policy(([ana], 30)))
    other = await scene.cast.source(name="other", pages=await scene.cast.policy(([bo], 30)))
    scene.awake = False
    for n in range(40):
        await scene.now.firing(f"Loud{n}", source=loud)
    await scene.now.firing("Other", source=other)
    deliver = scene.engine.deliver
    await deliver.send(await deliver.claim(10))
    assert not [h for h in scene.phones.heard if h.message.recipient == "Bo"]
    await deliver.send(await deliver.claim(10, in_turn=True))
    assert [h for h in scene.phones.heard if h.message.recipient == "Bo"]
    scene.awake = True
    await scene.settle()
    assert len(scene.phones.heard) == 41
    scene.phones.unclaimed.clear()


async def test_what_was_not_read_for_a_claim_is_told_with_it(scene):
    _, source = await household(scene)
    scene.awake = False
    for n in range(12):
        await scene.now.firing(f"Alert{n}", source=source)
    deliver = scene.engine.deliver
    await deliver.send(await deliver.claim(5))
    assert len(scene.phones.claim("Ana", "sms", Purpose.PAGE).message.bundle) == 12


async def throttled(scene: Scene, kind: str, most: int, seconds: int, scope: str = "method") -> None:
    sql = """INSERT INTO throttles (id, kind, scope, most, seconds, created_at, updated_at)
        VALUES (gen_random_uuid(), $1, $2, $3, $4, $5, $5)"""
    await scene.db.run(sql, kind, scope, most, seconds, scene.clock())
    await scene.db.run("UPDATE configuration SET version = version + 1")


async def test_a_throttle_delays_and_tells_the_rest_as_one(scene):
    ana, source = await household(scene)
    await throttled(scene, "sms", 1, 60)
    await scene.at("02:00").firing("First", source=source).pages(ana)
    await storm(scene, source, 5)
    scene.phones.verify()
    assert all("held back" in r["why"] for r in await scene.db.fetch(
        "SELECT why FROM notifications WHERE state = 'waiting'"
    ))  # fmt: skip
    await scene.go(scene.clock.at("02:01"), strict=False)
    assert len(scene.phones.claim("Ana", "sms", Purpose.PAGE).message.bundle) == 5


async def test_what_a_throttle_holds_is_called_off_with_its_alert(scene):
    ana, source = await household(scene)
    await throttled(scene, "sms", 1, 60)
    await scene.at("02:00").firing("First", source=source).pages(ana).firing("Second", source=source)
    await scene.now.acknowledged(ana, "Second").quiet_until("02:20")


async def test_a_throttle_of_the_installation_counts_everybody(scene):
    ana, bo = await scene.cast.person("Ana", "sms"), await scene.cast.person("Bo", "sms")
    source = await scene.cast.source(pages=await scene.cast.policy(([ana, bo], 30)))
    await throttled(scene, "sms", 1, 30, scope="installation")
    await scene.at("02:00").firing("One", source=source).pages(ana)
    await scene.at("02:00:30").pages(bo)


async def test_a_try_that_failed_counts_too_and_comes_again(scene):
    ana, source = await household(scene)
    await throttled(scene, "sms", 1, 20)
    scene.phones["sms"].will(Retry(why="busy"), Sent())
    await scene.at("02:00").firing("One", source=source).pages(ana)
    await scene.now.until("02:01").pages(ana).quiet_until("02:20")
