"""Groups of alerts: the first leads and pages, the others follow it, and nobody is forgotten when it is over."""

import asyncio
from datetime import timedelta

import pytest

from nightbell.core.journal import SYSTEM
from nightbell.engine import edits
from nightbell.engine.act import NewAlert
from nightbell.testing import payloads

CLUSTER = [{"json_path": "$.commonLabels.cluster"}]
WEST, EAST = {"cluster": "west"}, {"cluster": "east"}


@pytest.fixture
async def ana(scene):
    return await scene.cast.person("Ana", "sms")


@pytest.fixture
async def ben(scene):
    return await scene.cast.person("Ben", "sms")


@pytest.fixture
async def shop(scene, ana, ben):
    """A service that pages Ana, five minutes later Ben; its alerts of one cluster are one problem for ten minutes."""
    service = await scene.cast.service(policy=await scene.cast.policy(([ana], 5), ([ben], 5)))
    await scene.cast.source(pages=service)
    await scene.cast.grouping(service, attributes=CLUSTER)
    return service


async def leader_of(scene, alertname):
    row = await scene.alert(alertname)
    found = await scene.db.fetch("SELECT leader_id, bucket, group_size FROM alerts WHERE id = $1", row["id"])
    if found[0]["leader_id"] is None:
        return None
    named = await scene.db.fetch("SELECT alertname FROM alerts WHERE id = $1", found[0]["leader_id"])
    return named[0]["alertname"]


def follows(scene, alertname, leader):
    async def step():
        assert await leader_of(scene, alertname) == leader

    return step


# ---------------------------------------------------------------- joining


async def test_the_first_pages_and_what_comes_after_it_follows_in_silence(scene, shop, ana, ben):
    await (
        scene.at("02:00").firing("DiskFull", labels=WEST).pages(ana).says("group.opened")
        .at("02:01").firing("Latency", labels=WEST).status("triggered", "Latency").says("group.joined", "Latency")
        .then(follows(scene, "Latency", "DiskFull")).says("group.gained", "DiskFull", times=1)
        .at("02:05").pages(ben)
        .at("02:06").acknowledged(ana, "DiskFull").told(ben).status("acknowledged", "Latency")
        .quiet_until("09:00")
    )  # fmt: skip


async def test_alerts_that_share_nothing_page_each(scene, shop, ana):
    await (
        scene.at("02:00").firing("DiskFull", labels=WEST).pages(ana).acknowledged(ana, "DiskFull")
        .at("02:01").firing("Latency", labels=EAST).pages(ana).acknowledged(ana, "Latency")
        .at("02:02").firing("Unlabelled").pages(ana).acknowledged(ana, "Unlabelled")
        .at("02:03").firing("UnlabelledToo").pages(ana).acknowledged(ana, "UnlabelledToo")
        .quiet_until("09:00")
    )  # fmt: skip


async def test_the_window_moves_on_with_whatever_joins_and_then_a_new_group_begins(scene, shop, ana):
    await (
        scene.at("02:00").firing("A", labels=WEST).pages(ana).acknowledged(ana, "A")
        .at("02:09").firing("B", labels=WEST).status("acknowledged", "B")
        .at("02:18").firing("C", labels=WEST).then(follows(scene, "C", "A"))
        .at("02:28").firing("D", labels=WEST).pages(ana).then(follows(scene, "D", None)).acknowledged(ana, "D")
        .at("02:30").firing("E", labels=WEST).then(follows(scene, "E", "D"))
        .quiet_until("09:00")
    )  # fmt: skip


async def test_what_pages_nobody_is_not_grouped(scene, ana):
    await scene.cast.source()
    await scene.cast.grouping()
    await (
        scene.at("02:00").firing("DiskFull").status("open").firing("Latency").status("open", "Latency")
        .then(follows(scene, "Latency", None))
        .quiet_until("03:00")
    )  # fmt: skip


async def test_a_rule_without_conditions_groups_whatever_pages(scene, ana):
    await scene.cast.source(pages=ana)
    await scene.cast.grouping()
    await (
        scene.at("02:00").firing("A").pages(ana)
        .firing("B").firing("C").then(follows(scene, "C", "A"))
        .quiet_until("03:00")
    )  # fmt: skip


async def test_somebody_the_leader_does_not_page_is_paged_by_it(scene, ana, ben):
    await scene.cast.source()
    one, two = [await scene.cast.service(policy=await scene.cast.policy(([who], 5))) for who in (ana, ben)]
    await scene.cast.grouping(one, two)
    await (
        scene.at("02:00").firing("A", url=one).pages(ana)
        .at("02:01").firing("B", url=two).pages(ben).then(follows(scene, "B", "A"))
        .at("02:02").acknowledged(ana, "A").told(ben).status("acknowledged", "B")
        .at("02:03").firing("C", url=two).then(follows(scene, "C", "A"))
        .quiet_until("09:00")
    )  # fmt: skip


async def test_somebody_unpaged_is_not_silenced_by_what_another_took(scene, ana, ben):
    await scene.cast.source()
    one, two = [await scene.cast.service(policy=await scene.cast.policy(([who], 5))) for who in (ana, ben)]
    await scene.cast.grouping(one, two)
    await (
        scene.at("02:00").firing("A", url=one).pages(ana).acknowledged(ana, "A")
        .at("02:01").firing("B", url=two).pages(ben).then(follows(scene, "B", None)).acknowledged(ben, "B")
        .at("02:02").firing("C", url=two).then(follows(scene, "C", "B"))
        .quiet_until("09:00")
    )  # fmt: skip


async def test_what_calls_louder_than_the_leader_pages_by_itself(scene, ana):
    low = await scene.cast.urgency("Quiet")
    policy = await scene.cast.policy(([ana], 5))
    await scene.cast.path(
        policy, ([ana], 5), loudness="quiet", rules=[{"rule_type": "alert_urgency", "urgency_ids": [str(low)]}]
    )  # fmt: skip
    rule = {"json_path": "$.commonLabels.severity", "operator": "is", "value": "low", "urgency_id": str(low)}
    await scene.cast.source(pages=policy, urgency_rules=[rule])
    await scene.cast.grouping()
    await (
        scene.at("02:00").firing("A", labels={"severity": "low"}).pages(ana)
        .at("02:01").firing("B", labels={"severity": "high"}).pages(ana).then(follows(scene, "B", None))
        .at("02:02").firing("C", labels={"severity": "low"}).then(follows(scene, "C", "B"))
        .resolved_by(ana, "B").resolved_by(ana, "A")
        .quiet_until("09:00")
    )  # fmt: skip


async def test_a_later_page_says_how_many_follow(scene, shop, ana, ben):
    await scene.at("02:00").firing("A", labels=WEST).pages(ana)
    for name in ("B", "C"):
        await scene.now.firing(name, labels=WEST)
    await scene.at("02:01").resolved("C").at("02:05").pages(ben)
    first, last = [one.message for one in scene.phones.heard]
    assert first.title == "A"
    assert last.title == "A +1 in its group"
    assert "1 more alert follows this one" in last.body


# ---------------------------------------------------------------- what a leader comes to


async def test_what_a_person_resolves_is_resolved_with_all_that_follow(scene, shop, ana, ben):
    await (
        scene.at("02:00").firing("A", labels=WEST).pages(ana)
        .firing("B", labels=WEST).firing("C", labels=WEST)
        .at("02:01").resolved_by(ben, "A").told(ana)
        .status("resolved", "B").status("resolved", "C").says("group.resolved", "C")
        .quiet_until("09:00")
    )  # fmt: skip


async def test_what_its_source_resolves_hands_the_group_to_the_eldest_that_still_fires(scene, shop, ana, ben):
    await (
        scene.at("02:00").firing("A", labels=WEST).pages(ana)
        .at("02:01").firing("B", labels=WEST)
        .at("02:02").firing("C", labels=WEST)
        .at("02:03").resolved("A").told(ana).pages(ana).status("triggered", "B").says("group.leads", "B")
        .then(follows(scene, "B", None)).then(follows(scene, "C", "B")).says("group.handed", "C")
        .at("02:08").pages(ben)
        .at("02:09").firing("D", labels=WEST).then(follows(scene, "D", "B"))
        .acknowledged(ben, "B").told(ana).status("acknowledged", "C").status("acknowledged", "D")
        .quiet_until("09:00")
    )  # fmt: skip


async def test_who_leads_on_pages_where_its_leader_stood(scene, shop, ana, ben):
    await (
        scene.at("02:00").firing("A", labels=WEST).pages(ana)
        .at("02:01").firing("B", labels=WEST)
        .at("02:05").pages(ben)
        .at("02:06").resolved("A").told(ana, ben).pages(ben)
        .quiet_until("09:00")
    )  # fmt: skip


async def test_what_somebody_took_stays_taken_when_its_leader_is_over(scene, shop, ana):
    await (
        scene.at("02:00").firing("A", labels=WEST).pages(ana)
        .at("02:01").firing("B", labels=WEST)
        .at("02:02").acknowledged(ana, "A")
        .at("02:03").resolved("A").told(ana).status("acknowledged", "B").then(follows(scene, "B", None))
        .quiet_until("09:00")
    )  # fmt: skip


async def test_what_one_person_took_alone_does_not_silence_the_others(scene, shop, ana, ben):
    await (
        scene.at("02:00").firing("A", labels=WEST).pages(ana)
        .at("02:01").firing("B", labels=WEST)
        .at("02:02").firing("C", labels=WEST)
        .at("02:03").acknowledged(ben, "B").status("triggered", "C")
        .at("02:04").resolved("A").told(ana).pages(ana)
        .then(follows(scene, "C", None)).then(follows(scene, "B", "C"))
        .at("02:09").pages(ben).acknowledged(ben, "C").told(ana)
        .quiet_until("09:00")
    )  # fmt: skip


async def test_a_follower_that_is_over_is_over_alone(scene, shop, ana, ben):
    await (
        scene.at("02:00").firing("A", labels=WEST).pages(ana)
        .at("02:01").firing("B", labels=WEST)
        .at("02:02").resolved("B").status("resolved", "B").status("triggered", "A")
        .at("02:05").pages(ben)
        .at("02:06").firing("B", labels=WEST).status("triggered", "B").then(follows(scene, "B", "A"))
        .at("02:07").resolved("A").told(ana, ben).pages(ben).resolved("B").told(ben)
        .quiet_until("09:00")
    )  # fmt: skip


async def test_a_snooze_that_is_over_wakes_the_group(scene, shop, ana, ben):
    await (
        scene.at("02:00").firing("A", labels=WEST).pages(ana)
        .at("02:01").firing("B", labels=WEST)
        .at("02:02").snoozed(30, ana, "A").status("acknowledged", "B")
        .at("02:32").pages(ana).status("triggered", "B")
        .at("02:33").acknowledged(ana, "A").status("acknowledged", "B")
        .quiet_until("09:00")
    )  # fmt: skip


async def test_a_snoozed_leader_hands_its_snooze_on(scene, shop, ana):
    await (
        scene.at("02:00").firing("A", labels=WEST).pages(ana)
        .at("02:01").firing("B", labels=WEST)
        .at("02:02").snoozed(30, ana, "A")
        .at("02:10").resolved("A").told(ana).status("acknowledged", "B")
        .at("02:32").pages(ana).status("triggered", "B").acknowledged(ana, "B")
        .quiet_until("09:00")
    )  # fmt: skip


async def test_planned_work_on_the_leader_does_not_silence_what_follows(scene, ana, ben):
    policy = await scene.cast.policy(([ana], 5), ([ben], 5))
    one, two = await scene.cast.service(policy=policy), await scene.cast.service(policy=policy)
    await scene.cast.source()
    await scene.cast.grouping(policy)
    await (
        scene.at("02:00").firing("A", url=one).pages(ana)
        .at("02:01").firing("B", url=two).then(follows(scene, "B", "A"))
        .at("02:02").then(lambda: scene.cast.maintenance(one, minutes=60))
        .at("02:05").pages(ana).then(follows(scene, "B", None))
        .at("02:10").pages(ben).acknowledged(ben, "B").told(ana)
        .at("03:02").pages(ben).acknowledged(ben, "A").told(ana)
        .quiet_until("09:00")
    )  # fmt: skip


# ---------------------------------------------------------------- what people do to those that follow


@pytest.mark.parametrize("way", ["escalated", "started_over"])
async def test_who_wants_one_dealt_with_by_itself_takes_it_out_of_its_group(scene, shop, ana, ben, way):
    story = (
        scene.at("02:00").firing("A", labels=WEST).pages(ana).acknowledged(ana, "A")
        .at("02:01").firing("B", labels=WEST).status("acknowledged", "B")
        .at("02:02")
    )  # fmt: skip
    await (
        getattr(story, way)(ana, "B").pages(ana).status("triggered", "B").says("group.left", "B")
        .then(follows(scene, "B", None)).status("acknowledged", "A")
        .at("02:07").pages(ben).acknowledged(ben, "B").told(ana)
        .quiet_until("09:00")
    )  # fmt: skip


async def test_one_that_is_snoozed_alone_pages_by_itself_afterwards(scene, shop, ana, ben):
    await (
        scene.at("02:00").firing("A", labels=WEST).pages(ana).acknowledged(ana, "A")
        .at("02:01").firing("B", labels=WEST)
        .at("02:02").snoozed(30, ana, "B")
        .at("02:32").pages(ana).status("triggered", "B").acknowledged(ana, "B")
        .quiet_until("09:00")
    )  # fmt: skip


async def test_something_new_in_one_that_follows_pages_once_the_window_is_over(scene, shop, ana):
    await (
        scene.at("02:00").firing("A", labels=WEST).pages(ana).acknowledged(ana, "A")
        .at("02:01").firing("B", "host-1", labels=WEST)
        .at("02:05").firing("B", "host-2", labels=WEST).status("acknowledged", "B")
        .at("02:30").firing("B", "host-3", labels=WEST).pages(ana).says("group.left", "B").acknowledged(ana, "B")
        .quiet_until("09:00")
    )  # fmt: skip


# ---------------------------------------------------------------- rules that change


async def test_deleting_the_rule_disturbs_no_group(scene, shop, ana, ben):
    rules = await scene.db.fetch("SELECT id FROM grouping_rules")

    async def forget():
        await scene.configure.delete_grouping(rules[0]["id"], by=SYSTEM, now=scene.clock())

    await (
        scene.at("02:00").firing("A", labels=WEST).pages(ana)
        .at("02:01").firing("B", labels=WEST).then(forget)
        .at("02:02").firing("C", labels=WEST).pages(ana).acknowledged(ana, "C")
        .at("02:05").pages(ben).acknowledged(ben, "A").told(ana).status("acknowledged", "B")
        .at("02:06").resolved("A").told(ana, ben).then(follows(scene, "B", None)).status("acknowledged", "B")
        .quiet_until("09:00")
    )  # fmt: skip


async def test_changing_what_a_rule_compares_begins_new_groups(scene, shop, ana):
    rules = await scene.db.fetch("SELECT id FROM grouping_rules")

    async def change():
        edit = edits.GroupingEdit(by_title=True)
        await scene.configure.update_grouping(rules[0]["id"], edit, by=SYSTEM, now=scene.clock())

    await (
        scene.at("02:00").firing("A", labels=WEST).pages(ana).acknowledged(ana, "A")
        .at("02:01").then(change).firing("B", labels=WEST).pages(ana).acknowledged(ana, "B")
        .quiet_until("09:00")
    )  # fmt: skip


# ---------------------------------------------------------------- many at once


async def post_at_once(scene, names, labels):
    """Let each node hear its share at one moment."""
    sender = await scene.sender()
    bodies = []
    for name in names:
        group = scene.group(sender, name, labels)
        group.fires("host-1", at=scene.clock())
        bodies.append(payloads.body(group.document()))
    nodes = len(scene.engines)
    await asyncio.gather(*(scene.post(body, source=sender, node=n % nodes) for n, body in enumerate(bodies)))


async def test_of_many_at_one_moment_on_two_nodes_one_leads(two_nodes):
    scene = two_nodes
    ana = await scene.cast.person("Ana", "sms")
    await scene.cast.source(pages=await scene.cast.policy(([ana], 5)))
    await scene.cast.grouping(attributes=CLUSTER)
    names = [f"Alert{n}" for n in range(12)]
    await scene.at("02:00")
    await post_at_once(scene, names, WEST)
    await scene.now.pages(ana)
    rows = await scene.db.fetch("SELECT leader_id, group_size FROM alerts")
    assert [r["leader_id"] for r in rows].count(None) == 1
    assert max(r["group_size"] for r in rows) == 11
    await scene.now.acknowledged(ana, await only_leader(scene)).quiet_until("09:00")
    assert {r["status"] for r in await scene.db.fetch("SELECT status FROM alerts")} == {"acknowledged"}


async def only_leader(scene):
    rows = await scene.db.fetch("SELECT alertname FROM alerts WHERE leader_id IS NULL")
    return rows[0]["alertname"]


async def test_all_of_it_in_one_delivery_batch_is_one_page(scene, ana):
    """Leader, followers and the leader's end in one transaction."""
    await scene.cast.source(pages=ana)
    await scene.cast.grouping(minutes=1)
    await scene.at("02:00")
    await post_at_once(scene, ["A", "B", "C", "D"], {})
    await scene.now.pages(ana)
    rows = await scene.db.fetch("SELECT leader_id FROM alerts")
    assert [r["leader_id"] for r in rows].count(None) == 1


async def test_an_alert_made_by_hand_joins_too(scene, ana):
    await scene.cast.grouping(by_title=True)
    now = scene.clock()
    made = [
        await scene.engine.act.create(
            NewAlert(summary="Disk", targets=(ana.target,)), by=ana.actor, now=now + timedelta(seconds=n)
        )
        for n in range(2)
    ]
    await scene.settle()
    await scene.now.pages(ana).quiet_until("02:30")
    assert made[1].group
    assert made[1].group.leader_id == made[0].id
