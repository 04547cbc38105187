"""This file names the tables and columns for SQLAlchemy Core: what lists, filters and configuration writes are built on.

The schema itself is `migrations/`; a contract test compares the two. Hot statements are in `sql/` and need no names.
"""

from typing import Any

from sqlalchemy import BigInteger, Boolean, Column, DateTime, Integer, LargeBinary, MetaData, Table, Text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, UUID

METADATA = MetaData()


def _table(name: str, key: Column[Any] | None, /, **columns: Any) -> Table:
    own = [Column(column, kind) for column, kind in columns.items()]
    times = [Column("created_at", _TIME), Column("updated_at", _TIME)]
    return Table(name, METADATA, *([key] if key is not None else []), *own, *times)


def _uuid_id() -> Column[Any]:
    return Column("id", _UUID, primary_key=True)


_UUID = UUID(as_uuid=True)
_TIME = DateTime(timezone=True)
_JSON = JSONB(none_as_null=True)
_UUIDS = ARRAY(_UUID)

configuration = Table("configuration", METADATA, Column("only_row", Boolean), Column("version", BigInteger))

users = _table(
    "users",
    Column("id", Integer, primary_key=True),
    email=Text,
    name=Text,
    role=Text,
    time_zone=Text,
    password_hash=Text,
    active=Boolean,
    quiet_hours=_JSON,
    updates=Text,
    notice_hours=ARRAY(Integer),
    handoff_notices=Boolean,
)
throttles = _table("throttles", _uuid_id(), kind=Text, scope=Text, most=Integer, seconds=Integer)
contact_methods = _table(
    "contact_methods",
    _uuid_id(),
    user_id=Integer,
    kind=Text,
    name=Text,
    address=Text,
    settings=_JSON,
    is_primary=Boolean,
    verified_at=_TIME,
    failing_since=_TIME,
    failing_why=Text,
)
notification_rules = _table(
    "notification_rules",
    _uuid_id(),
    user_id=Integer,
    contact_method_id=_UUID,
    loudness=Text,
    delay_minutes=Integer,
    position=Integer,
)
api_keys = _table(
    "api_keys",
    _uuid_id(),
    user_id=Integer,
    name=Text,
    role=Text,
    token_hash=LargeBinary,
    last_four=Text,
    expires_at=_TIME,
    last_used_at=_TIME,
)
sessions = _table(
    "sessions",
    _uuid_id(),
    user_id=Integer,
    token_hash=LargeBinary,
    csrf=Text,
    user_agent=Text,
    remote_ip=Text,
    expires_at=_TIME,
    last_seen_at=_TIME,
)
audit_log = _table(
    "audit_log",
    _uuid_id(),
    user_id=Integer,
    actor=Text,
    action=Text,
    item_type=Text,
    item_id=Text,
    changes=_JSON,
    remote_ip=Text,
    relayed_at=_TIME,
)

urgencies = _table(
    "urgencies",
    _uuid_id(),
    name=Text,
    description=Text,
    position=Integer,
    color=Text,
    retrigger_timeout_minutes=Integer,
)
escalation_policies = _table(
    "escalation_policies",
    _uuid_id(),
    name=Text,
    description=Text,
    repeat_count=Integer,
    created_by=Integer,
    business_hours=_JSON,
)
escalation_paths = _table(
    "escalation_paths",
    _uuid_id(),
    policy_id=_UUID,
    name=Text,
    is_default=Boolean,
    loudness=Text,
    position=Integer,
    repeat=Boolean,
    repeat_count=Integer,
    initial_delay_minutes=Integer,
    settings=_JSON,
)
escalation_levels = _table(
    "escalation_levels",
    _uuid_id(),
    path_id=_UUID,
    position=Integer,
    delay_minutes=Integer,
    targets=_JSON,
    settings=_JSON,
)
maintenances = _table(
    "maintenances",
    _uuid_id(),
    name=Text,
    description=Text,
    service_ids=_UUIDS,
    source_ids=_UUIDS,
    starts_at=_TIME,
    ends_at=_TIME,
    hours=_JSON,
    created_by=Integer,
    incident_id=_UUID,
)
teams = _table(
    "teams",
    _uuid_id(),
    name=Text,
    slug=Text,
    description=Text,
    color=Text,
    escalation_policy_id=_UUID,
    incident_broadcast_enabled=Boolean,
    incident_broadcast_channel=_JSON,
)
team_members = _table("team_members", None, team_id=_UUID, user_id=Integer, is_admin=Boolean)
services = _table(
    "services",
    _uuid_id(),
    name=Text,
    slug=Text,
    description=Text,
    color=Text,
    escalation_policy_id=_UUID,
    urgency_id=_UUID,
)
service_teams = _table("service_teams", None, service_id=_UUID, team_id=_UUID)

sources = _table(
    "sources",
    _uuid_id(),
    name=Text,
    type=Text,
    enabled=Boolean,
    identity=Text,
    dedup_path=Text,
    dedup_regexp=Text,
    urgency_id=_UUID,
    urgency_rules=_JSON,
    default_target=_JSON,
    repage_new_members=Boolean,
    owner_team_ids=_UUIDS,
    settings=_JSON,
    last_delivery_at=_TIME,
)
source_secrets = _table(
    "source_secrets",
    _uuid_id(),
    source_id=_UUID,
    secret_hash=LargeBinary,
    sealed=LargeBinary,
    last_four=Text,
    expires_at=_TIME,
)
routes = _table(
    "routes",
    _uuid_id(),
    name=Text,
    enabled=Boolean,
    source_ids=_UUIDS,
    owner_team_ids=_UUIDS,
    rules=_JSON,
    position=Integer,
)

grouping_rules = _table(
    "grouping_rules",
    _uuid_id(),
    name=Text,
    description=Text,
    slug=Text,
    condition_type=Text,
    time_window=Integer,
    by_title=Boolean,
    by_urgency=Boolean,
    targets=_JSON,
    attributes=_JSON,
    conditions=_JSON,
    owner_team_ids=_UUIDS,
    position=Integer,
)
deliveries = _table(
    "deliveries",
    _uuid_id(),
    received_at=_TIME,
    source_id=_UUID,
    path=Text,
    remote_ip=Text,
    user_agent=Text,
    status_code=Integer,
    outcome=Text,
    reason=Text,
    size=Integer,
    alert_count=Integer,
    body=LargeBinary,
    results=_JSON,
)
alerts = _table(
    "alerts",
    _uuid_id(),
    number=BigInteger,
    source_id=_UUID,
    identity=LargeBinary,
    status=Text,
    urgency_id=_UUID,
    summary=Text,
    alertname=Text,
    occurrence=Integer,
    request_count=Integer,
    member_count=Integer,
    firing_count=Integer,
    truncated=Integer,
    started_at=_TIME,
    ended_at=_TIME,
    acknowledged_at=_TIME,
    acknowledged_by=Integer,
    resolved_at=_TIME,
    snoozed_until=_TIME,
    last_received_at=_TIME,
    delivery_id=_UUID,
    wake_at=_TIME,
    unpaged=Boolean,
    tags=ARRAY(BigInteger),
    content=BigInteger,
    leader_id=_UUID,
    bucket=LargeBinary,
    group_rule_id=_UUID,
    group_until=_TIME,
    group_size=Integer,
    group_handed_at=_TIME,
)
alert_details = _table(
    "alert_details",
    None,
    alert_id=_UUID,
    labels=_JSON,
    annotations=_JSON,
    description=Text,
    external_url=Text,
    receiver=Text,
    group_key=Text,
    dedup_key=Text,
    dedup_rule=Text,
    targets=_JSON,
    routing=_JSON,
    service_ids=_UUIDS,
    team_ids=_UUIDS,
)
alert_events = _table(
    "alert_events",
    _uuid_id(),
    alert_id=_UUID,
    kind=Text,
    action=Text,
    code=Text,
    source=Text,
    user_id=Integer,
    details=Text,
    because=_JSON,
    level=Integer,
)
notifications = _table(
    "notifications",
    _uuid_id(),
    alert_id=_UUID,
    page_id=_UUID,
    user_id=Integer,
    contact_method_id=_UUID,
    address=Text,
    kind=Text,
    purpose=Text,
    occurrence=Integer,
    level=Integer,
    state=Text,
    send_at=_TIME,
    attempts=Integer,
    lease_until=_TIME,
    leased_by=Text,
    idempotency_key=Text,
    provider_id=Text,
    why=Text,
    because=_JSON,
    bundle_id=_UUID,
    finished_at=_TIME,
)
