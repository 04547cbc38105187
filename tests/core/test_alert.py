"""What a delivery does to the members of an alert, and what is shown of it."""

import pytest
from msgspec.structs import replace

from nightbell.core import alert as alerts
from nightbell.core.alert import What
from nightbell.core.directory import Wording
from nightbell.core.signal import State
from support.pure import NOW, World, at, directory, envelope, report, signal, source

FIRST = signal("a", starts=10)


def member(*, starts=10, ends=None):
    unit = report(FIRST).unit
    begun = alerts.joined(None, signal("a", starts=starts), unit, NOW)
    assert begun is not None
    return begun.member if ends is None else alerts.closed(begun.member, at(ends), NOW)


# what is known          what is said                          what it is
JOINED = [
    (None,                  signal("a", starts=10),               What.STARTED),
    (None,                  signal("a", starts=10, ends=20),      None),
    (member(),              signal("a", starts=10),               What.CONTINUED),
    (member(),              signal("a", starts=5),                What.CONTINUED),
    (member(),              signal("a", starts=12),               What.RESTARTED),
    (member(),              replace(FIRST, starts_at=None),       What.CONTINUED),
    (member(),              signal("a", starts=10, ends=20),      What.ENDED),
    (member(),              signal("a", starts=1, ends=5),        What.NOTHING),
    (member(ends=20),       signal("a", starts=10, ends=20),      What.NOTHING),
    (member(ends=20),       signal("a", starts=10, ends=25),      What.NOTHING),
    (member(ends=20),       signal("a", starts=30),               What.RETURNED),
    (member(ends=20),       signal("a", starts=10),               What.DOUBTFUL),
    (member(ends=20),       signal("a", starts=20),               What.RETURNED),
    (member(starts=20, ends=20), signal("a", starts=20),          What.DOUBTFUL),
]  # fmt: skip


@pytest.mark.parametrize(("known", "said", "what"), JOINED)
def test_what_one_signal_does_to_one_member(known, said, what):
    change = alerts.joined(known, said, report(FIRST).unit, at(40))
    assert (change and change.what) == what


def test_a_start_that_differs_by_less_than_a_second_is_the_same_episode():
    change = alerts.joined(member(starts=10), signal("a", starts=10 + 0.9 / 60), report(FIRST).unit, at(40))
    assert change and change.what is What.CONTINUED


def test_nothing_ends_before_it_began():
    assert alerts.closed(member(starts=10), at(3), NOW).ends_at == at(10)


def test_a_resolve_without_an_end_ends_at_the_time_of_receipt():
    said = replace(signal("a", starts=10, ends=20), ends_at=None)
    change = alerts.joined(member(), said, report(FIRST).unit, at(40))
    assert change and change.member.ends_at == at(40)


@pytest.mark.parametrize(
    ("status", "truncated", "state", "absent"),
    [
        ("resolved", 0, State.RESOLVED, False),
        ("resolved", 3, State.FIRING, False),
        ("resolved", None, State.FIRING, False),
        ("firing", 0, State.FIRING, True),
        ("firing", 3, State.FIRING, False),
    ],
)
def test_what_an_envelope_says_of_members_it_does_not_name(status, truncated, state, absent):
    world = World(directory(source()))
    world.reported(signal("a"), signal("b"), minutes=1)
    said = signal("a", ends=None if status == "firing" else 5)
    world.reported(said, status=status, truncated=truncated, minutes=6)
    unnamed = world.alert.members[signal("b").fingerprint]
    assert (unnamed.state, unnamed.absent_since is not None) == (state, absent)


def test_a_group_that_is_over_does_not_end_a_member_that_began_later():
    world = World(directory(source()))
    world.reported(signal("a", starts=0), signal("b", starts=30), minutes=31)
    world.reported(signal("a", starts=0, ends=20), minutes=32)
    assert world.alert.members[signal("b").fingerprint].state is State.FIRING


def test_an_alert_begins_with_its_first_member_and_ends_with_its_last():
    world = World(directory(source()))
    world.reported(signal("a", starts=3), signal("b", starts=1), minutes=5)
    world.reported(signal("a", starts=3, ends=9), signal("b", starts=1, ends=7), minutes=12)
    assert (world.alert.started_at, world.alert.ended_at, world.alert.resolved_at) == (at(1), at(9), at(12))


def test_a_second_occurrence_begins_with_the_member_that_returned():
    world = World(directory(source()))
    world.reported(signal("a", starts=3), signal("b", starts=1), minutes=5)
    world.reported(signal("a", starts=3, ends=9), signal("b", starts=1, ends=7), minutes=12)
    world.reported(signal("b", starts=20), minutes=21)
    assert (world.alert.occurrence, world.alert.started_at, world.alert.ended_at) == (2, at(20), None)
    assert world.decisions[1].past and world.decisions[1].past.number == 1


@pytest.mark.parametrize(
    ("labels", "common", "group", "summary"),
    [
        ({}, {}, {"alertname": "DiskFull"}, "DiskFull"),
        ({"alertname": ""}, {"alertname": "X"}, {}, "X"),
        ({"alertname": ""}, {"description": "Disk bad"}, {}, "Disk bad"),
        ({"alertname": ""}, {}, {"job": "api"}, '{job="api"}'),
        ({"alertname": "", "zone": "b"}, {}, {}, '{alertname="", instance="a", zone="b"}'),
    ],
)
def test_the_summary_is_the_first_thing_there_is(labels, common, group, summary):
    said = signal("a", labels=labels)
    sent = report(said, common_labels=common, group_labels=group)
    assert alerts.text(sent.unit, sent.envelope, sent.source, status="firing").summary == summary


def test_a_source_may_have_words_of_its_own():
    def said(values, began):
        assert (values["alert"]["data"]["commonLabels"]["zone"], began) == ("b", at(10))
        return f" {values['alert']['summary']}\n in {values['alert']['source_name']} "

    zoned = replace(FIRST, labels={**FIRST.labels, "zone": "b"})
    own = source(
        wording=Wording(
            title=said, description=lambda *_: " two\nlines ", external_url=lambda *_: "https://x"
        )
    )
    sent = report(zoned, of=own)
    text = alerts.text(sent.unit, sent.envelope, sent.source, status="firing")
    assert (text.summary, text.description, text.external_url) == (
        "DiskFull in prod",
        "two\nlines",
        "https://x",
    )


@pytest.mark.parametrize("words", ["", "  \n", "javascript:alert(1)"])
def test_words_that_say_nothing_or_are_no_link_leave_the_usual_ones(words):
    own = source(
        wording=Wording(external_url=lambda *_: words, title=lambda *_: "" if ":" in words else words)
    )
    sent = report(FIRST, of=own, external_url="http://am")
    text = alerts.text(sent.unit, sent.envelope, sent.source, status="firing")
    assert (text.summary, text.external_url) == ("DiskFull", "http://am")


def test_labels_are_those_that_all_members_share_and_four_of_the_first():
    one = signal("a", labels={"job": "api", "dc": "ams", "only": "here"})
    two = signal("b", labels={"job": "api", "dc": "fra"})
    sent = report(one, two)
    assert alerts.text(sent.unit, sent.envelope, sent.source, status="firing").labels == {
        "alertname": "DiskFull", "job": "api", "instance": "a", "dc": "ams", "status": "firing",
    }  # fmt: skip


def test_the_link_is_the_graph_and_else_the_alertmanager():
    with_graph = report(replace(signal("a"), generator_url="http://prom"), external_url="http://am")
    without = report(signal("a"), external_url="http://am")
    assert (
        alerts.text(with_graph.unit, with_graph.envelope, with_graph.source, status="").external_url
        == "http://prom"
    )
    assert alerts.text(without.unit, without.envelope, without.source, status="").external_url == "http://am"


def test_the_same_words_have_the_same_content_and_others_have_not():
    def content(said, **more):
        sent = report(said, **more)
        return alerts.content(sent.unit, alerts.text(sent.unit, sent.envelope, sent.source, status="firing"))

    assert content(signal("a")) == content(signal("a", starts=9))
    assert content(signal("a")) != content(replace(signal("a"), annotations={"summary": "worse"}))
    assert content(signal("a")) != content(signal("a"), external_url="http://am")
    assert -(2**63) <= content(signal("a")) < 2**63


def test_an_alert_wakes_when_its_first_member_expires():
    soon, later = replace(signal("a"), expires_at=at(5)), replace(signal("b"), expires_at=at(9))
    world = World(directory(source()))
    world.reported(soon, later)
    assert world.alert.wake_at == at(5)
    world.left_alone()
    assert (world.alert.status, world.alert.ended_at) == ("resolved", at(9))
    assert world.codes.count("member.expired") == 2


def test_the_envelope_of_the_tests_is_one_that_alertmanager_could_send():
    assert envelope(signal("a", ends=3)).closes_group
    assert not envelope(signal("a")).closes_group
