"""What the gauges of a node read when somebody looks at them."""

from nightbell.core import holes
from nightbell.engine.directory import Directories
from nightbell.engine.intake import Shared
from nightbell.telemetry import metrics


def measured(intake: Shared, directories: Directories) -> None:
    """Let the gauges read this node from now on."""
    metrics.measure(metrics.QUEUE_BYTES, lambda: intake.waiting_bytes)
    metrics.measure(metrics.POLICIES_WITHOUT_LEVELS, lambda: _without_levels(directories))


def _without_levels(directories: Directories) -> int:
    known = directories.known()
    return len(holes.without_levels(known)) if known else 0
