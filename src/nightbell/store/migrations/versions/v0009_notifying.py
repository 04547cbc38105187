"""Notifying: bundles, throttles, quiet hours, notices, verification codes."""

from alembic import op

from nightbell.store.migrations import run_file

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    """Add it."""
    run_file(op.get_bind(), "0009_notifying.sql")
