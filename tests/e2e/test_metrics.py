"""Every process of a running system serves its metrics on a port of its own."""

import os
import re
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest
from prometheus_client.parser import text_string_to_metric_families

from ketav_common.error_rates import cer
from ketav_local.ports import free_ports, is_free
from ketav_local.system import MEASURED
from ketav_testing import tiny
from tests.e2e.local_system import LocalSystem, boxes, tiny_system, wait_until
from tests.e2e.test_journeys import page_ids, read, wait_for_end
from tests.parts.identities import identity_keys

Samples = dict[tuple[str, frozenset[tuple[str, str]]], float]


def consecutive_ports(count: int) -> int:
    """Return the first of `count` free ports in a row."""
    while True:
        first = free_ports(1)[0]
        if all(is_free(first + offset) for offset in range(count)):
            return first


class Metrics:
    """The metrics of the processes of a system, scraped when they are read."""

    def __init__(self, first_port: int) -> None:
        """Take the port of the gateway's metrics."""
        self.ports = {name: first_port + offset for offset, name in enumerate(MEASURED)}

    def samples(self, process: str) -> Samples:
        """Return the samples of a process, by name and labels."""
        text = httpx.get(f"http://127.0.0.1:{self.ports[process]}/metrics", trust_env=False).text
        return {
            (sample.name, frozenset(sample.labels.items())): sample.value
            for family in text_string_to_metric_families(text)
            for sample in family.samples
        }

    def value(self, process: str, name: str, **labels: str) -> float:
        """Return the sum of the samples of a name that have these labels."""
        return sum(
            value
            for (own, own_labels), value in self.samples(process).items()
            if own == name and labels.items() <= dict(own_labels).items()
        )


@pytest.fixture(scope="module")
def metrics() -> Metrics:
    """Return the metrics of the module's system, on free ports."""
    return Metrics(consecutive_ports(len(MEASURED)))


@pytest.fixture(scope="module")
def system(
    tmp_path_factory: pytest.TempPathFactory, tiny_models: Path, metrics: Metrics
) -> Iterator[LocalSystem]:
    """Run a system with metrics."""
    running = tiny_system(tmp_path_factory.mktemp("system"), tiny_models)
    running.env |= {
        "KETAV_METRICS_PORT": str(metrics.ports["gateway"]),
        "KETAV_WEBHOOK_PRIVATE": "true",
        "KETAV_WEBHOOK_SECONDS": "0.5",
    }
    running.start()
    try:
        # The supervisor does not wait for the worker.
        wait_until(lambda: not is_free(metrics.ports["worker"]), 60)
        yield running
    finally:
        status = running.stop()
    assert status == 0, running.printed


class _Receiver(BaseHTTPRequestHandler):
    """Accepts every webhook."""

    def do_POST(self) -> None:
        """Answer 204."""
        self.send_response(204)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name of the base class
        """Print nothing."""


@pytest.fixture(scope="module")
def receiver() -> Iterator[str]:
    """Run a receiver of webhooks; return its URL."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Receiver)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/hook"
    server.shutdown()
    server.server_close()
    thread.join()


@dataclass
class Journey:
    """The pages that a user has read and corrected, and the run that was trained on them."""

    rates: list[float] = field(default_factory=list)
    """CER of each reading against its correction."""
    run: dict[str, Any] = field(default_factory=dict)

    @property
    def lines(self) -> int:
        """Return the number of lines."""
        return len(self.rates)


PAGES = 6
TEXTS = ["אבגדהו", "זחטיכל", "מנסעפצ", "קרשתאב"]


@pytest.fixture(scope="module")
def journey(system: LocalSystem, metrics: Metrics, receiver: str) -> Journey:
    """Read six pages of four lines, correct them, train, and wait for the webhook of the run's end."""
    journey = Journey()
    with system.client() as client:
        assert client.put("/webhook", json={"url": receiver}).status_code == 200
        for seed in range(PAGES):
            body = read(client, boxes(len(TEXTS), seed))
            readings = [line["text"] for line in body["lines"]]
            journey.rates += [
                cer([(text, reading)]).rate for text, reading in zip(TEXTS, readings, strict=True)
            ]
            # The tiny engine misreads with high confidence: unconfirmed, the texts are quarantined.
            lines = [
                {"line_id": line["line_id"], "text": text, "confirm": True}
                for line, text in zip(body["lines"], TEXTS, strict=True)
            ]
            assert client.post("/feedback/", json={**page_ids(body), "lines": lines}).status_code == 201
        started = client.post("/train/")
        assert started.status_code == 202
        journey.run = wait_for_end(client, started.headers["Location"])
    wait_until(lambda: metrics.value("registry", "ketav_webhook_deliveries_total") > 0, 30)
    return journey


@pytest.mark.parametrize("process", MEASURED)
def test_every_process_serves_metrics_on_its_own_port(
    system: LocalSystem, metrics: Metrics, process: str
) -> None:
    """The process's start time is the one of the process that the supervisor has started."""
    started = metrics.value(process, "process_start_time_seconds")
    assert started == pytest.approx(psutil.Process(system.pids()[process]).create_time(), abs=2)


def test_the_gateway_counts_requests_by_route_and_status(journey: Journey, metrics: Metrics) -> None:
    """Six readings, each of some time; the probes of the supervisor too; none is in progress."""
    duration = "ketav_http_request_duration_seconds"
    labels = {"method": "POST", "route": "/ocr/", "status": "201"}
    assert metrics.value("gateway", f"{duration}_count", **labels) == PAGES
    assert metrics.value("gateway", f"{duration}_sum", **labels) > 0
    assert metrics.value("gateway", f"{duration}_count", route="/feedback/", status="201") == PAGES
    assert metrics.value("gateway", f"{duration}_count", route="/readyz", status="200") > 0
    assert metrics.value("gateway", "ketav_http_requests_active") == 0


def test_the_registry_counts_calls_corrections_runs_and_deliveries(
    journey: Journey, metrics: Metrics
) -> None:
    """The CER is the one of the readings against the corrections; no lease has expired."""

    def value(name: str, **labels: str) -> float:
        """Return a value of the registry."""
        return metrics.value("registry", name, **labels)

    script = {"script": "modern_cursive"}
    assert value("ketav_rpc_handled_total", method="CreatePage", code="OK") == PAGES
    assert value("ketav_rpc_duration_seconds_count", method="RecordTranscription") == PAGES
    assert value("ketav_reading_stage_seconds_count", stage="store") == PAGES
    assert value("ketav_corrections_total", state="accepted", **script) == journey.lines
    assert value("ketav_correction_cer_ratio_count", **script) == journey.lines
    assert value("ketav_correction_cer_ratio_sum", **script) == pytest.approx(sum(journey.rates))
    assert value("ketav_training_queue_delay_seconds_count") == 1
    assert value("ketav_training_run_duration_seconds_count", outcome=journey.run["state"]) == 1
    assert value("ketav_training_run_duration_seconds_count") == 1
    assert value("ketav_webhook_deliveries_total", outcome="delivered") == 1
    assert value("ketav_webhook_delivery_attempts_sum") == 1
    assert value("ketav_lease_expiries_total") == value("ketav_fence_rejections_total") == 0
    assert value("ketav_database_connections_limit") == 15
    assert 1 <= value("ketav_database_connections") <= 10
    assert value("ketav_database_connection_delay_seconds_count") > PAGES


def test_the_recognizer_counts_readings_stages_and_the_cache(journey: Journey, metrics: Metrics) -> None:
    """The model is downloaded for the first page, loaded once, and its bytes are the cache's."""

    def value(name: str, **labels: str) -> float:
        """Return a value of the recognizer."""
        return metrics.value("recognizer", name, **labels)

    assert value("ketav_readings_total", outcome="read") == value("ketav_readings_total") == PAGES
    assert value("ketav_lines_read_total") == journey.lines
    stages = {
        stage: value("ketav_reading_stage_seconds_count", stage=stage)
        for stage in ("load", "decode", "segment", "crop", "network")
    }
    assert stages == {"load": 1, "decode": PAGES, "segment": PAGES, "crop": PAGES, "network": PAGES}
    assert 0 < value("ketav_reading_stage_seconds_sum") < 60
    assert value("ketav_reading_queue_delay_seconds_count") == PAGES
    assert value("ketav_readers_configured") == value("ketav_readers_alive") == 1
    assert value("ketav_readers_busy") == value("ketav_readings_waiting") == 0
    assert value("ketav_reading_queue_slots_free") == 17
    assert value("ketav_model_cache_lookups_total", result="miss") == 1
    assert value("ketav_model_cache_lookups_total", result="hit") == PAGES - 1
    assert value("ketav_model_cache_bytes") == len(tiny.save())
    assert value("ketav_model_cache_limit_bytes") == 2 * 2**30


def test_the_trainer_counts_attempts_stages_and_verdicts(journey: Journey, metrics: Metrics) -> None:
    """One attempt of one worker, all stages once, one verdict, one webhook accepted."""
    assert metrics.value("trainer", "ketav_webhook_attempts_total", outcome="accepted") == 1
    assert metrics.value("trainer", "ketav_training_enqueue_failures_total") == 0
    assert metrics.value("worker", "ketav_training_attempt_duration_seconds_count", outcome="published") == 1
    assert metrics.value("worker", "ketav_training_attempt_duration_seconds_count") == 1
    assert metrics.value("worker", "ketav_training_attempts_active") == 0
    stages = {
        stage: metrics.value("worker", "ketav_training_stage_seconds_count", stage=stage)
        for stage in ("fetch", "prepare", "fit", "evaluate", "cross_validate", "publish")
    }
    assert set(stages.values()) == {1}
    verdict = "promoted" if journey.run["state"] == "succeeded" else "rejected"
    assert metrics.value("worker", "ketav_gate_verdicts_total", verdict=verdict) == 1
    assert metrics.value("worker", "ketav_gate_verdicts_total") == 1
    assert metrics.value("worker", "ketav_gate_cer_ratio_sum", model="serving") == pytest.approx(
        journey.run["cer_base"], abs=1e-6
    )


def test_no_metric_has_an_id_in_a_label(system: LocalSystem, journey: Journey, metrics: Metrics) -> None:
    """Neither of a user nor of a page: no label has a value of hexadecimal digits or a key."""
    ids = re.compile("[0-9a-f]{8}-?[0-9a-f]{4}|ktv_")
    for process in MEASURED:
        for name, labels in metrics.samples(process):
            assert not [value for _, value in labels if ids.search(value)], name


def test_health_probes_are_not_in_the_log(system: LocalSystem, journey: Journey) -> None:
    """The supervisor has probed every service; at level INFO the logs have the requests of users."""
    events = list(system.events())
    assert {event.get("route") for event in events} >= {"/ocr/", "/feedback/"}
    assert not [event for event in events if event.get("route") in {"/livez", "/readyz"}]
    assert not [event for event in events if event.get("method") in {"Check", "Watch"}]


def test_a_metrics_port_in_use_ends_the_process_with_a_sentence() -> None:
    """It names the address, the reason and the variables; no traceback."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        env = os.environ | {"KETAV_METRICS_PORT": str(port), **identity_keys("gateway")}
        command = [sys.executable, "-m", "ketav_gateway.main"]
        ran = subprocess.run(command, env=env, capture_output=True, text=True, timeout=60, check=False)
    assert ran.returncode == 1
    assert ran.stderr == (
        f"The metrics cannot be served on 127.0.0.1:{port}: Address already in use. "
        "Set KETAV_METRICS_HOST and KETAV_METRICS_PORT to an address of this machine that is free.\n"
    )
