"""What comes in a body, asked from outside: rows A12, A17 to A19 and A27 to A36 of the acceptance table."""

import gzip
import json
import zlib
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from http.client import HTTPConnection

import pytest

from support.bodies import alert, firing, moment, notification, over
from support.household import PUSH, WEBHOOK, House, Sender, captured, edited
from support.ports import LOOPBACK
from support.programs import eventually

SINGLE = "single_firing"
MULTI = "multi_alert_group"


def to_ana(house: House) -> str:
    """Return the end of a URL that pages Ana."""
    return f"/notify/User/{house.ana['id']}"


# ---------------------------------------------------------------- A12, A17 to A19: other bodies, other settings


GRAFANA = {
    "orgId": 1,
    "title": "[FIRING:1] DiskFull",
    "state": "alerting",
    "message": "**Firing**",
    "version": "1",
    "appVersion": "12.0.0",
}


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ("[]", "empty"),
        ("{}", "alerts is missing"),
        ('{"alerts": []}', "empty list"),
        ('{"alerts": null}', "alerts is null"),
        ('{"alerts": {"a": 1}}', "alerts is an object"),
        ('{"rootly": ["TruffleHog"]}', "alerts is missing"),
        ("null", "the body is null"),
        ("7", "the body is a number"),
        ('"text"', "the body is text"),
    ],
)
def test_what_parses_and_says_nothing_is_ignored_with_a_reason(house: House, source: Sender, body, reason):
    """A12, and alertmanager.md 7.2 and 7.3 as DESIGN 4 overrules them: anything that parses is 200."""
    answer = source.post(body)
    assert (answer.status, answer.json["status"]) == (200, "ignored")
    assert reason in answer.json["reason"]
    assert (source.delivery()["outcome"], source.delivery()["body"]) == ("ignored", body)
    assert source.alerts() == []


@pytest.mark.parametrize("body", [b"", b"  ", b"not json", b'{"alerts": [', b"<html>", b"\xff\xfe\x00"])
def test_what_is_not_json_is_refused_and_kept(house: House, source: Sender, body):
    """A12, and alertmanager.md 7.1."""
    answer = source.post(body)
    assert answer.status == 400
    assert answer.json["error"]
    kept = source.delivery()
    assert (kept["outcome"], kept["status_code"]) == ("rejected", 400)
    assert kept["body"] == body.decode("utf-8", "replace")
    assert kept["reason"]


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", None])
def test_the_content_type_does_not_matter(house: House, source: Sender, kind):
    """A12, and alertmanager.md 7.25."""
    fields = {"Authorization": f"Bearer {source.secret}"} | ({"Content-Type": kind} if kind else {})
    assert source.post(captured(SINGLE), headers=fields).status == 200
    assert len(source.alerts()) == 1


@pytest.mark.parametrize("packed", [gzip.compress, zlib.compress])
def test_a_compressed_body_is_read(house: House, source: Sender, packed):
    """A12, and alertmanager.md 7.25."""
    encoding = "gzip" if packed is gzip.compress else "deflate"
    fields = {"Authorization": f"Bearer {source.secret}", "Content-Encoding": encoding}
    assert source.post(packed(captured(SINGLE)), headers=fields).status == 200
    assert source.delivery()["body"].encode() == captured(SINGLE)


def test_a_body_compressed_in_parts_is_read_whole(house: House, source: Sender):
    """A12: a gzip file may be several, one after the other (RFC 1952, 2.2)."""
    body = captured(SINGLE)
    fields = {"Authorization": f"Bearer {source.secret}", "Content-Encoding": "x-gzip"}
    parts = gzip.compress(body[:100]) + gzip.compress(body[100:]) + b"\0\0"
    assert source.post(parts, headers=fields).status == 200
    assert len(source.alerts()) == 1


def test_grafanas_body_is_read(house: House, source: Sender):
    """A17."""
    extra = {
        "values": None,
        "valueString": "[ var='A' ]",
        "silenceURL": "http://g/s",
        "imageURL": "",
        "orgId": 1,
    }
    one = alert({"alertname": "DiskFull", "grafana_folder": "ops"}, fingerprint="c0ffee0123456789", **extra)
    source.give(notification(one, **GRAFANA), to_ana(house))
    found = source.alert()
    assert (found["summary"], house.paged(found)) == ("DiskFull", ["Ana"])
    assert found["data"]["title"] == GRAFANA["title"]
    source.give(over(notification(one, **GRAFANA)) | {"state": "ok"}, to_ana(house))
    assert source.alert()["status"] == "resolved"


def test_grafana_has_an_address_of_its_own(house: House):
    """A17."""
    source = house.source(source_type="grafana")
    answer = source.post(notification(alert(), **GRAFANA), path="/webhooks/incoming/grafana_webhooks")
    assert answer.status == 200
    assert house.api.list("/alerts", source="grafana")[0]["id"] == answer.results[0]["id"]


def test_a_custom_payload_is_read(house: House, source: Sender):
    """A17."""
    source.send("custom_payload")
    found = source.alert()
    assert (found["summary"], found["member_count"]) == ("Retry", 1)
    document = edited("custom_payload")
    source.give(over(document))
    assert source.alert()["status"] == "resolved"


def test_a_bare_list_is_read(house: House, source: Sender):
    """A17: a Prometheus that was given the webhook's URL; what it sends says itself when it is over."""
    later = (datetime.now(UTC) + timedelta(minutes=4)).isoformat()
    pushed = [one | {"endsAt": later} for one in _pushed()]
    source.give(pushed)
    assert sorted(one["summary"] for one in source.alerts()) == ["Flappy", "Many", "Pending", "Watchdog"]


@pytest.mark.parametrize(
    "before", [b"", b" \n\t", b"\xef\xbb\xbf"], ids=["alone", "after space", "after a mark"]
)
def test_a_bare_list_of_a_prometheus_ends_by_its_ends(house: House, source: Sender, before):
    """A17: whatever stands before the bracket."""
    later = (datetime.now(UTC) + timedelta(minutes=4)).isoformat()
    one = next(one for one in _pushed() if one["labels"]["alertname"] == "Flappy")
    assert source.post(before + _bytes([one | {"endsAt": later}])).status == 200
    assert source.post(before + _bytes([one | {"endsAt": "2026-11-23T02:44:21.137Z"}])).status == 200
    assert source.alert()["status"] == "resolved"


def test_a_bare_list_of_a_webhooks_alerts_ends_by_their_status(house: House, source: Sender):
    """A17: a script that sends the alerts without what is around them; none of them is over by silence."""
    members = edited(MULTI)["alerts"]
    source.give(members)
    assert (source.alert()["status"], source.alert()["member_count"]) == ("open", 4)
    source.give([one | {"status": "resolved", "endsAt": "2026-11-23T03:00:00Z"} for one in members])
    assert (source.alert()["status"], source.alert()["ended_at"]) == ("resolved", "2026-11-23T03:00:00.000Z")


def _pushed():
    """Return what a Prometheus posted."""
    return edited_list("prometheus_direct_post_firing")


def edited_list(name: str):
    """Return a captured list."""
    return json.loads(captured(name))


@pytest.mark.parametrize(
    ("regexp", "path", "rule"),
    [
        (None, "$.alerts[*].labels.nothing", "group (no key)"),
        ("^never-(.*)$", "$.alerts[*].labels.instance", "group (no key)"),
        ("^(api)-", "$.alerts[*].labels.instance", "key"),
    ],
    ids=["no such path", "no match", "a match"],
)
def test_a_key_that_is_missing_falls_back_to_the_group(house: House, regexp, path, rule):
    """A18."""
    source = house.source(
        deduplicate_alerts_by_key=True,
        deduplication_key_kind="payload",
        deduplication_key_path=path,
        deduplication_key_regexp=regexp,
    )
    source.send(MULTI)
    found = source.alert()
    assert found["deduplication_rule"] == rule
    assert found["member_count"] == 4


def test_a_path_that_is_none_cannot_be_saved(house: House):
    """A18."""
    given = {"name": "bad path", "source_type": "alertmanager", "deduplicate_alerts_by_key": True}
    house.api.ask("POST", "/alert_sources", {**given, "deduplication_key_path": "$.["}, status=422)


def test_a_disabled_source_ignores_and_says_so(house: House, source: Sender):
    """A19."""
    source.send("flap_1_firing")
    house.api.ask("PUT", f"/alert_sources/{source.id}", {"enabled": False})
    answer = source.send(SINGLE)
    assert (answer.json["status"], answer.json["reason"]) == ("ignored", "source_disabled")
    known = source.alert()
    assert source.delivery()["reason"] == "source_disabled"
    house.api.ask("POST", f"/alerts/{known['id']}/resolve")
    assert source.alert()["status"] == "resolved"
    house.api.ask("PUT", f"/alert_sources/{source.id}", {"enabled": True})
    source.send(SINGLE)
    assert len(source.alerts()) == 2


# ---------------------------------------------------------------- A27 to A31: times, text, secrets


@pytest.mark.parametrize(
    "name", [SINGLE, MULTI, "repeat_first", "watchdog", "truncated_max_alerts3", "silenced_member_1"]
)
def test_the_year_one_is_no_end(house: House, source: Sender, name):
    """A27."""
    source.send(name)
    found = source.alert()
    assert found["ended_at"] is None
    assert {member["ends_at"] for member in found["members"]} == {None}


@pytest.mark.parametrize(
    "name", ["unicode_labels", "invalid_utf8_replaced", "huge_annotations", "long_label_value_120kB"]
)
def test_genuine_hostile_text_is_taken_shown_and_mailed(house: House, source: Sender, name):
    """A28."""
    source.send(name, suffix=to_ana(house))
    found = source.alert()
    assert "\0" not in str(found)
    mail = house.mailed(found, house.ana)[0]
    assert len(mail.raw) < 200_000
    assert "\n" not in mail.message["Subject"]


HOSTILE = {
    "summary": "<script>alert(1)</script> {{7*7}} ${jndi:ldap://x} %s {alertname.__class__} <!here> @channel",
    "description": "=cmd()|' /C calc'!A0\r\nBcc: eve@example.org\r\n\r\n\x1b[31mred\u202e",
    "runbook_url": "javascript:alert(1)",
}


def test_markup_and_templates_in_a_payload_are_only_text(house: House, source: Sender):
    """A28."""
    name = "Evil\r\nBcc: eve@example.org <b>{{7*7}}</b>"
    document = firing(labels={"alertname": name, "instance": "<img src=x>"}, annotations=HOSTILE)
    document["alerts"][0]["generatorURL"] = "javascript:alert(1)"
    source.give(document, to_ana(house))
    mail = house.mailed(source.alert(), house.ana)[0]
    assert mail.recipients == [house.ana["email"]]
    assert mail.message["Bcc"] is None
    assert "49" not in mail.message["Subject"]
    for markup in ("<script>", "<img", "<b>{{", 'href="javascript'):
        assert markup not in mail.html
    assert "{{7*7}}" in mail.text
    assert "\x1b" not in mail.text


@pytest.mark.parametrize(
    "labels",
    [
        {"alertname": "Ünïcode.name", "na.me/mit ☃": "x"},
        {"alertname": "Nul", "a\0b": "c\0d"},
        {"alertname": "\ud800"},
    ],
    ids=["utf8_label_names", "nul_in_label_name", "lone surrogate"],
)
def test_any_text_may_be_a_label(house: House, source: Sender, labels):
    """A28."""
    source.give(firing(labels=labels))
    source.give(over(firing(labels=labels)))
    found = source.alert()
    assert found["status"] == "resolved"
    assert "\0" not in str(found)


def test_times_of_any_zone_become_utc(house: House, source: Sender):
    """A29."""
    document = firing()
    document["alerts"][0]["startsAt"] = "2026-11-23T04:00:00.5+02:00"
    source.give(document)
    assert source.alert()["started_at"] == "2026-11-23T02:00:00.500Z"


def test_a_start_in_the_future_is_kept_and_the_list_goes_by_receipt(house: House, source: Sender):
    """A29."""
    document = firing(labels={"alertname": "Future"}, groupKey="{}:f")
    later = datetime.now(UTC) + timedelta(hours=1)
    document["alerts"][0]["startsAt"] = later.isoformat()
    source.give(document)
    source.send("future_startsAt")
    future, newest = source.alerts()
    assert abs(moment(future["started_at"]) - later) < timedelta(seconds=1)
    assert newest["summary"] == "FutureStart"


def test_a_secret_may_stand_in_the_query_and_is_never_logged(house: House, source: Sender):
    """A30."""
    answer = source.post(captured(SINGLE), f"?secret={source.secret}", headers={})
    assert answer.status == 200
    assert len(source.alerts()) == 1
    assert source.secret not in house.program.said()
    assert source.secret not in str(source.delivery())


def test_a_resolve_after_a_restart_is_a_resolve(house: House, source: Sender):
    """A31: resolved_after_restart, resolve_timeout_end."""
    document = firing(groupKey='{}:{alertname="Rst2"}')
    source.give(document)
    source.give(over(document, at="2026-11-23T02:07:00Z") | {"notification_reason": "unknown"})
    found = source.alert()
    assert (found["status"], found["ended_at"]) == ("resolved", "2026-11-23T02:07:00.000Z")


# ---------------------------------------------------------------- A34 to A36: side by side, large, many


def test_two_sources_do_not_know_each_other(house: House):
    """A34."""
    one, two = house.source(), house.source()
    one.send("flap_1_firing")
    two.send("flap_1_firing", "flap_2_resolved")
    assert (one.alert()["status"], two.alert()["status"]) == ("open", "resolved")
    assert one.alert()["id"] != two.alert()["id"]


def test_ten_thousand_alerts_in_one_body_are_one_alert_and_one_page(house: House, source: Sender):
    """A35, and alertmanager.md 7.7."""
    padding = {"summary": "x" * 200, "description": "y" * 200}
    members = [
        alert({"alertname": "Storm", "instance": f"host-{n}", "job": "node"}, annotations=padding)
        for n in range(10_000)
    ]
    answer = source.give(notification(*members, groupKey="{}:storm"), to_ana(house))
    assert source.deliveries()[0]["size"] > 5_000_000
    assert len(answer.results) == 1
    found = source.alert()
    assert (found["member_count"], house.paged(found)) == (10_000, ["Ana"])


@pytest.mark.slow
def test_a_storm_is_taken_whole_and_pages_once_an_alert(house: House, source: Sender):
    """A36: 5,000 deliveries of fifty alerts, from eight connections."""
    bodies = [
        _bytes(firing(labels={"alertname": f"Storm{n}"}, groupKey=f"{{}}:{{storm{n}}}")) for n in range(50)
    ]

    def hundred(first: int) -> set[int]:
        connection = HTTPConnection(LOOPBACK, house.program.port, timeout=30)
        seen = set()
        for n in range(first, 5_000, 8):
            fields = {"Authorization": f"Bearer {source.secret}"}
            connection.request("POST", WEBHOOK + to_ana(house), bodies[n % 50], fields)
            answer = connection.getresponse()
            answer.read()
            seen.add(answer.status)
        connection.close()
        return seen

    with ThreadPoolExecutor(8) as pool:
        assert set().union(*pool.map(hundred, range(8))) == {200}
    found = source.alerts()
    assert len(found) == 50
    assert {one["request_count"] for one in found} == {100}
    assert {tuple(house.paged(one)) for one in found} == {("Ana",)}


def _bytes(document) -> bytes:
    return json.dumps(document).encode()


# ---------------------------------------------------------------- Prometheus without an Alertmanager


def test_a_prometheus_may_post_straight_to_a_source(house: House, source: Sender):
    """A17, alertmanager.md 5."""
    later = (datetime.now(UTC) + timedelta(minutes=4)).isoformat()
    source.give([one | {"endsAt": later} for one in _pushed()], path=PUSH)
    assert {one["status"] for one in source.alerts()} == {"open"}
    source.give(edited_list("prometheus_direct_post_resolved"), path=PUSH)
    flappy = next(one for one in source.alerts() if one["summary"] == "Flappy")
    assert (flappy["status"], flappy["ended_at"]) == ("resolved", "2026-11-23T02:44:21.137Z")


def test_what_is_not_sent_again_is_over_at_its_end(house: House, source: Sender):
    """A17, alertmanager.md 5."""
    end = datetime.now(UTC) + timedelta(seconds=2)
    source.give([{"labels": {"alertname": "Brief"}, "endsAt": end.isoformat()}], path=PUSH)
    assert source.alert()["status"] == "open"
    eventually(lambda: source.alert()["status"] == "resolved", within=8)
    assert abs(moment(source.alert()["ended_at"]) - end) < timedelta(seconds=0.01)
