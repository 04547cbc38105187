"""Incidents: their timeline, people, action items and alerts."""

from alembic import op

from nightbell.store.migrations import run_file

revision = "0013"
down_revision = "0012"


def upgrade() -> None:
    """Add it."""
    run_file(op.get_bind(), "0013_incidents.sql")
