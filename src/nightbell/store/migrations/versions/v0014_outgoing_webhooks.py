"""Outgoing webhooks: who hears of what happens, and what became of it."""

from alembic import op

from nightbell.store.migrations import run_file

revision = "0014"
down_revision = "0013"


def upgrade() -> None:
    """Add it."""
    run_file(op.get_bind(), "0014_outgoing_webhooks.sql")
