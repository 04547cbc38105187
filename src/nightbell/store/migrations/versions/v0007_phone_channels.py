"""Phone and Slack channels: receipts, replies, verification."""

from alembic import op

from nightbell.store.migrations import run_file

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """Add it."""
    run_file(op.get_bind(), "0007_phone_channels.sql")
