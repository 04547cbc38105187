"""The cases that must pass (peers.md 4.3), told over HTTP to the running program, whose clock stands still."""

import json
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from nightbell.testing.doubles import Double, Reply
from nightbell.testing.escalation_cases import problems
from support.programs import Background, Nightbell, eventually
from support.served import served
from support.served_schedules import START, Calendars, Schedule

pytestmark = [pytest.mark.timeout(240), pytest.mark.slow]

TESTDATA = Path(__file__).parents[1] / "testdata"


def cases(name: str) -> dict[str, dict]:
    return {case["id"]: case for case in json.loads((TESTDATA / name).read_bytes())["cases"]}


ESCALATIONS = cases("escalation_cases.json") | cases("escalation_own_cases.json")
#: E21, E31, E36, E39 and E40 are not in the file.
MUST_ESCALATE = ("E02", "E05", "E15", "E17", "E19", "E22", "E23", "E34", "E35")
#: Variants of ours about what only the API can set, ask for or edit.
OWN_ESCALATE = ("N08", "N18", "N20", "N25", "N31a", "N31b", "N31c", "N31d", "N36", "N37", "N38", "N39", "N43")
#: Web hooks get every alert by itself; a case about bundles needs phones that people read.
KINDS = {"E17": "ntfy"}


@pytest.mark.parametrize("ident", (*MUST_ESCALATE, *OWN_ESCALATE))
async def test_a_case_of_escalation_passes_over_http(ident, tmp_path):
    @asynccontextmanager
    async def opened(_case: object) -> AsyncIterator[Any]:
        with served(tmp_path, kind=KINDS.get(ident, "webhook")) as world:
            yield world

    assert await problems(ESCALATIONS[ident], opened) == []


SCHEDULES = cases("schedule_cases.json")
#: S03, S10, S24, S26, S33, S35, S38 and S42 are not in the file; S54 has a test of its own.
MUST_SCHEDULE = "S01 S11 S12 S13 S18 S19 S20 S22 S23 S29 S30 S31 S32 S34 S41 S43".split()


@pytest.fixture(scope="module")
def calendars(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Calendars]:
    """A program in which it is too early for any of the cases."""
    settings = {"test_clock": START.isoformat(), "log_level": "warning"}
    with Nightbell(tmp_path_factory.mktemp("calendars"), settings=settings) as program:
        opened = Calendars(program, program.owner())
        yield opened
        opened.close()


@pytest.mark.parametrize("ident", MUST_SCHEDULE)
def test_a_case_of_schedules_passes_over_http(calendars, ident):
    assert list(Schedule(calendars, SCHEDULES[ident]).wrong()) == []


CALENDAR = b"""BEGIN:VCALENDAR\r
VERSION:2.0\r
PRODID:-//case//S54//EN\r
BEGIN:VEVENT\r
UID:one@example.com\r
DTSTAMP:20270501T000000Z\r
DTSTART:20270601T090000Z\r
DTEND:20270601T170000Z\r
RRULE:FREQ=DAILY;UNTIL=20270603T235900Z\r
SUMMARY:ANA@Example.com\r
END:VEVENT\r
BEGIN:VEVENT\r
UID:one@example.com\r
DTSTAMP:20270501T000000Z\r
RECURRENCE-ID:20270602T090000Z\r
DTSTART:20270602T090000Z\r
DTEND:20270602T170000Z\r
STATUS:CANCELLED\r
SUMMARY:ANA@Example.com\r
END:VEVENT\r
END:VCALENDAR\r
"""


def test_a_calendar_elsewhere_is_a_layer(calendars):
    """S54: a cancelled occurrence is not on call, a series ends, people are known by address."""
    case = SCHEDULES["S54"]
    calendars.person("ana")
    schedule = Schedule(calendars, case)
    background, server = (
        Background(),
        Double(always=Reply(body=CALENDAR, headers={"content-type": "text/calendar"})),
    )
    background.do(server.start())
    try:
        schedule.follow(f"{server.url}/team.ics")
        eventually(lambda: not list(schedule.wrong()), within=90, what="the calendar")
    finally:
        background.do(server.stop())
        background.close()


def test_removing_a_member_keeps_whoever_is_on_call(calendars):
    layer = {
        "participants": [["ana"], ["ben"], ["cal"]],
        "rotation": {"unit": "day", "every": 1, "start": "2026-12-02T09:00"},
    }
    schedule = Schedule(calendars, {"id": "S26", "timezone": "UTC", "layers": [layer], "checks": []})
    calendars.move_to(datetime.fromisoformat("2026-12-04T12:00:00Z"))
    assert schedule.on_call(datetime.fromisoformat("2026-12-04T12:00:00Z")) == ["cal"]
    schedule.edit({"participants": ["ben", "cal"]})
    assert schedule.on_call(datetime.fromisoformat("2026-12-04T12:00:00Z")) == ["cal"]
    assert schedule.on_call(datetime.fromisoformat("2026-12-05T09:00:00Z")) == ["ben"]
