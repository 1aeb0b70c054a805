"""Pages drawn with box-like letters, for tests of finding lines."""

import cv2
import numpy as np
from numpy.typing import NDArray

from ketav_engine.domain import FoundLine

Image = NDArray[np.uint8]


def paper(height: int = 1200, width: int = 1000) -> Image:
    """Return blank paper."""
    return np.full((height, width), 240, np.uint8)


def write(
    page: Image, left: int, right: int, top: int, bend: float = 0.0, slope: float = 0.0, letter: int = 32
) -> None:
    """Write a line of box-like letters with word gaps; every seventh letter rises."""
    rng = np.random.default_rng(left + 31 * top)
    for index, x in enumerate(range(left, right - letter, int(letter * 1.1))):
        if index % 6 == 5:
            continue
        share = (x - left) / max(1, right - left)
        y = round(top + slope * (x - left) + bend * np.sin(np.pi * share))
        rise = letter // 2 if index % 7 == 3 else 0
        cv2.rectangle(page, (x, y - rise), (x + int(letter * rng.uniform(0.4, 0.75)), y + letter), 30, 5)


def box(line: FoundLine) -> tuple[int, int, int, int]:
    """Return left, top, right, bottom of a boundary."""
    xs, ys = zip(*line.boundary, strict=True)
    return min(xs), min(ys), max(xs), max(ys)


def write_columns(page: Image, top: int, lines: int = 5) -> None:
    """Write two columns whose lines begin at one height and end raggedly at the left."""
    for index in range(lines):
        write(page, 60 + 40 * (index % 3), 430, top + 90 * index)
        write(page, 590 + 30 * (index % 2), 960, top + 90 * index)


def sides_of(lines: tuple[FoundLine, ...]) -> list[str]:
    """Return the side of the page that each line is on: right, left or across."""
    boxes = [box(line) for line in lines]
    return ["right" if left > 500 else "left" if right < 540 else "across" for left, _, right, _ in boxes]
