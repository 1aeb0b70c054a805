"""What gateway and gRPC add to the engine: one page through REST and by a direct call in turn (`make bench`).

Prints the ratio of the medians with its 90 % bootstrap interval, for elapsed time and for processor time of
all processes (which other work on the machine disturbs less). The page has 24 lines; one thread everywhere.
"""

import asyncio
import hashlib
import os
import random
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import httpx
import psutil

from ketav_engine.engines import make_engine
from ketav_engine.images import decode
from ketav_local.demo.page import LINES, render
from ketav_local.main import Running, running
from ketav_local.ports import free_ports
from ketav_local.settings import LocalSettings

ROUNDS = 10
RESAMPLES = 2000
GOAL = 0.05
PAGE = LINES * 4


@dataclass(frozen=True)
class Cost:
    """What one call took, in seconds."""

    elapsed: float
    processor: float


def direct_reader(model_file: Path, language: str | None) -> Callable[[bytes], str]:
    """Load engine and model as the system does into this process; give a function that reads a page."""
    engine = make_engine("kraken", Path(language) if language else None)
    content = model_file.read_bytes()
    model = engine.load_model(content, hashlib.sha256(content).hexdigest())

    def read(image: bytes) -> str:
        """Decode and read one page."""
        return engine.read_page(decode(image), "page", model).text

    return read


def processor_seconds() -> float:
    """Sum the processor time of this process and of every process below it that still runs."""
    own = psutil.Process()
    times = [process.cpu_times() for process in (own, *own.children(recursive=True))]
    return sum(each.user + each.system for each in times)


def cost(call: Callable[[bytes], str], page: bytes) -> Cost:
    """Measure one call."""
    worked, began = processor_seconds(), time.perf_counter()
    call(page)
    return Cost(time.perf_counter() - began, processor_seconds() - worked)


def overhead(through: Sequence[float], direct: Sequence[float]) -> float:
    """Give how much more the median call through REST took, as a share of the direct one."""
    return statistics.median(through) / statistics.median(direct) - 1


def verdict(name: str, through: Sequence[float], direct: Sequence[float]) -> str:
    """State the overhead with its 90 % interval, by resampling rounds (a round is one call of each kind)."""
    draw = random.Random(0)
    rounds = list(zip(through, direct, strict=True))
    again = sorted(
        overhead(*zip(*draw.choices(rounds, k=len(rounds)), strict=True)) for _ in range(RESAMPLES)
    )
    low, high = again[RESAMPLES // 20], again[-RESAMPLES // 20]
    return f"{name} overhead {overhead(through, direct):+.1%} (90 %: {low:+.1%} to {high:+.1%})"


def measure(run: Running) -> None:
    """Warm both up, alternate ROUNDS times, print each round and the result."""
    read = direct_reader(run.system.base_model(), run.system.model_env().get("KETAV_LANGUAGE_MODEL"))
    headers = {"Authorization": f"Bearer {run.api_key}"}
    with httpx.Client(base_url=run.url, headers=headers, timeout=300, trust_env=False) as client:

        def post(page: bytes) -> str:
            """Have a page read through every part of the system."""
            answer = client.post("/ocr/", files={"file": ("page.png", page, "image/png")})
            return str(answer.raise_for_status().json()["text"])

        page = render(PAGE)
        print(f"both read the same text: {'yes' if post(page) == read(page) else 'NO'}")
        costs = []
        for number in range(ROUNDS):
            page = render(PAGE, seed=number)
            through, direct = cost(post, page), cost(read, page)
            costs.append((through, direct))
            print(
                f"{number + 1:>2}: through {through.elapsed:.2f} s, direct {direct.elapsed:.2f} s", flush=True
            )
    for name in ("elapsed", "processor"):
        print(verdict(name, *([getattr(each, name) for each in side] for side in zip(*costs, strict=True))))
    print(f"goal: at most {GOAL:.0%}; load on the machine now: {os.getloadavg()[0]:.1f}")


async def bench() -> None:
    """Measure on a system of its own."""
    with tempfile.TemporaryDirectory(prefix="ketav-bench-") as folder:
        chosen = LocalSettings.apart(Path(folder), free_ports(1)[0])
        async with running(chosen) as run:
            await asyncio.to_thread(measure, run)


if __name__ == "__main__":
    asyncio.run(bench())
