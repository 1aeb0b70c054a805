"""One trace for each request, through all services and processes, received by a collector over OTLP."""

import secrets
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest

from ketav_testing.otlp import Collector, ReceivedSpan, otlp_collector
from tests.e2e.local_system import LocalSystem, boxes, tiny_system, wait_until
from tests.e2e.test_journeys import page_ids, wait_for_end

GATEWAY, REGISTRY, RECOGNIZER, TRAINER, WORKER = (
    f"ketav-{name}" for name in ("gateway", "registry", "recognizer", "trainer", "trainer-worker")
)
TEXTS = ["אבגדהו", "זחטיכל", "מנסעפצ", "קרשתאב"]


@pytest.fixture(scope="module")
def collector() -> Iterator[Collector]:
    """Run a collector."""
    with otlp_collector() as running:
        yield running


@pytest.fixture(scope="module")
def system(
    tmp_path_factory: pytest.TempPathFactory, tiny_models: Path, collector: Collector
) -> Iterator[LocalSystem]:
    """Run a system that exports its spans."""
    running = tiny_system(tmp_path_factory.mktemp("system"), tiny_models)
    running.env |= {
        "OTEL_EXPORTER_OTLP_ENDPOINT": collector.url,
        "OTEL_BSP_SCHEDULE_DELAY": "200",
        "KETAV_SWEEP_SECONDS": "1",
    }
    with running.running():
        yield running


class Caller:
    """A caller of the REST API that begins a trace for each request, as a browser or a proxy does."""

    def __init__(self, client: httpx.Client) -> None:
        """Take the client."""
        self.client = client

    def send(self, method: str, path: str, **arguments: Any) -> tuple[str, httpx.Response]:
        """Send a request in a new trace; return the trace id and the response."""
        trace_id = secrets.token_hex(16)
        headers = {"traceparent": f"00-{trace_id}-{secrets.token_hex(8)}-01"}
        return trace_id, self.client.request(method, path, headers=headers, **arguments)


@dataclass
class Journey:
    """The traces of the requests of a user."""

    read: str = ""
    correct: str = ""
    train: str = ""
    corrections: list[str] = field(default_factory=list)
    run: dict[str, Any] = field(default_factory=dict)


def read_and_correct(caller: Caller, seed: int) -> tuple[str, str]:
    """Read a page and correct its lines; return the trace ids of both requests."""
    files = {"file": ("page.png", boxes(len(TEXTS), seed), "image/png")}
    read, response = caller.send("POST", "/ocr/", files=files)
    assert response.status_code == 201, response.text
    body = response.json()
    # The tiny engine misreads with high confidence: unconfirmed, the texts are quarantined.
    lines = [
        {"line_id": line["line_id"], "text": text, "confirm": True}
        for line, text in zip(body["lines"], TEXTS, strict=True)
    ]
    correct, response = caller.send("POST", "/feedback/", json={**page_ids(body), "lines": lines})
    assert response.status_code == 201, response.text
    return read, correct


@pytest.fixture(scope="module")
def journey(system: LocalSystem, collector: Collector) -> Journey:
    """Read six pages, correct them, train, and wait until all spans have arrived."""
    journey = Journey()
    with system.client() as client:
        caller = Caller(client)
        # No automatic run: the journey starts its run itself.
        policy = {"automatic": False}
        assert client.put("/models/policy", json=policy).is_success
        for seed in range(6):
            journey.read, journey.correct = read_and_correct(caller, seed)
        journey.train, response = caller.send("POST", "/train/")
        assert response.status_code == 202, response.text
        journey.run = wait_for_end(client, response.headers["Location"])
    wait_until(lambda: any(span.name == "take run" for span in collector.spans(journey.train)), 20)
    wait_for_all(collector)
    return journey


def wait_for_all(collector: Collector) -> None:
    """Wait until no span has arrived for a second: each process exports every 200 ms."""
    before = -1
    while before != (before := len(collector.spans())):
        time.sleep(1)


def check_connected(spans: list[ReceivedSpan]) -> None:
    """Fail unless all spans but the first descend from it, and begin after their parents."""
    by_id = {span.span_id: span for span in spans}
    assert len(by_id) == len(spans)
    roots = [span for span in spans if span.parent_id not in by_id]
    assert [(root.service, root.name) for root in roots] == [(spans[0].service, spans[0].name)]
    for span in spans[1:]:
        assert span.end_ns >= span.start_ns
        assert span.start_ns >= by_id[span.parent_id].start_ns


def child_spans(spans: list[ReceivedSpan], service: str) -> dict[str, ReceivedSpan]:
    """Return the spans that a service's child process has measured, by name."""
    return {span.name: span for span in spans if span.service == service and "process.pid" in span.attributes}


def services(spans: list[ReceivedSpan], name: str) -> list[str]:
    """Return the services of the spans of a name, in the order of their starts."""
    return [span.service for span in spans if span.name == name]


def test_reading_a_page_is_one_trace_through_three_services_and_the_reader(
    journey: Journey, collector: Collector, system: LocalSystem
) -> None:
    """Both sides of each call, the stages of the reader process, and the transactions of PostgreSQL."""
    spans = collector.spans(journey.read)
    check_connected(spans)
    assert (spans[0].service, spans[0].name) == (GATEWAY, "POST /ocr/")
    assert spans[0].attributes["http.response.status_code"] == 201
    for method, server in (
        ("ketav.registry.v1.PageService/CreatePage", REGISTRY),
        ("ketav.recognizer.v1.RecognizerService/RecognizePage", RECOGNIZER),
        ("ketav.registry.v1.TranscriptionService/RecordTranscription", REGISTRY),
    ):
        assert services(spans, method) == [GATEWAY, server]
    readers = child_spans(spans, RECOGNIZER)
    assert set(readers) == {"decode", "segment", "crop", "network"}
    [pid] = {span.attributes["process.pid"] for span in readers.values()}
    assert pid not in system.pids().values()
    assert set(services(spans, "transaction")) == {REGISTRY}
    assert not [span for span in spans if span.failed]


def test_corrections_are_one_trace(journey: Journey, collector: Collector) -> None:
    """The gateway and the registry."""
    spans = collector.spans(journey.correct)
    check_connected(spans)
    assert services(spans, "ketav.registry.v1.CorrectionService/SubmitCorrections") == [GATEWAY, REGISTRY]


def test_training_is_one_trace_from_the_request_into_the_training_process(
    journey: Journey, collector: Collector, system: LocalSystem
) -> None:
    """Through gRPC, Celery, the worker and its child to the publication of the model."""
    spans = collector.spans(journey.train)
    check_connected(spans)
    assert (spans[0].service, spans[0].name) == (GATEWAY, "POST /train/")
    assert services(spans, "ketav.trainer.v1.TrainerService/StartTraining") == [GATEWAY, TRAINER]
    assert services(spans, "enqueue run") == [TRAINER]
    assert services(spans, "take run") == [WORKER]
    assert services(spans, "train run") == [WORKER]
    assert services(spans, "ketav.registry.v1.ModelService/PublishModel") == [WORKER, REGISTRY]
    stages = child_spans(spans, WORKER)
    assert set(stages) == {"prepare", "fit", "evaluate", "cross_validate"}
    [pid] = {span.attributes["process.pid"] for span in stages.values()}
    assert pid != system.pids()["worker"]
    [attempt] = [span for span in spans if span.name == "train run"]
    assert attempt.attributes["ketav.outcome"] == "published"
    assert {span.parent_id for span in stages.values()} == {attempt.span_id}


@pytest.mark.parametrize("name", ["read", "correct", "train"])
def test_the_trace_id_is_in_the_log_lines_of_every_service(
    journey: Journey, collector: Collector, system: LocalSystem, name: str
) -> None:
    """Each service with a span of the trace has logged its id; no line with another id is of the request."""
    trace_id = getattr(journey, name)
    logged = [event for event in system.events() if event.get("trace_id") == trace_id]
    services_with_spans = {span.service for span in collector.spans(trace_id)}
    assert {f"ketav-{event['service']}" for event in logged} == services_with_spans
    request_ids = {event["request_id"] for event in logged if event["service"] != "trainer-worker"}
    of_request = [event for event in system.events() if event.get("request_id") in request_ids]
    traces = {event["trace_id"] for event in of_request if event["service"] == "gateway"}
    assert traces == {trace_id}


def test_an_automatic_run_belongs_to_the_trace_of_the_corrections(
    system: LocalSystem, collector: Collector
) -> None:
    """The sweep starts it; the trace of the last corrections has the worker's and the child's spans."""
    with system.client(system.add_user("automatic")) as client:
        traces = [read_and_correct(Caller(client), seed)[1] for seed in range(4)]

        def trained() -> set[str]:
            """Return the traces that have a training."""
            return {span.trace_id for span in collector.spans() if span.name == "train run"} & set(traces)

        wait_until(trained, 60)
        [trace_id] = trained()
    wait_for_all(collector)
    spans = collector.spans(trace_id)
    check_connected(spans)
    assert (spans[0].service, spans[0].name) == (GATEWAY, "POST /feedback/")
    assert {"prepare", "fit"} <= {span.name for span in spans if span.service == WORKER}


def test_periodic_calls_and_probes_are_not_exported(journey: Journey, collector: Collector) -> None:
    """Sweeps, claims of deliveries and the supervisor's probes would be most of all spans."""
    time.sleep(3)
    names = {span.name for span in collector.spans()}
    assert not [name for name in names if "Sweep" in name or "ClaimDeliveries" in name or "Check" in name]
    assert not names & {"GET /livez", "GET /readyz"}
    roots = {span.name for span in collector.spans() if not span.parent_id}
    assert all(name.split()[0] in {"GET", "POST", "PUT", "DELETE"} for name in roots), roots


def test_a_problem_names_the_trace_whose_spans_tell_where_it_arose(
    system: LocalSystem, collector: Collector
) -> None:
    """With the caller's trace or a new one; without a request id of the caller, that is the trace id."""
    with system.client() as client:
        trace_id, response = Caller(client).send("GET", f"/projects/{'0' * 8}-0000-4000-8000-{'0' * 12}")
        assert (response.status_code, response.json()["trace_id"]) == (404, trace_id)
        plain = client.get("/nowhere")
    assert plain.json()["trace_id"] == plain.headers["X-Request-Id"] != trace_id
    wait_until(lambda: len(collector.spans(trace_id)) > 2, 10)
    codes = {span.attributes.get("rpc.response.status_code") for span in collector.spans(trace_id)}
    assert "NOT_FOUND" in codes
