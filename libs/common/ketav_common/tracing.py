"""Spans and trace ids: one trace for everything that a request causes, in all services and processes.

Every request and call has a span, whose trace id is in the log lines and in problems. It travels in the
header `traceparent` (W3C Trace Context) of requests, calls and messages, and in the row of a training run.
`ketav_common.tracing_export` exports the spans; without it they have ids and nothing else.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from typing import Final

from opentelemetry import context as otel_context
from opentelemetry.context import Context
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF
from opentelemetry.trace import (
    NonRecordingSpan,
    Span,
    SpanContext,
    SpanKind,
    Status,
    StatusCode,
    TraceFlags,
    Tracer,
    format_trace_id,
    get_current_span,
    set_span_in_context,
)
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
from opentelemetry.util.types import AttributeValue

from ketav_common.errors import KetavError
from ketav_common.stages import StageTime

__all__ = ["Span", "SpanKind"]

TRACEPARENT: Final = "traceparent"
"""Header with version, trace id, span id and the flag whether the trace is exported (W3C Trace Context)."""
Attributes = Mapping[str, AttributeValue]
_PROPAGATOR: Final = TraceContextTextMapPropagator()
_SCOPE: Final = "ketav"


class _Process:
    """The provider of this process's spans, None while no spans are exported."""

    provider: TracerProvider | None = None


def set_provider(provider: TracerProvider | None) -> None:
    """Take the spans of this process from a provider; None gives them ids and exports nothing."""
    _Process.provider = provider


@cache
def _ids_only() -> TracerProvider:
    """Return a provider whose spans have ids and are not recorded."""
    return TracerProvider(sampler=ALWAYS_OFF, shutdown_on_exit=False)


def tracer() -> Tracer:
    """Return the tracer of this process."""
    return (_Process.provider or _ids_only()).get_tracer(_SCOPE)


@contextmanager
def span(
    name: str,
    kind: SpanKind = SpanKind.INTERNAL,
    *,
    headers: Mapping[str, str] | None = None,
    attributes: Attributes | None = None,
) -> Iterator[Span]:
    """Open a span as the current one: the child of the current span, or of the span that `headers` name.

    Headers without `traceparent` begin a new trace. A defect sets the status, with the error's type alone,
    because its text may quote a user; a KetavError does not: it is an answer.
    """
    with tracer().start_as_current_span(
        name,
        context=_parent(headers),
        kind=kind,
        attributes=attributes,
        record_exception=False,
        set_status_on_exception=False,
    ) as opened:
        try:
            yield opened
        except KetavError:
            raise
        except Exception as error:
            fail(opened, type(error).__name__)
            raise


def _parent(headers: Mapping[str, str] | None) -> Context | None:
    """Return the context that headers name, None for the current one."""
    return None if headers is None else _PROPAGATOR.extract(headers, context=Context())


def start_client_span(name: str, attributes: Attributes) -> Span:
    """Start a span for an outgoing call; the caller ends it."""
    return tracer().start_span(name, kind=SpanKind.CLIENT, attributes=attributes)


def fail(failed: Span, reason: str) -> None:
    """Mark a span as failed, for a reason without a user's text."""
    failed.set_status(Status(StatusCode.ERROR, reason))


def headers_of(sender: Span | None = None) -> dict[str, str]:
    """Return the header `traceparent` for a request or message, of a span or the current one."""
    headers: dict[str, str] = {}
    _PROPAGATOR.inject(headers, None if sender is None else set_span_in_context(sender))
    return headers


def traceparent() -> str:
    """Return the value of `traceparent` for the current span, empty outside one."""
    return headers_of().get(TRACEPARENT, "")


def trace_id(of: Span | None = None) -> str:
    """Return the trace id of a span or of the current one, 32 hexadecimal digits; empty outside a trace."""
    span_context = (of or get_current_span()).get_span_context()
    return format_trace_id(span_context.trace_id) if span_context.is_valid else ""


def headers_to_continue(stored: str) -> dict[str, str] | None:
    """Return the headers that continue a stored trace; None when the current span belongs to it already."""
    belongs = not stored or (bool(trace_id()) and trace_id() in stored)
    return None if belongs else {TRACEPARENT: stored}


@contextmanager
def not_recorded() -> Iterator[None]:
    """Keep the trace id inside the block, and record no spans: for calls that are repeated every second."""
    current = get_current_span().get_span_context()
    unsampled = TraceFlags(TraceFlags.DEFAULT)
    silent = SpanContext(current.trace_id, current.span_id, is_remote=False, trace_flags=unsampled)
    token = otel_context.attach(set_span_in_context(NonRecordingSpan(silent)))
    try:
        yield
    finally:
        otel_context.detach(token)


def record_stage(name: str, time: StageTime, attributes: Attributes | None = None) -> None:
    """Record a stage that was measured, possibly in a child process, as a child of the current span."""
    if get_current_span().is_recording():
        stage = tracer().start_span(name, start_time=time.start_ns, attributes=attributes)
        stage.end(time.start_ns + time.duration_ns)
