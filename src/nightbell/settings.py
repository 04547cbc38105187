"""This file turns a TOML file, the environment and the command line into one frozen Settings.

It is the only reader of the environment. What a person can change in the browser is not here but in the database.
"""

import ipaddress
import os
import tomllib
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Literal

import msgspec
from msgspec import Struct

from nightbell.core.errors import NightbellError
from nightbell.core.providers import PROVIDERS

PREFIX = "NIGHTBELL_"
FILE = "nightbell.toml"
MEBI = 2**20


class BadSetting(NightbellError):
    """A setting cannot be used; `place` names it as it was given."""

    code = "bad_setting"


class Smtp(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The mail server that e-mail goes through; without a host there is no e-mail."""

    host: str = ""
    port: int = 587
    user: str = ""
    password: str = ""
    #: "starttls" insists on it: a server that does not offer it gets no message.
    tls: Literal["none", "starttls", "tls"] = "starttls"
    sender: str = "Nightbell <nightbell@localhost>"
    timeout: timedelta = timedelta(seconds=10)

    def __repr__(self) -> str:
        return f"Smtp(host={self.host!r}, port={self.port}, tls={self.tls!r}, sender={self.sender!r})"


class Settings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Everything that belongs to the machine rather than to the people who use it."""

    #: Holds the embedded database, its lock and nightbell.toml; absolute.
    data: Path
    host: str = "127.0.0.1"
    port: int = 8080
    #: How people and senders reach us, without a slash at the end; it stands in every link of every message.
    base_url: str = ""
    #: None is the embedded PostgreSQL.
    database_url: str | None = None
    #: A folder with `postgres` and `initdb`; None looks for one.
    postgres_bin: Path | None = None
    #: Signs links and encrypts stored secrets; None is a key made on the first start and kept in the database (ADR 0011).
    secret_key: str | None = None
    smtp: Smtp = Smtp()
    #: What the machine decides of services (core/providers.py), by their name; it wins over what is typed in the browser.
    providers: dict[str, dict[str, str]] = {}
    #: Private networks that outgoing requests may reach; all others of that kind are refused.
    allow_networks: tuple[str, ...] = ()
    #: Addresses or networks whose X-Forwarded-For and X-Forwarded-Proto are believed.
    trusted_proxies: tuple[str, ...] = ()
    #: Bytes of one request; what is longer is drained and refused with 413.
    max_body: int = 64 * MEBI
    #: Bytes of request bodies that wait to be written; beyond it senders are told 503.
    queue_limit: int = 256 * MEBI
    #: Transactions of ingest that may be under way at once.
    writers: int = 2
    #: Processes of this node that take requests; 0 is two, or one where the machine has one processor.
    processes: int = 0
    #: How long raw requests are kept.
    retention_days: int = 30
    #: How long the ledger and settled findings stay in the database; what is older is put away in files. 0 is for ever.
    ledger_days: int = 400
    #: Where mail to heartbeats comes in; 0: nowhere.
    heartbeat_mail_port: int = 0
    #: How long a re-fire that may be a stale peer's waits before it pages.
    hold_down: timedelta = timedelta(seconds=60)
    #: Time begins here and passes only when /testing/clock is told to; None, and nothing else in earnest, is real time.
    test_clock: datetime | None = None
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    log_format: Literal["json", "console"] = "console"

    def __repr__(self) -> str:
        return f"Settings(data={str(self.data)!r}, host={self.host!r}, port={self.port}, base_url={self.base_url!r})"


def load(overrides: Mapping[str, object] | None = None, environ: Mapping[str, str] | None = None) -> Settings:
    """Return the settings: the command line over the environment over the file over the defaults.

    Shape: `overrides` holds field names, None meaning "not given"; `environ` is the process's own by default.
    Raises: BadSetting, naming the option, variable or line and saying what would do.
    """
    environ = os.environ if environ is None else environ
    given = {name: value for name, value in (overrides or {}).items() if value is not None}
    home = Path(str(given.get("data") or environ.get(f"{PREFIX}DATA") or _default_data(environ)))
    home = home.expanduser().absolute()
    values: dict[str, Any] = {}
    for origin in (
        _from_file(home, environ),
        _from_environment(environ),
        {_option(n): (n, v) for n, v in given.items()},
    ):
        for place, (path, value) in origin.items():
            _put(values, path, _checked(path, value, place))
    values["data"] = home
    values["providers"] = {name: values.pop(name) for name in PROVIDERS if name in values}
    settings: Settings = msgspec.convert(values, Settings, strict=False)
    return _completed(settings)


def _default_data(environ: Mapping[str, str]) -> str:
    return f"{environ.get('XDG_DATA_HOME') or '~/.local/share'}/nightbell"


def _option(name: str) -> str:
    return f"--{name.replace('_', '-').replace('.', '-')}"


_TYPES: dict[str, Any] = {
    **{
        field.name: field.type
        for field in msgspec.structs.fields(Settings)
        if field.name not in ("smtp", "providers")
    },
    **{f"smtp.{field.name}": field.type for field in msgspec.structs.fields(Smtp)},
    **{f"{one.name}.{field.name}": str for one in PROVIDERS.values() for field in one.fields},
}
_TABLES = ("smtp", *PROVIDERS)
_SECRETS = frozenset(
    {"smtp.password", "secret_key", "database_url"}
    | {f"{one.name}.{field.name}" for one in PROVIDERS.values() for field in one.fields if field.secret}
)
_SECONDS = frozenset({"hold_down", "smtp.timeout"})
_LISTS = frozenset({"allow_networks", "trusted_proxies"})
_PORTS = (0, 65_535)
#: What numbers may be, both ends included.
_BOUNDS: dict[str, tuple[int, int | None]] = {
    **dict.fromkeys(("max_body", "queue_limit", "writers", "retention_days"), (1, None)),
    **dict.fromkeys(("port", "smtp.port", "heartbeat_mail_port"), _PORTS),
    "processes": (0, 64),
}
_SIZES = {"KiB": 2**10, "MiB": 2**20, "GiB": 2**30}


def _from_environment(environ: Mapping[str, str]) -> dict[str, tuple[str, object]]:
    """Return the settings of NIGHTBELL_* variables by variable: NIGHTBELL_SMTP_HOST is smtp.host.

    Shape: unknown variables are left alone; tests, service managers and scripts have their own.
    """
    named = {f"{PREFIX}{path.replace('.', '_').upper()}": path for path in _TYPES}
    return {name: (path, environ[name]) for name, path in named.items() if environ.get(name, "") != ""}


def _from_file(home: Path, environ: Mapping[str, str]) -> dict[str, tuple[str, object]]:
    named = environ.get(f"{PREFIX}CONFIG")
    file = Path(named).expanduser() if named else home / FILE
    try:
        table = tomllib.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        if named:
            raise BadSetting(
                f"there is no {file}", place=f"{PREFIX}CONFIG", hint="name a TOML file"
            ) from None
        return {}
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise BadSetting(
            f"{file} cannot be read: {error}", place=str(file), hint="it must be a TOML file"
        ) from None
    flat = dict(_flat(table))
    for name in flat:
        if name not in _TYPES:
            known = ", ".join(sorted(_TYPES))
            raise BadSetting(
                f"{file} sets {name}, which is no setting", place=f"{file}: {name}", hint=f"known: {known}"
            )
    return {f"{file}: {name}": (name, value) for name, value in flat.items()}


def _flat(table: Mapping[str, object]) -> Iterator[tuple[str, object]]:
    """Yield the lines of a file as (path, value): `host` in the table `smtp` is "smtp.host"."""
    for name, value in table.items():
        if name in _TABLES and isinstance(value, dict):
            yield from ((f"{name}.{inner}", one) for inner, one in value.items())
        else:
            yield name, value


def _checked(path: str, value: object, place: str) -> object:
    """Return a value in the type of its setting.

    Raises: BadSetting.
    """
    if path not in _TYPES:
        raise BadSetting(f"{place} is no setting", place=place)
    try:
        return msgspec.convert(_plain(path, value), _TYPES[path], strict=False, dec_hook=_as_path)
    except (msgspec.ValidationError, ValueError) as error:
        shown = "the value" if path in _SECRETS else repr(value)
        raise BadSetting(f"{place}: {shown} will not do: {error}", place=place, hint=_hint(path)) from None


def _as_path(_type: type, value: object) -> Path:
    return Path(str(value)).expanduser().absolute()


def _plain(path: str, value: object) -> object:
    """Undo how people write things: "60", "64MiB", "10.0.0.0/8, 192.168.0.0/16"."""
    if path in _LISTS:
        items = (
            [item.strip() for item in value.split(",") if item.strip()] if isinstance(value, str) else value
        )
        if not isinstance(items, list | tuple):
            raise ValueError("not a list")
        return [str(ipaddress.ip_network(str(item), strict=False)) for item in items]
    if path in _SECONDS and not isinstance(value, timedelta):
        return timedelta(seconds=float(str(value).removesuffix("s")))
    if path in ("max_body", "queue_limit") and isinstance(value, str):
        unit = next((unit for unit in _SIZES if value.endswith(unit)), None)
        value = int(value.removesuffix(unit)) * _SIZES[unit] if unit else value
    if path.startswith("log_") or path == "smtp.tls":
        return str(value).lower()
    if path.endswith(".base_url") and not str(value).startswith(("http://", "https://")):
        raise ValueError("it must begin with http:// or https://")
    if path in _BOUNDS:
        _bounded(int(str(value)), *_BOUNDS[path])
    if path == "ledger_days" and 0 < int(str(value)) < 30:
        raise ValueError("it must be at least 30, or 0 for ever")
    return value


def _bounded(value: int, low: int, high: int | None) -> None:
    if value < low or high is not None and value > high:
        raise ValueError(
            f"it must be at least {low}" if high is None else f"it must be between {low} and {high}"
        )


def _hint(path: str) -> str:
    if path in _LISTS:
        return "write networks like 10.0.0.0/8, with commas between them"
    if path in _SECONDS:
        return "write seconds, like 60"
    if path in ("max_body", "queue_limit"):
        return "write bytes, or a number with KiB, MiB or GiB"
    return f"see docs/settings.md, {path}"


def _put(values: dict[str, Any], path: str, value: object) -> None:
    table, _, name = path.rpartition(".")
    if table:
        values[table] = {**values.get(table, {}), name: value}
    else:
        values[name] = value


def _completed(settings: Settings) -> Settings:
    """Fill in what follows from the rest, and refuse what contradicts it."""
    shown = f"[{settings.host}]" if ":" in settings.host else settings.host
    url = (settings.base_url or f"http://{shown}:{settings.port}").rstrip("/")
    if not url.startswith(("http://", "https://")):
        raise BadSetting(
            f"base_url: {url!r} is no web address",
            place="base_url",
            hint="write it like https://nightbell.example.org",
        )
    if settings.database_url and not settings.database_url.startswith(("postgresql://", "postgres://")):
        raise BadSetting(
            "database_url: only PostgreSQL will do",
            place="database_url",
            hint="write postgresql://user:password@host/name",
        )
    if settings.secret_key is not None and len(settings.secret_key) < 32:
        raise BadSetting(
            "secret_key is shorter than 32 characters",
            place="secret_key",
            hint="make one with: openssl rand -hex 32",
        )
    if settings.test_clock is not None:
        settings = msgspec.structs.replace(settings, test_clock=_test_clock(settings, settings.test_clock))
    return msgspec.structs.replace(settings, base_url=url)


def _test_clock(settings: Settings, start: datetime) -> datetime:
    """Return where time stands still at first. Whoever can reach the program can then move it: so nobody else may."""
    if not _loopback(settings.host):
        raise BadSetting(
            f"test_clock: {settings.host} can be reached from elsewhere, and whoever reaches it can move time",
            place="test_clock",
            hint="listen on 127.0.0.1, or leave the test clock out",
        )
    if start.tzinfo is None:
        raise BadSetting(
            f"test_clock: {start.isoformat()} has no time zone",
            place="test_clock",
            hint="write it like 2027-01-01T00:00:00Z",
        )
    return start.astimezone(UTC)


def _loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
