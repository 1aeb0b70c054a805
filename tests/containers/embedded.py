"""A system of `make run` with one corrected page, and its backup."""

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ketav_local.demo.page import LINES, render
from tests.containers.compose import read_page
from tests.e2e.local_system import LocalSystem

IMAGE_USER = 10001
"""User of the services in the containers, who reads the backup."""

START_S = 400
"""Longest start: two cores import torch three times, while other work may run."""


@dataclass(frozen=True)
class Backup:
    """A backup, and what the system showed to its user before it."""

    folder: Path
    counts: str
    """Rows and objects, as the command printed them."""
    key: str
    where: str
    """Path of the page in the REST API."""
    page: dict[str, Any]
    image: bytes


def back_up(folder: Path) -> Backup:
    """Start a system below the folder, read and correct a page, stop the system, and back it up."""
    local = LocalSystem(folder / "local", {"KETAV_START_TIMEOUT_S": str(START_S)})
    local.start()
    try:
        with local.client() as client:
            answer = read_page(client, render())
            lines = [
                {"line_id": line["line_id"], "text": text, "confirm": True}
                for line, text in zip(answer["lines"], LINES, strict=True)
            ]
            correction = {"project_id": answer["project_id"], "image_id": answer["image_id"], "lines": lines}
            client.post("/feedback/", json=correction).raise_for_status()
            where = f"/projects/{answer['project_id']}/images/{answer['image_id']}"
            page = client.get(where).raise_for_status().json()
            image = client.get(f"{where}/file").raise_for_status().content
    finally:
        assert local.stop() == 0, local.printed
    backup = folder / "backup"
    ran = subprocess.run(
        [sys.executable, "-m", "ketav_local.command", "admin", "backup", str(backup)],
        env={**os.environ, "KETAV_DATA_DIR": str(local.data_dir)},
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    for path in (backup, *backup.rglob("*")):
        os.chown(path, IMAGE_USER, IMAGE_USER)
    counts = ran.stdout.strip().partition(": ")[2]
    return Backup(backup, counts, local.api_key, where, page, image)
