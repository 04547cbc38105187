"""The forms of incidents without a browser: what is refused and why, what is private, who may do what."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from support.browser import Home
from support.coordinated import ids, opened, said, text, wrong
from support.household import flat
from support.rota import Lead

pytestmark = [pytest.mark.timeout(120)]
NOWHERE = str(uuid4())


@pytest.fixture(scope="module")
def lead(home: Home) -> Iterator[Lead]:
    """Ana, who owns the installation."""
    sender = Lead(home)
    yield sender
    sender.http.close()


@pytest.fixture(scope="module")
def user(home: Home) -> Iterator[Lead]:
    """Uwe, who answers alerts and invites nobody."""
    home.person("uwe.incidents@example.org", "Uwe User", "user")
    sender = Lead(home, "uwe.incidents@example.org")
    yield sender
    sender.http.close()


@pytest.fixture(scope="module")
def observer(home: Home) -> Iterator[Lead]:
    home.person("oda.incidents@example.org", "Oda Observer", "observer")
    sender = Lead(home, "oda.incidents@example.org")
    yield sender
    sender.http.close()


# ---------------------------------------------------------------- C16: alerts and incidents, both ways


def test_an_alert_attached_through_the_api_is_seen_from_both_sides(home: Home, lead: Lead) -> None:
    short = home.pages_ana("AttachedByApi")
    api = home.house.api
    incident = api.add("/incidents", title="Made through the API")
    alert = api.one(f"/alerts/{short}")
    api.ask("POST", f"/incidents/{incident['id']}/alerts", {"alert_ids": [alert["id"]]})
    assert [
        flat(one)["short_id"] for one in api.ask("GET", f"/incidents/{incident['id']}/alerts")["data"]
    ] == [short]
    path = f"/incidents/{incident['sequential_id']}"
    assert f"Alert {short}: AttachedByApi attached" in text(lead, path)
    page = text(lead, f"/alerts/{short}")
    assert f"incident #{incident['sequential_id']} Made through the API" in page
    assert any(event["action"] == "attached" for event in api.list(f"/alerts/{alert['id']}/events"))


def test_the_deep_links_of_rootly_lead_to_the_same_page(lead: Lead) -> None:
    path = opened(lead, "500 errors at the door")
    number = path.rsplit("/", 1)[1]
    for address in (
        f"/account/incidents/{number}-500-errors-at-the-door",
        f"/account/incidents/{number}",
        f"/i/{number}",
        "/incidents/500-errors-at-the-door",
    ):
        assert "500 errors at the door" in text(lead, address), address
    assert "500 errors" in text(lead, "/account/incidents")
    assert "What is wrong" in text(lead, "/account/incidents/new")
    for address in (
        "/incidents/999999",
        f"/incidents/{NOWHERE}",
        "/i/x",
        "/incidents/99999999999999999999-x",
    ):
        assert lead.http.get(address).status_code == 404, address


def test_what_an_alert_is_about_is_proposed_for_its_incident(home: Home, lead: Lead) -> None:
    source = home.house.source()
    body = {"alertname": "FromService", "severity": "critical"}
    answer = source.give(_firing(body), f"/notify/Service/{home.house.service['id']}")
    short = answer.results[0]["short_id"]
    page = lead.http.get(f"/incidents/new?alert={short}").text
    assert 'value="FromService"' in page
    assert f'name="service" value="{home.house.service["id"]}" checked' in page


def _firing(labels: dict[str, str]) -> dict[str, object]:
    from_alert = {"status": "firing", "labels": labels, "annotations": {}, "startsAt": "2026-11-23T02:00:00Z"}
    return {
        "version": "4", "groupKey": "{}", "status": "firing", "receiver": "r", "groupLabels": {},
        "commonLabels": labels, "commonAnnotations": {}, "externalURL": "", "alerts": [from_alert],
    }  # fmt: skip


# ---------------------------------------------------------------- bad input


def test_an_incident_without_a_title_is_refused_and_kept_in_the_form(lead: Lead) -> None:
    page = wrong(lead, "/incidents", {"title": " ", "summary": "Kept words", "status": "started"})
    assert "Title can't be blank" in page and "Kept words" in page
    page = wrong(lead, "/incidents", {"title": "x" * 300, "status": "started"})
    assert "Title is too long (at most 255 characters)" in page
    assert "Choose one of" in wrong(lead, "/incidents", {"title": "x", "status": "closed"})
    assert "That is no id of ours" in wrong(lead, "/incidents", {"title": "x", "severity": "sev1"})
    assert "there is no" in wrong(lead, "/incidents", {"title": "x", "severity": NOWHERE})
    assert "there is no" in wrong(lead, "/incidents", {"title": "x", "service": NOWHERE})
    assert "Choose from the list" in wrong(lead, "/incidents", {"title": "x", "team": "platform"})
    assert lead.send("/incidents", {"title": "x", "alert": "nothing"}).status_code == 404


def test_a_status_that_cannot_follow_is_refused_with_what_can(lead: Lead) -> None:
    path = opened(lead, "Started only")
    assert said(lead, f"{path}/status", {"to": "closed"}).startswith(
        "!An incident that is started cannot become"
    )
    assert said(lead, f"{path}/status", {"to": "solved"}).startswith("!Choose one of")
    assert said(lead, f"{path}/status", {"to": "cancelled"}).startswith("!Why was it no incident?")
    assert said(lead, f"{path}/status", {"to": "cancelled", "message": "A drill"}).startswith("Cancelled")
    assert "A drill" in text(lead, path)


def test_an_entry_is_written_changed_and_removed_and_what_nightbell_wrote_keeps_its_words(lead: Lead) -> None:
    path = opened(lead, "With a timeline")
    earlier = f"{datetime.now(UTC) - timedelta(hours=2):%Y-%m-%dT%H:%M:%S}"
    fields = {
        "text": "It began <b>earlier</b>",
        "at": earlier,
        "link": "https://example.org/x",
        "link_title": "X",
    }
    assert said(lead, f"{path}/notes", fields) == "It stands in the timeline."
    page = lead.http.get(path).text
    assert "<b>earlier</b>" not in page and "&lt;b&gt;earlier" in page
    assert 'href="https://example.org/x"' in page
    assert said(lead, f"{path}/notes", {"text": " "}).startswith("!Event can't be blank")
    assert said(lead, f"{path}/notes", {"text": "x", "at": "yesterday"}).startswith("!A date and a time")
    ahead = f"{datetime.now(UTC) + timedelta(days=2):%Y-%m-%dT%H:%M}"
    assert said(lead, f"{path}/notes", {"text": "x", "at": ahead}).startswith("!")
    assert said(lead, f"{path}/notes", {"text": "x", "link": "javascript:alert(1)"}).startswith("!")

    first, *_, oldest = ids(lead, path, "events")
    written, by_us = oldest, first
    change = {"text": "It began later", "at": earlier, "visibility": "external"}
    assert said(lead, f"{path}/events/{written}", change) == "Saved."
    assert "It began later" in text(lead, path) and "public" in text(lead, path)
    assert "event" in wrong(lead, f"{path}/events/{written}", {**change, "text": ""}).lower()
    assert said(lead, f"{path}/events/{by_us}", {"visibility": "external", "text": "Never"}) == "Saved."
    assert "Never" not in text(lead, path)
    assert said(lead, f"{path}/events/{by_us}/delete").startswith("!What Nightbell wrote itself stays.")
    assert said(lead, f"{path}/events/{written}/delete") == "The entry is gone."
    assert lead.http.get(f"{path}/events/{NOWHERE}").status_code == 404


def test_when_it_happened_can_be_set_by_hand_and_must_be_in_order(lead: Lead) -> None:
    path = opened(lead, "Later than thought", labels="region=eu\ntier = 1")
    page = lead.http.get(f"{path}/edit").text
    assert "region=eu\ntier=1" in page and 'name="started_at"' in page and 'name="resolved_at"' not in page
    began = datetime.now(UTC) - timedelta(hours=3)
    fields = {
        "title": "Later than thought",
        "labels": "region=us",
        "started_at": f"{began:%Y-%m-%dT%H:%M:%S}",
    }
    assert said(lead, f"{path}/edit", fields) == "Saved."
    page = text(lead, path)
    assert "3 h 00 m" in page or "3 h" in page
    assert "Labels: region=us" in page
    ahead = f"{datetime.now(UTC) + timedelta(days=1):%Y-%m-%dT%H:%M:%S}"
    assert "started_at lies ahead" in wrong(lead, f"{path}/edit", {**fields, "started_at": ahead})
    assert "A date and a time" in wrong(lead, f"{path}/edit", {**fields, "started_at": "noon"})
    assert "is no label" in wrong(lead, f"{path}/edit", {**fields, "labels": "region"})
    assert said(lead, f"{path}/delete").endswith("is gone.")
    assert lead.http.get(path).status_code == 404


def test_an_entry_of_another_incident_is_not_reached_through_this_one(lead: Lead) -> None:
    one, other = opened(lead, "One"), opened(lead, "Other")
    said(lead, f"{other}/items", {"summary": "Elsewhere"})
    event, item = ids(lead, other, "events")[0], ids(lead, other, "items")[0]
    for path in (f"{one}/events/{event}", f"{one}/items/{item}"):
        assert lead.http.get(path).status_code == 404
        assert lead.send(f"{path}/delete", {}).status_code == 404
    assert lead.send(f"{one}/items/{item}/status", {"status": "done"}).status_code == 404


def test_action_items_are_given_to_people_and_refused_where_they_make_no_sense(
    home: Home, lead: Lead
) -> None:
    path = opened(lead, "With work left")
    assert said(lead, f"{path}/items", {"summary": ""}).startswith("!Summary can't be blank")
    assert said(lead, f"{path}/items", {"summary": "x", "due": "soon"}).startswith("!A date, please")
    assert said(lead, f"{path}/items", {"summary": "x", "owner": "bo"}).startswith("!A whole number")
    assert "there is no" in said(lead, f"{path}/items", {"summary": "x", "owner": "99999999"})
    assert said(lead, f"{path}/items", {"summary": "x", "priority": "huge"}).startswith("!Choose one of")
    fields = {"summary": "Write it up", "owner": home.ana, "due": "2026-11-01", "kind": "follow_up"}
    assert said(lead, f"{path}/items", fields) == "Added."
    assert "Write it up" in text(lead, "/action-items") and "due 01 Nov 2026" in text(lead, "/action-items")
    item = ids(lead, path, "items")[0]
    assert said(lead, f"{path}/items/{item}", {**fields, "status": "in_progress", "owner": ""}) == "Saved."
    assert "Write it up" not in text(lead, "/action-items")
    assert "In progress" in text(lead, "/action-items?whose=all")
    assert "can't be blank" in wrong(
        lead, f"{path}/items/{item}", {**fields, "summary": "", "status": "open"}
    )
    assert said(lead, f"{path}/items/{item}/status", {"status": "done"}) == ""
    assert "Write it up" in text(lead, "/action-items?whose=all&state=over")
    assert said(lead, f"{path}/items/{item}/delete") == "The action item is gone."


def test_roles_are_given_to_people_and_to_whoever_is_on_call(home: Home, lead: Lead) -> None:
    path = opened(lead, "With roles")
    role = ids(lead, "/incident-roles", "incident-roles")[0]
    rota = lead.schedule("Incident duty", home.house.bo["id"]).rsplit("/", 1)[1]
    assert said(lead, f"{path}/roles", {"role": role, "who": f"Schedule/{rota}"}) == "The role is given."
    assert "Bo on call for Incident duty" in text(lead, path)
    assert said(lead, f"{path}/roles", {"role": role, "who": f"User/{home.ana}"}) == "The role is given."
    assert "on call for Incident duty" not in text(lead, path).split("Give a role")[0]
    assert said(lead, f"{path}/roles", {"role": NOWHERE, "who": f"User/{home.ana}"}).startswith(
        "!There is no role"
    )
    assert said(lead, f"{path}/roles", {"role": role, "who": "Everybody"}).startswith("!Choose from the list")
    given = ids(lead, path, "roles")[0]
    assert said(lead, f"{path}/roles/{given}/drop") == "The role is free."


def test_two_that_are_the_same_become_one_and_can_be_taken_apart(lead: Lead) -> None:
    one, other = opened(lead, "The original"), opened(lead, "The copy")
    number = one.rsplit("/", 1)[1]
    assert said(lead, f"{other}/merge", {"other": other.rsplit("/", 1)[1]}).startswith(
        "!An incident is not its own"
    )
    assert "was merged into this one" in said(lead, f"{other}/merge", {"other": number})
    assert f"The same as #{number} The original" in text(lead, other)
    assert "The copy the same as this" in text(lead, one)
    assert said(lead, f"{other}/unmerge").startswith("It stands for itself again")
    part = opened(lead, "A part", parent=number)
    assert f"part of #{number} The original" in text(lead, part)


# ---------------------------------------------------------------- who may


def test_a_private_incident_exists_only_for_its_people(home: Home, lead: Lead, user: Lead) -> None:
    short = home.pages_ana("SecretAlert")
    path = opened(lead, "Under wraps", private="1", alert=short)
    said(lead, f"{path}/items", {"summary": "Secret work"})
    slug = "/account/incidents/under-wraps"
    for address in (
        path,
        slug,
        f"{path}/edit",
        f"{path}/export.json",
        f"{path}/retrospective",
        f"{path}/export.md",
    ):
        assert user.http.get(address).status_code == 404, address
    for form in ("status", "notes", "items", "roles", "alerts", "merge", "subscribers", "retrospective"):
        assert user.send(f"{path}/{form}", {"to": "resolved", "text": "x"}).status_code == 404, form
    for address in (
        "/incidents?status=all",
        "/action-items?whose=all",
        f"/alerts/{short}",
        "/incidents?q=wraps",
    ):
        page = text(user, address)
        assert "Under wraps" not in page and "Secret work" not in page, address
    assert "a private incident" in text(user, f"/alerts/{short}")
    mine = opened(user, "Mine to merge")
    number = path.rsplit("/", 1)[1]
    assert user.send(f"{mine}/merge", {"other": number}).status_code == 404
    assert user.http.get(f"/incidents/new?parent={number}").status_code == 404

    uwe = next(one["id"] for one in home.house.api.list("/users") if one["name"] == "Uwe User")
    assert said(lead, f"{path}/subscribers", {"who": uwe}) == "Subscribed."
    assert "Under wraps" in text(user, path)
    assert "Secret work" in text(user, "/action-items?whose=all")


def test_whoever_makes_an_incident_private_still_sees_it(lead: Lead, user: Lead) -> None:
    path = opened(lead, "Not for all ears")
    assert said(user, f"{path}/edit", {"title": "Not for all ears", "private": "1"}) == "Saved."
    assert "Uwe User" in text(user, path)


def test_an_observer_reads_and_changes_nothing(home: Home, lead: Lead, observer: Lead) -> None:
    path = opened(lead, "To be looked at")
    page = observer.http.get(path).text
    assert "To be looked at" in page
    assert f'action="{path}' not in page and "Mitigate" not in page
    assert observer.http.get("/incidents/new").status_code == 403
    assert observer.send(f"{path}/delete", {}).status_code == 403
    assert observer.http.get(f"{path}/edit").status_code == 403
    assert observer.http.get(f"{path}/export.md").status_code == 200
    for form in (
        "status",
        "notes",
        "items",
        "roles",
        "alerts",
        "merge",
        "subscribers",
        "retrospective",
        "edit",
    ):
        assert observer.send(f"{path}/{form}", {}).status_code == 403, form
    for form in ("/incidents", "/severities", "/retrospective-template", "/incidents/attach"):
        assert observer.send(form, {"name": "x"}).status_code == 403, form
    assert "New incident" not in text(observer, "/incidents")


# ---------------------------------------------------------------- catalogs, retrospectives, paper


@pytest.mark.parametrize("shelf", ["severities", "incident-types", "incident-roles", "environments"])
def test_a_catalog_is_added_to_changed_ordered_and_emptied(lead: Lead, shelf: str) -> None:
    names = {"description": "Words", "severity": "low", "enabled": "1"}
    assert said(lead, f"/{shelf}", {"name": f"Zulu {shelf}", **names}) == "Added."
    assert "already" in wrong(lead, f"/{shelf}", {"name": f"Zulu {shelf}", **names}).lower()
    assert "can't be blank" in wrong(lead, f"/{shelf}", {"name": " "})
    *_, before, last = ids(lead, f"/{shelf}", shelf)
    assert said(lead, f"/{shelf}/{last}", {"do": "up"}) == ""
    assert ids(lead, f"/{shelf}", shelf)[-1] == before
    assert said(lead, f"/{shelf}/{last}", {"name": f"Yankee {shelf}", **names, "do": "save"}) == "Saved."
    page = lead.http.get(f"/{shelf}").text
    assert f'value="Yankee {shelf}"' in page and 'value="Words"' in page
    assert said(lead, f"/{shelf}/{last}/delete") == "It is gone."
    assert last not in ids(lead, f"/{shelf}", shelf)
    assert lead.send(f"/{shelf}/{NOWHERE}/delete", {}).status_code == 404
    assert lead.send(f"/{shelf}/{NOWHERE}", {"do": "up"}).status_code == 404


def test_a_catalog_says_what_uses_an_entry(lead: Lead) -> None:
    severity = ids(lead, "/severities", "severities")[-1]
    path = opened(lead, "Hardly noticed", severity=severity)
    assert "1 incident loses it" in lead.http.get("/severities").text
    filtered = text(lead, f"/incidents?severity={severity}")
    assert "Hardly noticed" in filtered and "To be looked at" not in filtered
    assert "Nothing matches" in text(lead, f"/incidents?severity={severity}&q=nowhere")
    assert said(lead, f"{path}/edit", {"title": "Hardly noticed", "severity": ""}) == "Saved."
    assert "loses it" not in lead.http.get("/severities").text


def test_the_template_of_retrospectives_is_the_installation_s_own(lead: Lead, user: Lead) -> None:
    page = wrong(lead, "/retrospective-template", {"template": "# Ours\n\n{{ incident.titel }}"})
    assert "Line 3: there is no {{ incident.titel }}. Did you mean {{ incident.title }}?" in page
    assert user.send("/retrospective-template", {"template": "x"}).status_code == 403
    assert said(lead, "/retrospective-template", {"template": "Ours: {{ incident.title }}"}).startswith(
        "Saved."
    )
    path = opened(lead, "After our fashion")
    assert "Ours: After our fashion" in lead.http.get(f"{path}/retrospective?edit=new").text
    assert lead.http.get(f"{path}/retrospective.md").text == "Ours: After our fashion"
    answer = lead.send("/retrospective-template/preview", {"template": "{{ incident.<b> }}"})
    assert answer.status_code == 200 and "&lt;b&gt;" in answer.text
    assert said(lead, "/retrospective-template", {"ours": "1"}).startswith("Saved.")
    assert "# Retrospective:" in lead.http.get("/retrospective-template").text


def test_a_retrospective_is_saved_and_never_becomes_markup(lead: Lead) -> None:
    path = opened(lead, "With a lesson")
    fields = {"text": "# Lesson\n\n<script>alert(1)</script> [x](javascript:alert(1))", "status": "completed"}
    assert said(lead, f"{path}/retrospective", fields) == "Saved."
    page = lead.http.get(f"{path}/retrospective").text
    assert "<h2>Lesson</h2>" in page and "<script>alert" not in page and 'href="javascript' not in page
    assert lead.http.get(f"{path}/retrospective.md").text == fields["text"]
    assert "At most 200,000 characters" in wrong(
        lead, f"{path}/retrospective", {**fields, "text": "x" * 200_001}
    )
    assert "Choose one of" in wrong(lead, f"{path}/retrospective", {**fields, "status": "good"})
    preview = lead.send(f"{path}/retrospective/preview", {"text": "**b**<i>"})
    assert preview.text.strip() == "<p><strong>b</strong>&lt;i&gt;</p>"


def test_an_incident_leaves_the_house_on_paper(home: Home, lead: Lead) -> None:
    short = home.pages_ana("OnPaper")
    path = opened(lead, "On | paper", alert=short, summary="What *we* know")
    answer = lead.http.get(f"{path}/export.md")
    assert answer.headers["content-type"].startswith("text/markdown")
    assert "attachment" in answer.headers["content-disposition"]
    assert "On \\| paper" in answer.text and "What *we* know" in answer.text and short in answer.text
    told = json.loads(lead.http.get(f"{path}/export.json").content)
    assert told["title"] == "On | paper" and told["alerts"][0]["short_id"] == short
    assert told["phases"][0]["open"] is True


def test_hostile_addresses_of_the_list_are_shown_and_not_stumbled_over(lead: Lead) -> None:
    for query in (
        "status=nope", "q=%00%25_", "q=99999999999999999999", "severity=x&service=y&team=z", "after=1.99999999999",
        "after=2.x", "q=%5C", "status=all&after=1.1", "q=%23" + "1" * 12,
    ):  # fmt: skip
        assert lead.http.get(f"/incidents?{query}").status_code == 200, query
    assert lead.http.get("/incidents/attach").status_code in (404, 405)
    assert lead.http.get("/action-items?whose=x&state=y").status_code == 200
    for ref in ("%00", "x" * 3000, "0", "-1", "१"):
        assert lead.http.get(f"/incidents/{ref}").status_code == 404, ref
