"""Escalation: people added by hand, acknowledgement settings."""

from alembic import op

from nightbell.store.migrations import run_file

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Add it."""
    run_file(op.get_bind(), "0006_responders.sql")
