"""Chat and push channels: what a conversation or a browser subscription needs."""

from alembic import op

from nightbell.store.migrations import run_file

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    """Add it."""
    run_file(op.get_bind(), "0008_chat_channels.sql")
