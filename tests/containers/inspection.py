"""Metrics and `ketav admin` of a running system of containers, as an operator sees them."""

import json

import httpx

from tests.containers.compose import ComposeSystem

SERVICES = ("gateway", "registry", "recognizer", "recognizer-worker", "trainer", "trainer-worker")
ADDRESSES = (
    "--env=KETAV_RECOGNIZER_ADDRESS=dns:///recognizer:50051",
    "--env=KETAV_TRAINER_ADDRESS=dns:///trainer:50051",
    "--env=KETAV_REDIS_URL=redis://redis:6379/0",
)
"""Addresses that the registry itself does not need, for `doctor`."""
READ = "import urllib.request as r; print(r.urlopen('http://{}:9464/metrics', timeout=5).read().decode())"


def ketav(system: ComposeSystem, *arguments: str) -> str:
    """Run `ketav` in the registry's container, whatever its status; return what it prints."""
    return system.compose("exec", "--no-TTY", *ADDRESSES, "registry", "ketav", *arguments, check=False)


def wrong_findings(system: ComposeSystem) -> list[str]:
    """Return what `ketav admin doctor` reports as wrong or does not check.

    The registry does not have the address of the database with the owner's role.
    """
    findings = json.loads(ketav(system, "admin", "doctor", "--json"))
    assert {"database", "objects", "broker", "registry", "recognizer", "trainer"} <= {
        finding["check"] for finding in findings
    }
    return [
        f"{finding['check']}: {finding['finding']}"
        for finding in findings
        if finding["ok"] is not True and finding["check"] != "database owner"
    ]


def assert_metrics_are_inside(system: ComposeSystem) -> None:
    """Read every service's metrics from the gateway's container; no container publishes their port."""
    podman = system.podman
    gateway = system.containers("gateway")[0]
    for service in SERVICES:
        metrics = podman.run("exec", gateway, "python", "-c", READ.format(service))
        assert "# TYPE ketav_" in metrics, service
        for container in system.containers(service):
            ports = podman.inspect(container)["NetworkSettings"]["Ports"] or {}
            published = [port for port, hosts in ports.items() if hosts]
            assert published == (["8000/tcp"] if service == "gateway" else []), service
    answer = httpx.get(f"http://127.0.0.1:{system.port}/metrics", timeout=5, trust_env=False)
    assert answer.status_code == 404
