"""Processes are killed and restarted, the system is stopped and started: nothing acknowledged is lost."""

import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest

from tests.e2e.local_system import LocalSystem, boxes, tiny_system, wait_until


@pytest.fixture(scope="module")
def killable_system(tmp_path_factory: pytest.TempPathFactory, tiny_models: Path) -> Iterator[LocalSystem]:
    """Run a system whose processes may be killed."""
    running = tiny_system(tmp_path_factory.mktemp("killable"), tiny_models)
    running.start()
    try:
        yield running
    finally:
        if running.supervisor is not None and running.supervisor.poll() is None:
            running.stop()


def read(client: httpx.Client, seed: int = 0) -> dict[str, Any]:
    """Read and correct a page; return the JSON of the reading."""
    response = client.post("/ocr/", files={"file": ("page.png", boxes(3, seed), "image/png")})
    assert response.status_code == 201, response.text
    body: dict[str, Any] = response.json()
    correction = {
        "project_id": body["project_id"],
        "image_id": body["image_id"],
        "lines": [{"line_id": body["lines"][0]["line_id"], "text": "נשמר"}],
    }
    assert client.post("/feedback/", json=correction).status_code == 201
    return body


def is_stored(client: httpx.Client, body: dict[str, Any]) -> bool:
    """Return whether the page, its image and its correction are stored."""
    where = f"/projects/{body['project_id']}/images/{body['image_id']}"
    page = client.get(where)
    file = client.get(f"{where}/file")
    if not (page.is_success and file.is_success):
        return False
    return bool(page.json()["transcription"]["lines"][0]["corrected_text"] == "נשמר")


PROCESSES = [
    "gateway",
    "registry",
    "recognizer",
    "recognizer-worker",
    "trainer",
    "worker",
    "valkey",
    "postgres",
]


@pytest.mark.parametrize("name", PROCESSES)
def test_a_killed_process_is_restarted_and_nothing_acknowledged_is_lost(
    killable_system: LocalSystem, name: str
) -> None:
    """After SIGKILL the stored page is there, and new pages are read."""
    with killable_system.client() as client:
        before = read(client)
        killable_system.kill(name)
        wait_until(lambda: is_stored(client, before), 30)
        read(client, seed=1)


def test_a_recognizer_that_is_down_gives_503_and_the_image_can_be_read_later(
    killable_system: LocalSystem,
) -> None:
    """The image is stored; it can be read again when the recognizer has restarted."""
    stopped = psutil.Process(killable_system.pids()["recognizer"])
    with killable_system.client() as client:
        project = read(client)["project_id"]
        processes = [stopped, *stopped.children(recursive=True)]
        for process in processes:
            process.suspend()
        stopped.kill()
        response = client.post(
            "/ocr/", files={"file": ("page.png", boxes(2), "image/png")}, data={"project_id": project}
        )
        if response.status_code == 201:
            pytest.fail("the recognizer restarted before the request: the test shows nothing")
        assert response.status_code == 503
        assert "Retry-After" in response.headers
        assert response.headers["content-type"].startswith("application/problem+json")
        images = client.get(f"/projects/{project}").json()["images"]
        unread = next(image for image in images if image["transcription"] is None)
        wait_until(killable_system.is_ready, 60)
        again = client.post(f"/projects/{project}/images/{unread['image_id']}/ocr")
        assert again.status_code == 201, again.text


def test_stopping_leaves_no_process_and_a_second_start_finds_all_data(killable_system: LocalSystem) -> None:
    """After SIGINT; the next start has the same key and data."""
    with killable_system.client() as client:
        before = read(client)
    key = killable_system.api_key
    processes = killable_system.processes()
    assert killable_system.stop(signal.SIGINT) == 0, killable_system.printed
    assert [process for process in processes if process.is_running()] == []
    killable_system.start()
    assert killable_system.api_key == key
    with killable_system.client() as client:
        assert is_stored(client, before)


def test_a_second_system_on_the_same_folder_is_refused(killable_system: LocalSystem) -> None:
    """It names the process that uses the folder and ends with status 1; the first one continues."""
    second = LocalSystem(killable_system.data_dir, killable_system.env)
    with pytest.raises(AssertionError, match="in use by process"):
        second.start()
    assert second.supervisor is not None
    assert second.supervisor.wait(10) == 1
    assert killable_system.is_ready()


def test_killing_the_supervisor_leaves_no_process_and_the_next_start_works(
    killable_system: LocalSystem,
) -> None:
    """After SIGKILL of the supervisor all its descendants end."""
    assert killable_system.supervisor is not None
    with killable_system.client() as client:
        before = read(client)
    processes = killable_system.processes()
    killable_system.supervisor.kill()
    killable_system.supervisor.communicate()
    wait_until(lambda: not any(process.is_running() for process in processes), 30)
    killable_system.start()
    with killable_system.client() as client:
        assert is_stored(client, before)
