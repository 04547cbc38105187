"""What always holds of paths into a payload: the short ways find what the whole of RFC 9535 finds."""

from hypothesis import given, settings
from hypothesis import strategies as st
from jsonpath_rfc9535 import JSONPathEnvironment

from nightbell.engine.jsonpath import compiled

WHOLE = JSONPathEnvironment()
names = st.sampled_from(["alerts", "labels", "a", "b"])
steps = st.one_of(names.map(lambda n: f".{n}"), st.integers(0, 3).map(lambda n: f"[{n}]"), st.just("[*]"))
paths = st.lists(steps, min_size=1, max_size=5).map(lambda some: "$" + "".join(some))
documents = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(0, 3), st.text("ab", max_size=2)),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(names, inner, max_size=3)),
    max_leaves=20,
)


@settings(max_examples=300, deadline=None)
@given(paths, documents)
def test_a_short_way_finds_what_the_whole_language_finds(path, document):
    assert compiled(path)(document) == list(WHOLE.compile(path).find(document).values())
