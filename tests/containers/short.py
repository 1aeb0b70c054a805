"""Part of `make containers` for every change: two images, four healthy services, one page."""

import subprocess
import sys
import sysconfig
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ketav_common.error_rates import cer
from ketav_local.demo.page import LINES, render
from tests.containers import inspection
from tests.containers.compose import ComposeSystem
from tests.containers.images import DOCKERFILE, ROOT, build_service, build_stores, image
from tests.containers.podman import Podman
from tests.parts.processes import free_port
from tools.cpu_lock import entries

IMAGE_PYTHON = (3, 11)
"""Version of the images' Python, which loads the compiled libraries of this environment."""
MAX_IMAGE_BYTES = 250 * 10**6
OLDER = "python_full_version < '3.11.3'"
"""Condition in requirements.lock for packages of the images' Python, Debian's 3.11.2."""


def install_additions(folder: Path) -> Path:
    """Install the packages that only the images' Python needs; return their folder."""
    folder.mkdir(exist_ok=True)
    requirements = folder / "requirements.txt"
    lock = (ROOT / "requirements.lock").read_text()
    requirements.write_text("".join(entry for entry in entries(lock) if OLDER in entry))
    uv = str(Path(sys.executable).with_name("uv"))
    exactly = ["--quiet", "--no-deps", "--require-hashes", f"--requirements={requirements}"]
    where = ["--python-version=3.11.2", f"--target={folder}"]
    subprocess.run([uv, "pip", "install", *exactly, *where], check=True, timeout=60)
    return folder


@pytest.fixture(scope="module")
def system(podman: Podman, report: Callable[[object], None]) -> Iterator[ComposeSystem]:
    """Build gateway and registry; bring the system up, with this environment as recognizer and trainer."""
    if sys.version_info[:2] != IMAGE_PYTHON:
        pytest.skip("Recognizer and trainer use the libraries of this environment, which needs Python 3.11.")
    for built in (build_service(podman, "gateway"), build_service(podman, "registry")):
        report(built)
        assert built.size <= MAX_IMAGE_BYTES
    podman.build(image("runtime"), ROOT, DOCKERFILE, "--target=runtime")
    build_stores(podman, "postgres", "redis", "objects")
    files = (ROOT / "docker-compose.yml", Path(__file__).with_name("short.yml"))
    mounted = {
        "DEVELOPMENT_ADDITIONS": str(install_additions(podman.folder / "additions")),
        "DEVELOPMENT_LIBRARIES": sysconfig.get_path("purelib"),
        "DEVELOPMENT_SOURCE": str(ROOT),
    }
    with podman.serving() as host:
        running = ComposeSystem(podman, host, free_port(), files, mounted)
        try:
            report(f"up: healthy after {running.up():.0f} s")
            running.wait_until_ready()
            yield running
        finally:
            running.down()
            left = podman.left()
        assert not any(left.values()), left


def test_all_four_services_report_that_they_are_healthy(system: ComposeSystem, podman: Podman) -> None:
    """The health checks of the images run, and succeed."""
    for service in ("registry", "recognizer", "trainer", "gateway"):
        (container,) = system.containers(service)
        assert podman.inspect(container)["State"]["Health"]["Status"] == "healthy"


def test_a_page_is_read(system: ComposeSystem, report: Callable[[object], None]) -> None:
    """A page goes through all containers but the trainer's, and its lines come back."""
    with system.client(system.add_user("reader")) as client:
        began = time.monotonic()
        response = client.post("/ocr/", files={"file": ("page.png", render(), "image/png")})
        report(f"page: {time.monotonic() - began:.1f} s")
    assert response.status_code == 201, response.text
    assert cer([("\n".join(LINES), response.json()["text"])]).rate < 0.1


def test_health_probes_do_not_fill_the_log(system: ComposeSystem) -> None:
    """The gateway logs requests of clients at level INFO, and not the probes that come every few seconds."""
    (container,) = system.containers("gateway")
    routes = [event["route"] for event in system.events(container) if event.get("event") == "request_handled"]
    assert "/ocr/" in routes
    assert "/livez" not in routes


def test_doctor_in_the_registrys_container_reaches_everything(system: ComposeSystem) -> None:
    """Stores, broker and services answer, and no disk is full."""
    assert inspection.wrong_findings(system) == []


def test_metrics_of_every_service_are_served_inside_the_network_only(system: ComposeSystem) -> None:
    """On a port of their own, which is not published."""
    inspection.assert_metrics_are_inside(system)
