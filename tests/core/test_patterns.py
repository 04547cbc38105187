"""Regular expressions that people write: RE2's, as in Prometheus, and quick whatever the text."""

import pytest

from nightbell.core import patterns
from nightbell.core.errors import Invalid
from nightbell.core.labels import parse_matchers

#: What `re` would need longer than the age of the universe for.
SLOW = "(a+)+$"


@pytest.mark.parametrize(
    ("wanted", "text", "holds"),
    [
        ("warn.*", "warning", True),
        ("warn.*", "a warning", False),
        ("a|b", "b", True),
        ("a|b", "ab", False),
        ("(?i)CRIT", "crit", True),
        ("x(?i)Y", "xy", True),
        ("[[:alpha:]]+", "abc", True),
        ("[[:alpha:]]+", "a1c", False),
        (r"\pL+", "é", True),
        (r"\Qa.b\E", "a.b", True),
        (r"\Qa.b\E", "axb", False),
        (".*", "one\ntwo", True),
        ("", "", True),
        ("", "x", False),
        ("é?.", "\ud800", True),
    ],
)
def test_a_label_is_compared_as_prometheus_does(wanted, text, holds):
    assert patterns.anchored(wanted, text) is holds
    long = text + "x" * 300
    assert patterns.anchored(f"(?:{wanted})x{{300}}", long) is holds


@pytest.mark.parametrize(
    ("wanted", "text", "holds"),
    [("b.d", "abcde", True), ("^b", "abc", False), ("c$", "abc", True), ("a.b", "a\nb", False)],
)
def test_elsewhere_a_match_anywhere_counts(wanted, text, holds):
    assert patterns.within(wanted, text) is holds
    assert patterns.pattern(wanted).within(text) is holds


@pytest.mark.parametrize(
    ("wanted", "text", "part"),
    [
        ("db-(\\d+)", "disk of db-17", "17"),
        ("db-\\d+", "disk of db-17", "db-17"),
        ("x", "y", ""),
        ("(x)?y", "y", ""),
    ],
)
def test_what_a_key_is_made_of(wanted, text, part):
    assert patterns.pattern(wanted).part(text) == part


@pytest.mark.parametrize("wanted", ["(", "[z-a]", "a**", "(?=x)y", r"(a)\1", "(a{500}){500}", "\ud800"])
def test_what_cannot_be_read_is_refused_with_a_way_out(wanted):
    with pytest.raises(Invalid, match="Not a regular expression: .") as refused:
        patterns.pattern(wanted)
    assert "RE2" in refused.value.hint
    assert patterns.problem(wanted) == refused.value.message


def test_a_matcher_says_what_is_wrong_with_its_pattern():
    with pytest.raises(Invalid, match=r"invalid perl operator: \(\?="):
        parse_matchers('severity=~"(?=x)"')


@pytest.mark.timeout(60)
def test_no_text_makes_a_pattern_slow():
    text = "a" * 4000 + "!"
    assert not patterns.within(SLOW, text)
    assert not patterns.anchored(SLOW, text)
    assert patterns.pattern(SLOW).part(text) == ""
