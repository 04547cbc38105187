"""What is made of requests no Alertmanager sends: by hand, by scripts, by mistake, by an attacker."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from nightbell.core.errors import BadPayload
from nightbell.core.labels import fingerprint
from nightbell.core.signal import Envelope, Signal, State
from nightbell.sources.alertmanager import decode
from nightbell.sources.reading import MAX_WARNINGS
from nightbell.sources.registry import SOURCES

UNSET = object()
LABELS = {"alertname": "DiskFull", "instance": "a"}


def alert(**changes: Any) -> dict[str, Any]:
    base = {
        "status": "firing",
        "labels": LABELS,
        "annotations": {"summary": "s"},
        "startsAt": "2026-11-23T10:00:00Z",
        "endsAt": "0001-01-01T00:00:00Z",
        "generatorURL": "http://prom.example/graph",
        "fingerprint": "00000000000000aa",
    }
    return {k: v for k, v in (base | changes).items() if v is not UNSET}


def webhook(*alerts: Any, **changes: Any) -> dict[str, Any]:
    base = {
        "receiver": "team",
        "status": "firing",
        "alerts": list(alerts),
        "groupLabels": {"alertname": "DiskFull"},
        "commonLabels": LABELS,
        "commonAnnotations": {},
        "externalURL": "http://am.example",
        "version": "4",
        "groupKey": '{}:{alertname="DiskFull"}',
        "truncatedAlerts": 0,
    }
    return {k: v for k, v in (base | changes).items() if v is not UNSET}


def read(payload: Any) -> Envelope:
    return decode(json.dumps(payload).encode())


def only(**changes: Any) -> Signal:
    (signal,) = read(webhook(alert(**changes))).signals
    return signal


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b" \n",
        b"not json",
        b'{"alerts":[',
        b'{"alerts":[]} trailing',
        b"alertname=DiskFull&status=firing",
        b'{"alerts":NaN}',
        b'{"alerts":[-Infinity]}',
        b"[" * 100_000,
        b"[" * 100_000 + b"]" * 100_000,
        b'{"alerts":[],"x":' + b'{"a":' * 50_000 + b"1" + b"}" * 50_001,
        b'{"receiver":"raw \x00 byte","alerts":[]}',
        b"\x1f\x8b\x08\x00gzip",
    ],
    ids=lambda body: repr(body[:24]),
)
def test_what_is_not_json_is_refused(body):
    with pytest.raises(BadPayload) as refused:
        decode(body)
    assert refused.value.message and refused.value.hint


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        (None, "the body is null, not an object with alerts"),
        (1, "the body is a number, not an object with alerts"),
        (True, "the body is true or false, not an object with alerts"),
        ("alert", "the body is text, not an object with alerts"),
        ({}, "alerts is missing, not a list"),
        ({"rootly": ["TruffleHog"]}, "alerts is missing, not a list"),
        ({"alerts": None}, "alerts is null, not a list"),
        ({"alerts": {}}, "alerts is an object, not a list"),
        ({"alerts": "x"}, "alerts is text, not a list"),
        ({"alerts": []}, "alerts is an empty list"),
        ([], "alerts is an empty list"),
        (webhook(), "alerts is an empty list"),
    ],
)
def test_json_without_alerts_is_ignored_and_says_why(payload, reason):
    envelope = read(payload)
    assert envelope.ignored == reason
    assert not envelope.signals and not envelope.quarantined


def test_a_strange_rootly_value_is_kept_as_sent():
    assert read({"rootly": ["TruffleHog"]}).rootly == ["TruffleHog"]
    envelope = read(webhook(alert(), rootly={"alert_status": "open"}, rootly_alert_status="open"))
    assert (envelope.rootly, envelope.declared_status) == ({"alert_status": "open"}, "open")


@pytest.mark.parametrize(
    ("bad", "place", "reason"),
    [
        (None, "alerts[1]", "the alert is null, not an object"),
        ("x", "alerts[1]", "the alert is text, not an object"),
        ([], "alerts[1]", "the alert is a list, not an object"),
        (alert(labels=None), "alerts[1].labels", "the labels are null, not an object"),
        (alert(labels=UNSET), "alerts[1].labels", "the labels are missing, not an object"),
        (alert(labels=["a"]), "alerts[1].labels", "the labels are a list, not an object"),
        (alert(labels={"a": {"b": "c"}}), "alerts[1].labels.a", "the label is an object, not text"),
        (alert(labels={"a": []}), "alerts[1].labels.a", "the label is a list, not text"),
        (alert(status="pending"), "alerts[1].status", "not a status known here: firing or resolved"),
        (alert(status=3), "alerts[1].status", "not a status known here: firing or resolved"),
    ],
)
def test_a_bad_alert_is_set_aside_and_its_siblings_go_on(bad, place, reason):
    envelope = read(webhook(alert(fingerprint="a0"), bad, alert(fingerprint="a2")))
    assert [s.place for s in envelope.signals] == ["alerts[0]", "alerts[2]"]
    assert [(q.place, q.reason) for q in envelope.quarantined] == [(place, reason)]
    assert envelope.ignored == ""


def test_numbers_and_truth_values_in_labels_become_text():
    signal = only(
        labels={"alertname": "X", "port": 9090, "load": 1.5, "up": False, "gone": None}, fingerprint=UNSET
    )
    assert signal.labels == {"alertname": "X", "port": "9090", "load": "1.5", "up": "false"}
    assert signal.fingerprint == fingerprint(signal.labels)


def test_an_alert_without_alertname_or_any_label_is_an_alert():
    assert only(labels={"foo": "bar"}).labels == {"foo": "bar"}
    assert only(labels={}).labels == {}


def test_annotations_never_cost_an_alert():
    assert only(annotations=None).annotations == {}
    assert only(annotations=["x"]).annotations == {}
    assert only(annotations=UNSET).annotations == {}
    target = {"notification_target": {"type": "User", "id": 1}}
    assert json.loads(only(annotations={"rootly": target}).annotations["rootly"]) == target


@pytest.mark.parametrize(
    ("word", "state"),
    [
        ("firing", State.FIRING),
        ("Firing", State.FIRING),
        (" FIRING ", State.FIRING),
        ("alerting", State.FIRING),
        ("resolved", State.RESOLVED),
        ("ok", State.RESOLVED),
        ("OK", State.RESOLVED),
        ("inactive", State.RESOLVED),
        ("Normal", State.RESOLVED),
    ],
)
def test_status_words_of_other_senders_are_understood(word, state):
    assert only(status=word).state is state


@pytest.mark.parametrize("missing", [UNSET, None, ""])
def test_a_missing_status_is_that_of_the_whole_else_firing(missing):
    one = alert(status=missing)
    assert read(webhook(one, status="resolved")).signals[0].state is State.RESOLVED
    assert read(webhook(one, status="firing")).signals[0].state is State.FIRING
    assert read(webhook(one, status=UNSET)).signals[0].state is State.FIRING
    assert read({"alerts": [one]}).status == ""


def test_an_unknown_status_of_the_whole_is_a_warning_and_its_members_fire():
    envelope = read(webhook(alert(), alert(status=UNSET, fingerprint="b"), status="pending"))
    assert envelope.status == "" and envelope.warnings
    assert [s.state for s in envelope.signals] == [State.FIRING, State.FIRING]


def test_a_hundred_thousand_alerts_are_read():
    many = [alert(fingerprint=f"{i:016x}") for i in range(100_000)]
    assert len(read(webhook(*many)).signals) == 100_000


def test_invalid_utf8_is_replaced_and_the_alert_lives():
    body = (
        json.dumps(webhook(alert(labels={"alertname": "X", "v": "MARK"})))
        .encode()
        .replace(b"MARK", b"a\xff\xed\xa0\x80")
    )
    (signal,) = decode(body).signals
    assert signal.labels["v"].startswith("a\ufffd")


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le", "utf-32"])
def test_json_in_another_unicode_encoding_is_read(encoding):
    (signal,) = decode(json.dumps(webhook(alert(labels={"alertname": "ü"}))).encode(encoding)).signals
    assert signal.labels == {"alertname": "ü"}


@pytest.mark.parametrize("bad", ["\0", "\ud800", "\udfff"])
def test_nul_and_lone_surrogates_are_replaced_everywhere(bad):
    text = f"a{bad}b"
    member = alert(
        labels={text: text}, annotations={text: text}, generatorURL=text, fingerprint=UNSET, startsAt=text
    )
    envelope = read(
        webhook(
            member,
            alert(labels={text: []}),
            receiver=text,
            groupKey=text,
            groupLabels={text: text},
            commonLabels={text: text},
            commonAnnotations={text: text},
            externalURL=text,
            rootly={text: [text]},
            rootly_alert_status=text,
        )
    )
    assert bad not in repr(envelope) and repr(bad)[1:-1] not in repr(envelope)
    assert envelope.signals[0].labels == {"a\ufffdb": "a\ufffdb"}


def test_nul_counts_in_a_fingerprint_as_it_does_in_alertmanager():
    assert only(labels={"a": "\0"}, fingerprint=UNSET).fingerprint == fingerprint({"a": "\0"})


@pytest.mark.parametrize("number", ["1e999", "-1e999", "9" * 5000])
def test_absurd_numbers_cost_nothing(number):
    body = json.dumps(webhook(alert(labels={"v": "@"}), rootly="@", truncatedAlerts="@")).replace(
        '"@"', number
    )
    envelope = decode(body.encode())
    assert envelope.signals[0].labels == {"v": number}
    assert envelope.rootly == number and envelope.truncated is None


def test_of_a_key_sent_twice_the_last_counts():
    body = json.dumps(webhook(alert())).replace(
        '"status": "firing", "labels"', '"status": "x", "status": "resolved", "labels"'
    )
    (signal,) = decode(body.encode()).signals
    assert signal.state is State.RESOLVED


def test_identity_is_that_of_all_labels_however_many_and_long():
    labels = {f"label{i}": "v" for i in range(10_000)} | {"alertname": "A" * 1_000_000}
    signal = only(labels=labels, fingerprint=UNSET)
    assert signal.labels == labels and signal.fingerprint == fingerprint(labels)


def at(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)  # type: ignore[arg-type, misc]


@pytest.mark.parametrize(
    ("sent", "understood"),
    [
        ("2026-11-23T10:00:00Z", at(2026, 11, 23, 10)),
        ("2026-11-23T10:00:00.123456789Z", at(2026, 11, 23, 10, 0, 0, 123457)),
        ("2026-11-23T10:00:00.5+02:00", at(2026, 11, 23, 8, 0, 0, 500000)),
        ("2026-11-23T10:00:00+14:00", at(2026, 11, 22, 20)),
        ("2026-11-23T10:00:00-0330", at(2026, 11, 23, 13, 30)),
        ("2026-11-23t10:00:00z", at(2026, 11, 23, 10)),
        ("2026-11-23 10:00:00Z", at(2026, 11, 23, 10)),
        ("2026-12-31T23:59:60Z", at(2027, 1, 1)),
        ("2026-12-31T23:59:60.5+00:00", at(2027, 1, 1, 0, 0, 0, 500000)),
        ("0001-01-01T00:00:00Z", None),
        ("0001-01-01T00:00:00+14:00", None),
        ("0001-01-01T00:00:00-14:00", None),
        ("9999-12-31T23:59:59-14:00", None),
        ("9999-12-31T23:59:60Z", None),
        ("1970-01-01T00:00:00Z", None),
        ("2026-11-23T10:00:00", None),
        ("2026-11-23", None),
        ("2026-11-23T10:00:61Z", None),
        ("2026-02-30T10:00:00Z", None),
        ("2026-11-23T10:00:00+25:00", None),
        ("yesterday", None),
        ("", None),
        (None, None),
        (UNSET, None),
        (1795400889, None),
        ({"a": 1}, None),
    ],
)
def test_times_are_utc_or_none(sent, understood):
    assert only(startsAt=sent).starts_at == understood
    assert only(status="resolved", startsAt=UNSET, endsAt=sent).ends_at == understood


def test_an_unusable_time_is_flagged_and_an_unset_one_is_not():
    assert "alerts[0].startsAt" in read(webhook(alert(startsAt="soon"))).warnings[0]
    assert read(webhook(alert(startsAt="0001-01-01T00:00:00Z"))).warnings == ()


def test_warnings_are_few_however_many_the_mistakes():
    assert (
        len(read(webhook(*[alert(startsAt="soon", fingerprint=f"{i:x}") for i in range(99)])).warnings)
        == MAX_WARNINGS
    )


def test_status_decides_and_not_the_end():
    assert only(status="firing", endsAt="2020-01-01T00:00:00Z").ends_at is None
    assert only(status="resolved", endsAt="0001-01-01T00:00:00Z").ends_at is None
    assert only(status="resolved", endsAt="2026-11-23T11:00:00Z").ends_at == at(2026, 11, 23, 11)


def test_no_alert_ends_before_it_began():
    assert only(status="resolved", endsAt="2026-11-23T09:00:00Z").ends_at == at(2026, 11, 23, 10)


T1, T2 = "2026-11-23T10:00:00Z", "2026-11-23T11:00:00Z"


@pytest.mark.parametrize(
    ("first", "second", "kept"),
    [
        (("firing", T1), ("firing", T2), ("firing", 11)),
        (("firing", T2), ("firing", T1), ("firing", 11)),
        (("resolved", T1), ("firing", T2), ("firing", 11)),
        (("firing", T2), ("resolved", T1), ("firing", 11)),
        (("firing", T1), ("resolved", T2), ("resolved", 11)),
        (("firing", T1), ("resolved", T1), ("resolved", 10)),
        (("resolved", T1), ("firing", T1), ("firing", 10)),
    ],
)
def test_one_fingerprint_twice_is_one_signal(first, second, kept):
    pair = [alert(status=s, startsAt=t, endsAt="2026-11-23T12:00:00Z") for s, t in (first, second)]
    envelope = read(webhook(*pair, alert(fingerprint="b")))
    signal, _ = envelope.signals
    assert signal.starts_at is not None
    assert (signal.state, signal.starts_at.hour) == kept
    assert "alerts[0] and alerts[1]" in envelope.warnings[0]


@pytest.mark.parametrize(
    "sent", [UNSET, None, "", "xyz", "ABCDEF0123456789", "a" * 65, 17, "00aa\n", "00 aa"]
)
def test_a_fingerprint_that_is_none_is_computed(sent):
    assert only(fingerprint=sent).fingerprint == fingerprint(LABELS)


@pytest.mark.parametrize("sent", ["0", "00000000000000aa", "f" * 64])
def test_a_fingerprint_sent_is_believed(sent):
    assert only(fingerprint=sent).fingerprint == sent


def test_the_receivers_name_is_unquoted():
    assert (
        read(webhook(alert(), receiver=r"team\.x \(prod\)\+\[db\]/pager")).receiver
        == "team.x (prod)+[db]/pager"
    )
    assert read(webhook(alert(), receiver=r"back\\slash\n")).receiver == r"back\slash\n"


@pytest.mark.parametrize(
    ("sent", "understood"),
    [
        (0, 0),
        (7, 7),
        (1e9, 10**9),
        (10**30, None),
        (2**40, 2**31 - 1),
        (-1, None),
        ("3", None),
        (1.5, None),
        (True, None),
        (None, None),
        (UNSET, None),
    ],
)
def test_truncated_is_a_count_or_unknown(sent, understood):
    assert read(webhook(alert(), truncatedAlerts=sent)).truncated == understood


@pytest.mark.parametrize(
    "field", ["receiver", "version", "externalURL", "groupLabels", "commonLabels", "commonAnnotations"]
)
@pytest.mark.parametrize("value", [UNSET, None, 5, [], {}, "5"])
def test_no_field_of_the_envelope_is_needed(field, value):
    envelope = read(webhook(alert(), **{field: value}))
    assert len(envelope.signals) == 1 and envelope.group_key == '{}:{alertname="DiskFull"}'


def test_common_labels_are_computed_when_none_were_sent():
    second = alert(labels=LABELS | {"instance": "b"}, fingerprint="b")
    envelope = read({"alerts": [alert(), second]})
    assert envelope.common_labels == {"alertname": "DiskFull"}
    assert envelope.common_annotations == {"summary": "s"}


def test_a_derived_group_key_outlives_its_members():
    def key(*alerts: Any, **changes: Any) -> str:
        return read(webhook(*alerts, groupKey=UNSET, **changes)).group_key

    other = alert(labels={"alertname": "Other"}, fingerprint="b")
    assert key(alert(), other) == key(alert(status="resolved"))
    assert key(alert()) != key(alert(), receiver="else")
    assert key(alert()) != key(alert(), groupLabels={"alertname": "Else"})
    assert key(alert(), groupLabels={"a": "1", "b": "2"}) == key(alert(), groupLabels={"b": "2", "a": "1"})
    assert key(alert(), other, groupLabels=UNSET) == key(other, groupLabels=UNSET)


def test_who_names_no_group_cannot_close_what_is_not_listed():
    resolved = alert(status="resolved")
    assert read(webhook(resolved, status="resolved")).closes_group
    assert read(webhook(resolved, status="resolved", groupKey=UNSET)).closes_group
    assert not read(webhook(resolved, status="resolved", groupKey=UNSET, groupLabels={})).closes_group


def test_hostile_text_is_only_text():
    texts = [
        "<script>",
        "{{7*7}}",
        "${jndi:x}",
        "%s",
        "{alertname.__class__}",
        "@channel",
        "a\r\nBcc: b",
        "\x1b[31m",
        "\u202e",
        "=cmd()",
    ]
    signal = only(labels={f"l{i}": t for i, t in enumerate(texts)}, generatorURL="javascript:alert(1)")
    assert list(signal.labels.values()) == texts
    assert signal.generator_url == "javascript:alert(1)"


def test_grafana_is_read_as_alertmanager_is():
    extra = {
        "values": None,
        "valueString": "",
        "silenceURL": "",
        "dashboardURL": "",
        "panelURL": "",
        "orgId": 1,
    }
    body = webhook(
        alert(**extra),
        version="1",
        orgId=1,
        title="[FIRING:1]",
        state="alerting",
        message="m",
        appVersion="12",
    )
    envelope = SOURCES["grafana"](json.dumps(body).encode())
    assert len(envelope.signals) == 1 and envelope.warnings == ()
