"""Every command against the running program, as a script would use it: bare values on stdout, one sentence on failure."""

import json
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from contract.cli.conftest import Program

pytestmark = pytest.mark.timeout(180)

WEBHOOK = "/webhooks/incoming/alertmanager_webhooks"


def post(program: Program, secret: str) -> int:
    body = json.dumps({"version": "4", "status": "firing", "alerts": [{"labels": {"alertname": "A"}}]})
    request = urllib.request.Request(
        program.url + WEBHOOK, body.encode(), {"Authorization": f"Bearer {secret}"}
    )
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as refused:
        return refused.code


@pytest.fixture(scope="module")
def owner(served: Program) -> str:
    served.says(
        "user", "add", "olga@example.org", "--name", "Olga", "--role", "owner", "--password-stdin",
        given="four random words\n",
    )  # fmt: skip
    return "olga@example.org"


def test_the_first_start_prints_one_line_and_tells_people_the_rest(served: Program) -> None:
    assert served.out.read_text() == f"Nightbell is ready on {served.url}\n"
    told = served.err.read_text()
    assert f"{served.url}/setup/" in told
    assert f"{served.url}{WEBHOOK}" in told
    assert "Preparing the database: 1 of" in told
    assert "Uvicorn" not in told


def test_a_second_start_is_refused_and_told_who_is_first(served: Program) -> None:
    assert served.process
    refusal = served.refuses("serve", "--port", "1")
    assert f"process {served.process.pid}" in refusal
    assert served.url in refusal
    assert "--data" in refusal


def test_a_taken_port_is_named(served: Program, tmp_path: Path) -> None:
    refusal = served.refuses("serve", "--data", str(tmp_path / "other"))
    assert f"port {served.port}" in refusal
    assert "--port" in refusal
    assert not (tmp_path / "other").exists()


def test_a_person_is_added_once(served: Program) -> None:
    ben = ("user", "add", "ben@example.org", "--name", "Ben", "--password-stdin")
    assert served.says(*ben, given="four random words\n").isdecimal()
    assert "has this address already" in served.refuses(*ben, given="four random words\n")
    assert "ben@example.org\tBen\tuser" in served.says("user", "list")


def test_a_short_password_and_a_bad_address_are_refused(served: Program) -> None:
    cleo = ("user", "add", "cleo@example.org", "--name", "Cleo", "--password-stdin")
    assert "8 to 256 characters" in served.refuses(*cleo, given="short\n")
    assert "not an e-mail address" in served.refuses("user", "add", "cleo", "--name", "Cleo")
    assert "cleo" not in served.says("user", "list")


def test_a_password_is_replaced(served: Program, owner: str) -> None:
    done = served.run("user", "passwd", owner.upper(), "--password-stdin", given="other random words\n")
    assert (done.returncode, done.stdout) == (0, "")
    assert "nobody has the address" in served.refuses(
        "user", "passwd", "x@example.org", "--password-stdin", given="other random words\n"
    )


def test_there_is_no_setup_link_once_there_is_an_owner(served: Program, owner: str) -> None:
    assert "there is an owner already" in served.refuses("user", "link")


def test_a_token_is_printed_once_and_can_be_taken_back(served: Program, owner: str) -> None:
    token = served.says("token", "create", "--user", owner, "--role", "owner", "--name", "terraform")
    assert token.startswith("rootly_")
    assert len(token) >= 20
    [listed] = [line for line in served.says("token", "list").splitlines() if "terraform" in line]
    assert token not in listed
    assert token[-4:] in listed
    served.says("token", "revoke", listed.split("\t")[0])
    assert "terraform" not in served.says("token", "list", "--user", owner)


def test_a_token_carries_no_more_than_its_person(served: Program) -> None:
    served.says("user", "add", "dana@example.org", "--name", "Dana", "--role", "observer")
    refusal = served.refuses("token", "create", "--user", "dana@example.org", "--role", "admin")
    assert "cannot do more than the person" in refusal


def test_a_new_source_is_let_in_at_once_and_both_secrets_work_after_rotation(served: Program) -> None:
    secret = served.says("source", "create", "Prod", "--type", "alertmanager", "--identity", "fingerprint")
    assert len(secret) == 64
    assert int(secret, 16)
    assert post(served, secret) == 200
    assert "source of this name already" in served.refuses("source", "create", "Prod")
    second = served.says("source", "rotate", "Prod", "--grace-hours", "1")
    assert {post(served, secret), post(served, second)} == {200}
    last = served.says("source", "rotate", "Prod", "--grace-hours", "0")
    assert (post(served, last), post(served, secret)) == (200, 401)
    [line] = [line for line in served.says("source", "list").splitlines() if "Prod" in line]
    assert f"…{last[-4:]}" in line
    assert last not in line


def test_a_secret_is_never_sealed_under_another_key_than_the_servers(served: Program) -> None:
    served.says("source", "create", "Under the right key")
    refusal = served.refuses("source", "create", "Under another", NIGHTBELL_SECRET_KEY="k" * 40)
    assert "sealed under another key" in refusal
    assert "Under another" not in served.says("source", "list")


def test_a_source_may_be_told_apart_by_a_key(served: Program) -> None:
    by_key = ("source", "create", "Keyed", "--identity", "key")
    assert "Dedup path can't be blank" in served.refuses(*by_key)
    assert len(served.says(*by_key, "--dedup-path", "$.commonLabels.service")) == 64
    assert "there is no 99999" in served.refuses("source", "create", "Lost", "--target", "User:99999")


def test_the_demo_is_filled_in_once_and_fire_rings(served: Program) -> None:
    first = served.run("demo")
    assert first.returncode == 0, first.stderr
    assert "ana@nightbell.example" in first.stderr
    assert "there already" not in first.stdout
    again = served.run("demo")
    assert "made" not in again.stdout
    assert "passwords" not in again.stderr
    fired = served.says("fire", "HighErrorRate", "--severity", "critical", "--label", "region=eu").split("\t")
    assert fired[0] == "HighErrorRate"
    assert fired[2:4] == ["triggered", "created"]
    assert fired[4] == f"{served.url}/alerts/{fired[1]}"
    over = served.says("fire", "HighErrorRate", "--severity", "critical", "--label", "region=eu", "--resolve")
    assert over.split("\t")[1:4] == [fired[1], "resolved", "resolved"]


def test_fire_names_a_target_and_says_what_is_wrong(served: Program, owner: str) -> None:
    served.says("demo")
    [user_id] = [line.split("\t")[0] for line in served.says("user", "list").splitlines() if owner in line]
    assert "\ttriggered\t" in served.says("fire", "DiskFull", "--target", f"User:{user_id}")
    assert "write User:7" in served.refuses("fire", "DiskFull", "--target", "Nobody:1")
    assert "write --label" in served.refuses("fire", "DiskFull", "--label", "severity")
    assert "401" in served.refuses("fire", "DiskFull", "--url", served.url, "--secret", "f" * 64)
    nowhere = served.refuses("fire", "DiskFull", "--url", "http://127.0.0.1:1", "--secret", "f" * 64)
    assert "cannot be reached" in nowhere


def test_the_database_can_be_looked_at_and_dumped_while_it_is_in_use(served: Program, tmp_path: Path) -> None:
    told = served.says("db", "status")
    assert "up to date" in told
    assert served.url in told
    assert served.says("db", "shell", "--", "-Atc", "SELECT 40 + 2") == "42"
    assert "CREATE TABLE public.alerts" in served.says("db", "dump")
    file = tmp_path / "nightbell.dump"
    served.says("db", "dump", str(file), "--format", "custom")
    assert file.read_bytes()[:5] == b"PGDMP"
    assert file.stat().st_mode & 0o077 == 0
    assert [path.name for path in tmp_path.glob("*.part")] == []
