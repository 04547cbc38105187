"""What a measurement came to, and how it is written down.

Rule 1: a figure says what else the machine did meanwhile, so that nobody compares a busy hour with a quiet one.
"""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Throughput:
    """Alerts that became durable. Units: alerts a second, milliseconds, microseconds of processor an alert."""

    name: str
    alerts: int
    per_second: float
    webhooks: float
    p50: float
    p99: float
    program: float
    database: float
    load: float
    #: Share of the machine that something else used meanwhile.
    others: float
    note: str = ""

    def row(self) -> str:
        """Return the figure as a row of a Markdown table."""
        return (
            f"| {self.name} | {self.per_second:,.0f} | {self.webhooks:,.0f} | {self.p50:.1f} / {self.p99:.1f} "
            f"| {self.program:.0f} + {self.database:.0f} + {self.load:.0f} | {self.others:.0%} | {self.note} |"
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Plain:
    """Any other figure, in words."""

    name: str
    value: str
    others: float
    note: str = ""

    def row(self) -> str:
        """Return the figure as a row of a Markdown table."""
        return f"| {self.name} | {self.value} | {self.others:.0%} | {self.note} |"


@dataclass(frozen=True, slots=True, kw_only=True)
class Steps:
    """Timers that were claimed and stepped. Units: steps a second, microseconds of processor a step."""

    name: str
    per_second: float
    program: float
    database: float
    others: float
    note: str = ""

    def row(self) -> str:
        """Return the figure as a row of a Markdown table."""
        return (
            f"| {self.name} | {self.per_second:,.0f} | {self.program:.0f} + {self.database:.0f} "
            f"| {self.others:.0%} | {self.note} |"
        )


Figure = Throughput | Steps | Plain

_HEADINGS = {
    Throughput: (
        "| what | alerts/s | webhooks/s | ack p50 / p99 ms | CPU us/alert: program + PostgreSQL + load | others | notes |\n"
        "|---|--:|--:|--:|--:|--:|---|"
    ),
    Steps: "| what | steps/s | CPU us/step: program + PostgreSQL | others | notes |\n|---|--:|--:|--:|---|",
    Plain: "| what | figure | others | notes |\n|---|--:|--:|---|",
}


def heading(figure: Figure) -> str:
    """Return the head of the table that a figure belongs to."""
    return _HEADINGS[type(figure)]


def percentile(values: Sequence[float], share: float) -> float:
    """Return a percentile of sorted values, 0 of none."""
    return values[min(len(values) - 1, int(len(values) * share))] if values else 0.0


def milliseconds(values: Sequence[float]) -> str:
    """Return p50 and p99 of sorted seconds, as milliseconds."""
    return f"{percentile(values, 0.5) * 1000:.1f} / {percentile(values, 0.99) * 1000:.1f} ms"
