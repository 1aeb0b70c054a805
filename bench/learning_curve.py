"""Measure the learning curve: new users correct lines through REST and train; other lines are read.

    python -m bench.learning_curve [--quick] [--only notebook,stam,synthetic] [--out docs/reports]

Starts a system of its own. Line images (POST /ocr/, layout=line) are corrected by POST /feedback/; trainings
are started by POST /train/; measured lines are read through REST with the model that serves then. Writes
learning-curve.json, .md and .png after every stage, so that an interrupted run has written its figures.
"""

import argparse
import asyncio
import json
import os
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final

import httpx
import psutil

from bench.curve_report import write_report
from bench.curve_writers import Line, Writer, groups
from ketav_basemodel.alphabet import plain
from ketav_basemodel.paths import NoBenchDataError, bench_data
from ketav_common.error_rates import cer
from ketav_local.main import Running, running
from ketav_local.ports import free_ports
from ketav_local.settings import LocalSettings

CONCURRENT_CALLS: Final = 3
"""Requests at the same time."""
TRAINING_TIMEOUT_S: Final = 1800.0
POLL_S: Final = 0.25
"""Seconds between two polls of a training run."""
SETTINGS: Final = {
    "KETAV_RATE_LIMIT": "1000000/minute",
    "KETAV_OCR_RATE_LIMIT": "1000000/minute",
    "KETAV_START_TIMEOUT_S": "600",
}
"""One user sends a thousand lines at once; other load may slow the start."""
ATTEMPTS: Final = 10
RETRY_S: Final = 2
"""Seconds between two attempts of a request."""
OVERLOADED: Final = (429, 502, 503, 504)
"""HTTP statuses after which a request is sent again."""
FINAL_STATES: Final = ("succeeded", "rejected", "failed", "cancelled")


@dataclass(frozen=True, slots=True)
class TrainingResult:
    """The duration and the verdict of a training."""

    seconds: float = 0.0
    """From POST /train/ to the run's end."""
    processor_seconds: float = 0.0
    """Of the training process, as sampled last."""
    verdict: str = ""


@dataclass(frozen=True, slots=True)
class Stage:
    """The measurement after a training on `corrected` lines; with 0, of the base model."""

    group: str
    writer: str
    corrected: int
    measured_lines: int
    characters: int
    edits: int
    seconds: float
    processor_seconds: float
    verdict: str


@dataclass
class User:
    """A new user of the running system."""

    client: httpx.Client
    writer: Writer
    project: str | None = None
    corrected: int = 0
    """Lines corrected so far."""
    confirmed: int = 0
    """Corrections that were quarantined and confirmed."""
    images: dict[str, list[str]] = field(default_factory=dict)
    """Image ids of the lines that are measured, by their name."""

    def correct(self, count: int) -> None:
        """Upload and correct lines until `count` are corrected."""
        with ThreadPoolExecutor(CONCURRENT_CALLS) as pool:
            list(pool.map(self._correct, self.writer.corrected[self.corrected : count]))
        self.corrected = min(count, len(self.writer.corrected))

    def read(self, name: str, lines: Sequence[Line]) -> list[tuple[str, str]]:
        """Read lines with the serving model; return pairs of text and reading. Each name is uploaded once."""
        with ThreadPoolExecutor(CONCURRENT_CALLS) as pool:
            if name in self.images:
                responses = list(pool.map(self._read_again, self.images[name]))
            else:
                first = self._upload(lines[0])
                self.project = first["project_id"]
                responses = [first, *pool.map(self._upload, lines[1:])]
                self.images[name] = [response["image_id"] for response in responses]
        return [(line.text, page["text"]) for line, page in zip(lines, responses, strict=True)]

    def train(self) -> TrainingResult:
        """Train, and wait for the run's end; clients may read lines at the same time."""
        began, processor_seconds = time.monotonic(), 0.0
        started = self.client.post("/train/")
        if started.status_code != httpx.codes.ACCEPTED:
            return TrainingResult(verdict=f"not trained: {started.json()['detail']}")
        run_id, verdict = started.json()["run_id"], "no end in time"
        while time.monotonic() - began < TRAINING_TIMEOUT_S:
            processor_seconds = max(processor_seconds, training_seconds())
            run = self.client.get(f"/train/{run_id}").raise_for_status().json()
            if run["state"] in FINAL_STATES:
                verdict = str(run["verdict"])
                break
            if clients := self.writer.reading_clients:
                with ThreadPoolExecutor(clients) as pool:
                    list(pool.map(self._upload, self.writer.measured[:clients]))
            else:
                time.sleep(POLL_S)
        return TrainingResult(round(time.monotonic() - began, 1), round(processor_seconds, 1), verdict)

    def _correct(self, line: Line) -> None:
        """Upload a line and correct it; confirm a correction that is quarantined."""
        uploaded = self._upload(line)
        page = {"project_id": uploaded["project_id"], "image_id": uploaded["image_id"]}
        for read_line in uploaded["lines"][:1]:
            correction: dict[str, Any] = {"line_id": read_line["line_id"], "text": line.text}
            stored = self._post("/feedback/", json=page | {"lines": [correction]})
            if stored["quarantined"]:
                self.confirmed += 1
                self._post("/feedback/", json=page | {"lines": [correction | {"confirm": True}]})

    def _upload(self, line: Line) -> dict[str, Any]:
        """Upload a line image; return the response with its reading."""
        form = {"layout": "line"}
        form |= {"project_id": self.project} if self.project else {"script": self.writer.script}
        files = {"file": ("line.png", line.image, "image/png")}
        return self._post("/ocr/", files=files, data=form)

    def _read_again(self, image_id: str) -> dict[str, Any]:
        """Read a stored line with the model that serves now."""
        return self._post(f"/projects/{self.project}/images/{image_id}/ocr")

    def _post(self, path: str, **content: Any) -> dict[str, Any]:  # noqa: ANN401 - httpx's own arguments
        """Send a request, and again while the system is overloaded."""
        headers = {"Idempotency-Key": uuid.uuid4().hex}
        for _ in range(ATTEMPTS):
            response = self.client.post(path, headers=headers, **content)
            if response.status_code not in OVERLOADED:
                break
            time.sleep(RETRY_S)
        return dict(response.raise_for_status().json())


def training_seconds() -> float:
    """Return the processor seconds of the running training process, 0 without one."""
    for process in psutil.Process().children(recursive=True):
        try:
            if "ketav_trainer.fit_process" in process.cmdline():
                times = process.cpu_times()
                return float(times.user + times.system)
        except psutil.NoSuchProcess:
            continue
    return 0.0


def run_stages(group: str, user: User, record: Callable[[Stage], None]) -> None:
    """Measure one user at all stages."""
    writer = user.writer
    record(measured(user, group, writer.measured, TrainingResult()))
    for name, lines in writer.others.items():
        record(measured(user, f"{writer.name} reads {name}", lines, TrainingResult()))
    for stage in writer.stages:
        user.correct(stage)
        record(measured(user, group, writer.measured, user.train()))
    for name, lines in writer.others.items():
        record(measured(user, f"{writer.name} reads {name}", lines, TrainingResult()))
    print(f"{writer.name}: {user.confirmed} corrections were quarantined and confirmed", flush=True)


def measured(user: User, group: str, lines: Sequence[Line], training: TrainingResult) -> Stage:
    """Read lines with the serving model and count the edits."""
    pairs = [(plain(truth), plain(reading)) for truth, reading in user.read(group, lines)]
    rate = cer(pairs)
    counts = (user.corrected, len(pairs), rate.length, rate.edits)
    return Stage(group, user.writer.name, *counts, **asdict(training))


def client(run: Running, name: str) -> httpx.Client:
    """Add a user; return a REST client with their key."""
    command = [sys.executable, "-m", "ketav_local.command", "users", "add", name]
    settings = {"KETAV_DATA_DIR": str(run.system.data.root)}
    added = subprocess.run(command, env=os.environ | settings, capture_output=True, text=True, check=True)
    key = next(word for word in added.stdout.split() if word.startswith("ktv_"))
    headers = {"Authorization": f"Bearer {key}"}
    return httpx.Client(base_url=run.url, headers=headers, timeout=600, trust_env=False)


def measure(run: Running, names: str, *, quick: bool, out: Path) -> None:
    """Measure every writer of the named groups; write the report after each stage."""
    stages: list[Stage] = []

    def record(stage: Stage) -> None:
        """Print a stage and write the report of all stages."""
        stages.append(stage)
        print(json.dumps(asdict(stage), ensure_ascii=False), flush=True)
        write_report([asdict(item) for item in stages], out)

    for group, writers in groups(names):
        if not writers:
            print(f"Skipped: {group} has no lines in KETAV_BENCH_DATA and KETAV_BASEMODEL_DATA.", flush=True)
        for writer in writers:
            with client(run, writer.name) as rest:
                rest.put("/models/policy", json={"automatic": False}).raise_for_status()
                run_stages(group, User(rest, writer.quick() if quick else writer), record)


async def bench(arguments: argparse.Namespace) -> None:
    """Measure on a system of its own."""
    os.environ.update(SETTINGS)
    with tempfile.TemporaryDirectory(prefix="ketav-curve-") as folder:
        settings = LocalSettings.apart(Path(folder), free_ports(1)[0])
        async with running(settings) as run:
            await asyncio.to_thread(measure, run, arguments.only, quick=arguments.quick, out=arguments.out)


def main() -> None:
    """Read the command line and measure."""
    parser = argparse.ArgumentParser(description="Measure the learning curve through REST.")
    parser.add_argument("--quick", action="store_true", help="the first two stages only")
    parser.add_argument(
        "--only", default="notebook,stam,synthetic", help="groups of writers, separated by commas"
    )
    parser.add_argument("--out", type=Path, default=Path("docs/reports"), help="folder of the report")
    arguments = parser.parse_args()
    try:
        bench_data()
    except NoBenchDataError as error:
        print(f"Skipped: {error}")
        return
    asyncio.run(bench(arguments))


if __name__ == "__main__":
    main()
