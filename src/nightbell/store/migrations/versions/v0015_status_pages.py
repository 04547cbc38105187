"""Status pages: what the public may see."""

from alembic import op

from nightbell.store.migrations import run_file

revision = "0015"
down_revision = "0014"


def upgrade() -> None:
    """Add it."""
    run_file(op.get_bind(), "0015_status_pages.sql")
