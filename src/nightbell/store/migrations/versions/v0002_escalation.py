"""Escalation that can be proved: turns, maintenance, grouping."""

from alembic import op

from nightbell.store.migrations import run_file

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Add what conditional paths, round robin, maintenance and grouping need."""
    run_file(op.get_bind(), "0002_escalation.sql")
