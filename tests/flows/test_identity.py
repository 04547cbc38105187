"""What is one alert, and when it is over: webhooks of real Alertmanagers against the whole engine."""

import asyncio
import json
from datetime import UTC, datetime

import pytest

from nightbell.testing import payloads
from support.captures import captured, edited


def on(hour, minute, second=0, micro=0):
    return datetime(2026, 11, 23, hour, minute, second, micro, tzinfo=UTC)


@pytest.fixture
async def ana(scene):
    return await scene.cast.person("Ana", "sms")


@pytest.fixture
async def ben(scene):
    return await scene.cast.person("Ben", "sms")


@pytest.fixture
async def paging(scene, ana):
    """A source whose alerts page Ana, with nothing to follow."""
    return await scene.cast.source(name="paging", pages=ana)


async def members(scene, alertname=None):
    alert = await scene.alert(alertname)
    sql = "SELECT labels ->> 'instance' AS host, state, ends_at, inferred, absent_since FROM alert_members WHERE alert_id = $1"
    return {row["host"]: row for row in await scene.db.fetch(sql, alert["id"])}


async def states(scene, alertname=None):
    return {host: row["state"] for host, row in (await members(scene, alertname)).items()}


async def details(scene):
    alert = await scene.alert()
    return (await scene.db.fetch("SELECT * FROM alert_details WHERE alert_id = $1", alert["id"]))[0]


# ---------------------------------------------------------------- one alert or several


@pytest.mark.parametrize(
    ("settings", "alerts"),
    [
        ({"identity": "group"}, 1),
        ({"identity": "fingerprint"}, 4),
        ({"identity": "alertname"}, 1),
        ({"identity": "key", "dedup_path": "$.alerts[*].labels.instance"}, 4),
        ({"identity": "key", "dedup_path": "$.commonLabels.cluster"}, 1),
    ],
)
async def test_the_mode_of_a_source_says_how_many_alerts_a_group_is(scene, ana, settings, alerts):
    source = await scene.cast.source(pages=ana, **settings)
    await scene.at("02:30").posted(captured("multi_alert_group"), source=source).pages(ana, alerts=alerts)
    assert len(await scene.alerts()) == alerts
    assert sum(row["member_count"] for row in await scene.alerts()) == 4


async def test_one_alertname_in_two_groups_is_two_alerts_and_one_resolve_leaves_the_other_climbing(
    scene, ana, ben
):
    source = await scene.cast.source(pages=await scene.cast.policy(([ana], 10), ([ben], 10)))
    a = payloads.Group("InstanceDown", group_labels={"alertname": "InstanceDown", "instance": "a"})
    b = payloads.Group("InstanceDown", group_labels={"alertname": "InstanceDown", "instance": "b"})
    a.fires("a", at=scene.clock())
    b.fires("b", at=scene.clock())
    await (
        scene.now.posted(payloads.body(a.document()), source=source).pages(ana)
        .posted(payloads.body(b.document()), source=source).pages(ana)
    )  # fmt: skip
    a.ends(at=on(2, 5))
    await (
        scene.at("02:05").posted(payloads.body(a.document()), source=source).told(ana)
        .at("02:10").pages(ben)
    )  # fmt: skip
    assert [row["status"] for row in await scene.alerts()] == ["resolved", "triggered"]


async def test_by_alertname_one_host_that_resolves_does_not_close_the_alert_of_another(scene, ana):
    source = await scene.cast.source(pages=ana, identity="alertname")
    a = payloads.Group("InstanceDown", group_labels={"instance": "a"})
    b = payloads.Group("InstanceDown", group_labels={"instance": "b"})
    a.fires("a", at=scene.clock())
    b.fires("b", at=scene.clock())
    await (
        scene.now.posted(payloads.body(a.document()), source=source).pages(ana)
        .posted(payloads.body(b.document()), source=source)
    )  # fmt: skip
    a.ends(at=on(2, 5))
    await scene.at("02:05").posted(payloads.body(a.document()), source=source).status("triggered")
    b.ends(at=on(2, 6))
    await scene.at("02:06").posted(payloads.body(b.document()), source=source).told(ana).status("resolved")
    assert len(await scene.alerts()) == 1


async def test_several_alertnames_in_one_delivery_are_an_alert_each(scene, ana, paging):
    both = payloads.webhook(
        [
            payloads.alert({"alertname": name, "job": "api"}, starts=scene.clock())
            for name in ("DiskFull", "CpuHot")
        ],
        group_labels={"job": "api"},
    )
    await scene.now.posted(payloads.body(both)).pages(ana, alerts=2)
    both["alerts"][0] |= {"status": "resolved", "endsAt": "2026-11-23T02:01:00Z"}
    await scene.at("02:02").posted(payloads.body(both)).told(ana)
    await scene.now.status("resolved", "DiskFull").status("triggered", "CpuHot")
    assert [row["summary"] for row in await scene.alerts()] == ["DiskFull", "CpuHot"]


async def test_two_sources_never_share_an_alert(scene, ana, paging):
    other = await scene.cast.source(name="other", pages=ana)
    await (
        scene.at("02:30").posted(captured("single_firing"), source=paging).pages(ana)
        .posted(captured("single_firing"), source=other).pages(ana)
        .posted(captured("all_resolved_single"), source=other).told(ana)
    )  # fmt: skip
    assert [row["status"] for row in await scene.alerts()] == ["triggered", "resolved"]


async def test_one_key_on_two_services_is_two_alerts_and_neither_repages(scene, ana, ben):
    first = await scene.cast.source(pages=ana, identity="key", dedup_path="$.commonLabels.key")
    second = await scene.cast.source(pages=ben, identity="key", dedup_path="$.commonLabels.key")
    x = {"key": "x"}
    await (
        scene.at("02:00").firing("DiskFull", source=first, labels=x).pages(ana)
        .at("02:01").repeated("DiskFull", source=first)
        .at("02:02").firing("DiskFull", source=second, labels=x).pages(ben)
        .at("02:03").resolved("DiskFull", source=first).told(ana)
        .at("02:04").firing("DiskFull", source=first).pages(ana)
        .quiet_until("05:00")
    )  # fmt: skip
    assert len(await scene.alerts()) == 2


async def test_a_key_that_is_not_in_the_payload_falls_back_to_the_group_and_says_so(scene, ana):
    await scene.cast.source(pages=ana, identity="key", dedup_path="$.commonLabels.nothing")
    await scene.at("02:30").posted(captured("multi_alert_group")).pages(ana)
    assert (await details(scene))["dedup_rule"] == "group (no key)"
    created = (await scene.journal())[0]
    assert created["because"]["rule"] == "group (no key)"


async def test_a_key_whose_regexp_does_not_match_falls_back_to_the_group(scene, ana):
    await scene.cast.source(
        pages=ana, identity="key", dedup_path="$.commonLabels.cluster", dedup_regexp="us-(\\d)"
    )
    await scene.at("02:30").posted(captured("multi_alert_group")).pages(ana)
    assert (await details(scene))["dedup_rule"] == "group (no key)"


async def test_a_group_key_that_changed_with_the_routing_tree_is_still_the_same_alert(scene, ana, paging):
    def moved(document):
        document["groupKey"] = '{}/{test=~"multi"}:{alertname="HighErrorRate", cluster="eu-1"}'

    await (
        scene.at("02:30").posted(captured("multi_alert_group")).pages(ana)
        .posted(edited("multi_alert_group", moved)).says("alert.moved", times=1)
        .posted(edited("all_resolved_group", moved)).told(ana).status("resolved")
    )  # fmt: skip
    assert len(await scene.alerts()) == 1


async def test_a_route_that_continues_to_another_receiver_is_another_alert(scene, ana, paging):
    def other(document):
        document["receiver"] = "managers"

    await (
        scene.at("02:30").posted(captured("multi_alert_group")).pages(ana)
        .posted(edited("multi_alert_group", other)).pages(ana)
    )  # fmt: skip
    assert len(await scene.alerts()) == 2


async def test_a_resolve_that_arrives_under_another_receiver_finds_its_alert(scene, ana, paging):
    def other(document):
        document["receiver"] = "renamed"

    await (
        scene.at("02:30").posted(captured("single_firing")).pages(ana)
        .posted(edited("all_resolved_single", other)).told(ana).status("resolved")
    )  # fmt: skip


# ---------------------------------------------------------------- members and their ends


async def test_a_group_that_is_partly_over_stays_and_pages_nobody(scene, ana, paging):
    await (
        scene.at("02:30").posted(captured("multi_alert_group")).pages(ana)
        .posted(captured("mixed_firing_resolved")).status("triggered").quiet()
    )  # fmt: skip
    said = await members(scene)
    assert {h: r["state"] for h, r in said.items()} == {
        "api-0:8080": "resolved", "api-1:8080": "resolved", "api-2:8080": "firing", "api-3:8080": "firing",
    }  # fmt: skip
    assert said["api-0:8080"]["ends_at"].replace(microsecond=0) == on(2, 26, 38)
    await scene.now.posted(captured("all_resolved_group")).told(ana).status("resolved")


async def test_the_end_of_an_alert_is_the_latest_end_of_its_members_not_the_time_of_receipt(
    scene, ana, paging
):
    await (
        scene.at("02:30").posted(captured("multi_alert_group")).pages(ana)
        .posted(captured("mixed_firing_resolved"))
        .posted(captured("all_resolved_group")).told(ana)
    )  # fmt: skip
    ends = [a["endsAt"] for a in json.loads(captured("all_resolved_group"))["alerts"]]
    alert = await scene.alert()
    assert alert["ended_at"].isoformat()[:23] == max(ends)[:23]
    assert alert["resolved_at"] == scene.clock()
    (episode,) = await scene.db.fetch("SELECT * FROM occurrences")
    assert (episode["started_at"], episode["ended_at"]) == (on(2, 1), alert["ended_at"])


async def test_a_group_that_is_over_closes_members_whose_resolve_was_lost(scene, ana, paging):
    await (
        scene.at("02:30").posted(captured("multi_alert_group")).pages(ana)
        .posted(captured("all_resolved_group")).told(ana).status("resolved")
    )  # fmt: skip
    inferred = {host: row["inferred"] for host, row in (await members(scene)).items()}
    assert inferred == {"api-0:8080": True, "api-1:8080": True, "api-2:8080": False, "api-3:8080": False}


async def test_a_truncated_end_closes_only_whom_it_names(scene, ana, paging):
    def cut(document):
        document["truncatedAlerts"] = 1

    await (
        scene.at("02:30").posted(captured("multi_alert_group")).pages(ana)
        .posted(edited("all_resolved_group", cut)).status("triggered")
    )  # fmt: skip
    assert sorted((await states(scene)).values()) == ["firing", "firing", "resolved", "resolved"]


async def test_a_group_that_is_over_also_ends_its_other_alerts_that_it_does_not_name(scene, ana, paging):
    both = payloads.webhook(
        [payloads.alert({"alertname": name, "job": "api"}, starts=scene.clock()) for name in ("A", "B")],
        group_labels={"job": "api"},
    )
    await scene.now.posted(payloads.body(both)).pages(ana, alerts=2)
    only = payloads.webhook(
        [payloads.alert({"alertname": "A", "job": "api"}, starts=scene.clock(), ends=on(2, 1))],
        group_labels={"job": "api"},
    )
    await scene.at("02:02").posted(payloads.body(only)).told(ana, alerts=2)
    await scene.now.status("resolved", "A").status("resolved", "B")
    assert (await scene.alert("B"))["ended_at"] == on(2, 1)


async def test_a_truncated_group_resolves_nothing_by_absence(scene, ana, paging):
    def fewer(document):
        del document["alerts"][1:]

    await (
        scene.at("02:30").posted(captured("truncated_max_alerts3")).pages(ana)
        .posted(edited("truncated_max_alerts3", fewer)).status("triggered")
    )  # fmt: skip
    assert set((await states(scene)).values()) == {"firing"}
    assert (await scene.alert())["truncated"] == 7


async def test_a_member_that_is_missing_is_absent_and_not_over(scene, ana, paging):
    await (
        scene.at("03:00").posted(captured("silenced_member_1")).pages(ana)
        .posted(captured("silenced_member_2")).status("triggered")
    )  # fmt: skip
    said = await members(scene)
    assert (said["a"]["state"], said["a"]["absent_since"]) == ("firing", scene.clock())
    await scene.now.posted(captured("silenced_member_3")).quiet()
    assert (await members(scene))["a"]["absent_since"] is None


async def test_a_member_listed_as_resolved_again_changes_nothing(scene, ana, paging):
    await (
        scene.at("03:00").posted(captured("resend_1_firing")).pages(ana)
        .posted(captured("resend_2_a_resolved")).status("triggered")
        .posted(captured("resend_3_a_resolved_again")).told(ana).status("resolved")
        .says("alert.resolved", times=1)
    )  # fmt: skip
    assert (await members(scene))["a"]["ends_at"].replace(microsecond=0) == on(2, 51, 28)


async def test_a_repeat_is_counted_and_pages_nobody(scene, ana, paging):
    await (
        scene.at("02:30").posted(captured("repeat_first")).pages(ana)
        .at("02:40").posted(captured("repeat_second")).says("signal.repeated", times=1)
        .at("02:50").posted(captured("repeat_second")).says("signal.repeated", times=1)
        .quiet_until("04:00")
    )  # fmt: skip
    alert = await scene.alert()
    assert (alert["request_count"], alert["last_received_at"]) == (3, on(2, 50))


async def test_a_new_member_of_a_triggered_alert_pages_nobody_again(scene, ana, paging):
    def first(document):
        del document["alerts"][1:]

    await (
        scene.at("02:30").posted(edited("multi_alert_group", first)).pages(ana)
        .posted(captured("multi_alert_group")).quiet().says("alert.members")
    )  # fmt: skip
    assert len(await states(scene)) == 4


async def test_a_new_member_of_an_acknowledged_alert_pages_again_and_is_named(scene, ana, ben):
    source = await scene.cast.source(pages=await scene.cast.policy(([ana], 10), ([ben], 10)))
    await (
        scene.at("02:00").firing("DiskFull", "a", source=source).pages(ana)
        .at("02:01").acknowledged(ana)
        .at("02:20").firing("DiskFull", "b", source=source).pages(ana).status("triggered")
        .at("02:30").pages(ben)
    )  # fmt: skip
    (repaged,) = [row for row in await scene.journal() if row["code"] == "alert.repaged"]
    assert "b" in repaged["details"]


async def test_a_source_can_keep_new_members_of_acknowledged_alerts_quiet(scene, ana):
    source = await scene.cast.source(pages=ana, repage_new_members=False)
    await (
        scene.at("02:00").firing("DiskFull", "a", source=source).pages(ana).acknowledged(ana)
        .at("02:20").firing("DiskFull", "b", source=source).status("acknowledged")
        .quiet_until("05:00")
    )  # fmt: skip


async def test_a_resolve_of_nothing_known_is_a_line_in_the_log_and_no_alert(scene, paging):
    await scene.at("02:30").posted(captured("all_resolved_single"))
    assert await scene.alerts() == []
    (delivery,) = await scene.db.fetch("SELECT outcome, reason FROM deliveries")
    assert tuple(delivery.values()) == ("ignored", "resolve_without_alert")


async def test_a_known_and_an_unknown_resolve_in_one_delivery_are_told_apart(scene, ana, paging):
    both = payloads.webhook(
        [payloads.alert({"alertname": n, "job": "api"}, starts=on(2, 0), ends=on(2, 5)) for n in ("A", "B")],
        group_labels={"job": "api"},
        status="firing",
    )
    await scene.at("02:00").firing("A", labels={"job": "api"}).pages(ana)
    both["groupKey"] = '{}:{alertname="A"}'
    await scene.at("02:06").posted(payloads.body(both)).quiet()
    assert "1 resolved that were not known" in scene.outcome.reason


# ---------------------------------------------------------------- again


async def test_fire_resolve_fire_is_one_alert_with_two_episodes_and_two_pages(scene, ana, paging):
    await (
        scene.at("02:44:10").posted(captured("flap_1_firing")).pages(ana).status("triggered")
        .at("02:44:30").posted(captured("flap_2_resolved")).told(ana).status("resolved")
        .at("02:44:50").posted(captured("flap_3_firing_again")).pages(ana).status("triggered")
        .says("alert.reopened", times=1)
    )  # fmt: skip
    (alert,) = await scene.alerts()
    assert (alert["occurrence"], alert["ended_at"], alert["request_count"]) == (2, None, 3)
    assert alert["started_at"].replace(microsecond=0) == on(2, 44, 41)


async def test_a_stale_firing_of_a_cluster_peer_reopens_and_pages_nobody_if_it_resolves_in_time(
    scene, ana, paging
):
    await (
        scene.at("02:50:50").posted(captured("ooo_1_firing")).pages(ana)
        .at("02:51:00").posted(captured("ooo_2_resolved")).told(ana)
        .at("02:51:02").posted(captured("ooo_3_firing_after_resolved")).status("triggered").quiet()
        .at("02:51:20").posted(captured("ooo_4_resolved_again")).status("resolved")
        .quiet_until("04:00")
    )  # fmt: skip


async def test_a_genuine_firing_with_the_old_start_pages_after_the_hold_down(scene, ana, paging):
    await (
        scene.at("02:58:00").posted(captured("same_startsAt_refire_1")).pages(ana)
        .at("02:58:10").posted(captured("same_startsAt_refire_2")).told(ana)
        .at("03:00:00").posted(captured("same_startsAt_refire_3")).status("triggered")
        .at("03:01:00").pages(ana)
        .quiet_until("05:00")
    )  # fmt: skip


async def test_an_alert_that_a_person_closed_and_that_still_fires_comes_back(scene, ana, paging):
    await (
        scene.at("02:00").firing("DiskFull").pages(ana)
        .at("02:05").resolved_by(ana).status("resolved")
        .at("06:05").repeated("DiskFull").status("triggered")
        .at("06:06").pages(ana)
        .quiet_until("09:00")
    )  # fmt: skip


async def test_an_old_resolve_does_not_end_a_newer_episode(scene, ana, paging):
    late = payloads.webhook(
        [payloads.alert({"alertname": "A", "instance": "host-1"}, starts=on(1, 0), ends=on(1, 30))],
        group_labels={"alertname": "A"},
    )
    await scene.at("02:00").firing("A").pages(ana).posted(payloads.body(late)).status("triggered")


async def test_without_send_resolved_an_alert_stays_until_a_person_resolves_it(scene, ana, paging):
    await (
        scene.at("02:30").posted(captured("send_resolved_false")).pages(ana)
        .quiet_until("23:00").status("triggered")
        .resolved_by(ana).status("resolved")
    )  # fmt: skip


async def test_a_cluster_of_alertmanagers_that_all_deliver_is_one_alert_and_one_page(scene, ana, paging):
    body = captured("single_firing")
    scene.awake = False
    await asyncio.gather(*(scene.post(body) for _ in range(5)))
    await scene.now.awake().pages(ana)
    (alert,) = await scene.alerts()
    assert alert["request_count"] == 5


# ---------------------------------------------------------------- what is shown of it


async def test_a_firing_alert_has_no_end_and_keeps_its_start(scene, paging, ana):
    await scene.at("02:00:01").posted(captured("single_firing")).pages(ana)
    alert = await scene.alert()
    assert (alert["started_at"], alert["ended_at"]) == (on(2, 0, 0, 123457), None)


async def test_a_start_in_the_future_is_kept(scene, paging, ana):
    await scene.at("02:31:55").posted(captured("future_startsAt")).pages(ana)
    alert = await scene.alert()
    assert alert["started_at"].replace(microsecond=0) == on(3, 31, 50)
    assert alert["last_received_at"] == on(2, 31, 55)


async def test_an_alert_without_a_name_is_shown_by_its_labels(scene, paging, ana):
    await scene.at("02:32").posted(captured("no_alertname")).pages(ana)
    alert = await scene.alert()
    assert alert["alertname"] == ""
    assert alert["summary"].startswith("{") and "=" in alert["summary"]


@pytest.mark.parametrize(
    ("common", "summary"),
    [({"alertname": "X", "description": "Y"}, "X"), ({"description": "Disk bad"}, "Disk bad")],
)
async def test_the_summary_falls_back_to_what_the_group_shares(scene, paging, ana, common, summary):
    def nameless(document):
        del document["alerts"][0]["labels"]["alertname"]
        document["commonLabels"] = common

    await scene.at("02:32").posted(edited("single_firing", nameless)).pages(ana)
    assert (await scene.alert())["summary"] == summary


async def test_labels_that_the_group_shares_are_the_labels_of_the_alert(scene, paging, ana):
    await scene.at("02:30").posted(captured("multi_alert_group")).pages(ana)
    labels = (await details(scene))["labels"]
    assert {"alertname", "cluster", "job", "severity", "test", "status"} <= set(labels)
    assert labels["status"] == "firing"


async def test_instance_dc_and_job_are_taken_from_the_first_alert(scene, paging, ana):
    def with_dc(document):
        document["alerts"][0]["labels"]["dc"] = "ams1"

    await scene.at("02:30").posted(edited("multi_alert_group", with_dc)).pages(ana)
    labels = (await details(scene))["labels"]
    assert (labels["instance"], labels["dc"], labels["job"]) == ("api-0:8080", "ams1", "api")


async def test_the_status_label_follows_the_alert(scene, paging, ana):
    await (
        scene.at("02:30").posted(captured("single_firing")).pages(ana)
        .posted(captured("all_resolved_single")).told(ana)
    )  # fmt: skip
    assert (await details(scene))["labels"]["status"] == "resolved"


@pytest.mark.parametrize(
    "name", ["unicode_labels", "invalid_utf8_replaced", "huge_annotations", "long_label_value_120kB"]
)
async def test_hostile_text_is_kept_and_paged(scene, paging, ana, name):
    await scene.at("02:30").posted(captured(name)).pages(ana)
    assert scene.outcome.outcome == "accepted"


async def test_payload_text_is_never_a_template(scene, paging, ana):
    def hostile(document):
        document["alerts"][0]["annotations"]["summary"] = "{{7*7}} {% raw %} =cmd() <script>"
        document["commonAnnotations"] = document["alerts"][0]["annotations"]

    await scene.at("02:30").posted(edited("single_firing", hostile)).pages(ana)
    assert scene.phones.heard[0].message.annotations["summary"] == "{{7*7}} {% raw %} =cmd() <script>"


async def test_custom_payloads_and_bare_lists_are_alerts_too(scene, paging, ana):
    await (
        scene.at("02:30").posted(captured("custom_payload")).pages(ana)
        .posted(captured("prometheus_direct_post_firing")).pages(ana, alerts=4)
    )  # fmt: skip
    assert [row["summary"] for row in await scene.alerts()][1:] == ["Watchdog", "Flappy", "Pending", "Many"]


@pytest.mark.parametrize(
    "body",
    [b"[]", b"{}", b'{"alerts":[]}', b'{"alerts":null}', b'{"rootly":["TruffleHog"]}', b'"text"', b"7"],
)
async def test_a_body_without_alerts_is_ignored_and_says_why(scene, paging, body):
    await scene.now.posted(body)
    assert scene.outcome.outcome == "ignored"
    assert scene.outcome.reason
    assert await scene.alerts() == []


async def test_a_source_that_is_switched_off_is_heard_and_ignored(scene, ana):
    source = await scene.cast.source(pages=ana)
    await scene.at("02:30").posted(captured("single_firing"), source=source).pages(ana)
    await scene.cast.change(source, enabled=False)
    await scene.now.posted(captured("multi_alert_group"), source=source)
    assert (scene.outcome.outcome, scene.outcome.reason) == ("ignored", "source_disabled")
    await scene.now.resolved_by(ana).status("resolved")
    assert len(await scene.alerts()) == 1


async def test_one_bad_alert_is_set_aside_and_its_siblings_go_on(scene, paging, ana):
    def broken(document):
        document["alerts"][1]["labels"] = 7

    await scene.at("02:30").posted(edited("multi_alert_group", broken)).pages(ana)
    assert scene.outcome.outcome == "quarantined"
    assert scene.outcome.results[-1]["place"].startswith("alerts[1]")
    assert len(await states(scene)) == 3


# ---------------------------------------------------------------- rootly_alert_status


async def test_declared_open_is_recorded_and_pages_nobody(scene, ana):
    await (
        scene.at("02:00").firing("DiskFull", url=ana, rootly_alert_status="open")
        .status("open").says("routing.declared_open").quiet_until("04:00")
    )  # fmt: skip
    assert (await details(scene))["targets"] == [{"type": "User", "id": str(ana.id)}]


async def test_declared_triggered_pages_the_default_or_stays_open_and_says_so(scene, ana, paging):
    silent = await scene.cast.source(name="silent")
    await (
        scene.at("02:00").firing("A", source=paging, rootly_alert_status="triggered").pages(ana).status("triggered")
        .firing("B", source=silent, rootly_alert_status="triggered").status("open").says("routing.nobody")
    )  # fmt: skip


async def test_declared_resolved_ends_the_alert_with_all_its_members(scene, ana, paging):
    await scene.at("02:30").posted(captured("multi_alert_group")).pages(ana)

    def over(document):
        document["rootly_alert_status"] = "resolved"
        del document["alerts"][1:]

    await scene.at("02:35").posted(edited("multi_alert_group", over)).told(ana).status("resolved")
    assert (await scene.alert())["ended_at"] == on(2, 35)
    assert set((await states(scene)).values()) == {"resolved"}


@pytest.mark.parametrize("value", ["banana", 7, {"a": 1}, [], False])
async def test_an_unknown_declared_status_is_a_warning(scene, ana, paging, value):
    await (
        scene.at("02:00").firing("DiskFull", rootly_alert_status=value).pages(ana)
        .status("triggered").says("signal.bad_status", times=1)
    )  # fmt: skip


async def test_an_alert_that_was_declared_open_pages_when_it_is_declared_triggered(scene, ana, paging):
    await (
        scene.at("02:00").firing("DiskFull", rootly_alert_status="open").status("open")
        .at("02:01").firing("DiskFull", rootly_alert_status="triggered").pages(ana).status("triggered")
    )  # fmt: skip


async def test_the_engine_applies_a_batch_as_it_would_apply_its_deliveries_one_by_one(scene, ana, paging):
    bodies = [captured(n) for n in ("flap_1_firing", "flap_2_resolved", "flap_3_firing_again")]
    scene.awake = False
    await asyncio.gather(*(scene.post(body, source=paging) for body in bodies))
    await scene.now.awake().pages(ana).status("triggered")
    (alert,) = await scene.alerts()
    assert (alert["occurrence"], alert["request_count"]) == (2, 3)
    assert await scene.db.fetch("SELECT 1 FROM occurrences WHERE number = 1")
