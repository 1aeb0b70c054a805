"""Prometheus metrics of the registry, besides those of calls and stages."""

from prometheus_client import Counter, Gauge, Histogram

_RATIO_BUCKETS = (0.0, 0.01, 0.02, 0.05, 0.1, 0.15, 0.2, 0.3, 0.5, 0.75, 1.0)
_MINUTES_BUCKETS = (1, 5, 15, 30, 60, 120, 300, 600, 1200, 1800, 3600, 7200, 14400)
"""Seconds: a run waits for the next free worker and trains for minutes."""

CONNECTIONS = Gauge("ketav_database_connections", "Connections to PostgreSQL: busy or idle.", ["state"])
CONNECTIONS_LIMIT = Gauge("ketav_database_connections_limit", "Connections that the pool may open.")
CONNECTION_DELAY = Histogram(
    "ketav_database_connection_delay_seconds",
    "Time from the beginning of a transaction until it has a connection.",
    buckets=(0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5),
)
CORRECTIONS = Counter(
    "ketav_corrections_total",
    "Corrections of lines, by the script of the project and the state: accepted or quarantined.",
    ["script", "state"],
)
CORRECTION_CER = Histogram(
    "ketav_correction_cer_ratio",
    "CER of a line's reading against its first correction by the user, unless that is quarantined.",
    ["script"],
    buckets=_RATIO_BUCKETS,
)
RUN_QUEUE_DELAY = Histogram(
    "ketav_training_queue_delay_seconds",
    "Time from a run's creation to its first claim by a worker.",
    buckets=_MINUTES_BUCKETS,
)
RUN_DURATION = Histogram(
    "ketav_training_run_duration_seconds",
    "Time from a run's creation to its end, by outcome: succeeded, rejected, failed or cancelled.",
    ["outcome"],
    buckets=_MINUTES_BUCKETS,
)
JOB_DURATION = Histogram(
    "ketav_job_duration_seconds",
    "Time from a job's creation to its end, by outcome: succeeded, partly_failed, failed or cancelled.",
    ["outcome"],
    buckets=_MINUTES_BUCKETS,
)
LEASE_EXPIRIES = Counter(
    "ketav_lease_expiries_total", "Leases of training runs, and of pages of jobs, that expired."
)
FENCE_REJECTIONS = Counter(
    "ketav_fence_rejections_total", "Calls of workers that were refused because their fence was stale."
)
DELIVERIES = Counter(
    "ketav_webhook_deliveries_total",
    "Webhook deliveries that have ended, by outcome: delivered or failed.",
    ["outcome"],
)
DELIVERY_ATTEMPTS = Histogram(
    "ketav_webhook_delivery_attempts",
    "Attempts of a webhook delivery that has ended.",
    buckets=(1, 2, 3, 4, 5, 6, 8, 10),
)
