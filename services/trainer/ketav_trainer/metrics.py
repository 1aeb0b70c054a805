"""Prometheus metrics of the trainer's server and of its workers, besides those of calls."""

from collections.abc import Iterator
from contextlib import contextmanager

from prometheus_client import Counter, Gauge, Histogram

from ketav_common import tracing

WEBHOOK_ATTEMPTS = Counter(
    "ketav_webhook_attempts_total",
    "Attempts to deliver a webhook, by outcome: accepted, refused, or crashed by a defect.",
    ["outcome"],
)
ATTEMPT_DURATION = Histogram(
    "ketav_training_attempt_duration_seconds",
    "Time from a worker's claim of a run to the end of the attempt: published, cancelled, failed, run_ended, "
    "lease_lost or returned.",
    ["outcome"],
    buckets=(1, 5, 15, 30, 60, 120, 300, 600, 1200, 1800, 3600),
)
ATTEMPTS_ACTIVE = Gauge("ketav_training_attempts_active", "Attempts at runs that this worker makes now.")
STAGE = Histogram(
    "ketav_training_stage_seconds",
    "Time of a stage of an attempt: fetch, prepare, fit, evaluate, cross_validate, publish.",
    ["stage"],
    buckets=(0.1, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600, 1800, 3600),
)
GATE_VERDICTS = Counter(
    "ketav_gate_verdicts_total", "Verdicts of the gate: promoted or rejected.", ["verdict"]
)
GATE_CER = Histogram(
    "ketav_gate_cer_ratio",
    "CER on the measured lines of the gate, of the serving model and of the candidate.",
    ["model"],
    buckets=(0.01, 0.02, 0.05, 0.1, 0.15, 0.2, 0.3, 0.5, 0.75, 1.0),
)
ENQUEUE_FAILURES = Counter(
    "ketav_training_enqueue_failures_total",
    "Runs that the broker did not accept; a sweep repeats them.",
)


def record_verdict(*, promoted: bool, serving: float, candidate: float) -> None:
    """Count a verdict of the gate, and observe the CERs, 0 to 1, of the models that it has compared."""
    GATE_VERDICTS.labels("promoted" if promoted else "rejected").inc()
    GATE_CER.labels("serving").observe(serving)
    GATE_CER.labels("candidate").observe(candidate)


@contextmanager
def measure_stage(name: str) -> Iterator[None]:
    """Observe the time of the block as a stage of an attempt, in a span."""
    with tracing.span(name), STAGE.labels(name).time():
        yield
