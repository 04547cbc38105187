"""Links to what may be read without an account: the public on-call page."""

from alembic import op

from nightbell.store.migrations import run_file

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Add it."""
    run_file(op.get_bind(), "0005_oncall_pages.sql")
