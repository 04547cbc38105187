"""Makes the key that signs push messages, once for an installation, by whichever node is first."""

from datetime import datetime

from nightbell.engine.ids import new_id
from nightbell.engine.vault import Vault
from nightbell.store.db import Db


async def ensure(db: Db, vault: Vault, key: str, now: datetime) -> None:
    """Keep this key, sealed, where there is none yet; browsers subscribe to its public half."""
    settings = {"private_key": vault.seal_text(key)}
    await db.execute("insert_push_key", new_id(now), settings, now)
