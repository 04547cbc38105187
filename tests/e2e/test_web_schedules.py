"""Who is on call, at the pages: a lead plans turns, somebody stands in, and a policy pages whoever it is."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect

from support.browser import ANA, Home, logged_in
from support.rota import Lead

pytestmark = [pytest.mark.real, pytest.mark.timeout(120)]
#: On Wednesdays only, so there are gaps in every week.
WEDNESDAYS = {"week": "some", "day": ["W"]}


@pytest.fixture(scope="module")
def lead(home: Home) -> Iterator[Lead]:
    sender = Lead(home)
    yield sender
    sender.http.close()


def next_week() -> str:
    return f"{datetime.now(UTC) + timedelta(days=7):%Y-%m-%d}"


# ---------------------------------------------------------------- planning


def test_a_lead_plans_turns_and_sees_what_would_change_before_saving(home: Home, page: Page) -> None:
    page.goto(home.url("/schedules"))
    page.fill("[name=name]", "Planned")
    page.select_option("[name=time_zone]", "Europe/Lisbon")
    page.click("text=Make a schedule")
    page.fill("[name=name]", "Weekdays")
    for person in (home.house.ana, home.house.bo):
        page.select_option("[name=add]", f"user/{person['id']}")
        page.click("button[value=add]")
        expect(page.locator("#seats")).to_contain_text(person["name"])
    expect(page.locator("#preview")).to_contain_text("nobody → Ana")
    page.get_by_label("Move Bo up").click()
    expect(page.locator("#seats li").first).to_contain_text("Bo")
    page.click("text=Save >> nth=-1")
    expect(page.get_by_role("heading", name="Planned")).to_be_visible()
    expect(page.locator(".lane.final")).to_contain_text("Bo")
    expect(page.get_by_text("On call now:")).to_be_visible()
    page.get_by_role("link", name="Weekdays", exact=True).first.click()
    page.get_by_label("Remove Bo").click()
    expect(page.locator("#preview")).to_contain_text("Bo → Ana")
    expect(page.get_by_text("Not saved yet.")).to_be_visible()


def test_what_cannot_be_saved_is_said_at_its_field(home: Home, lead: Lead) -> None:
    path = lead.schedule("Refused", home.house.ana["id"])
    answer = lead.send(
        f"{path}/rotations",
        {"name": "", "type": "custom", "length": "0", "handoff_time": "09:00", "time_zone": "Europe/Lisbon",
         "hours": "all_day"},
    )  # fmt: skip
    assert answer.status_code == 422 and "A whole number from 1 to 10000" in answer.text
    answer = lead.send(
        f"{path}/rotations",
        {"name": "x", "type": "daily", "handoff_time": "29:00", "time_zone": "Europe/Lisbon", "week": "some",
         "hours": "all_day"},
    )  # fmt: skip
    assert answer.status_code == 422
    assert "no day is active" in answer.text and "handoff_time" in answer.text


def test_a_schedule_cannot_hold_itself(home: Home, lead: Lead) -> None:
    path = lead.schedule("Circle", home.house.ana["id"])
    ident = path.rpartition("/")[2]
    fields = {"name": "Round", "type": "daily", "handoff_time": "09:00", "hours": "all_day", "week": "all",
              "time_zone": "Etc/UTC", "member": f"schedule/{ident}"}  # fmt: skip
    answer = lead.send(f"{path}/rotations", fields)
    assert answer.status_code == 422 and "would hold itself" in answer.text


def test_an_edit_of_one_person_is_kept_as_it_was_shown(home: Home, lead: Lead) -> None:
    path = lead.schedule("Kept", home.house.ana["id"], home.house.bo["id"], together=["1"])
    link = re.search(rf"{path}/rotations/[0-9a-f-]+", lead.http.get(path).text)
    assert link
    form = lead.http.get(link[0]).text
    assert re.findall(r'name="together" value="1" checked', form)
    assert 'value="09:00"' in form and 'value="M" selected' in form


# ---------------------------------------------------------------- the week


def test_a_gap_is_red_and_its_link_fills_it(home: Home, lead: Lead, page: Page) -> None:
    path = lead.schedule("Gaps", home.house.ana["id"], **WEDNESDAYS)
    page.goto(home.url(f"{path}?week={next_week()}"))
    gaps = page.locator(".lane.final a.gap")
    expect(gaps).to_have_count(2)
    gaps.last.click()
    expect(page.locator("#preview")).to_contain_text("nobody → Ana Web")
    page.fill("[name=reason]", "long weekend")
    page.click("text=Save >> nth=-1")
    expect(page.get_by_role("status")).to_contain_text("The override is set")
    expect(page.locator(".lane.final a.gap")).to_have_count(1)
    expect(page.locator(".lane.override")).to_contain_text("Ana Web")
    expect(page.locator("#shifts")).to_contain_text("Reason given: long weekend")
    page.on("dialog", lambda dialog: dialog.accept())
    page.click("text=Take back")
    expect(page.get_by_role("status")).to_contain_text("The override is gone")


def test_a_shift_says_why_it_is_theirs_to_pointer_and_keyboard(home: Home, lead: Lead, page: Page) -> None:
    path = lead.schedule("Reasons", home.house.ana["id"], home.house.bo["id"])
    page.goto(home.url(path))
    page.locator(".lane.final a").last.focus()
    expect(page.locator("#why")).to_contain_text("Their turn in rotation Reasons weekly: place")
    page.locator(".lane.final a").first.hover()
    expect(page.locator("#why")).to_contain_text(re.compile("Nobody is on call|place 1 of 2"))


def test_weeks_and_zones_are_links(home: Home, lead: Lead, page: Page) -> None:
    path = lead.schedule("Weeks", home.house.ana["id"])
    page.goto(home.url(path))
    here = page.locator(".week-bar b").inner_text()
    page.get_by_label("The week after").click()
    expect(page.locator(".week-bar b")).not_to_have_text(here)
    page.get_by_text("its own, Europe/Lisbon").click()
    expect(page.locator(".zones [aria-current]")).to_contain_text("Europe/Lisbon")
    page.click("text=Today")
    expect(page.locator(".week-bar b")).to_have_text(here)
    expect(page.locator(".zones [aria-current]")).to_contain_text("Europe/Lisbon")
    page.goto(home.url(f"{path}?week=0001-01-01"))
    page.goto(home.url(f"{path}?week=9999-12-31"))
    page.goto(home.url(f"{path}?week=never"))
    expect(page.locator(".week-bar b")).to_have_text(here)


def test_two_overrides_of_the_same_time_are_refused(home: Home, lead: Lead) -> None:
    path = lead.schedule("Twice", home.house.ana["id"])
    day = next_week()
    fields = {
        "change": "cover",
        "user": home.house.bo["id"],
        "starts_at": f"{day}T09:00",
        "ends_at": f"{day}T17:00",
    }
    lead.made(f"{path}/overrides", fields)
    answer = lead.send(f"{path}/overrides", {**fields, "starts_at": f"{day}T12:00"})
    assert answer.status_code == 422 and "This was not saved" in answer.text


def test_the_past_is_not_overridden(home: Home, lead: Lead) -> None:
    path = lead.schedule("Past", home.house.ana["id"])
    fields = {
        "change": "cover",
        "user": home.house.bo["id"],
        "starts_at": "2020-01-01T09:00",
        "ends_at": "2020-01-02T09:00",
    }
    answer = lead.send(f"{path}/overrides", fields)
    assert answer.status_code == 422 and "past" in answer.text


def test_on_a_phone_shifts_are_a_list(home: Home, lead: Lead, browser: Browser) -> None:
    path = lead.schedule("Phone", home.house.ana["id"], **WEDNESDAYS)
    context = browser.new_context(viewport={"width": 390, "height": 844})
    page = logged_in(context, home.url(""), ANA)
    page.goto(home.url(f"{path}?week={next_week()}"))
    expect(page.locator(".timeline")).to_be_hidden()
    expect(page.locator("#shifts")).to_contain_text("nobody")
    page.get_by_role("link", name="Fill").first.click()
    expect(page.get_by_role("heading", name="Override")).to_be_visible()
    context.close()


def test_everything_works_without_scripts(home: Home, browser: Browser) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = logged_in(context, home.url(""), ANA)
    page.goto(home.url("/schedules"))
    page.fill("[name=name]", "Plain")
    page.click("text=Make a schedule")
    page.fill("[name=name]", "Daily")
    page.select_option("[name=type]", "daily")
    page.select_option("[name=add]", f"user/{home.house.cleo['id']}")
    page.click("button[value=preview]")
    expect(page.locator("#preview")).to_contain_text("nobody → Cleo")
    page.locator("button[value=save]").last.click()
    expect(page.locator(".lane.final")).to_contain_text("Cleo")
    page.click("text=Override…")
    page.select_option("[name=user]", str(home.house.bo["id"]))
    page.locator("button[value=save]").last.click()
    expect(page.locator(".lane.override")).to_contain_text("Bo")
    context.close()


def test_an_observer_looks_and_changes_nothing(home: Home, lead: Lead) -> None:
    path = lead.schedule("Only looked at", home.house.ana["id"])
    home.person("oskar.rota@example.org", "Oskar Observer", "observer")
    observer = Lead(home, "oskar.rota@example.org")
    shown = observer.http.get(path)
    assert shown.status_code == 200 and "Override…" not in shown.text and "/override?" not in shown.text
    assert observer.http.get(f"{path}/override").status_code == 403
    for where in (f"{path}/overrides", f"{path}/rotations", path, f"{path}/delete", "/schedules"):
        assert observer.send(where, {"name": "x"}).status_code == 403, where
    observer.http.close()


def test_a_schedule_is_subscribed_to_by_a_secret_address_until_it_is_cancelled(
    home: Home, lead: Lead, page: Page
) -> None:
    path = lead.schedule("Subscribed", home.house.ana["id"])
    page.goto(home.url(path))
    page.click("text=Make a calendar (iCal)")
    expect(page.locator("#address-1")).to_contain_text(".ics")
    address = page.locator("#address-1").inner_text()
    calendar = httpx.get(address)
    assert calendar.status_code == 200 and "BEGIN:VEVENT" in calendar.text
    page.on("dialog", lambda dialog: dialog.accept())
    page.click("text=Cancel this address")
    expect(page.locator("#address-1")).to_have_count(0)
    assert httpx.get(address).status_code == 404


# ---------------------------------------------------------------- who is paged


def test_a_policy_shows_whom_it_would_call_at_a_chosen_moment(home: Home, lead: Lead, page: Page) -> None:
    path = lead.schedule("Paged", home.house.ana["id"], **WEDNESDAYS)
    ident = path.rpartition("/")[2]
    policy = lead.policy("By schedule", **{"delay": ["5"], "kind-0": "page", "target-0": f"schedule/{ident}"})
    page.goto(home.url(policy))
    coming = datetime.now(UTC) + timedelta(days=14)
    wednesday = coming + timedelta(days=(2 - coming.weekday()) % 7)
    page.fill("[name=moment]", f"{wednesday:%Y-%m-%d}T12:00")
    expect(page.locator("#ladder")).to_contain_text("Ana")
    expect(page.locator("#ladder")).to_contain_text("on call in schedule Paged")
    page.fill("[name=moment]", f"{wednesday + timedelta(days=1):%Y-%m-%d}T12:00")
    expect(page.locator("#ladder")).to_contain_text("on call in schedule Paged: nobody")
    expect(page.locator("#ladder")).to_contain_text("Dead end")


def test_a_level_remembers_how_it_calls_and_what_it_waits_for(home: Home, lead: Lead) -> None:
    ana, bo = home.house.ana["id"], home.house.bo["id"]
    policy = lead.policy(
        "All kinds",
        **{
            "delay": ["5", "7", "0", "0", "1"],
            "kind-0": "page", "target-0": [f"user/{ana}", f"user/{bo}"], "strategy-0": "alert", "acknowledge-0": "all",
            "kind-1": "wait", "kind-2": "threshold", "count-2": "3", "minutes-2": "10",
            "kind-3": "window", "day-3": ["M", "T"], "from-3": "09:00", "to-3": "17:00", "zone-3": "Europe/Lisbon",
            "kind-4": "page", "target-4": f"user/{bo}",
        },
    )  # fmt: skip
    text = lead.http.get(policy).text
    selects = re.findall(r'<select name="(\w+-\d)"(.*?)</select>', text, re.DOTALL)
    chosen = {name: "".join(re.findall(r'value="(\w*)" selected', options)) for name, options in selects}
    assert [chosen[f"kind-{n}"] for n in range(5)] == ["page", "wait", "threshold", "window", "page"]
    assert (chosen["strategy-0"], chosen["acknowledge-0"]) == ("alert", "all")
    assert (chosen["strategy-4"], chosen["acknowledge-4"]) == ("default", "one")
    assert 'name="count-2" value="3"' in text and 'name="zone-3" value="Europe/Lisbon"' in text
    assert "only once more than 3" not in text, "a level of hours stands between"
    assert "one of them for each alert, in turn" in text.partition('id="ladder"')[2]


def test_a_level_that_waits_for_nothing_is_refused_and_nothing_is_saved(home: Home, lead: Lead) -> None:
    policy = lead.policy(
        "Half", **{"delay": ["5"], "kind-0": "page", "target-0": f"user/{home.house.ana['id']}"}
    )
    fields: dict[str, object] = {"name": "Half", "repeat_count": "3", "delay": ["5", "0"], "kind-0": "page", "kind-1": "wait",
              "target-0": f"user/{home.house.ana['id']}"}  # fmt: skip
    answer = lead.send(policy, fields)
    assert answer.status_code == 422 and "needs a delay of at least 1 minute" in answer.text
    stored = home.house.api.one(f"/escalation_policies/{policy.rpartition('/')[2]}")
    assert stored["repeat_count"] == 0


def test_the_first_page_says_who_is_on_call_for_each_team(home: Home, lead: Lead, page: Page) -> None:
    path = lead.schedule("Front", home.house.bo["id"])
    ident = path.rpartition("/")[2]
    policy = lead.policy("Front first", **{"delay": ["5"], "kind-0": "page", "target-0": f"schedule/{ident}"})
    team = home.house.api.add("/teams", name="Front team")
    home.house.api.ask("PUT", f"/teams/{team['id']}", {"escalation_policy_id": policy.rpartition("/")[2]})
    page.goto(home.url("/"))
    row = page.locator("#on-call li", has_text="Front team")
    expect(row).to_contain_text("Bo")
    expect(page.locator("#on-call li", has_text="Front first").first).to_contain_text("Bo")


def test_hours_may_differ_by_day_and_are_previewed_before_they_are_saved(
    home: Home, lead: Lead, page: Page
) -> None:
    path = lead.schedule("By day", home.house.ana["id"])
    page.goto(home.url(path))
    page.get_by_role("link", name="By day weekly", exact=True).first.click()
    expect(page.locator(".for-custom")).to_be_hidden()
    page.select_option("[name=hours]", "custom")
    page.fill("[name=from-M]", "18:00")
    page.fill("[name=to-M]", "20:00")
    page.fill("[name=from-F]", "22:00")
    page.fill("[name=to-F]", "06:00")
    expect(page.locator("#preview")).to_contain_text("Ana → nobody")
    page.locator("button[value=save]").last.click()
    expect(page.locator(".lane.final")).to_contain_text("gap")
    page.get_by_role("link", name="By day weekly", exact=True).first.click()
    expect(page.locator("[name=from-F]").first).to_have_value("22:00")
    expect(page.locator("[name=from-T]")).to_have_value("")


def test_hours_that_differ_by_day_are_refused_where_there_are_none(home: Home, lead: Lead) -> None:
    path = lead.schedule("No hours", home.house.ana["id"])
    fields: dict[str, object] = {
        "name": "x", "type": "daily", "handoff_time": "09:00", "time_zone": "Europe/Lisbon", "week": "all",
        "hours": "custom",
    }  # fmt: skip
    answer = lead.send(f"{path}/rotations", fields)
    assert answer.status_code == 422 and "no day has active times" in answer.text
    answer = lead.send(f"{path}/rotations", {**fields, "from-M": "25:00", "to-M": "26:00"})
    assert answer.status_code == 422
