"""No input makes a 5xx: the edge cases of alertmanager.md 7 that the acceptance table does not name.

2xx says "we have it"; 4xx "this can never work as sent"; the only 5xx is for what may work later.
"""

import asyncio
import gzip
import json
import socket
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from support.bodies import UNSET, alert, firing, moment, notification, over, rootly, target
from support.household import MAX_BODY, WEBHOOK, House, Sender, captured, edited
from support.ports import LOOPBACK
from support.programs import eventually

GOOD = alert({"alertname": "Good"})


def given(source: Sender, document) -> Any:
    """Post a document and return the answer, which must be 200."""
    return source.give(document).json


# ---------------------------------------------------------------- 7.4 to 7.6: members


@pytest.mark.parametrize(
    ("bad", "place"),
    [
        (alert() | {"labels": None}, "alerts[1].labels"),
        (alert() | {"labels": ["a"]}, "alerts[1].labels"),
        (alert() | {"labels": "a=b"}, "alerts[1].labels"),
        ({"status": "firing"}, "alerts[1].labels"),
        (alert({"alertname": {"a": 1}}), "alerts[1].labels.alertname"),
        (alert(status="nonsense"), "alerts[1].status"),
        (alert(status=7), "alerts[1].status"),
        (None, "alerts[1]"),
        ("text", "alerts[1]"),
        ([], "alerts[1]"),
    ],
)
def test_one_bad_alert_is_set_aside_and_its_siblings_go_on(source: Sender, bad, place):
    answer = given(source, notification(GOOD) | {"alerts": [GOOD, bad]})
    assert answer["status"] == "partial"
    assert [one["summary"] for one in source.alerts()] == ["Good"]
    aside = [one for one in source.delivery()["results"] if "place" in one]
    assert [one["place"] for one in aside] == [place]
    assert aside[0]["reason"]
    assert source.delivery()["outcome"] == "quarantined"


def test_when_all_alerts_are_bad_the_request_is_kept(source: Sender):
    answer = given(source, notification(GOOD) | {"alerts": [None, 7]})
    assert answer["status"] == "partial"
    assert source.alerts() == []


@pytest.mark.parametrize("value", [7, 1.5, True, "", "x"])
def test_a_label_that_is_no_text_becomes_text(source: Sender, value):
    given(source, firing(labels={"alertname": "A", "n": value}))
    labels = {one["key"]: one["value"] for one in source.alert()["labels"]}
    assert labels.get("n", "") == (value if isinstance(value, str) else json.dumps(value))


def test_an_alert_without_any_label_is_an_alert(source: Sender):
    given(source, firing(labels={}))
    assert source.alert()["summary"] == "Alertmanager alert"


@pytest.mark.parametrize(
    ("word", "status"),
    [
        ("Firing", "open"),
        ("ALERTING", "open"),
        ("resolved", "resolved"),
        ("ok", "resolved"),
        ("OK", "resolved"),
        ("inactive", "resolved"),
        ("", "open"),
        (None, "open"),
    ],
)
def test_words_for_the_status_are_understood(source: Sender, word, status):
    given(source, notification(GOOD))
    one = GOOD | {"status": word, "endsAt": "2026-11-23T02:30:00Z"}
    given(source, notification(one) | {"alerts": [one], "status": "firing"})
    assert source.alert()["status"] == status


# ---------------------------------------------------------------- 7.8, 7.9, 7.25: size, pace, encoding


def test_a_body_over_the_limit_is_drained_and_refused(house: House, source: Sender):
    body = b" " * (MAX_BODY + 1)
    answer = source.post(body)
    assert answer.status == 413
    assert str(MAX_BODY) in answer.json["error"]


def test_an_endless_body_is_refused(house: House, source: Sender):
    def chunks():
        for _ in range(MAX_BODY // 2**20 + 2):
            yield b" " * 2**20

    fields = {"Authorization": f"Bearer {source.secret}"}
    answer = httpx.post(f"{house.program.url}{WEBHOOK}", content=chunks(), headers=fields, timeout=30)
    assert answer.status_code == 413


@pytest.mark.parametrize("secret", [None, "0" * 64], ids=["known", "stranger"])
def test_a_refusal_is_heard_even_by_who_writes_first(house: House, source: Sender, secret):
    """Alertmanager writes all of the body before it reads: who closes early is a broken pipe to it."""
    with socket.create_connection((LOOPBACK, house.program.port), timeout=20) as connection:
        head = (
            f"POST {WEBHOOK} HTTP/1.1\r\nHost: x\r\nContent-Length: {MAX_BODY + 1}\r\n"
            f"Authorization: Bearer {secret or source.secret}\r\n\r\n"
        )
        connection.sendall(head.encode() + b" " * (MAX_BODY + 1))
        answer = connection.recv(4096)
    assert answer.split(b" ", 2)[1] == (b"401" if secret else b"413")


def test_a_small_body_that_inflates_over_the_limit_is_refused(source: Sender):
    bomb = gzip.compress(b" " * (MAX_BODY + 1))
    fields = {"Authorization": f"Bearer {source.secret}", "Content-Encoding": "gzip"}
    assert source.post(bomb, headers=fields).status == 413


@pytest.mark.parametrize(("encoding", "status"), [("br", 415), ("nonsense", 415), ("gzip", 400)])
def test_an_encoding_nobody_knows_is_refused(source: Sender, encoding, status):
    fields = {"Authorization": f"Bearer {source.secret}", "Content-Encoding": encoding}
    assert source.post(captured("single_firing"), headers=fields).status == status


@pytest.mark.slow
def test_a_body_that_does_not_come_is_not_waited_for_and_holds_nobody_up(house: House, source: Sender):
    head = (
        f"POST {WEBHOOK} HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n"
        f"Authorization: Bearer {source.secret}\r\n\r\n{{"
    )
    slow = [socket.create_connection((LOOPBACK, house.program.port), timeout=40) for _ in range(50)]
    for connection in slow:
        connection.sendall(head.encode())
    source.send("single_firing")
    answers = {connection.recv(4096).split(b" ", 2)[1] for connection in slow}
    for connection in slow:
        connection.close()
    assert answers == {b"408"}


def test_who_goes_away_before_the_end_leaves_nothing(house: House, source: Sender):
    body = captured("single_firing")
    head = (
        f"POST {WEBHOOK} HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body) + 10}\r\n"
        f"Authorization: Bearer {source.secret}\r\n\r\n"
    )
    with socket.create_connection((LOOPBACK, house.program.port)) as connection:
        connection.sendall(head.encode() + body)
    source.send("repeat_first")
    assert [one["summary"] for one in source.alerts()] == ["HighErrorRate"]
    assert source.alert()["request_count"] == 1


# ---------------------------------------------------------------- 7.10 to 7.17: bytes, numbers, sizes


def test_bytes_that_are_no_utf8_are_replaced(source: Sender):
    body = json.dumps(firing(labels={"alertname": "Bad#"})).encode().replace(b"#", b"\xff")
    assert source.post(body).status == 200
    assert source.alert()["summary"] == "Bad\N{REPLACEMENT CHARACTER}"


@pytest.mark.parametrize(
    ("text", "status"),
    [
        ("[" * 100_000, 400),
        ('{"alerts": ' + "[" * 100_000 + "]" * 100_000 + "}", 400),
        ('{"a":' * 50_000 + "1" + "}" * 50_000, 400),
        ('{"alerts": [], "x": NaN}', 400),
        ('{"alerts": [], "x": Infinity}', 400),
        ('{"alerts": [], "x": 1e999}', 200),
        ('{"alerts": [], "x": ' + "9" * 5000 + "}", 200),
        ('{"alerts": [], "truncatedAlerts": ' + "9" * 400 + "}", 200),
    ],
    ids=lambda value: str(value)[:24],
)
def test_json_that_breaks_parsers_breaks_nothing(source: Sender, text, status):
    assert source.post(text).status == status


def test_numbers_of_any_size_may_stand_in_what_is_only_kept(house: House, source: Sender):
    body = json.dumps(firing(extra="#")).replace('"#"', "[1e999, " + "9" * 5000 + ", -0, 1E-400]")
    assert source.post(body).status == 200
    assert source.alert()["data"]["extra"][1] == "9" * 5000


def test_of_a_name_that_is_said_twice_the_last_counts(source: Sender):
    body = json.dumps(firing()).replace(
        '"status": "firing", "labels"', '"status": "ok", "status": "firing", "labels"'
    )
    assert source.post(body).status == 200
    assert source.alert()["status"] == "open"


@pytest.mark.parametrize(
    "labels",
    [
        {"alertname": "Many", **{f"label_{n}": "x" for n in range(10_000)}},
        {"alertname": "Wide", "value": "x" * 1_000_000},
        {"alertname": "x" * 120_000},
        {"alertname": "Name", "x" * 100_000: "y"},
        {"alertname": ""},
    ],
    ids=["10,000 labels", "1 MB value", "120 kB name", "100 kB label name", "empty name"],
)
def test_labels_of_any_size_are_taken(house: House, source: Sender, labels):
    document = firing(labels=labels, groupKey="{}:" + "k" * 100_000)
    given(source, document)
    given(source, document)
    given(source, over(document))
    found = source.alert()
    assert (found["status"], found["request_count"]) == ("resolved", 3)
    assert len(house.api.list("/alerts", source=source.id)) == 1


def test_texts_of_any_size_are_taken(house: House, source: Sender):
    document = firing(
        annotations={"summary": "s" * 1_000_000, "description": "d" * 1_000_000},
        externalURL="http://" + "e" * 100_000,
        receiver="r" * 100_000,
    )
    document["alerts"][0]["generatorURL"] = "http://" + "g" * 100_000
    document["alerts"][0]["fingerprint"] = "f" * 100_000
    source.give(document, f"/notify/User/{house.ana['id']}")
    mail = house.mailed(source.alert(), house.ana)[0]
    assert len(mail.raw) < 200_000


# ---------------------------------------------------------------- 7.18, 7.19: times


@pytest.mark.parametrize(
    "starts",
    [
        "0001-01-01T00:00:00+14:00",
        "9999-12-31T23:59:59.999999999-12:00",
        "",
        None,
        "yesterday",
        7,
        "2026-11-23",
        "2026-11-23T02:00:00",
        "99999-01-01T00:00:00Z",
        {"a": 1},
    ],
)
def test_a_start_that_cannot_be_used_is_the_time_of_receipt(source: Sender, starts):
    before = datetime.now(UTC)
    document = firing()
    document["alerts"][0]["startsAt"] = starts
    given(source, document)
    assert moment(source.alert()["started_at"]) > before - timedelta(seconds=1)
    given(source, over(document, at="2999-01-01T00:00:00Z"))
    assert source.alert()["status"] == "resolved"


@pytest.mark.parametrize(
    ("starts", "shown"),
    [
        ("2026-11-23T02:00:00.123456789Z", "2026-11-23T02:00:00.123Z"),
        ("2026-11-23t02:00:00z", "2026-11-23T02:00:00.000Z"),
        ("2026-11-23T16:00:00+14:00", "2026-11-23T02:00:00.000Z"),
        ("2026-11-23T01:59:60Z", "2026-11-23T02:00:00.000Z"),
    ],
)
def test_times_are_read_as_rfc_3339_allows(source: Sender, starts, shown):
    document = firing()
    document["alerts"][0]["startsAt"] = starts
    given(source, document)
    assert source.alert()["started_at"] == shown


@pytest.mark.parametrize("ends", ["2026-11-23T01:00:00Z", UNSET, "", None, "soon"])
def test_no_alert_ends_before_it_began(source: Sender, ends):
    given(source, firing())
    given(source, over(firing(), at=ends))
    found = source.alert()
    assert found["status"] == "resolved"
    assert moment(found["ended_at"]) >= moment(found["started_at"])


@pytest.mark.parametrize("ends", ["2026-11-23T02:10:00Z", "2999-01-01T00:00:00Z"])
def test_in_a_webhook_the_status_says_what_is_over_not_the_end(source: Sender, ends):
    document = firing()
    document["alerts"][0]["endsAt"] = ends
    given(source, document)
    assert (source.alert()["status"], source.alert()["ended_at"]) == ("open", None)


# ---------------------------------------------------------------- 7.20 to 7.22: twice, late, at once


def test_a_second_resolve_changes_nothing(source: Sender):
    source.send("resend_1_firing", "resend_2_a_resolved", "resend_3_a_resolved_again")
    first = source.alert()
    source.send("resend_3_a_resolved_again")
    second = source.alert()
    assert (second["status"], second["ended_at"]) == ("resolved", first["ended_at"])
    assert second["occurrence"] == 1


def test_a_silenced_member_is_marked_absent_and_comes_back(source: Sender):
    source.send("silenced_member_1", "silenced_member_2")
    absent = {one["labels"]["instance"]: one["absent_since"] is not None for one in source.alert()["members"]}
    assert absent == {"a": True, "b": False, "c": False}
    source.send("silenced_member_3")
    assert {one["absent_since"] for one in source.alert()["members"]} == {None}
    assert source.alert()["status"] == "open"


def test_fifty_equal_requests_at_once_are_one_alert_and_one_page(house: House, source: Sender):
    suffix = f"/notify/User/{house.ana['id']}"
    with ThreadPoolExecutor(10) as pool:
        answers = list(pool.map(lambda _: source.post(captured("single_firing"), suffix), range(50)))
    assert {one.status for one in answers} == {200}
    found = source.alert()
    assert (found["request_count"], house.paged(found)) == (50, ["Ana"])


def test_firing_and_resolved_at_once_end_in_one_of_both(house: House, source: Sender):
    """Nothing is torn: the alert's state is that of its members, whoever came last."""
    document = firing(groupKey="{}:race")
    bodies = [document, over(document)] * 25
    with ThreadPoolExecutor(10) as pool:
        answers = list(pool.map(source.post, bodies))
    assert {one.status for one in answers} == {200}
    found = source.alert()
    assert (found["status"] == "resolved") == (found["firing_count"] == 0) == (found["ended_at"] is not None)


@pytest.mark.parametrize("order", [1, -1])
def test_of_one_fingerprint_twice_in_a_body_the_later_start_counts(source: Sender, order):
    early = GOOD | {"status": "resolved", "endsAt": "2026-11-23T02:10:00Z", "fingerprint": "abc"}
    late = GOOD | {"startsAt": "2026-11-23T02:20:00Z", "fingerprint": "abc"}
    given(source, notification(GOOD) | {"alerts": [early, late][::order]})
    found = source.alert()
    assert (found["status"], found["member_count"], found["started_at"]) == (
        "open",
        1,
        "2026-11-23T02:20:00.000Z",
    )


@pytest.mark.parametrize("sent", ["", "XYZ", "../../etc", 7, None, {"a": 1}, "f" * 65])
def test_a_fingerprint_that_is_none_is_computed(source: Sender, sent):
    document = firing()
    document["alerts"][0]["fingerprint"] = sent
    given(source, document)
    assert len(source.alert()["members"][0]["fingerprint"]) == 16


# ---------------------------------------------------------------- 7.23, 7.24: who, how, where


def test_two_authorization_headers_are_refused(house: House, source: Sender):
    fields = [("Authorization", f"Bearer {source.secret}"), ("Authorization", f"Bearer {source.secret}")]
    answer = httpx.post(f"{house.program.url}{WEBHOOK}", content=b"{}", headers=fields)
    assert answer.status_code == 400


def test_both_secrets_of_a_rotation_are_good_and_then_only_the_new_one(house: House, source: Sender):
    new = house.api.ask("POST", f"/alert_sources/{source.id}/rotate_secret")["data"]["attributes"]["secret"]
    assert new != source.secret
    assert [source.post(b"{}", secret=one).status for one in (source.secret, new)] == [200, 200]
    newest = house.api.ask("POST", f"/alert_sources/{source.id}/rotate_secret", {"grace_minutes": 0})
    last = newest["data"]["attributes"]["secret"]
    assert source.post(b"{}", secret=last).status == 200
    eventually(lambda: source.post(b"{}", secret=new).status == 401, within=3)


def test_the_secret_of_a_deleted_source_is_nobodys(house: House, source: Sender):
    house.api.ask("DELETE", f"/alert_sources/{source.id}")
    eventually(lambda: source.post(captured("single_firing")).status == 401, within=3)


def test_unknown_and_missing_secrets_look_alike(house: House, source: Sender):
    wrong = source.post(b"{}", secret="a" * 64)
    other = source.post(b"{}", secret=source.secret[:-1] + "x")
    assert (wrong.status, wrong.text) == (other.status, other.text)
    assert wrong.status == 401


@pytest.mark.parametrize(
    "path",
    [
        f"{WEBHOOK}/",
        f"/{WEBHOOK}",
        WEBHOOK.upper(),
        WEBHOOK.replace("/", "//"),
        f"{WEBHOOK}?x=junk",
        f"{WEBHOOK}/?a=%ff&b",
    ],
)
def test_an_address_written_otherwise_is_served_and_never_redirected(source: Sender, path):
    assert source.post(captured("single_firing"), path=path).status == 200
    assert len(source.alerts()) == 1


def test_put_is_taken_as_grafana_may_send_it(source: Sender):
    assert source.post(captured("single_firing"), method="PUT").status == 200


@pytest.mark.parametrize("path", ["/api/v2/alerts", "/api/v2/alerts/", WEBHOOK])
def test_get_is_405_and_says_what_to_do(source: Sender, path):
    answer = source.post(b"", path=path, method="GET")
    assert answer.status == 405
    assert "POST" in answer.json["error"]


# ---------------------------------------------------------------- 7.27, 7.28: targets, envelopes


def test_ten_thousand_targets_page_the_first_that_exist(house: House, source: Sender):
    many = [target("User", house.ana)] + [{"type": "User", "id": str(n)} for n in range(5_000_000, 5_010_000)]
    given(source, firing(annotations=rootly({"alerting_targets": many})))
    found = source.alert()
    assert house.paged(found) == ["Ana"]
    assert "10001 targets" in house.said(found, "routing.problem")


def test_an_annotation_with_escaped_quotes_is_ignored_with_a_reason(house: House, source: Sender):
    given(source, firing(annotations={"rootly": "{&quot;notification_target&quot;: 1}"}))
    assert "invalid JSON" in house.said(source.alert(), "routing.problem")


@pytest.mark.parametrize(
    "changes",
    [
        {"groupKey": None},
        {"version": None},
        {"receiver": None},
        {"truncatedAlerts": None},
        {"groupLabels": None, "commonLabels": None, "commonAnnotations": None},
        {"externalURL": None},
        {"version": "5"},
        {"version": 5},
        {"groupKey": 7},
        {"groupKey": ""},
        {"receiver": ["a"]},
        {"truncatedAlerts": -1},
        {"truncatedAlerts": 1_000_000_000},
        {"truncatedAlerts": "3"},
        {"truncatedAlerts": 1e300},
        {"groupLabels": [], "commonLabels": "x"},
        {"status": 7},
        {"notification_reason": "first notification", "routeLabels": {}},
    ],
    ids=str,
)
def test_envelopes_that_lack_or_bend_a_field_are_read(source: Sender, changes):
    document = edited("single_firing") | changes
    given(source, {name: value for name, value in document.items() if value is not None})
    given(source, document)
    found = source.alert()
    assert (found["summary"], found["request_count"]) == ("HighErrorRate", 2)
    ended = over(document)
    given(source, ended if "status" not in changes else ended | {"status": 7})
    assert source.alert()["status"] == "resolved"


# ---------------------------------------------------------------- 7.30: many connections


def test_a_thousand_connections_at_once_are_all_answered(house: House, source: Sender):
    body = captured("single_firing")
    head = (
        f"POST {WEBHOOK} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: {len(body)}\r\n"
        f"Authorization: Bearer {source.secret}\r\n\r\n"
    )

    async def one() -> bytes:
        reader, writer = await asyncio.open_connection(LOOPBACK, house.program.port)
        writer.write(head.encode() + body)
        answer = await reader.read()
        writer.close()
        return answer.split(b" ", 2)[1]

    async def all_of_them() -> list[bytes]:
        return await asyncio.gather(*(one() for _ in range(1_000)))

    assert set(asyncio.run(all_of_them())) == {b"200"}
    assert source.alert()["request_count"] == 1_000
