"""Every page in both themes, on a desk and on a phone: accessible (axe), inside its width, quiet on the console."""

import importlib.util
import subprocess
import sys

import pytest
from playwright.sync_api import Browser, Page

from support.browser import ANA, Home, Watch, firing, logged_in
from support.coordinated import ids, opened
from support.household import House
from support.programs import ROOT, eventually
from support.rota import Lead

_spec = importlib.util.spec_from_file_location("hatch_build", ROOT / "hatch_build.py")
assert _spec and _spec.loader
hatch_build = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(hatch_build)

pytestmark = [pytest.mark.real, pytest.mark.timeout(240)]
AXE = ROOT / "frontend" / "node_modules" / "axe-core" / "axe.min.js"
WIDTHS = {"desk": (1280, 900), "phone": (390, 844)}
PLAIN = (
    "/", "/alerts?status=all", "/integrations", "/integrations/webhooks", "/deliveries", "/me", "/people", "/teams", "/services", "/policies",
    "/schedules", "/maintenances", "/settings", "/routing", "/routing/new", "/workflows", "/workflows/new?kind=incident", "/urgencies", "/heartbeats", "/auditor", "/ledger",
    "/nope", "/incidents?status=all", "/incidents/new", "/action-items", "/incident-roles",
    "/retrospective-template", "/status-pages", "/incidents/plan", "/incidents/statistics", "/status/looked-at/history",
)  # fmt: skip
RULES = {"runOnly": ["wcag2a", "wcag2aa", "wcag21aa", "wcag22aa"]}


@pytest.fixture(scope="session")
def axe() -> str:
    """The text of axe-core, as package-lock.json pins it."""
    if not AXE.exists():
        subprocess.run([sys.executable, ROOT / "hatch_build.py", "--dev"], cwd=ROOT, check=True)
    return AXE.read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def paths(home: Home) -> list[str]:
    """Every page there is, with something on it."""
    source = home.house.source()
    short = home.pages_ana("Looked at", source)
    resolved = source.give(firing("Over")).results[0]["short_id"]
    home.house.api.ask("POST", f"/alerts/{resolved}/resolve", {})
    source.post(b"[")
    house = home.house
    lead = Lead(home)
    rota = lead.schedule("Looked at", house.ana["id"], house.bo["id"], week="some", day=["M", "W"])
    incident = opened(lead, "Looked at", alert=short, summary="A *summary* of it")
    lead.made(
        f"{incident}/notes",
        {"text": f"Seen `by` all\n\n```\n{'long ' * 60}\n```", "link": "https://example.org"},
    )
    lead.made(f"{incident}/items", {"summary": "Look again", "owner": home.ana, "due": "2026-11-01"})
    item, event = ids(lead, incident, "items")[0], ids(lead, incident, "events")[0]
    public = published(lead, incident, house.service["id"])
    lead.http.close()
    target = {"notification_target_type": "User", "notification_target_id": house.ana["id"]}
    every = {"interval": 5, "interval_unit": "minutes", "enabled": True}
    beat = house.api.add("/heartbeats", name="Looked at", alert_summary="Silent", **every, **target)
    hook = {"url": "https://hooks.example.org/x", "event_types": ["incident.created"]}
    endpoint = house.api.add("/webhooks/endpoints", name="Looked at", **hook)
    ran = _ran(house)
    return [
        ran, ran.rpartition("/")[0], incident, f"{incident}/retrospective?edit=new", f"{incident}/items/{item}",
        f"{incident}/events/{event}", public, "/status/looked-at", f"/heartbeats/{beat['id']}", f"/integrations/webhooks/{endpoint['id']}", *PLAIN, rota, f"{rota}/override", f"{rota}/edit", f"{rota}/rotations/new", f"/alerts/{short}", f"/alerts/{resolved}", f"/integrations/{source.id}",
        f"/deliveries/{source.deliveries()[-1]['id']}", f"/people/{home.ana}", f"/teams/{house.team['id']}",
        f"/services/{house.service['id']}", f"/policies/{house.policy['id']}", f"/policies/{house.policy['id']}/paths/new",
        f"/policies/{house.policy['id']}/paths/new?kind=deferral",
    ]  # fmt: skip


def _ran(house: House) -> str:
    """Run a workflow by hand and return the path of the run."""
    workflow = house.api.add(
        "/workflows", name="Looked at", trigger_params={"trigger_type": "simple", "triggers": []}
    )
    for params in (
        {"task_type": "print", "message": "a long line " * 30},
        {"task_type": "create_jira_issue", "title": "x"},
        {"task_type": "wait", "duration": "2 hours"},
        {"task_type": "print", "message": "later"},
    ):
        house.api.add(f"/workflows/{workflow['id']}/workflow_tasks", task_params=params)
    path = f"/workflows/{workflow['id']}/workflow_runs"
    run = house.api.add(path, context={"why": "to be looked at"})
    return f"/workflows/{workflow['id']}/runs/{run['id']}"


def published(lead: Lead, incident: str, service: str) -> str:
    """Publish something of an incident and return the path of the status page's settings."""
    made = lead.made("/status-pages", {"title": "Looked at"})
    shown: dict[str, object] = {
        "title": "Looked at",
        "shown": service,
        "service": service,
        "place": "1",
        "time_zone": "Etc/UTC",
    }
    lead.made(made, {**shown, "enabled": "1", "footer": "At the foot"})
    said: dict[str, object] = {
        "page": made.rpartition("/")[2],
        "status": "identified",
        "event": "We look.",
        "impact": "degraded",
    }
    lead.made(f"{incident}/publish", said)
    eventually(lambda: "We look." in lead.http.get("/status/looked-at").text)
    return made


@pytest.mark.parametrize(("theme", "width"), [("dark", "desk"), ("light", "phone"), ("light", "desk")])
def test_every_page_is_accessible_and_fits(
    home: Home, browser: Browser, axe: str, paths: list[str], theme: str, width: str
) -> None:
    across, down = WIDTHS[width]
    context = browser.new_context(viewport={"width": across, "height": down}, reduced_motion="reduce")
    watch = Watch(home.url(""))
    page = watch.follow(logged_in(context, home.url(""), ANA))
    context.add_cookies([{"name": "nightbell_theme", "value": theme, "url": home.url("")}])
    wrong = [found for path in paths for found in faults(page, home.url(path), axe)]
    context.close()
    assert "\n".join(wrong) == ""
    assert watch.wrong == []


def test_the_log_in_and_link_pages_are_accessible(home: Home, browser: Browser, axe: str) -> None:
    context = browser.new_context(viewport={"width": 390, "height": 844})
    page = context.new_page()
    assert faults(page, home.url("/login"), axe) == []
    context.close()


def faults(page: Page, address: str, axe: str) -> list[str]:
    """Return what axe calls serious, and how far the page is wider than its window."""
    page.goto(address)
    page.evaluate(axe)
    found = page.evaluate("rules => axe.run(document, rules)", RULES)
    serious = [v for v in found["violations"] if v["impact"] in ("serious", "critical")]
    wrong = [f"{address}: {v['id']}: {node['html'][:160]}" for v in serious for node in v["nodes"][:3]]
    over = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    return [*wrong, f"{address}: {over} px too wide"] if over > 0 else wrong


def test_the_scripts_of_the_pages_type_check(axe: str) -> None:
    """`axe` installs what package-lock.json names for development, the compiler with it."""
    command = [*hatch_build.tools()[0], "node_modules/typescript/bin/tsc", "--noEmit"]
    done = subprocess.run(command, cwd=ROOT / "frontend", capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
