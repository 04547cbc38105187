"""Chat rooms of incidents."""

from alembic import op

from nightbell.store.migrations import run_file

revision = "0016"
down_revision = "0015"


def upgrade() -> None:
    """Add it."""
    run_file(op.get_bind(), "0016_incident_rooms.sql")
