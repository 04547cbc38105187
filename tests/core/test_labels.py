"""Label sets: identity, text, tags, caps, what they share, and what matches them."""

import re
from hashlib import blake2b

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nightbell.core.errors import Invalid
from nightbell.core.labels import (
    CUT,
    MAX_ANNOTATION,
    MAX_LABEL,
    MAX_LABELS,
    Matcher,
    Op,
    capped,
    capped_annotations,
    clean,
    common,
    fingerprint,
    parse_matchers,
    tag,
    tags,
)

any_text = st.text(st.characters(exclude_categories=()), max_size=20)


def test_fingerprints_of_the_published_vectors():
    assert fingerprint({}) == "cbf29ce484222325"
    assert fingerprint({"foo": "bar"}) == "3fff2c2d7595e046"


def test_a_fingerprint_knows_no_order_and_no_empty_labels():
    assert fingerprint({"a": "1", "b": "2", "c": ""}) == fingerprint({"b": "2", "a": "1"})


@given(st.dictionaries(any_text, any_text))
def test_any_labels_have_a_fingerprint(labels):
    assert re.fullmatch("[0-9a-f]{16}", fingerprint(labels))


@given(any_text)
def test_clean_text_can_be_stored(text):
    assert "\0" not in clean(text)
    clean(text).encode()
    assert len(clean(text)) == len(text)


def test_clean_leaves_good_text_alone():
    for text in ("", "plain", "ü 漢 😀 \u202e \x1b \n"):
        assert clean(text) == text


def test_a_tag_is_the_same_on_every_machine():
    assert tag("severity", "critical") == int.from_bytes(
        blake2b(b"severity=critical", digest_size=8).digest(), "big", signed=True
    )
    assert tags({"severity": "critical", "team": "x"}) == [tag("severity", "critical"), tag("team", "x")]


@given(any_text, any_text)
def test_a_tag_fits_a_bigint(key, value):
    assert -(2**63) <= tag(key, value) < 2**63


def test_a_long_value_has_a_tag_and_no_place_in_the_cache():
    assert tags({"a": "x" * 100_000}) == [tag("a", "x" * 100_000)]


def test_short_labels_are_kept_as_they_are():
    labels = {"alertname": "X", "empty": ""}
    assert capped(labels) == labels and capped_annotations(labels) == labels
    assert capped({}) == capped_annotations({}) == {}


def test_too_many_labels_leave_the_first_and_alertname():
    kept = capped({f"l{i}": "v" for i in range(10_000)} | {"alertname": "X"})
    assert len(kept) == MAX_LABELS and kept["alertname"] == "X" and "l0" in kept and "l9999" not in kept
    assert len(capped_annotations({f"l{i}": "v" for i in range(10_000)})) == MAX_LABELS


def test_long_values_are_cut_and_say_so():
    kept = capped({"n" * 9000: "v" * 9000, "fits": "v" * MAX_LABEL})
    assert [(len(k), len(v)) for k, v in kept.items()] == [(MAX_LABEL, MAX_LABEL), (4, MAX_LABEL)]
    assert kept.popitem()[1] == "v" * MAX_LABEL and kept.popitem()[1].endswith(CUT)
    assert len(capped_annotations({"summary": "s" * 10**6})["summary"]) == MAX_ANNOTATION


def test_common_is_what_all_have_alike():
    assert common([]) == {}
    assert common([{"a": "1"}]) == {"a": "1"}
    assert common([{"a": "1", "b": "2"}, {"a": "1", "b": "3"}, {"a": "1"}]) == {"a": "1"}
    assert common([{"a": "1"}, {}, {"a": "1"}]) == {}


LABELS = {"alertname": "DiskFull", "severity": "warning", "text": "two\nlines"}


@pytest.mark.parametrize(
    ("text", "matches"),
    [
        ('severity="warning"', True),
        ('severity="warn"', False),
        ('severity!="critical"', True),
        ('severity=~"warn.*"', True),
        ('severity=~"warn"', False),
        ('severity=~"arning"', False),
        ('severity=~"critical|warning"', True),
        ('severity!~"crit.*"', True),
        ('severity!~"warn.*"', False),
        ('severity=~"(?i)WARNING"', True),
        ('text=~"two.lines"', True),
        ('team=""', True),
        ('team!=""', False),
        ('team=~".+"', False),
        ('team=~".*"', True),
        ('team!~".+"', True),
    ],
)
def test_a_matcher_means_what_prometheus_means(text, matches):
    (matcher,) = parse_matchers(text)
    assert matcher.matches(LABELS) is matches


@pytest.mark.parametrize(
    ("text", "matchers"),
    [
        ("", []),
        ("{}", []),
        (" { } ", []),
        (
            '{severity=~"warn.*",team="x"}',
            [Matcher("severity", Op.MATCHES, "warn.*"), Matcher("team", Op.EQUAL, "x")],
        ),
        (' { a = "1" , b != "2" , } ', [Matcher("a", Op.EQUAL, "1"), Matcher("b", Op.NOT_EQUAL, "2")]),
        ('a="1",b!~"2"', [Matcher("a", Op.EQUAL, "1"), Matcher("b", Op.MATCHES_NOT, "2")]),
        ("severity=critical", [Matcher("severity", Op.EQUAL, "critical")]),
        ('{"a label, quoted"="}"}', [Matcher("a label, quoted", Op.EQUAL, "}")]),
        (r'a="say \"hi\"\n\\"', [Matcher("a", Op.EQUAL, 'say "hi"\n\\')]),
        (r'a=~"web\.example"', [Matcher("a", Op.MATCHES, r"web\.example")]),
        (r'a=~"web\\.example"', [Matcher("a", Op.MATCHES, r"web\.example")]),
    ],
)
def test_matchers_are_read(text, matchers):
    assert parse_matchers(text) == matchers


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("{", "character 2"),
        ('{a="1"', "character 7"),
        ('{a="1"} x', "character 9"),
        ('{a="1" b="2"}', "character 8"),
        ('a="1" b="2"', "character 7"),
        ('{,a="1"}', "character 2"),
        ("{a}", "character 3"),
        ("a", "character 2"),
        ("a==b", "character 3"),
        ("a=", "character 3"),
        ('a="open', "character 3"),
        ('a=~"("', "character 4"),
        ('a!~"*"', "character 4"),
        ('9="1"', "character 1"),
    ],
)
def test_a_mistake_in_matchers_is_named_with_its_place(text, place):
    with pytest.raises(Invalid) as wrong:
        parse_matchers(text)
    assert wrong.value.place == place and place in wrong.value.message


@given(
    st.lists(
        st.builds(
            Matcher, any_text.map(clean), st.sampled_from([Op.EQUAL, Op.NOT_EQUAL]), any_text.map(clean)
        )
    )
)
def test_matchers_written_are_read_back(matchers):
    assert parse_matchers("{" + ",".join(map(str, matchers)) + "}") == matchers


@given(any_text)
def test_any_text_is_matchers_or_a_mistake(text):
    try:
        parse_matchers(text)
    except Invalid as wrong:
        assert wrong.place.startswith("character ")
