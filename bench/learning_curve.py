"""The learning curve: new users correct K lines through REST, train, and other lines of theirs are read.

    python -m bench.learning_curve [--quick] [--only notebook,stam,synthetic] [--out docs/reports]

Starts a whole system of its own. Corrections are line images (POST /ocr/, layout=line) corrected by
POST /feedback/; trainings are started by POST /train/; measured lines are read by REST with whatever model
then serves. Writes learning-curve.json, .md and .png after every stage: a stopped run leaves its figures.
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
from ketav_basemodel.texts import plain
from ketav_common.metrics import cer
from ketav_local.main import Running, running
from ketav_local.ports import free_ports
from ketav_local.settings import LocalSettings

CALLS: Final = 3
"""Requests under way at once."""
LONGEST_TRAINING_S: Final = 1800.0
SETTINGS: Final = {
    "KETAV_RATE_LIMIT": "1000000/minute",
    "KETAV_OCR_RATE_LIMIT": "1000000/minute",
    "KETAV_START_TIMEOUT_S": "600",
}
"""One user sends a thousand lines at once; other work may slow the start."""
TRIES: Final = 10
BUSY: Final = (429, 502, 503, 504)
ENDED: Final = ("succeeded", "rejected", "failed", "cancelled")


@dataclass(frozen=True, slots=True)
class Trained:
    """What a training took and said."""

    seconds: float = 0.0
    """From POST /train/ to the run's end."""
    processor_seconds: float = 0.0
    """Of the training process, sampled."""
    verdict: str = ""


@dataclass(frozen=True, slots=True)
class Stage:
    """What was measured after a training on so many corrected lines; without any, what the base reads."""

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
    """A new user of the running system: corrects, trains, reads."""

    client: httpx.Client
    writer: Writer
    project: str | None = None
    done: int = 0
    """Lines corrected so far."""
    vouched: int = 0
    """Corrections that the system doubted and the user confirmed."""
    images: dict[str, list[str]] = field(default_factory=dict)
    """Image ids of the lines that are measured, by their name."""

    def correct(self, upto: int) -> None:
        """Upload and correct lines until so many are done."""
        with ThreadPoolExecutor(CALLS) as pool:
            list(pool.map(self._correct, self.writer.corrected[self.done : upto]))
        self.done = min(upto, len(self.writer.corrected))

    def read(self, name: str, lines: Sequence[Line]) -> list[tuple[str, str]]:
        """Read lines with the serving model, by name uploaded once; return pairs of truth and reading."""
        with ThreadPoolExecutor(CALLS) as pool:
            if name in self.images:
                answers = list(pool.map(self._again, self.images[name]))
            else:
                first = self._upload(lines[0])
                self.project = first["project_id"]
                answers = [first, *pool.map(self._upload, lines[1:])]
                self.images[name] = [answer["image_id"] for answer in answers]
        return [(line.text, answer["text"]) for line, answer in zip(lines, answers, strict=True)]

    def train(self) -> Trained:
        """Train, and wait for the run's end; lines may be read meanwhile."""
        began, worked = time.monotonic(), 0.0
        started = self.client.post("/train/")
        if started.status_code != httpx.codes.ACCEPTED:
            return Trained(verdict=f"not trained: {started.json()['detail']}")
        run, verdict = started.json()["run_id"], "not ended in time"
        while time.monotonic() - began < LONGEST_TRAINING_S:
            worked = max(worked, training_seconds())
            answer = self.client.get(f"/train/{run}").raise_for_status().json()
            if answer["state"] in ENDED:
                verdict = str(answer["verdict"])
                break
            if self.writer.reads_on:
                with ThreadPoolExecutor(self.writer.reads_on) as pool:
                    list(pool.map(self._upload, self.writer.measured[: self.writer.reads_on]))
            else:
                time.sleep(0.25)
        return Trained(round(time.monotonic() - began, 1), round(worked, 1), verdict)

    def _correct(self, line: Line) -> None:
        """Upload a line and correct it; vouch for a correction that the system doubts."""
        answer = self._upload(line)
        page = {"project_id": answer["project_id"], "image_id": answer["image_id"]}
        for read in answer["lines"][:1]:
            correction: dict[str, Any] = {"line_id": read["line_id"], "text": line.text}
            stored = self._post("/feedback/", json=page | {"lines": [correction]})
            if stored["quarantined"]:
                self.vouched += 1
                self._post("/feedback/", json=page | {"lines": [correction | {"confirm": True}]})

    def _upload(self, line: Line) -> dict[str, Any]:
        """Have a line image read."""
        form = {"layout": "line"}
        form |= {"project_id": self.project} if self.project else {"script": self.writer.script}
        files = {"file": ("line.png", line.image, "image/png")}
        return self._post("/ocr/", files=files, data=form)

    def _again(self, image: str) -> dict[str, Any]:
        """Have a stored line read with the model that serves now."""
        return self._post(f"/projects/{self.project}/images/{image}/ocr")

    def _post(self, path: str, **content: Any) -> dict[str, Any]:  # noqa: ANN401 - httpx's own arguments
        """Send a request, again while the system is too busy to answer it."""
        headers = {"Idempotency-Key": uuid.uuid4().hex}
        for _ in range(TRIES):
            answer = self.client.post(path, headers=headers, **content)
            if answer.status_code not in BUSY:
                break
            time.sleep(2)
        return dict(answer.raise_for_status().json())


def training_seconds() -> float:
    """Return the processor time of the training process that runs now, 0 without one."""
    for process in psutil.Process().children(recursive=True):
        try:
            if "ketav_trainer.fit_process" in process.cmdline():
                times = process.cpu_times()
                return float(times.user + times.system)
        except psutil.NoSuchProcess:
            continue
    return 0.0


def follow(group: str, user: User, keep: Callable[[Stage], None]) -> None:
    """Take one user through all stages."""
    writer = user.writer
    keep(measured(user, group, writer.measured, Trained()))
    for name, lines in writer.others.items():
        keep(measured(user, f"{writer.name} reads {name}", lines, Trained()))
    for stage in writer.stages:
        user.correct(stage)
        keep(measured(user, group, writer.measured, user.train()))
    for name, lines in writer.others.items():
        keep(measured(user, f"{writer.name} reads {name}", lines, Trained()))
    print(f"{writer.name}: {user.vouched} corrections were doubted and confirmed", flush=True)


def measured(user: User, group: str, lines: Sequence[Line], trained: Trained) -> Stage:
    """Read lines with the serving model and count the edits."""
    pairs = [(plain(truth), plain(reading)) for truth, reading in user.read(group, lines)]
    found = cer(pairs)
    return Stage(group, user.writer.name, user.done, len(pairs), found.length, found.edits, **asdict(trained))


def client(run: Running, name: str) -> httpx.Client:
    """Make a user; return their REST client."""
    command = [sys.executable, "-m", "ketav_local.command", "users", "add", name]
    own = {"KETAV_DATA_DIR": str(run.system.data.root)}
    made = subprocess.run(command, env=os.environ | own, capture_output=True, text=True, check=True)
    key = next(word for word in made.stdout.split() if word.startswith("ktv_"))
    headers = {"Authorization": f"Bearer {key}"}
    return httpx.Client(base_url=run.url, headers=headers, timeout=600, trust_env=False)


def measure(run: Running, wanted: str, *, quick: bool, out: Path) -> None:
    """Take every wanted writer through the curve; write the report after each stage."""
    stages: list[Stage] = []

    def keep(stage: Stage) -> None:
        """Print a stage and write all there are."""
        stages.append(stage)
        print(json.dumps(asdict(stage), ensure_ascii=False), flush=True)
        write_report([asdict(each) for each in stages], out)

    for group, writers in groups(wanted):
        if not writers:
            print(f"{group}: no lines; set KETAV_BENCH_DATA and KETAV_BASEMODEL_DATA", flush=True)
        for writer in writers:
            with client(run, writer.name) as rest:
                rest.put("/models/policy", json={"automatic": False}).raise_for_status()
                follow(group, User(rest, writer.quick() if quick else writer), keep)


async def bench(arguments: argparse.Namespace) -> None:
    """Measure on a system of its own."""
    os.environ.update(SETTINGS)
    with tempfile.TemporaryDirectory(prefix="ketav-curve-") as folder:
        chosen = LocalSettings.apart(Path(folder), free_ports(1)[0])
        async with running(chosen) as run:
            await asyncio.to_thread(measure, run, arguments.only, quick=arguments.quick, out=arguments.out)


def main() -> None:
    """Read the command line and measure."""
    parser = argparse.ArgumentParser(description="The learning curve, through REST.")
    parser.add_argument("--quick", action="store_true", help="the first two stages only")
    parser.add_argument("--only", default="notebook,stam,synthetic", help="groups of writers, commas between")
    parser.add_argument("--out", type=Path, default=Path("docs/reports"), help="folder of the report")
    asyncio.run(bench(parser.parse_args()))


if __name__ == "__main__":
    main()
