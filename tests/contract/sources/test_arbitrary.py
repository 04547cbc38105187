"""Whatever arrives, reading it ends in an Envelope of storable text or in BadPayload."""

import json
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from nightbell.core.errors import BadPayload
from nightbell.core.signal import Envelope
from nightbell.sources import alertmanager, reading
from nightbell.sources.prometheus import decode_push

FOLDER = Path(__file__).parents[2] / "testdata" / "alertmanager"
NOW = datetime(2026, 11, 23, 3, 0, tzinfo=UTC)
GENUINE = [
    p["body"]
    for p in (
        json.loads(path.read_text()) for path in sorted(FOLDER.glob("*.json")) if path.stat().st_size < 10_000
    )
]
UNSTORABLE = re.compile("[\0\ud800-\udfff]")

any_text = st.text(st.characters(exclude_categories=()), max_size=20)
words = st.sampled_from(
    ["firing", "Resolved", "ok", "pending", "", "0001-01-01T00:00:00+09:00", "9999-12-31T23:59:59-09:00"]
)
times = st.datetimes(timezones=st.timezones()).map(lambda t: t.isoformat())
scalars = st.none() | st.booleans() | st.integers() | st.floats() | any_text | words | times
values = st.recursive(
    scalars, lambda v: st.lists(v, max_size=3) | st.dictionaries(any_text, v, max_size=3), max_leaves=5
)


def checked(body: bytes) -> list[Envelope]:
    read = []
    for way in (alertmanager.decode, lambda b: decode_push(b, NOW)):
        try:
            read.append(way(body))
        except BadPayload as refused:
            assert refused.message
    for envelope in read:
        assert not UNSTORABLE.search(str(unwrapped(envelope)))
        msgspec.json.encode(envelope)  # storable: no lone surrogates, no integers over 64 bits
        fingerprints = [s.fingerprint for s in envelope.signals]
        assert len(set(fingerprints)) == len(fingerprints)
        assert all(re.fullmatch("[0-9a-f]{1,64}", f) for f in fingerprints)
    return read


def unwrapped(value: Any) -> Any:
    """Return the texts of an envelope in one string; `repr` would escape what we look for."""
    if isinstance(value, msgspec.Struct):
        value = msgspec.structs.asdict(value)
    if isinstance(value, dict):
        return "\n".join(f"{k}\n{unwrapped(v)}" for k, v in value.items())
    return "\n".join(map(unwrapped, value)) if isinstance(value, tuple | list) else str(value)


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(body):
    checked(body)


@given(values)
def test_any_json_is_read_or_refused(value):
    checked(json.dumps(value).encode())


@given(st.data())
@settings(max_examples=300, deadline=None)
def test_a_genuine_body_with_one_value_changed_is_read(data):
    body = json.loads(json.dumps(data.draw(st.sampled_from(GENUINE))))
    mutate(body, data)
    encoded = json.dumps(body)
    read = checked(encoded.encode())
    assert read or "NaN" in encoded or "Infinity" in encoded


def mutate(value: Any, data: Any) -> None:
    while isinstance(value, dict | list) and value:
        key = data.draw(
            st.sampled_from(sorted(value)) if isinstance(value, dict) else st.integers(0, len(value) - 1)
        )
        if not isinstance(value[key], dict | list) or data.draw(st.booleans()):
            value[key] = data.draw(values)
            return
        value = value[key]


@given(st.sampled_from(GENUINE), st.integers(0, 5000), st.binary(max_size=6), st.integers(0, 6))
@settings(max_examples=300)
def test_a_genuine_body_with_bytes_changed_is_read_or_refused(body, at, splice, cut):
    encoded = json.dumps(body, ensure_ascii=False).encode("utf-8", "surrogatepass")
    at %= len(encoded) + 1
    checked(encoded[:at] + splice + encoded[at + cut :])


@given(st.data())
@settings(max_examples=300, deadline=None)
def test_the_typed_way_says_what_the_patient_way_says(data):
    body = json.loads(json.dumps(data.draw(st.sampled_from(GENUINE))))
    mutate(body, data)
    encoded = json.dumps(body).encode()
    typed = alertmanager._typed(encoded)
    if typed is not None and b"Infinity" not in encoded and b"NaN" not in encoded:
        assert typed == alertmanager.read(reading.parse(encoded))
