"""Watching: heartbeats, the ledger's hash chain, the auditor's findings."""

from alembic import op

from nightbell.store.migrations import run_file

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    """Add it."""
    run_file(op.get_bind(), "0010_watching.sql")
