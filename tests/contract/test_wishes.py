"""What people want of notifications, throttles, and a message for many alerts: over HTTP, as people use them."""

import re
from datetime import timedelta

import httpx
import pytest

from nightbell.core.journal import SYSTEM
from nightbell.engine import edits, identity, schedule_edits
from nightbell.engine.configure import seed
from nightbell.engine.identity import Browser
from nightbell.testing.clock import FrozenClock
from nightbell.testing.doubles import Double, Reply
from support.bells import START, ringing

HERE = Browser(user_agent="test", remote_ip="127.0.0.1")


@pytest.fixture
async def bell(db, tmp_path):
    clock = FrozenClock(START)
    await seed(db, clock())
    async with ringing(db, tmp_path / "data", {}, clock) as bell:
        yield bell


@pytest.fixture
async def owner(bell):
    edit = edits.UserEdit(name="Olga", email="olga@example.org", role="owner", time_zone="Europe/Lisbon")
    return await bell.configure.create_user(edit, by=SYSTEM, now=bell.clock())


@pytest.fixture
async def browser(bell, owner):
    token = await identity.open_session(bell.db, owner, HERE, bell.clock())
    async with httpx.AsyncClient(
        base_url=bell.url, cookies={"nightbell": token}, follow_redirects=True
    ) as client:
        yield client


async def post(browser, path, on, **fields):
    """Send a form of a page, and return the page one ends at."""
    found = re.search('name="csrf" value="([^"]*)"', (await browser.get(on)).text)
    assert found, on
    answer = await browser.post(
        path, data={"csrf": found[1], **fields}, headers={"Referer": f"{browser.base_url}{on}"}
    )
    return answer


async def wishes(bell, owner):
    row = await bell.db.fetch(
        "SELECT quiet_hours, updates, notice_hours, handoff_notices FROM users WHERE id = $1", owner
    )
    return tuple(row[0].values())


async def test_rules_are_shown_as_a_ladder_of_minutes(browser, bell, owner):
    methods = await bell.db.fetch(
        "SELECT id FROM contact_methods WHERE user_id = $1 AND kind = 'email'", owner
    )
    rule = edits.NotificationRuleEdit(contact_method_id=methods[0]["id"], delay_minutes=15)
    await bell.configure.create_notification_rule(owner, rule, by=SYSTEM, now=bell.clock())
    page = (await browser.get("/me")).text
    assert re.search(r'class="at">0 min</span>.*class="at">15 min</span>', page, re.DOTALL)


async def test_quiet_hours_are_set_and_dropped_on_a_page(browser, bell, owner):
    night = {"days": ["M", "F"], "start_time": "22:00", "end_time": "07:00"}
    answer = await post(browser, "/me/quiet", "/me", audible="yes", **night)
    assert answer.status_code == 200
    assert (await wishes(bell, owner))[0] == {"blocks": [night], "audible": True}
    page = (await browser.get("/me")).text
    assert 'value="22:00"' in page
    assert "Europe/Lisbon" in page
    await post(browser, "/me/quiet", "/me", none="yes", **night)
    assert (await wishes(bell, owner))[0] == {}


async def test_what_one_is_told_is_set_on_a_page(browser, bell, owner):
    await post(browser, "/me/notices", "/me", updates="none", notice_hours="48, 2")
    assert (await wishes(bell, owner))[1:] == ("none", [48, 2], False)
    refused = await post(browser, "/me/notices", "/me", updates="all", notice_hours="soon")
    assert "Hours are numbers" in refused.text


async def test_throttles_are_set_and_dropped_on_the_settings_page(browser, bell):
    await post(
        browser, "/settings/throttles", "/settings", kind="email", most="2", seconds="60", scope="method"
    )
    assert "at most 2 in 1 min" in (await browser.get("/settings")).text
    [row] = await bell.db.fetch("SELECT id FROM throttles")
    await post(browser, f"/settings/throttles/{row['id']}/delete", "/settings")
    assert await bell.db.fetch("SELECT id FROM throttles") == []
    await post(browser, "/settings/throttles/suggested", "/settings")
    assert await bell.db.fetch("SELECT kind FROM throttles ORDER BY kind, seconds")


async def test_one_tap_takes_every_alert_a_message_named_and_no_other(bell):
    async with Double(Reply(), Reply()) as service:
        ana = await bell.person(ntfy=f"{service.url}/ana")
        throttle = edits.ThrottleEdit(kind="ntfy", most=1, seconds=60)
        await bell.configure.create_throttle(throttle, by=SYSTEM, now=bell.clock())
        first = await bell.page(ana, summary="First")
        await bell.becomes("SELECT state FROM notifications", wanted=[("sent",)])
        held = [await bell.page(ana, summary=f"Held {n}") for n in range(3)]
        sql = "SELECT count(*) FROM notifications WHERE why LIKE 'held back%'"
        await bell.becomes(sql, wanted=[(3,)])
        bell.clock.move_to(bell.clock() + timedelta(minutes=1))
        bell.engine.worker.ring()
        await bell.becomes("SELECT count(*) FROM notifications WHERE state = 'sent'", wanted=[(4,)])
        assert len(service.requests) == 2
        [link] = set(re.findall(r"http[^\"]+/a/[^\"]+/acknowledge", service.requests[-1].body.decode()))
        shown = (await bell.client.get(link)).text
        assert "3 alerts" in shown
        assert "Acknowledge all 3" in shown
        done = (await bell.client.post(link)).text
        assert "Acknowledged 3 of the 3" in done
        assert [await bell.status(one) for one in held] == ["acknowledged"] * 3
        assert await bell.status(first) == "triggered"


async def test_whoever_is_on_call_and_cannot_be_reached_is_shown_where_everybody_looks(bell, browser, owner):
    await bell.db.run("UPDATE contact_methods SET verified_at = NULL WHERE user_id = $1", owner)
    schedule = await bell.configure.create_schedule(
        schedule_edits.ScheduleEdit(name="Primary", time_zone="Etc/UTC"), by=SYSTEM, now=bell.clock()
    )
    rotation = schedule_edits.RotationEdit(
        name="Daily", type="daily", handoff_time="00:00", time_zone="Etc/UTC", members=[{"user_id": owner}]
    )
    await bell.configure.create_rotation(schedule, rotation, by=SYSTEM, now=bell.clock())
    for path in ("/", f"/schedules/{schedule}"):
        page = (await browser.get(path)).text
        assert "is on call for" in page
        assert "cannot be reached" in page
    assert "A page would not reach you" in (await browser.get("/me")).text
