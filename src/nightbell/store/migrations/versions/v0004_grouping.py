"""Alert grouping rules: leaders, members and the windows they share."""

from alembic import op

from nightbell.store.migrations import run_file

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Add it."""
    run_file(op.get_bind(), "0004_grouping.sql")
