"""This file names the tables of chats: codes that link them to people, and who asks a service for news."""

from sqlalchemy import BigInteger, Column, DateTime, Integer, LargeBinary, Table, Text
from sqlalchemy.dialects.postgresql import UUID

from nightbell.store.tables import METADATA

_UUID = UUID(as_uuid=True)
_TIME = DateTime(timezone=True)

link_codes = Table(
    "link_codes",
    METADATA,
    Column("id", _UUID, primary_key=True),
    Column("user_id", Integer),
    Column("kind", Text),
    Column("code_hash", LargeBinary),
    Column("expires_at", _TIME),
    Column("used_at", _TIME),
    Column("created_at", _TIME),
    Column("updated_at", _TIME),
)
pollers = Table(
    "pollers",
    METADATA,
    Column("id", _UUID, primary_key=True),
    Column("kind", Text),
    Column("holder", Text),
    Column("lease_until", _TIME),
    Column("position", BigInteger),
    Column("arranged", Text),
    Column("known_as", Text),
    Column("trouble", Text),
    Column("created_at", _TIME),
    Column("updated_at", _TIME),
)
