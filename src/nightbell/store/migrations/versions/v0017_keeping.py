"""How long the ledger and the auditor's findings are kept; what people are told of swaps."""

from alembic import op

from nightbell.store.migrations import run_file

revision = "0017"
down_revision = "0016"


def upgrade() -> None:
    """Add it."""
    run_file(op.get_bind(), "0017_keeping.sql")
