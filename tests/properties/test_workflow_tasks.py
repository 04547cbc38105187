"""Whatever is sent as the parameters of a task: checked, and refused at a field of it, and nothing else."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import structs

from nightbell.engine.checks import Problems
from nightbell.engine.liquid.templates import plain
from nightbell.engine.tasks import registry
from nightbell.engine.tasks.registry import TASKS

TEXT = st.sampled_from(
    ["", "x", "{{ a }}", "{{ a", "{% if %}", "10 min", "200", "http://x/", "\0", "1", "[]", "{}"]
)
VALUE = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | TEXT | st.text(max_size=10),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["id", "name", "x"]), inner, max_size=3)
    ),
    max_leaves=6,
)


def fields(kind: str) -> list[str]:
    return [field.encode_name for field in structs.fields(TASKS[kind].params)]


@pytest.mark.parametrize("kind", sorted(TASKS))
@settings(deadline=None, max_examples=60)
@given(data=st.data())
def test_any_parameters_are_taken_or_refused_at_a_field(kind: str, data: st.DataObject) -> None:
    params = data.draw(st.dictionaries(st.sampled_from([*fields(kind), "unknown"]), VALUE, max_size=6))
    problems = registry.problems(kind, params)
    for problem in problems:
        assert problem.place.split(".")[0].split("[")[0] in {*fields(kind), "unknown", ""}
        assert problem.message
    if problems:
        return
    # What was taken and needs no filling in is read.
    if all(plain(text) for text in _texts(params)):
        try:
            registry.read(TASKS[kind], params)
        except Problems as error:
            raise AssertionError(error.problems) from error


def _texts(value: Any) -> list[str]:
    if isinstance(value, str):
        return [value]
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return [text for one in inner for text in _texts(one)]


def test_parameters_as_deep_as_anybody_sends_are_refused() -> None:
    deep: Any = "x"
    for _ in range(900):
        deep = [deep]
    assert registry.problems("print", {"message": deep})
    assert registry.problems("create_jira_issue", {"title": "{{ a }}" * 10_000})


def test_a_task_reads_so_many_templates_and_no_more() -> None:
    params = {"to": ["{{ a }}" * 2_800 for _ in range(9)], "subject": "x", "body": "y"}
    (problem,) = [p for p in registry.problems("send_email", params) if "60000" in p.message]
    assert problem.place.startswith("to[")
    many = {"to": ["{{ a }}" for _ in range(101)], "subject": "x", "body": "y"}
    assert [p.place for p in registry.problems("send_email", many)] == ["to[100]"]
