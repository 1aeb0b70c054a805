"""The real images and the real compose file, from the first start to `down` (`make containers`).

The tests run in this order, on one system.
"""

import io
import os
import signal
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest
from PIL import Image

from ketav_local.demo.page import render
from tests.containers import embedded, inspection, writer
from tests.containers.compose import ComposeSystem, read_page
from tests.containers.images import ROOT, Built, image
from tests.containers.load import load
from tests.containers.podman import Podman
from tests.parts.processes import free_port

Report = Callable[[object], None]
MB = 10**6
PYTHON = "/opt/ketav/bin/python"
KNOWN_SECONDS = 35
"""After so many seconds every client knows a new replica: connections last 30 s, give or take a tenth."""


@pytest.fixture(scope="module")
def system(podman: Podman, images: dict[str, Built], report: Report) -> Iterator[ComposeSystem]:
    """Bring the compose file up; afterwards nothing of it is left."""
    with podman.serving() as host:
        running = ComposeSystem(podman, host, free_port())
        try:
            report(f"up: healthy after {running.up():.0f} s")
            running.wait_until_ready()
            yield running
        finally:
            running.down()
            left = podman.left()
        report(f"down: {left} left")
        assert not any(left.values()), left


@pytest.fixture(scope="module")
def key(system: ComposeSystem) -> str:
    """Add the first user."""
    return system.add_user("writer")


@pytest.fixture(scope="module")
def line() -> bytes:
    """Return an image of one line."""
    whole = Image.open(io.BytesIO(render(["בוקר טוב לכולם"], 1)))
    output = io.BytesIO()
    whole.crop((0, 130, whole.width, 270)).save(output, "PNG")
    return output.getvalue()


def test_the_images_are_small_and_hold_nothing_that_the_services_do_not_run(
    podman: Podman, images: dict[str, Built]
) -> None:
    """Gateway and registry have at most 250 MB; no image has pip, uv, tests or the base model."""
    for name in ("gateway", "registry", "recognizer", "trainer"):
        find = (
            "find /opt /srv /usr/local/lib -name pip -o -name uv -o -name tests -type d "
            "-o -name 'ketav_basemodel*' -o -name 'ketav_testing*'"
        )
        run = ["run", "--rm", "--network=none", "--user=0", "--env=PYTHONDONTWRITEBYTECODE=1", image(name)]
        assert podman.run(*run, "sh", "-c", find) == ""
        assert podman.run(*run, "python", "-c", "import os; print(os.getcwd())").strip() == "/srv/ketav"
    assert images["gateway"].size <= 250 * MB
    assert images["registry"].size <= 250 * MB


def test_recognizer_and_trainer_share_the_layers_of_the_engine(podman: Podman, report: Report) -> None:
    """All layers but the last few are the same, so torch and Kraken are stored and transferred once."""
    recognizer, trainer = podman.layers(image("recognizer")), podman.layers(image("trainer"))
    shared = sum(one == other for one, other in zip(recognizer, trainer, strict=False))
    report(f"layers: {shared} shared, of the recognizer's {len(recognizer)} and the trainer's {len(trainer)}")
    assert len(recognizer) - shared <= 2
    assert len(trainer) - shared <= 3


def test_a_system_of_one_machine_moves_into_the_containers(
    system: ComposeSystem, tmp_path: Path, report: Report
) -> None:
    """Its backup is restored into the containers' stores; its user sees the page, fsck has no finding."""
    moved = embedded.back_up(tmp_path)
    report(f"backup of a system of one machine: {moved.counts}")
    began = time.monotonic()
    system.compose("stop", *inspection.SERVICES)
    volume = f"--volume={moved.folder}:/backup:ro"
    command = ("ketav", "admin", "restore", "/backup")
    restored = system.compose("run", "--rm", "--no-TTY", volume, "migrate", *command)
    assert restored.strip().endswith(moved.counts)
    system.up()
    system.wait_until_ready()
    report(f"restored into the containers and started after {time.monotonic() - began:.0f} s")
    checked = inspection.ketav(system, "admin", "fsck").strip()
    report(f"fsck: {checked}")
    assert checked.endswith(": no findings")
    with system.client(moved.key) as client:
        assert client.get(moved.where).json() == moved.page
        assert client.get(f"{moved.where}/file").content == moved.image


def test_doctor_in_the_registrys_container_reaches_everything(system: ComposeSystem) -> None:
    """Stores, broker and services answer, and no disk is full."""
    # Podman's name server may resolve nothing for some seconds after containers have changed.
    end = time.monotonic() + KNOWN_SECONDS
    while (findings := inspection.wrong_findings(system)) and time.monotonic() < end:
        time.sleep(1)
    assert findings == []


def test_metrics_of_every_service_are_served_inside_the_network_only(system: ComposeSystem) -> None:
    """On a port of their own, which is not published."""
    inspection.assert_metrics_are_inside(system)


def test_a_user_reads_corrects_trains_reads_better_exports_and_deletes(
    system: ComposeSystem, key: str, report: Report
) -> None:
    """The whole journey through the public API; the trained model misreads less of a new page."""
    unseen = writer.texts(1000)
    with system.client(key) as client:
        # Else a run starts by itself before all lines are corrected.
        assert client.put("/models/policy", json={"automatic": False}).is_success
        began = time.monotonic()
        first = read_page(client, writer.page(unseen, 1000))
        report(f"page: {len(first['lines'])} lines in {time.monotonic() - began:.1f} s")
        before = writer.error_rate(unseen, first["text"])
        for seed in range(10):
            written = writer.texts(seed)
            answer = read_page(client, writer.page(written, seed), project_id=first["project_id"])
            assert len(answer["lines"]) == len(written)
            lines = [
                {"line_id": line["line_id"], "text": text, "confirm": True}
                for line, text in zip(answer["lines"], written, strict=True)
            ]
            correction = {"project_id": answer["project_id"], "image_id": answer["image_id"], "lines": lines}
            assert client.post("/feedback/", json=correction).status_code == 201
        run = train(client, report)
        assert run["state"] == "succeeded", run
        again = read_page(client, writer.page(unseen, 1000), project_id=first["project_id"])
        after = writer.error_rate(unseen, again["text"])
        report(f"CER of a new page: {before:.1%} before, {after:.1%} after")
        assert again["model"]["kind"] != "base"
        assert after < before
        where = f"/projects/{first['project_id']}/images/{first['image_id']}"
        for form in ("alto", "page"):
            assert client.get(f"{where}/export", params={"format": form}).content.startswith(b"<?xml")
        assert client.delete(f"/projects/{first['project_id']}").is_success
        assert client.get(f"/projects/{first['project_id']}").status_code == 404


def train(client: httpx.Client, report: Report) -> dict[str, Any]:
    """Start a training and wait for its end; return the run."""
    began = time.monotonic()
    response = client.post("/train/")
    assert response.status_code == 202, response.text
    while True:
        run: dict[str, Any] = client.get(response.headers["Location"]).json()
        if run["state"] in {"succeeded", "rejected", "failed", "cancelled"}:
            report(f"training: {run['state']} after {time.monotonic() - began:.0f} s: {run.get('verdict')}")
            return run
        assert time.monotonic() < began + 900, run
        time.sleep(1)


def read_pages(system: ComposeSystem, keys: list[str], count: int) -> float:
    """Read so many pages for each user, the users at the same time; return the pages per second."""
    page = writer.page(writer.texts(7), 7)

    def read(key: str) -> None:
        """Read the pages of one user."""
        with system.client(key) as client:
            for _ in range(count):
                read_page(client, page)

    began = time.monotonic()
    with ThreadPoolExecutor(len(keys)) as pool:
        list(pool.map(read, keys))
    return len(keys) * count / (time.monotonic() - began)


def test_pages_spread_over_recognizers_that_are_started_later(system: ComposeSystem, report: Report) -> None:
    """With 1, 2 and 3 recognizers, nothing restarted; of 24 pages each reads at least half its share."""
    keys = [system.add_user(f"reader-{number}") for number in range(3)]
    report(f"1 recognizer: {read_pages(system, keys, 4):.2f} pages/s on {os.cpu_count()} cores")
    for recognizers in (2, 3):
        scale = (f"--scale=recognizer={recognizers}", "--scale=trainer-worker=2", "--no-recreate")
        seconds = system.up(*scale)
        assert len(system.containers("recognizer")) == recognizers
        assert len(system.containers("trainer-worker")) == 2
        time.sleep(KNOWN_SECONDS)
        earlier = system.pages_read()
        rate = read_pages(system, keys, 8)
        counts = {name: pages - earlier[name] for name, pages in system.pages_read().items()}
        report(f"{recognizers} recognizers after {seconds:.0f} s: {rate:.2f} pages/s, pages each: {counts}")
        assert sum(counts.values()) == 24
        assert min(counts.values()) >= 24 // recognizers // 2


def test_webhooks_leave_through_the_trainer_alone(system: ComposeSystem, podman: Podman) -> None:
    """The trainer has a route to another network; gateway aside, no other service has one."""
    probe = "import socket; socket.create_connection(('{}', 80), timeout=3)"
    podman.create_network("ketav-test-outside", "ketav-outside")
    try:
        server = [PYTHON, "-m", "http.server", "80"]
        outside = ("--network=ketav-test-outside", "--name=ketav-test-receiver", "--user=0")
        podman.run(
            "run", "--detach", "--rm", *outside, "--env=PYTHONPYCACHEPREFIX=", image("gateway"), *server
        )
        networks = podman.inspect("ketav-test-receiver")["NetworkSettings"]["Networks"]
        address = networks["ketav-test-outside"]["IPAddress"]
        reached = {
            service: "Error"
            not in podman.run(
                "exec", system.containers(service)[0], "sh", "-c",
                f'python -c "{probe.format(address)}" 2>&1 || true', check=False,
            )
            for service in ("registry", "recognizer", "recognizer-worker", "trainer", "trainer-worker")
        }  # fmt: skip
    finally:
        podman.run("rm", "--force", "--time=0", "ketav-test-receiver")
        podman.run("network", "rm", "--force", "ketav-test-outside")
    assert reached == {
        "registry": False,
        "recognizer": False,
        "recognizer-worker": False,
        "trainer": True,
        "trainer-worker": False,
    }


def test_killed_containers_restart_and_the_system_serves_again(
    system: ComposeSystem, podman: Podman, line: bytes, report: Report
) -> None:
    """SIGKILL of one container of each service under load: every one restarts, and requests succeed again."""
    keys = [system.add_user(f"killer-{number}") for number in range(2)]
    services = (
        "recognizer",
        "trainer",
        "trainer-worker",
        "registry",
        "redis",
        "objects",
        "postgres",
        "gateway",
    )
    for service in services:
        container = system.containers(service)[0]
        with load(system, keys, line) as outcomes:
            time.sleep(2)
            began = time.monotonic()
            os.kill(podman.inspect(container)["State"]["Pid"], signal.SIGKILL)
            time.sleep(1)
            system.wait_until_ready(120)
            seconds = time.monotonic() - began
        report(
            f"killed {service}: ready again after {seconds:.0f} s, {len(outcomes.failures)} of "
            f"{outcomes.total} requests failed meanwhile"
        )
    with load(system, keys, line) as outcomes:
        time.sleep(10)
    assert outcomes.total > 4
    assert outcomes.failures == []


def test_a_rolling_restart_fails_no_request(
    system: ComposeSystem, podman: Podman, line: bytes, report: Report
) -> None:
    """Two replicas of every service behind HAProxy, restarted one by one under load: no request fails."""
    proxied = (*system.files, ROOT / "docker-compose.proxy.yml")
    system.files = proxied
    services = ("gateway", "registry", "recognizer", "trainer")
    scale = [f"--scale={service}=2" for service in services]
    report(f"two replicas of each behind a proxy after {system.up(*scale):.0f} s")
    # Podman's name server may resolve nothing for some seconds after networks and containers have changed.
    time.sleep(KNOWN_SECONDS)
    system.wait_until_ready()
    keys = [system.add_user(f"roller-{number}") for number in range(3)]
    began = time.monotonic()
    with load(system, keys, line) as outcomes:
        for service in services:
            for container in system.containers(service):
                podman.run("stop", "--time=75", container)
                podman.run("start", container)
                system.wait_until_healthy(container)
                time.sleep(KNOWN_SECONDS)
        report(f"restarted {[*services]} one by one in {time.monotonic() - began:.0f} s")
    report(f"{dict(outcomes.counts)}; failed: {len(outcomes.failures)}")
    assert outcomes.total > 50
    assert outcomes.failures == []
