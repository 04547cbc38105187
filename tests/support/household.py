"""A running installation with people in it, and senders that post to it: what the tests from outside look at.

Nothing here looks into the database: what counts is what a client of the API, a sender and a mailbox see.
"""

import json
import ssl
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from itertools import count
from pathlib import Path
from typing import Any

import httpx

from nightbell.testing.doubles import Double, Mail, Reply, SmtpSink
from support.ports import LOOPBACK
from support.programs import Background, Nightbell, eventually

CAPTURES = Path(__file__).parents[1] / "testdata" / "alertmanager"
WEBHOOK = "/webhooks/incoming/alertmanager_webhooks"
PUSH = "/api/v2/alerts"
#: How long a doubtful re-fire is held; a minute where nobody changes it. Units: seconds.
HOLD_DOWN = 3
#: The smallest limit on bodies that the acceptance table allows. Units: bytes.
MAX_BODY = 16 * 2**20
_NEWEST = ("am033", "prom353", "am028")
_numbers = count(1)
#: Made once: httpx makes one for each request otherwise, in 20 ms.
_TRUST = ssl.create_default_context()

Json = dict[str, Any]


def captured(name: str) -> bytes:
    """Return the bytes of a capture, of the newest sender that has one; `name.am028` asks for that one."""
    found = [CAPTURES / f"{name}.json", *(CAPTURES / f"{name}.{version}.json" for version in _NEWEST)]
    return _raw(next(file for file in found if file.exists()))


@cache
def _raw(file: Path) -> bytes:
    capture = json.loads(file.read_bytes())
    raw = capture.get("body_raw")
    # One capture is too large to be kept twice; its parsed body is as good.
    return raw.encode() if raw is not None else json.dumps(capture["body"]).encode()


def edited(name: str, **changes: Any) -> Json:
    """Return a capture as a document, with some of its top-level fields changed."""
    document: Json = json.loads(captured(name))
    return document | changes


class Api:
    """A client of /v1 with a token."""

    def __init__(self, url: str, token: str) -> None:
        self._client = httpx.Client(
            base_url=f"{url}/v1", headers={"Authorization": f"Bearer {token}"}, timeout=20
        )

    def ask(self, method: str, path: str, attributes: Json | None = None, *, status: int = 200) -> Any:
        """Send one request and return the JSON of its answer, which must have this status."""
        answer = self.send(method, path, attributes)
        assert answer.status_code == status, f"{method} {path}: {answer.status_code} {answer.text[:800]}"
        return answer.json() if answer.content else None

    def send(self, method: str, path: str, attributes: Json | None = None) -> httpx.Response:
        """Send one request and return its answer, whatever it is."""
        body = None if attributes is None else {"data": {"type": "any", "attributes": attributes}}
        return self._client.request(method, path, json=body)

    def list(self, path: str, **filters: object) -> list[Json]:
        """Return the documents of a list, at most a hundred, attributes and id together."""
        pairs = "&".join(f"filter[{name}]={value}" for name, value in filters.items())
        found = self.ask("GET", f"{path}?page[size]=100&{pairs}")
        return [flat(document) for document in found["data"]]

    def one(self, path: str) -> Json:
        """Return one document, attributes and id together."""
        return flat(self.ask("GET", path)["data"])

    def add(self, path: str, **attributes: Any) -> Json:
        """Make something and return it."""
        return flat(self.ask("POST", path, attributes, status=201)["data"])

    def close(self) -> None:
        """Close its connections."""
        self._client.close()


def flat(document: Json) -> Json:
    """Return a resource object as one dictionary."""
    return {**document["attributes"], "id": document["id"]}


class Answer:
    """What a sender got back."""

    def __init__(self, response: httpx.Response) -> None:
        self.status = response.status_code
        self.headers = response.headers
        self.text = response.text
        is_json = response.content and "json" in response.headers.get("content-type", "")
        self.json: Any = response.json() if is_json else None

    @property
    def results(self) -> list[Json]:
        """What became of each alert."""
        return list(self.json["alerts"])


class Sender:
    """A source of this installation, and whoever posts to it."""

    def __init__(self, house: "House", source: Json) -> None:
        self.house = house
        self.id: str = source["id"]
        self.secret: str = source["secret"]
        self.name: str = source["name"]

    def post(
        self,
        body: bytes | str | Json | list[Any],
        suffix: str = "",
        *,
        path: str = WEBHOOK,
        method: str = "POST",
        secret: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """Post a body as it is, or a document as JSON; follows no redirect."""
        sent = body if isinstance(body, bytes) else body.encode() if isinstance(body, str) else _dump(body)
        fields = {"Authorization": f"Bearer {secret or self.secret}", "Content-Type": "application/json"}
        url = f"{self.house.program.url}{path}{suffix}"
        chosen = fields if headers is None else headers
        return Answer(httpx.request(method, url, content=sent, headers=chosen, timeout=30, verify=_TRUST))

    def send(self, *names: str, suffix: str = "") -> Answer:
        """Post captures, each of which must be taken, and return the last answer."""
        answers = [self.post(captured(name), suffix) for name in names]
        assert [one.status for one in answers] == [200] * len(names), [one.text for one in answers]
        return answers[-1]

    def give(self, document: Json | list[Any], suffix: str = "", *, path: str = WEBHOOK) -> Answer:
        """Post a document, which must be taken."""
        answer = self.post(document, suffix, path=path)
        assert answer.status == 200, answer.text
        return answer

    def alerts(self) -> list[Json]:
        """Return this source's alerts, oldest first, each as it is when looked at alone."""
        listed = self.house.api.list("/alerts", source=self.id)
        return [self.house.api.one(f"/alerts/{one['id']}") for one in reversed(listed)]

    def alert(self) -> Json:
        """Return this source's only alert."""
        found = self.alerts()
        assert len(found) == 1, [one["summary"] for one in found]
        return found[0]

    def deliveries(self) -> list[Json]:
        """Return what the log has of this source, oldest first."""
        return self.house.api.list("/deliveries", source_id=self.id)[::-1]

    def delivery(self) -> Json:
        """Return the newest line of the log, with the body."""
        return self.house.api.one(f"/deliveries/{self.deliveries()[-1]['id']}")


def _dump(document: Any) -> bytes:
    return json.dumps(document).encode()


class House:
    """An installation with three people, a team, a service and two policies."""

    def __init__(self, program: Nightbell, background: Background, mailbox: SmtpSink, phone: Double) -> None:
        self.program = program
        self.background = background
        self.mailbox = mailbox
        #: Where webhooks of contact methods arrive.
        self.phone = phone
        self.token = program.owner()
        self.api = Api(program.url, self.token)
        self.ana = self._person("Ana")
        self.bo = self._person("Bo")
        self.cleo = self._person("Cleo")
        self.policy = self._policy("Platform: Ana, then Bo", [self.ana, self.bo])
        self.other_policy = self._policy("Bo", [self.bo])
        self.team = self.api.add("/teams", name="Platform", user_ids=[int(self.ana["id"])])
        self.api.ask(
            "PUT", f"/teams/{self.team['id']}", {"escalation_policy_id": self.policy["id"]}, status=200
        )
        self.crew = self.api.add("/teams", name="Crew", user_ids=[int(self.cleo["id"])])
        self.service = self.api.add("/services", name="api", escalation_policy_id=self.policy["id"])

    def _person(self, name: str) -> Json:
        return self.api.add("/users", name=name, email=f"{name.lower()}@example.org", role="user")

    def _policy(self, name: str, people: list[Json]) -> Json:
        policy = self.api.add("/escalation_policies", name=name)
        for position, person in enumerate(people, 1):
            self.api.add(
                f"/escalation_policies/{policy['id']}/escalation_levels",
                position=position,
                delay=5,
                notification_target_params=[{"type": "user", "id": person["id"]}],
            )
        return policy

    def source(self, **attributes: Any) -> Sender:
        """Make a source of its own for a test."""
        given = {"name": f"source {next(_numbers)}", "source_type": "alertmanager", **attributes}
        return Sender(self, self.api.add("/alert_sources", **given))

    def events(self, alert: Json) -> list[Json]:
        """Return the timeline of an alert, oldest first."""
        return self.api.list(f"/alerts/{alert['id']}/events")[::-1]

    def codes(self, alert: Json) -> list[str]:
        """Return what happened to an alert, in our words."""
        return [event["code"] for event in self.events(alert)]

    def said(self, alert: Json, code: str) -> str:
        """Return what the timeline says under a code, all of it."""
        return " ".join(event["details"] for event in self.events(alert) if event["code"] == code)

    def messages(self, alert: Json, *, kind: str = "email", purpose: str = "page") -> list[Json]:
        """Return the messages about an alert, sent or not."""
        return self.api.list("/notifications", alert_id=alert["id"], kind=kind, purpose=purpose)

    def paged(self, alert: Json) -> list[str]:
        """Return who was mailed a page about an alert, by name, sorted; twice who was twice."""
        names = {int(one["id"]): one["name"] for one in (self.ana, self.bo, self.cleo)}
        return sorted(names[message["user_id"]] for message in self.messages(alert))

    def mails(self, alert: Json, person: Json) -> list[Mail]:
        """Return the mails about an alert that this person's mailbox has."""
        return [
            mail
            for mail in list(self.mailbox.mails)
            if mail.recipients == [person["email"]] and mail.message["X-Nightbell-Alert"] == alert["short_id"]
        ]

    def mailed(self, alert: Json, person: Json, many: int = 1) -> list[Mail]:
        """Return the mails about an alert once there are this many; never more."""
        found = eventually(lambda: len(self.mails(alert, person)) >= many and self.mails(alert, person))
        assert isinstance(found, list)
        assert len(found) == many
        return found


def settings_for(mailbox: SmtpSink) -> dict[str, object]:
    """Return the settings of a node that mails there."""
    mail = {"smtp_host": LOOPBACK, "smtp_port": mailbox.port, "smtp_tls": "none"}
    return {**mail, "hold_down": HOLD_DOWN, "max_body": MAX_BODY}


@contextmanager
def opened(folder: Path, **settings: object) -> Iterator[House]:
    """Start an installation with a mail server and a webhook receiver beside it; all of it ends with the block."""
    background = Background()
    mailbox, phone = SmtpSink(), Double(always=Reply())
    background.do(mailbox.start())
    background.do(phone.start())
    program = Nightbell(folder, settings=settings_for(mailbox) | settings)
    try:
        program.start()
        house = House(program, background, mailbox, phone)
        yield house
        house.api.close()
    finally:
        program.stop()
        background.do(phone.stop())
        background.do(mailbox.stop())
        background.close()
