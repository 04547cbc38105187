"""The spine: sources, alerts, escalations, pages, notifications."""

from alembic import op

from nightbell.store.migrations import run_file

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Create every table of the first release."""
    run_file(op.get_bind(), "0001_spine.sql")
