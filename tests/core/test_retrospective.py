"""What is written of an incident: the template and its places, the export, and values that look like markup."""

import json
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import msgspec
import pytest

from nightbell.core import incident_export, retrospective
from nightbell.core import incident_report as parts
from nightbell.core.errors import Invalid
from nightbell.core.incident_report import Attached, Entry, Item, Moment, Phase, Report, Seat

AT = datetime(2026, 11, 23, 2, 0, 5, tzinfo=UTC)
LATER = AT + timedelta(hours=3, minutes=5)
REPORT = Report(
    number=42,
    title="HighErrorRate on api",
    slug="higherrorrate-on-api",
    status="resolved",
    url="https://nightbell.example.org/account/incidents/42-higherrorrate-on-api",
    severity="SEV1",
    summary="Half of all calls failed.\n\n- *all* regions",
    services=("api", "checkout"),
    moments=(Moment(name="started", at=AT, by="Ana"), Moment(name="resolved", at=LATER, by="Bo")),
    phases=(Phase(name="Started", length=LATER - AT),),
    to_acknowledge=timedelta(seconds=90),
    to_resolve=LATER - AT,
    seats=(Seat(role="Commander", people=("Ana Silva",)),),
    entries=(
        Entry(at=AT, text="Created from alert AbC12 <script>", by="workflow “Critical”"),
        Entry(
            at=LATER,
            text="Rolled back.\n\n```\nkubectl rollout undo\n```",
            by="Bo",
            written=True,
            links=(("Graph [1]", "https://grafana.example.org/d/1"),),
        ),
    ),
    items=(
        Item(summary="Add a | alert", status="open", owner="Ana", due="2026-12-01"),
        Item(summary="Tell customers", status="done"),
    ),
    alerts=(
        Attached(short_id="AbC12", summary="HighErrorRate", status="resolved", started_at=AT, ended_at=LATER),
    ),
)


def test_the_template_that_comes_with_us_has_no_unknown_place() -> None:
    retrospective.check(retrospective.TEMPLATE)
    text = retrospective.fill(retrospective.TEMPLATE, REPORT)
    assert "{{" not in text
    assert "# Retrospective: HighErrorRate on api" in text
    assert "- [ ] Add a \\| alert (owner: Ana, due 2026-12-01, medium priority)" in text
    assert "- [x] Tell customers (medium priority)" in text
    assert "| Started | 3 h 05 min |" in text and "| Time to acknowledge | 1 min 30 s |" in text
    assert "- **Commander**: Ana Silva" in text
    assert "Half of all calls failed.\n\n- *all* regions" in text


def test_every_place_can_be_filled_even_for_an_incident_of_which_nothing_is_known() -> None:
    empty = Report(
        number=1, title="x", slug="x", status="in_triage", url="http://127.0.0.1/account/incidents/1-x"
    )
    template = "\n".join(f"{{{{ {name} }}}}" for name in retrospective.PARTS)
    retrospective.check(template)
    assert "{{" not in retrospective.fill(template, empty)
    assert "{{" not in retrospective.fill(template, REPORT)


def test_what_a_value_says_is_never_read_as_a_template() -> None:
    sly = msgspec.structs.replace(REPORT, title="{{ incident.summary }}")
    assert retrospective.fill("{{ incident.title }}", sly) == "{{ incident.summary }}"


@pytest.mark.parametrize(("template", "said", "hint"), [
    ("a\n{{ incident.titel }}", "Line 2: there is no {{ incident.titel }}.", "Did you mean {{ incident.title }}?"),
    ("{{ timeline }}", "Line 1: there is no {{ timeline }}.", "Did you mean {{ incident.timeline }}?"),
    ("{{ }}", "Line 1: there is no {{  }}.", "There are: incident.title"),
    ("ok\n\n{{ incident.title", "Line 3: {{ stands alone.", "Write {{ incident.title }}."),
    ("{{ incident.title }}\n}}", "Line 2: }} stands alone.", "Write {{ incident.title }}."),
    ("x" * 20_001, "At most 20,000 characters, please.", ""),
])  # fmt: skip
def test_a_template_that_cannot_be_filled_says_where_and_what_would_be_right(
    template: str, said: str, hint: str
) -> None:
    with pytest.raises(Invalid) as refused:
        retrospective.check(template)
    assert refused.value.message == said
    assert refused.value.hint.startswith(hint)
    assert refused.value.place == "template"


def test_a_place_that_no_longer_exists_becomes_nothing() -> None:
    assert retrospective.fill("a{{ incident.gone }}b", REPORT) == "ab"


@pytest.mark.parametrize(("text", "said"), [
    ("disk_full on web_1", "disk_full on web_1"),
    ("_a_ *b* `c` [d](e)", "\\_a\\_ \\*b\\* \\`c\\` \\[d\\](e)"),
    ("a | b\nc", "a \\| b c"),
    ("<b>&lt;", "\\<b>\\&lt;"),
    ("# not a heading", "\\# not a heading"),
    ("- no item", "\\- no item"),
    ("1. no number", "1\u200b. no number"),
    ("95 % full", "95 % full"),
])  # fmt: skip
def test_a_value_is_one_line_without_markup(text: str, said: str) -> None:
    assert parts.plain(text) == said


def test_what_a_person_wrote_keeps_its_markdown_and_stays_in_its_place() -> None:
    lines = parts.timeline(REPORT).split("\n")
    assert (
        lines[0] == "- **2026-11-23 02:00:05 UTC** (workflow “Critical”) Created from alert AbC12 \\<script>"
    )
    assert lines[1] == "- **2026-11-23 05:05:05 UTC** (Bo) Rolled back."
    assert lines[3:] == [
        "  ```",
        "  kubectl rollout undo",
        "  ```",
        "  [Graph \\[1\\]](<https://grafana.example.org/d/1>)",
    ]


def test_times_are_told_in_the_zone_that_was_asked_for() -> None:
    text = retrospective.fill(
        "{{ incident.started_at }} {{ incident.closed_at }}", REPORT, ZoneInfo("Europe/Lisbon")
    )
    assert text == "2026-11-23 02:00:05 WET –"


@pytest.mark.parametrize(("span", "said"), [
    (timedelta(seconds=41), "41 s"),
    (timedelta(minutes=12, seconds=3), "12 min 03 s"),
    (timedelta(hours=50), "2 d 2 h"),
    (None, "–"),
])  # fmt: skip
def test_a_length_is_told_in_two_units(span: timedelta | None, said: str) -> None:
    assert parts.length(span) == said


def test_an_exported_incident_can_be_read_by_people_and_by_programs() -> None:
    text = incident_export.markdown(REPORT, "# Retrospective\n\nWe learned.")
    assert text.startswith("# #42 HighErrorRate on api\n")
    assert text.endswith("We learned.\n")
    told = json.loads(incident_export.as_json(REPORT, "We learned."))
    assert told["number"] == 42 and told["to_resolve_seconds"] == 11_100
    assert told["phases"] == [{"name": "Started", "seconds": 11_100, "open": False}]
    assert told["entries"][0]["at"] == "2026-11-23T02:00:05Z"
    assert told["retrospective"] == "We learned."
    assert json.loads(incident_export.as_json(REPORT))["retrospective"] is None
