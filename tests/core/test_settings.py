"""Settings: what wins, what is refused, and what the refusal says."""

from datetime import timedelta
from pathlib import Path

import pytest

from nightbell.settings import BadSetting, load


def test_the_command_line_beats_the_environment_beats_the_file(tmp_path: Path) -> None:
    (tmp_path / "nightbell.toml").write_text(
        'port = 1000\nhost = "::1"\nwriters = 2\n[smtp]\nhost = "mail"\nport = 25\n'
    )
    environ = {"NIGHTBELL_DATA": str(tmp_path), "NIGHTBELL_PORT": "2000", "NIGHTBELL_SMTP_HOST": "relay"}
    settings = load({"port": 3000, "host": None}, environ)
    assert (settings.port, settings.host, settings.writers) == (3000, "::1", 2)
    assert (settings.smtp.host, settings.smtp.port) == ("relay", 25)
    assert settings.base_url == "http://[::1]:3000"


def test_units_may_be_written_as_people_write_them() -> None:
    environ = {
        "NIGHTBELL_MAX_BODY": "2MiB",
        "NIGHTBELL_HOLD_DOWN": "90s",
        "NIGHTBELL_SMTP_TIMEOUT": "2.5",
        "NIGHTBELL_ALLOW_NETWORKS": "10.1.2.3/8, ::1",
        "NIGHTBELL_LOG_LEVEL": "DEBUG",
        "NIGHTBELL_BASE_URL": "https://bell.example.org/",
    }
    settings = load({}, environ)
    assert settings.max_body == 2 * 2**20
    assert settings.hold_down == timedelta(seconds=90)
    assert settings.smtp.timeout == timedelta(seconds=2.5)
    assert settings.allow_networks == ("10.0.0.0/8", "::1/128")
    assert settings.log_level == "debug"
    assert settings.base_url == "https://bell.example.org"


@pytest.mark.parametrize(
    ("name", "value", "hint"),
    [
        ("NIGHTBELL_PORT", "http", "port"),
        ("NIGHTBELL_PORT", "70000", "port"),
        ("NIGHTBELL_ALLOW_NETWORKS", "everything", "10.0.0.0/8"),
        ("NIGHTBELL_WRITERS", "0", "writers"),
        ("NIGHTBELL_HOLD_DOWN", "soon", "seconds"),
        ("NIGHTBELL_MAX_BODY", "64 megs", "MiB"),
        ("NIGHTBELL_SMTP_TLS", "maybe", "smtp.tls"),
        ("NIGHTBELL_CONFIG", "/nonexistent.toml", "TOML"),
    ],
)
def test_a_refusal_names_the_variable_and_the_way_out(name: str, value: str, hint: str) -> None:
    with pytest.raises(BadSetting) as refused:
        load({}, {name: value})
    assert refused.value.place == name
    assert hint in refused.value.hint


def test_a_misspelt_line_of_the_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "nightbell.toml").write_text("prot = 8080\n")
    with pytest.raises(BadSetting, match="sets prot, which is no setting"):
        load({"data": str(tmp_path)}, {})


def test_a_secret_never_stands_in_a_refusal_or_a_repr() -> None:
    with pytest.raises(BadSetting) as refused:
        load({}, {"NIGHTBELL_SECRET_KEY": "hunter2"})
    assert "hunter2" not in str(refused.value)
    settings = load({}, {"NIGHTBELL_SECRET_KEY": "k" * 40, "NIGHTBELL_SMTP_PASSWORD": "hunter2"})
    assert "k" * 40 not in repr(settings)
    assert "hunter2" not in repr(settings) + repr(settings.smtp)
