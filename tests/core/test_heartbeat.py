"""What a beat changes, when silence is too long, and which alerts are beats."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from msgspec.structs import replace

from nightbell.core import heartbeat as rules
from nightbell.core.directory import Beat, Directory, Target
from nightbell.core.heartbeat import Heartbeat, Status
from nightbell.core.identity import units
from nightbell.core.labels import parse_matchers
from nightbell.core.signal import State
from nightbell.sources.registry import SOURCES
from nightbell.testing import payloads

NOW = datetime(2027, 3, 1, 2, 0, tzinfo=UTC)
IDENT = UUID(int=7)
HEARTBEAT = Heartbeat(
    id=IDENT,
    name="backup",
    summary="The backup is silent",
    description=None,
    urgency_id=None,
    target=Target(type="User", id="1001"),
    interval=timedelta(hours=1),
    grace=timedelta(minutes=5),
    enabled=True,
    status=Status.WAITING,
    last_pinged_at=None,
    expires_at=None,
)


def test_nobody_is_missed_before_the_first_beat():
    assert HEARTBEAT.wake_at is None
    assert not rules.due(HEARTBEAT, NOW + timedelta(days=900))


def test_silence_is_forgiven_until_interval_and_grace_are_over():
    active = rules.beaten(HEARTBEAT, NOW)
    assert (active.status, active.expires_at) == (Status.ACTIVE, NOW + timedelta(hours=1))
    assert not rules.due(active, NOW + timedelta(minutes=64, seconds=59))
    assert rules.due(active, NOW + timedelta(minutes=65))


def test_an_expired_one_waits_for_nothing_until_it_beats():
    silent = rules.expired(rules.beaten(HEARTBEAT, NOW))
    assert silent.wake_at is None
    assert rules.beaten(silent, NOW).status is Status.ACTIVE


def test_silence_and_recovery_are_the_same_alert_whatever_it_is_called():
    _, fired = rules.said(HEARTBEAT, State.FIRING, NOW)
    _, over = rules.said(replace(HEARTBEAT, name="nightly backup"), State.RESOLVED, NOW)
    assert fired.identity == over.identity
    assert fired.signals[0].fingerprint == over.signals[0].fingerprint


@pytest.mark.parametrize(
    ("interval", "text"),
    [
        (timedelta(minutes=1), "1 minute"),
        (timedelta(minutes=90), "90 minutes"),
        (timedelta(hours=2), "2 hours"),
        (timedelta(days=1), "1 day"),
    ],
)
def test_an_interval_is_said_in_the_largest_unit_that_fits(interval, text):
    assert rules.spoken(interval) == text


def fed(annotation=None, *, url=None, labels=None, matchers="", firing=True):
    group = payloads.Group("Watchdog", labels=labels or {"severity": "none"})
    group.fires("prometheus", at=NOW)
    if not firing:
        group.ends(at=NOW)
    document = group.document()
    for alert in document["alerts"]:
        alert["annotations"] = {"rootly": annotation} if annotation else {}
    envelope = SOURCES["alertmanager"](payloads.body(document))
    beat = Beat(id=IDENT, name="watchdog", matchers=tuple(parse_matchers(matchers)))
    directory = Directory(
        version=1, users={}, teams={}, services={}, policies={}, sources={}, routes=(), urgencies=(),
        fallback_user_ids=(), heartbeats={str(IDENT): beat},
    )  # fmt: skip
    [unit] = units(envelope, rules.source(HEARTBEAT))
    return rules.fed(unit, envelope, url, directory)


@pytest.mark.parametrize(
    "named",
    [
        {"annotation": f'{{"heartbeat":"{IDENT}"}}'},
        {"annotation": f'{{"heartbeat":{{"id":"{str(IDENT).upper()}"}}}}'},
        {"url": ("Heartbeat", str(IDENT))},
        {"matchers": 'alertname="Watchdog"'},
        {"matchers": "alertname=~Watch.*,severity=none"},
    ],
)
def test_a_watchdog_that_fires_is_a_beat(named):
    assert fed(**named).name == "watchdog"


@pytest.mark.parametrize(
    "named",
    [
        {},
        {"annotation": f'{{"heartbeat":"{UUID(int=8)}"}}', "matchers": 'alertname="Watchdog"'},
        {"annotation": "not json"},
        {"annotation": '{"heartbeat":["a"]}'},
        {"annotation": f'{{"notification_target":{{"type":"User","id":"{IDENT}"}}}}'},
        {"url": ("User", str(IDENT))},
        {"matchers": 'alertname="DiskFull"'},
        {"annotation": f'{{"heartbeat":"{IDENT}"}}', "firing": False},
    ],
)
def test_what_names_no_heartbeat_or_does_not_fire_is_an_alert_like_any_other(named):
    assert fed(**named) is None
