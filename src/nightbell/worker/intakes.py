"""Makes the intake of a node: its own process and those beside it, each with its share of the lanes."""

import os

from msgspec.structs import replace

from nightbell.engine.directory import Directories
from nightbell.engine.intake import Shared
from nightbell.store.db import Db
from nightbell.worker.frames import Begin
from nightbell.worker.intake_apart import Apart
from nightbell.worker.intake_process import inside
from nightbell.worker.pulse import Pulse


def shared(begin: Begin, db: Db, directories: Directories, pulse: Pulse, processes: int) -> Shared:
    """Return the intake of a node in so many processes; `begin` says what they have together."""
    each = replace(
        begin,
        lanes=max(1, begin.lanes // processes),
        queue_limit=begin.queue_limit // processes,
    )
    own = inside(each, db, directories, pulse.committed)
    intake = Shared([own, *(Apart(each, pulse.told) for _ in range(processes - 1))])
    return intake


def processes(wanted: int) -> int:
    """Return how many processes take requests: as many as are wanted, for 0 two where there are two processors."""
    # Only Linux says which processors a process may use.
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return wanted or min(2, usable)
