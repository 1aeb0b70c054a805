"""Fresh lines for the training process: a writer process fills a ring of files that training empties."""

import time
from dataclasses import dataclass
from itertools import count, islice
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ketav_basemodel.synthesis import Blend, Material, samples
from ketav_engine.lines import HEIGHT

SHARD: Final = 1536
"""Lines in one file of the ring."""
AHEAD: Final = 8
"""Unread files at which the writer waits."""
WIDEST: Final = 1536
"""Pixels of a line 48 high: wider lines are left out of training."""


@dataclass(frozen=True, slots=True)
class Shard:
    """Lines side by side: `images` (height, sum of `widths`) uint8, `targets` in display order."""

    images: NDArray[np.uint8]
    widths: NDArray[np.int32]
    targets: list[str]


def clear(ring: Path) -> None:
    """Remove the shards that an earlier training left behind: they may be of other writers."""
    for left in ring.glob("*.npz"):
        left.unlink()


def fill_ring(material: Material, ring: Path, seed: int, height: int, start: int = 0) -> None:
    """Write shards from number `start` into an empty `ring` without end; wait while enough are unread."""
    ring.mkdir(parents=True, exist_ok=True)
    for number in count(start):
        while len(list(ring.glob("*.npz"))) >= AHEAD:
            time.sleep(0.5)
        write_numbered(material, ring, seed, height, number)


def write_numbered(
    material: Material, folder: Path, seed: int, height: int, number: int, blend: Blend | None = None
) -> None:
    """Write one shard as `shard_path` names it: what it holds follows from the seed and its number alone."""
    source = samples(material, seed + number, height, number * SHARD, blend)
    lines = [s for s in islice(source, SHARD) if s.image.shape[1] <= WIDEST * height // HEIGHT]
    write_shard(shard_path(folder, number), [s.image for s in lines], [s.target for s in lines])


def shard_path(folder: Path, number: int) -> Path:
    """Return where the shard of a number lies."""
    return folder / f"{number:06d}.npz"


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


def take_shard(ring: Path, number: int, patience_s: float = 600.0) -> Shard:
    """Take the shard of this number out of the ring, once it is there. Raises TimeoutError if it never is."""
    path, deadline = shard_path(ring, number), time.monotonic() + patience_s
    while not path.exists():
        if time.monotonic() > deadline:
            raise TimeoutError(f"no lines in {ring}: is the writer process running?")
        time.sleep(0.2)
    shard = read_shard(path)
    path.unlink()
    return shard
