"""This file names the tables of schedules for SQLAlchemy Core, as `tables.py` does for all others."""

from typing import Any

from sqlalchemy import Boolean, Column, DateTime, Integer, LargeBinary, Table, Text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, UUID

from nightbell.store.tables import METADATA

_UUID = UUID(as_uuid=True)
_TIME = DateTime(timezone=True)
_JSON = JSONB(none_as_null=True)
_SPAN = {"starts_at": _TIME, "ends_at": _TIME}


def _table(name: str, /, **columns: Any) -> Table:
    own = [Column(column, kind) for column, kind in columns.items()]
    times = [Column("created_at", _TIME), Column("updated_at", _TIME)]
    return Table(name, METADATA, Column("id", _UUID, primary_key=True), *own, *times)


schedules = _table(
    "schedules",
    name=Text,
    description=Text,
    time_zone=Text,
    owner_user_id=Integer,
    owner_team_ids=ARRAY(_UUID),
    all_time_coverage=Boolean,
    time_off=Text,
    holidays=Text,
    settings=_JSON,
    deleted_at=_TIME,
)
rotations = _table(
    "schedule_rotations",
    schedule_id=_UUID,
    name=Text,
    position=Integer,
    type=Text,
    time_zone=Text,
    handoff_time=Text,
    handoff_day=Text,
    length=Integer,
    length_unit=Text,
    advance=Text,
    turn_minutes=Integer,
    all_week=Boolean,
    days=ARRAY(Text),
    hours=Text,
    windows=_JSON,
    deleted_at=_TIME,
    **_SPAN,
)
members = _table(
    "schedule_members",
    rotation_id=_UUID,
    position=Integer,
    user_id=Integer,
    nested_schedule_id=_UUID,
    skipped_at=_TIME,
    skipped_why=Text,
)
active_days = _table("schedule_active_days", rotation_id=_UUID, day=Text, windows=_JSON)
versions = _table("schedule_versions", rotation_id=_UUID, schedule_id=_UUID, spec=_JSON, **_SPAN)
overrides = _table(
    "schedule_overrides",
    schedule_id=_UUID,
    change=Text,
    user_id=Integer,
    replaces_user_id=Integer,
    reason=Text,
    created_by=Integer,
    **_SPAN,
)
swaps = _table(
    "schedule_swaps",
    schedule_id=_UUID,
    shift_id=_UUID,
    user_id=Integer,
    asked_user_id=Integer,
    return_starts_at=_TIME,
    return_ends_at=_TIME,
    reason=Text,
    state=Text,
    taken_by_user_id=Integer,
    answered_at=_TIME,
    created_by=Integer,
    **_SPAN,
)
shadows = _table("schedule_shadows", schedule_id=_UUID, user_id=Integer, of_user_id=Integer, **_SPAN)
time_off = _table("time_off", user_id=Integer, reason=Text, **_SPAN)
holiday_calendars = _table("holiday_calendars", user_id=Integer, country=Text, subdivision=Text)
working_hours = _table("working_hours", user_id=Integer, days=ARRAY(Text), windows=_JSON)
feeds = _table(
    "schedule_feeds",
    schedule_id=_UUID,
    name=Text,
    position=Integer,
    url=LargeBinary,
    refresh_minutes=Integer,
    next_fetch_at=_TIME,
    tried_at=_TIME,
    good_at=_TIME,
    error=Text,
    unknown_people=ARRAY(Text),
    deleted_at=_TIME,
)
bookings = _table("schedule_bookings", feed_id=_UUID, user_id=Integer, **_SPAN)
calendar_links = _table(
    "calendar_links",
    kind=Text,
    name=Text,
    user_id=Integer,
    schedule_id=_UUID,
    schedule_ids=ARRAY(_UUID),
    token_hash=LargeBinary,
    sealed=LargeBinary,
    created_by=Integer,
    cancelled_at=_TIME,
)
