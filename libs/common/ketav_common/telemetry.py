"""Prometheus metrics that several services have, and the server from which Prometheus reads them.

Names are `ketav_<subject>_<unit>`, with `_total` for counters. Units are seconds, bytes and ratios. No label
has an id or a text of a user, so that the number of series is bounded.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from prometheus_client import REGISTRY, CollectorRegistry, Counter, Histogram, start_http_server

from ketav_common import tracing
from ketav_common.stages import StageTimes

RPC_HANDLED = Counter("ketav_rpc_handled_total", "Calls handled, by outcome.", ["service", "method", "code"])
RPC_DURATION = Histogram(
    "ketav_rpc_duration_seconds",
    "Time from a call's arrival to its end.",
    ["service", "method"],
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60),
)
READING_STAGE = Histogram(
    "ketav_reading_stage_seconds",
    "Time of a stage of reading a page: load, decode, segment, crop, network and beam in the recognizer, "
    "store in the registry.",
    ["stage"],
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30),
)


def record_call(service: str, method: str, code: str, seconds: float) -> None:
    """Count one handled call and its duration in seconds."""
    RPC_HANDLED.labels(service, method, code).inc()
    RPC_DURATION.labels(service, method).observe(seconds)


def report_stages(histogram: Histogram, stages: StageTimes, pid: int) -> None:
    """Observe the durations of stages that the process `pid` has measured, and record a span for each."""
    for name, time in stages.items():
        histogram.labels(name).observe(time.seconds)
        tracing.record_stage(name, time, {"process.pid": pid})


@contextmanager
def metrics_server(host: str, port: int, registry: CollectorRegistry = REGISTRY) -> Iterator[None]:
    """Serve the process's metrics over HTTP inside the block; port 0 serves none.

    An address that cannot be used ends the process with a sentence that names the variables.
    """
    if not port:
        yield
        return
    try:
        server, thread = start_http_server(port, host, registry)
    except (OSError, UnicodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "the name of the host is not valid"
        raise SystemExit(
            f"The metrics cannot be served on {host}:{port}: {reason}. "
            "Set KETAV_METRICS_HOST and KETAV_METRICS_PORT to an address of this machine that is free."
        ) from None
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
        thread.join(timeout=5)
