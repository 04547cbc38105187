"""This file names the tables of what watches: heartbeats, the ledger of pages, the auditor's findings."""

from sqlalchemy import BigInteger, Boolean, Column, DateTime, Integer, LargeBinary, Table, Text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, UUID

from nightbell.store.tables import METADATA

_UUID = UUID(as_uuid=True)
_TIME = DateTime(timezone=True)

heartbeats = Table(
    "heartbeats",
    METADATA,
    Column("id", _UUID, primary_key=True),
    Column("name", Text),
    Column("description", Text),
    Column("alert_summary", Text),
    Column("alert_description", Text),
    Column("urgency_id", _UUID),
    Column("interval_count", Integer),
    Column("interval_unit", Text),
    Column("grace_seconds", Integer),
    Column("target", JSONB(none_as_null=True)),
    Column("owner_team_ids", ARRAY(_UUID)),
    Column("matchers", Text),
    Column("enabled", Boolean),
    Column("status", Text),
    Column("secret_hash", LargeBinary),
    Column("sealed", LargeBinary),
    Column("mail_name", Text),
    Column("last_pinged_at", _TIME),
    Column("last_pinged_by", Text),
    Column("expires_at", _TIME),
    Column("wake_at", _TIME),
    Column("recent", ARRAY(_TIME)),
    Column("created_at", _TIME),
    Column("updated_at", _TIME),
)
ledger = Table(
    "ledger",
    METADATA,
    Column("position", BigInteger, primary_key=True),
    Column("step", Text),
    Column("subject", _UUID),
    Column("alert_id", _UUID),
    Column("at", _TIME),
    Column("entry", Text),
    Column("digest", LargeBinary),
    Column("created_at", _TIME),
    Column("updated_at", _TIME),
)
ledger_anchors = Table(
    "ledger_anchors",
    METADATA,
    Column("id", _UUID, primary_key=True),
    Column("first", BigInteger),
    Column("position", BigInteger),
    Column("digest", LargeBinary),
    Column("archive", Text),
    Column("sha256", LargeBinary),
    Column("before", _TIME),
    Column("created_at", _TIME),
    Column("updated_at", _TIME),
)
findings = Table(
    "findings",
    METADATA,
    Column("id", _UUID, primary_key=True),
    Column("invariant", Text),
    Column("subject", Text),
    Column("told", Text),
    Column("rounds", Integer),
    Column("last_seen_at", _TIME),
    Column("paged_at", _TIME),
    Column("gone_at", _TIME),
    Column("created_at", _TIME),
    Column("updated_at", _TIME),
)
