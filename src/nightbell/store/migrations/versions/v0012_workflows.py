"""Workflows: what starts them, their tasks, their runs."""

from alembic import op

from nightbell.store.migrations import run_file

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    """Add it."""
    run_file(op.get_bind(), "0012_workflows.sql")
