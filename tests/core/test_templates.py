"""Templates: where one is wrong, what a value may never do, and the limits that none gets past."""

import asyncio
import time
from datetime import UTC, datetime
from typing import Any

import pytest

from nightbell.engine.liquid.limits import Limit
from nightbell.engine.liquid.templates import BadTemplate, check, checked, render, rendered

NOW = datetime(2026, 11, 23, 2, 30, 0, tzinfo=UTC)
ALERT: dict[str, Any] = {
    "alert": {
        "summary": "{{ alert.id }} {% for i in (1..9) %}x{% endfor %}",
        "labels": {"severity": "critical"},
        "data": {
            "commonLabels": {"severity": "critical"},
            "alerts": [{"annotations": {"description": "full"}}],
        },
        "flag": True,
        "none": None,
    },
    "big": "x" * 90_000,
    "marks": "<" * 90_000,
    "huge": [{"k": str(n), "labels": {"a": "b" * 50}} for n in range(9_000)],
}


def written(template: str) -> str:
    return render(template, ALERT, now=NOW)


def test_a_value_is_never_a_template():
    assert written("{{ alert.summary }}") == ALERT["alert"]["summary"]
    assert written("{% capture c %}{{ alert.summary }}{% endcapture %}{{ c }}") == ALERT["alert"]["summary"]


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        ("plain text", "plain text"),
        ("{{ alert.data.commonLabels.severity }}", "critical"),
        ("{{ alert.data.alerts[0].annotations.description }}", "full"),
        ("{{ alert.nothing.at.all }}|{{ nobody }}|{{ alert.none }}", "||"),
        ("{{ alert.labels }}", '{"severity":"critical"}'),
        ("{{ alert.data.alerts | map: 'annotations' }}", '[{"description":"full"}]'),
        ("{{ alert.flag }} {{ 1.5 }} {{ (1..3) }}", "true 1.5 1..3"),
        ("{{ now }} {{ today }}", "2026-11-23T02:30:00Z 2026-11-23"),
        ("{% if alert.labels.severity == 'critical' %}wake{% else %}wait{% endif %}", "wake"),
        ("{% case alert.labels.severity %}{% when 'critical' %}1{% else %}2{% endcase %}", "1"),
        ("{% for a in alert.data.alerts %}{{ forloop.index }}{% else %}none{% endfor %}", "1"),
        ("{% raw %}{{ x }}{% endraw %}{% comment %}{{ not closed {% endcomment %}", "{{ x }}"),
        ("a{% if true %}\n  {% assign x = 1 %}\n{% endif %}{{ x }}", "a1"),
        ("{{ alert.labels | upcase }}", '{"SEVERITY":"CRITICAL"}'),
        ("{% liquid\n assign x = 1\n echo x\n%}", "1"),
    ],
)
def test_a_template_is_filled_in(template, expected):
    assert written(template) == expected


@pytest.mark.parametrize(
    ("template", "line", "column", "at", "why"),
    [
        ("a\n  {{ alert.id ", 2, 3, "{{", "'{{' is not closed"),
        ("{{ a {{ b }}", 1, 1, "{{", "not closed before the next one"),
        ("{% if a ", 1, 1, "{%", "'{%' is not closed"),
        ("{{ 'x' | nofilter }}", 1, 10, "nofilter", "there is no filter 'nofilter'"),
        ("ab\n{% foo %}", 2, 4, "foo", "unexpected tag 'foo'"),
        ("{% include 'secrets' %}", 1, 4, "include", "unexpected tag 'include'"),
        ("{% render 'secrets' %}", 1, 4, "render", "unexpected tag 'render'"),
        ("{{ alert..id }}", 1, 9, "..", "expected end of expression"),
        ("{{ 'a' 'b' }}", 1, 8, "'", "expected end of expression"),
        ("{% if a %}\nb", 2, 2, "", "expected tag endif"),
        ("{% endif %}", 1, 4, "endif", "unexpected tag 'endif'"),
        ("{{ alert.id | }}", 1, 4, "alert.id |", "expected word"),
        ("{% raw %} {{ x }}", 1, 1, "{%", "'raw' is not closed"),
        ("{%  %}", 1, 1, "{%", "a tag without a name"),
        ("{{ a" + " " * 200 + "}}", 1, 5, " ", "more than 100 spaces"),
        ("{{ " + "(" * 3_000 + " }}", 1, 1, "{{", "more than 2000 characters"),
        ("{% if a == %}{% endif %}", 1, 17, "endif", "expected a primitive expression"),
    ],
)
def test_what_is_no_template_is_refused_where_it_is_wrong(template, line, column, at, why):
    with pytest.raises(BadTemplate) as caught:
        check(template)
    where = caught.value.where
    assert where is not None
    assert (where.line, where.column, where.at[: len(at)]) == (line, column, at)
    assert why in caught.value.why
    assert caught.value.message.startswith(f"line {line}, column {column}: ")
    assert caught.value.of("message").place == "message"


#: What somebody could write to make the program wait or swell; `ok` where it is merely dull.
HOSTILE = {
    "a long range": "{% for i in (1..1000000000) offset: 999999999 %}{% endfor %}",
    "loops in loops": "{% for i in (1..200) %}{% for j in (1..200) %}{% endfor %}{% endfor %}",
    "loops one after the other": "{% for i in (1..9000) %}{% endfor %}" * 2,
    "a table": "{% tablerow i in (1..9999) cols:1 %}{{ i }}{% endtablerow %}" * 2,
    "dull steps": "{% for i in (1..9999) %}" + "{% if true %}{% endif %}" * 100 + "{% endfor %}",
    "numbers that grow": "{% assign x = 2 %}{% for i in (1..100) %}{% assign x = x | times: x %}{% endfor %}",
    "texts that grow": "{% assign s = 'aaaaaaaaaa' %}{% for i in (1..99) %}{% assign s = s | append: s %}{% endfor %}",
    "lists that grow": "{% assign l = 'a,b' | split: ',' %}{% for i in (1..99) %}{% assign l = l | concat: l %}{% endfor %}",
    "a text for every character": "{{ big | replace: '', big }}",
    "a join": "{{ big | split: '' | join: big }}",
    "captures": "{% for i in (1..99) %}{% capture c %}{{ c }}{{ big }}{% endcapture %}{% endfor %}",
    "many variables": "".join(f"{{% assign v{n} = big | append: '{n}' %}}" for n in range(20)),
    "an expression that backtracks": "{{ big | regex_match: '(x+x+)+y' }}",
    "an expression that repeats": "{{ big | regex_match: '((x{100}){100}){100}' }}",
    "a replacement": "{{ big | regex_replace: '', big }}",
    "a wide date": "{{ 'now' | date: '%999999999d' | append: big | append: big }}",
    "everything as JSON": "{{ huge | to_json }}",
    "everything": "{{ huge }}",
    "a range as a list": "{{ (1..99999999) | join }}",
    "membership in a range": "{% if (1..99999999999) contains 'x' %}{% endif %}",
    "deep blocks": "{% if a %}" * 40 + "{% endif %}" * 40,
    "deep brackets": "{{ " + "a[" * 900 + " }}",
    "a long template": "x{{ a }}" * 10_000,
}


@pytest.mark.parametrize("name", HOSTILE)
def test_no_template_gets_past_its_limits(name):
    began = time.thread_time()
    with pytest.raises(BadTemplate):
        render(HOSTILE[name], ALERT, now=NOW)
    # Twenty times what a template may use: only what is not bounded at all gets here.
    assert time.thread_time() - began < 5


@pytest.mark.parametrize(
    "template",
    [
        "{{ huge | map: 'k' | sort | uniq | reverse | join | size }}",
        "{{ marks | strip_html | size }} {{ marks | html_to_markdown | size }}",
        "{% for a in huge %}{% increment n %}{% cycle 'a', 'b' %}{% endfor %}",
        "{{ big | truncatewords: 5 | truncate: 99999999 | size }}",
        "{{ big | regex_match_all: '(x|xx)+$' | size }}",
    ],
)
def test_what_is_only_large_is_filled_in(template):
    began = time.thread_time()
    assert written(template)
    assert time.thread_time() - began < 5


def test_limits_are_what_somebody_sets():
    with pytest.raises(BadTemplate, match="longer than 10 characters"):
        render("{{ big }}", ALERT, now=NOW, limit=Limit(output=10))
    with pytest.raises(BadTemplate, match="more than 5 rounds"):
        render("{% for i in (1..6) %}{% endfor %}", {}, now=NOW, limit=Limit(rounds=5))
    assert render("{% for i in (1..5) %}{{ i }}{% endfor %}", {}, now=NOW, limit=Limit(rounds=5)) == "12345"


async def test_a_template_that_never_ends_lets_everything_else_go_on():
    turns = 0

    async def elsewhere() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0.001)

    other = asyncio.create_task(elsewhere())
    for name in ("an expression that backtracks", "dull steps"):
        with pytest.raises(BadTemplate):
            await rendered(HOSTILE[name], ALERT, now=NOW)
    other.cancel()
    assert turns > 5


async def test_checking_waits_for_nobody():
    await checked("{{ a }}" * 100)
    with pytest.raises(BadTemplate):
        await checked("{{ a ")


def test_one_template_leaves_nothing_to_the_next():
    assert written("{% assign x = 1 %}{% increment n %}{{ x }}") == "01"
    assert written("{% increment n %}{{ x }}") == "0"
