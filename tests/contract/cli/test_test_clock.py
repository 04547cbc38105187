"""A program whose clock stands still: what it refuses, how it warns, and how time passes in it."""

import signal
import socket
from datetime import datetime, timedelta

import httpx
import pytest

from contract.cli.conftest import Program
from nightbell.settings import BadSetting, load

pytestmark = pytest.mark.timeout(240)

START = "2027-01-01T00:00:00Z"


@pytest.fixture(scope="module")
def standing(tmp_path_factory):
    """A program whose time stands still at the first of January."""
    made = Program(tmp_path_factory.mktemp("standing"))
    made.start("--test-clock", START)
    yield made
    assert made.end(signal.SIGINT) == 0


def moved(program, **leap):
    return httpx.post(f"{program.url}/testing/clock", json=leap, timeout=60)


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "bell.example.org"])
def test_it_is_refused_where_others_could_move_time(tmp_path, host):
    with pytest.raises(BadSetting, match="whoever reaches it can move time"):
        load({"data": tmp_path, "host": host, "test_clock": START}, {})


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "localhost", "127.8.8.8"])
def test_it_is_taken_on_loopback(tmp_path, host):
    settings = load({"data": tmp_path, "host": host, "test_clock": "2027-01-01T01:00:00+01:00"}, {})
    assert settings.test_clock is not None
    assert settings.test_clock.isoformat() == "2027-01-01T00:00:00+00:00"


@pytest.mark.parametrize("when", ["tomorrow", "2027-01-01T00:00:00"])
def test_an_instant_that_is_none_is_refused(tmp_path, when):
    with pytest.raises(BadSetting, match="test.clock"):
        load({"data": tmp_path, "test_clock": when}, {})


def test_without_it_there_is_no_clock_to_move(served):
    assert moved(served, advance_seconds=60).status_code in (404, 405)
    assert httpx.get(f"{served.url}/testing/clock").status_code == 404
    assert "x-nightbell-test-clock" not in httpx.get(f"{served.url}/healthz").headers


def test_it_is_warned_of_at_the_start_and_in_every_answer(standing):
    said = " ".join(standing.err.read_text().split())
    assert "TEST CLOCK" in said
    assert "clock.test" in said
    answer = httpx.get(f"{standing.url}/healthz")
    assert answer.headers["x-nightbell-test-clock"].startswith("2027-01-0")


def test_time_stands_still_until_it_is_moved(standing):
    before = httpx.get(f"{standing.url}/testing/clock").json()["now"]
    assert httpx.get(f"{standing.url}/testing/clock").json()["now"] == before
    after = moved(standing, to="2027-01-02T00:00:00Z").json()
    assert after["now"] == "2027-01-02T00:00:00Z"
    assert moved(standing, advance_seconds=1.5).json()["now"] == "2027-01-02T00:00:01.500000Z"
    assert httpx.get(f"{standing.url}/readyz").status_code == 200


@pytest.mark.parametrize(
    ("leap", "status"),
    [
        ({"to": "2020-01-01T00:00:00Z"}, 422),
        ({"to": "2027-06-01T00:00:00"}, 400),
        ({"advance_seconds": -1}, 400),
        ({"advance_seconds": 1e12}, 400),
        ({"advance_seconds": 1, "to": "2028-01-01T00:00:00Z"}, 400),
        ({"advance": 1}, 400),
        ({}, 400),
        ([], 400),
    ],
)
def test_a_leap_that_cannot_be_is_refused_and_time_stays(standing, leap, status):
    before = httpx.get(f"{standing.url}/testing/clock").json()["now"]
    answer = httpx.post(f"{standing.url}/testing/clock", json=leap)
    assert (answer.status_code, answer.json()["now"]) == (status, before)
    assert answer.json()["error"]


@pytest.mark.parametrize("header", ["Origin", "X-Forwarded-For", "Forwarded"])
def test_a_browser_or_a_proxy_cannot_move_time(standing, header):
    body = {"advance_seconds": 1}
    answer = httpx.post(f"{standing.url}/testing/clock", json=body, headers={header: "http://127.0.0.1"})
    assert answer.status_code == 403


def test_only_get_and_post_mean_something(standing):
    assert httpx.delete(f"{standing.url}/testing/clock").status_code == 405


def test_nobody_reaches_it_by_another_address_of_the_machine(standing):
    elsewhere = next(
        (str(a[4][0]) for a in socket.getaddrinfo(socket.gethostname(), None, socket.AF_INET)), "127.0.0.1"
    )
    if elsewhere.startswith("127."):
        pytest.skip("this machine has no address but loopback")
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"http://{elsewhere}:{standing.port}/testing/clock")


def test_workflows_wait_and_repeat_as_if_it_had_been_waited_for(standing):
    standing.says("user", "add", "--email", "ana@example.org", "--name", "Ana", "--role", "owner")
    bearer = standing.says("token", "create", "--user", "ana@example.org")
    api = httpx.Client(
        base_url=f"{standing.url}/v1", headers={"Authorization": f"Bearer {bearer}"}, timeout=60
    )

    def told(path, named, **attributes):
        answer = api.post(path, json={"data": {"type": named, "attributes": attributes}})
        assert answer.status_code == 201, answer.text
        return answer.json()["data"]

    patient = {"trigger_type": "incident", "triggers": ["incident_created"]}
    made = told("/workflows", "workflows", name="Again and again", trigger_params=patient, wait="10 min",
                repeat_every_duration="1 h", repeat_condition_number_of_repeats=2)  # fmt: skip
    said = {"task_type": "print", "message": "Still there."}
    told(f"/workflows/{made['id']}/workflow_tasks", "workflow_tasks", name="Say", task_params=said)
    began = datetime.fromisoformat(httpx.get(f"{standing.url}/testing/clock").json()["now"])
    told("/incidents", "incidents", title="Orders fail")
    until = began + timedelta(days=1)
    planned = {"kind": "scheduled", "scheduled_for": (began + timedelta(hours=2)).isoformat()}
    work = told("/incidents", "incidents", title="Move", scheduled_until=until.isoformat(), **planned)
    assert moved(standing, to=until.isoformat()).status_code == 200

    runs = api.get(f"/workflows/{made['id']}/workflow_runs").json()["data"]
    about = [r["attributes"] for r in runs if r["attributes"]["incident_id"] != work["id"]]
    after = [datetime.fromisoformat(run["completed_at"]) - began for run in reversed(about)]
    assert after == [timedelta(minutes=10), timedelta(minutes=70), timedelta(minutes=130)]
    assert api.get(f"/incidents/{work['id']}").json()["data"]["attributes"]["status"] == "completed"
