"""A table for each filter of templates: what is written, and what comes out."""

from datetime import UTC, datetime

import pytest

from nightbell.engine.liquid.filters import FILTERS
from nightbell.engine.liquid.sandbox import SANDBOX
from nightbell.engine.liquid.templates import BadTemplate, render

NOW = datetime(2026, 11, 23, 2, 30, 0, tzinfo=UTC)
VALUES = {
    "hosts": [
        {"name": "db1", "load": 3, "at": {"zone": "a"}},
        {"name": "db2", "load": 5, "at": {"zone": "b"}},
    ],
    "labels": {"severity": "critical", "team.name": "core"},
    "nested": [1, [2, [3, "x"]]],
    "html": '<h1>Down</h1><p>See <a href="https://x.org/?a=1&amp;b=2">the <b>runbook</b></a>.</p><ul><li>a</li><li>b</li></ul>'
    "<script>alert(1)</script>",
    "began": "2026-11-23T02:00:00Z",
    "mail": "ana@example.org, bo@example.org",
    "nothing": None,
}
TABLE = {
    "find": [
        ("{{ hosts | find: 'name', 'db2' | to_json }}", '{"name":"db2","load":5,"at":{"zone":"b"}}'),
        ("{{ hosts | find: 'at.zone', 'a' | get: 'name' }}", "db1"),
        ("{{ hosts | find: 'name', 'none' }}", ""),
    ],
    "where": [
        ("{{ hosts | where: 'at.zone', 'b' | map: 'name' }}", "db2"),
        ("{{ hosts | where: 'load' | size }}", "2"),
    ],
    "get": [
        ("{{ labels | get: 'severity' }}", "critical"),
        ("{{ labels | get: 'team.name' }}", "core"),
        ("{{ hosts | get: '[1].at.zone' }}", "b"),
        ("{{ hosts | get: '1.name' }}", "db2"),
        ("{{ hosts | get: '9.name' }}", ""),
        ("{{ labels | get: 'none', 'else' }}", "else"),
    ],
    "uniq": [
        ("{{ 'b,a,b' | split: ',' | uniq | join }}", "b a"),
        ("{{ hosts | uniq: 'at.zone' | size }}", "2"),
    ],
    "join": [
        ("{{ hosts | map: 'name' | join: ', ' }}", "db1, db2"),
        ("{{ nested | flatten | join: '-' }}", "1-2-3-x"),
    ],
    "flatten": [("{{ nested | flatten | size }}", "4")],
    "slice": [("{{ 'critical' | slice: 0, 4 }}", "crit"), ("{{ 'critical' | slice: -3, 3 }}", "cal")],
    "to_values": [
        ("{{ labels | to_values | join: ',' }}", "critical,core"),
        ("{{ nothing | to_values | size }}", "0"),
    ],
    "to_json": [
        ("{{ labels | to_json }}", '{"severity":"critical","team.name":"core"}'),
        ("{{ nothing | to_json }}", "null"),
        ("{{ hosts[0].at | to_json: true }}", '{\n  "zone": "a"\n}'),
    ],
    "json": [("{{ hosts | map: 'load' | json }}", "[3,5]")],
    "to_table": [
        (
            "{{ hosts | to_table: 'name', 'at.zone' }}",
            "| name | at.zone |\n| --- | --- |\n| db1 | a |\n| db2 | b |",
        ),
        ("{{ nothing | to_table }}", ""),
    ],
    "shuffle": [("{{ hosts | shuffle | size }}", "2")],
    "date": [
        ("{{ began | date: '%H:%M' }}", "02:00"),
        ("{{ 'now' | date: '%Y-%m-%d' }}", "2026-11-23"),
        ("{{ 1763863200 | date: '%s %L %:z' }}", "1763863200 000 +00:00"),
        ("{{ 'no date' | date: '%Y' }}", "no date"),
        ("{{ missing | date: '%Y' }}", ""),
        ("{{ 'Mon, 23 Nov 2026 02:00:00 +0100' | date: '%H %z' }}", "02 +0100"),
        ("{{ 'March 14, 2016' | date: '%b %d, %y' }}", "Mar 14, 16"),
    ],
    "smart_date": [
        ("{{ 'tomorrow' | smart_date }}", "2026-11-24T02:30:00Z"),
        ("{{ 'in 2 hours' | smart_date: '%H:%M' }}", "04:30"),
        ("{{ '3 days ago' | smart_date: '%d' }}", "20"),
        ("{{ 'whenever' | smart_date }}", "whenever"),
    ],
    "date_add": [
        ("{{ began | date_add: 90, 'minutes' }}", "2026-11-23T03:30:00Z"),
        ("{{ '2026-01-31' | date_add: 1, 'month' }}", "2026-02-28T00:00:00Z"),
        ("{{ '2024-02-29' | date_add: 1, 'year' | date: '%F' }}", "2025-02-28"),
    ],
    "date_minus": [
        ("{{ began | date_minus: 1, 'day' }}", "2026-11-22T02:00:00Z"),
        ("{{ 'now' | date_minus: 30 }}", "2026-11-23T02:29:30Z"),
    ],
    "in_time_zone": [
        ("{{ began | in_time_zone: 'Europe/Berlin' }}", "2026-11-23T03:00:00+01:00"),
        ("{{ began | in_time_zone: 'Eastern Time (US & Canada)' | date: '%H:%M' }}", "21:00"),
    ],
    "to_utc": [("{{ '2026-11-23T03:00:00+01:00' | to_utc }}", "2026-11-23T02:00:00Z")],
    "to_iso8601": [("{{ '2026-11-23 02:00' | to_iso8601 }}", "2026-11-23T02:00:00Z")],
    "distance_of_time_in_words": [
        ("{{ began | distance_of_time_in_words: '2026-11-23T05:10:00Z' }}", "about 3 hours"),
        ("{{ 120 | distance_of_time_in_words }}", "2 minutes"),
        ("{{ 20 | distance_of_time_in_words }}", "less than a minute"),
        ("{{ 172800 | distance_of_time_in_words }}", "2 days"),
        ("{{ 63072000 | distance_of_time_in_words }}", "about 2 years"),
    ],
    "distance_of_time_in_words_to_now": [("{{ began | distance_of_time_in_words_to_now }}", "30 minutes")],
    "regex_replace": [
        (r"{{ 'host-12 host-7' | regex_replace: 'host-(\d+)', 'h\1' }}", "h12 h7"),
        ("{{ 'aaa' | regex_replace: '', '-' }}", "-a-a-a-"),
    ],
    "regex_replace_first": [("{{ 'aba' | regex_replace_first: 'a', 'x' }}", "xba")],
    "regex_remove": [(r"{{ 'a1b2' | regex_remove: '\d' }}", "ab")],
    "regex_match": [
        (r"{{ mail | regex_match: '(\w+)@' }}", "ana"),
        ("{{ mail | regex_match: '@.*?org' }}", "@example.org"),
        ("{{ mail | regex_match: 'nobody' }}", ""),
    ],
    "regex_match_all": [(r"{{ mail | regex_match_all: '(\w+)@' | join: '+' }}", "ana+bo")],
    "dasherize": [("{{ 'a_b c' | dasherize }}", "a-b c")],
    "parameterize": [
        ("{{ 'Ünser API is down!' | parameterize }}", "unser-api-is-down"),
        ("{{ 'A b' | parameterize: '_' }}", "a_b"),
    ],
    "camelize": [
        ("{{ 'api_server name' | camelize }}", "ApiServerName"),
        ("{{ 'api_server' | camelize: 'lower' }}", "apiServer"),
    ],
    "titleize": [("{{ 'api_server is DOWN' | titleize }}", "Api Server Is Down")],
    "humanize": [("{{ 'alert_urgency_id' | humanize }}", "Alert urgency")],
    "pluralize": [
        ("{{ 'alert' | pluralize: 1 }} {{ 'alert' | pluralize: 2 }}", "alert alerts"),
        (
            "{{ 'query' | pluralize }} {{ 'switch' | pluralize }} {{ 'day' | pluralize }}",
            "queries switches days",
        ),
        ("{{ 'person' | pluralize: 3, 'people' }}", "people"),
    ],
    "html_to_markdown": [
        (
            "{{ html | html_to_markdown }}",
            "# Down\n\nSee [the **runbook**](https://x.org/?a=1&b=2).\n\n- a\n- b",
        )
    ],
    "strip_html": [("{{ html | strip_html }}", "DownSee the runbook.ab")],
    "shortener": [("{{ 'https://x.org/a' | shortener }}", "https://x.org/a")],
}
CASES = [(name, *case) for name, cases in TABLE.items() for case in cases]


@pytest.mark.parametrize(
    ("name", "template", "expected"), CASES, ids=[f"{c[0]}-{n}" for n, c in enumerate(CASES)]
)
def test_a_filter_does_what_it_says(name, template, expected):
    assert render(template, VALUES, now=NOW) == expected


def test_every_filter_of_ours_is_tabled():
    assert set(FILTERS) <= set(TABLE)


WRONG = {
    "date_add": "{{ began | date_add: 1, 'fortnight' }}",
    "date_minus": "{{ began | date_minus: 'x', 'days' }}",
    "in_time_zone": "{{ began | in_time_zone: 'Mars/Base' }}",
    "regex_match": "{{ mail | regex_match: '(' }}",
    "regex_replace": "{{ mail | regex_replace: '(a{1000}){1000}', '' }}",
    "pluralize": "{{ 'a' | pluralize: 'x' }}",
    "date": "{{ began | date: long }}",
}


@pytest.mark.parametrize("name", WRONG)
def test_an_argument_that_means_nothing_is_refused_at_its_filter(name):
    with pytest.raises(BadTemplate) as caught:
        render(WRONG[name], {**VALUES, "long": "%Y" * 100}, now=NOW)
    assert caught.value.where is not None
    assert caught.value.why.startswith(f"{name}:")


@pytest.mark.parametrize("name", sorted(FILTERS))
def test_every_filter_takes_nothing_for_an_answer(name):
    template = f"{{{{ missing.value | {name}: 'a' }}}}"
    if name in ("to_json", "json", "shuffle", "flatten", "to_values", "shortener", "dasherize", "humanize", "titleize",
                "strip_html", "html_to_markdown", "to_utc", "to_iso8601", "distance_of_time_in_words_to_now"):  # fmt: skip
        template = f"{{{{ missing.value | {name} }}}}"
    assert render(template, {}, now=NOW) in ("", "null")


def test_no_tag_reads_another_template():
    assert not {"include", "render"} & set(SANDBOX.tags)
