"""Whatever is written as a template, and whatever values it is given: within its limits, or refused, and nothing else."""

from datetime import UTC, datetime

from hypothesis import given, settings
from hypothesis import strategies as st

from nightbell.core.labels import clean
from nightbell.engine.liquid.filters import FILTERS
from nightbell.engine.liquid.limits import Limit
from nightbell.engine.liquid.sandbox import SANDBOX
from nightbell.engine.liquid.templates import BadTemplate, check, render

NOW = datetime(2026, 11, 23, 2, 30, 0, tzinfo=UTC)
LIMIT = Limit(output=2_000, rounds=200, steps=5_000, held=10_000, seconds=2)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=6), inner, max_size=4),
    max_leaves=12,
)
NAMES = sorted({*SANDBOX.filters, *FILTERS})
VALUE = st.sampled_from(
    ["a", "a.b", "a[0]", "b", "now", "'x'", "12", "3.5", "(1..9)", "nil", "missing", "true"]
)
FILTER = st.builds(
    lambda name, args: f" | {name}" + (f": {', '.join(args)}" if args else ""),
    st.sampled_from(NAMES),
    st.lists(VALUE, max_size=2),
)
OUTPUT = st.builds(
    lambda value, filters: f"{{{{ {value}{''.join(filters)} }}}}", VALUE, st.lists(FILTER, max_size=3)
)
BLOCK = st.recursive(
    OUTPUT | st.text(max_size=10),
    lambda inner: st.builds(
        lambda form, value, body: form.format(value=value, body="".join(body)),
        st.sampled_from(
            [
                "{{% if {value} %}}{body}{{% endif %}}",
                "{{% for i in {value} %}}{body}{{% endfor %}}",
                "{{% for i in (1..50) %}}{body}{{% endfor %}}",
                "{{% capture c %}}{body}{{% endcapture %}}{{{{ c }}}}",
                "{{% assign a = {value} %}}{body}",
            ]
        ),
        VALUE,
        st.lists(inner, max_size=3),
    ),
    max_leaves=8,
)


@settings(deadline=None, max_examples=300)
@given(BLOCK, st.dictionaries(st.sampled_from(["a", "b"]), JSON))
def test_a_template_is_filled_in_within_its_limits_or_refused(template, values):
    try:
        text = render(template, values, now=NOW, limit=LIMIT)
    except BadTemplate:
        return
    assert len(text) <= max(LIMIT.output, len(template))


@settings(deadline=None, max_examples=300)
@given(st.text(alphabet="{}%-|'\"a.b: ()[]<>=\n12", max_size=200))
def test_any_text_is_a_template_or_is_refused_within_itself(text):
    try:
        check(text)
    except BadTemplate as error:
        if error.where:
            lines = text.split("\n")
            assert 1 <= error.where.line <= len(lines)
            assert 1 <= error.where.column <= len(lines[error.where.line - 1]) + 1


@settings(deadline=None, max_examples=200)
@given(st.text(max_size=200))
def test_a_value_comes_out_as_it_went_in(value):
    assert render("{{ a }}", {"a": value}, now=NOW) == clean(value)
