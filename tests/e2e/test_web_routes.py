"""What holds for every page: who may open it, what its headers say, that a form is ours, that nothing is inline."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import httpx
import pytest
from litestar.handlers import HTTPRouteHandler

from nightbell.core.access import Permission
from nightbell.web.routes import PAGES
from support.browser import ANA, PASSWORD, Home, firing
from support.coordinated import opened
from support.rota import Lead

#: Routes that ask for nothing: entering, signed links, assets, the theme.
PUBLIC = {
    "/login", "/setup/{token:str}", "/theme", "/static/{name:str}", "/a/{token:str}", "/a/{token:str}/{wanted:str}",
    "/follow/{token:str}", "/sw.js", "/manifest.webmanifest",
}  # fmt: skip
HANDLERS: list[HTTPRouteHandler] = [handler for module in PAGES for handler in module.ROUTES]
INLINE = re.compile(r"<script(?![^>]* src=)|<style|\son[a-z]+=|\sstyle=|javascript:", re.IGNORECASE)
PLAIN = (
    "/", "/alerts", "/account/alerts", "/alerts?status=all", "/integrations", "/integrations/webhooks", "/deliveries", "/me", "/people", "/teams", "/services",
    "/policies", "/schedules", "/schedules/shared", "/away", "/maintenances", "/settings", "/incidents", "/incidents/new",
    "/action-items", "/severities", "/incident-types", "/incident-roles", "/environments", "/retrospective-template",
    "/status-pages", "/incidents/plan", "/incidents/statistics", "/login",
)  # fmt: skip


class Client:
    """A browser without scripts: cookies, forms, and the token each form needs."""

    def __init__(self, home: Home, email: str) -> None:
        self.http = httpx.Client(base_url=home.url(""), timeout=20)
        sent = {"email": email, "password": PASSWORD, "next": "/"}
        assert self.http.post("/login", data=sent).status_code == 303

    def get(self, path: str, *, status: int = 200) -> str:
        """Return a page, which must have this status."""
        answer = self.http.get(path)
        assert answer.status_code == status, f"{path}: {answer.status_code} {answer.text[:300]}"
        return answer.text

    def post(
        self, path: str, data: dict[str, str] | None = None, *, headers: dict[str, str] | None = None
    ) -> httpx.Response:
        """Send a form with a good token."""
        token = re.search(r'name="csrf" value="([^"]+)"', self.get("/me"))
        assert token
        return self.http.post(path, data={"csrf": token[1], **(data or {})}, headers=headers)


@pytest.fixture(scope="module")
def ana(home: Home) -> Iterator[Client]:
    client = Client(home, ANA)
    yield client
    client.http.close()


@pytest.fixture(scope="module")
def observer(home: Home) -> Iterator[Client]:
    home.person("olga.web@example.org", "Olga Observer", "observer")
    client = Client(home, "olga.web@example.org")
    yield client
    client.http.close()


def opened_paths(home: Home, ana: Client) -> list[str]:
    """Return a real path for every page."""
    short = home.pages_ana("EveryPage")
    source = home.house.source()
    source.give(firing("EveryPageToo"))
    found = re.search(r"/deliveries/([0-9a-f-]{36})", ana.get("/deliveries"))
    assert found
    house = home.house
    lead = Lead(home)
    rota = lead.schedule(f"Every page {short}", house.ana["id"], house.bo["id"], week="some", day=["M", "W"])
    incident = opened(lead, f"Every page {short}", alert=short)
    lead.http.close()
    return [
        *PLAIN, incident, f"{incident}/edit", f"{incident}/retrospective", f"{incident}/retrospective?edit=new", rota, f"{rota}/override", f"{rota}/edit", f"{rota}/rotations/new", f"/alerts/{short}", f"/account/alerts/{short}", f"/integrations/{source.id}", f"/deliveries/{found[1]}",
        f"/people/{home.ana}", f"/teams/{house.team['id']}", f"/services/{house.service['id']}",
        f"/policies/{house.policy['id']}",
    ]  # fmt: skip


# ---------------------------------------------------------------- permissions


def test_every_route_says_its_permission() -> None:
    silent = [
        sorted(handler.paths)
        for handler in HANDLERS
        if not isinstance(handler.opt.get("permission"), Permission)
    ]
    assert silent == []


def test_only_known_routes_are_public() -> None:
    public = {path for h in HANDLERS if h.opt["permission"] is Permission.PUBLIC for path in h.paths}
    assert public == PUBLIC


def test_only_links_of_messages_take_posts_without_a_form() -> None:
    assert {path for h in HANDLERS if h.opt.get("signed") for path in h.paths} == {
        "/a/{token:str}/{wanted:str}",
        "/follow/{token:str}",
    }


def test_what_a_role_may_not_is_refused_and_says_so(home: Home, observer: Client) -> None:
    short = home.pages_ana("NotForObservers")
    answer = observer.post(f"/alerts/{short}/acknowledge")
    assert answer.status_code == 403
    assert "Your role does not allow this" in answer.text
    assert observer.http.get("/settings").status_code == 403
    for path in ("/teams", "/policies", "/services", "/integrations", "/people"):
        assert observer.post(path, {"name": "x", "email": "x@y.z"}).status_code == 403


def test_a_secret_is_shown_to_nobody_who_may_not_connect(home: Home, ana: Client, observer: Client) -> None:
    source = home.house.source()
    assert source.secret in ana.get(f"/integrations/{source.id}")
    seen = observer.get(f"/integrations/{source.id}")
    assert source.secret not in seen
    assert "an administrator may" in seen


def test_strangers_are_asked_to_log_in_and_learn_nothing(home: Home) -> None:
    with httpx.Client(base_url=home.url("")) as stranger:
        for path in (*PLAIN[:-1], "/alerts/AAAAAA", "/live", "/ring"):
            answer = stranger.get(path)
            assert (answer.status_code, answer.headers["location"][:6]) == (303, "/login"), path
        assert stranger.post("/alerts/AAAAAA/acknowledge").status_code == 401


# ---------------------------------------------------------------- headers and content


def test_every_page_is_free_of_inline_code_and_other_hosts(home: Home, ana: Client) -> None:
    for path in opened_paths(home, ana):
        answer = ana.http.get(path, follow_redirects=True)
        assert answer.status_code == 200, path
        policy = answer.headers["content-security-policy"]
        assert "unsafe" not in policy and "default-src 'none'" in policy and "http" not in policy
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["cache-control"] == "no-store"
        assert INLINE.findall(re.sub(r"<pre.*?</pre>", "", answer.text, flags=re.DOTALL)) == [], path
        assert (
            re.findall(r'(?:src|href|action)="(?:https?:)?//[^"]*"', answer.text) == []
            or "rel=" in answer.text
        )


def test_pages_are_small_on_the_wire(home: Home, ana: Client) -> None:
    for path in opened_paths(home, ana):
        with ana.http.stream("GET", path) as answer:
            raw = sum(len(part) for part in answer.iter_raw())
        assert raw < 15_000, f"{path}: {raw}"


def test_scripts_and_styles_are_cached_for_ever_and_small(home: Home, ana: Client) -> None:
    for kind in ("css", "js"):
        found = re.search(rf'"(/static/app-[0-9a-f]+\.{kind})"', ana.get("/"))
        assert found, "the assets are not built: python hatch_build.py"
        with ana.http.stream("GET", found[1]) as answer:
            assert "immutable" in answer.headers["cache-control"]
            assert sum(len(part) for part in answer.iter_raw()) < 12_000


def test_what_is_not_there_is_said_to_be_missing(home: Home, ana: Client) -> None:
    nobody = "00000000-0000-7000-8000-000000000000"
    for path in ("/nope", "/alerts/AAAAAA", f"/alerts/{nobody}", f"/integrations/{nobody}", f"/deliveries/{nobody}",
                 "/people/1", f"/teams/{nobody}", f"/services/{nobody}", f"/policies/{nobody}", "/static/../../etc/passwd",
                 "/static/nope.js"):  # fmt: skip
        assert ana.http.get(path).status_code == 404, path


@pytest.mark.parametrize(
    "query", ["status=x", "after=x", "after=9e99.0", "q=%00", "q=" + "a" * 5000, "q=a%3D~%22(%3F%3Dx)%22"]
)
def test_odd_queries_break_nothing(ana: Client, query: str) -> None:
    ana.get(f"/alerts?{query}")
    ana.get(f"/deliveries?{query}&source=x&before=y&outcome=z")


# ---------------------------------------------------------------- forms


def test_a_form_without_its_token_is_refused(home: Home, ana: Client) -> None:
    short = home.pages_ana("NoToken")
    for data in ({}, {"csrf": "0" * 96}, {"csrf": ""}):
        assert ana.http.post(f"/alerts/{short}/acknowledge", data=data).status_code == 403
    assert home.house.api.one(f"/alerts/{short}")["status"] == "triggered"


def test_a_form_of_another_site_is_refused(home: Home, ana: Client) -> None:
    short = home.pages_ana("OtherSite")
    for headers in (
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Origin": "https://evil.example"},
    ):
        assert ana.post(f"/alerts/{short}/acknowledge", headers=headers).status_code == 403
    with httpx.Client(base_url=home.url("")) as stranger:
        sent = {"email": ANA, "password": PASSWORD}
        assert (
            stranger.post("/login", data=sent, headers={"Origin": "https://evil.example"}).status_code == 403
        )


def test_too_late_is_said_on_the_page_one_came_from(home: Home, ana: Client) -> None:
    source = home.house.source()
    short = source.give(firing("OpenOnly")).results[0]["short_id"]
    answer = ana.post(f"/alerts/{short}/acknowledge", headers={"Referer": home.url(f"/alerts/{short}")})
    assert (answer.status_code, answer.headers["location"]) == (303, f"/alerts/{short}")
    assert "only a triggered alert can be acknowledged" in ana.get(f"/alerts/{short}")


def test_logging_in_leads_nowhere_else(home: Home) -> None:
    for wanted in ("//evil.example", "https://evil.example", "/\\evil.example"):
        with httpx.Client(base_url=home.url("")) as stranger:
            answer = stranger.post("/login", data={"email": ANA, "password": PASSWORD, "next": wanted})
            assert answer.headers["location"] == "/"
            assert (
                "HttpOnly" in answer.headers["set-cookie"] and "SameSite=lax" in answer.headers["set-cookie"]
            )


def test_logging_out_ends_the_session_for_good(home: Home) -> None:
    client = Client(home, ANA)
    cookie = client.http.cookies["nightbell"]
    assert client.post("/logout").status_code == 303
    assert httpx.get(home.url("/"), cookies={"nightbell": cookie}).status_code == 303


# ---------------------------------------------------------------- the link of a message


def linked(home: Home, name: str) -> tuple[str, str]:
    """Page Ana (of the house) and return the alert's short id and the link in her mail."""
    source = home.house.source()
    person = home.house.ana
    short = source.give(firing(name, severity="critical"), f"/notify/User/{person['id']}").results[0][
        "short_id"
    ]
    mail = home.house.mailed(source.alert(), person)[0]
    body = mail.message.get_body(("plain",))
    assert body
    found = re.search(rf"{re.escape(home.url('/a/'))}[\w-]+", body.get_content())
    assert found, body.get_content()
    return short, found[0]


def test_the_link_page_is_one_small_request_that_changes_nothing(home: Home) -> None:
    short, link = linked(home, "ByLink")
    for suffix in ("", "/acknowledge", "/snooze", "/escalate", "/nonsense"):
        answer = httpx.get(link + suffix)
        assert answer.status_code == 200
        assert len(answer.content) < 15_000
        assert "<script" not in answer.text and re.findall(r'<link[^>]*href="(?!data:)', answer.text) == []
        assert "unsafe" not in answer.headers["content-security-policy"]
        assert answer.headers["referrer-policy"] == "no-referrer"
    assert home.house.api.one(f"/alerts/{short}")["status"] == "triggered"


def test_a_link_acknowledges_in_the_name_of_its_person_and_twice_is_once(home: Home) -> None:
    short, link = linked(home, "TakenByLink")
    # As an app posts it: no cookie, no form, perhaps from another origin.
    first = httpx.post(f"{link}/acknowledge", headers={"Origin": "https://ntfy.example"})
    assert first.status_code == 200 and "Acknowledged." in first.text
    assert "had acknowledged it already" in httpx.post(f"{link}/acknowledge").text
    alert = home.house.api.one(f"/alerts/{short}")
    assert alert["status"] == "acknowledged"
    assert "Acknowledged by Ana." in home.house.said(alert, "alert.acknowledged")


def test_a_link_that_was_changed_or_is_for_something_else_is_refused(home: Home) -> None:
    _, link = linked(home, "Tampered")
    token = link.rsplit("/", 1)[1]
    for wrong in (token[:-2], token + "AA", "A" * len(token), "x", "%00"):
        assert httpx.get(home.url(f"/a/{wrong}")).status_code == 403
    assert httpx.post(f"{link}/reassign").status_code == 404
    assert httpx.post(link).status_code == 405


def test_a_link_on_a_resolved_alert_says_it_is_over(home: Home) -> None:
    short, link = linked(home, "OverByLink")
    home.house.api.ask("POST", f"/alerts/{short}/resolve", {}, status=200)
    assert "nothing left to do" in httpx.get(link).text
    assert httpx.post(f"{link}/acknowledge").status_code == 409


# ---------------------------------------------------------------- live


def test_the_stream_says_that_something_changed(home: Home, ana: Client) -> None:
    until = datetime.now(UTC) + timedelta(seconds=10)
    with ana.http.stream("GET", "/live") as answer:
        assert answer.headers["content-type"].startswith("text/event-stream")
        lines = answer.iter_lines()
        assert next(lines).startswith("retry:")
        home.house.source().give(firing("Streamed"))
        for line in lines:
            assert datetime.now(UTC) < until
            if line == "data: alerts":
                break
