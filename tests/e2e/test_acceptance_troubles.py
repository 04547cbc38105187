"""What people get wrong when they connect a sender, asked from outside: rows T of the acceptance table."""

import pytest

from support.bodies import firing, rootly, target
from support.household import WEBHOOK, House, Sender, captured
from support.programs import eventually

SINGLE = "single_firing"


@pytest.mark.parametrize(
    "path", ["/webhooks/incoming/alertmanager", "/webhooks/incoming", "/webhooks/alertmanager_webhooks"]
)
def test_a_wrong_path_says_which_is_right(house: House, source: Sender, path):
    """T1a."""
    answer = source.post(captured(SINGLE), path=path)
    assert answer.status == 404
    assert "/webhooks/incoming/alertmanager_webhooks" in answer.json["error"]


@pytest.mark.parametrize("method", ["GET", "HEAD", "DELETE", "OPTIONS"])
def test_only_posts_are_taken(house: House, source: Sender, method):
    """T1a."""
    answer = source.post(b"", method=method)
    assert answer.status == 405
    assert "POST" in answer.headers["allow"]


@pytest.mark.parametrize(
    "headers",
    [
        {"Authorization": "Bearer deadbeef"},
        {},
        {"Authorization": "Basic YWxlcnQ6bWFuYWdlcg=="},
        {"Authorization": "Bearer"},
        {"Authorization": "Bearer " + "0" * 64},
    ],
    ids=["short", "none", "basic", "empty", "unknown"],
)
def test_nobody_unknown_gets_in(house: House, source: Sender, headers):
    """T1b."""
    answer = source.post(captured(SINGLE), headers=headers)
    assert answer.status == 401
    assert source.alerts() == []
    assert source.deliveries() == []


def test_a_secret_opens_its_own_source_only(house: House, source: Sender):
    """T1b, A34."""
    other = house.source()
    source.post(captured(SINGLE), secret=other.secret)
    assert source.alerts() == []
    assert len(other.alerts()) == 1


def test_who_was_turned_away_is_in_the_log(house: House):
    """T1b."""
    sender = house.source()
    assert sender.post(b"{}", secret="f" * 60 + "cafe").status == 401

    def logged():
        rejected = house.api.list("/deliveries", outcome="rejected")
        return [one for one in rejected if "cafe" in one["reason"]]

    found = eventually(logged)[0]
    assert (found["remote_ip"], found["status_code"]) == ("127.0.0.1", 401)
    assert "f" * 5 not in found["reason"]


@pytest.mark.parametrize(
    "target", ["%00/%00", "User/%00", "User/1001%00", "%ED%A0%80/1", "User/" + "9" * 20_000]
)
def test_any_byte_may_stand_in_an_address(house: House, source: Sender, target):
    """T3b, and alertmanager.md 7: no input may give a 5xx."""
    answer = source.send(SINGLE, suffix=f"/notify/{target}")
    assert answer.status == 200
    assert source.alert()["status"] == "open"
    assert len(source.delivery()["path"]) <= 2048


def test_a_stranger_cannot_blot_out_what_others_were_told(house: House):
    """T1b."""
    sender = house.source()
    for path in (f"{WEBHOOK}?secret=%00%00%00%00", f"{WEBHOOK}/notify/%00/%00", f"{WEBHOOK}?secret=blotted"):
        assert sender.post(b"{}", path=path, headers={}).status == 401

    def logged():
        return [one for one in house.api.list("/deliveries", outcome="rejected") if "tted" in one["reason"]]

    assert eventually(logged)


def test_a_source_says_whether_anything_ever_came(house: House, source: Sender):
    """T1c."""
    before = house.api.one(f"/alert_sources/{source.id}")
    source.send(SINGLE)
    after = house.api.one(f"/alert_sources/{source.id}")
    assert (before["status"], before["last_delivery_at"]) == ("setup_incomplete", None)
    assert after["status"] == "connected"
    assert after["last_delivery_at"]


@pytest.mark.parametrize("kind", ["user", "USER", "User"])
def test_types_of_targets_may_be_written_in_any_case(house: House, source: Sender, kind):
    """T3a."""
    source.send(SINGLE, suffix=f"/notify/{kind}/{house.ana['id']}")
    assert house.paged(source.alert()) == ["Ana"]


def test_a_team_may_be_called_a_team(house: House, source: Sender):
    """T3a."""
    source.send(SINGLE, suffix=f"/notify/Team/{house.team['id']}")
    assert house.paged(source.alert()) == ["Ana"]


@pytest.mark.parametrize(
    ("suffix", "why"),
    [
        ("/notify/Robot/1", "unknown type 'Robot'"),
        ("/notify/User/999999", "no User '999999'"),
        ("/notify/Service/not-a-uuid", "no Service"),
        ("/notify/User/%3CTYPE%3E", "no User '<TYPE>'"),
        ("/notify/<TYPE>/<ID>", "unknown type '<TYPE>'"),
        ("/notify/Group/00000000-0000-4000-8000-000000000000", "no Group"),
        ("/notify/User/", "no User"),
        ("/notify/", "unknown type"),
        ("/notify", "unknown type"),
        ("/notify/Team%20A/%C3%BC/x/y", "unknown type 'Team A'"),
    ],
)
def test_a_target_that_is_none_is_ignored_and_the_alert_is_not(house: House, source: Sender, suffix, why):
    """T3a, T3b, A17 (templated_url)."""
    source.send(SINGLE, suffix=suffix)
    alert = source.alert()
    assert alert["status"] == "open"
    assert alert["unpaged"] is True
    assert why in house.said(alert, "routing.problem")


def test_a_deleted_target_is_none(house: House, source: Sender):
    """T3b."""
    service = house.api.add("/services", name=f"short-lived of {source.name}")
    house.api.ask("DELETE", f"/services/{service['id']}")
    source.send(SINGLE, suffix=f"/notify/Service/{service['id']}")
    assert "no Service" in house.said(source.alert(), "routing.problem")


def test_a_wrong_target_counts_as_unpaged(house: House, source: Sender):
    """T3b."""
    before = house.program.metric("nightbell_unpaged_alerts_total")
    source.send(SINGLE, suffix="/notify/User/999999")
    assert house.program.metric("nightbell_unpaged_alerts_total") == before + 1


def test_after_a_wrong_target_the_next_stage_is_asked(house: House):
    """T3a, T4a."""
    source = house.source(default_target={"type": "User", "id": house.bo["id"]})
    source.send(SINGLE, suffix="/notify/Robot/1")
    alert = source.alert()
    assert (alert["status"], house.paged(alert)) == ("triggered", ["Bo"])
    assert "unknown type" in house.said(alert, "routing.problem")


@pytest.mark.parametrize(
    ("value", "why"),
    [
        ("{notification_target:", "invalid JSON at char 2"),
        ("", "invalid JSON"),
        ("[]", "an array"),
        ("5", "a number"),
        ("null", "null"),
        ('"text"', "text"),
        ('{"notification_target": "User 5"}', "must be an object"),
        ('{"notification_target": {"type": "User"}}', 'needs a "type" and an "id"'),
        ('{"notification_target": {"type": "User", "id": "999999"}}', "no User"),
        ('{"alerting_targets": {"type": "User", "id": "1"}}', "must be a list"),
        ("[" * 100_000, "cannot be read"),
    ],
    ids=lambda value: str(value)[:30],
)
def test_an_annotation_that_cannot_be_used_is_ignored_with_its_reason(
    house: House, source: Sender, value, why
):
    """T4a, T4b, T4c."""
    source.give(firing(annotations=rootly(value)))
    alert = source.alert()
    assert alert["status"] == "open"
    assert why in house.said(alert, "routing.problem")


def test_after_a_bad_annotation_the_url_is_asked(house: House, source: Sender):
    """T4a."""
    source.give(firing(annotations=rootly("{oops")), f"/notify/User/{house.ana['id']}")
    assert house.paged(source.alert()) == ["Ana"]


def test_of_a_list_the_valid_targets_are_paged(house: House, source: Sender):
    """T4b."""
    wanted = [target("User", house.ana), {"type": "User", "id": "999999"}, "nonsense", None]
    source.give(firing(annotations=rootly({"alerting_targets": wanted})))
    alert = source.alert()
    assert house.paged(alert) == ["Ana"]
    assert "999999" in house.said(alert, "routing.problem")


def test_an_annotation_that_is_an_object_already_is_taken(house: House, source: Sender):
    """T4c."""
    document = firing()
    document["alerts"][0]["annotations"] = {"rootly": {"notification_target": target("User", house.ana)}}
    source.give(document)
    assert house.paged(source.alert()) == ["Ana"]
