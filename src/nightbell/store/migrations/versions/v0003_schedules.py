"""Schedules: rotations, overrides, swaps, shadows, absences, calendars."""

from alembic import op

from nightbell.store.migrations import run_file

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Add what says who is on call."""
    run_file(op.get_bind(), "0003_schedules.sql")
