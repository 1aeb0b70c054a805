"""Measure how much a training slows OCR: pages are read through REST without and during one, in turn.

    python -m bench.ocr_during_training [--rounds 4] [--pages 30]

Prints the median, the 99th percentile and the maximum of both, and the ratio of the percentiles. The user
corrects shipped lines; a setting makes the training long, and it is cancelled after each round.
"""

import argparse
import asyncio
import itertools
import os
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import cv2
import httpx
import numpy as np

from ketav_engine.training.replay import read as read_lines
from ketav_local.demo.page import LINES, render
from ketav_local.main import Running, running
from ketav_local.ports import free_ports
from ketav_local.settings import LocalSettings

GOAL: Final = 1.5
"""Greatest ratio of the 99th percentiles."""
CORRECTED_LINES: Final = 48
TIMEOUT_S: Final = 300.0
"""Seconds to wait for a state of a run."""
WARM_UP_PAGES: Final = 5
"""Pages that are read before the measurement."""
SETTINGS: Final = {
    "KETAV_RATE_LIMIT": "1000000/minute",
    "KETAV_OCR_RATE_LIMIT": "1000000/minute",
    "KETAV_TRAINING_EPOCHS": "1000",
    "KETAV_START_TIMEOUT_S": "600",
}


def correct_lines(client: httpx.Client, models: Path) -> None:
    """Upload shipped lines and correct them."""
    client.put("/models/policy", json={"automatic": False}).raise_for_status()
    form: dict[str, str] = {"layout": "line"}
    for line in read_lines(models / "replay_lines.npz")[:CORRECTED_LINES]:
        files = {"file": ("line.png", cv2.imencode(".png", line.image)[1].tobytes(), "image/png")}
        page = client.post("/ocr/", files=files, data=form).raise_for_status().json()
        form["project_id"] = page["project_id"]
        corrections = [
            {"line_id": read["line_id"], "text": line.text, "confirm": True} for read in page["lines"]
        ]
        ids = {"project_id": page["project_id"], "image_id": page["image_id"]}
        client.post("/feedback/", json=ids | {"lines": corrections}).raise_for_status()


def read_pages(client: httpx.Client, seeds: "itertools.count[int]", pages: int) -> list[float]:
    """Read new pages one after another; return the seconds of each."""
    seconds = []
    for _ in range(pages):
        files = {"file": ("page.png", render(LINES, seed=next(seeds)), "image/png")}
        began = time.perf_counter()
        client.post("/ocr/", files=files).raise_for_status()
        seconds.append(time.perf_counter() - began)
    return seconds


def wait_for(client: httpx.Client, run: str, states: Sequence[str], *, training: bool = False) -> None:
    """Wait until a run is in one of the states and, with `training`, has trained an epoch."""
    began = time.monotonic()
    while time.monotonic() - began < TIMEOUT_S:
        status: dict[str, Any] = client.get(f"/train/{run}").raise_for_status().json()
        if status["state"] in states and (status["epoch"] or not training):
            return
        time.sleep(0.2)
    raise TimeoutError(f"the run did not reach {states}")


def measure(run: Running, rounds: int, pages: int) -> None:
    """Read pages without and during trainings in turn; print the times."""
    headers = {"Authorization": f"Bearer {run.api_key}"}
    without: list[float] = []
    during: list[float] = []
    seeds = itertools.count()
    with httpx.Client(base_url=run.url, headers=headers, timeout=300, trust_env=False) as client:
        correct_lines(client, run.system.settings.models_dir)
        read_pages(client, seeds, WARM_UP_PAGES)
        for number in range(rounds):
            without += read_pages(client, seeds, pages)
            training = client.post("/train/").raise_for_status().json()["run_id"]
            wait_for(client, training, ("running",), training=True)
            during += read_pages(client, seeds, pages)
            wait_for(client, training, ("running",), training=True)
            client.post(f"/train/{training}/cancel").raise_for_status()
            wait_for(client, training, ("cancelled",))
            print(f"round {number + 1} of {rounds}: {describe(without)} | {describe(during)}", flush=True)
    ratio = np.percentile(during, 99) / np.percentile(without, 99)
    print(f"without: {describe(without)}\nduring a training: {describe(during)}")
    median_ratio = np.median(during) / np.median(without)
    print(f"p99 ratio {ratio:.2f} (goal at most {GOAL}), median ratio {median_ratio:.2f}")
    print(f"{len(without)} and {len(during)} pages of {len(LINES)} lines; load now {os.getloadavg()[0]:.1f}")


def describe(seconds: Sequence[float]) -> str:
    """Return median, 99th percentile and maximum as text."""
    median, p99 = np.percentile(seconds, (50, 99))
    return f"median {median:.2f} s, p99 {p99:.2f} s, maximum {max(seconds):.2f} s"


async def bench(rounds: int, pages: int) -> None:
    """Measure on a system of its own."""
    os.environ.update(SETTINGS)
    with tempfile.TemporaryDirectory(prefix="ketav-bench-") as folder:
        settings = LocalSettings.apart(Path(folder), free_ports(1)[0])
        async with running(settings) as run:
            await asyncio.to_thread(measure, run, rounds, pages)


def main() -> None:
    """Read the command line and measure."""
    parser = argparse.ArgumentParser(description="Measure how much a training slows OCR.")
    parser.add_argument("--rounds", type=int, default=4)
    parser.add_argument("--pages", type=int, default=30, help="pages of each kind a round")
    arguments = parser.parse_args()
    asyncio.run(bench(arguments.rounds, arguments.pages))


if __name__ == "__main__":
    main()
