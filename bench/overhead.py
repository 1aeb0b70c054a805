"""Measure the overhead of gateway and gRPC: a page through REST and by a direct call in turn (`make bench`).

Prints the processor time that each process spends on a page, then the ratio of the medians with its 90 %
bootstrap interval, for elapsed time and for processor time of all processes (which other work on the machine
disturbs less). The page has 24 lines; one thread everywhere.
"""

import asyncio
import contextlib
import hashlib
import os
import random
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import httpx
import psutil

from ketav_engine.engines import make_engine
from ketav_engine.images import decode
from ketav_local.demo.page import LINES, render
from ketav_local.main import Running, running
from ketav_local.ports import free_ports
from ketav_local.settings import LocalSettings

ROUNDS: Final = 10
RESAMPLES: Final = 2000
"""Resamples of the bootstrap."""
GOAL: Final = 0.05
"""Greatest overhead, as a share of the direct call."""
PAGE: Final = LINES * 4
"""Lines of the page."""


@dataclass(frozen=True)
class Cost:
    """The cost of one call, in seconds."""

    elapsed: float
    processor: float


def direct_reader(model_file: Path, language: str | None) -> Callable[[bytes], str]:
    """Load engine and model into this process like the system; return a function that reads a page."""
    engine = make_engine("kraken", Path(language) if language else None)
    content = model_file.read_bytes()
    model = engine.load_model(content, hashlib.sha256(content).hexdigest())

    def read(image: bytes) -> str:
        """Decode and read one page."""
        return engine.read_page(decode(image), "page", model).text

    return read


def processor_seconds() -> float:
    """Return the processor time of this process and of all its running descendants."""
    own = psutil.Process()
    times = [process.cpu_times() for process in (own, *own.children(recursive=True))]
    return sum(cpu.user + cpu.system for cpu in times)


def processor_seconds_by_process() -> dict[str, float]:
    """Return the processor time of each running descendant, in seconds, by the end of its command line."""
    times: dict[str, float] = {}
    for process in psutil.Process().children(recursive=True):
        with contextlib.suppress(psutil.NoSuchProcess):
            name = " ".join(process.cmdline()[:4])[-80:] or process.name()
            cpu = process.cpu_times()
            times[name] = times.get(name, 0.0) + cpu.user + cpu.system
    return times


def print_costs_by_process(post: Callable[[bytes], str]) -> None:
    """Print the milliseconds of processor time that each process spends on a page through REST."""
    before = processor_seconds_by_process()
    for number in range(ROUNDS):
        post(render(PAGE, seed=number))
    after = processor_seconds_by_process()
    spent = {name: (seconds - before.get(name, 0.0)) / ROUNDS for name, seconds in after.items()}
    print("processor time of a page through REST, by process:")
    for name, seconds in sorted(spent.items(), key=lambda item: -item[1]):
        print(f"  {seconds * 1000:7.1f} ms  {name}")


def cost(call: Callable[[bytes], str], page: bytes) -> Cost:
    """Measure one call."""
    processor, began = processor_seconds(), time.perf_counter()
    call(page)
    return Cost(time.perf_counter() - began, processor_seconds() - processor)


def overhead(rest: Sequence[float], direct: Sequence[float]) -> float:
    """Return how much longer the median call through REST took, as a share of the direct one."""
    return statistics.median(rest) / statistics.median(direct) - 1


def summary(name: str, rest: Sequence[float], direct: Sequence[float]) -> str:
    """Return the overhead with its 90 % interval, by resampling rounds of one call of each type."""
    generator = random.Random(0)
    rounds = list(zip(rest, direct, strict=True))
    resampled = sorted(
        overhead(*zip(*generator.choices(rounds, k=len(rounds)), strict=True)) for _ in range(RESAMPLES)
    )
    low, high = resampled[RESAMPLES // 20], resampled[-RESAMPLES // 20]
    return f"{name} overhead {overhead(rest, direct):+.1%} (90 %: {low:+.1%} to {high:+.1%})"


def measure(run: Running) -> None:
    """Warm both up, alternate ROUNDS times, print each round and the result."""
    read = direct_reader(run.system.base_model(), run.system.model_env().get("KETAV_LANGUAGE_MODEL"))
    headers = {"Authorization": f"Bearer {run.api_key}"}
    with httpx.Client(base_url=run.url, headers=headers, timeout=300, trust_env=False) as client:

        def post(page: bytes) -> str:
            """Read a page through every part of the system."""
            response = client.post("/ocr/", files={"file": ("page.png", page, "image/png")})
            return str(response.raise_for_status().json()["text"])

        page = render(PAGE)
        print(f"both read the same text: {'yes' if post(page) == read(page) else 'NO'}")
        costs = []
        for number in range(ROUNDS):
            page = render(PAGE, seed=number)
            rest, direct = cost(post, page), cost(read, page)
            costs.append((rest, direct))
            print(
                f"{number + 1:>2}: through REST {rest.elapsed:.2f} s, direct {direct.elapsed:.2f} s",
                flush=True,
            )
        print_costs_by_process(post)
    for name in ("elapsed", "processor"):
        rest_costs, direct_costs = (
            [getattr(cost, name) for cost in side] for side in zip(*costs, strict=True)
        )
        print(summary(name, rest_costs, direct_costs))
    print(f"goal: at most {GOAL:.0%}; load on the machine now: {os.getloadavg()[0]:.1f}")


async def bench() -> None:
    """Measure on a system of its own."""
    with tempfile.TemporaryDirectory(prefix="ketav-bench-") as folder:
        settings = LocalSettings.apart(Path(folder), free_ports(1)[0])
        async with running(settings) as run:
            await asyncio.to_thread(measure, run)


if __name__ == "__main__":
    asyncio.run(bench())
