"""Providers that hang, programs that are killed, databases that fail over: each page once, or its doubt is on paper.

The ledger is the witness: it is exported as an operator would, its chain is checked, and it must agree with the mailbox.
"""

import time
from collections import Counter
from collections.abc import Iterator
from threading import Event, Thread

import httpx
import pytest

from nightbell.testing.doubles import Hang
from support.bodies import firing
from support.household import WEBHOOK, House, Json, opened, settings_for
from support.paper import Paper, settled
from support.programs import Nightbell, eventually
from support.standby import Pair

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]
#: Longer than a lease: what a dead process had in hand is taken back by then. Units: seconds.
TAKEN_BACK = 90
INVARIANTS = ("next_action", "page_once", "in_time", "ledger")


def unique(name: str) -> Json:
    """Return a notification that is an alert of its own."""
    return firing(labels={"alertname": name}, groupKey=f"{{}}:{{{name}}}")


def all_promises_hold(program: Nightbell) -> None:
    """Wait for a round of the auditor that began after now, and look at what it found."""
    name = "nightbell_audit_last_round_timestamp_seconds"
    before = time.time()
    eventually(lambda: program.metric(name) > before, within=45, what="a round of the auditor")
    assert program.metric("nightbell_audit_findings") == 0


# ---------------------------------------------------------------- providers and processes


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    with opened(tmp_path_factory.mktemp("faults")) as made:
        yield made


def webhook_first(house: House, name: str) -> Json:
    """Make a person who is paged by a webhook, and by mail where that fails."""
    person = house.api.add("/users", name=name, email=f"{name.lower()}@example.org", role="user")
    path = f"/users/{person['id']}"
    method = house.api.add(f"{path}/contact_methods", kind="webhook", name="hook", address=house.phone.url)
    for rule in house.api.list(f"{path}/notification_rules"):
        if rule["contact_method_id"] != method["id"]:
            house.api.ask("DELETE", f"/notification_rules/{rule['id']}")
    return person


def test_a_provider_that_takes_a_page_and_never_answers_costs_no_time(house: House) -> None:
    """It has the message and hangs: the doubt is written down, and the next method is used when that is known."""
    dora = webhook_first(house, "Dora")
    house.phone.will(Hang())
    source = house.source()
    source.give(unique("hangs"), f"/notify/User/{dora['id']}")
    alert = source.alert()
    eventually(lambda: house.mails(alert, dora), within=40, what="the mail instead")
    [hook] = house.messages(alert, kind="webhook")
    doubt = ["queued", "handed_over", "unknown"]
    eventually(
        lambda: Paper(house.program).messages("webhook").get(hook["id"]) == doubt, what="the doubt on paper"
    )
    assert len(house.mails(alert, dora)) == 1
    said = house.program.run("why", alert["short_id"])
    assert "Dora was paged" in said and "nobody knows whether it arrived" in said
    all_promises_hold(house.program)


def test_a_page_whose_program_was_killed_before_the_answer_is_on_paper_twice(house: House) -> None:
    """Decided and handed over, never accepted: taken back, sent once more, the first attempt in doubt for ever."""
    source = house.source()
    house.mailbox.will("DATA", Hang())
    source.give(unique("killed"), f"/notify/User/{house.ana['id']}")
    alert = source.alert()
    eventually(lambda: [m for m in house.messages(alert) if m["state"] == "sending"])
    house.program.kill()
    house.program.start()
    # A lease is half a minute.
    eventually(lambda: house.mails(alert, house.ana), within=60)
    paper = settled(house.program)
    [mail] = house.messages(alert)
    steps = paper.messages()[mail["id"]]
    assert steps == ["queued", "handed_over", "unknown", "handed_over", "accepted"]
    all_promises_hold(house.program)


def house_has(house: House, alert: Json) -> None:
    """Wait for Ana's mail about an alert, or for the mail of others that names it."""
    eventually(lambda: alert["id"] in Paper(house.program).taken(), within=TAKEN_BACK, what=alert["summary"])


def test_a_page_whose_program_was_killed_at_once_is_sent_once(house: House) -> None:
    source = house.source()
    names = [f"at once {n}" for n in range(5)]
    for name in names:
        source.give(unique(name), f"/notify/User/{house.ana['id']}")
    house.program.kill()
    house.program.start()
    alerts = source.alerts()
    assert sorted(a["summary"] for a in alerts) == sorted(names)
    for alert in alerts:
        house_has(house, alert)
    paper = settled(house.program)
    for alert in alerts:
        [mail] = house.messages(alert)
        assert len(house.mails(alert, house.ana)) <= paper.messages()[mail["id"]].count("handed_over")
    all_promises_hold(house.program)


def test_the_auditor_pages_the_operators_when_a_fault_is_put_into_the_tables(house: House) -> None:
    source = house.source()
    source.give(unique("forgotten"), f"/notify/EscalationPolicy/{house.policy['id']}")
    alert = source.alert()
    for table in ("escalations", "pages"):
        sql = f"UPDATE {table} SET phase = 'ended', wake_at = NULL WHERE alert_id = '{alert['id']}'"
        house.program.run("db", "shell", "-c", sql)

    def paged() -> list[Json]:
        return [a for a in house.api.list("/alerts", source="api") if "auditor" in a["summary"]]

    [alarm] = eventually(paged, within=60, what="the auditor's alert")
    assert "waits for nothing" in alarm["summary"]
    assert house.program.metric('nightbell_audit_findings{invariant="next_action"}') == 1
    eventually(lambda: house.api.list("/notifications", alert_id=alarm["id"]), what="the operators' page")
    house.api.ask("POST", f"/alerts/{alert['id']}/resolve", {})
    eventually(lambda: paged()[0]["status"] == "resolved", within=60, what="its end")


# ---------------------------------------------------------------- a database that fails over


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    made = Pair(tmp_path_factory.mktemp("pair"))
    yield made
    made.close()


@pytest.fixture(scope="module")
def cluster(pair: Pair, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[House, list[Nightbell]]]:
    """Three nodes on the pair; the first is the house's own."""
    own = {"database_url": pair.url, "secret_key": "k" * 32}
    with opened(tmp_path_factory.mktemp("node-1"), **own) as house:
        settings = settings_for(house.mailbox) | own | {"base_url": house.program.url}
        others = [Nightbell(tmp_path_factory.mktemp(f"node-{n}"), settings=settings) for n in (2, 3)]
        for node in others:
            node.start()
        yield house, [house.program, *others]
        for node in others:
            node.stop()


class Load:
    """A sender for each node, which posts new alerts and each again until it is taken, as Alertmanager does."""

    def __init__(self, house: House, nodes: list[Nightbell], pause: float) -> None:
        self.source = house.source()
        self.taken: list[str] = []
        self.refused: Counter[int] = Counter()
        self._house, self._pause, self._over = house, pause, Event()
        self._threads = [
            Thread(target=self._post, args=(n, node), daemon=True) for n, node in enumerate(nodes)
        ]

    def __enter__(self) -> "Load":
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join(60)

    def _post(self, number: int, node: Nightbell) -> None:
        headers = {"Authorization": f"Bearer {self.source.secret}"}
        url = f"{node.url}{WEBHOOK}/notify/User/{self._house.ana['id']}"
        count = 0
        with httpx.Client(headers=headers, timeout=20) as client:
            while not self._over.is_set():
                name = f"load-{number}-{count}"
                while not self._taken(client, url, unique(name)):
                    if self._over.wait(0.2) and not self.taken:
                        return
                self.taken.append(name)
                count += 1
                time.sleep(self._pause)

    def _taken(self, client: httpx.Client, url: str, body: Json) -> bool:
        try:
            status = client.post(url, json=body).status_code
        except httpx.TransportError:
            status = 0
        if status != 200:
            self.refused[status] += 1
        return status == 200


def every_alert(load: Load) -> list[Json]:
    """Return every alert of a load."""
    found: list[Json] = []
    cursor: str | None = ""
    while cursor is not None:
        path = f"/alerts?page[size]=100&page[after]={cursor}&filter[source]={load.source.id}"
        page = load.source.house.api.ask("GET", path)
        found += [{**one["attributes"], "id": one["id"]} for one in page["data"]]
        cursor = page["meta"]["next_cursor"]
    return found


def test_three_nodes_lose_nothing_when_postgresql_is_restarted_and_then_fails_over(
    pair: Pair, cluster: tuple[House, list[Nightbell]]
) -> None:
    house, nodes = cluster
    with Load(house, nodes, pause=0.1) as load:
        time.sleep(2)
        pair.restart()
        time.sleep(2)
        took = pair.fail_over()
        began = time.monotonic()
        many = len(load.taken)
        eventually(lambda: len(load.taken) > many + 3, within=30, what="senders that are heard again")
        back = time.monotonic() - began
        time.sleep(2)
    alerts = every_alert(load)
    counted = Counter(one["summary"] for one in alerts)
    assert set(load.taken) <= set(counted), "an alert was taken and is gone"
    assert set(counted.values()) == {1}, "an alert was made twice"
    assert set(load.refused) <= {0, 503}

    wanted = {one["id"] for one in alerts}
    # Several alerts may be told in one mail, so it is the ledger that says which of them arrived.
    eventually(
        lambda: wanted <= Paper(house.program).taken(), within=TAKEN_BACK, what="a page for each alert"
    )
    paper = settled(house.program, within=TAKEN_BACK)
    mails = Counter(str(mail.message["X-Nightbell-Alert"]) for mail in list(house.mailbox.mails))
    twice = {alert: many for alert, many in mails.items() if many > 1}
    too_many = sum(twice.values()) - len(twice)
    assert too_many <= paper.doubts(), f"mails too many and no doubt on paper: {twice}"
    assert paper.pages() <= paper.pages_taken(), "a page was decided and never taken by anybody"
    for node in nodes:
        assert httpx.get(f"{node.url}/readyz").status_code == 200
    eventually(lambda: sum(n.metric("nightbell_audit_findings") for n in nodes) == 0, within=100)
    print(
        f"\n{len(load.taken)} taken by three nodes, refused {dict(load.refused)}; promoted in {took:.1f} s, "
        f"senders heard again after {back:.1f} s; mails twice {len(twice)}, doubts {paper.doubts()}"
    )
