"""The schema, step by step: `versions/` says the order (Alembic), the `.sql` files beside this one say what to do."""

from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent


def run_file(bind: Any, name: str) -> None:
    """Run a whole `.sql` file of this folder inside the migration's transaction.

    Shape: `bind` is Alembic's `op.get_bind()`. The file goes to asyncpg directly, because SQLAlchemy prepares each
    statement and a prepared statement cannot hold several commands.
    """
    bind.exec_driver_sql(
        "SELECT 1"
    )  # opens the transaction, which SQLAlchemy puts off to the first statement
    text = (FOLDER / name).read_text(encoding="utf-8")
    bind.connection.dbapi_connection.run_async(lambda connection: connection.execute(text))
