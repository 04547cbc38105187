"""What must always hold of who is on call, whatever the zone, the rotation and the night."""

from datetime import datetime, time, timedelta
from functools import cache
from uuid import UUID
from zoneinfo import ZoneInfo, available_timezones

from hypothesis import assume, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from nightbell.core.calendar import Span, Window, hours, instant, joined, reached, wall
from nightbell.core.oncall import on_call
from nightbell.core.override_checks import collide
from nightbell.core.revision import revised
from nightbell.core.schedule import (
    Absence,
    Advance,
    Change,
    Nested,
    Override,
    Person,
    Rotation,
    Schedule,
    Turn,
    Unit,
    covers,
)
from nightbell.core.shifts import gaps, reach, shifts, shifts_at
from support.oncall import changes, on_call_slowly

MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
#: One of each way of changing clocks: an hour, half an hour, two hours; at midnight, on a Friday, in Ramadan; never.
ZONES = (
    "America/Chicago Europe/Berlin Europe/Dublin Australia/Lord_Howe Antarctica/Troll Africa/Casablanca Africa/Cairo "
    "Asia/Beirut America/Havana America/Nuuk Pacific/Chatham Asia/Gaza America/Asuncion Asia/Kathmandu Etc/UTC"
).split()
QUIET = datetime.fromisoformat("2027-06-01T00:00:00+00:00")


@cache
def nights(name: str) -> list[datetime]:
    return changes(ZoneInfo(name)) or [QUIET]


@cache
def changing_zones() -> list[str]:
    """Every zone that changes its offset, one for each set of changes."""
    found = {
        tuple(changes(ZoneInfo(name), 2026, 2028)): name
        for name in sorted(available_timezones(), reverse=True)
    }
    return sorted(name for days, name in found.items() if days)


ids = st.integers(1, 2**100).map(lambda n: UUID(int=n))
minutes = st.integers(0, 24 * 60 - 1).map(lambda n: time(n // 60, n % 60))
week_days = st.frozensets(st.integers(0, 6), min_size=1)
windows = st.builds(
    Window, start=minutes, end=minutes, days=st.one_of(st.just(frozenset(range(7))), week_days)
)
cadences = st.one_of(
    st.tuples(
        st.sampled_from([Unit.HOUR]), st.sampled_from([1, 2, 3, 5, 12, 24, 36]), st.just(Advance.ELAPSED)
    ),
    st.tuples(
        st.sampled_from([Unit.DAY, Unit.WEEK, Unit.MONTH]), st.integers(1, 3), st.just(Advance.ELAPSED)
    ),
    st.tuples(st.just(Unit.DAY), st.integers(1, 3), st.just(Advance.ACTIVE_DAYS)),
    st.tuples(
        st.sampled_from([Unit.DAY, Unit.WEEK, Unit.MONTH]),
        st.integers(1, 3),
        st.sampled_from([Advance.CALENDAR, Advance.CALENDAR_SKIP]),
    ),
)


@st.composite
def rotations(draw, night: datetime, place: ZoneInfo, *, alone: bool = False) -> Rotation:
    """A rotation anchored some days before a night, often at an hour when the clocks change."""
    unit, every, advance = draw(cadences)
    changing = wall(night, place) - draw(st.sampled_from([timedelta(), 30 * MINUTE, HOUR, -30 * MINUTE]))
    hour = draw(st.one_of(st.just(changing.time()), minutes))
    day = wall(night, place).date() - timedelta(days=draw(st.integers(1, 70)))
    people = draw(st.lists(st.integers(1, 9), min_size=1, max_size=4, unique=True))
    pairs: list[Turn] = [(Person(user),) for user in people]
    if not alone and len(people) > 2 and draw(st.booleans()):
        pairs = [(*pairs[0], *pairs[1]), *pairs[2:]]
    anchor = datetime.combine(day, hour)
    short = advance is Advance.ELAPSED and draw(st.integers(0, 4)) == 0
    return Rotation(
        id=draw(ids),
        name="rotation",
        position=draw(st.integers(0, 2)),
        zone=place,
        unit=unit,
        every=every,
        anchor=anchor,
        turns=tuple(pairs),
        advance=advance,
        hours=draw(st.one_of(st.none(), st.lists(windows, min_size=1, max_size=3).map(hours))),
        starts_at=instant(anchor, place),
        ends_at=draw(st.one_of(st.none(), st.just(night + 2 * DAY))),
        turn_length=draw(st.integers(1, 600)) * MINUTE if short else None,
        phase=draw(st.integers(0, 3)),
    )


def instants(night: datetime) -> st.SearchStrategy[datetime]:
    """Minutes around a night: most in its middle."""
    near = st.integers(-200, 200).map(lambda n: night + n * MINUTE)
    return st.one_of(near, st.integers(-3000, 3000).map(lambda n: night + n * MINUTE))


@st.composite
def overrides(draw, night: datetime) -> Override:
    start, length = draw(instants(night)), draw(st.integers(1, 1500))
    change = draw(st.sampled_from(list(Change)))
    user, replaces = draw(st.lists(st.integers(1, 9), min_size=2, max_size=2, unique=True))
    return Override(
        id=draw(ids),
        change=change,
        start=start,
        end=start + length * MINUTE,
        user=None if change is Change.REMOVE else user,
        replaces=replaces if change in (Change.REMOVE, Change.REPLACE) else None,
    )


def apart(found: list[Override]) -> tuple[Override, ...]:
    kept: list[Override] = []
    for override in found:
        if not any(collide(override, other) for other in kept):
            kept.append(override)
    return tuple(kept)


@st.composite
def absences(draw, night: datetime) -> Absence:
    start = draw(instants(night))
    return Absence(
        user=draw(st.integers(1, 9)),
        start=start,
        end=start + draw(st.integers(1, 3000)) * MINUTE,
        exchanged=draw(st.booleans()),
    )


@st.composite
def schedules(draw, night: datetime, place: ZoneInfo) -> Schedule:
    lanes = draw(st.lists(rotations(night, place), min_size=1, max_size=3, unique_by=lambda lane: lane.id))
    if draw(st.booleans()):
        inner = Schedule(id=draw(ids), name="inner", rotations=(draw(rotations(night, place)),))
        lanes[0] = replace(lanes[0], turns=((Nested(inner),), *lanes[0].turns[1:]))
    swaps = [o for o in draw(st.lists(overrides(night), max_size=2)) if o.change is Change.REPLACE]
    return Schedule(
        id=draw(ids),
        name="schedule",
        rotations=tuple(lanes),
        overrides=apart(draw(st.lists(overrides(night), max_size=4))),
        swaps=apart(swaps),
        absences=tuple(draw(st.lists(absences(night), max_size=3))),
    )


@st.composite
def scenes(draw) -> tuple[Schedule, datetime]:
    """A schedule and a night of its zone on which the clocks change."""
    name = draw(st.sampled_from(ZONES))
    night = draw(st.sampled_from(nights(name)))
    return draw(schedules(night, ZoneInfo(name))), night


def users_at(found, at: datetime) -> set[int]:
    return {shift.user for shift in found if covers(shift, at)}


@given(st.sampled_from(ZONES), st.data())
def test_a_wall_clock_is_reached_exactly_when_its_instant_has_come(name, data):
    place, night = ZoneInfo(name), data.draw(st.sampled_from(nights(name)))
    at = data.draw(instants(night))
    local = wall(data.draw(instants(night)), place)
    assert (instant(local, place) <= at) == (local <= reached(at, place))


@given(scenes(), st.data())
@settings(max_examples=150, deadline=None)
def test_on_call_is_what_a_watcher_of_clocks_would_say(scene, data):
    schedule, night = scene
    for at in data.draw(st.lists(instants(night), min_size=1, max_size=8)):
        assert on_call(schedule, at) == on_call_slowly(schedule, at), at


@given(scenes(), st.data())
@settings(max_examples=120, deadline=None)
def test_on_call_agrees_with_shifts(scene, data):
    schedule, night = scene
    found = shifts(schedule, start=night - 3 * DAY, end=night + 3 * DAY)
    edges = [edge for shift in found for edge in (shift.start, shift.end - MINUTE, shift.end)]
    asked = [*data.draw(st.lists(instants(night), max_size=20)), *edges[:: len(edges) // 60 + 1]]
    for at in (at for at in asked if night - 3 * DAY <= at < night + 3 * DAY):
        assert users_at(found, at) == on_call(schedule, at), at
        assert {shift.user for shift in shifts_at(schedule, at)} == on_call(schedule, at), at


@given(scenes())
@settings(max_examples=150, deadline=None)
def test_shifts_and_gaps_cover_a_range_and_do_not_meet(scene):
    schedule, night = scene
    start, end = night - 2 * DAY, night + 2 * DAY
    found = shifts(schedule, start=start, end=end)
    covered = joined(Span(shift.start, shift.end) for shift in found)
    free = gaps(schedule, start=start, end=end)
    assert all(shift.start < shift.end for shift in found)
    assert list(found) == sorted(found, key=lambda shift: shift.start)
    assert joined(sorted([*covered, *free])) == [Span(start, end)]
    assert sum((span.end - span.start for span in [*covered, *free]), timedelta()) == end - start


@given(st.sampled_from(ZONES), st.data())
@settings(max_examples=100, deadline=None)
def test_one_at_a_time_serves_where_each_layer_has_one(name, data):
    night, place = data.draw(st.sampled_from(nights(name))), ZoneInfo(name)
    lanes = data.draw(st.lists(rotations(night, place, alone=True), min_size=1, max_size=3))
    lanes = [replace(lane, id=UUID(int=n), position=n) for n, lane in enumerate(lanes)]
    schedule = Schedule(id=UUID(int=9), name="s", rotations=tuple(lanes))
    found = shifts(schedule, start=night - 2 * DAY, end=night + 2 * DAY)
    assert all(before.end <= after.start for before, after in zip(found, found[1:], strict=False))


@given(scenes(), st.data())
@settings(max_examples=150, deadline=None)
def test_a_shift_has_one_id_whatever_range_shows_it(scene, data):
    schedule, night = scene
    found = shifts(schedule, start=night - 2 * DAY, end=night + 2 * DAY)
    start = data.draw(instants(night))
    part = shifts(schedule, start=start, end=start + data.draw(st.integers(1, 3000)) * MINUTE)
    whole = {(shift.id, shift.true_start) for shift in found}
    seen = [shift for shift in part if shift.start < night + 2 * DAY and shift.end > night - 2 * DAY]
    assert {(shift.id, shift.true_start) for shift in seen} <= whole
    for shift in (shift for shift in found if night - 2 * DAY < shift.start and shift.end < night + 2 * DAY):
        assert shift in shifts_at(schedule, shift.end - MINUTE)
    pieces = {(s.rotation_id, s.true_start, s.user, s.why.cause) for s in found}
    assert len({shift.id for shift in found}) == len(pieces)


def touching(things, span: Span) -> tuple:
    """Return what begins before a span ends and ends after it begins."""
    starts = ((getattr(thing, "starts_at", None) or getattr(thing, "start", None), thing) for thing in things)
    begun = [thing for start, thing in starts if start is None or start < span.end]
    ends = ((getattr(thing, "ends_at", None) or getattr(thing, "end", None), thing) for thing in begun)
    return tuple(thing for end, thing in ends if end is None or end > span.start)


def known_of(schedule: Schedule, span: Span) -> Schedule:
    names = ("rotations", "overrides", "swaps", "absences")
    return replace(schedule, **{name: touching(getattr(schedule, name), span) for name in names})


@given(scenes(), st.data())
@settings(max_examples=100, deadline=None)
def test_what_touches_the_reach_of_a_range_is_all_that_must_be_known(scene, data):
    schedule, night = scene
    for lane in schedule.rotations[:2]:
        edited = replace(lane, turns=(*lane.turns[1:], (Person(99),)), ends_at=None)
        schedule = revised(schedule, edited, at=data.draw(instants(night)))
    start = data.draw(instants(night))
    span = Span(start, start + data.draw(st.integers(1, 3000)) * MINUTE)
    known = known_of(schedule, reach(known_of(schedule, span), span))
    assert shifts(known, start=span.start, end=span.end) == shifts(schedule, start=span.start, end=span.end)


@given(scenes(), st.data())
@settings(max_examples=100, deadline=None)
def test_while_an_override_covers_everything_it_alone_counts(scene, data):
    schedule, night = scene
    cover = replace(data.draw(overrides(night)), change=Change.COVER, user=42, replaces=None)
    schedule = replace(schedule, overrides=(cover,), swaps=())
    for at in (cover.start, cover.start + (cover.end - cover.start) / 2, cover.end - MINUTE):
        assert on_call(schedule, at) == {42}
    inside = shifts(schedule, start=cover.start, end=cover.end)
    assert [(shift.user, shift.start, shift.end) for shift in inside] == [(42, cover.start, cover.end)]


@st.composite
def edits(draw) -> tuple[Schedule, datetime, list[int]]:
    """A schedule of one rotation of single people, an instant, and its people in order."""
    name = draw(st.sampled_from(ZONES))
    night = draw(st.sampled_from(nights(name)))
    lane = draw(rotations(night, ZoneInfo(name), alone=True))
    at = draw(instants(night))
    assume(lane.starts_at < at and (lane.ends_at is None or at < lane.ends_at))
    schedule = Schedule(id=UUID(int=7), name="s", rotations=(lane,))
    return schedule, at, [member.user for (member,) in lane.turns]


def with_people(schedule: Schedule, people: list[int], at: datetime) -> Schedule:
    lane = schedule.rotations[-1]
    return revised(schedule, replace(lane, turns=tuple((Person(user),) for user in people)), at=at)


@given(edits(), st.integers(0, 4))
@settings(max_examples=150, deadline=None)
def test_adding_a_member_keeps_who_is_on_call(edit, place):
    schedule, at, people = edit
    later = with_people(schedule, [*people[:place], 99, *people[place:]], at)
    assert on_call(later, at) == on_call(schedule, at)
    before = shifts(schedule, start=at - 3 * DAY, end=at)
    assert shifts(later, start=at - 3 * DAY, end=at) == before
    for shift in shifts_at(schedule, at):
        kept = next(other for other in shifts_at(later, at) if other.user == shift.user)
        assert (kept.id, kept.true_start, kept.end) == (shift.id, shift.true_start, shift.end)


@given(edits(), st.data())
@settings(max_examples=150, deadline=None)
def test_removing_a_member_keeps_who_is_on_call_or_hands_to_the_next(edit, data):
    schedule, at, people = edit
    assume(len(people) > 1)
    gone = data.draw(st.sampled_from(people))
    later = with_people(schedule, [user for user in people if user != gone], at)
    following = people[(people.index(gone) + 1) % len(people)]
    expected = {following if user == gone else user for user in on_call(schedule, at)}
    assert on_call(later, at) == expected
    assert shifts(later, start=at - 3 * DAY, end=at) == shifts(schedule, start=at - 3 * DAY, end=at)


def test_in_every_zone_a_hand_off_at_the_hour_of_change_happens_once():
    for name in changing_zones():
        place = ZoneInfo(name)
        for night in changes(place, 2026, 2028)[:2]:
            anchor = wall(night - HOUR, place) - 5 * DAY + 30 * MINUTE
            lane = Rotation(
                id=UUID(int=1),
                name="nights",
                position=0,
                zone=place,
                unit=Unit.DAY,
                every=1,
                anchor=anchor,
                turns=((Person(1),), (Person(2),), (Person(3),)),
            )
            schedule = Schedule(id=UUID(int=2), name=name, rotations=(lane,))
            found = shifts(schedule, start=night - 2 * DAY, end=night + 2 * DAY)
            assert [
                b.user - a.user
                for a, b in zip(found, found[1:], strict=False)
                if b.user - a.user not in (1, -2)
            ] == []
            assert gaps(schedule, start=night - 2 * DAY, end=night + 2 * DAY) == ()
            for step in range(-10, 11):
                at = night + step * 12 * MINUTE
                assert users_at(found, at) == on_call(schedule, at) == on_call_slowly(schedule, at), (
                    name,
                    at,
                )
