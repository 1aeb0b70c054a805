"""What gateway and gRPC add to the engine: one page through REST and by a direct call in turn (`make bench`).

Prints the ratio of the two medians and its 90 % bootstrap interval. Both run one thread on the same machine.
"""

import asyncio
import hashlib
import random
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import httpx

from ketav_engine.images import decode
from ketav_engine.kraken_engine import KrakenEngine
from ketav_local.demo.page import render
from ketav_local.main import Running, running
from ketav_local.ports import free_ports
from ketav_local.settings import LocalSettings

ROUNDS = 12
RESAMPLES = 2000
GOAL = 0.05


def direct_reader(model_file: Path) -> Callable[[bytes], str]:
    """Load engine and model into this process; give a function that reads a page."""
    engine = KrakenEngine()
    content = model_file.read_bytes()
    model = engine.load_model(content, hashlib.sha256(content).hexdigest())

    def read(image: bytes) -> str:
        """Decode and read one page."""
        return engine.read_page(decode(image), "page", model).text

    return read


def seconds(call: Callable[[], object]) -> float:
    """Time one call."""
    began = time.perf_counter()
    call()
    return time.perf_counter() - began


def ratio(through: Sequence[float], direct: Sequence[float]) -> float:
    """Give how much longer the median call through REST took, as a share of the direct one."""
    return statistics.median(through) / statistics.median(direct) - 1


def interval(through: Sequence[float], direct: Sequence[float]) -> tuple[float, float]:
    """Give the 90 % interval of the ratio, by resampling rounds (a round is one call of each kind)."""
    draw = random.Random(0)
    rounds = list(zip(through, direct, strict=True))
    ratios = sorted(ratio(*zip(*draw.choices(rounds, k=len(rounds)), strict=True)) for _ in range(RESAMPLES))
    return ratios[RESAMPLES // 20], ratios[-RESAMPLES // 20]


def measure(run: Running) -> None:
    """Warm both up, alternate ROUNDS times, print each round and the result."""
    read = direct_reader(run.system.base_model())
    headers = {"Authorization": f"Bearer {run.api_key}"}
    with httpx.Client(base_url=run.url, headers=headers, timeout=300, trust_env=False) as client:

        def post(page: bytes) -> str:
            """Have a page read through every part of the system."""
            answer = client.post("/ocr/", files={"file": ("page.png", page, "image/png")})
            return str(answer.raise_for_status().json()["text"])

        page = render()
        same = post(page) == read(page)
        print(f"both read the same text: {'yes' if same else 'NO'}")
        through, direct = [], []
        for number in range(ROUNDS):
            page = render(seed=number)
            through.append(seconds(lambda page=page: post(page)))  # type: ignore[misc]
            direct.append(seconds(lambda page=page: read(page)))  # type: ignore[misc]
            print(f"{number + 1:>2}: through {through[-1]:.3f} s, direct {direct[-1]:.3f} s", flush=True)
    low, high = interval(through, direct)
    print(
        f"overhead {ratio(through, direct):+.1%} (90 %: {low:+.1%} to {high:+.1%}), goal at most {GOAL:.0%}"
    )


async def bench() -> None:
    """Measure on a system of its own."""
    with tempfile.TemporaryDirectory(prefix="ketav-bench-") as folder:
        chosen = LocalSettings().model_copy(update={"data_dir": Path(folder), "port": free_ports(1)[0]})
        async with running(chosen) as run:
            await asyncio.to_thread(measure, run)


if __name__ == "__main__":
    asyncio.run(bench())
