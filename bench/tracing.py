"""Measure the cost of exporting spans: `python -m bench.tracing`; with `--pictures FOLDER`, draw two traces.

Two systems on the tiny engine, one with a collector and one without, answer requests in turn, so that other
load of the machine meets both. The tiny engine reads a page in milliseconds: the rest is Ketav's own code.
"""

import argparse
import asyncio
import contextlib
import itertools
import os
import statistics
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import httpx
import numpy as np
import psutil

from bench.waterfall import draw
from ketav_local.demo.page import LINES, render
from ketav_local.main import Running, running
from ketav_local.ports import free_ports
from ketav_local.settings import LocalSettings
from ketav_testing import tiny
from ketav_testing.otlp import otlp_collector

ROUNDS: Final = 5
"""Rounds of each system."""
ROUND_S: Final = 5.0
"""Seconds of a round."""
AT_ONCE: Final = 4
"""Requests at once."""
LIMITS: Final = {"KETAV_RATE_LIMIT": "1000000/minute", "KETAV_OCR_RATE_LIMIT": "1000000/minute"}
ENDPOINT: Final = "OTEL_EXPORTER_OTLP_ENDPOINT"
TIMEOUT_S: Final = 180.0

Send = Callable[[httpx.AsyncClient], Awaitable[httpx.Response]]


@dataclass
class Measured:
    """The requests of one system: their durations, and the processor time of its processes, in seconds."""

    durations: list[float] = field(default_factory=list)
    wall: float = 0.0
    cpu: float = 0.0

    def row(self, name: str) -> str:
        """Return a line of the table."""
        count = len(self.durations)
        median, p95 = statistics.median(self.durations), statistics.quantiles(self.durations, n=20)[-1]
        figures = f"{count / self.wall:8.1f} {1000 * median:9.1f} {1000 * p95:9.1f}"
        return f"{name:<28}{figures} {1000 * self.cpu / count:12.2f}"


@asynccontextmanager
async def system(folder: Path, endpoint: str, **settings: str) -> AsyncIterator[Running]:
    """Run a system whose services export spans to an endpoint, none where it is empty."""
    os.environ.update(LIMITS | settings | {ENDPOINT: endpoint})
    if not endpoint:
        del os.environ[ENDPOINT]
    try:
        async with running(LocalSettings.apart(folder, free_ports(1)[0])) as run:
            yield run
    finally:
        for name in (*LIMITS, *settings, ENDPOINT):
            os.environ.pop(name, None)


def client_of(run: Running) -> httpx.AsyncClient:
    """Return a client of a system's first user."""
    headers = {"Authorization": f"Bearer {run.api_key}"}
    return httpx.AsyncClient(base_url=run.url, headers=headers, timeout=TIMEOUT_S, trust_env=False)


def cpu_seconds(processes: Sequence[psutil.Process]) -> dict[int, float]:
    """Return the processor time that each process has used, by its id; those that have ended are left out."""
    used = {}
    for process in processes:
        with contextlib.suppress(psutil.NoSuchProcess):
            used[process.pid] = sum(process.cpu_times()[:2])
    return used


async def measure(
    client: httpx.AsyncClient, send: Send, processes: Sequence[psutil.Process], to: Measured
) -> None:
    """Send requests for a round."""
    began, cpu = time.monotonic(), cpu_seconds(processes)

    async def repeat() -> None:
        """Send one request after the other."""
        while (start := time.monotonic()) < began + ROUND_S:
            response = await send(client)
            response.raise_for_status()
            to.durations.append(time.monotonic() - start)

    await asyncio.gather(*(repeat() for _ in range(AT_ONCE)))
    to.wall += time.monotonic() - began
    to.cpu += sum(after - cpu[pid] for pid, after in cpu_seconds(processes).items())


async def compare(name: str, send: Send, systems: dict[str, tuple[Running, list[psutil.Process]]]) -> None:
    """Measure one request on both systems in turn, and print both lines and the ratios."""
    measured = {kind: Measured() for kind in systems}
    async with AsyncExitStack() as stack:
        clients = {
            kind: await stack.enter_async_context(client_of(run)) for kind, (run, _) in systems.items()
        }
        for client in clients.values():
            (await send(client)).raise_for_status()
        for _ in range(ROUNDS):
            for kind, (_, processes) in systems.items():
                await measure(clients[kind], send, processes, measured[kind])
    for kind, result in measured.items():
        print(result.row(f"{name}, {kind}"))
    off, on = measured["off"], measured["on"]
    rate = (len(on.durations) / on.wall) / (len(off.durations) / off.wall)
    cpu = (on.cpu / len(on.durations)) / (off.cpu / len(off.durations))
    print(f"{name}: {rate:.3f} of the requests/s, {cpu:.3f} of the processor time per request")


async def list_projects(client: httpx.AsyncClient) -> httpx.Response:
    """List the projects."""
    return await client.get("/projects/")


async def measure_cost(folder: Path) -> None:
    """Compare a system that exports spans with one that does not."""
    models = folder / "models"
    models.mkdir()
    table = np.resize(np.array([ord(letter) for letter in tiny.LETTERS], dtype=np.int32), tiny.CODES)
    (models / "hebrew_base.safetensors").write_bytes(tiny.save(table))
    settings = {"KETAV_ENGINE": "tiny", "KETAV_MODELS_DIR": str(models)}
    page = await asyncio.to_thread(render)

    async def read_page(client: httpx.AsyncClient) -> httpx.Response:
        """Read a page of six lines."""
        return await client.post("/ocr/", files={"file": ("page.png", page, "image/png")})

    with otlp_collector() as collector:
        systems: dict[str, tuple[Running, list[psutil.Process]]] = {}
        async with AsyncExitStack() as stack:
            for kind, endpoint in (("off", ""), ("on", collector.url)):
                before = set(psutil.Process().children(recursive=True))
                run = await stack.enter_async_context(system(folder / kind, endpoint, **settings))
                systems[kind] = run, list(set(psutil.Process().children(recursive=True)) - before)
            print(f"{'':<28}{'req/s':>8} {'p50 ms':>9} {'p95 ms':>9} {'CPU ms/req':>12}")
            await compare("GET /projects/", list_projects, systems)
            await compare("POST /ocr/", read_page, systems)
        print(f"{len(collector.spans())} spans arrived")


async def take_traces(run: Running) -> dict[str, str]:
    """Read and correct three pages and train on them; return the trace ids of a reading and the training."""
    async with client_of(run) as client:
        for _ in range(3):
            read = await client.post("/ocr/", files={"file": ("page.png", render(), "image/png")})
            page: dict[str, Any] = read.raise_for_status().json()
            ids = {key: page[key] for key in ("project_id", "image_id")}
            text = "\n".join(LINES)
            corrected = await client.post("/feedback/", json=ids | {"corrected_text": text})
            corrected.raise_for_status()
        started = (await client.post("/train/")).raise_for_status()
        for _ in itertools.count():
            await asyncio.sleep(1)
            state = (await client.get(started.headers["Location"])).json()["state"]
            if state not in {"queued", "running", "evaluating"}:
                break
    await asyncio.sleep(7)
    return {"reading": read.headers["X-Request-Id"], "training": started.headers["X-Request-Id"]}


async def draw_pictures(folder: Path, target: Path) -> None:
    """Draw the traces of a reading and of a training by Kraken."""
    with otlp_collector() as collector:
        async with system(folder / "kraken", collector.url, KETAV_TRAINING_EPOCHS="3") as run:
            traces = await take_traces(run)
        for name, trace_id in traces.items():
            path = target / f"trace-{name}.svg"
            path.write_text(draw(collector.spans(trace_id), f"{name}: trace {trace_id}"), encoding="utf-8")
            print(f"{path}: {len(collector.spans(trace_id))} spans")


def main() -> None:
    """Measure the cost, or draw the pictures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pictures", type=Path, help="draw traces into this folder instead")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        work = (
            draw_pictures(Path(folder), arguments.pictures)
            if arguments.pictures
            else measure_cost(Path(folder))
        )
        asyncio.run(work)


if __name__ == "__main__":
    main()
