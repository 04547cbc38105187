"""Which messages are told as one, and what a bundle says."""

from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from nightbell.core.bundling import NAMED, Likeness, Told, body, bundles, joinable, title

METHOD, ABOUT = UUID(int=1), UUID(int=2)
SMS = Likeness(
    user_id=1, contact_method_id=METHOD, about=ABOUT, kind="sms", purpose="page", bundle_id=None, joins=True
)


def told(*statuses: str) -> list[Told]:
    return [Told(short_id=f"A{n}", title=f"Alert {n}", status=s) for n, s in enumerate(statuses)]


@pytest.mark.parametrize(
    ("change", "together"),
    [
        ({}, True),
        ({"user_id": 2}, False),
        ({"contact_method_id": UUID(int=9)}, False),
        ({"about": UUID(int=9)}, False),
        ({"purpose": "update"}, False),
        ({"bundle_id": UUID(int=9)}, False),
        ({"joins": False}, False),
    ],
)
def test_messages_are_one_where_all_of_it_agrees(change, together):
    likes = [SMS, replace(SMS, **change)]
    assert len(bundles([0, 1], lambda n: likes[n])) == (1 if together else 2)


@pytest.mark.parametrize("kind", ["webhook", "inbox"])
def test_what_programs_read_is_never_bundled(kind):
    assert not joinable(replace(SMS, kind=kind))


@pytest.mark.parametrize("purpose", ["test", "verify", "notice"])
def test_only_what_speaks_of_alerts_is_bundled(purpose):
    assert not joinable(replace(SMS, purpose=purpose))


@given(
    st.lists(
        st.builds(
            Likeness,
            user_id=st.integers(1, 3),
            contact_method_id=st.sampled_from([METHOD, None]),
            about=st.sampled_from([ABOUT, UUID(int=3)]),
            kind=st.sampled_from(["sms", "webhook", "voice"]),
            purpose=st.sampled_from(["page", "update", "test"]),
            bundle_id=st.sampled_from([None, UUID(int=5)]),
            joins=st.booleans(),
        )
    )
)
def test_bundling_never_hides_a_message(likes):
    groups = bundles(range(len(likes)), lambda n: likes[n])
    assert sorted(n for group in groups for n in group) == list(range(len(likes)))
    assert [g[0] for g in groups] == sorted(g[0] for g in groups)
    for group in groups:
        assert len({likes[n] for n in group}) == 1


@pytest.mark.parametrize(
    ("statuses", "line"),
    [
        (("triggered", "triggered"), "2 unacked alerts on payments"),
        (("resolved", "resolved"), "2 alerts resolved on payments"),
        (("acknowledged", "resolved"), "2 alerts on payments: 1 acknowledged, 1 resolved"),
    ],
)
def test_one_line_says_how_many_and_where(statuses, line):
    assert title(told(*statuses), "payments") == line


def test_a_bundle_about_nothing_in_particular_names_no_service():
    assert title(told("triggered", "triggered"), "") == "2 unacked alerts"


def test_what_is_not_named_is_counted():
    lines = body(told(*["triggered"] * (NAMED + 3))).splitlines()
    assert lines[0] == "A0 Alert 0"
    assert lines[-1] == "and 3 more"
    assert len(lines) == NAMED + 1
