"""The program that runs files of scenarios."""

import json
from pathlib import Path

import pytest

from nightbell.testing.cases import RUNNERS, main, run_file

DATA = Path(__file__).parents[1] / "testdata"
FILE = str(DATA / "schedule_cases.json")


def ran(*arguments: str) -> tuple[int, list[str]]:
    said: list[str] = []
    return main(arguments, said.append), "".join(said).splitlines()


def test_all_scenarios_of_a_file_pass():
    code, lines = ran("schedule", FILE, str(DATA / "schedule_own_cases.json"))
    assert lines[-1] == "169 passed, 0 failed"
    assert (code, len(lines)) == (0, 1)


def written(tmp_path: Path, **changes: object) -> str:
    case = next(case for case in json.loads(Path(FILE).read_text("utf-8"))["cases"] if case["id"] == "S16")
    file = tmp_path / "cases.json"
    file.write_text(json.dumps({"cases": [case, case | {"id": "X1"} | changes]}), "utf-8")
    return str(file)


def test_a_failure_names_the_case_and_the_instant(tmp_path):
    checks = [
        {"at": "2027-06-01T10:00:00-05:00", "on_call": ["ben", "zoe"]},
        {"at": "2027-06-01T10:20:00-05:00", "on_call": ["ana"]},
    ]
    code, lines = ran("schedule", written(tmp_path, checks=checks, moon="full"))
    assert lines == [
        "X1: at 2027-06-01T10:00:00-05:00: expected ben, zoe, on call ben",
        "X1: says 'moon', which is not read here",
        "1 passed, 1 failed",
    ]
    assert code == 1


def test_a_case_that_cannot_be_read_fails_alone(tmp_path):
    code, lines = ran("schedule", written(tmp_path, timezone="Mars/Base"))
    assert lines[0] == "X1: cannot be read: Invalid: 'Mars/Base' is not a time zone"
    assert (code, lines[-1]) == (1, "1 passed, 1 failed")


@pytest.mark.parametrize(
    "changes",
    [
        {"ical": "ana works on Tuesdays"},
        {"ical": "DTSTART 2027-06-01T09:00Z, 8 h, SUMMARY 'ana'; the 2027-06-02 occurrence is painted"},
        {"edits": [{"at": "2027-06-01T08:00:00Z", "paint": "ana"}]},
        {"layers": [{"participants": [{"schedule": "in"}]}], "schedules": {"in": {"layers": [{"participants": [{"schedule": "in"}]}]}}},
    ],
    ids=["calendar", "exception", "edit", "cycle"],
)  # fmt: skip
def test_what_is_said_in_a_way_not_known_here_fails(tmp_path, changes):
    code, lines = ran("schedule", written(tmp_path, **changes))
    assert lines[0].startswith("X1: cannot be read")
    assert (code, lines[-1]) == (1, "1 passed, 1 failed")


def test_what_cannot_be_run_says_what_can():
    for arguments in ((), ("schedule",), ("poetry", FILE)):
        code, lines = ran(*arguments)
        assert code == 2
        assert lines[0].startswith("usage: ")
        assert all(kind in lines[0] for kind in RUNNERS)


def test_every_case_has_a_verdict():
    verdicts = run_file("schedule", Path(FILE))
    assert len(verdicts) == 38
    assert all(verdict.problems == () for verdict in verdicts)
