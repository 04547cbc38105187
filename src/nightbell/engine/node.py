"""What one running process is to the engine: its clock, its name, and whom to tell after a commit."""

from collections.abc import Callable
from datetime import datetime

from msgspec import Struct

from nightbell.engine.ingest import Committed


class Node(Struct, frozen=True, kw_only=True):
    """One process. `name` outlives a restart, so that its former self's leases are known to be void."""

    name: str
    clock: Callable[[], datetime]
    woken: Callable[[Committed], None]
