"""Starting and ending: whatever ended the program, nothing of it is left and the next start works."""

import signal
import time
from pathlib import Path

import pytest

from contract.cli.conftest import PATIENCE, Program

pytestmark = pytest.mark.timeout(240)


def gone(program: Program) -> bool:
    """Return whether every process is gone soon: a killed program's PostgreSQL ends by itself."""
    until = time.monotonic() + PATIENCE
    while program.leftovers():
        if time.monotonic() > until:
            return False
        time.sleep(0.05)
    return True


def test_nothing_is_left_after_an_interrupt_and_a_kill_blocks_nothing(program: Program) -> None:
    # On a directory that was never served, a command makes what there must be.
    added = ("user", "add", "ana@example.org", "--name", "Ana", "--role", "owner", "--password-stdin")
    user_id = program.says(*added, given="four random words\n")
    assert "no nightbell serves" in program.refuses("fire", "DiskFull")
    program.start()
    assert "/setup/" not in program.err.read_text()
    assert program.end(signal.SIGINT) == 0
    assert program.leftovers() == []
    program.start()
    program.end(signal.SIGKILL)
    program.start()
    assert program.says("user", "list").startswith(f"{user_id}\tana@example.org")
    assert program.end(signal.SIGTERM) == 0
    assert program.leftovers() == []


def test_an_interrupt_while_starting_ends_it(program: Program) -> None:
    program.launch()
    until = time.monotonic() + PATIENCE
    # initdb has begun: the slowest part of a first start.
    while not program.data.exists() and time.monotonic() < until:
        time.sleep(0.005)
    assert program.end(signal.SIGINT) == 0
    assert gone(program)
    assert "Traceback" not in program.err.read_text()
    assert program.out.read_text() == ""
    assert "nobody here" in _after_a_command(program)


def _after_a_command(program: Program) -> str:
    program.says("user", "list")
    return program.says("db", "status")


def test_what_cannot_be_used_is_refused_in_a_sentence(program: Program, tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.touch()
    below = str(file / "data")
    assert below in program.refuses("user", "list", "--data", below)
    assert "no database in" in program.refuses("db", "status")
    nowhere = "postgresql://me:hunter2@127.0.0.1:1/nightbell"
    refusal = program.refuses("user", "list", "--database-url", nowhere)
    assert "NIGHTBELL_DATABASE_URL" in refusal
    assert "hunter2" not in refusal
    assert "NIGHTBELL_WRITERS" in program.refuses("serve", NIGHTBELL_WRITERS="0")
    assert not program.data.exists()


def test_commands_work_on_a_database_of_ones_own(program: Program, database_url: str) -> None:
    token = ("token", "create", "--user", "ana@example.org", "--database-url", database_url)
    added = ("user", "add", "ana@example.org", "--name", "Ana", "--role", "owner")
    program.says(*added, "--database-url", database_url)
    assert program.says(*token).startswith("rootly_")
    assert not program.data.exists()
