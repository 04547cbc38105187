"""People at the pages, in a real browser: each test is one person's task, from the page they would open first."""

import re
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from support import bodies
from support.browser import ANA, PASSWORD, Home, Watch, firing, logged_in
from support.programs import Nightbell, eventually

pytestmark = [pytest.mark.real, pytest.mark.timeout(120)]


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    fresh = browser.new_context(viewport={"width": 1280, "height": 900})
    fresh.set_default_timeout(20_000)
    yield fresh
    fresh.close()


@pytest.fixture
def page(context: BrowserContext, home: Home) -> Iterator[Page]:
    """Ana's browser, logged in; what it complains about fails the test."""
    watch = Watch(home.house.program.url)
    entered = watch.follow(logged_in(context, home.house.program.url, ANA))
    yield entered
    assert watch.wrong == []


# ---------------------------------------------------------------- coming in


def test_the_one_time_link_makes_the_first_administrator_once(browser: Browser, tmp_path: Path) -> None:
    program = Nightbell(tmp_path)
    with program:
        link = re.search(r"http\S+/setup/[\w-]+", program.said())
        assert link, program.said()
        context = browser.new_context()
        page = Watch(program.url).follow(context.new_page())
        page.goto(link[0])
        page.fill("[name=email]", "first@example.org")
        page.fill("[name=name]", "First Person")
        page.fill("[name=password]", "short")
        page.evaluate("document.querySelector('[name=password]').removeAttribute('minlength')")
        page.click("text=Create the administrator")
        expect(page.locator(".error")).to_contain_text("8 to 256 characters")
        page.fill("[name=password]", PASSWORD)
        page.click("text=Create the administrator")
        page.wait_for_url(f"{program.url}/")
        expect(page.get_by_role("heading", name="To be paged by your own Alertmanager")).to_be_visible()
        assert page.goto(link[0]).status == 404  # type: ignore[union-attr]
        context.close()


def test_a_wrong_password_is_refused_and_guessing_is_slowed_down(home: Home, context: BrowserContext) -> None:
    page = context.new_page()
    for _ in range(5):
        page.goto(home.url("/login"))
        page.fill("[name=email]", "nobody@example.org")
        page.fill("[name=password]", "wrong")
        page.click("text=Log in >> nth=-1")
        expect(page.get_by_role("alert")).to_contain_text("The e-mail address or the password is wrong")
    page.fill("[name=password]", "wrong")
    page.click("text=Log in >> nth=-1")
    expect(page.get_by_role("alert")).to_contain_text("Too many failures")


def test_a_page_asked_for_without_a_session_opens_after_logging_in(
    home: Home, context: BrowserContext
) -> None:
    page = context.new_page()
    page.goto(home.url("/alerts?status=resolved"))
    page.fill("[name=email]", ANA)
    page.fill("[name=password]", PASSWORD)
    page.click("text=Log in >> nth=-1")
    page.wait_for_url("**/alerts?status=resolved")


# ---------------------------------------------------------------- on duty


def test_an_alert_appears_rings_and_is_taken_with_one_key(home: Home, page: Page) -> None:
    page.goto(home.url("/alerts"))
    expect(page.locator(".live.on")).to_be_visible()
    home.pages_ana("RingsLive")
    row = page.locator("[data-row]", has_text="RingsLive")
    expect(row).to_be_visible()
    expect(page.locator("#ring")).to_contain_text("You are being paged")
    expect(page).to_have_title(re.compile("🔔 RingsLive"))
    row.hover()
    page.keyboard.press("a")
    expect(page.get_by_role("status")).to_contain_text("Acknowledged 1 alert")
    expect(page.locator("#ring")).not_to_contain_text("RingsLive")
    expect(page).to_have_title(re.compile("^Firing alerts"))


@pytest.mark.parametrize("path", ["/teams", "/alerts?status=open&q=severity%3Dcritical"])
def test_whoever_acknowledges_what_rings_stays_where_they_are(home: Home, page: Page, path: str) -> None:
    page.goto(home.url(path))
    heading = page.locator("h1").inner_text()
    name = f"RingsOn{heading}"
    home.pages_ana(name)
    page.locator("#ring li", has_text=name).get_by_role("button").click()
    expect(page.locator("#ring")).not_to_contain_text(name)
    expect(page).to_have_url(home.url(path))
    expect(page.locator("h1")).to_have_text(heading)


def test_a_second_quick_tap_does_not_resolve_what_the_first_acknowledged(home: Home, page: Page) -> None:
    short = home.pages_ana("TappedTwice")
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto(home.url(f"/alerts/{short}"))
    place = page.locator("#dock button", has_text="Acknowledge").bounding_box()
    assert place is not None
    page.mouse.move(place["x"] + place["width"] / 2, place["y"] + place["height"] / 2)
    page.mouse.down(click_count=1)
    page.mouse.up(click_count=1)
    expect(page.locator("#dock")).not_to_contain_text("Acknowledge")
    page.mouse.down(click_count=2)
    page.mouse.up(click_count=2)
    page.fill("[name=text]", "looking")
    page.get_by_role("button", name="Add", exact=True).click()
    expect(page.locator("#timeline")).to_contain_text("looking")
    expect(page).to_have_title(re.compile("Acknowledged"))


def test_rows_do_not_move_under_the_pointer(home: Home, page: Page) -> None:
    source = home.house.source()
    home.pages_ana("Steady", source)
    page.goto(home.url("/alerts?q=alertname%3D~%22Steady.*%22"))
    row = page.locator("[data-row]", has_text="Steady")
    row.hover(position={"x": 400, "y": 20})
    page.mouse.move(*_middle(row.bounding_box()))
    before = row.bounding_box()
    source.give(firing("SteadyToo"))
    home.pages_ana("SteadyThree")
    expect(page.locator("[data-held]")).to_be_visible()
    expect(page.locator("[data-held]")).to_contain_text("1 change · show")
    assert row.bounding_box()["x"] == before["x"]  # type: ignore[index]
    assert page.locator("[data-row]").count() == 1
    page.click("[data-held]")
    expect(page.locator("[data-row]", has_text="SteadyThree")).to_be_visible()


def _middle(box: object) -> tuple[float, float]:
    assert isinstance(box, dict)
    return box["x"] + 400, box["y"] + box["height"] / 2


def test_the_alert_page_tells_the_past_and_the_future(home: Home, page: Page) -> None:
    source = home.house.source()
    target = f"/notify/EscalationPolicy/{home.house.policy['id']}"
    short = source.give(firing("Storyline"), target).results[0]["short_id"]
    page.goto(home.url(f"/alerts/{short}"))
    timeline = page.locator("#timeline")
    expect(timeline).to_contain_text("Paging policy Platform: Ana, then Bo")
    expect(timeline).to_contain_text("E-mail to Ana")
    expect(timeline.locator(".track").first).to_contain_text("handed over")
    expect(timeline.locator(".future").first).to_contain_text("Level 2: Bo")
    expect(timeline.locator(".future").first).to_contain_text("unless someone acknowledges")
    page.click("[data-act=acknowledge]")
    expect(page.get_by_role("status")).to_contain_text("Acknowledged Storyline")
    expect(timeline).to_contain_text("Acknowledged by Ana Web")
    expect(timeline.locator(".future")).to_have_count(0)
    page.fill("[name=text]", "looking at it")
    page.click("text=Add >> nth=-1")
    expect(timeline).to_contain_text("Ana Web: looking at it")
    page.click("[data-act=snooze]")
    page.click("text=30 minutes")
    expect(timeline.locator(".future")).to_contain_text("pages again from its first level")
    page.click("[data-act=resolve]")
    expect(page.locator("#facts")).to_contain_text("Resolved")


def test_an_address_that_is_no_web_address_is_shown_but_is_no_link(home: Home, page: Page) -> None:
    labels = {"alertname": "Evil", "x": "<script>alert(1)</script>"}
    bad = bodies.notification(bodies.alert(labels, generatorURL="javascript:alert(1)"))
    short = home.house.source().give(bad).results[0]["short_id"]
    page.goto(home.url(f"/alerts/{short}"))
    expect(page.locator("aside")).to_contain_text("javascript:alert(1)")
    assert page.locator("a[href^='javascript']").count() == 0
    expect(page.locator("aside .chips")).to_contain_text("<script>alert(1)</script>")


def test_labels_filter_on_click_and_the_search_reads_matchers(home: Home, page: Page) -> None:
    source = home.house.source()
    source.give(firing("FilterMe", team="pay", severity="critical"))
    source.give(firing("FilterNot", team="web", severity="critical"))
    page.goto(home.url("/alerts?status=open"))
    page.locator(".chip", has_text="team=pay").first.click()
    expect(page.locator("[data-row]", has_text="FilterMe")).to_be_visible()
    expect(page.locator("[data-row]", has_text="FilterNot")).to_have_count(0)
    page.keyboard.press("/")
    page.keyboard.type('team=~"w.b" Filter')
    page.keyboard.press("Enter")
    expect(page.locator("[data-row]", has_text="FilterNot")).to_be_visible()
    expect(page.locator("[data-row]", has_text="FilterMe")).to_have_count(0)
    page.goto(home.url("/alerts?status=open&q=team%3D~%22%5B%22"))
    expect(page.locator(".banner.fire")).to_contain_text("The search cannot be read")


def test_everything_works_without_scripts(home: Home, browser: Browser) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = logged_in(context, home.house.program.url, ANA)
    short = home.pages_ana("NoScript")
    page.goto(home.url(f"/alerts/{short}"))
    page.click("[data-act=acknowledge]")
    expect(page.get_by_role("status")).to_contain_text("Acknowledged NoScript")
    page.goto(home.url("/alerts?status=acknowledged"))
    page.locator("[data-row]", has_text="NoScript").locator("input").check()
    page.click("button[value=resolve]")
    expect(page.get_by_role("status")).to_contain_text("Resolved 1 alert")
    page.goto(home.url("/policies"))
    page.fill("[name=name]", "Plain")
    page.click("text=Make a policy")
    page.select_option("[name=add-0]", label="Cleo")
    page.click("text=Add a level")
    expect(page.locator(".ladder")).to_contain_text("Cleo")
    page.select_option("[name=add-1]", label="Bo")
    page.click("text=Save >> nth=-1")
    expect(page.locator(".ladder")).to_contain_text("T+5 min")
    context.close()


# ---------------------------------------------------------------- wiring up Alertmanager


def test_the_configure_page_takes_an_sre_from_nothing_to_the_first_delivery(home: Home, page: Page) -> None:
    page.goto(home.url("/integrations"))
    page.fill("[name=name]", "from the browser")
    page.click("text=Add a source")
    expect(page.locator("#heard")).to_contain_text("Waiting for the first delivery")
    page.select_option("select[name=target]", label="Platform: Ana, then Bo")
    page.wait_for_url("**target=EscalationPolicy**")
    hook = page.locator("#url").inner_text()
    suffix = f"/notify/EscalationPolicy/{home.house.policy['id']}"
    assert hook == home.url(f"/webhooks/incoming/alertmanager_webhooks{suffix}")
    shown = page.locator("#secret")
    assert re.fullmatch(r"•+[0-9a-f]{4}", shown.inner_text())
    page.click("[data-reveal=secret]")
    secret = shown.inner_text()
    assert re.fullmatch(r"[0-9a-f]{64}", secret)
    yml = page.locator("#yml")
    assert secret not in yml.inner_text()
    ready = yml.get_attribute("data-secret") or ""
    assert f'url: "{hook}"' in ready
    assert f'credentials: "{secret}"' in ready
    sent = firing("FromBrowser")
    answer = httpx.post(
        hook, json=sent, headers={"Authorization": f"Bearer {secret}", "User-Agent": "Alertmanager/0.33.1"}
    )
    assert answer.status_code == 200
    expect(page.locator("#heard")).to_contain_text("✓ heard")
    expect(page.locator("#heard")).to_contain_text("Alertmanager/0.33.1")
    page.locator("#heard a", has_text="alert").first.click()
    expect(page.get_by_role("heading", name="FromBrowser")).to_be_visible()


def test_a_rotated_secret_leaves_the_old_one_its_grace(home: Home, page: Page) -> None:
    source = home.house.source()
    page.goto(home.url(f"/integrations/{source.id}"))
    page.click("text=Rotate")
    page.click("text=Make a new secret")
    expect(page.get_by_role("status")).to_contain_text("There is a new secret")
    expect(page.locator("body")).to_contain_text(f"The former secret …{source.secret[-4:]} works")
    new = page.locator("#secret").get_attribute("data-secret") or ""
    assert new != source.secret
    for secret in (new, source.secret):
        assert source.post(firing("Rotated"), secret=secret).status == 200


def test_a_refused_delivery_says_why(home: Home, page: Page) -> None:
    source = home.house.source()
    source.post(firing("X"), secret="0" * 64)
    source.post(b'{"alerts": [')
    page.goto(home.url("/deliveries?outcome=rejected"))
    expect(page.locator("#rows")).to_contain_text("not JSON")
    # Strangers are written together, a moment later; the page asks again by itself.
    expect(page.locator("#rows")).to_contain_text("unknown secret", timeout=10_000)
    page.locator("tr", has_text="not JSON").first.locator("a").first.click()
    expect(page.locator("#body")).to_contain_text('{"alerts": [')


# ---------------------------------------------------------------- one's own


def test_a_contact_method_is_added_proven_by_its_code_and_tried(home: Home, page: Page) -> None:
    page.goto(home.url("/me"))
    page.click("summary:has-text('Add E-mail')")
    page.fill("details[open] [name=address]", "night.ana@example.org")
    page.click("details[open] >> text=Add >> nth=-1")
    method = page.locator("#methods li", has_text="night.ana@example.org")
    expect(method).to_contain_text("not verified")
    mailbox = home.house.mailbox
    eventually(lambda: any(m.recipients == ["night.ana@example.org"] for m in mailbox.mails), what="the code")
    [mail] = [m for m in mailbox.mails if m.recipients == ["night.ana@example.org"]]
    found = re.search(r"Your code is (\d{6})", mail.text)
    assert found
    method.get_by_label("Code sent to").fill(found[1])
    method.get_by_role("button", name="Verify").click()
    expect(method).to_contain_text("may be paged")
    method.get_by_role("button", name="Test").click()
    expect(method).to_contain_text("handed over")


def test_a_token_is_shown_once_and_works(home: Home, page: Page) -> None:
    page.goto(home.url("/me"))
    page.fill("#tokens [name=name]", "terraform")
    page.click("text=Make a token")
    token = page.locator("#token").inner_text()
    assert re.fullmatch(r"rootly_[0-9a-f]{64}", token)
    asked = httpx.get(home.url("/v1/users/me"), headers={"Authorization": f"Bearer {token}"})
    assert asked.status_code == 200
    page.goto(home.url("/me"))
    expect(page.locator("body")).not_to_contain_text(token)


# ---------------------------------------------------------------- setting up


def test_a_source_has_words_of_its_own(home: Home, page: Page) -> None:
    source = home.house.source()
    page.goto(home.url(f"/integrations/{source.id}"))
    page.click("summary:has-text('Words of its alerts')")
    title, form = page.get_by_label("Title"), page.locator("form:has([name=dedup_path])")
    title.fill("{{ alert.labels.service | shout }}")
    form.get_by_role("button", name="Save").click()
    expect(page.locator(".error")).to_contain_text("there is no filter 'shout'")
    expect(title).to_have_value("{{ alert.labels.service | shout }}")
    title.fill("{{ alert.labels.service }} has {{ alert.summary }}")
    form.get_by_role("button", name="Save").click()
    expect(page.get_by_role("status")).to_contain_text("Saved")
    short = source.give(firing("Trouble", service="payments")).results[0]["short_id"]
    page.goto(home.url(f"/alerts/{short}"))
    expect(page.locator("h1")).to_contain_text("payments has Trouble")


def test_a_policy_shows_its_clock_while_it_is_edited(home: Home, page: Page) -> None:
    page.goto(home.url("/policies"))
    page.fill("[name=name]", "Clockwork")
    page.click("text=Make a policy")
    page.click("text=Add a level")
    page.select_option("[name=add-1]", label="Bo")
    expect(page.locator("#ladder")).to_contain_text("Bo")
    page.locator("[name=delay]").first.fill("7")
    expect(page.locator("#ladder")).to_contain_text("T+7 min")
    page.click("#policy button.p")
    expect(page.get_by_role("status")).to_contain_text("Saved")
    page.reload()
    expect(page.locator("#ladder")).to_contain_text("T+7 min")
    expect(page.locator("#levels li")).to_have_count(2)


def test_a_policy_that_reaches_nobody_is_called_a_dead_end(home: Home, page: Page) -> None:
    page.goto(home.url("/policies"))
    page.fill("[name=name]", "Dead end")
    page.click("text=Make a policy")
    page.click("[aria-label='Remove Ana Web']")
    expect(page.locator("#ladder")).to_contain_text("Dead end")
    page.click("#policy button.p")
    expect(page.locator(".banner.fire")).to_contain_text("A level without anybody is skipped")


def test_teams_and_services_are_made_and_say_how_to_page_them(home: Home, page: Page) -> None:
    page.goto(home.url("/teams"))
    page.fill("[name=name]", "Night watch")
    page.click("text=Make a team")
    page.check("[aria-label='Bo is a member']")
    page.click("text=Save >> nth=-1")
    expect(page.get_by_role("status")).to_contain_text("Saved")
    expect(page.locator("[aria-label='Bo is a member']")).to_be_checked()
    page.goto(home.url("/services"))
    page.fill("[name=name]", "ledger")
    page.click("text=Make a service")
    page.check("text=Night watch")
    page.click("text=Save >> nth=-1")
    expect(page.locator("#notify")).to_contain_text("/notify/Service/")


def test_somebody_is_invited_and_joins(home: Home, page: Page, browser: Browser) -> None:
    page.goto(home.url("/people"))
    page.fill("[name=email]", "dora@example.org")
    page.click("text=Make a link")
    link = page.locator("#invite").inner_text()
    context = browser.new_context()
    other = context.new_page()
    other.goto(link)
    other.fill("[name=name]", "Dora Duty")
    other.fill("[name=password]", PASSWORD)
    other.click("text=Join")
    other.wait_for_url(home.url("/"))
    page.reload()
    expect(page.locator("tr", has_text="Dora Duty")).to_contain_text("✓ yes")
    context.close()
