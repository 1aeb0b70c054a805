"""The commands of README.md read, correct and export a folder of pages when they are run as printed."""

import json
import os
import re
import subprocess
import time
from pathlib import Path
from typing import Any

import httpx

from tests.e2e.local_system import LocalSystem, boxes

ROOT = Path(__file__).resolve().parents[2]


def commands(section: str) -> list[str]:
    """Return the shell blocks of a section of README.md."""
    text = (ROOT / "README.md").read_text(encoding="utf-8").split(f"## {section}\n", 1)[1]
    return re.findall(r"```sh\n(.*?)```", text.split("\n## ", 1)[0], re.DOTALL)


def environment(system: LocalSystem) -> dict[str, str]:
    """Return the environment of a reader whose system has its own port and folder."""
    own = {"KETAV_PORT": str(system.port), "KETAV_DATA_DIR": str(system.data_dir), "NO_PROXY": "127.0.0.1"}
    return {**os.environ, **own}


def exported(client: httpx.Client, project_id: str) -> str:
    """Export a project by a job, wait for its end, and return the id of the job."""
    response = client.get(f"/projects/{project_id}/export", headers={"Prefer": "respond-async"})
    job_id: str = response.raise_for_status().json()["job_id"]
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        if client.get(f"/jobs/{job_id}").json()["state"] == "succeeded":
            return job_id
        time.sleep(0.2)
    raise TimeoutError(job_id)


def run_documented_commands(system: LocalSystem, folder: Path, pages: list[dict[str, Any]]) -> None:
    """Run the curl commands of /docs that show data, with the variables of README.md.

    They show the first page. The job reads the last one again, which gives its lines other ids.
    """
    page = pages[0]
    settings = commands("Read, correct, train")[0].split("\nfield()", 1)[0]
    ids = f"PROJECT={page['project_id']} IMAGE={page['image_id']} VERSION=hebrew_base-1"
    ids += f" LINE={page['lines'][0]['line_id']}"
    with system.client() as client:
        paths = client.get("/openapi.json").json()["paths"]
        job = {"project_id": page["project_id"], "image_ids": [pages[-1]["image_id"]]}
        ids += f" JOB={client.post('/jobs/', json=job).raise_for_status().json()['job_id']}"
        export = exported(client, page["project_id"])
    run_commands = 0
    signing_in = paths["/session"]["post"]["description"].partition("```sh\n")[2].partition("```")[0]
    for path, methods in paths.items():
        if "get" not in methods or "{run_id}" in path or path == "/webhook":
            continue
        command = methods["get"]["description"].partition("```sh\n")[2].partition("```")[0]
        own = f"JOB={export}" if path == "/jobs/{job_id}/export" else ""
        ran = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", f"{settings}\n{ids}\n{own}\n{signing_in}\n{command}"],
            cwd=folder,
            env=environment(system),
            capture_output=True,
            timeout=60,
            check=False,
        )
        assert ran.returncode == 0, (path, ran.stdout, ran.stderr)
        run_commands += 1
    assert run_commands > 10
    assert (folder / "image").read_bytes().startswith(b"\x89PNG")


def test_a_reader_with_a_folder_of_pages_gets_to_corrected_text(system: LocalSystem, tmp_path: Path) -> None:
    """Three pages are read into one project, the first is corrected as a whole text, exported and shown."""
    (tmp_path / "pages").mkdir()
    for number in (1, 2, 3):
        (tmp_path / "pages" / f"{number:03}.png").write_bytes(boxes(number + 1))
    read, correct = commands("Read, correct, train")
    script = f"{read}\nsed -i '1s/^./ש/' 001.txt\n{correct}"
    ran = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script],
        cwd=tmp_path,
        env=environment(system),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    pages = [json.loads((tmp_path / f"{number:03}.json").read_text()) for number in (1, 2, 3)]
    assert len({page["project_id"] for page in pages}) == 1
    assert [len(page["lines"]) for page in pages] == [2, 3, 4]
    assert '"accepted_lines":2' in ran.stdout.replace(" ", "")
    assert "too-few-lines" in ran.stdout
    corrected = (tmp_path / "001.txt").read_text()
    assert corrected.startswith("ש")
    assert ran.stdout.endswith(corrected)
    run_documented_commands(system, tmp_path, pages)
