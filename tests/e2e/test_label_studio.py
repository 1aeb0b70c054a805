"""The backend of Label Studio, called by a real one: lines become predictions, annotations corrections."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from ketav_local.ports import free_ports
from tests.e2e.local_system import LocalSystem, boxes

ROOT = Path(__file__).resolve().parents[2]
COMMAND = os.environ.get("LABEL_STUDIO_COMMAND", "")
TOKEN = "0123456789abcdef" * 2 + "01234567"
START_S = 240.0
"""Label Studio migrates a new database when it starts."""

pytestmark = pytest.mark.skipif(
    not COMMAND,
    reason="LABEL_STUDIO_COMMAND does not name a label-studio (1 GB of packages, not in the lock)",
)


@contextmanager
def process(command: list[str], log: Path, **settings: str) -> Iterator[None]:
    """Run a program with further settings, its output in a log."""
    with log.open("wb") as file:
        running = subprocess.Popen(command, env={**os.environ, **settings}, stdout=file, stderr=file)
        try:
            yield
        finally:
            running.terminate()
            running.wait(timeout=30)


def wait_until_it_answers(url: str) -> None:
    """Wait until a server answers a GET."""
    deadline = time.monotonic() + START_S
    while True:
        try:
            if httpx.get(url, trust_env=False, timeout=10).is_success:
                return
        except httpx.TransportError:
            pass
        assert time.monotonic() < deadline, url
        time.sleep(0.5)


@pytest.fixture
def label_studio(system: LocalSystem, tmp_path: Path) -> Iterator[tuple[httpx.Client, str]]:
    """Start Label Studio and the backend; return a client of the first and the address of the second."""
    ports = free_ports(2)
    url, backend = (f"http://127.0.0.1:{port}" for port in ports)
    start = ["start", "demo", "--init", "--no-browser", "--port", str(ports[0])]
    user = ["--username", "op@example.org", "--password", "a-long-password", "--user-token", TOKEN]
    studio_settings = {
        "LABEL_STUDIO_BASE_DATA_DIR": str(tmp_path),
        "LABEL_STUDIO_ENABLE_LEGACY_API_TOKEN": "true",
        "COLLECT_ANALYTICS": "0",
        "LATEST_VERSION_CHECK": "0",
        "ML_BLOCK_LOCAL_IP": "false",
        "SSRF_PROTECTION_ENABLED": "false",
    }
    backend_settings = {
        "KETAV_URL": f"http://127.0.0.1:{system.port}",
        "KETAV_API_KEY": system.api_key,
        "LABEL_STUDIO_URL": url,
        "LABEL_STUDIO_API_KEY": TOKEN,
        "KETAV_LABEL_STUDIO_PORT": str(ports[1]),
    }
    headers = {"Authorization": f"Token {TOKEN}"}
    with ExitStack() as stack:
        stack.enter_context(process([COMMAND, *start, *user], tmp_path / "studio.log", **studio_settings))
        program = [sys.executable, str(ROOT / "contrib/label_studio/backend.py")]
        stack.enter_context(process(program, tmp_path / "backend.log", **backend_settings))
        wait_until_it_answers(f"{url}/health")
        wait_until_it_answers(f"{backend}/health")
        client = httpx.Client(base_url=url, headers=headers, timeout=120, trust_env=False)
        yield stack.enter_context(client), backend


def post(client: httpx.Client, path: str, body: dict[str, Any] | None = None, **arguments: Any) -> Any:
    """Post JSON to Label Studio and return that of the response."""
    response = client.post(path, json=body, **arguments)
    assert response.is_success, response.text
    return response.json()


def interface() -> str:
    """Return the labeling interface of the README."""
    readme = (ROOT / "contrib/label_studio/README.md").read_text()
    return readme.partition("```xml\n")[2].partition("```")[0]


@pytest.mark.timeout(600)
def test_lines_are_predicted_and_annotations_become_corrections(
    system: LocalSystem, label_studio: tuple[httpx.Client, str]
) -> None:
    """With the labeling interface of the README; Label Studio itself calls the backend."""
    studio, backend = label_studio
    project = post(studio, "/api/projects", {"title": "letters", "label_config": interface()})["id"]
    files = {"file": ("page.png", boxes(3), "image/png")}
    assert studio.post(f"/api/projects/{project}/import", files=files).status_code == 201
    post(studio, "/api/ml", {"project": project, "url": backend, "title": "ketav"})
    selected = {"selectedItems": {"all": True, "excluded": []}}
    action = {"project": project, "id": "retrieve_tasks_predictions"}
    post(studio, "/api/dm/actions", selected, params=action)
    [prediction] = studio.get("/api/predictions", params={"project": project}).json()
    kinds = [region["type"] for region in prediction["result"]]
    assert kinds == ["polygon", "textarea"] * 3
    assert prediction["model_version"] == "hebrew_base-1"
    texts = ["שורה ראשונה", "שורה שנייה", "שורה שלישית"]
    for region, text in zip(prediction["result"][1::2], texts, strict=True):
        region["value"]["text"] = [text]
    task = prediction["task"]
    post(studio, f"/api/tasks/{task}/annotations", {"result": prediction["result"], "lead_time": 1})
    assert corrected_texts(system, f"Label Studio {project}") == texts


def corrected_texts(system: LocalSystem, name: str) -> list[str | None]:
    """Return the corrections of the only page of a project, once there are any."""
    deadline = time.monotonic() + 30
    with system.client() as client:
        while True:
            projects = client.get("/projects/").json()["projects"]
            [project] = [project for project in projects if project["name"] == name]
            [page] = client.get(f"/projects/{project['project_id']}").json()["images"]
            texts = [line["corrected_text"] for line in page["transcription"]["lines"]]
            if any(texts) or time.monotonic() > deadline:
                return texts
            time.sleep(0.5)
