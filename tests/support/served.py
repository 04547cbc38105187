"""The world of a running program: everything by HTTP, its clock moved by /testing/clock, phones that are web hooks."""

import json
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx

from nightbell.testing import payloads
from nightbell.testing.doubles import Double, Hang, Reply
from nightbell.testing.world import Alert, Entry, Heard, Needs, Policy, Rejected, Rule, Step
from support.household import WEBHOOK, Api, Json
from support.programs import Background, Nightbell, eventually

START = datetime(2027, 1, 1, tzinfo=UTC)
_PATIENCE = 90


class Served:
    """A world behind a port."""

    def __init__(
        self, folder: Path, background: Background, phones: Double, *, kind: str = "webhook"
    ) -> None:
        #: What the phones are: web hooks, which get every alert by itself, or ntfy topics, which get bundles.
        self.kind = kind
        self.folder = folder
        self.background = background
        self.phones = phones
        self.now = START
        self.program = self._program()
        self.program.start()
        self.token = self.program.owner()
        self.api = Api(self.program.url, self.token)
        self._hanging = False
        self._people: dict[str, Json] = {}
        self._apis: dict[str | None, Api] = {None: self.api}
        self._services: dict[str, Json] = {}
        self._sources: dict[str, Json] = {}
        self._work: list[Json] = []
        self._heartbeats: dict[str, Json] = {}
        self._groups: dict[Alert, payloads.Group] = {}

    def _program(self, port: int | None = None) -> Nightbell:
        settings = {"test_clock": self.now.isoformat(), "log_level": "warning"}
        return Nightbell(self.folder, port=port, settings=settings)

    def close(self) -> None:
        """End what runs."""
        for api in self._apis.values():
            api.close()
        self.program.stop()

    # ------------------------------------------------------------ who is there

    async def person(self, name: str, rules: Sequence[Rule]) -> None:
        """Make a person; each channel is a web hook of theirs, and what they were given by default goes."""
        made = self.api.add("/users", name=name, email=f"{name}@example.org", role="user")
        for method in self.api.list(f"/users/{made['id']}/contact_methods"):
            self.api.ask("DELETE", f"/contact_methods/{method['id']}")
        self._people[name] = made
        await self.add_rules(name, rules)

    async def add_rules(self, name: str, rules: Sequence[Rule]) -> None:
        """Add rules to a person who may be paged right now."""
        for rule in rules:
            method = self._method(self._people[name], name, rule.channel)
            self.api.add(
                f"/users/{self._people[name]['id']}/notification_rules",
                contact_method_id=method["id"],
                delay=int(rule.after),
                notification_type="audible",
            )
        await self.until_now()

    def _method(self, person: Json, name: str, channel: str) -> Json:
        path = f"/users/{person['id']}/contact_methods"
        known = [one for one in self.api.list(path) if one["name"] == channel]
        if known:
            return known[0]
        between = "/" if self.kind == "webhook" else "-"
        address = f"{self.phones.url}/{name}{between}{channel}"
        made = self.api.add(path, kind=self.kind, name=channel, address=address)
        for rule in self.api.list(f"/users/{person['id']}/notification_rules"):
            if rule["contact_method_id"] == made["id"]:
                self.api.ask("DELETE", f"/notification_rules/{rule['id']}")
        return made

    async def service(self, name: str, policy: Policy) -> None:
        """Make a service whose alerts are paged by a policy, and a source that sends them."""
        made = self._policy(f"policy of {name}", policy)
        service = self.api.add("/services", name=name, escalation_policy_id=made["id"])
        self._services[name] = service
        self._sources[name] = self.api.add("/alert_sources", name=name, source_type="alertmanager")

    def _policy(self, name: str, policy: Policy) -> Json:
        made = self.api.add("/escalation_policies", name=name, repeat_count=policy.repeat)
        for position, step in enumerate(policy.steps, 1):
            self.api.add(
                f"/escalation_policies/{made['id']}/escalation_levels", **self._level(position, step)
            )
        return made

    def _level(self, position: int, step: Step) -> Json:
        people = [{"type": "user", "id": self._people[name]["id"]} for name in step.people]
        said: Json = {"position": position, "delay": int(step.wait), "notification_target_params": people}
        said |= {"level_type": step.kind, "paging_strategy_configuration_strategy": step.strategy}
        said |= {"require_all_acknowledgements": step.all_must_acknowledge}
        if step.kind == "threshold":
            said |= {"threshold_count": step.count, "threshold_minutes": step.minutes}
        return said

    # ------------------------------------------------------------ what happens

    async def fire(self, alert: Alert, hosts: Sequence[str]) -> None:
        """Let an alert fire on hosts beside those it fires on."""
        self._group(alert).fires(*hosts, at=self.now)
        before = len(self.phones.requests)
        self._post(alert)
        if self._hanging:
            eventually(lambda: len(self.phones.requests) > before, what="the call that hangs")
            return
        await self.until_now()

    async def fire_together(self, alerts: Sequence[Alert]) -> None:
        """Let several new alerts fire at one moment."""
        for alert in alerts:
            self._group(alert).fires("host-1", at=self.now)
        if self.kind == "webhook":
            for alert in alerts:
                self._post(alert)
        else:
            # What Alertmanager groups by service comes in one request, and so is due at one moment.
            members = [one for alert in alerts for one in self._group(alert).document()["alerts"]]
            service = alerts[0].service
            self._send(service, payloads.webhook(members, group_labels={"service": service}))
        await self.until_now()

    async def resolve(self, alert: Alert) -> None:
        """Let the source say that an alert is over."""
        self._group(alert).ends(at=self.now)
        self._post(alert)
        await self.until_now()

    def _group(self, alert: Alert) -> payloads.Group:
        labels = {"service": alert.service}
        return self._groups.setdefault(alert, payloads.Group(alert.key, labels=labels))

    def _post(self, alert: Alert) -> None:
        self._send(alert.service, self._group(alert).document())

    def _send(self, name: str, document: Json) -> None:
        service, secret = self._services[name]["id"], self._sources[name]["secret"]
        answer = httpx.post(
            f"{self.program.url}{WEBHOOK}/notify/Service/{service}",
            content=payloads.body(document),
            headers={"Authorization": f"Bearer {secret}"},
            timeout=_PATIENCE,
        )
        assert answer.status_code == 200, answer.text

    async def act(
        self, what: str, alert: Alert, who: str | None, *, minutes: float = 0, level: int | None = None
    ) -> None:
        """Let somebody act by the API, with a token of their own."""
        more: Json = {"delay_minutes": int(minutes)} if what == "snooze" else {}
        more |= {"escalation_policy_level": level} if level else {}
        self._act(self._api(who), what, self._row(alert)["id"], more)
        await self.until_now()

    def _act(self, api: Api, what: str, ident: str, more: Json) -> None:
        answer = api.send("POST", f"/alerts/{ident}/{what}", more)
        if answer.status_code >= 400:
            raise Rejected(answer.text)

    def _api(self, who: str | None) -> Api:
        if who not in self._apis:
            token = self.program.run("token", "create", "--user", f"{who}@example.org")
            self._apis[who] = Api(self.program.url, token)
        return self._apis[who]

    async def reply(self, who: str, code: str) -> None:
        """Let somebody press what their last message offers: it takes every alert that it named."""
        sent = [json.loads(request.body) for request in self.phones.requests]
        last = [one for one in sent if one["topic"].startswith(f"{who}-") and one["actions"]][-1]
        answer = httpx.post(last["actions"][0]["url"], timeout=_PATIENCE)
        assert answer.status_code == 200, answer.text
        await self.until_now()

    async def escalate_together(self, alert: Alert, times: int) -> None:
        """Let several people answer the same page with Escalate."""
        raise Needs("an API that answers a page")

    async def acknowledge_together(self, alert: Alert, people: Sequence[str | None]) -> None:
        """Let people acknowledge at the same moment."""
        ident = self._row(alert)["id"]
        apis = [self._api(who) for who in people]
        with ThreadPoolExecutor(len(apis)) as pool:
            list(pool.map(lambda api: self._act(api, "acknowledge", ident, {}), apis))
        await self.until_now()

    async def repeat_firing(self, alert: Alert) -> None:
        """Let another peer of the source send the last firing once more."""
        self._post(alert)
        await self.until_now()

    async def reassign(self, alert: Alert, to: str) -> None:
        """Let somebody hand an alert to another person."""
        said = {"notification_target_type": "User", "notification_target_id": self._people[to]["id"]}
        self.api.ask("PATCH", f"/alerts/{self._row(alert)['id']}", said)
        await self.until_now()

    async def ask(self, alert: Alert, who: str | None, others: Sequence[str]) -> None:
        """Let somebody ask others to help."""
        said = {"user_ids": [self._people[name]["id"] for name in others]}
        self._act(self._api(who), "add_responders", self._row(alert)["id"], said)
        await self.until_now()

    async def start_over(self, alert: Alert, who: str | None) -> None:
        """Let somebody start the escalation over, by the policies as they are now."""
        self._act(self._api(who), "restart", self._row(alert)["id"], {})
        await self.until_now()

    async def holds(self, minutes: int, where: str) -> None:
        """Say how long an acknowledgement holds."""
        said = {"retrigger_timeout_minutes": minutes}
        match where:
            case "urgency":
                for row in self.api.list("/alert_urgencies"):
                    self.api.ask("PUT", f"/alert_urgencies/{row['id']}", said)
            case "source":
                for source in self._sources.values():
                    self.api.ask("PUT", f"/alert_sources/{source['id']}", said)
            case "policy":
                for policy in self.api.list("/escalation_policies"):
                    for path in self.api.list(f"/escalation_policies/{policy['id']}/escalation_paths"):
                        self.api.ask("PUT", f"/escalation_paths/{path['id']}", said)
            case _:
                holds = {"timeout_enabled": True, "timeout_minutes": minutes}
                self.api.ask("PUT", "/alert_configuration", {"alert_acknowledgment": holds})

    async def change_step(self, service: str, number: int, people: Sequence[str]) -> None:
        """Let a step of a service's policy page others from now on."""
        targets = [{"type": "user", "id": self._people[name]["id"]} for name in people]
        said = {"notification_target_params": targets}
        self.api.ask("PUT", f"/escalation_levels/{self._step(service, number)}", said)

    def _step(self, service: str, number: int) -> str:
        policy = self._services[service]["escalation_policy_id"]
        levels = self.api.list(f"/escalation_policies/{policy}/escalation_levels")
        return next(str(one["id"]) for one in levels if one["position"] == number)

    async def change_wait(self, service: str, number: int, minutes: int) -> None:
        """Let a step of a service's policy be followed after another time from now on."""
        self.api.ask("PUT", f"/escalation_levels/{self._step(service, number)}", {"delay": minutes})

    async def remove_step(self, service: str, number: int) -> None:
        """Take a step from a service's policy."""
        self.api.ask("DELETE", f"/escalation_levels/{self._step(service, number)}")

    async def switch_policy(self, service: str, policy: Policy) -> None:
        """Give a service another policy, whatever is paged by the one it had."""
        made = self._policy(f"other policy of {service}", policy)
        said = {"escalation_policy_id": made["id"]}
        self._services[service] |= said
        self.api.ask("PUT", f"/services/{self._services[service]['id']}", said)

    async def lose_channel(self, name: str, channel: str) -> None:
        """Take a channel from a person."""
        method = self._method(self._people[name], name, channel)
        self.api.ask("DELETE", f"/contact_methods/{method['id']}")

    async def leave(self, name: str) -> None:
        """Let a person leave."""
        raise Needs("people who leave in a case over HTTP")

    async def answer(self, how: str, channel: str, times: int) -> None:
        """Let the provider of a channel answer so."""
        raise Needs("providers that fail in a case over HTTP")

    async def report(self, channel: str, *, arrived: bool) -> None:
        """Let the provider of a channel say whether its last message arrived."""
        raise Needs("providers that report in a case over HTTP")

    async def lose_node(self) -> None:
        """Kill one of several engines."""
        raise Needs("several programs in a case over HTTP")

    async def maintain(self, service: str, minutes: float) -> None:
        """Begin planned work on a service."""
        ids = [self._services[service]["id"]]
        ends = self.now + timedelta(minutes=minutes)
        work = {"name": f"Work on {service}", "service_ids": ids, "ends_at": ends.isoformat()}
        self._work.append(self.api.add("/maintenances", **work))

    async def end_maintenance(self) -> None:
        """End all planned work now."""
        for work in self._work:
            self.api.ask("POST", f"/maintenances/{work['id']}/end")
        self._work.clear()
        await self.until_now()

    async def heartbeat(self, name: str, service: str, minutes: float, *, enabled: bool) -> None:
        """Make a heartbeat whose silence is paged as a service's alerts are."""
        self._heartbeats[name] = self.api.add(
            "/heartbeats",
            name=name,
            alert_summary=f"Heartbeat {name} is silent",
            interval=int(minutes),
            interval_unit="minutes",
            notification_target_type="Service",
            notification_target_id=self._services[service]["id"],
            enabled=enabled,
        )

    async def beat(self, name: str) -> None:
        """Let a heartbeat beat, with its own secret."""
        heartbeat = self._heartbeats[name]
        fields = {"Authorization": f"Bearer {heartbeat['secret']}"}
        url = f"{self.program.url}/v1/heartbeats/{heartbeat['id']}/ping"
        answer = httpx.post(url, headers=fields, timeout=_PATIENCE)
        assert answer.status_code == 204, answer.text
        await self.until_now()

    async def switch_heartbeat(self, name: str, *, enabled: bool) -> None:
        """Switch a heartbeat on or off."""
        self.api.ask("PUT", f"/heartbeats/{self._heartbeats[name]['id']}", {"enabled": enabled})
        await self.until_now()

    async def delete_heartbeat(self, name: str) -> None:
        """Delete a heartbeat."""
        self.api.ask("DELETE", f"/heartbeats/{self._heartbeats.pop(name)['id']}")
        await self.until_now()

    # ------------------------------------------------------------ machines and time

    async def pause(self) -> None:
        """Do nothing: this world takes in and does in one go."""

    async def sleep(self) -> None:
        """Stop the program in good order."""
        self.program.stop()

    async def hang(self) -> None:
        """Let the provider take the next message and never answer."""
        self._hanging = True
        self.phones.will(Hang())

    async def kill(self) -> None:
        """End the program without a warning."""
        self.program.kill()

    async def wake(self) -> None:
        """Start it again, at the time it would be."""
        self._hanging = False
        self.program = self._program(self.program.port)
        self.program.start()
        await self.until_now()

    async def until(self, minute: float) -> None:
        """Let time pass; where nothing runs it passes all the same."""
        self.now = START + timedelta(minutes=minute)
        await self.until_now()

    async def until_now(self) -> None:
        """Let the program come to the present, with nothing left to do."""
        if not self.program.alive() or self._hanging:
            return
        answer = httpx.post(
            f"{self.program.url}/testing/clock", json={"to": self.now.isoformat()}, timeout=_PATIENCE
        )
        assert answer.status_code == 200, answer.text

    # ------------------------------------------------------------ what can be seen

    async def heard(self) -> list[Heard]:
        """Return all pages so far."""
        if self.kind == "ntfy":
            return [_published(json.loads(request.body)) for request in list(self.phones.requests)]
        return [
            Heard(
                who=request.path.split("/")[1],
                channel=request.path.split("/")[2],
                text=f"{data['title']}\n{data['body']}",
                labels=data["labels"],
            )
            for request in list(self.phones.requests)
            if (data := json.loads(request.body)["data"])["purpose"] == "page"
        ]

    async def status(self, alert: Alert) -> str:
        """Return where an alert stands."""
        return str(self._row(alert)["status"])

    async def entries(self, alert: Alert) -> list[Entry]:
        """Return the timeline of an alert."""
        events = self.api.list(f"/alerts/{self._row(alert)['id']}/events")
        return [Entry(e["action"], e["code"], e["details"] or "") for e in reversed(events)]

    async def count(self, status: str) -> int:
        """Return how many alerts stand there."""
        return len(self.api.list("/alerts", status=status))

    def _row(self, alert: Alert) -> Json:
        source = self._sources[alert.service]["id"]
        found = [a for a in self.api.list("/alerts", source=source) if a["external_id"] == alert.key]
        if not found:
            raise Rejected(f"there is no {alert.key} on {alert.service}")
        return found[0]


def _published(data: Json) -> Heard:
    who, _, channel = data["topic"].partition("-")
    return Heard(who=who, channel=channel, text=f"{data['title']}\n{data['message']}", labels={})


@contextmanager
def served(folder: Path, *, kind: str = "webhook") -> Iterator[Served]:
    """Start a program with a test clock and the phones it reaches; all of it ends with the block."""
    background, phones = Background(), Double(always=Reply())
    background.do(phones.start())
    try:
        world = Served(folder, background, phones, kind=kind)
        try:
            yield world
        finally:
            world.close()
    finally:
        background.do(phones.stop())
        background.close()
