"""Processes are killed and brought back, the system is stopped and started: nothing acknowledged is lost."""

import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest

from tests.e2e.local_system import LocalSystem, boxes, tiny_system, wait_until


@pytest.fixture(scope="module")
def mortal(tmp_path_factory: pytest.TempPathFactory, tiny_models: Path) -> Iterator[LocalSystem]:
    """Run a system whose processes may be killed."""
    running = tiny_system(tmp_path_factory.mktemp("mortal"), tiny_models)
    running.start()
    try:
        yield running
    finally:
        if running.supervisor is not None and running.supervisor.poll() is None:
            running.stop()


def read(client: httpx.Client, seed: int = 0) -> dict[str, Any]:
    """Have a page read and corrected; give the answer."""
    answer = client.post("/ocr/", files={"file": ("page.png", boxes(3, seed), "image/png")})
    assert answer.status_code == 201, answer.text
    body: dict[str, Any] = answer.json()
    correction = {
        "project_id": body["project_id"],
        "image_id": body["image_id"],
        "lines": [{"line_id": body["lines"][0]["line_id"], "text": "נשמר"}],
    }
    assert client.post("/feedback/", json=correction).status_code == 201
    return body


def is_kept(client: httpx.Client, answer: dict[str, Any]) -> bool:
    """Tell whether the page, its image and its correction are all there."""
    where = f"/projects/{answer['project_id']}/images/{answer['image_id']}"
    page = client.get(where)
    file = client.get(f"{where}/file")
    if not (page.is_success and file.is_success):
        return False
    return bool(page.json()["transcription"]["lines"][0]["corrected_text"] == "נשמר")


PROCESSES = ["gateway", "registry", "recognizer", "trainer", "worker", "valkey", "postgres"]


@pytest.mark.parametrize("name", PROCESSES)
def test_a_killed_process_comes_back_and_nothing_acknowledged_is_lost(mortal: LocalSystem, name: str) -> None:
    """Kill -9: the process returns, what was stored is there, and pages are read again."""
    with mortal.client() as client:
        before = read(client)
        mortal.kill(name)
        wait_until(lambda: is_kept(client, before), 30)
        read(client, seed=1)


def test_a_recognizer_that_is_down_gives_503_and_the_image_can_be_read_later(mortal: LocalSystem) -> None:
    """The upload is kept; reading it again works as soon as the recognizer is back."""
    stopped = psutil.Process(mortal.pids()["recognizer"])
    with mortal.client() as client:
        project = read(client)["project_id"]
        below = [stopped, *stopped.children(recursive=True)]
        for process in below:
            process.suspend()
        stopped.kill()
        response = client.post(
            "/ocr/", files={"file": ("page.png", boxes(2), "image/png")}, data={"project_id": project}
        )
        if response.status_code == 201:
            pytest.fail("the recognizer came back before the request: nothing was shown")
        assert response.status_code == 503
        assert "Retry-After" in response.headers
        assert response.headers["content-type"].startswith("application/problem+json")
        images = client.get(f"/projects/{project}").json()["images"]
        kept = next(image for image in images if image["transcription"] is None)
        wait_until(mortal.is_ready, 60)
        again = client.post(f"/projects/{project}/images/{kept['image_id']}/ocr")
        assert again.status_code == 201, again.text


def test_stopping_leaves_no_process_and_a_second_start_finds_all_data(mortal: LocalSystem) -> None:
    """SIGINT stops in reverse within seconds; the next start has the same key and data."""
    with mortal.client() as client:
        before = read(client)
    key, everyone = mortal.api_key, mortal.everyone()
    assert mortal.stop(signal.SIGINT) == 0, mortal.printed
    assert [process for process in everyone if process.is_running()] == []
    mortal.start()
    assert mortal.api_key == key
    with mortal.client() as client:
        assert is_kept(client, before)


def test_a_second_system_on_the_same_folder_is_refused(mortal: LocalSystem) -> None:
    """It says whose the folder is and ends with status 1; the first one goes on."""
    second = LocalSystem(mortal.data_dir, mortal.env)
    with pytest.raises(AssertionError, match="in use by process"):
        second.start()
    assert second.supervisor is not None
    assert second.supervisor.wait(10) == 1
    assert mortal.is_ready()


def test_killing_the_supervisor_leaves_no_process_and_the_next_start_works(mortal: LocalSystem) -> None:
    """Kill -9 of the supervisor: every process below it, workers of workers too, ends by itself."""
    assert mortal.supervisor is not None
    with mortal.client() as client:
        before = read(client)
    everyone = mortal.everyone()
    mortal.supervisor.kill()
    mortal.supervisor.communicate()
    wait_until(lambda: not any(process.is_running() for process in everyone), 30)
    mortal.start()
    with mortal.client() as client:
        assert is_kept(client, before)
