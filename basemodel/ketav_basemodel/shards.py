"""Shards of training lines: a writer process fills a ring of files that the training process empties."""

import time
from dataclasses import dataclass
from itertools import count, islice, pairwise
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ketav_basemodel.synthesis import Material, Mixture, samples
from ketav_engine.lines import HEIGHT

SHARD_LINES: Final = 1536
"""Lines that are drawn for one shard."""
MAX_UNREAD_SHARDS: Final = 8
"""Unread shards at which the writer waits."""
MAX_WIDTH: Final = 1536
"""Pixels of a line 48 high: wider lines are left out of training."""
_WRITER_POLL_S: Final = 0.5
_READER_POLL_S: Final = 0.2


@dataclass(frozen=True, slots=True)
class Shard:
    """Lines side by side: `images` (height, sum of `widths`) uint8, `targets` in display order."""

    images: NDArray[np.uint8]
    widths: NDArray[np.int32]
    targets: list[str]

    def lines(self) -> list[NDArray[np.uint8]]:
        """Return the image of each line, shape (height, width)."""
        edges = [0, *self.widths.cumsum().tolist()]
        return [self.images[:, left:right] for left, right in pairwise(edges)]


def clear(ring: Path) -> None:
    """Delete the shards of an earlier training: they may be of other writers."""
    for path in ring.glob("*.npz"):
        path.unlink()


def fill_ring(material: Material, ring: Path, seed: int, height: int, start: int = 0) -> None:
    """Write shards from number `start` into an empty `ring`, infinitely; wait while enough are unread."""
    ring.mkdir(parents=True, exist_ok=True)
    for number in count(start):
        while len(list(ring.glob("*.npz"))) >= MAX_UNREAD_SHARDS:
            time.sleep(_WRITER_POLL_S)
        write_numbered(material, ring, seed, height, number)


def write_numbered(
    material: Material, folder: Path, seed: int, height: int, number: int, mixture: Mixture | None = None
) -> None:
    """Write one shard to its `shard_path`: its lines follow from the seed and its number alone."""
    source = samples(material, seed + number, height, number * SHARD_LINES, mixture)
    lines = [s for s in islice(source, SHARD_LINES) if s.image.shape[1] <= MAX_WIDTH * height // HEIGHT]
    write_shard(shard_path(folder, number), [s.image for s in lines], [s.target for s in lines])


def shard_path(folder: Path, number: int) -> Path:
    """Return the path of the shard with a number."""
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
    """Read a shard. Raises FileNotFoundError when it does not exist."""
    with np.load(path) as file:
        return Shard(file["images"], file["widths"], [str(target) for target in file["targets"]])


def take_shard(ring: Path, number: int, timeout_s: float = 600.0) -> Shard:
    """Read and delete the shard with a number as soon as it exists. Raises TimeoutError after `timeout_s`."""
    path, deadline = shard_path(ring, number), time.monotonic() + timeout_s
    while not path.exists():
        if time.monotonic() > deadline:
            raise TimeoutError(f"no shard {number} in {ring}. Check that the writer process runs.")
        time.sleep(_READER_POLL_S)
    shard = read_shard(path)
    path.unlink()
    return shard
