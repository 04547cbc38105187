"""Rootly's own Python client, unmodified, against the program: every call of this part parses and does what it says."""

import importlib
from typing import Any

import pytest
from rootly_sdk import models
from rootly_sdk.types import UNSET

from nightbell.core.journal import SYSTEM
from nightbell.engine import edits

#: Name of the request's model, where it is not what the call is named after.
REQUESTS: dict[str, Any] = {
    "alerts.create_alert": models.NewAlert,
    "alerts.update_alert": models.UpdateAlert,
    "alerts.snooze_alert": models.SnoozeAlert,
    "alerts.acknowledge_alert": models.AcknowledgeAlert,
    "alerts.resolve_alert": models.ResolveAlert,
    "alerts.escalate_alert": models.EscalateAlert,
    "alert_events.create_alert_event": models.NewAlertEvent,
    "alert_sources.create_alerts_source": models.NewAlertsSource,
    "alert_sources.update_alerts_source": models.UpdateAlertsSource,
    "alert_urgencies.create_alert_urgency": models.NewAlertUrgency,
    "alert_urgencies.update_alert_urgency": models.UpdateAlertUrgency,
    "alert_groups.create_alert_group": models.NewAlertGroup,
    "alert_groups.update_alert_group": models.UpdateAlertGroup,
    "alert_routes.create_alert_route": models.NewAlertRoute,
    "alert_routes.update_alert_route": models.UpdateAlertRoute,
    "alert_routes.patch_alert_route": models.PatchAlertRoute,
    "teams.create_team": models.NewTeam,
    "teams.update_team": models.UpdateTeam,
    "services.create_service": models.NewService,
    "services.update_service": models.UpdateService,
    "escalation_policies.create_escalation_policy": models.NewEscalationPolicy,
    "escalation_policies.update_escalation_policy": models.UpdateEscalationPolicy,
    "escalation_paths.create_escalation_path": models.NewEscalationPolicyPath,
    "escalation_paths.update_escalation_path": models.UpdateEscalationPolicyPath,
    "escalation_levels_policies.create_escalation_level": models.NewEscalationPolicyLevel,
    "escalation_levels_path.create_escalation_level_paths": models.NewEscalationPolicyLevel,
    "escalation_levels.update_escalation_level": models.UpdateEscalationPolicyLevel,
    "users.update_user": models.UpdateUser,
    "user_email_addresses.create_user_email_address": models.NewUserEmailAddress,
    "user_notification_rules.create_user_notification_rule": models.NewUserNotificationRule,
    "user_notification_rules.update_user_notification_rule": models.UpdateUserNotificationRule,
}


@pytest.fixture
def rootly(sdk):
    """Call the client: `await rootly("teams.create_team", type="groups", name="Platform")`; the parsed data."""

    async def ask(name, /, *path, type=UNSET, query=None, **attributes):
        module = importlib.import_module(f"rootly_sdk.api.{name}")
        arguments = {"client": sdk, **(query or {})}
        if type is not UNSET:
            document = {"data": {"type": type, "attributes": attributes}}
            arguments["body"] = REQUESTS[name].from_dict(document)
        answer = await module.asyncio_detailed(*path, **arguments)
        assert answer.parsed is not None, (name, answer.status_code, answer.content)
        if not isinstance(answer.parsed, dict):
            assert "ErrorsList" not in answer.parsed.__class__.__name__, answer.content
        return answer.parsed

    return ask


async def test_a_whole_installation_is_made_changed_and_taken_down(rootly, people):
    ana = people["ana"][0]
    team = await rootly("teams.create_team", type="groups", name="Platform", user_ids=[ana], admin_ids=[ana])
    policy = await rootly(
        "escalation_policies.create_escalation_policy", type="escalation_policies", name="Platform EP",
        repeat_count=1, group_ids=[team.data.id],
    )  # fmt: skip
    path = await rootly(
        "escalation_paths.create_escalation_path", policy.data.id, type="escalation_paths", name="Main",
        default=True, notification_type="audible", repeat=True, repeat_count=2, initial_delay=0,
    )  # fmt: skip
    target = {"type": "user", "id": str(ana)}
    level = await rootly(
        "escalation_levels_path.create_escalation_level_paths", path.data.id, type="escalation_levels",
        delay=0, position=1, notification_target_params=[target],
    )  # fmt: skip
    second = await rootly(
        "escalation_levels_policies.create_escalation_level", policy.data.id, type="escalation_levels",
        delay=5, position=2, notification_target_params=[{"type": "team", "id": team.data.id, "team_members": "all"}],
    )  # fmt: skip
    service = await rootly(
        "services.create_service", type="services", name="API", escalation_policy_id=policy.data.id,
        owner_group_ids=[team.data.id],
    )  # fmt: skip
    urgency = await rootly(
        "alert_urgencies.create_alert_urgency", type="alert_urgencies", name="Critical", description="Now"
    )
    source = await rootly(
        "alert_sources.create_alerts_source", type="alert_sources", name="Alertmanager prod",
        source_type="alertmanager", alert_urgency_id=urgency.data.id,
        alert_source_urgency_rules_attributes=[
            {"json_path": "$.commonLabels.severity", "operator": "is", "value": "warning", "kind": "payload",
             "alert_urgency_id": urgency.data.id}
        ],
    )  # fmt: skip
    route = await rootly(
        "alert_routes.create_alert_route", type="alert_routes", name="Prod", enabled=True,
        alerts_source_ids=[source.data.id], owning_team_ids=[team.data.id],
        rules=[
            {
                "name": "critical", "position": 1, "fallback_rule": False,
                "destinations": [{"target_type": "EscalationPolicy", "target_id": policy.data.id}],
                "condition_groups": [{"position": 1, "conditions": [
                    {"property_field_condition_type": "is_one_of", "property_field_name": "$.commonLabels.severity",
                     "property_field_type": "payload", "property_field_values": ["critical"]}
                ]}],
            }
        ],
    )  # fmt: skip
    group = await rootly(
        "alert_groups.create_alert_group", type="alert_groups", name="Outage", time_window=10, condition_type="all",
        targets=[{"target_type": "Service", "target_id": service.data.id}], group_by_alert_title=1,
        attributes=[{"json_path": "$.commonLabels.cluster"}],
        conditions=[
            {"property_field_condition_type": "matches_existing_alert", "property_field_type": "attribute",
             "property_field_name": "summary", "alert_urgency_ids": [urgency.data.id]}
        ],
    )  # fmt: skip
    assert (group.data.attributes.time_window, group.data.attributes.deleted_at) == (10, None)
    assert str(group.data.attributes.targets[0].target_id) == service.data.id
    assert len(source.data.attributes.secret) == 64 and source.data.attributes.status == "setup_incomplete"
    assert [level.data.attributes.delay, second.data.attributes.position] == [0, 2]
    assert str(level.data.attributes.escalation_policy_path_id) == path.data.id

    for name, key, kind, fields in (
        ("teams.{}_team", team, "groups", {"name": "Platform 2"}),
        ("services.{}_service", service, "services", {"name": "API 2"}),
        ("escalation_policies.{}_escalation_policy", policy, "escalation_policies", {"name": "EP 2"}),
        ("escalation_paths.{}_escalation_path", path, "escalation_paths", {"name": "Main 2"}),
        ("alert_urgencies.{}_alert_urgency", urgency, "alert_urgencies", {"name": "Critical 2"}),
        ("alert_sources.{}_alerts_source", source, "alert_sources", {"name": "Prod 2"}),
        ("alert_groups.{}_alert_group", group, "alert_groups", {"name": "Outage 2"}),
        ("alert_routes.{}_alert_route", route, "alert_routes", {"name": "Prod 2"}),
    ):
        changed = await rootly(name.format("update"), key.data.id, type=kind, **fields)
        assert changed.data.attributes.name == fields["name"]
        shown = await rootly(name.format("get"), key.data.id)
        assert shown.to_dict() == changed.to_dict()
    changed = await rootly(
        "escalation_levels.update_escalation_level", level.data.id, type="escalation_levels", delay=7
    )
    assert changed.data.attributes.delay == 7

    for name, path_of, total in (
        ("teams.list_teams", (), 1),
        ("services.list_services", (), 1),
        ("escalation_policies.list_escalation_policies", (), 1),
        ("escalation_paths.list_escalation_paths", (policy.data.id,), 1),
        ("escalation_levels_path.list_escalation_levels_paths", (path.data.id,), 2),
        ("escalation_levels_policies.list_escalation_levels", (policy.data.id,), 2),
        ("alert_urgencies.list_alert_urgencies", (), 4),
        ("alert_sources.list_alerts_sources", (), 1),
        ("alert_routes.list_alert_routes", (), 1),
        ("alert_fields.list_alert_fields", (), 3),
    ):
        listed = await rootly(name, *path_of)
        assert (listed.meta.total_count, len(listed.data)) == (total, total), name

    # The client's own model of this list has no place for `meta`.
    assert len((await rootly("alert_groups.list_alert_groups")).data) == 1
    for name, key in (
        ("alert_groups.delete_alert_group", group),
        ("alert_routes.delete_alert_route", route), ("alert_sources.delete_alerts_source", source),
        ("services.delete_service", service), ("escalation_levels.delete_escalation_level", second),
        ("escalation_policies.delete_escalation_policy", policy), ("teams.delete_team", team),
        ("alert_urgencies.delete_alert_urgency", urgency),
    ):  # fmt: skip
        gone = await rootly(name, key.data.id)
        assert gone.data.id == key.data.id


async def test_people_and_how_they_are_told(rootly, people):
    me = await rootly("users.get_current_user")
    assert (
        me.data.id == str(people["ana"][0])
        and me.data.attributes.full_name_with_team == "[Nightbell] Ana Silva"
    )
    assert me.data.relationships.role.data.type_ == "roles"
    listed = await rootly("users.list_users")
    assert [user.attributes.full_name for user in listed.data] == ["Ana Silva", "Bo", "Olga"]
    by_email = await rootly("users.list_users", query={"filteremail": "bo@example.org", "pagesize": 1})
    assert [user.id for user in by_email.data] == [str(people["bo"][0])]
    renamed = await rootly("users.update_user", me.data.id, type="users", last_name="Costa")
    assert renamed.data.attributes.full_name == "Ana Costa"
    assert (await rootly("users.get_user", me.data.id)).data.attributes.first_name == "Ana"

    address = await rootly(
        "user_email_addresses.create_user_email_address",
        me.data.id,
        type="user_email_addresses",
        email="a@b.example",
    )
    addresses = await rootly("user_email_addresses.get_user_email_addresses", me.data.id)
    assert [one.attributes.email for one in addresses.data] == ["ana@example.org", "a@b.example"]
    assert (await rootly("user_phone_numbers.get_user_phone_numbers", me.data.id)).data == []
    rule = await rootly(
        "user_notification_rules.create_user_notification_rule", me.data.id, type="user_notification_rules",
        delay=5, enabled_contact_types=["email"], user_email_address_id=address.data.id,
    )  # fmt: skip
    assert str(rule.data.attributes.user_email_address_id) == address.data.id
    changed = await rootly(
        "user_notification_rules.update_user_notification_rule",
        rule.data.id,
        type="user_notification_rules",
        delay=10,
    )
    assert changed.data.attributes.delay == 10
    rules = await rootly("user_notification_rules.list_user_notification_rules", me.data.id)
    # Two of the person, one quiet; two the new address brought along; and this one.
    assert len(rules.data) == 6
    await rootly("user_notification_rules.delete_user_notification_rule", rule.data.id)
    await rootly("user_email_addresses.delete_user_email_address", address.data.id)


async def test_an_alert_from_its_creation_to_its_end(rootly, people, program):
    policy = await program.configure.create_policy(
        edits.PolicyEdit(name="EP"), by=SYSTEM, now=program.clock()
    )
    for _ in range(2):
        level = edits.LevelEdit(delay_minutes=5, targets=[{"type": "user", "id": str(people["bo"][0])}])
        await program.configure.create_level(policy, None, level, by=SYSTEM, now=program.clock())
    made = await rootly(
        "alerts.create_alert", type="alerts", source="api", summary="Checkout is down", status="triggered",
        notification_target_type="EscalationPolicy", notification_target_id=str(policy),
        labels=[{"key": "severity", "value": "critical"}],
    )  # fmt: skip
    key = made.data.id
    assert made.data.attributes.status == "triggered" and made.data.attributes.alert_urgency.name == "High"
    listed = await rootly(
        "alerts.list_alerts", query={"filterstatus": "triggered", "filterlabels": "severity:critical"}
    )
    assert [alert.id for alert in listed.data] == [key]
    short = await rootly("alerts.get_alert", made.data.attributes.short_id)
    assert short.data.id == key
    escalated = await rootly("alerts.escalate_alert", key, type="alerts")
    assert escalated.data.attributes.status == "triggered"
    taken = await rootly("alerts.acknowledge_alert", key)
    assert taken.data.attributes.status == "acknowledged"
    await rootly("alerts.snooze_alert", key, type="alerts", delay_minutes=30)
    moved = await rootly("alerts.update_alert", key, type="alerts", summary="Checkout is still down")
    assert moved.data.attributes.summary == "Checkout is still down"
    await rootly("alert_events.create_alert_event", key, type="alert_events", kind="note", details="Looking")
    done = await rootly("alerts.resolve_alert", key)
    assert done.data.attributes.status == "resolved"
    timeline = await rootly("alert_events.list_alert_events", key, query={"pagesize": 100})
    assert {"paged", "acknowledged", "snoozed", "resolved"} <= {
        str(e.attributes.action) for e in timeline.data
    }
    feed = await rootly("alert_events.list_alert_events_feed")
    assert (
        feed.data
        and (await rootly("alert_events.get_alert_event", feed.data[0].id)).data.id == feed.data[0].id
    )
    receipt = await rootly("alerts.get_receipt", key)
    assert receipt.state == "done"


async def test_a_webhooks_alert_parses_too(rootly, send):
    await send(FIRING)
    listed = await rootly("alerts.list_alerts")
    attributes = listed.data[0].attributes
    assert attributes.source == "alertmanager" and attributes.status == "open"
    assert attributes.to_dict()["data"]["groupKey"] == "{}"
    assert attributes.started_at.isoformat() == "2026-11-23T02:00:00.123000+00:00"


FIRING = """{"receiver":"r","status":"firing","groupKey":"{}","version":"4","truncatedAlerts":0,"groupLabels":{},
"commonLabels":{"alertname":"X"},"commonAnnotations":{},"externalURL":"http://am","alerts":[{"status":"firing",
"labels":{"alertname":"X"},"annotations":{},"startsAt":"2026-11-23T02:00:00.123456789Z",
"endsAt":"0001-01-01T00:00:00Z","generatorURL":"http://p","fingerprint":"8cf5dea108a27f8a"}]}"""
