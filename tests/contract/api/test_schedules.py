"""Schedules over HTTP: as Rootly's clients make and read them, and what is refused."""

import importlib
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
from rootly_sdk import models

GOLDEN = json.loads((Path(__file__).parent / "golden.json").read_text())
START = datetime(2026, 11, 23, 2, 0, 5, tzinfo=UTC)
NOBODY = "00000000-0000-4000-8000-000000000000"


def wire(at):
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")


def weekly(*people, **more):
    return {
        "name": "Weekly",
        "schedule_rotationable_type": "ScheduleWeeklyRotation",
        "time_zone": "Europe/Lisbon",
        "schedule_rotationable_attributes": {"handoff_time": "09:00", "handoff_day": "M"},
        "schedule_rotation_members": [
            {"member_type": "User", "member_id": str(one), "position": n} for n, one in enumerate(people, 1)
        ],
        **more,
    }


@pytest.fixture
async def make(call):
    """Make something over HTTP: its id."""

    async def post(path, status=201, **attributes):
        document = await call("POST", path, attributes, status=status)
        return document["data"]["id"] if status == 201 else document["errors"]

    return post


@pytest.fixture
async def primary(make, people):
    """A schedule whose rotation has Ana and Bo, by the week."""
    schedule = await make("/v1/schedules", name="Primary")
    rotation = await make(
        f"/v1/schedules/{schedule}/schedule_rotations", **weekly(people["ana"][0], people["bo"][0])
    )
    return schedule, rotation


@pytest.fixture
async def on_call(call):
    """Return who is on call in a schedule, and when: (user, start, end) by start."""

    async def ask(schedule, start, end):
        query = f"from={wire(start)}&to={wire(end)}"
        found = await call("GET", f"/v1/schedules/{schedule}/shifts?{query}")
        return [
            (one["attributes"]["user_id"], one["attributes"]["starts_at"], one["attributes"]["ends_at"])
            for one in found["data"]
            if not one["attributes"]["is_shadow"]
        ]

    return ask


def missing(wanted, got, place=""):
    """Return the keys, however deep, that Rootly's document has and ours has not."""
    if isinstance(wanted, list):
        return missing(wanted[0], got[0], f"{place}[]") if wanted and got else []
    if not isinstance(wanted, dict) or got is None:
        return []
    absent = [f"{place}.{key}" for key in wanted if key not in got]
    return absent + [
        m for k in wanted.keys() & got.keys() for m in missing(wanted[k], got[k], f"{place}.{k}")
    ]


async def test_rootlys_documents_are_answered_key_by_key(call, make, primary, people):
    schedule, rotation = primary
    override = await make(
        f"/v1/schedules/{schedule}/override_shifts", starts_at="2026-11-24T09:00:00Z",
        ends_at="2026-11-24T17:00:00Z", user_id=people["bo"][0],
    )  # fmt: skip
    policy = await make("/v1/escalation_policies", name="EP")
    target = {"type": "schedule", "id": schedule}
    await make(f"/v1/escalation_policies/{policy}/escalation_levels", notification_target_params=[target])
    answers = {
        "schedule_response": await call("GET", f"/v1/schedules/{schedule}"),
        "schedule_rotation_response": await call(
            "GET", f"/v1/schedule_rotations/{rotation}?include=schedule_rotation_members"
        ),
        "shift_list": await call("GET", "/v1/shifts?include=user"),
        "override_shift_response": await call("GET", f"/v1/override_shifts/{override}"),
        "oncall_list": await call("GET", "/v1/oncalls?include=user"),
    }
    for name, answer in answers.items():
        assert missing(GOLDEN[name], answer) == [], name
        parsed = getattr(models, "".join(part.title() for part in name.split("_"))).from_dict(answer)
        assert parsed.to_dict()["data"], name


async def test_the_sdk_reads_what_it_makes(sdk, primary, people, make):
    schedule, rotation = primary

    async def ask(name, *path, **query):
        module = importlib.import_module(f"rootly_sdk.api.{name}")
        answer = await module.asyncio_detailed(*path, client=sdk, **query)
        assert answer.parsed is not None, answer.content
        return answer.parsed

    shifts = await ask("shifts.list_shifts", from_=wire(START), to=wire(START + timedelta(days=14)))
    assert {one.attributes.user_id for one in shifts.data} == {people["ana"][0], people["bo"][0]}
    assert (await ask("schedules.get_schedule", schedule)).data.id == schedule
    assert (await ask("schedules.list_schedules")).data[0].attributes.name == "Primary"
    found = await ask("schedule_rotations.get_schedule_rotation", rotation)
    assert found.data.attributes.schedule_rotationable_type == "ScheduleWeeklyRotation"
    assert (await ask("schedule_rotations.list_schedule_rotations", schedule)).data[0].id == rotation


async def test_whoever_stands_first_is_on_call_at_once_and_hands_over_on_monday(primary, on_call, people):
    schedule, _ = primary
    ana, bo = people["ana"][0], people["bo"][0]
    # It is Monday, 02:00 in Lisbon; the rotation is handed over at nine.
    assert await on_call(schedule, START - timedelta(days=3), START + timedelta(days=8)) == [
        (ana, "2026-11-23T02:00:05.000Z", "2026-11-23T09:00:00.000Z"),
        (bo, "2026-11-23T09:00:00.000Z", "2026-11-30T09:00:00.000Z"),
        (ana, "2026-11-30T09:00:00.000Z", "2026-12-01T02:00:05.000Z"),
    ]


async def test_a_shift_keeps_its_id_whatever_is_asked(call, primary):
    schedule, _ = primary
    seen = set()
    for hours in (0, 30, 90):
        start = START + timedelta(hours=8 + hours)
        found = await call("GET", f"/v1/shifts?from={wire(start)}&to={wire(start + timedelta(minutes=5))}")
        seen |= {one["id"] for one in found["data"]}
    assert len(seen) == 1


async def test_taking_somebody_out_keeps_the_others_turn(call, primary, on_call, people, clock):
    schedule, rotation = primary
    ana, bo, olga = (people[name][0] for name in ("ana", "bo", "olga"))
    clock.move_to(clock() + timedelta(days=2))
    members = weekly(bo, olga, ana)["schedule_rotation_members"]
    await call("PUT", f"/v1/schedule_rotations/{rotation}", {"schedule_rotation_members": members})
    monday = datetime(2026, 11, 30, 9, tzinfo=UTC)
    found = await on_call(schedule, START, monday + timedelta(days=10))
    assert [one[0] for one in found] == [ana, bo, olga, ana]
    assert found[1][1:] == ("2026-11-23T09:00:00.000Z", "2026-11-30T09:00:00.000Z")
    await call("PUT", f"/v1/schedule_rotations/{rotation}", {"schedule_rotation_members": members[1:]})
    found = await on_call(schedule, START, monday)
    assert [one[0] for one in found] == [ana, bo, olga]
    assert found[2][1] == wire(clock()).replace("Z", ".000Z")


async def test_a_layer_above_wins_and_an_override_wins_over_all(make, primary, on_call, people):
    schedule, _ = primary
    ana, bo, olga = (people[name][0] for name in ("ana", "bo", "olga"))
    night = weekly(
        olga, name="Nights", schedule_rotationable_type="ScheduleDailyRotation",
        schedule_rotationable_attributes={"handoff_time": "22:00"}, active_time_type="same_time",
        active_time_attributes=[{"start_time": "22:00", "end_time": "06:00"}],
    )  # fmt: skip
    await make(f"/v1/schedules/{schedule}/schedule_rotations", **night)
    tuesday = datetime(2026, 11, 24, 12, tzinfo=UTC)
    await make(
        f"/v1/schedules/{schedule}/override_shifts", user_id=ana,
        starts_at="2026-11-24T23:00:00Z", ends_at="2026-11-25T01:00:00Z",
    )  # fmt: skip
    assert [one[0] for one in await on_call(schedule, tuesday, tuesday + timedelta(days=1))] == [
        bo, olga, ana, olga, bo,
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("path", "sent", "pointer"),
    [
        ("schedule_rotations", {"time_zone": "Mars/Olympus"}, "time_zone"),
        ("schedule_rotations", {"active_days": [], "active_all_week": False}, "active_days"),
        ("schedule_rotations", {"active_time_type": "same_time"}, "active_time_attributes"),
        ("schedule_rotations", {"schedule_rotationable_type": "Yearly"}, "schedule_rotationable_type"),
        ("schedule_rotations", {"end_time": "2020-01-01", "start_time": "2021-01-01"}, "end_time"),
        (
            "schedule_rotations",
            {"schedule_rotationable_attributes": {"handoff_time": "25:00", "handoff_day": "M"}},
            "schedule_rotationable_attributes/handoff_time",
        ),
        (
            "schedule_rotations",
            {
                "schedule_rotationable_type": "ScheduleCustomRotation",
                "schedule_rotationable_attributes": {
                    "handoff_time": "09:00", "shift_length": 1.5, "shift_length_unit": "hours"
                },
            },
            "schedule_rotationable_attributes/shift_length",
        ),
        (
            "schedule_rotations",
            {
                "schedule_rotationable_type": "ScheduleCustomRotation",
                "schedule_rotationable_attributes": {
                    "handoff_time": "09:00", "shift_length": 2, "shift_length_unit": "hours"
                },
                "advance": "active_days",
            },
            "advance",
        ),
        (
            "schedule_rotations",
            {
                "schedule_rotationable_type": "ScheduleDailyRotation",
                "schedule_rotationable_attributes": {"handoff_time": "09:00"},
                "active_all_week": False, "active_days": ["M"], "turn_minutes": 60,
            },
            "turn_minutes",
        ),
        (
            "schedule_rotations",
            {"schedule_rotation_members": [{"member_type": "User", "member_id": "999999"}]},
            "schedule_rotation_members/0/member_id",
        ),
        (
            "schedule_rotations",
            {"schedule_rotation_members": [{"member_type": "Group", "member_id": "1"}]},
            "schedule_rotation_members/0/member_type",
        ),
        ("override_shifts", {"starts_at": "2026-11-20T00:00:00Z"}, "starts_at"),
        ("override_shifts", {"ends_at": "2026-11-24T00:00:00Z"}, "ends_at"),
        ("override_shifts", {"starts_at": "yesterday"}, "starts_at"),
        ("override_shifts", {"user_id": None}, "user_id"),
        ("override_shifts", {"user_id": 999999}, "user_id"),
        ("override_shifts", {"kind": "replace"}, "replaces_user_id"),
        ("override_shifts", {"kind": "swap"}, "kind"),
        ("on_call_shadows", {"shadow_user_id": None}, "shadow_user_id"),
        ("schedule_calendars", {"url": "ftp://example.org/x"}, "url"),
    ],
)  # fmt: skip
async def test_bad_input_is_refused_by_field(call, primary, people, path, sent, pointer):
    schedule, _ = primary
    right = {
        "schedule_rotations": weekly(people["ana"][0]),
        "override_shifts": {
            "starts_at": "2026-11-24T09:00:00Z", "ends_at": "2026-11-24T17:00:00Z", "user_id": people["bo"][0]
        },
        "on_call_shadows": {
            "shadowable_type": "Schedule", "shadowable_id": schedule, "shadow_user_id": people["bo"][0],
            "starts_at": "2026-11-24T09:00:00Z", "ends_at": "2026-11-24T17:00:00Z",
        },
        "schedule_calendars": {"name": "Team", "url": "https://calendar.example.org/team.ics"},
    }[path]  # fmt: skip
    errors = (await call("POST", f"/v1/schedules/{schedule}/{path}", {**right, **sent}, status=422))["errors"]
    assert f"/data/attributes/{pointer}" in [one["source"]["pointer"] for one in errors], errors


async def test_schedules_never_hold_themselves(call, make, people):
    outer, middle, inner = [await make("/v1/schedules", name=name) for name in ("Outer", "Middle", "Inner")]

    def nesting(key):
        return {**weekly(), "schedule_rotation_members": [{"member_type": "Schedule", "member_id": key}]}

    await make(f"/v1/schedules/{outer}/schedule_rotations", **nesting(middle))
    await make(f"/v1/schedules/{middle}/schedule_rotations", **nesting(inner))
    for key in (inner, middle, outer):
        errors = await make(f"/v1/schedules/{inner}/schedule_rotations", status=422, **nesting(key))
        assert errors[0]["source"]["pointer"].endswith("schedule_rotation_members/0/member_id")
    await make(f"/v1/schedules/{inner}/schedule_rotations", **weekly(people["bo"][0]))
    found = await call("GET", f"/v1/schedules/{outer}/shifts")
    assert [one["attributes"]["user_id"] for one in found["data"]][:1] == [people["bo"][0]]
    await call("DELETE", f"/v1/schedules/{inner}")
    found = await call("GET", f"/v1/schedules/{middle}")
    assert [flag["code"] for flag in found["data"]["attributes"]["flags"]] == ["member_skipped"]


async def test_overrides_do_not_overlap_and_the_past_stays(call, make, primary, people, clock):
    schedule, _ = primary
    path = f"/v1/schedules/{schedule}/override_shifts"
    span = {"starts_at": "2026-11-24T09:00:00Z", "ends_at": "2026-11-24T17:00:00Z"}
    bo = people["bo"][0]
    first = await make(path, user_id=bo, **span)
    errors = await make(path, status=422, user_id=people["ana"][0], **span)
    assert errors[0]["source"]["pointer"] == "/data/attributes/starts_at"
    clock.move_to(datetime(2026, 11, 24, 12, tzinfo=UTC))
    errors = (await call("PUT", f"/v1/override_shifts/{first}", {"user_id": people["ana"][0]}, status=422))[
        "errors"
    ]
    assert errors[0]["source"]["pointer"] == "/data/attributes/user_id"
    await call("DELETE", f"/v1/override_shifts/{first}")
    ended = await call("GET", f"/v1/override_shifts/{first}")
    assert ended["data"]["attributes"]["ends_at"] == "2026-11-24T12:00:00.000Z"
    await call("DELETE", f"/v1/override_shifts/{first}", status=400)


async def test_a_swap_needs_the_others_yes(call, make, primary, on_call, people):
    schedule, _ = primary
    ana, bo = people["ana"][0], people["bo"][0]
    tuesday = {"starts_at": "2026-11-24T09:00:00Z", "ends_at": "2026-11-24T17:00:00Z"}
    swap = await make(
        f"/v1/schedules/{schedule}/shift_coverage_requests", user_id=bo, asked_user_id=ana,
        return_starts_at="2026-12-01T09:00:00Z", return_ends_at="2026-12-01T17:00:00Z", **tuesday,
    )  # fmt: skip
    noon, week = datetime(2026, 11, 24, 12, tzinfo=UTC), timedelta(days=7)
    hour = timedelta(hours=1)
    assert [one[0] for one in await on_call(schedule, noon, noon + hour)] == [bo]
    await call("POST", f"/v1/shift_coverage_requests/{swap}/accept", by="bo", status=422)
    await call("POST", f"/v1/shift_coverage_requests/{swap}/accept", by="ana")
    assert [one[0] for one in await on_call(schedule, noon, noon + hour)] == [ana]
    assert [one[0] for one in await on_call(schedule, noon + week, noon + week + hour)] == [bo]
    await call("POST", f"/v1/shift_coverage_requests/{swap}/accept", by="ana", status=400)
    await call("DELETE", f"/v1/shift_coverage_requests/{swap}")
    assert [one[0] for one in await on_call(schedule, noon, noon + hour)] == [bo]


async def test_shadows_are_shifts_that_say_so(call, make, primary, people):
    schedule, _ = primary
    await make(
        f"/v1/schedules/{schedule}/on_call_shadows", shadowable_type="Schedule", shadowable_id=schedule,
        shadow_user_id=people["olga"][0], starts_at="2026-11-24T09:00:00Z", ends_at="2026-11-24T17:00:00Z",
    )  # fmt: skip
    found = await call("GET", f"/v1/shifts?from=2026-11-24T00:00:00Z&user_ids[]={people['olga'][0]}")
    assert [one["attributes"]["is_shadow"] for one in found["data"]] == [True]


async def test_ranges_have_limits(call, primary):
    schedule, _ = primary
    for path in (
        f"/v1/schedules/{schedule}/shifts?from=2026-11-01&to=2026-12-15",
        "/v1/shifts?from=2026-11-01&to=2027-02-01",
        "/v1/shifts?from=2026-11-01&to=2026-10-01",
        "/v1/oncalls?since=2026-11-01&until=2027-11-01",
        "/v1/oncalls?time_zone=Mars/Olympus",
    ):
        await call("GET", path, status=422)
    await call("GET", "/v1/shifts?from=never", status=400)


async def test_on_calls_are_grouped_by_policy_path_and_level(call, make, primary, people):
    schedule, _ = primary
    ana, bo = people["ana"][0], people["bo"][0]
    policy = await make("/v1/escalation_policies", name="EP")
    for target in ({"type": "schedule", "id": schedule}, {"type": "user", "id": str(bo)}):
        await make(f"/v1/escalation_policies/{policy}/escalation_levels", notification_target_params=[target])
    found = (await call("GET", "/v1/oncalls?include=user,schedule,escalation_policy"))["data"]
    shown = [
        (
            one["attributes"]["escalation_level"],
            one["attributes"]["user_id"],
            one["attributes"]["schedule_name"],
        )
        for one in found
    ]
    assert shown == [(1, ana, "Primary"), (2, bo, None)]
    until = "since=2026-11-23T02:00:05Z&until=2026-11-25T00:00:00Z"
    assert len((await call("GET", f"/v1/oncalls?{until}"))["data"]) == 3
    assert len((await call("GET", f"/v1/oncalls?{until}&earliest=true"))["data"]) == 2
    assert len((await call("GET", f"/v1/oncalls?{until}&filter[user_ids]={ana}"))["data"]) == 1
    local = (await call("GET", f"/v1/oncalls?{until}&time_zone=America/New_York"))["data"][0]["attributes"]
    assert local["ends_at"] == "2026-11-23T04:00:00.000-05:00"


async def test_terraforms_older_way_makes_the_same_rotation(call, make, on_call, people):
    ana, bo = people["ana"][0], people["bo"][0]
    schedule = await make("/v1/schedules", name="Old", owner_user_id=ana, owner_group_ids=[])
    described = {
        **weekly(), "active_all_week": False, "active_days": ["M", "T"], "active_time_type": "custom",
        "schedule_rotationable_type": "ScheduleDailyRotation", "schedule_rotation_members": None,
        "schedule_rotationable_attributes": {"handoff_time": "00:00"}, "time_zone": "Etc/UTC",
    }  # fmt: skip
    rotation = await make(f"/v1/schedules/{schedule}/schedule_rotations", **described)
    assert await on_call(schedule, START, START + timedelta(days=7)) == []
    for number, one in enumerate((ana, bo), 1):
        path = f"/v1/schedule_rotations/{rotation}/schedule_rotation_users"
        await make(path, user_id=one, position=number)
    day = {"day_name": "T", "active_time_attributes": [{"start_time": "08:00", "end_time": "17:00"}]}
    key = await make(f"/v1/schedule_rotations/{rotation}/schedule_rotation_active_days", **day)
    found = await on_call(schedule, START, START + timedelta(days=7))
    assert [one[1:] for one in found] == [("2026-11-24T08:00:00.000Z", "2026-11-24T17:00:00.000Z")]
    shown = await call("GET", f"/v1/schedule_rotation_active_days/{key}")
    assert shown["data"]["attributes"]["day_name"] == "T"


async def test_quality_names_gaps_and_load(call, make, people):
    schedule = await make("/v1/schedules", name="Office")
    described = weekly(
        people["ana"][0], active_time_type="same_time",
        active_time_attributes=[{"start_time": "09:00", "end_time": "17:00"}],
    )  # fmt: skip
    await make(f"/v1/schedules/{schedule}/schedule_rotations", **described)
    found = await call("GET", f"/v1/schedules/{schedule}/quality?from=2026-11-24&to=2026-11-25")
    judged = found["data"]["attributes"]
    assert [gap["ends_at"] for gap in judged["gaps"]] == [
        "2026-11-24T09:00:00.000Z",
        "2026-11-25T00:00:00.000Z",
    ]
    assert judged["loads"][0] == {
        "user_id": people["ana"][0], "hours": 8.0, "weekend_hours": 0.0, "hours_outside_work": 0.0, "nights": 0,
        "nights_in_a_row": 0,
    }  # fmt: skip


async def test_time_off_is_a_conflict_or_is_exchanged(call, make, primary, on_call, people):
    schedule, _ = primary
    ana, bo = people["ana"][0], people["bo"][0]
    away = {"starts_at": "2026-11-24T09:00:00Z", "ends_at": "2026-11-25T09:00:00Z", "reason": "Beach"}
    await call("POST", f"/v1/users/{bo}/time_offs", away, by="olga", status=403)
    await make(f"/v1/users/{bo}/time_offs", **away)
    judged = await call("GET", f"/v1/schedules/{schedule}/quality?from=2026-11-24&to=2026-11-26")
    assert [one["reason"] for one in judged["data"]["attributes"]["conflicts"]] == ["Beach"]
    await call("PUT", f"/v1/schedules/{schedule}", {"time_off": "exchange"})
    noon = datetime(2026, 11, 24, 12, tzinfo=UTC)
    assert [one[0] for one in await on_call(schedule, noon, noon + timedelta(hours=1))] == [ana]
    judged = await call("GET", f"/v1/schedules/{schedule}/quality?from=2026-11-24&to=2026-11-26")
    assert judged["data"]["attributes"]["conflicts"] == []


async def test_public_holidays_are_those_of_where_somebody_lives(call, make, primary, people):
    schedule, _ = primary
    bo = people["bo"][0]
    await call("POST", f"/v1/users/{bo}/holiday_calendars", {"country": "Atlantis"}, by="bo", status=422)
    await make(f"/v1/users/{bo}/holiday_calendars", country="pt")
    judged = await call("GET", f"/v1/schedules/{schedule}/quality?from=2026-11-24&to=2026-12-31")
    reasons = {one["reason"] for one in judged["data"]["attributes"]["conflicts"]}
    assert any("Immaculate" in reason for reason in reasons), reasons


async def test_roles_decide_who_may_change_what(call, primary, people):
    schedule, _ = primary
    span = {
        "starts_at": "2026-11-24T09:00:00Z",
        "ends_at": "2026-11-24T17:00:00Z",
        "user_id": people["bo"][0],
    }
    await call("POST", "/v1/schedules", {"name": "X"}, by="bo", status=403)
    await call("POST", f"/v1/schedules/{schedule}/override_shifts", span, by="olga", status=403)
    await call("POST", f"/v1/schedules/{schedule}/override_shifts", span, by="bo", status=201)
    await call("GET", f"/v1/schedules/{schedule}/schedule_calendars", by="olga", status=403)


async def test_what_is_not_there_is_unknown(call):
    for path in (
        f"/v1/schedules/{NOBODY}", f"/v1/schedules/{NOBODY}/shifts", f"/v1/schedules/{NOBODY}/schedule_rotations",
        f"/v1/schedule_rotations/{NOBODY}", f"/v1/override_shifts/{NOBODY}", "/v1/schedules/x",
        f"/v1/schedules/{NOBODY}/quality", f"/v1/shift_coverage_requests/{NOBODY}", f"/v1/on_call_shadows/{NOBODY}",
    ):  # fmt: skip
        await call("GET", path, status=404)
    found = await call("GET", f"/v1/shifts?schedule_ids[]={NOBODY}")
    assert found["data"] == []


async def test_calendar_programs_need_no_login_and_lose_what_is_cancelled(call, program, primary, people):
    schedule, _ = primary
    bo = people["bo"][0]
    made = {}
    for sent, by in (
        ({"kind": "person"}, "bo"),
        ({"kind": "schedule", "schedule_id": schedule}, "ana"),
        ({"kind": "on_call", "name": "Wall"}, "ana"),
    ):
        document = await call("POST", "/v1/calendar_links", sent, by=by, status=201)
        made[sent["kind"]] = document["data"]
    await call("POST", "/v1/calendar_links", {"kind": "on_call"}, by="bo", status=403)
    await call("POST", "/v1/calendar_links", {"kind": "person", "user_id": bo}, by="olga", status=403)
    await call("POST", "/v1/calendar_links", {"kind": "schedule"}, status=422)
    mine = await call("GET", "/v1/calendar_links", by="bo")
    assert [one["id"] for one in mine["data"]] == [made["person"]["id"]]
    async with httpx.AsyncClient(base_url=program.url) as http:
        urls = {kind: one["attributes"]["url"].removeprefix("https://HOST") for kind, one in made.items()}
        ours = await http.get(urls["person"])
        assert ours.headers["content-type"] == "text/calendar; charset=utf-8"
        assert "SUMMARY:On call: Primary" in ours.text
        same = await http.get(urls["person"], headers={"If-None-Match": ours.headers["etag"]})
        assert (same.status_code, same.content) == (304, b"")
        assert "SUMMARY:Ana Silva: Primary" in (await http.get(urls["schedule"])).text
        text = await http.get(urls["on_call"])
        assert "Primary: Ana Silva <ana@example.org> until 2026-11-23T09:00:00Z" in text.text
        token = {"Authorization": f"Bearer {people['olga'][1]}"}
        assert (await http.get("/oncall.txt", headers=token)).text == text.text
        for path in (
            "/oncall.txt",
            "/oncall.txt?token=x",
            "/ical/x.ics",
            f"/oncall.txt?token={urls['person'][6:-4]}",
        ):
            assert (await http.get(path)).status_code in (401, 404)
        await call("DELETE", f"/v1/calendar_links/{made['person']['id']}", by="bo")
        assert (await http.get(urls["person"])).status_code == 404


async def test_a_board_shows_chosen_schedules_to_whoever_has_its_address(
    call, make, program, primary, people
):
    schedule, _ = primary
    other = await make("/v1/schedules", name="Secret work")
    sent = {"kind": "board", "name": "Wall", "schedule_ids": [schedule]}
    made = await call("POST", "/v1/calendar_links", sent, status=201)
    assert made["data"]["attributes"]["schedule_ids"] == [schedule]
    await call("POST", "/v1/calendar_links", sent, by="bo", status=403)
    gone = await call("POST", "/v1/calendar_links", {**sent, "schedule_ids": [NOBODY]}, status=422)
    assert "Schedule ids" in json.dumps(gone)
    text = await call(
        "POST", "/v1/calendar_links", {"kind": "on_call", "schedule_ids": [other, schedule]}, status=201
    )
    async with httpx.AsyncClient(base_url=program.url) as http:
        url = made["data"]["attributes"]["url"].removeprefix("https://HOST")
        shown = await http.get(url)
        assert shown.status_code == 200 and "Ana Silva" in shown.text and "Secret work" not in shown.text
        assert "ana@example.org" not in shown.text and "then <b>Bo" in shown.text
        lines = (
            await http.get(text["data"]["attributes"]["url"].removeprefix("https://HOST"))
        ).text.splitlines()
        assert [line.partition(":")[0] for line in lines[1:]] == ["Secret work", "Primary"]
        await call("DELETE", f"/v1/schedules/{schedule}", by="ana")
        assert "nothing to show" in (await http.get(url)).text
        await call("DELETE", f"/v1/calendar_links/{made['data']['id']}", by="ana")
        for wrong in (url, "/on-call/x", f"{url}/"):
            answer = await http.get(wrong)
            assert answer.status_code == 404 and "Ana" not in answer.text


async def test_an_override_says_which_shifts_it_stands_for(call, make, primary, people):
    schedule, rotation = primary
    ana, bo = people["ana"][0], people["bo"][0]
    start, end = START + timedelta(days=6, hours=22), START + timedelta(days=7, hours=22)
    await make(
        f"/v1/schedules/{schedule}/override_shifts", user_id=ana, starts_at=wire(start), ends_at=wire(end)
    )
    query = f"from={wire(START)}&to={wire(START + timedelta(days=20))}"
    found = await call("GET", f"/v1/schedules/{schedule}/shifts?{query}")
    parsed = [models.Shift.from_dict(one["attributes"]) for one in found["data"]]
    assert [one.overridden_shifts for one in parsed if not one.is_override] == [None] * (len(parsed) - 1)
    (taken,) = (one for one in parsed if one.is_override)
    assert isinstance(taken.overridden_shifts, list)
    parts = [(p.user_id, p.starts_at[:13], p.ends_at[:13], p.rotation_id) for p in taken.overridden_shifts]
    handoff = "2026-11-30T09"
    assert parts == [
        (bo, f"{start:%Y-%m-%dT%H}", handoff, rotation),
        (ana, handoff, f"{end:%Y-%m-%dT%H}", rotation),
    ]


async def test_a_calendar_elsewhere_is_kept_secret(call, make, primary):
    schedule, _ = primary
    key = await make(
        f"/v1/schedules/{schedule}/schedule_calendars", name="Team", url="webcal://c.example.org/a.ics"
    )
    shown = await call("GET", f"/v1/schedule_calendars/{key}")
    assert shown["data"]["attributes"]["url"] == "https://c.example.org/a.ics"
    await call("GET", f"/v1/schedule_calendars/{key}", by="olga", status=403)
    await call("PUT", f"/v1/schedule_calendars/{key}", {"refresh_minutes": 30})
    await call("DELETE", f"/v1/schedule_calendars/{key}")
    await call("GET", f"/v1/schedule_calendars/{key}", status=404)


async def test_working_hours_are_counted_against(call, make, primary, people):
    schedule, _ = primary
    bo = people["bo"][0]
    await make(
        f"/v1/users/{bo}/working_hours", days=["T"], times=[{"start_time": "00:00", "end_time": "00:00"}]
    )
    judged = await call("GET", f"/v1/schedules/{schedule}/quality?from=2026-11-24&to=2026-11-26")
    (load,) = judged["data"]["attributes"]["loads"]
    assert (load["hours"], load["hours_outside_work"]) == (48.0, 24.0)


VALUES: tuple[object, ...] = (
    None, "", " ", "x" * 300, "a\x00b", 0, -1, 1.5, 10**12, 10**30, True, [], [None], [[]], {}, {"a": 1}, [10**12],
    NOBODY, [NOBODY], "0001-01-01", "9999-12-31T23:59:59-12:00", "2026-11-24", "{{7*7}}", "../../etc", "M", ["M"],
    [{"start_time": 5}], [{"member_id": 10**30}], {"handoff_time": [], "handoff_day": {}},
)  # fmt: skip


@pytest.mark.timeout(240)
async def test_no_attribute_of_any_type_makes_a_fault(program, people, make, primary):
    schedule, rotation = primary
    me, bo = people["ana"][0], people["bo"][0]
    span = {"starts_at": "2026-11-24T09:00:00Z", "ends_at": "2026-11-24T17:00:00Z"}
    paths = {
        "/v1/schedules": {
            "name": "N", "description": "", "time_zone": "", "owner_user_id": me, "owner_group_ids": [], "time_off": "show",
            "holidays": "show", "slack_channel": {}, "all_time_coverage": True, "shift_report_enabled": False,
        },
        f"/v1/schedules/{schedule}/schedule_rotations": {
            **weekly(me), "position": 1, "active_all_week": True, "active_days": ["M"], "active_time_type": "same_time",
            "active_time_attributes": [{"start_time": "09:00", "end_time": "17:00"}], "start_time": None, "end_time": None,
            "advance": None, "turn_minutes": None,
        },
        f"/v1/schedule_rotations/{rotation}/schedule_rotation_members": {
            "member_type": "User", "member_id": str(bo), "position": 1
        },
        f"/v1/schedule_rotations/{rotation}/schedule_rotation_users": {"user_id": bo, "position": 1},
        f"/v1/schedule_rotations/{rotation}/schedule_rotation_active_days": {
            "day_name": "M", "active_time_attributes": [{"start_time": "09:00", "end_time": "17:00"}]
        },
        f"/v1/schedules/{schedule}/override_shifts": {
            **span, "user_id": bo, "kind": "cover", "replaces_user_id": me, "reason": ""
        },
        f"/v1/schedules/{schedule}/on_call_shadows": {
            **span, "shadowable_type": "User", "shadowable_id": str(me), "shadow_user_id": bo
        },
        f"/v1/schedules/{schedule}/shift_coverage_requests": {
            **span, "user_id": bo, "asked_user_id": me, "return_starts_at": None, "return_ends_at": None, "reason": ""
        },
        f"/v1/schedules/{schedule}/schedule_calendars": {
            "name": "C", "url": "https://x.example.org", "position": 9, "refresh_minutes": 15
        },
        f"/v1/users/{me}/time_offs": {**span, "reason": ""},
        f"/v1/users/{me}/working_hours": {"days": ["M"], "times": [{"start_time": "09:00", "end_time": "17:00"}]},
        f"/v1/users/{me}/holiday_calendars": {"country": "DE", "subdivision": "BY"},
        "/v1/calendar_links": {"kind": "person", "name": "", "user_id": me, "schedule_id": None, "schedule_ids": []},
    }  # fmt: skip
    headers = {"Authorization": f"Bearer {people['ana'][1]}"}
    async with httpx.AsyncClient(base_url=program.url, headers=headers, timeout=30) as http:
        for path, right in paths.items():
            for name in right:
                for value in VALUES:
                    document = {"data": {"attributes": {**right, name: value}}}
                    answer = await http.post(path, json=document)
                    assert answer.status_code < 500, (path, name, value, answer.text)
        for path in (
            "/v1/shifts",
            f"/v1/schedules/{schedule}/shifts",
            "/v1/oncalls",
            f"/v1/schedules/{schedule}/quality",
        ):
            for query in (
                "from=0001-01-01&to=0001-01-02", "since=9999-12-31&until=9999-12-31T23:59:59Z", "user_ids[]=x",
                "from=2026-11-24&to=2026-11-25&schedule_ids[]=%00", "filter[user_ids]=99999999999999", "time_zone=%00",
                "time_zone=../x", "page[size]=99999999&page[number]=9", "include=user,,x", "earliest=perhaps",
                "filter[escalation_policy_ids]=%ff", "from=&to=", "from=2026-11-24%2B99:99", "filter[schedule_id]=%F0%9F%98%80",
            ):  # fmt: skip
                answer = await http.get(f"{path}?{query}")
                assert answer.status_code < 500, (path, query, answer.text)
