"""Rows A20 to A26: escalation by HTTP alone, on a program whose clock stands still. Phones are web hooks."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from nightbell.testing.world import Rule
from support.household import Json
from support.served import Served, served

pytestmark = [pytest.mark.timeout(240), pytest.mark.slow]

SMS = [Rule("sms", 0)]
WEEK = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


class Desk:
    """A program with Ana, Bo and Cy, and what their phones heard."""

    def __init__(self, world: Served) -> None:
        self.world = world
        self.api = world.api
        self._seen = 0
        self._alerts = 0

    async def begin(self) -> None:
        """Make the people."""
        for name in ("ana", "bo", "cy"):
            await self.world.person(name, SMS)

    def target(self, name: str) -> Json:
        """Return somebody as whom a level pages."""
        return {"type": "user", "id": str(self.world._people[name]["id"])}

    def policy(self, *levels: tuple[list[Json], int], **policy: Any) -> Json:
        """Make a policy of levels: whom, and the minutes before the next."""
        self._alerts += 1
        made = self.api.add("/escalation_policies", **{"name": f"EP {self._alerts}", **policy})
        for position, (whom, delay) in enumerate(levels, 1):
            self.level(f"/escalation_policies/{made['id']}", whom, delay, position)
        return made

    def level(self, parent: str, whom: list[Json], delay: int, position: int = 1, **more: Any) -> Json:
        """Add a level."""
        said = {"notification_target_params": whom, "delay": delay, "position": position, **more}
        return self.api.add(f"{parent}/escalation_levels", **said)

    async def alert(self, policy: Json, **more: Any) -> str:
        """Make an alert for a policy and return its id."""
        self._alerts += 1
        target = {"notification_target_type": "EscalationPolicy", "notification_target_id": policy["id"]}
        made = self.api.add("/alerts", summary=f"Alert {self._alerts}", **target, **more)
        await self.world.until_now()
        return str(made["id"])

    async def after(self, minutes: float) -> list[str]:
        """Let time pass and return who was paged meanwhile."""
        self.world.now += timedelta(minutes=minutes)
        await self.world.until_now()
        return await self.heard()

    async def heard(self) -> list[str]:
        """Return who was paged since the last look."""
        every = [one.who for one in await self.world.heard()]
        self._seen, fresh = len(every), every[self._seen :]
        return sorted(fresh)

    async def act(self, alert: str, what: str, code: int = 200, **said: Any) -> Json:
        """Do something about an alert, expecting an answer."""
        answer = self.api.send("POST", f"/alerts/{alert}/{what}", said)
        assert answer.status_code == code, answer.text
        await self.world.until_now()
        shown: Json = answer.json()
        return shown

    def state(self, alert: str) -> Json:
        """Return an alert as it stands."""
        return self.api.one(f"/alerts/{alert}")

    def codes(self, alert: str) -> list[str]:
        """Return the codes of an alert's timeline."""
        return [one["code"] for one in self.api.list(f"/alerts/{alert}/events")]


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder: Path = tmp_path_factory.mktemp("escalation")
    with served(folder) as world:
        yield world


@pytest.fixture(scope="module")
def made(world: Served) -> dict[str, Desk]:
    return {}


@pytest.fixture
async def desk(world: Served, made: dict[str, Desk]) -> Desk:
    if "desk" not in made:
        made["desk"] = Desk(world)
        await made["desk"].begin()
    await made["desk"].heard()
    return made["desk"]


async def test_a20_nobody_on_call_and_nobody_reachable(desk: Desk) -> None:
    mute = desk.api.add("/users", name="mute", email="mute@example.org", role="user")
    for method in desk.api.list(f"/users/{mute['id']}/contact_methods"):
        desk.api.ask("DELETE", f"/contact_methods/{method['id']}")
    schedule = desk.api.add("/schedules", name="Empty", time_zone="Etc/UTC")
    policy = desk.policy(
        ([{"type": "schedule", "id": schedule["id"]}], 30), ([{"type": "user", "id": str(mute["id"])}], 30)
    )
    warned = desk.api.ask("GET", f"/escalation_policies/{policy['id']}")["data"]["attributes"]["warnings"]
    assert [(one["code"], one["escalation_level_position"]) for one in warned] == [
        ("nobody", 1),
        ("nobody", 2),
    ]
    alert = await desk.alert(policy)
    codes = desk.codes(alert)
    assert codes.count("escalation.level_skipped") == 2
    assert "escalation.fallback" in codes
    assert desk.state(alert)["unpaged"] is True


async def test_a21_an_acknowledgement_stops_the_escalation(desk: Desk) -> None:
    alert = await desk.alert(desk.policy(([desk.target("ana")], 5), ([desk.target("bo")], 5)))
    assert await desk.heard() == ["ana"]
    await desk.act(alert, "acknowledge")
    assert desk.state(alert)["status"] == "acknowledged"
    assert await desk.after(20) == []
    await desk.act(alert, "acknowledge")
    quiet = desk.api.add("/alerts", summary="Quiet", status="open")["id"]
    await desk.act(quiet, "acknowledge", 400)


async def test_a22_an_acknowledgement_is_over_and_a_snooze_postpones(desk: Desk) -> None:
    slow = desk.api.add(
        "/alert_urgencies", name="Slow", description="", position=9, retrigger_timeout_minutes=10
    )
    policy = desk.policy(([desk.target("ana")], 5), ([desk.target("bo")], 5))
    alert = await desk.alert(policy, alert_urgency_id=slow["id"])
    assert await desk.heard() == ["ana"]
    await desk.act(alert, "acknowledge")
    assert await desk.after(9) == []
    assert await desk.after(1) == ["ana"]
    assert desk.state(alert)["status"] == "triggered"
    assert "alert.acknowledgement_over" in desk.codes(alert)
    await desk.act(alert, "snooze", delay_minutes=60)
    assert await desk.after(59) == []
    assert await desk.after(1) == ["ana"]
    assert await desk.after(5) == ["bo"]
    await desk.act(alert, "snooze", 400, delay_minutes=0)
    await desk.act(alert, "resolve")


async def test_a23_escalating_by_the_api(desk: Desk) -> None:
    policy = desk.policy(([desk.target("ana")], 60), ([desk.target("bo")], 60))
    other = desk.policy(([desk.target("cy")], 60))
    alert = await desk.alert(policy)
    assert await desk.heard() == ["ana"]
    await desk.act(alert, "escalate")
    assert await desk.heard() == ["bo"]
    await desk.act(alert, "escalate", escalation_policy_level=1)
    assert await desk.heard() == ["ana"]
    await desk.act(alert, "escalate", 422, escalation_policy_level=99)
    await desk.act(alert, "escalate", escalation_policy_id=other["id"])
    assert await desk.heard() == ["cy"]
    await desk.act(alert, "escalate", 422, escalation_policy_id=alert)
    await desk.act(alert, "resolve")


async def test_a24_three_rounds_and_then_nobody(desk: Desk) -> None:
    policy = desk.policy(([desk.target("ana")], 5), ([desk.target("bo")], 5))
    [path] = desk.api.list(f"/escalation_policies/{policy['id']}/escalation_paths")
    desk.api.ask("PUT", f"/escalation_paths/{path['id']}", {"repeat": True, "repeat_count": 2})
    alert = await desk.alert(policy)
    assert await desk.heard() == ["ana"]
    assert [await desk.after(5) for _ in range(5)] == [["bo"], ["ana"], ["bo"], ["ana"], ["bo"]]
    assert await desk.after(300) == []
    assert desk.state(alert)["status"] == "triggered"
    assert "escalation.exhausted" in desk.codes(alert)
    await desk.act(alert, "resolve")


async def test_a25_turns_go_on_after_a_restart(desk: Desk) -> None:
    policy = desk.policy()
    strategy: Json = {"paging_strategy_configuration_strategy": "alert"}
    desk.level(
        f"/escalation_policies/{policy['id']}", [desk.target("ana"), desk.target("bo")], 60, **strategy
    )
    turns = []
    for number in range(3):
        alert = await desk.alert(policy)
        turns += await desk.heard()
        await desk.act(alert, "resolve")
        await desk.heard()
        if number == 1:
            await desk.world.kill()
            await desk.world.wake()
    assert turns == ["ana", "bo", "ana"]


async def test_a26_a_medium_alert_waits_for_the_morning_and_a_high_one_does_not(desk: Desk) -> None:
    urgency = {one["name"]: one["id"] for one in desk.api.list("/alert_urgencies")}
    policy = desk.policy(([desk.target("ana")], 60))
    now = desk.world.now
    opens, closes = now - timedelta(hours=1), now + timedelta(hours=2)
    block = dict.fromkeys(WEEK, True) | {"start_time": f"{opens:%H:%M}", "end_time": f"{closes:%H:%M}"}
    rules = [
        {"rule_type": "alert_urgency", "urgency_ids": [urgency["Medium"]]},
        {"rule_type": "deferral_window", "time_zone": "Etc/UTC", "time_blocks": [block]},
    ]
    said = {"name": "Night", "path_type": "deferral", "rules": rules}
    desk.api.add(f"/escalation_policies/{policy['id']}/escalation_paths", **said)
    medium = await desk.alert(policy, alert_urgency_id=urgency["Medium"])
    assert desk.state(medium)["status"] == "deferred"
    assert await desk.heard() == []
    high = await desk.alert(policy, alert_urgency_id=urgency["High"])
    assert await desk.heard() == ["ana"]
    await desk.act(high, "resolve")
    assert await desk.after(121) == ["ana"]
    assert desk.state(medium)["status"] == "triggered"


async def test_work_that_comes_back_holds_a_service_each_time(desk: Desk) -> None:
    """Maintenance over the API: recurring, ended early; what still fires is paged then."""
    service = desk.api.add(
        "/services", name="held", escalation_policy_id=desk.policy(([desk.target("bo")], 60))["id"]
    )
    now = desk.world.now
    days = ["MTWRFUS"[now.weekday()]]
    block = {"days": days, "start_time": f"{now:%H:%M}", "end_time": f"{now + timedelta(hours=1):%H:%M}"}
    hours = {"time_zone": "Etc/UTC", "blocks": [block]}
    work = desk.api.add("/maintenances", name="Backups", service_ids=[service["id"]], hours=hours)
    target = {"notification_target_type": "Service", "notification_target_id": service["id"]}
    alert = desk.api.add("/alerts", summary="Held", **target)["id"]
    await desk.world.until_now()
    assert (desk.state(alert)["status"], await desk.heard()) == ("deferred", [])
    shown = desk.api.ask("GET", f"/maintenances/{work['id']}")["data"]["attributes"]
    assert shown["status"] == "active"
    await desk.act(alert, "escalate", 400)
    assert await desk.after(61) == ["bo"]
    await desk.act(alert, "resolve")
    assert await desk.after(7 * 1440 - 60) == []
    again = desk.api.add("/alerts", summary="Held again", **target)["id"]
    await desk.world.until_now()
    assert (desk.state(again)["status"], await desk.heard()) == ("deferred", [])
    desk.api.ask("POST", f"/maintenances/{work['id']}/end")
    await desk.world.until_now()
    assert await desk.heard() == ["bo"]
