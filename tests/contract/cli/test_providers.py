"""`nightbell provider`: accounts are set without a trace in a shell's history, shown masked, and tried out."""

from pathlib import Path

import pytest

from contract.cli.conftest import Program

pytestmark = pytest.mark.timeout(180)


def test_a_secret_comes_by_standard_input_and_is_shown_masked(served: Program) -> None:
    done = served.run("provider", "set", "twilio", "auth_token", given="hush-hush\n")
    assert done.returncode == 0, done.stderr
    assert served.run("provider", "set", "twilio", "account_sid", "AC1").returncode == 0
    listed = served.run("provider", "list")
    assert "AC1" in listed.stdout and "••••" in listed.stdout
    assert "hush" not in listed.stdout + listed.stderr + done.stdout + done.stderr


def test_the_machine_wins_and_says_so(served: Program) -> None:
    listed = served.run("provider", "list", NIGHTBELL_TWILIO_SMS_FROM="+15550100")
    [line] = [one for one in listed.stdout.splitlines() if "sms_from" in one]
    assert "+15550100" in line and "machine" in line


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("set", "nobody", "x", "y"), "There is no service nobody"),
        (("set", "slack", "bot", "y"), "Slack has no setting bot"),
        (("set", "slack", "base_url", "http://x"), "on the machine only"),
        (("test", "slack", "U0123ABCD"), "Slack is not set up"),
        (("test", "sms", "0770"), "not a telephone number"),
        (("test", "pigeon", "x"), "there is no channel pigeon"),
    ],
)
def test_what_is_wrong_is_said(served: Program, words: tuple[str, ...], said: str) -> None:
    done = served.run("provider", *words)
    assert done.returncode == 1
    assert said in done.stderr


def test_a_file_names_what_it_does_not_know(tmp_path: Path) -> None:
    program = Program(tmp_path)
    program.data.mkdir()
    (program.data / "nightbell.toml").write_text('[slack]\nbot_tokn = "x"\n')
    done = program.run("provider", "list")
    assert done.returncode == 1 and "slack.bot_tokn" in done.stderr
