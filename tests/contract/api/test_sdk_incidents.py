"""Rootly's own Python client, unmodified: every call about incidents parses, and does what it says."""

import importlib
from typing import Any

import pytest
from rootly_sdk import models

from support.captures import captured

#: Name of the request's model, by the call.
REQUESTS: dict[str, Any] = {
    "incidents.create_incident": models.NewIncident,
    "incidents.update_incident": models.UpdateIncident,
    "incidents.mitigate_incident": models.MitigateIncident,
    "incidents.resolve_incident": models.ResolveIncident,
    "incidents.cancel_incident": models.CancelIncident,
    "incidents.restart_incident": models.RestartIncident,
    "incidents.triage_incident": models.InTriageIncident,
    "incidents.add_subscribers_to_incident": models.AddSubscribers,
    "incidents.remove_subscribers_to_incident": models.RemoveSubscribers,
    "incidents.assign_user_to_incident": models.AssignRoleToUser,
    "incidents.remove_assigned_user_from_incident": models.UnassignRoleFromUser,
    "incident_events.create_incident_event": models.NewIncidentEvent,
    "incident_events.update_incident_event": models.UpdateIncidentEvent,
    "incident_action_items.create_incident_action_item": models.NewIncidentActionItem,
    "incident_action_items.update_incident_action_item": models.UpdateIncidentActionItem,
    "severities.create_severity": models.NewSeverity,
    "severities.update_severity": models.UpdateSeverity,
    "alerts.attach_alert": models.AttachAlert,
    "incident_retrospectives.update_incident_postmortem": models.UpdateIncidentPostMortem,
}


@pytest.fixture
def rootly(sdk):
    """Call the client: `await rootly("incidents.create_incident", title="x")`; the parsed data."""

    async def ask(name, /, *path, type="incidents", query=None, **attributes):
        module = importlib.import_module(f"rootly_sdk.api.{name}")
        arguments = {"client": sdk, **(query or {})}
        if name in REQUESTS:
            document = {"data": {"type": type, "attributes": attributes}}
            arguments["body"] = REQUESTS[name].from_dict(document)
        answer = await module.asyncio_detailed(*path, **arguments)
        assert answer.parsed is not None, (name, answer.status_code, answer.content)
        assert "ErrorsList" not in answer.parsed.__class__.__name__, answer.content
        return answer.parsed

    return ask


async def test_an_incident_lives_its_life_through_the_client(rootly, people):
    severity = (
        await rootly("severities.create_severity", type="severities", name="SEV9", severity="low")
    ).data
    new = await rootly("incidents.create_incident", title="API is slow", severity_id=str(severity.id))
    key = new.data.id
    assert new.data.attributes.severity.data.attributes.name == "SEV9"
    for step, status in (
        ("triage", "in_triage"), ("mitigate", "mitigated"), ("restart", "started"), ("resolve", "resolved"),
        ("restart", "started"), ("cancel", "cancelled"),
    ):  # fmt: skip
        answer = await rootly(f"incidents.{step}_incident", key)
        assert answer.data.attributes.status == status
    changed = await rootly("incidents.update_incident", key, summary="Timeouts")
    assert changed.data.attributes.summary == "Timeouts"
    await rootly("incidents.add_subscribers_to_incident", key, user_ids=[people["bo"][0]])
    await rootly("incidents.remove_subscribers_to_incident", key, user_ids=[people["bo"][0]])
    roles = await rootly("incident_roles.list_incident_roles")
    given = {"user_id": str(people["bo"][0]), "incident_role_id": str(roles.data[0].id)}
    await rootly("incidents.assign_user_to_incident", key, **given)
    await rootly("incidents.remove_assigned_user_from_incident", key, **given)
    listed = await rootly("incidents.list_incidents", query={"filterstatus": "cancelled"})
    assert [one.id for one in listed.data] == [key]
    deleted = await rootly("incidents.delete_incident", key)
    assert deleted.data.id == key


async def test_timelines_and_action_items_are_kept_through_the_client(rootly, people):
    key = (await rootly("incidents.create_incident", title="x")).data.id
    entry = await rootly("incident_events.create_incident_event", key, type="incident_events", event="paged")
    await rootly(
        "incident_events.update_incident_event", entry.data.id, type="incident_events", event="paged Bo"
    )
    events = await rootly("incident_events.list_incident_events", key)
    assert [one.attributes.event for one in events.data] == ["paged Bo", "Incident created: x"]
    kind = "incident_action_items"
    item = await rootly(
        f"{kind}.create_incident_action_item",
        key,
        type=kind,
        summary="look",
        assigned_to_user_id=people["bo"][0],
    )
    assert item.data.attributes.assigned_to.email == "bo@example.org"
    done = await rootly(f"{kind}.update_incident_action_item", item.data.id, type=kind, status="done")
    assert done.data.attributes.status == "done"
    assert len((await rootly(f"{kind}.list_all_incident_action_items")).data) == 1
    await rootly(f"{kind}.delete_incident_action_item", item.data.id)
    await rootly("incident_events.delete_incident_event", entry.data.id)


async def test_alerts_are_attached_through_the_client(rootly, call, send):
    await send(captured("single_firing"))
    alert = (await call("GET", "/v1/alerts"))["data"][0]["id"]
    key = (await rootly("incidents.create_incident", title="x")).data.id
    await rootly("alerts.attach_alert", key, type="alerts", alert_ids=[alert])
    listed = await rootly("alerts.list_incident_alerts", key)
    assert [str(one.id) for one in listed.data] == [alert]
    for name in (
        "environments.list_environments",
        "incident_types.list_incident_types",
        "statuses.list_statuses",
    ):
        assert (await rootly(name)).data
    for name in ("functionalities.list_functionalities", "sub_statuses.list_sub_statuses"):
        assert (await rootly(name)).data == []


async def test_what_was_learned_is_read_and_published_through_the_client(rootly, call, people):
    new = (await rootly("incidents.create_incident", title="API is slow")).data
    quiet = (await rootly("incidents.create_incident", title="Nothing to learn", private=True)).data
    assert (await rootly("incident_retrospectives.list_incident_post_mortems")).data == []
    path = f"/v1/post_mortems/{new.id}"
    await call("PUT", path, {"content": "# What we learned"})
    (listed,) = (await rootly("incident_retrospectives.list_incident_post_mortems")).data
    assert (listed.attributes.title, listed.attributes.status) == ("API is slow", "draft")
    said = {"type": "incident_post_mortems", "status": "published"}
    told = await rootly("incident_retrospectives.update_incident_postmortem", str(new.id), **said)
    assert (told.data.attributes.status, told.data.attributes.content) == ("published", "# What we learned")
    shown = (await rootly("incident_retrospectives.list_incident_postmortem", str(new.id))).data
    assert shown.attributes.url.endswith("/incidents/1/retrospective")
    incident = await call("GET", f"/v1/incidents/{new.id}")
    assert incident["data"]["attributes"]["retrospective_progress_status"] == "completed"
    await call("PUT", path, {"status": "exploded"}, status=422)
    await call("PUT", f"/v1/post_mortems/{quiet.id}", {"content": "secret"})
    await call("GET", f"/v1/post_mortems/{quiet.id}", by="bo", status=404)
    assert len((await call("GET", "/v1/post_mortems", by="bo"))["data"]) == 1
