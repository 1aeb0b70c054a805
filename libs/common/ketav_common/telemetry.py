"""Prometheus metrics: the calls a service handles, and the webhooks that the trainer sends."""

from collections.abc import Iterator
from contextlib import contextmanager

from prometheus_client import Counter, Histogram, start_http_server

HANDLED = Counter("ketav_rpc_handled_total", "Calls handled, by outcome.", ["service", "method", "code"])
DURATION = Histogram(
    "ketav_rpc_duration_seconds",
    "Time from a call's arrival to its end.",
    ["service", "method"],
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60),
)

WEBHOOK_ATTEMPTS = Counter(
    "ketav_webhook_attempts_total",
    "Attempts to deliver a webhook, by outcome: accepted, refused, or crashed by a defect.",
    ["outcome"],
)


def record(service: str, method: str, code: str, seconds: float) -> None:
    """Count one handled call and its duration in seconds."""
    HANDLED.labels(service, method, code).inc()
    DURATION.labels(service, method).observe(seconds)


@contextmanager
def metrics_server(host: str, port: int) -> Iterator[None]:
    """Serve the process's metrics over HTTP inside the block; port 0 serves none."""
    if not port:
        yield
        return
    server, thread = start_http_server(port, host)
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
        thread.join(timeout=5)
