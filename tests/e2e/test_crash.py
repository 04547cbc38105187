"""Nothing that was acknowledged is lost, whatever dies: the program, its PostgreSQL, one node of two.

An alert counts as acknowledged when its sender read a 2xx; a page as made when the mailbox has it. A mail may come
twice only where an attempt's end is not known, and then the log of attempts says so.
"""

import json
import os
import signal
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Event, Thread

import httpx
import pytest

from nightbell.store import embedded
from nightbell.store.embedded import Server
from nightbell.testing.doubles import Hang
from support.bodies import firing
from support.household import WEBHOOK, House, Json, Sender, opened, settings_for
from support.programs import Background, Nightbell, eventually

#: Longer than a lease: what a dead process had in hand is taken back by then. Units: seconds.
TAKEN_BACK = 75


def unique(name: str) -> Json:
    """Return a notification that is an alert of its own."""
    return firing(labels={"alertname": name}, groupKey=f"{{}}:{{{name}}}")


def to_ana(house: House) -> str:
    """Return the end of a URL that pages Ana."""
    return f"/notify/User/{house.ana['id']}"


# ---------------------------------------------------------------- under load


class Load:
    """Senders that post new alerts, each again until it is acknowledged, as Alertmanager does."""

    def __init__(self, source: Sender, *, threads: int = 2, pause: float = 0.02) -> None:
        self.acknowledged: list[str] = []
        self.refused: Counter[int] = Counter()
        self._source = source
        self._pause = pause
        self._over = Event()
        self._threads = [Thread(target=self._post, args=(n,), daemon=True) for n in range(threads)]

    def __enter__(self) -> "Load":
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join(60)

    def _post(self, thread: int) -> None:
        house = self._source.house
        fields = {"Authorization": f"Bearer {self._source.secret}"}
        number = 0
        with httpx.Client(base_url=house.program.url, headers=fields, timeout=20) as client:
            while not self._over.is_set():
                name = f"crash-{thread}-{number}"
                body = json.dumps(unique(name)).encode()
                while not self._acknowledged(client, WEBHOOK + to_ana(house), body):
                    time.sleep(0.1)
                self.acknowledged.append(name)
                number += 1
                time.sleep(self._pause)

    def _acknowledged(self, client: httpx.Client, url: str, body: bytes) -> bool:
        try:
            status = client.post(url, content=body).status_code
        except httpx.TransportError:
            self.refused[0] += 1
            return False
        if status != 200:
            self.refused[status] += 1
        return status == 200


def every(house: House, path: str, **filters: object) -> list[Json]:
    """Return the whole of a long list."""
    pairs = "&".join(f"filter[{name}]={value}" for name, value in filters.items())
    found: list[Json] = []
    cursor: str | None = ""
    while cursor is not None:
        page = house.api.ask("GET", f"{path}?page[size]=100&page[after]={cursor}&{pairs}")
        found += [{**one["attributes"], "id": one["id"]} for one in page["data"]]
        cursor = page["meta"]["next_cursor"]
    return found


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_twenty_kills_under_load_lose_nothing(tmp_path):
    """A33: ten times the program, ten times its PostgreSQL."""
    with opened(tmp_path / "crash") as house:
        source = house.source()
        with Load(source) as load:
            for _ in range(10):
                time.sleep(0.8)
                house.program.kill()
                house.program.start()
                time.sleep(0.8)
                os.kill(house.program.postgres_pid(), signal.SIGKILL)
                eventually(lambda: _ready(house.program), within=20)
        alerts = every(house, "/alerts", source=source.id)
        counted = Counter(one["summary"] for one in alerts)
        assert set(load.refused) <= {0, 503}
        assert set(load.acknowledged) <= set(counted)
        assert set(counted.values()) == {1}
        assert len(every(house, "/deliveries", source_id=source.id)) >= len(load.acknowledged)
        _all_paged(house, alerts)
        doubled = _unexplained(house, alerts)
        print(
            f"\n{len(load.acknowledged)} acknowledged, not acknowledged {dict(load.refused)}, mails twice {doubled}"
        )


@pytest.mark.slow
@pytest.mark.timeout(180)
def test_kills_of_the_processes_beside_lose_nothing_and_page_once(tmp_path):
    """ADR 0039: whoever waited sends again, the others never notice."""
    with opened(tmp_path / "beside", processes=3) as house:
        source = house.source()
        killed: set[int] = set()
        with Load(source, threads=4) as load:
            for _ in range(8):
                beside = eventually(lambda: set(house.program.beside()) - killed, what="a new process")
                os.kill(min(beside), signal.SIGKILL)
                killed.add(min(beside))
                time.sleep(0.6)
        assert len(eventually(house.program.beside)) > 0
        alerts = every(house, "/alerts", source=source.id)
        counted = Counter(one["summary"] for one in alerts)
        assert set(load.refused) <= {503}
        assert set(load.acknowledged) <= set(counted)
        assert set(counted.values()) == {1}
        assert house.program.metric("nightbell_alerts_total") >= len(counted) - load.refused[503]
        _all_paged(house, alerts)
        assert _unexplained(house, alerts) == 0
        print(f"\n{len(load.acknowledged)} acknowledged, not acknowledged {dict(load.refused)}")


def test_nothing_is_left_of_a_program_that_was_killed(tmp_path):
    with opened(tmp_path / "left", processes=3) as house:
        eventually(lambda: len(house.program.beside()) == 2)
        beside = house.program.beside()
        house.program.kill()
        eventually(lambda: not any(_runs(pid) for pid in beside), what="the end of what stood beside it")
        house.program.start()


def _runs(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def _ready(program: Nightbell) -> bool:
    return httpx.get(f"{program.url}/readyz", timeout=5).status_code == 200


def _mailed(house: House) -> Counter[str]:
    # Several alerts may be told in one mail; its header names all of them.
    # A long header begins on a line of its own, and is read back with a space before it.
    named = (str(mail.message["X-Nightbell-Alert"]).split(",") for mail in list(house.mailbox.mails))
    return Counter(alert.strip() for alerts in named for alert in alerts)


def _all_paged(house: House, alerts: list[Json]) -> None:
    wanted = {one["short_id"] for one in alerts}

    def paged() -> bool:
        missing = wanted - _mailed(house).keys()
        assert not missing, (
            f"{len(missing)} of {len(wanted)} alerts paged nobody, such as {sorted(missing)[:3]}"
        )
        return True

    eventually(paged, within=TAKEN_BACK)
    assert {one["status"] for one in alerts} == {"triggered"}


def _unexplained(house: House, alerts: list[Json]) -> int:
    """Check that every mail too many follows an attempt whose end was not known; return how many there were."""
    messages = every(house, "/notifications", kind="email")
    attempts: Counter[str] = Counter()
    short = {one["id"]: one["short_id"] for one in alerts}
    for message in messages:
        *earlier, last = message["attempts"]
        assert {one["outcome"] for one in earlier} <= {None, "unknown", "retry"}, message
        attempts[short[message["alert_id"]]] += len(message["attempts"])
    mails = _mailed(house)
    assert all(mails[alert] <= attempts[alert] for alert in mails)
    return sum(mails.values()) - len(mails)


# ---------------------------------------------------------------- between the 200 and the page


@pytest.fixture(scope="module")
def house(tmp_path_factory) -> Iterator[House]:
    """An installation whose program and PostgreSQL are killed."""
    with opened(tmp_path_factory.mktemp("killed")) as made:
        yield made


@pytest.fixture
def source(house: House) -> Sender:
    """A source of this test alone."""
    return house.source()


def test_a_page_is_sent_though_the_program_died_after_its_answer(house: House, source: Sender):
    """A33."""
    assert source.give(unique("after"), to_ana(house)).status == 200
    house.program.kill()
    house.program.start()
    house.mailed(source.alert(), house.ana)


def test_a_page_that_was_being_sent_is_sent_again_and_the_doubt_is_told(house: House, source: Sender):
    """A33: the mail server had the mail and never said so."""
    house.mailbox.will("DATA", Hang())
    source.give(unique("between"), to_ana(house))
    eventually(lambda: [m for m in house.messages(source.alert()) if m["state"] == "sending"])
    house.program.kill()
    house.program.start()
    found = source.alert()
    house.mailed(found, house.ana)
    message = eventually(lambda: [m for m in house.messages(found) if m["state"] == "sent"])[0]
    outcomes = [one["outcome"] for one in message["attempts"]]
    assert (len(outcomes), outcomes[-1]) == (2, "sent")
    assert outcomes[0] != "sent"


def test_a_killed_postgres_comes_back_by_itself(house: House, source: Sender):
    """A13: while it is away senders are told 503, never anything worse."""
    os.kill(house.program.postgres_pid(), signal.SIGKILL)
    seen: set[int] = set()

    def taken() -> bool:
        status = source.post(unique("embedded"), to_ana(house)).status
        seen.add(status)
        return status == 200

    eventually(taken, within=20)
    assert seen <= {200, 503}, house.program.said()[-6000:]
    eventually(lambda: _ready(house.program))
    house.mailed(source.alert(), house.ana)


# ---------------------------------------------------------------- a database of one's own, and two nodes on it


class External:
    """A PostgreSQL that is not Nightbell's, run by the test."""

    def __init__(self, folder) -> None:
        self._background = Background()
        self._server: Server = self._background.do(embedded.start(folder, purpose="test"), within=30)
        self.url = self._server.dsn

    def kill(self) -> None:
        """End it without a warning; it stays away."""
        assert self._server.pid is not None
        os.kill(self._server.pid, signal.SIGKILL)
        eventually(lambda: not self._server.alive())

    def start(self) -> None:
        """Bring it back."""
        self._background.do(self._server.ensure(), within=30)

    def close(self) -> None:
        """Stop it."""
        self._background.do(self._server.stop(), within=30)
        self._background.close()


@pytest.fixture(scope="module")
def external(tmp_path_factory) -> Iterator[External]:
    """A PostgreSQL of one's own."""
    made = External(tmp_path_factory.mktemp("external"))
    yield made
    made.close()


@pytest.fixture(scope="module")
def shared(external: External, tmp_path_factory) -> Iterator[House]:
    """The first node on it."""
    own = {"database_url": external.url, "secret_key": "k" * 32}
    with opened(tmp_path_factory.mktemp("first"), **own) as made:
        yield made


@pytest.fixture(scope="module")
def second(shared: House, external: External, tmp_path_factory) -> Iterator[Nightbell]:
    """The second node, with a data directory of its own."""
    own = {"database_url": external.url, "secret_key": "k" * 32, "base_url": shared.program.url}
    node = Nightbell(tmp_path_factory.mktemp("second"), settings=settings_for(shared.mailbox) | own)
    with node:
        yield node


def test_while_the_database_is_away_senders_are_told_503_and_then_it_goes_on(
    shared: House, external: External
):
    """A13."""
    source = shared.source()
    source.send("single_firing")
    external.kill()
    eventually(lambda: httpx.get(f"{shared.program.url}/readyz").status_code == 503)
    began = time.monotonic()
    refused = source.post(unique("outage"), to_ana(shared))
    assert refused.status == 503
    assert time.monotonic() - began < 5
    assert "again" in refused.json["error"]
    assert httpx.get(f"{shared.program.url}/healthz").status_code == 200
    assert httpx.get(f"{shared.program.url}/metrics").status_code == 200
    external.start()
    eventually(lambda: _ready(shared.program))
    eventually(lambda: source.post(unique("outage"), to_ana(shared)).status == 200)
    found = source.alerts()
    assert [one["summary"] for one in found] == ["HighErrorRate", "outage"]
    shared.mailed(found[1], shared.ana, 1)


def test_two_nodes_on_one_database_page_once(shared: House, second: Nightbell):
    source = shared.source()
    fields = {"Authorization": f"Bearer {source.secret}"}
    nodes = (shared.program.url, second.url)
    names = [f"two-{n}" for n in range(60)]

    def both(name: str) -> set[int]:
        """Post to both at once, as an Alertmanager of each of two data centres would."""
        body = json.dumps(unique(name)).encode()
        urls = [f"{node}{WEBHOOK}{to_ana(shared)}" for node in nodes]
        with ThreadPoolExecutor(2) as pool:
            answers = pool.map(lambda url: httpx.post(url, content=body, headers=fields, timeout=20), urls)
            return {answer.status_code for answer in answers}

    with ThreadPoolExecutor(4) as pool:
        assert set().union(*pool.map(both, names)) == {200}
    alerts = every(shared, "/alerts", source=source.id)
    assert sorted(one["summary"] for one in alerts) == sorted(names)
    assert {one["request_count"] for one in alerts} == {2}
    _all_paged(shared, alerts)
    mails = _mailed(shared)
    assert {mails[one["short_id"]] for one in alerts} == {1}
    senders = {
        attempt["worker"]
        for message in every(shared, "/notifications", kind="email")
        for attempt in message["attempts"]
    }
    assert len(senders) == 2


def test_the_other_node_goes_on_when_one_is_killed(shared: House, second: Nightbell):
    source = shared.source()
    second.kill()
    source.give(unique("alone"), to_ana(shared))
    shared.mailed(source.alert(), shared.ana, 1)
    second.start()
    fields = {"Authorization": f"Bearer {source.secret}"}
    url = f"{second.url}{WEBHOOK}{to_ana(shared)}"
    assert httpx.post(url, json=unique("back"), headers=fields).status_code == 200
    shared.mailed(source.alerts()[-1], shared.ana, 1)
