"""Schedules that change under way: calendars in and out, people who leave, edits that leave the past alone."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from nightbell.channels import registry
from nightbell.channels.email import SmtpSettings
from nightbell.core.calendar import Span
from nightbell.core.errors import Invalid, Stale, Unknown
from nightbell.core.journal import SYSTEM
from nightbell.core.oncall import on_call
from nightbell.core.shifts import shifts
from nightbell.engine import feeds, publishing, scheduling, vault
from nightbell.engine.configure import Configure, seed
from nightbell.engine.directory import Directories
from nightbell.engine.edits import UserEdit
from nightbell.engine.schedule_edits import (
    FeedEdit,
    LinkEdit,
    OverrideEdit,
    RotationEdit,
    ScheduleEdit,
    SwapEdit,
    TimeOffEdit,
)
from nightbell.net.guard import Guard
from nightbell.net.http import Http
from nightbell.testing.doubles import Double, Reply
from nightbell.worker.calendars import fetching

MONDAY = datetime(2026, 11, 23, 9, tzinfo=UTC)
DAY, WEEK = timedelta(days=1), timedelta(days=7)
LONG = Span(MONDAY - WEEK, MONDAY + 8 * WEEK)


class House:
    """An installation with four people and a schedule."""

    def __init__(self, db, keys):
        self.db, self.keys = db, keys
        self.configure = Configure(db, keys, registry.build(SmtpSettings(host=""), Http(Guard(()))))

    async def person(self, name):
        edit = UserEdit(name=name, email=f"{name.lower()}@example.org", role="user")
        return await self.configure.create_user(edit, by=SYSTEM, now=MONDAY)

    async def schedule(self, name="Primary", **more):
        return await self.configure.create_schedule(ScheduleEdit(name=name, **more), by=SYSTEM, now=MONDAY)

    async def weekly(self, schedule, *people, now=MONDAY, **more):
        edit = RotationEdit(
            name="Weekly", type="weekly", handoff_time="09:00", handoff_day="M",
            members=[{"user_id": one} for one in people], **more,
        )  # fmt: skip
        return await self.configure.create_rotation(schedule, edit, by=SYSTEM, now=now)

    async def members(self, rotation, *people, now):
        edit = RotationEdit(members=[{"user_id": one} for one in people])
        await self.configure.update_rotation(rotation, edit, by=SYSTEM, now=now)

    async def serving(self, schedule, at):
        """Return who is on call, by what a page computes and by what the engine pages."""
        one = await scheduling.schedule(self.db, schedule, start=at - DAY, end=at + DAY)
        directory = await Directories().current(self.db)
        paged = on_call(directory.schedules[str(schedule)], at)
        assert on_call(one, at) == paged
        return sorted(paged)

    async def past(self, schedule, until):
        one = await scheduling.schedule(self.db, schedule, start=LONG.start, end=until)
        return [(s.user, s.start, s.end, s.id) for s in shifts(one, start=LONG.start, end=until)]


@pytest.fixture
async def house(db):
    await seed(db, MONDAY)
    made: Any = House(db, await vault.unlock(db, None, MONDAY))
    made.ana, made.bo, made.cleo = [await made.person(name) for name in ("Ana", "Bo", "Cleo")]
    return made


async def test_no_edit_changes_what_was(house):
    schedule = await house.schedule()
    rotation = await house.weekly(schedule, house.ana, house.bo)
    now = MONDAY
    edits = (
        RotationEdit(members=[{"user_id": house.cleo}, {"user_id": house.bo}]),
        RotationEdit(handoff_day="W", handoff_time="17:00"),
        RotationEdit(type="daily", days=["M", "T"], all_week=False),
        RotationEdit(time_zone="America/New_York", hours="same_time", windows=[{"start_time": "22:00", "end_time": "06:00"}]),
        RotationEdit(members=[]),
        RotationEdit(ends_at=MONDAY + 6 * WEEK, members=[{"user_id": house.ana}]),
    )  # fmt: skip
    for edit in edits:
        now += WEEK - timedelta(hours=31)
        before = await house.past(schedule, now)
        await house.configure.update_rotation(rotation, edit, by=SYSTEM, now=now)
        assert await house.past(schedule, now) == before
    now += DAY
    before = await house.past(schedule, now)
    await house.configure.delete_rotation(rotation, by=SYSTEM, now=now)
    assert await house.past(schedule, now) == before
    assert await house.serving(schedule, now) == []


async def test_an_override_outside_of_the_range_decides_what_a_shift_is(house):
    outer, inner = await house.schedule(), await house.schedule("Inner")
    await house.weekly(inner, house.ana, house.bo)
    edit = RotationEdit(
        name="Through", type="monthly", handoff_time="00:00", members=[{"nested_schedule_id": inner}]
    )
    await house.configure.create_rotation(outer, edit, by=SYSTEM, now=MONDAY)
    span: Any = {"starts_at": MONDAY + DAY, "ends_at": MONDAY + 2 * DAY}
    for schedule in (outer, inner):
        await house.configure.create_override(
            schedule, OverrideEdit(user_id=house.cleo, **span), by=SYSTEM, now=MONDAY
        )
    for schedule in (outer, inner):
        seen = set()
        for days in (2, 3, 5):
            start = MONDAY + days * DAY
            found = await scheduling.shifts_between(
                house.db, Span(start, start + timedelta(hours=1)), schedule_ids=[schedule]
            )
            seen |= {(one.id, one.true_start) for one in found}
        assert len(seen) == 1
        assert seen.pop()[1] == MONDAY + 2 * DAY


async def test_a_schedule_that_was_deleted_has_nobody_from_then_on(house):
    schedule = await house.schedule()
    await house.weekly(schedule, house.ana, house.bo)
    now = MONDAY + 2 * DAY
    before = await house.past(schedule, now)
    await house.configure.delete_schedule(schedule, by=SYSTEM, now=now)
    assert [one[:3] for one in await house.past(schedule, now + WEEK)] == [one[:3] for one in before]
    assert (await Directories().current(house.db)).schedules == {}


async def test_an_edit_that_says_nothing_new_leaves_no_trace(house):
    schedule = await house.schedule()
    rotation = await house.weekly(schedule, house.ana, house.bo)
    await house.members(rotation, house.ana, house.bo, now=MONDAY + DAY)
    await house.configure.update_rotation(
        rotation, RotationEdit(name="Other", handoff_time="09:00"), by=SYSTEM, now=MONDAY + 2 * DAY
    )
    rows = await house.db.fetch("SELECT starts_at, ends_at FROM schedule_versions")
    assert [tuple(row.values()) for row in rows] == [(MONDAY, None)]


async def test_a_rotation_begins_when_it_says_and_moves_when_told_before(house):
    schedule = await house.schedule()
    start = MONDAY + 2 * WEEK + DAY
    rotation = await house.weekly(schedule, house.ana, house.bo, starts_at=start)
    assert await house.serving(schedule, start - timedelta(seconds=1)) == []
    assert await house.serving(schedule, start) == [house.ana]
    assert await house.serving(schedule, MONDAY + 3 * WEEK) == [house.bo]
    later = RotationEdit(starts_at=start + WEEK)
    await house.configure.update_rotation(rotation, later, by=SYSTEM, now=MONDAY + DAY)
    assert await house.serving(schedule, start) == []
    assert await house.serving(schedule, start + WEEK) == [house.ana]


async def test_the_last_day_of_every_month_is_found(house):
    schedule = await house.schedule()
    edit = RotationEdit(
        name="Months", type="monthly", handoff_time="00:00", handoff_day="last_day_of_month",
        members=[{"user_id": house.ana}, {"user_id": house.bo}],
    )  # fmt: skip
    await house.configure.create_rotation(schedule, edit, by=SYSTEM, now=MONDAY)
    found = [
        await house.serving(schedule, datetime(2026 + m // 12, m % 12 + 1, 28, tzinfo=UTC))
        for m in range(11, 15)
    ]
    assert found == [[house.bo], [house.ana], [house.ana], [house.ana]]  # 28 February is its last day
    assert await house.serving(schedule, datetime(2027, 2, 27, tzinfo=UTC)) == [house.bo]


async def test_whoever_leaves_is_skipped_at_once_and_said(house):
    schedule = await house.schedule()
    await house.weekly(schedule, house.ana, house.bo, house.cleo)
    span: Any = {"starts_at": MONDAY + 2 * DAY, "ends_at": MONDAY + 3 * DAY}
    await house.configure.create_override(
        schedule, OverrideEdit(user_id=house.ana, **span), by=SYSTEM, now=MONDAY
    )
    now = MONDAY + DAY
    before = await house.past(schedule, now)
    await house.configure.delete_user(house.ana, by=SYSTEM, now=now)
    assert await house.past(schedule, now) == before
    assert await house.serving(schedule, now) == [house.bo]
    assert await house.serving(schedule, now + DAY) == [house.bo]
    assert await house.serving(schedule, MONDAY + WEEK) == [house.cleo]
    rows = await house.db.rows("flags_of_schedules", [schedule])
    assert [(row["code"], row["why"]) for row in rows] == [("member_skipped", "Ana has left")]


async def test_a_preview_is_what_saving_does(house):
    schedule = await house.schedule()
    rotation = await house.weekly(schedule, house.ana, house.bo)
    edit = RotationEdit(handoff_day="F", members=[{"user_id": house.cleo}, {"user_id": house.bo}])
    now = MONDAY + 2 * DAY
    both = await scheduling.preview_rotation(house.db, schedule, rotation, edit, span=LONG, now=now)
    promised = [(s.user, s.start, s.end) for s in shifts(both.after, start=LONG.start, end=LONG.end)]
    assert promised != [(s.user, s.start, s.end) for s in shifts(both.before, start=LONG.start, end=LONG.end)]
    await house.configure.update_rotation(rotation, edit, by=SYSTEM, now=now)
    assert [one[:3] for one in await house.past(schedule, LONG.end)] == promised
    gone = await scheduling.preview_without_rotation(house.db, schedule, rotation, span=LONG, now=now)
    assert shifts(gone.after, start=now, end=LONG.end) == ()


async def test_two_who_swap_at_once_do_not_both_win(house):
    schedule = await house.schedule()
    await house.weekly(schedule, house.ana, house.bo)
    edit = SwapEdit(user_id=house.ana, starts_at=MONDAY + DAY, ends_at=MONDAY + 2 * DAY)
    keys = [await house.configure.ask_for_swap(schedule, edit, by=SYSTEM, now=MONDAY) for _ in range(2)]
    await house.configure.accept_swap(keys[0], user_id=house.bo, by=SYSTEM, now=MONDAY)
    with pytest.raises(Stale):
        await house.configure.accept_swap(keys[1], user_id=house.cleo, by=SYSTEM, now=MONDAY)
    late = SwapEdit(user_id=house.cleo, starts_at=MONDAY + DAY, ends_at=MONDAY + 2 * DAY)
    with pytest.raises(Invalid):
        await house.configure.ask_for_swap(schedule, late, by=SYSTEM, now=MONDAY)


# ---------------------------------------------------------------- calendars elsewhere


def ics(*events):
    lines = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//Elsewhere//EN"]
    for number, event in enumerate(events):
        lines += ["BEGIN:VEVENT", f"UID:{number}@elsewhere", "DTSTAMP:20261101T000000Z", *event, "END:VEVENT"]
    return "\r\n".join([*lines, "END:VCALENDAR", ""]).encode()


NIGHTS = (
    "DTSTART:20261124T220000Z", "DTEND:20261125T060000Z", "RRULE:FREQ=DAILY;COUNT=5", "EXDATE:20261126T220000Z",
    "SUMMARY:BO@example.org",
)  # fmt: skip


@pytest.fixture
async def elsewhere(house):
    """A server with a calendar, and what looks at it."""
    server = Double(always=Reply(status=200, body=ics(NIGHTS)))
    await server.start()
    http = Http(Guard(("127.0.0.0/8",)))
    house.server = server

    async def look(now):
        return await feeds.refresh(house.db, house.keys, fetching(http), now)

    yield look
    await http.aclose()
    await server.stop()


async def test_a_calendar_elsewhere_is_a_layer(house, elsewhere):
    schedule = await house.schedule(time_zone="Europe/Lisbon")
    await house.weekly(schedule, house.ana)
    edit = FeedEdit(name="Nights", url=house.server.url + "/team.ics")
    await house.configure.create_feed(schedule, edit, by=SYSTEM, now=MONDAY)
    assert await elsewhere(MONDAY) == 1
    night = datetime(2026, 11, 25, 2, tzinfo=UTC)
    assert [await house.serving(schedule, night + n * DAY) for n in range(4)] == [
        [house.bo], [house.bo], [house.ana], [house.bo],
    ]  # fmt: skip


async def test_the_last_good_copy_is_kept_and_the_fault_is_said(house, elsewhere):
    schedule = await house.schedule()
    feed = await house.configure.create_feed(
        schedule, FeedEdit(name="Nights", url=house.server.url), by=SYSTEM, now=MONDAY
    )
    await elsewhere(MONDAY)
    assert await elsewhere(MONDAY + timedelta(minutes=1)) == 0
    night = datetime(2026, 11, 25, 2, tzinfo=UTC)
    now = MONDAY
    for reply in (Reply(status=500), Reply(status=200, body=b"<html>"), Reply(status=302), Reply(body=b"")):
        house.server.will(reply)
        now += timedelta(hours=1)
        assert await elsewhere(now) == 1
        assert await house.serving(schedule, night) == [house.bo]
        rows = await house.db.rows("flags_of_schedules", [schedule])
        assert [row["code"] for row in rows] == ["calendar_failed"], reply
    house.server.will(Reply(body=ics((*NIGHTS[:3], "SUMMARY:Zoe"))))
    await elsewhere(now + timedelta(hours=1))
    rows = await house.db.rows("flags_of_schedules", [schedule])
    assert [(row["code"], row["why"]) for row in rows] == [("people_unknown", "Zoe")]
    assert await house.serving(schedule, night) == []
    await house.configure.delete_feed(feed, by=SYSTEM, now=now + timedelta(hours=2))


async def test_what_a_calendar_said_of_the_past_stays(house, elsewhere):
    schedule = await house.schedule()
    feed = await house.configure.create_feed(
        schedule, FeedEdit(name="Nights", url=house.server.url), by=SYSTEM, now=MONDAY
    )
    await elsewhere(MONDAY)
    now = datetime(2026, 11, 26, 2, tzinfo=UTC)
    before = await house.past(schedule, now)
    assert [one[0] for one in before] == [house.bo, house.bo]
    house.server.will(Reply(body=ics((*NIGHTS[:2], "SUMMARY:Cleo"))))
    await elsewhere(now)
    assert await house.past(schedule, now) == before
    assert await house.serving(schedule, now) == []
    house.server.will(Reply(body=ics(NIGHTS)))
    await elsewhere(now + timedelta(hours=1))
    await house.configure.delete_feed(feed, by=SYSTEM, now=now + timedelta(hours=2))
    found = await house.past(schedule, now + WEEK)
    assert [(one[0], one[2]) for one in found][1:] == [(house.bo, now), (house.bo, now + timedelta(hours=2))]


@pytest.mark.parametrize(
    "rule", ["FREQ=SECONDLY", "FREQ=MINUTELY", "FREQ=DAILY;BYHOUR=1,2,3;BYMINUTE=1,2,3,4,5;BYSECOND=1,2,3,4"]
)
async def test_a_calendar_that_never_ends_is_refused(house, elsewhere, rule):
    schedule = await house.schedule()
    house.server.will(Reply(body=ics((*NIGHTS[:2], f"RRULE:{rule}", "SUMMARY:Bo"))))
    edit = FeedEdit(name="Bomb", url=house.server.url)
    await house.configure.create_feed(schedule, edit, by=SYSTEM, now=MONDAY)
    await elsewhere(MONDAY)
    rows = await house.db.rows("flags_of_schedules", [schedule])
    assert "more often" in rows[0]["why"]


async def test_people_are_found_however_a_calendar_calls_them(house, elsewhere):
    schedule = await house.schedule(time_zone="America/New_York")
    house.server.will(
        Reply(
            body=ics(
                ("DTSTART;VALUE=DATE:20261201", "DTEND;VALUE=DATE:20261202", "SUMMARY:ana / Cleo"),
                (
                    "DTSTART:20261202T000000",
                    "DTEND:20261203T000000",
                    "SUMMARY:x",
                    "ATTENDEE:mailto:Bo@Example.org",
                ),
                ("DTSTART:20261203T000000", "DTEND:20261204T000000", "SUMMARY:Bo", "STATUS:CANCELLED"),
            )
        )
    )
    edit = FeedEdit(name="Days", url=house.server.url)
    await house.configure.create_feed(schedule, edit, by=SYSTEM, now=MONDAY)
    await elsewhere(MONDAY)
    midnight = datetime(2026, 12, 1, 5, tzinfo=UTC)
    assert await house.serving(schedule, midnight - timedelta(seconds=1)) == []
    assert await house.serving(schedule, midnight) == [house.ana, house.cleo]
    assert await house.serving(schedule, midnight + DAY) == [house.bo]
    assert await house.serving(schedule, midnight + 2 * DAY) == []


async def test_a_private_address_is_not_called(house):
    schedule = await house.schedule()
    edit = FeedEdit(name="Inside", url="http://169.254.169.254/latest")
    await house.configure.create_feed(schedule, edit, by=SYSTEM, now=MONDAY)
    http = Http(Guard(()))
    await feeds.refresh(house.db, house.keys, fetching(http), MONDAY)
    await http.aclose()
    rows = await house.db.rows("flags_of_schedules", [schedule])
    assert "private" in rows[0]["why"]


# ---------------------------------------------------------------- our calendars


async def test_a_secret_address_gives_a_calendar_until_it_is_cancelled(house):
    schedule = await house.schedule()
    await house.weekly(schedule, house.ana, house.bo)
    edit = LinkEdit(kind="person", user_id=house.bo)
    key, token = await house.configure.create_link(edit, by=SYSTEM, now=MONDAY)
    directory = await Directories().current(house.db)
    found = await publishing.calendar(house.db, directory, token, MONDAY)
    text = found.body.decode().replace("\r\n ", "")
    assert "DTSTART:20261130T090000Z\r\nDTEND:20261207T090000Z" in text
    assert "SUMMARY:On call: Primary" in text and "Ana" not in text
    again = await publishing.calendar(house.db, directory, token, MONDAY + timedelta(minutes=5))
    assert text.count("BEGIN:VEVENT") == again.body.count(b"BEGIN:VEVENT")
    await house.configure.cancel_link(key, by=SYSTEM, now=MONDAY)
    with pytest.raises(Unknown):
        await publishing.calendar(house.db, directory, token, MONDAY)


async def test_a_text_says_who_is_on_call_and_until_when(house):
    primary, empty = await house.schedule(), await house.schedule("Empty")
    await house.weekly(primary, house.ana, house.bo)
    _, token = await house.configure.create_link(LinkEdit(kind="on_call"), by=SYSTEM, now=MONDAY)
    link = await publishing.opened(house.db, token, "on_call")
    assert empty
    assert await publishing.on_call_text(house.db, MONDAY + DAY, link) == (
        "# 2026-11-24T09:00:00Z\nEmpty: nobody\nPrimary: Ana <ana@example.org> until 2026-11-30T09:00:00Z\n"
    )
    with pytest.raises(Unknown):
        await publishing.opened(house.db, token, "person")


async def test_whoever_stands_in_while_away_is_a_conflict_too(house):
    schedule = await house.schedule(time_off="exchange")
    await house.weekly(schedule, house.ana, house.bo)
    start, end = MONDAY + DAY, MONDAY + 2 * DAY
    override = OverrideEdit(user_id=house.cleo, starts_at=start, ends_at=end)
    await house.configure.create_override(schedule, override, by=SYSTEM, now=MONDAY)
    away = TimeOffEdit(starts_at=start, ends_at=start + DAY / 2, reason="Sailing")
    await house.configure.create_time_off(house.cleo, away, by=SYSTEM, now=MONDAY)
    found = await scheduling.quality(house.db, schedule, Span(MONDAY, MONDAY + WEEK))
    assert [(c.shift.user, c.span) for c in found.conflicts] == [(house.cleo, Span(start, start + DAY / 2))]
    assert await house.serving(schedule, start) == [house.cleo], "nobody is taken off an override unasked"


async def test_a_swap_gives_nothing_for_nothing(house):
    schedule = await house.schedule()
    await house.weekly(schedule, house.ana, house.bo)
    mine: Any = {"starts_at": MONDAY + DAY, "ends_at": MONDAY + 2 * DAY}
    edit = SwapEdit(
        user_id=house.ana, asked_user_id=house.bo, **mine,
        return_starts_at=MONDAY + 3 * DAY, return_ends_at=MONDAY + 4 * DAY,
    )  # fmt: skip
    with pytest.raises(Invalid, match="Then the other is not on call here"):
        await house.configure.ask_for_swap(schedule, edit, by=SYSTEM, now=MONDAY)
