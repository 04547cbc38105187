"""Makes the intake of a node: its own process and those beside it, each with its share of the lanes."""

from msgspec.structs import replace

from nightbell.core import holes
from nightbell.engine.directory import Directories
from nightbell.engine.intake import Shared
from nightbell.store.db import Db
from nightbell.telemetry import metrics
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
    metrics.measure(metrics.QUEUE_BYTES, lambda: intake.waiting_bytes)
    metrics.measure(metrics.POLICIES_WITHOUT_LEVELS, lambda: _without_levels(directories))
    return intake


def _without_levels(directories: Directories) -> int:
    known = directories.known()
    return len(holes.without_levels(known)) if known else 0
