"""This file names the tables of outgoing webhooks: who hears of what happens, and what became of it."""

from sqlalchemy import Boolean, Column, DateTime, Integer, LargeBinary, Table, Text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, UUID

from nightbell.store.tables import METADATA

_UUID = UUID(as_uuid=True)
_TIME = DateTime(timezone=True)

endpoints = Table(
    "webhooks_endpoints",
    METADATA,
    Column("id", _UUID, primary_key=True),
    Column("name", Text),
    Column("slug", Text),
    Column("url", Text),
    Column("event_types", ARRAY(Text)),
    Column("sealed", LargeBinary),
    Column("enabled", Boolean),
    Column("custom_headers", JSONB(none_as_null=True)),
    Column("private", Boolean),
    Column("failing_since", _TIME),
    Column("failing_why", Text),
    Column("disabled_why", Text),
    Column("created_at", _TIME),
    Column("updated_at", _TIME),
)
deliveries = Table(
    "webhooks_deliveries",
    METADATA,
    Column("id", _UUID, primary_key=True),
    Column("endpoint_id", _UUID),
    Column("event_id", _UUID),
    Column("event_type", Text),
    Column("payload", Text),
    Column("state", Text),
    Column("attempts", Integer),
    Column("send_at", _TIME),
    Column("lease_until", _TIME),
    Column("leased_by", Text),
    Column("response_status", Integer),
    Column("response_body", Text),
    Column("why", Text),
    Column("tries", JSONB(none_as_null=True)),
    Column("give_up_at", _TIME),
    Column("delivered_at", _TIME),
    Column("created_at", _TIME),
    Column("updated_at", _TIME),
)
