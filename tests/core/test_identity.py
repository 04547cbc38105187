"""Which signals are one alert, by every mode and with every fallback."""

from uuid import UUID

import pytest

from nightbell.core import identity
from nightbell.engine.jsonpath import compiled
from support.pure import envelope, signal, source

FOUR = [signal(host, labels={"alertname": name}) for host in "ab" for name in ("DiskFull", "CpuHot")]


def rules_and_keys(sent, **settings):
    return [(u.rule, u.key) for u in identity.units(sent, source(**settings))]


@pytest.mark.parametrize(
    ("settings", "units"),
    [
        ({"identity": "group"}, 2),
        ({"identity": "alertname"}, 2),
        ({"identity": "fingerprint"}, 4),
        ({"identity": "key", "dedup_find": compiled("$.alerts[*].labels.instance")}, 2),
        ({"identity": "key", "dedup_find": compiled("$.receiver")}, 1),
        ({"identity": "key", "dedup_find": compiled("$.nothing")}, 2),
    ],
)
def test_a_delivery_falls_apart_into_units(settings, units):
    found = identity.units(envelope(*FOUR), source(**settings))
    assert len(found) == units == len({u.identity for u in found})
    assert sum(len(u.signals) for u in found) == 4


def test_units_come_in_the_order_of_their_first_signals():
    assert [u.alertname for u in identity.units(envelope(*FOUR), source())] == ["DiskFull", "CpuHot"]


def test_the_same_group_has_the_same_identity_whoever_is_in_it():
    one, other = (identity.units(envelope(signal(host)), source())[0] for host in "ab")
    assert one.identity == other.identity


@pytest.mark.parametrize(
    "different", [{"receiver": "managers"}, {"group_key": "{}:{}"}, {"source": source(id=UUID(int=6))}]
)
def test_another_receiver_group_or_source_is_another_alert(different):
    of = different.pop("source", source())
    first = identity.units(envelope(signal()), source())[0]
    second = identity.units(envelope(signal(), **different), of)[0]
    assert first.identity != second.identity
    assert first.group_hash != second.group_hash


def test_an_identity_is_sixteen_bytes_however_long_the_key():
    (unit,) = identity.units(envelope(signal(), group_key="x" * 120_000), source())
    assert (len(unit.identity), len(unit.group_hash), len(unit.key)) == (16, 16, 1_000)


@pytest.mark.parametrize(
    ("regexp", "rule", "key"),
    [
        (None, "key", "api-7:80"),
        (r"^(\w+)-", "key", "api"),
        (r"\d+", "key", "7"),
        (r"nowhere", "group (no key)", None),
        (r"(x)?api", "group (no key)", None),
    ],
)
def test_a_regexp_takes_its_group_or_its_match_from_the_key(regexp, rule, key):
    ((found_rule, found_key),) = rules_and_keys(
        envelope(signal("api-7:80")),
        identity="key",
        dedup_find=compiled("$.alerts[0].labels.instance"),
        dedup_regexp=regexp,
    )
    assert found_rule == rule
    assert key is None or found_key == key


def test_without_an_alertname_the_mode_by_alertname_falls_back_to_the_group():
    sent = envelope(signal("a", labels={"alertname": ""}))
    assert [rule for rule, _ in rules_and_keys(sent, identity="alertname")] == ["group (no alertname)"]


def test_a_unit_that_fell_back_is_the_unit_of_the_group():
    sent = envelope(signal())
    fallen = identity.units(sent, source(identity="key", dedup_find=compiled("$.nothing")))[0]
    assert fallen.identity == identity.units(sent, source())[0].identity


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("$.commonLabels.alertname", "DiskFull"),
        ("$.receiver", "nightbell"),
        ("$.status", "firing"),
        ("$.groupLabels.alertname", "DiskFull"),
        ("$.truncatedAlerts", 0),
        ("$.alerts[0].labels.instance", "a"),
        ("$.alerts[0].endsAt", None),
    ],
)
def test_jsonpath_sees_the_names_of_alertmanager(path, value):
    assert compiled(path)(identity.document(envelope(signal()), (signal(),))) == [value]


@pytest.mark.parametrize(
    ("found", "text"), [(True, "true"), (False, "false"), (None, ""), (7, "7"), ("x", "x")]
)
def test_found_values_are_compared_as_people_write_them(found, text):
    assert identity.text(found) == text
