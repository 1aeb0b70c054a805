"""Fresh lines for the training process: a writer process fills a ring of files that training empties."""

import time
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ketav_basemodel.synthesis import Material, samples

SHARD: Final = 1536
"""Lines in one file of the ring."""
AHEAD: Final = 4
"""Unread files at which the writer waits."""
WIDEST: Final = 1536
"""Pixels: wider lines are left out of training."""


@dataclass(frozen=True, slots=True)
class Shard:
    """Lines side by side: `images` (height, sum of `widths`) uint8, `targets` in display order."""

    images: NDArray[np.uint8]
    widths: NDArray[np.int32]
    targets: list[str]


def fill_ring(
    material: Material, ring: Path, seed: int, height: int, start: int = 0, stop: int = 10**9
) -> None:
    """Write shards `start` to `stop` into `ring`, each with its own seed; wait while enough are unread."""
    ring.mkdir(parents=True, exist_ok=True)
    for number in range(start, stop):
        while len(list(ring.glob("*.npz"))) >= AHEAD:
            time.sleep(0.5)
        source = samples(material, seed + number, height, number * SHARD)
        lines = [s for s in islice(source, SHARD) if s.image.shape[1] <= WIDEST]
        write_shard(ring / f"{number:06d}.npz", [s.image for s in lines], [s.target for s in lines])


def write_shard(path: Path, images: list[NDArray[np.uint8]], targets: list[str]) -> None:
    """Write a shard under a temporary name, then rename it: readers never see half a file."""
    part = path.with_suffix(".part")
    with part.open("wb") as file:
        np.savez(
            file,
            images=np.concatenate(images, axis=1),
            widths=np.array([image.shape[1] for image in images], dtype=np.int32),
            targets=np.array(targets),
        )
    part.rename(path)


def read_shard(path: Path) -> Shard:
    """Read a shard. Raises FileNotFoundError when it is not there."""
    with np.load(path) as file:
        return Shard(file["images"], file["widths"], [str(target) for target in file["targets"]])


def take_shard(ring: Path, patience_s: float = 600.0) -> Shard:
    """Take the oldest shard out of the ring. Raises TimeoutError when none comes."""
    deadline = time.monotonic() + patience_s
    while time.monotonic() < deadline:
        waiting = sorted(ring.glob("*.npz"))
        if waiting:
            shard = read_shard(waiting[0])
            waiting[0].unlink()
            return shard
        time.sleep(0.2)
    raise TimeoutError(f"no lines in {ring}: is the writer process running?")
