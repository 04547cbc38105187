"""What the integration promises, asked from outside: rows C of the acceptance table, with captured bytes.

Each test names its rows. Rows T stand in test_acceptance_troubles.py; rows A in test_acceptance_hard.py, which also
finds a row that has no test, and in test_acceptance_bodies.py. C8 is test_alertmanager.py.
"""

import pytest

from support.bodies import firing, moment, rootly, target
from support.household import House, Sender, captured, edited

SINGLE = "single_firing"


def labels_of(alert) -> dict[str, str]:
    """Return the labels of an alert; each must be there once."""
    pairs = [(one["key"], one["value"]) for one in alert["labels"]]
    assert len(pairs) == len(dict(pairs))
    return dict(pairs)


# ---------------------------------------------------------------- C1, C2: fire and resolve


def test_a_firing_notification_becomes_an_alert(house: House, source: Sender):
    """C1."""
    answer = source.send(SINGLE)
    listed = house.api.list("/alerts", source=source.name)
    assert [one["id"] for one in listed] == [answer.results[0]["id"]]
    alert = source.alert()
    assert alert["status"] == "open"
    assert alert["summary"] == alert["external_id"] == "HighErrorRate"
    assert alert["started_at"] == "2026-11-23T02:00:00.123Z"
    assert alert["data"]["groupKey"] == edited(SINGLE)["groupKey"]
    assert "created" in [event["action"] for event in house.events(alert)]
    assert alert["short_id"] == answer.results[0]["short_id"]
    assert alert in [
        house.api.one(f"/alerts/{one['id']}") for one in house.api.list("/alerts", source="alertmanager")
    ]


def test_the_request_is_kept_as_it_came(house: House, source: Sender):
    """C1: the delivery log."""
    source.send(SINGLE)
    delivery = source.delivery()
    assert delivery["body"].encode() == captured(SINGLE)
    assert (delivery["outcome"], delivery["status_code"], delivery["size"]) == (
        "accepted",
        200,
        len(captured(SINGLE)),
    )


def test_our_keys_stand_beside_what_was_sent(house: House, source: Sender):
    """C1: alert.data (1.4)."""
    source.send(SINGLE)
    data = source.alert()["data"]
    sent = edited(SINGLE)
    assert {name: data[name] for name in sent} == sent
    assert data["rootly"]["title"] == "HighErrorRate"
    assert data["rootly_alert_status"] == "open"
    assert data["rootly"]["alert_source_url"] == sent["alerts"][0]["generatorURL"]


def test_a_resolved_notification_ends_the_alert_when_its_source_says(house: House, source: Sender):
    """C2, C11."""
    source.send("multi_alert_group", "all_resolved_group")
    alert = source.alert()
    latest = max(one["endsAt"] for one in edited("all_resolved_group")["alerts"])
    assert alert["status"] == "resolved"
    assert moment(alert["ended_at"]).timestamp() == pytest.approx(moment(latest).timestamp(), abs=0.001)
    resolved = [event for event in house.events(alert) if event["action"] == "resolved"]
    assert [event["source"] for event in resolved] == ["alertmanager"]
    assert alert["resolved_at"]
    again = house.api.ask("POST", f"/alerts/{alert['id']}/resolve")["data"]["attributes"]
    assert (again["status"], again["ended_at"]) == ("resolved", alert["ended_at"])


# ---------------------------------------------------------------- C3 to C5: whom to page


def test_the_receiver_url_pages_a_person(house: House, source: Sender):
    """C3a."""
    source.send(SINGLE, suffix=f"/notify/User/{house.ana['id']}")
    alert = source.alert()
    assert alert["status"] == "triggered"
    assert (alert["notification_target_type"], alert["notification_target_id"]) == ("User", house.ana["id"])
    paged = [event for event in house.events(alert) if event["kind"] == "notification"]
    assert [str(event["user_id"]) for event in paged if event["action"] == "paged"] == [house.ana["id"]]
    mail = house.mailed(alert, house.ana)[0]
    assert "HighErrorRate" in mail.message["Subject"]
    assert house.paged(alert) == ["Ana"]


def test_the_receiver_url_pages_a_team_through_its_policy(house: House, source: Sender):
    """C3b."""
    source.send(SINGLE, suffix=f"/notify/Group/{house.team['id']}")
    alert = source.alert()
    assert alert["group_ids"] == [house.team["id"]]
    assert alert["notification_target_type"] == "Group"
    assert house.paged(alert) == ["Ana"]


def test_a_team_without_a_policy_pages_all_its_members(house: House, source: Sender):
    """C3b."""
    source.send(SINGLE, suffix=f"/notify/Group/{house.crew['id']}")
    assert house.paged(source.alert()) == ["Cleo"]


def test_the_receiver_url_runs_a_policy_from_its_first_level(house: House, source: Sender):
    """C3c."""
    source.send(SINGLE, suffix=f"/notify/EscalationPolicy/{house.policy['id']}")
    alert = source.alert()
    assert house.paged(alert) == ["Ana"]
    house.api.ask("POST", f"/alerts/{alert['id']}/escalate", {})
    assert house.paged(alert) == ["Ana", "Bo"]


def test_the_receiver_url_pages_for_a_service(house: House, source: Sender):
    """C3d."""
    source.send(SINGLE, suffix=f"/notify/Service/{house.service['id']}")
    alert = source.alert()
    assert alert["service_ids"] == [house.service["id"]]
    assert alert["status"] == "triggered"
    assert house.paged(alert) == ["Ana"]
    of_service = house.api.list("/alerts", services=house.service["id"])
    assert alert["id"] in [one["id"] for one in of_service]


def test_a_service_without_a_policy_pages_through_its_owners(house: House, source: Sender):
    """C3d."""
    service = house.api.add("/services", name=f"orphan of {source.name}", owner_group_ids=[house.team["id"]])
    source.send(SINGLE, suffix=f"/notify/Service/{service['id']}")
    assert house.paged(source.alert()) == ["Ana"]


@pytest.mark.parametrize("ident", [str, int], ids=["text", "number"])
@pytest.mark.parametrize("common", [True, False], ids=["common", "of one alert"])
def test_the_annotation_of_a_rule_pages_a_person(house: House, source: Sender, ident, common):
    """C4."""
    wanted = rootly({"notification_target": {"type": "User", "id": ident(house.ana["id"])}})
    source.give(firing(annotations=wanted, common_annotations=None if common else {}))
    alert = source.alert()
    assert (alert["notification_target_type"], alert["notification_target_id"]) == ("User", house.ana["id"])
    assert house.paged(alert) == ["Ana"]


def test_several_targets_are_all_paged(house: House, source: Sender):
    """C5."""
    wanted = [target("EscalationPolicy", house.policy), target("Group", house.crew)]
    source.give(firing(annotations=rootly({"alerting_targets": wanted})))
    alert = source.alert()
    assert house.paged(alert) == ["Ana", "Cleo"]
    assert sorted(one["id"] for one in alert["alerting_targets"]) == sorted(one["id"] for one in wanted)
    assert alert["data"]["rootly"]["alerting_targets"] == alert["alerting_targets"]


def test_a_person_named_twice_is_paged_once(house: House, source: Sender):
    """C5."""
    wanted = [target("User", house.ana), target("EscalationPolicy", house.policy), target("User", house.ana)]
    source.give(firing(annotations=rootly({"alerting_targets": wanted})))
    alert = source.alert()
    house.mailed(alert, house.ana)
    assert house.paged(alert) == ["Ana"]


# ---------------------------------------------------------------- C9 to C12: what is shown of an alert


@pytest.mark.parametrize(
    ("labels", "common", "summary", "external_id"),
    [
        ({"alertname": "HighErrorRate", "instance": "a"}, {}, "HighErrorRate", "HighErrorRate"),
        ({"instance": "a"}, {"alertname": "X"}, "X", "X"),
        ({"instance": "a"}, {"description": "Disk bad"}, "Disk bad", None),
    ],
    ids=["label", "common label", "common description"],
)
def test_the_summary_falls_back(house: House, source: Sender, labels, common, summary, external_id):
    """C9a, C9b, C9c."""
    source.give(firing(labels=labels, common=common))
    alert = source.alert()
    assert (alert["summary"], alert["external_id"]) == (summary, external_id)


def test_an_alert_without_a_name_is_an_alert(house: House, source: Sender):
    """C9d."""
    source.send("no_alertname")
    assert source.alert()["summary"] == '{foo="bar"}'


def test_labels_are_what_all_alerts_of_a_group_share(house: House, source: Sender):
    """C10a."""
    source.send("multi_alert_group")
    found = labels_of(source.alert())
    assert {"alertname", "cluster", "job", "severity", "test"} <= found.keys()
    members = {member["labels"]["instance"] for member in source.alert()["members"]}
    assert len(members) == 4


def test_a_few_labels_of_the_first_alert_are_shown_though_not_shared(house: House, source: Sender):
    """C10b."""
    document = firing(labels={"alertname": "X", "job": "api", "instance": "i-1", "dc": "mad"})
    other = document["alerts"][0] | {"labels": {"alertname": "X", "job": "api", "instance": "i-2"}}
    document |= {"alerts": [*document["alerts"], other], "commonLabels": {"alertname": "X", "job": "api"}}
    source.give(document)
    found = labels_of(source.alert())
    assert (found["instance"], found["dc"], found["job"], found["status"]) == ("i-1", "mad", "api", "firing")
    for one in document["alerts"]:
        one |= {"status": "resolved", "endsAt": "2026-11-23T02:10:00Z"}
    source.give(document | {"status": "resolved"})
    assert labels_of(source.alert())["status"] == "resolved"


def test_a_route_pages_by_label(house: House, source: Sender):
    """C10c."""
    route = house.api.add(
        "/alert_routes",
        name=f"route of {source.name}",
        enabled=True,
        alerts_source_ids=[source.id],
        rules=[
            {
                "name": "critical",
                "destinations": [{"target_type": "EscalationPolicy", "target_id": house.policy["id"]}],
                "condition_groups": [
                    {
                        "conditions": [
                            {
                                "property_field_type": "payload",
                                "property_field_name": "$.commonLabels.severity",
                                "property_field_condition_type": "is_one_of",
                                "property_field_values": ["critical"],
                            }
                        ]
                    }
                ],
            }
        ],
    )
    house.api.one(f"/alert_routes/{route['id']}?show_nested_ids=true")
    source.send(SINGLE)
    alert = source.alert()
    rule = house.api.one(f"/alert_routes/{route['id']}?show_nested_ids=true")["rules"][0]
    assert alert["status"] == "triggered"
    assert [one["id"] for one in alert["data"]["routing_rules"]] == [rule["id"]]
    assert house.paged(alert) == ["Ana"]
    source.give(firing(labels={"alertname": "Mild", "severity": "warning"}, groupKey="{}:{other}"))
    mild = source.alerts()[-1]
    assert (mild["summary"], mild["status"], house.paged(mild)) == ("Mild", "open", [])


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ("severity:critical", ["One"]),
        ("severity=critical", ["One"]),
        ("severity:critical,rack:7", ["One"]),
        ("severity:critical,rack:8", []),
        ("severity:nonsense", []),
    ],
)
def test_alerts_are_found_by_label(house: House, asked, found):
    """C10d, C10e."""
    source = house.source()
    for name, severity in (("One", "critical"), ("Two", "warning")):
        labels = {"alertname": name, "severity": severity, "rack": "7"}
        source.give(firing(labels=labels, groupKey=f"{{}}:{{{name}}}"))
    listed = house.api.list("/alerts", source=source.id, labels=asked)
    assert [one["summary"] for one in listed] == found
    assert all(labels_of(one)["severity"] == "critical" for one in listed)


def test_the_link_leads_to_the_graph_and_else_to_the_alertmanager(house: House, source: Sender):
    """C12a, C12b."""
    source.send(SINGLE)
    assert source.alert()["external_url"] == edited(SINGLE)["alerts"][0]["generatorURL"]
    plain = house.source()
    document = firing()
    document["alerts"][0]["generatorURL"] = ""
    plain.give(document)
    assert plain.alert()["external_url"] == "http://alertmanager.example"


# ---------------------------------------------------------------- C13 to C15: again, declared, never


def test_what_fires_again_is_the_same_alert_and_pages_again(house: House, source: Sender):
    """C13, C11."""
    suffix = f"/notify/User/{house.ana['id']}"
    statuses = []
    for name in ("flap_1_firing", "flap_2_resolved", "flap_3_firing_again"):
        source.send(name, suffix=suffix)
        statuses.append(source.alert()["status"])
    alert = source.alert()
    assert statuses == ["triggered", "resolved", "triggered"]
    assert "retriggered" in [event["action"] for event in house.events(alert)]
    assert alert["ended_at"] is None
    assert alert["occurrence"] == 2
    assert [one["number"] for one in alert["occurrences"]] == [1]
    assert house.paged(alert) == ["Ana", "Ana"]
    firing, over, again = house.mailed(alert, house.ana, 3)
    assert "resolved" not in (firing.message["Subject"] + again.message["Subject"]).lower()
    assert "resolved" in over.message["Subject"].lower()


def test_declared_open_records_and_pages_nobody(house: House, source: Sender):
    """C14a."""
    source.give(edited(SINGLE, rootly_alert_status="open"), f"/notify/User/{house.ana['id']}")
    alert = source.alert()
    assert (alert["status"], house.paged(alert)) == ("open", [])
    assert alert["alerting_targets"] == [{"type": "User", "id": house.ana["id"]}]
    assert "rootly_alert_status" in house.said(alert, "routing.declared_open")


def test_declared_triggered_pages_whom_routes_or_defaults_name(house: House, source: Sender):
    """C14b."""
    source.give(edited(SINGLE, rootly_alert_status="triggered"))
    alert = source.alert()
    assert alert["status"] == "open"
    assert [event["action"] for event in house.events(alert) if event["code"] == "routing.nobody"] == [
        "skipped"
    ]
    with_default = house.source(default_target={"type": "User", "id": house.bo["id"]})
    with_default.give(edited(SINGLE, rootly_alert_status="triggered"))
    assert (with_default.alert()["status"], house.paged(with_default.alert())) == ("triggered", ["Bo"])


def test_declared_resolved_ends_a_known_alert(house: House, source: Sender):
    """C14c."""
    source.send(SINGLE)
    source.give(edited(SINGLE, rootly_alert_status="resolved"))
    alert = source.alert()
    assert alert["status"] == "resolved"
    received = moment(source.deliveries()[-1]["received_at"])
    assert abs((moment(alert["ended_at"]) - received).total_seconds()) < 1


@pytest.mark.parametrize("value", ["banana", 7, ["open"], {"a": 1}, True])
def test_a_declared_status_nobody_knows_is_ignored_with_a_warning(house: House, source: Sender, value):
    """C14d."""
    source.give(edited(SINGLE, rootly_alert_status=value), f"/notify/User/{house.ana['id']}")
    alert = source.alert()
    assert alert["status"] == "triggered"
    assert "rootly_alert_status" in house.said(alert, "signal.bad_status")
    assert "rootly_alert_status" in source.delivery()["reason"]


def test_without_resolves_an_alert_stays_until_somebody_resolves_it(house: House, source: Sender):
    """C15, T2."""
    source.send("send_resolved_false", suffix=f"/notify/User/{house.ana['id']}")
    source.send("send_resolved_false", suffix=f"/notify/User/{house.ana['id']}")
    alert = source.alert()
    assert alert["status"] == "triggered"
    house.api.ask("POST", f"/alerts/{alert['id']}/resolve")
    assert source.alert()["status"] == "resolved"
