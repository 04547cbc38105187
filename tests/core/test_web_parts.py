"""The parts of the pages that need no server: the search box, instants in words, forms, the ladder, snippets."""

import json
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from nightbell.core.directory import ContactMethod, Directory, NotificationRule, Team, User
from nightbell.core.errors import Invalid
from nightbell.web import ladder, search
from nightbell.web.door import masked, unmasked
from nightbell.web.forms import Form
from nightbell.web.ladder import Draft, Rung
from nightbell.web.pages.alert import links
from nightbell.web.render import safe_path, web_link
from nightbell.web.snippets import snippets
from nightbell.web.throttle import WINDOW, Throttle
from nightbell.web.times import Times, exact_span, span, tiny_span

NOW = datetime(2026, 11, 23, 3, 14, 26, tzinfo=UTC)
TEAM = UUID(int=7)
METHOD = UUID(int=8)


# ---------------------------------------------------------------- the search box


def test_the_search_box_takes_matchers_and_words_in_any_order() -> None:
    found = search.parse('severity=~"crit.*" disk team = payments "no space"')
    assert [str(m) for m in found.matchers] == ['severity=~"crit.*"', 'team="payments"']
    assert found.words == ("disk", "no space")


def test_the_braces_of_prometheus_may_be_pasted() -> None:
    assert len(search.parse('{severity="critical", team!="x y"}').matchers) == 2


@pytest.mark.parametrize("text", ['x=~"["', "=", 'a="b" =~'])
def test_a_search_that_cannot_be_read_says_where(text: str) -> None:
    assert "character" in search.parse(text).error


def test_a_click_on_a_label_adds_it_once() -> None:
    once = search.with_matcher(search.parse("disk"), "team", 'pay "ments"')
    assert once == 'disk team="pay \\"ments\\""'
    assert search.with_matcher(search.parse(once), "team", 'pay "ments"') == once


def test_a_filter_can_be_dropped_again() -> None:
    found = search.parse('a="1" b="2" word')
    assert search.without_matcher(found, found.matchers[0]) == 'b="2" word'


# ---------------------------------------------------------------- instants


@pytest.mark.parametrize(("seconds", "short", "exact"), [
    (41, "41 s", "41 s"),
    (108, "1 min", "1 m 48 s"),
    (7500, "2 h", "2 h 05 m"),
    (180_000, "2 d", "2 d 2 h"),
])  # fmt: skip
def test_lengths_read_like_a_person_says_them(seconds: int, short: str, exact: str) -> None:
    length = timedelta(seconds=seconds)
    assert (span(length), exact_span(length)) == (short, exact)


def test_a_short_delay_is_told_to_the_millisecond() -> None:
    assert tiny_span(timedelta(milliseconds=4)) == "+0.004 s"
    assert tiny_span(timedelta(seconds=1.24)) == "+1.2 s"


def test_an_instant_shows_the_readers_zone_and_utc_on_hover() -> None:
    shown = str(Times(NOW, "Europe/Stockholm").clock(NOW))
    assert ">04:14:26</time>" in shown
    assert "Mon 23 Nov 2026 04:14:26 CET · 03:14:26 UTC" in shown


def test_a_zone_this_machine_does_not_know_is_utc() -> None:
    assert ">03:14:26<" in str(Times(NOW, "Mars/Olympus").clock(NOW))


# ---------------------------------------------------------------- what comes from outside


@pytest.mark.parametrize(
    "address", ["javascript:alert(1)", "data:text/html,x", " vbscript:x", "//evil", "", None]
)
def test_only_web_addresses_become_links(address: str | None) -> None:
    assert web_link(address) == ""


def test_each_address_is_linked_once_under_its_first_name() -> None:
    alert = {
        "external_url": "http://p/graph",
        "annotations": {"runbook_url": "https://r", "dashboard": "https://d"},
    }
    found = links(alert, [{"generator_url": "http://p/graph"}])  # type: ignore[list-item]
    assert found == [("Rule", "http://p/graph"), ("Runbook", "https://r"), ("Dashboard", "https://d")]


@pytest.mark.parametrize(
    "path", ["//evil.example", "/\\evil", "https://evil", "", "/a\r\nSet-Cookie: x", "/" * 3000]
)
def test_nobody_is_sent_to_another_site(path: str) -> None:
    assert safe_path(path, "/home") == "/home"


def test_a_form_token_differs_each_time_and_fits_its_session_only() -> None:
    first, second = masked("secret"), masked("secret")
    assert first != second
    assert unmasked("secret", first) and unmasked("secret", second)
    assert not unmasked("other", first)
    assert not unmasked("secret", "") and not unmasked("secret", "ü" * 96)


@pytest.mark.parametrize("text", ["-1", "1.5", "11", "1e3", "²", "99999999999"])
def test_a_number_out_of_bounds_names_its_field(text: str) -> None:
    with pytest.raises(Invalid) as error:
        Form([("delay", text)]).number("delay", least=0, most=10)
    assert error.value.place == "delay"


def test_guessing_has_to_wait_and_others_do_not() -> None:
    throttle = Throttle()
    limits = {"10.0.0.1 ana": 5, "10.0.0.1": 60}
    for _ in range(5):
        assert not throttle.wait(limits, NOW)
        throttle.failed(limits, NOW)
    assert throttle.wait(limits, NOW) == WINDOW
    assert not throttle.wait({"10.0.0.1 bo": 5, "10.0.0.1": 60}, NOW)
    assert not throttle.wait(limits, NOW + WINDOW)


# ---------------------------------------------------------------- the ladder of a policy


def person(number: int, name: str, *, reachable: bool = True) -> User:
    method = ContactMethod(id=METHOD, kind="email", verified=reachable)
    rule = NotificationRule(method_id=METHOD, loudness="audible", delay_minutes=3)
    return User(
        id=number,
        name=name,
        role="user",
        active=True,
        methods={METHOD: method},
        rules=(rule,) if reachable else (),
    )


def directory(*people: User) -> Directory:
    team = Team(id=TEAM, name="Pay", member_ids=tuple(p.id for p in people), admin_ids=(), policy_id=None)
    return Directory(
        version=1, users={p.id: p for p in people}, teams={str(TEAM): team}, services={}, policies={}, sources={},
        routes=(), urgencies=(), fallback_user_ids=(),
    )  # fmt: skip


def clock(draft: Draft, known: Directory) -> list[str]:
    """Return when each rung comes and whom it calls."""
    return [
        f"{ladder.after(step, NOW)} {', '.join(p.name for p in step.people) or 'nobody'}"
        for step in ladder.played(draft, known, NOW)
    ]


def test_a_level_waits_before_the_next_one_and_rounds_repeat() -> None:
    rungs = (Rung(targets=("user/1",), delay=5), Rung(targets=(f"team/{TEAM}/all",), delay=10))
    known = directory(person(1, "Ana"), person(2, "Bo"))
    assert clock(Draft(name="P", repeat_count=1, rungs=rungs), known) == [
        "T+0 Ana", "T+5 Ana, Bo", "T+15 Ana", "T+20 Ana, Bo",
    ]  # fmt: skip


def test_a_level_that_reaches_nobody_is_skipped_at_once() -> None:
    rungs = (Rung(targets=("user/1",), delay=5), Rung(targets=("user/2",), delay=5))
    known = directory(person(1, "Ana", reachable=False), person(2, "Bo"))
    assert clock(Draft(name="P", repeat_count=0, rungs=rungs), known) == ["T+0 nobody", "T+0 Bo"]


def test_a_policy_of_people_who_cannot_be_reached_ends() -> None:
    rungs = (Rung(targets=("user/1",), delay=5),)
    known = directory(person(1, "Ana", reachable=False))
    assert clock(Draft(name="P", repeat_count=9, rungs=rungs), known) == ["T+0 nobody"]


def test_the_buttons_of_the_editor_change_the_draft_only() -> None:
    draft = Draft(name="P", repeat_count=0, rungs=(Rung(targets=("user/1", "user/2"), delay=5),))
    assert len(ladder.edited(draft, "add").rungs) == 2
    assert ladder.edited(draft, "untarget:0:user/1").rungs[0].targets == ("user/2",)
    assert ladder.edited(draft, "drop:0").rungs == ()
    swapped = ladder.edited(ladder.edited(draft, "add"), "down:0")
    assert [r.targets for r in swapped.rungs] == [(), ("user/1", "user/2")]
    for nonsense in ("up:0", "down:0", "drop:9", "drop:x", "", "untarget:-1:user/1"):
        assert ladder.edited(draft, nonsense) == draft


def test_a_channel_is_typed_beside_the_people_of_a_level() -> None:
    said = Form([("delay", "5"), ("target-0", "user/1"), ("channel-0", " C06Q2JK7RQW ")])
    told = ladder.from_form(said).rungs[0]
    assert told.targets == ("user/1", "slack_channel/C06Q2JK7RQW")
    assert [target["type"] for target in ladder.targets_of(told)] == ["user", "slack_channel"]
    assert ladder.named(told.targets[1], directory()) == "Slack channel C06Q2JK7RQW"


# ---------------------------------------------------------------- snippets


def test_the_snippets_quote_whatever_a_target_or_secret_holds() -> None:
    made = snippets("https://n.example", "a'b\"c", "Group/x y/../z")
    assert made.url == "https://n.example/webhooks/incoming/alertmanager_webhooks/notify/Group/x%20y%2F..%2Fz"
    assert 'credentials: "a\'b\\"c"' in made.alertmanager
    assert "'Authorization: Bearer a'\\''b\"c'" in made.curl


def test_the_annotation_of_the_rule_snippet_is_json_in_a_string() -> None:
    line = next(x for x in snippets("https://n", "s", "User/1001").rule.splitlines() if "rootly:" in x)
    inner = json.loads(json.loads(line.split("rootly: ", 1)[1]))
    assert inner == {"notification_target": {"type": "User", "id": "1001"}}
