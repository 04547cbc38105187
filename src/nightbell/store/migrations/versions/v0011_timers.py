"""Timers: what makes due work cheap to find and to step."""

from alembic import op

from nightbell.store.migrations import run_file

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    """Add it."""
    run_file(op.get_bind(), "0011_timers.sql")
