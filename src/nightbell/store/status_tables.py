"""This file names the tables of status pages: the pages, what is published on them, and who follows."""

from typing import Any

from sqlalchemy import Boolean, Column, DateTime, Integer, Table, Text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, UUID

from nightbell.store.tables import METADATA

_UUID = UUID(as_uuid=True)
_TIME = DateTime(timezone=True)


def _table(name: str, /, **columns: Any) -> Table:
    own = [Column(column, kind) for column, kind in columns.items()]
    times = [Column("created_at", _TIME), Column("updated_at", _TIME)]
    return Table(name, METADATA, Column("id", _UUID, primary_key=True), *own, *times)


status_pages = _table(
    "status_pages",
    title=Text,
    slug=Text,
    public_title=Text,
    description=Text,
    public_description=Text,
    success_message=Text,
    failure_message=Text,
    footer=Text,
    website_url=Text,
    support_url=Text,
    privacy_url=Text,
    section_order=ARRAY(Text),
    time_zone=Text,
    service_ids=ARRAY(_UUID),
    public=Boolean,
    enabled=Boolean,
    indexed=Boolean,
    token_round=Integer,
    wire=JSONB(none_as_null=True),
)
status_page_events = _table(
    "status_page_events",
    incident_id=_UUID,
    status_page_id=_UUID,
    event=Text,
    status=Text,
    impact=Text,
    started_at=_TIME,
    notify_subscribers=Boolean,
    should_tweet=Boolean,
    created_by=Integer,
)
status_page_subscribers = _table(
    "status_page_subscribers",
    status_page_id=_UUID,
    email=Text,
    asked_at=_TIME,
    confirmed_at=_TIME,
    ended_at=_TIME,
)
incident_updates = _table(
    "incident_updates",
    incident_id=_UUID,
    key=Text,
    title=Text,
    body=Text,
    recipients=Integer,
    created_by=Integer,
)
