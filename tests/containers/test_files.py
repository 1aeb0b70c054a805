"""The compose files and the scripts of the images, checked without running containers."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import grpc
import pytest
from grpc_health.v1 import health, health_pb2, health_pb2_grpc

from ketav_gateway.settings import GatewaySettings

ROOT = Path(__file__).resolve().parents[2]
COMPOSE = str(Path(sys.executable).with_name("docker-compose"))
SECRETS = {
    "KETAV_IDENTITY_PUBLIC_KEYS": "public",
    "GATEWAY_IDENTITY_KEY": "gateway",
    "REGISTRY_IDENTITY_KEY": "registry",
    "RECOGNIZER_IDENTITY_KEY": "recognizer",
    "TRAINER_IDENTITY_KEY": "trainer",
    "KETAV_SESSION_SECRET": "session",
    "SERVICE_PASSWORD": "service",
    "POSTGRES_PASSWORD": "owner",
    "REDIS_PASSWORD": "redis",
    "S3_SECRET_KEY": "s3",
}
MANAGED = {
    "KETAV_DATABASE_URL": "postgresql+asyncpg://ketav_service:a@db.example/ketav",
    "KETAV_MIGRATION_DATABASE_URL": "postgresql+asyncpg://owner:b@db.example/ketav",
    "KETAV_REDIS_URL": "rediss://:c@queue.example:6380/0",
    "KETAV_BLOB_URL": "s3://key:d@s3.example/pages",
}
STORES = {"postgres", "redis", "objects"}
OWN = {"migrate", "registry", "recognizer", "recognizer-worker", "trainer", "trainer-worker", "gateway"}


def run_compose(
    *arguments: str, files: tuple[str, ...] = ("docker-compose.yml",), settings: Mapping[str, str] = {}
) -> subprocess.CompletedProcess[str]:
    """Run Compose on files of the repository with these variables, and none of the caller's."""
    inherited = {name: os.environ[name] for name in ("PATH", "LANG") if name in os.environ}
    return subprocess.run(
        [COMPOSE, "--env-file=/dev/null", *(f"--file={file}" for file in files), *arguments],
        cwd=ROOT,
        env={**inherited, **SECRETS, **settings},
        capture_output=True,
        text=True,
        check=False,
    )


def resolved(
    *arguments: str, files: tuple[str, ...] = ("docker-compose.yml",), settings: Mapping[str, str] = {}
) -> dict[str, Any]:
    """Return the compose model with all variables filled in."""
    ran = run_compose(*arguments, "config", "--format=json", files=files, settings=settings)
    assert ran.returncode == 0, ran.stderr
    model: dict[str, Any] = json.loads(ran.stdout)
    return model


def serve(status: "health_pb2.HealthCheckResponse.ServingStatus.ValueType") -> tuple[grpc.Server, int]:
    """Start a gRPC server that reports a health status; return it and its port."""
    server = grpc.server(ThreadPoolExecutor(1))
    servicer = health.HealthServicer()
    servicer.set("", status)
    health_pb2_grpc.add_HealthServicer_to_server(servicer, server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    return server, port


@pytest.mark.parametrize(("status", "expected"), [("SERVING", 0), ("NOT_SERVING", 1)])
def test_the_health_check_runs_as_a_script_and_reports_the_servers_status(status: str, expected: int) -> None:
    """The script imports `grpc_health` although its own folder comes first on sys.path."""
    server, port = serve(health_pb2.HealthCheckResponse.ServingStatus.Value(status))
    script = ROOT / "deploy/docker/check_grpc_health.py"
    try:
        ran = subprocess.run(
            [sys.executable, str(script), f"127.0.0.1:{port}"], capture_output=True, text=True, check=False
        )
    finally:
        server.stop(None)
    assert (ran.returncode, ran.stderr) == (expected, "")


def test_every_container_is_confined_and_limited() -> None:
    """Services have an init process, a read-only root, no capabilities; all long-running ones have limits."""
    model = resolved()
    for name in OWN:
        service = model["services"][name]
        assert service["init"] is True
        assert service["read_only"] is True
        assert service["cap_drop"] == ["ALL"]
        assert service["security_opt"] == ["no-new-privileges:true"]
    for name in (OWN | STORES) - {"migrate"}:
        limits = model["services"][name]["deploy"]["resources"]["limits"]
        assert limits["memory"]
        assert 0 < limits["cpus"] <= 1


def test_a_container_is_killed_only_after_its_drain() -> None:
    """The stop grace period exceeds the drain."""
    model = resolved()
    for name in OWN:
        service = model["services"][name]
        drain = float(service["environment"]["KETAV_DRAIN_SECONDS"])
        assert seconds(service["stop_grace_period"]) > drain


def seconds(text: str) -> float:
    """Parse a duration as Compose prints it, such as 1m15s."""
    minutes, _, rest = text.rpartition("m")
    return 60 * float(minutes or 0) + float(rest.removesuffix("s") or 0)


def test_no_volume_is_anonymous() -> None:
    """`docker compose down` leaves nothing that has no name."""
    model = resolved("--profile=gpu")
    for name, service in model["services"].items():
        for volume in service.get("volumes", []):
            assert volume.get("source"), name


def test_only_the_gateway_is_reachable_and_only_the_trainer_reaches_the_outside() -> None:
    """Every other service is in the internal network alone."""
    model = resolved()
    networks = {name: set(service["networks"]) for name, service in model["services"].items()}
    assert model["networks"]["inside"]["internal"] is True
    assert networks.pop("gateway") == {"inside", "edge"}
    assert networks.pop("trainer") == {"inside", "egress"}
    assert set(map(frozenset, networks.values())) == {frozenset({"inside"})}
    assert [name for name, service in model["services"].items() if service.get("ports")] == ["gateway"]


def test_the_urls_of_the_stores_can_be_set() -> None:
    """A URL in .env replaces that of the bundled store."""
    services = resolved(settings=MANAGED)["services"]
    assert services["registry"]["environment"]["KETAV_DATABASE_URL"] == MANAGED["KETAV_DATABASE_URL"]
    assert services["registry"]["environment"]["KETAV_BLOB_URL"] == MANAGED["KETAV_BLOB_URL"]
    for name in ("recognizer", "recognizer-worker", "trainer", "trainer-worker"):
        assert services[name]["environment"]["KETAV_REDIS_URL"] == MANAGED["KETAV_REDIS_URL"]


def test_managed_stores_replace_the_bundled_ones() -> None:
    """With the override file no store is started or waited for, and its users have a route out."""
    model = resolved(files=("docker-compose.yml", "docker-compose.managed.yml"), settings=MANAGED)
    assert set(model["services"]) == OWN
    assert not STORES & set(model["volumes"])
    for name, service in model["services"].items():
        assert not STORES & set(service.get("depends_on", {})), name
    routed = {name for name, service in model["services"].items() if "stores" in service["networks"]}
    assert routed == OWN


@pytest.mark.parametrize("missing", MANAGED)
def test_a_missing_url_of_a_managed_store_is_named(missing: str) -> None:
    """Compose ends with a sentence that names the variable."""
    urls = {name: url for name, url in MANAGED.items() if name != missing}
    ran = run_compose("config", files=("docker-compose.yml", "docker-compose.managed.yml"), settings=urls)
    assert ran.returncode != 0
    assert missing in ran.stderr


def test_the_proxy_takes_over_the_port_of_the_gateway() -> None:
    """Several gateways cannot publish one port; HAProxy publishes it."""
    services = resolved(files=("docker-compose.yml", "docker-compose.proxy.yml"))["services"]
    assert [name for name, service in services.items() if service.get("ports")] == ["proxy"]


def test_the_gpu_variant_has_its_own_profile_and_tag() -> None:
    """Without the profile it does not exist; with it, the gateway finds it by the recognizer's name."""
    assert not [name for name in resolved()["services"] if name.endswith("-gpu")]
    services = resolved("--profile=gpu")["services"]
    recognizer = services["recognizer-gpu"]
    assert recognizer["image"].endswith("-cuda")
    assert recognizer["environment"]["KETAV_DEVICE"] == "cuda"
    assert recognizer["build"]["args"] == {"TORCH": "cuda"}
    assert recognizer["networks"]["inside"]["aliases"] == ["recognizer"]
    assert services["trainer-worker-gpu"]["image"].endswith("-cuda")


def test_secrets_are_written_once_and_for_the_owner_alone(tmp_path: Path) -> None:
    """The script of `make up` writes each secret that the compose file needs, and replaces no value."""
    target = tmp_path / ".env"
    script = [sys.executable, str(ROOT / "deploy/docker/write_env.py"), str(target)]
    subprocess.run(script, check=True)
    written = target.read_text()
    assert {line.partition("=")[0] for line in written.splitlines()} == set(SECRETS)
    assert target.stat().st_mode & 0o777 == 0o600
    subprocess.run(script, check=True)
    assert target.read_text() == written
    older = [line for line in written.splitlines() if "IDENTITY" not in line]
    target.write_text("\n".join(older))
    subprocess.run(script, check=True)
    completed = target.read_text().splitlines()
    assert completed[: len(older)] == older
    assert {line.partition("=")[0] for line in completed} == set(SECRETS)


def test_the_observability_file_adds_tools_that_only_the_host_and_the_services_reach() -> None:
    """Images pinned by version, Grafana published on this host alone, every service exporting its spans."""
    files = ("docker-compose.yml", "docker-compose.observability.yml")
    services = resolved(files=files, settings={"GRAFANA_PASSWORD": "grafana"})["services"]
    tools = {"collector", "jaeger", "prometheus", "grafana"}
    assert set(services) == {*OWN, *STORES, *tools}
    for name in tools:
        assert services[name]["image"].rpartition(":")[2][-1].isdigit(), name
        assert services[name]["read_only"]
    published = {name: service["ports"] for name, service in services.items() if service.get("ports")}
    assert set(published) == {"gateway", "grafana"}
    assert {port["host_ip"] for ports in published.values() for port in ports} == {"127.0.0.1"}
    for name in OWN - {"migrate"}:
        assert services[name]["environment"]["OTEL_EXPORTER_OTLP_ENDPOINT"] == "http://collector:4318"
        assert services[name]["environment"]["KETAV_METRICS_PORT"] == "9464"
    for name in ("prometheus", "jaeger", "collector"):
        assert set(services[name]["networks"]) == {"inside"}


def test_the_gateways_tmp_holds_all_bodies_that_its_limits_admit_at_once() -> None:
    """Bodies and two exports are in `/tmp`, in memory; the container's memory also holds a decoder."""
    gateway = resolved()["services"]["gateway"]
    (mount,) = gateway["tmpfs"]
    size = int(re.search(r":size=(\d+)m,", mount)[1]) << 20  # type: ignore[index]
    default = {name: field.default for name, field in GatewaySettings.model_fields.items()}
    exports = 2 * int(gateway["environment"]["KETAV_MAX_EXPORT_BYTES"])
    assert size >= default["max_spool_bytes"] + exports
    assert int(gateway["deploy"]["resources"]["limits"]["memory"]) >= size + default["image_memory_bytes"]
