"""What the pages of who is on call are made of: duties, the form of a rotation, levels that wait or choose."""

from datetime import UTC, datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from msgspec.structs import replace

from nightbell.core.directory import Directory, LevelTarget
from nightbell.core.errors import Invalid
from nightbell.core.schedule import Person, Rotation, Schedule, Unit
from nightbell.web import ladder, rotation_form
from nightbell.web.duty import Duty, Roster, duties, posts
from nightbell.web.forms import Form
from nightbell.web.ladder import Draft, Rung
from nightbell.web.rotation_form import Seat
from support import pure

NOW = datetime(2026, 11, 23, 2, tzinfo=UTC)
BERLIN = ZoneInfo("Europe/Berlin")
ROTA = UUID(int=70)


def directory(*, hours: int = 24) -> Directory:
    """Return people 1 and 2 who take turns from an hour before now, and a team whose policy pages them."""
    anchor = (NOW - timedelta(hours=1)).replace(tzinfo=None)
    turns = Rotation(
        id=UUID(int=71), name="Days", position=1, zone=ZoneInfo("UTC"), unit=Unit.DAY, every=1, anchor=anchor,
        turns=((Person(1),), (Person(2),)), turn_length=timedelta(hours=hours),
    )  # fmt: skip
    called = pure.policy(80, ([LevelTarget(type="schedule", id=str(ROTA))], 5))
    people = {1: pure.user(1, ("email", 0)), 2: pure.user(2)}
    return Directory(
        version=1, users=people, teams={str(UUID(int=90)): pure.team(90, 1, policy_id=80)}, services={},
        policies={str(called.id): called}, sources={}, routes=(), urgencies=(), fallback_user_ids=(),
        schedules={str(ROTA): Schedule(id=ROTA, name="Primary", rotations=(turns,))},
    )  # fmt: skip


def at_duty(*, hours: int = 24, at: datetime) -> list[Duty]:
    known = directory(hours=hours)
    return duties(known, posts(known, at))


def test_a_team_has_whoever_its_first_level_pages() -> None:
    (duty,) = at_duty(at=NOW)
    assert [(one.name, one.reachable) for one in duty.people] == [("user 1", True)]
    assert duty.until == NOW + timedelta(hours=23)
    (later,) = at_duty(at=NOW + timedelta(days=1))
    assert [(one.name, one.reachable) for one in later.people] == [("user 2", False)]


def test_a_gap_says_when_it_begins_and_ends() -> None:
    (post,) = posts(directory(hours=12), NOW)
    assert post.gap == NOW + timedelta(hours=11) and post.policies == ("policy 80",)
    (gap,) = posts(directory(hours=12), NOW + timedelta(hours=12))
    assert gap.people == () and gap.until == NOW + timedelta(hours=23)
    (duty,) = at_duty(hours=12, at=NOW + timedelta(hours=12))
    assert duty.empty == ("nobody is on call in Primary",)


def test_what_is_remembered_never_outlasts_a_change() -> None:
    roster, found = Roster(), directory(hours=12)
    assert roster.posts(found, NOW)[0].people[0].name == "user 1"
    first = roster.posts(found, NOW + timedelta(seconds=59))
    assert first[0] is roster.posts(found, NOW + timedelta(seconds=30))[0], "kept for a minute"
    assert roster.posts(found, NOW + timedelta(hours=11))[0].people == ()
    assert roster.posts(found, NOW)[0].people != (), "nor is a later moment shown for an earlier one"
    roster.posts(found, NOW + timedelta(hours=11) - timedelta(seconds=5))
    assert roster.posts(found, NOW + timedelta(hours=11) + timedelta(seconds=5))[0].people == ()
    named = replace(found, version=2, users={})
    assert roster.posts(named, NOW)[0].people[0].reachable is False


# ---------------------------------------------------------------- the ladder


def played(*rungs: Rung, at: datetime = NOW) -> list[tuple[str, list[int], tuple[str, ...]]]:
    draft = Draft(name="Drafted", repeat_count=0, rungs=rungs)
    steps = ladder.played(draft, directory(), at)
    return [(ladder.after(s, at), [p.user_id for p in s.people], s.notes) for s in steps]


def test_a_schedule_calls_whoever_is_on_call_at_that_moment() -> None:
    rung = Rung(targets=(f"schedule/{ROTA}",), delay=5)
    assert played(rung) == [("T+0", [1], ())]
    assert played(rung, at=NOW + timedelta(days=2)) == [("T+0", [1], ())]


def test_a_level_that_counts_is_shown_as_if_they_had_come_and_says_so() -> None:
    counts = Rung(targets=(), delay=0, kind="threshold", count=3, minutes=10)
    assert played(counts, Rung(targets=("user/1",), delay=5)) == [
        ("T+0", [1], ("only once more than 3 of its members began within 10 min",))
    ]


def test_a_level_waits_for_its_hours() -> None:
    block = {"days": ["M"], "start_time": "09:00", "end_time": "17:00"}
    hours = Rung(targets=(), delay=0, kind="window", window={"time_zone": "Etc/UTC", "blocks": [block]})
    assert played(hours, Rung(targets=("user/1",), delay=5)) == [("T+420", [1], ())]


def test_who_of_many_is_called_is_not_guessed() -> None:
    people = replace(
        directory().users[2], methods=directory().users[1].methods, rules=directory().users[1].rules
    )
    known = replace(directory(), users={**directory().users, 2: people})
    rung = Rung(targets=("user/1", "user/2"), delay=5, strategy="alert", all_must_acknowledge=True)
    (step,) = ladder.played(Draft(name="", repeat_count=0, rungs=(rung,)), known, NOW)
    assert [p.user_id for p in step.people] == [1, 2]
    assert step.notes == ("one of them for each alert, in turn", "each of them must acknowledge")


def test_a_plan_that_only_waits_ends() -> None:
    assert played(Rung(targets=(), delay=1, kind="wait")) == []


@pytest.mark.parametrize(
    ("rung", "place"),
    [
        (Rung(targets=(), delay=5), "targets"),
        (Rung(targets=("user/1",), delay=0, kind="wait"), "delay_minutes"),
        (Rung(targets=(), delay=5, kind="window"), "window"),
        (Rung(targets=("robot/1",), delay=5), "targets"),
    ],
)
def test_a_level_that_means_nothing_is_refused_by_its_field(rung: Rung, place: str) -> None:
    with pytest.raises(Invalid) as error:
        ladder.edit_of(rung)
    assert error.value.place == place


# ---------------------------------------------------------------- the form of a rotation


def test_people_who_serve_together_have_one_position() -> None:
    seats = (
        Seat(who="user/1", together=True),
        Seat(who="user/2", together=True),
        Seat(who=f"schedule/{ROTA}"),
    )
    edit = rotation_form.edit_of(rotation_form.Draft(name="x", seats=seats), BERLIN)
    assert edit.members == [
        {"user_id": 1, "position": 1}, {"user_id": 2, "position": 1}, {"nested_schedule_id": ROTA, "position": 2},
    ]  # fmt: skip


def test_a_rotation_in_the_form_begins_where_it_is_said() -> None:
    edit = rotation_form.edit_of(rotation_form.Draft(starts_at="2027-01-04T09:00", kind="monthly"), BERLIN)
    assert edit.starts_at == datetime(2027, 1, 4, 8, tzinfo=UTC)
    assert edit.handoff_day is None, "a Monday is no day of a month"


@pytest.mark.parametrize(
    ("draft", "place"),
    [
        (rotation_form.Draft(starts_at="soon"), "starts_at"),
        (rotation_form.Draft(kind="custom", length="0"), "length"),
        (rotation_form.Draft(seats=(Seat(who="user/x"),)), "members"),
        (rotation_form.Draft(position="-1"), "position"),
    ],
)
def test_what_a_form_cannot_mean_names_its_field(draft: rotation_form.Draft, place: str) -> None:
    with pytest.raises(Invalid) as error:
        rotation_form.edit_of(draft, BERLIN)
    assert error.value.place == place


def test_the_buttons_of_the_form_move_members_only() -> None:
    draft = rotation_form.from_form(Form([("member", "user/1"), ("add", "user/2"), ("together", "1")]))
    assert [seat.who for seat in rotation_form.edited(draft, "down:0").seats] == ["user/2", "user/1"]
    assert [seat.who for seat in rotation_form.edited(draft, "drop:0").seats] == ["user/2"]
    for nonsense in ("", "up:0", "down:1", "drop:9", "drop:x", "drop:-1"):
        assert rotation_form.edited(draft, nonsense) == draft
