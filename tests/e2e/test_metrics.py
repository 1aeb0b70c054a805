"""Every process of a running system serves its metrics on a port of its own."""

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import psutil
import pytest
from prometheus_client.parser import text_string_to_metric_families

from ketav_local.ports import free_ports, is_free
from ketav_local.system import MEASURED
from tests.e2e.local_system import LocalSystem, tiny_system, wait_until

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
    running.env["KETAV_METRICS_PORT"] = str(metrics.ports["gateway"])
    running.start()
    try:
        # The supervisor does not wait for the worker.
        wait_until(lambda: not is_free(metrics.ports["worker"]), 60)
        yield running
    finally:
        status = running.stop()
    assert status == 0, running.printed


@pytest.mark.parametrize("process", MEASURED)
def test_every_process_serves_metrics_on_its_own_port(
    system: LocalSystem, metrics: Metrics, process: str
) -> None:
    """The process's start time is the one of the process that the supervisor has started."""
    started = metrics.value(process, "process_start_time_seconds")
    assert started == pytest.approx(psutil.Process(system.pids()[process]).create_time(), abs=2)


def test_a_metrics_port_in_use_ends_the_process_with_a_sentence() -> None:
    """It names the address, the reason and the variables; no traceback."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        env = os.environ | {"KETAV_METRICS_PORT": str(port), "KETAV_IDENTITY_SECRET": "s" * 40}
        command = [sys.executable, "-m", "ketav_gateway.main"]
        ran = subprocess.run(command, env=env, capture_output=True, text=True, timeout=60, check=False)
    assert ran.returncode == 1
    assert ran.stderr == (
        f"The metrics cannot be served on 127.0.0.1:{port}: Address already in use. "
        "Set KETAV_METRICS_HOST and KETAV_METRICS_PORT to an address of this machine that is free.\n"
    )
