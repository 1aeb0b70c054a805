"""Exports the spans of a process to a collector: OTLP over HTTP, in a thread, from a bounded queue.

The standard variables of OpenTelemetry apply: OTEL_EXPORTER_OTLP_HEADERS, OTEL_EXPORTER_OTLP_TIMEOUT,
OTEL_BSP_MAX_QUEUE_SIZE, OTEL_TRACES_SAMPLER, OTEL_RESOURCE_ATTRIBUTES and the others of its Python SDK.
"""

import logging
import os
import socket
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Final
from urllib.parse import urlsplit, urlunsplit

from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import SERVICE_INSTANCE_ID, SERVICE_NAME, Resource
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.sdk.trace.sampling import Decision, Sampler, SamplingResult
from opentelemetry.trace import Link, SpanKind, TraceState, get_current_span
from opentelemetry.util.types import Attributes

from ketav_common import tracing
from ketav_common.logging import get_logger

log = get_logger()

_TRACES_PATH: Final = "/v1/traces"
_FLUSH_S: Final = 3.0
"""Seconds that a stopping process waits for the export of its last spans."""
_ROOTS: Final = frozenset({SpanKind.SERVER, SpanKind.CONSUMER})
"""Kinds of spans that may begin a trace. Others without a parent are periodic: sweeps, heartbeats, probes."""


class RequestSampler(Sampler):
    """Samples traces that begin with a request or a message, as the standard variables say, and no others."""

    def __init__(self, configured: Sampler) -> None:
        """Take the sampler that the standard variables describe."""
        self._configured = configured

    def should_sample(
        self,
        parent_context: Context | None,
        trace_id: int,
        name: str,
        kind: SpanKind | None = None,
        attributes: Attributes = None,
        links: Sequence[Link] | None = None,
        trace_state: TraceState | None = None,
    ) -> SamplingResult:
        """Return the decision for a span."""
        has_parent = get_current_span(parent_context).get_span_context().is_valid
        if not has_parent and kind not in _ROOTS:
            return SamplingResult(Decision.DROP)
        return self._configured.should_sample(
            parent_context, trace_id, name, kind, attributes, links, trace_state
        )

    def get_description(self) -> str:
        """Return the sampler's name."""
        return f"RequestSampler({self._configured.get_description()})"


class LoggedExporter(SpanExporter):
    """Exports by another exporter; logs when the collector becomes unavailable and when it is back."""

    def __init__(self, exporter: SpanExporter, endpoint: str) -> None:
        """Take the exporter, and the collector's address for the log."""
        self._exporter = exporter
        self._endpoint = endpoint
        self._lost = 0

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """Export spans; spans that the collector does not accept are lost."""
        try:
            result = self._exporter.export(spans)
        except Exception as error:  # noqa: BLE001 - a lost trace must not end the thread that exports
            result, reason = SpanExportResult.FAILURE, type(error).__name__
        else:
            reason = "the collector did not accept them in time"
        if result is not SpanExportResult.SUCCESS:
            if not self._lost:
                log.warning(
                    "spans_not_exported",
                    reason=reason,
                    endpoint=self._endpoint,
                    advice="Requests are not affected. Check OTEL_EXPORTER_OTLP_ENDPOINT and the collector.",
                )
            self._lost += len(spans)
        elif self._lost:
            log.info("spans_exported_again", lost=self._lost)
            self._lost = 0
        return result

    def shutdown(self) -> None:
        """End a retry that is under way, and the exporter."""
        self._exporter.shutdown()


def _pipeline(service: str, endpoint: str) -> tuple[TracerProvider, BatchSpanProcessor, LoggedExporter]:
    """Return the provider, the queue and the exporter of a process; exit when a variable is wrong."""
    instance = f"{socket.gethostname()}:{os.getpid()}"
    try:
        exporter = LoggedExporter(
            OTLPSpanExporter(endpoint.rstrip("/") + _TRACES_PATH), _without_password(endpoint)
        )
        resource = Resource.create({SERVICE_NAME: f"ketav-{service}", SERVICE_INSTANCE_ID: instance})
        configured = TracerProvider(shutdown_on_exit=False).sampler
        provider = TracerProvider(RequestSampler(configured), resource, shutdown_on_exit=False)
        processor = BatchSpanProcessor(exporter)
    except ValueError as error:
        reason = str(error).rstrip(".")
        raise SystemExit(
            f"A variable OTEL_* has a wrong value: {reason}. Set it as docs/howto/observability.md describes."
        ) from None
    provider.add_span_processor(processor)
    return provider, processor, exporter


def _without_password(endpoint: str) -> str:
    """Return an address without the name and password of its user."""
    parts = urlsplit(endpoint)
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))


@contextmanager
def exporting_spans(service: str, endpoint: str) -> Iterator[None]:
    """Export the spans of this process inside the block; an empty endpoint exports none.

    When the block ends, the spans that are left are exported within `_FLUSH_S` seconds or lost.
    """
    if not endpoint:
        yield
        return
    # The exporter logs every failed attempt, and the queue every dropped span; one event says it. The parser
    # of OTEL_EXPORTER_OTLP_HEADERS quotes what it does not understand, such as a token without a name.
    for name in ("opentelemetry.exporter", "opentelemetry.sdk._shared_internal", "opentelemetry.util.re"):
        logging.getLogger(name).setLevel(logging.CRITICAL)
    provider, processor, exporter = _pipeline(service, endpoint)
    tracing.set_provider(provider)
    try:
        yield
    finally:
        tracing.set_provider(None)
        flushing = threading.Thread(target=processor.shutdown, daemon=True)
        flushing.start()
        flushing.join(_FLUSH_S)
        exporter.shutdown()
