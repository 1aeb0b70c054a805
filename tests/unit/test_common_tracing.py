"""Spans, trace ids, and the export of spans to a collector that may be unavailable."""

import json
import logging
import os
import secrets
import time
from collections.abc import Iterator
from contextlib import ExitStack

import pytest
import structlog
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from structlog.testing import capture_logs

from ketav_common import tracing
from ketav_common.errors import NotFound
from ketav_common.logging import configure, get_logger
from ketav_common.stages import StageTime, record_stages, stage
from ketav_common.tracing import SpanKind
from ketav_common.tracing_export import exporting_spans
from ketav_testing.otlp import otlp_collector
from tests.parts.processes import free_port

CALLER = {"traceparent": f"00-{'c' * 32}-{'d' * 16}-01"}


@pytest.fixture
def recorded() -> Iterator[InMemorySpanExporter]:
    """Record the spans of the test in memory."""
    exporter = InMemorySpanExporter()
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    tracing.set_provider(provider)
    yield exporter
    tracing.set_provider(None)


def test_without_an_exporter_spans_have_ids_and_are_not_recorded() -> None:
    """A new trace, or the caller's; the header that goes on says that the trace is not exported."""
    with tracing.span("request", SpanKind.SERVER, headers={}) as span:
        assert len(tracing.trace_id()) == 32
        assert not span.is_recording()
    with tracing.span("request", SpanKind.SERVER, headers=CALLER):
        assert tracing.trace_id() == "c" * 32
        assert tracing.traceparent().endswith("-00")
    assert (tracing.trace_id(), tracing.traceparent(), tracing.headers_of()) == ("", "", {})


@pytest.mark.parametrize("header", ["", "00-zz-1-01", "00-" + "0" * 32 + "-" + "0" * 16 + "-01", "x" * 9000])
def test_a_malformed_traceparent_begins_a_new_trace(header: str) -> None:
    """As W3C Trace Context says."""
    with tracing.span("request", SpanKind.SERVER, headers={"traceparent": header}):
        assert len(set(tracing.trace_id())) > 2


def test_a_span_of_a_defect_has_the_type_of_the_error_and_not_its_text(
    recorded: InMemorySpanExporter,
) -> None:
    """The text may quote a user; a domain error is an answer and no failure."""
    with pytest.raises(ValueError, match="secret"), tracing.span("defect"):
        raise ValueError("secret")
    with pytest.raises(NotFound), tracing.span("answer"):
        raise NotFound
    defect, answer = recorded.get_finished_spans()
    assert (defect.status.is_ok, defect.status.description) == (False, "ValueError")
    assert answer.status.is_unset
    assert not defect.events


def test_a_log_line_has_the_trace_id(capfd: pytest.CaptureFixture[str]) -> None:
    """Those of the standard library too; outside a trace there is none."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    try:
        configure("test")
        with tracing.span("request", headers=CALLER):
            get_logger().info("ours")
            logging.getLogger("library").warning("theirs")
        get_logger().info("outside")
    finally:
        root.handlers[:] = handlers
        root.setLevel(level)
        structlog.reset_defaults()
    lines = [json.loads(line) for line in capfd.readouterr().err.splitlines()]
    assert [line.get("trace_id") for line in lines] == ["c" * 32, "c" * 32, None]


def test_a_stage_of_a_child_process_is_a_span_with_its_own_times(recorded: InMemorySpanExporter) -> None:
    """A child of the current span; a stage that runs twice has the sum of both times."""
    with record_stages() as times:
        for _ in range(2):
            with stage("network"):
                time.sleep(0.01)
    assert times["network"].seconds >= 0.02
    with tracing.span("call") as call:
        tracing.record_stage("network", StageTime(5_000, 7_000), {"process.pid": 3})
    [network, _] = recorded.get_finished_spans()
    assert (network.start_time, network.end_time) == (5_000, 12_000)
    assert network.parent is not None
    assert network.parent.span_id == call.get_span_context().span_id


def test_repeated_calls_keep_the_trace_id_and_are_not_recorded(recorded: InMemorySpanExporter) -> None:
    """Polls once a second would be most of a trace."""
    with tracing.span("request") as request:
        with tracing.not_recorded(), tracing.span("poll"):
            assert tracing.trace_id() == tracing.trace_id(request)
        assert tracing.headers_to_continue(tracing.traceparent()) is None
        assert tracing.headers_to_continue(CALLER["traceparent"]) == CALLER
        assert tracing.headers_to_continue("") is None
    assert [span.name for span in recorded.get_finished_spans()] == ["request"]


@pytest.fixture
def fast(monkeypatch: pytest.MonkeyPatch) -> None:
    """Export every 50 ms, from a queue of 32 spans, and give up after a second."""
    monkeypatch.setenv("OTEL_BSP_SCHEDULE_DELAY", "50")
    monkeypatch.setenv("OTEL_BSP_MAX_QUEUE_SIZE", "32")
    monkeypatch.setenv("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "16")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_TIMEOUT", "1")


def make_spans(count: int, seconds: float) -> None:
    """Make spans evenly over a time."""
    for _ in range(count):
        with tracing.span("request", SpanKind.SERVER, headers={}):
            time.sleep(seconds / count)


@pytest.mark.usefixtures("fast")
def test_an_unavailable_collector_is_logged_once_and_delays_nothing() -> None:
    """Refused connections for two seconds: one event, with the address; later spans arrive."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    with capture_logs() as events, ExitStack() as stack:
        began = time.monotonic()
        with exporting_spans("test", url):
            make_spans(200, 2.5)
            assert time.monotonic() - began < 4
            collector = stack.enter_context(otlp_collector(port))
            deadline = time.monotonic() + 10
            while not collector.spans() and time.monotonic() < deadline:
                make_spans(1, 0.1)
            assert collector.spans()
            ending = time.monotonic()
        assert time.monotonic() - ending < 4
    names = [event["event"] for event in events]
    assert names == ["spans_not_exported", "spans_exported_again"]
    assert events[0]["endpoint"] == url
    assert events[1]["lost"] > 0


@pytest.mark.usefixtures("fast")
def test_a_collector_that_refuses_spans_is_logged_once() -> None:
    """Status 400, again and again."""
    with otlp_collector() as collector, capture_logs() as events:
        collector.status = 400
        with exporting_spans("test", collector.url):
            make_spans(60, 1)
    assert [event["event"] for event in events] == ["spans_not_exported"]


@pytest.mark.usefixtures("fast")
def test_the_password_in_the_address_of_a_collector_is_not_logged() -> None:
    """The event names the host and the port."""
    port = free_port()
    with capture_logs() as events, exporting_spans("test", f"http://user:canary@127.0.0.1:{port}"):
        make_spans(60, 2)
    assert [event["endpoint"] for event in events] == [f"http://127.0.0.1:{port}"]


def test_a_token_in_a_malformed_variable_of_headers_is_not_logged(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """OpenTelemetry quotes the whole variable when a header has no name."""
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_HEADERS", "Bearer canary")
    with exporting_spans("test", f"http://127.0.0.1:{free_port()}"):
        pass
    assert "canary" not in caplog.text


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("OTEL_BSP_MAX_QUEUE_SIZE", "0"),
        ("OTEL_BSP_MAX_QUEUE_SIZE", "10"),
        ("OTEL_BSP_SCHEDULE_DELAY", "-1"),
        ("OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT", "many"),
    ],
)
def test_a_wrong_tracing_variable_ends_the_process_with_a_sentence(
    variable: str, value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The SDK raises ValueError with its own words for the variable."""
    monkeypatch.setenv(variable, value)
    with (
        pytest.raises(SystemExit, match=r"A variable OTEL_\* has a wrong value: .+\. Set it as"),
        exporting_spans("test", f"http://127.0.0.1:{free_port()}"),
    ):
        pytest.fail("The spans must not be exported.")


@pytest.mark.usefixtures("fast")
def test_the_last_spans_are_exported_when_the_process_stops(monkeypatch: pytest.MonkeyPatch) -> None:
    """With the service's name and the caller's attributes of the resource."""
    monkeypatch.setenv("OTEL_RESOURCE_ATTRIBUTES", "deployment.environment.name=staging")
    trace_id = secrets.token_hex(16)
    headers = {"traceparent": f"00-{trace_id}-{secrets.token_hex(8)}-01"}
    with otlp_collector() as collector:
        with exporting_spans("test", collector.url), tracing.span("last", SpanKind.SERVER, headers=headers):
            pass
        [span] = collector.spans(trace_id)
    assert (span.service, span.name) == ("ketav-test", "last")


@pytest.mark.usefixtures("fast")
def test_a_caller_that_does_not_sample_is_not_exported_and_periodic_calls_neither() -> None:
    """The flag of `traceparent`, and the kind of the first span."""
    unsampled = {"traceparent": f"00-{'e' * 32}-{'f' * 16}-00"}
    with otlp_collector() as collector:
        with exporting_spans("test", collector.url):
            with tracing.span("unsampled", SpanKind.SERVER, headers=unsampled):
                pass
            with tracing.span("sweep"):
                tracing.start_client_span("call", {}).end()
        assert collector.spans() == []


def test_the_environment_of_this_test_names_no_collector() -> None:
    """Otherwise the tests of this module would export to it."""
    assert "OTEL_EXPORTER_OTLP_ENDPOINT" not in os.environ
