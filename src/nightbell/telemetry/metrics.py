"""This file names everything Nightbell counts; `/metrics` is `exposition()`.

Labels hold only what we chose (a channel, an outcome, a source's name): never a label of somebody's alert.
"""

from collections.abc import Callable

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    disable_created_metrics,
    generate_latest,
)
from prometheus_client.gc_collector import GCCollector
from prometheus_client.platform_collector import PlatformCollector
from prometheus_client.process_collector import ProcessCollector

from nightbell.__about__ import __version__

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"

# Prometheus reads no meaning from them, and they double the page.
disable_created_metrics()  # type: ignore[no-untyped-call]  # the library leaves it untyped

REGISTRY = CollectorRegistry(auto_describe=True)
ProcessCollector(registry=REGISTRY)
PlatformCollector(registry=REGISTRY)
GCCollector(registry=REGISTRY)

#: What became of the requests of sources: accepted, partial (some alerts quarantined), quarantined.
DELIVERIES = Counter(
    "nightbell_deliveries", "Requests of sources that were stored", ["source", "outcome"], registry=REGISTRY
)
REJECTED = Counter(
    "nightbell_deliveries_rejected",
    "Requests of senders that were turned away",
    ["reason"],
    registry=REGISTRY,
)
#: created, reopened, repeated, member_added, resolved, quarantined, …
ALERTS = Counter("nightbell_alerts", "What signals did to alerts", ["what"], registry=REGISTRY)
PAGES = Counter("nightbell_pages", "Requests for one person's attention", registry=REGISTRY)
UNPAGED = Counter(
    "nightbell_unpaged_alerts", "Alerts whose escalation reached no one", ["fallback"], registry=REGISTRY
)
NOTIFICATIONS = Counter(
    "nightbell_notifications",
    "Attempts to hand a message to a channel",
    ["channel", "outcome"],
    registry=REGISTRY,
)
#: delivered, waiting (tried again), failed (given up).
WEBHOOKS = Counter(
    "nightbell_webhook_deliveries", "Attempts to tell an endpoint of an event", ["outcome"], registry=REGISTRY
)
RECEIPTS = Counter(
    "nightbell_receipts",
    "Messages of which it became known how far they came after they were handed over",
    ["channel", "stage"],
    registry=REGISTRY,
)
REPLIES = Counter(
    "nightbell_replies", "Answers of people to messages", ["channel", "verdict"], registry=REGISTRY
)
UNREACHABLE_ON_CALL = Gauge(
    "nightbell_unreachable_on_call",
    "People on call now whom no contact method would reach",
    registry=REGISTRY,
)
INGEST_SECONDS = Histogram(
    "nightbell_ingest_seconds",
    "From the last byte of a request to its commit",
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
    registry=REGISTRY,
)
HANDOVER_SECONDS = Histogram(
    "nightbell_notification_handover_seconds",
    "From the instant a notification is due to the channel's answer",
    ["channel"],
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300),
    registry=REGISTRY,
)
INGEST_FAULTS = Counter(
    "nightbell_ingest_faults", "Deliveries kept aside because of a defect of ours", registry=REGISTRY
)
TIMER_FAULTS = Counter(
    "nightbell_timer_faults", "Due alerts pushed back because of a defect of ours", registry=REGISTRY
)
#: How: http, email, alertmanager.
HEARTBEATS = Counter("nightbell_heartbeats", "Beats that were taken", ["how"], registry=REGISTRY)
#: What became of looking at calendars elsewhere: read, failed.
CALENDARS = Counter(
    "nightbell_calendar_reads", "Calendars elsewhere that were looked at", ["outcome"], registry=REGISTRY
)
CALENDARS_FAILING = Gauge(
    "nightbell_calendars_failing",
    "Calendars elsewhere that could not be read the last time",
    registry=REGISTRY,
)
#: Invariants: next_action, page_once, in_time, ledger.
AUDIT_FINDINGS = Gauge(
    "nightbell_audit_findings",
    "Promises that do not hold, as the auditor finds them",
    ["invariant"],
    registry=REGISTRY,
)
AUDIT_ROUND = Gauge(
    "nightbell_audit_last_round_timestamp_seconds",
    "When the auditor of this node went round last",
    registry=REGISTRY,
)
LEDGER_ENTRIES = Counter(
    "nightbell_ledger_entries", "Entries that this node sealed into the ledger", registry=REGISTRY
)
QUEUE_BYTES = Gauge("nightbell_queue_bytes", "Bytes of requests that wait to be written", registry=REGISTRY)
TIMERS_LAG_SECONDS = Gauge(
    "nightbell_timers_lag_seconds", "How late the latest due timer was picked up", registry=REGISTRY
)
#: How: queued, started, completed, completed_with_errors, failed, canceled.
WORKFLOW_RUNS = Counter(
    "nightbell_workflow_runs", "Runs of workflows that came to a status", ["status"], registry=REGISTRY
)
WORKFLOW_STEPS = Counter(
    "nightbell_workflow_steps", "Attempts at tasks of workflows", ["task", "outcome"], registry=REGISTRY
)
WORKFLOW_LAG_SECONDS = Gauge(
    "nightbell_workflow_lag_seconds",
    "How late the most overdue run of a workflow, or happening that may start one, is",
    registry=REGISTRY,
)
WORKFLOW_LOOPS = Counter(
    "nightbell_workflow_loops", "Runs that were cut because workflows caused each other", registry=REGISTRY
)
WORKFLOW_FAULTS = Counter(
    "nightbell_workflow_faults",
    "Happenings and runs set aside because of a defect of ours",
    registry=REGISTRY,
)
POLICIES_WITHOUT_LEVELS = Gauge(
    "nightbell_policies_without_levels", "Policies in use that would page nobody", registry=REGISTRY
)
BUILD_INFO = Gauge("nightbell_build_info", "1, with the version as a label", ["version"], registry=REGISTRY)
BUILD_INFO.labels(version=__version__).set(1)


def measure(gauge: Gauge, read: Callable[[], float]) -> None:
    """Read a gauge when it is asked for, instead of setting it on every change."""
    gauge.set_function(read)


def exposition() -> bytes:
    """Return every metric in Prometheus's text format."""
    return generate_latest(REGISTRY)
