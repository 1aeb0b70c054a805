"""The number of unfinished training runs as a metric, and a registry process as Kubernetes runs it."""

import asyncio
import operator
import os
import signal
import sys
import time
import urllib.request
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from prometheus_client import CollectorRegistry, generate_latest

from ketav.registry.v1 import training_pb2
from ketav_common import rpc
from ketav_common.readiness import LIVENESS
from ketav_registry.usecases.training_metrics import UNFINISHED_RUNS, counting_runs
from tests.parts.identities import identity_keys
from tests.parts.postgres import PostgresServer, postgres_server
from tests.parts.processes import free_port, running
from tests.parts.registry import (
    Registry,
    cancel_run,
    claim,
    claiming,
    expire_lease,
    queued_run,
    registry_server,
)

SERVING = health_pb2.HealthCheckResponse.SERVING
NOT_SERVING = health_pb2.HealthCheckResponse.NOT_SERVING


@pytest.fixture
async def registry(postgres: PostgresServer, tmp_path: Path) -> AsyncIterator[Registry]:
    """Run a registry with an empty database."""
    database = await asyncio.to_thread(postgres.migrated_database)
    async with registry_server(postgres, tmp_path, database) as running_registry:
        yield running_registry


def samples(text: str) -> list[str]:
    """Return the lines of the metric that have values."""
    return [line for line in text.splitlines() if line.startswith(UNFINISHED_RUNS)]


def until(accept: Callable[[Any], bool], call: Callable[[], Any]) -> None:
    """Call until the result is accepted, at most 20 seconds."""
    deadline = time.monotonic() + 20
    while not accept(result := call()):
        assert time.monotonic() < deadline, result
        time.sleep(0.05)


async def samples_after_counting(registry: Registry) -> list[str]:
    """Start to count, wait for the first count, and return the exported lines."""
    metrics = CollectorRegistry()
    async with counting_runs(registry.stores, 0.05, metrics):
        await asyncio.to_thread(until, bool, lambda: samples(generate_latest(metrics).decode()))
        lines = samples(generate_latest(metrics).decode())
    assert samples(generate_latest(metrics).decode()) == []
    return lines


async def test_waiting_running_and_abandoned_runs_of_all_users_are_counted_in_one_series(
    registry: Registry, postgres: PostgresServer
) -> None:
    """A run counts until it ends; the series has no label, so no user can be identified."""
    assert await samples_after_counting(registry) == [f"{UNFINISHED_RUNS} 0.0"]
    first_user, first = await queued_run(registry)
    _, second = await queued_run(registry)
    assert await samples_after_counting(registry) == [f"{UNFINISHED_RUNS} 2.0"]
    claimed = await claim(registry, second)
    assert await samples_after_counting(registry) == [f"{UNFINISHED_RUNS} 2.0"]
    await expire_lease(postgres, registry.database, second)
    assert await samples_after_counting(registry) == [f"{UNFINISHED_RUNS} 2.0"]
    await cancel_run(registry, first_user, first)
    assert await samples_after_counting(registry) == [f"{UNFINISHED_RUNS} 1.0"]
    failed = training_pb2.EndTrainingRunRequest(
        run_id=second,
        fence=claimed.fence,
        state=training_pb2.TRAINING_RUN_STATE_FAILED,
        verdict="stopped",
    )
    with claiming(failed), rpc.raise_ketav_errors():
        await registry.training.EndTrainingRun(failed)
    assert await samples_after_counting(registry) == [f"{UNFINISHED_RUNS} 0.0"]


def secret_files(folder: Path, values: dict[str, str]) -> Path:
    """Write files as the kubelet mounts them: links to a folder that a link `..data` points to."""
    mounted = folder / "..2026_11_26"
    mounted.mkdir(parents=True)
    (folder / "..data").symlink_to(mounted.name)
    for name, value in values.items():
        (mounted / name).write_text(f"{value}\n", encoding="utf-8")
        (folder / name).symlink_to(f"..data/{name}")
    return folder


def health(address: str, service: str = "") -> int:
    """Return the status that the health service reports."""
    with grpc.insecure_channel(address) as channel:
        request = health_pb2.HealthCheckRequest(service=service)
        return int(health_pb2_grpc.HealthStub(channel).Check(request, timeout=2).status)


def metrics_page(port: int) -> str:
    """Return what the metrics port of this machine serves."""
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=2) as response:
        return str(response.read().decode())


async def test_a_process_with_secrets_in_files_stays_alive_and_exports_no_count_without_postgresql(
    tmp_path: Path,
) -> None:
    """The probe `liveness` has SERVING throughout; readiness and the metric follow PostgreSQL."""
    address, port = f"127.0.0.1:{free_port()}", free_port() + 1
    with postgres_server(tmp_path) as server:
        database = await asyncio.to_thread(server.migrated_database)
        secrets = {
            "KETAV_DATABASE_URL": server.url(database, "ketav_service"),
            "KETAV_BLOB_URL": f"file://{tmp_path}/blobs",
            **identity_keys("registry"),
        }
        settings = {
            "KETAV_SECRETS_DIR": str(secret_files(tmp_path / "secrets", secrets)),
            "KETAV_BIND": address,
            "KETAV_METRICS_PORT": str(port),
            "KETAV_RUN_COUNT_SECONDS": "0.2",
        }
        env = {name: value for name, value in os.environ.items() if name not in secrets} | settings
        command = [sys.executable, "-m", "ketav_registry.main"]
        with running(command, tmp_path / "registry.log", lambda: health(address), env=env):
            await asyncio.to_thread(until, SERVING.__eq__, lambda: health(address))
            await asyncio.to_thread(until, bool, lambda: samples(metrics_page(port)))
            assert samples(metrics_page(port)) == [f"{UNFINISHED_RUNS} 0.0"]
            server.process.send_signal(signal.SIGQUIT)
            await asyncio.to_thread(server.process.wait)
            await asyncio.to_thread(until, NOT_SERVING.__eq__, lambda: health(address))
            await asyncio.to_thread(until, operator.not_, lambda: samples(metrics_page(port)))
            assert health(address, LIVENESS) == SERVING
