"""Strips of blank paper that may be gutters, on a page that is reduced to cells.

A strip is a union of blank rectangles with writing on both sides. What is inked in it (a heading over the
columns, a stamp, a page number) ends the rectangle there and nowhere else. Lengths are in letter heights.
Constants without a reason of their own were set together on the synthetic pages of docs/segmentation.md.
"""

from dataclasses import dataclass
from typing import Final, Self

import cv2
import numpy as np
from numpy.typing import NDArray

from ketav_engine.segmentation.components import Mask

CELLS: Final = 4
"""Cells for each letter height."""
_SLIM: Final = (1.2, 17)
"""Width and height of the blank rectangles that a gutter consists of at least: about six lines."""
_WIDE: Final = (2.2, 8)
"""The same for a gutter that is clearly wider than a space: about three lines."""
_MIN_SPACES: Final = (1.15, 1.5)
"""Width that a slim and a wide gutter have at least, in wide spaces between words."""
_TALL: Final = (28, 0.78)
"""Height from which a gutter may be no wider than a wide space between words, and that width in such spaces:
spaces of so many lines do not meet by chance."""
_MIN_HEIGHTS: Final = (10, 5)
"""Height over which a narrow and a wide gutter have writing on both sides."""
SIDES: Final = (8, 20)
"""Distances left and right of a gutter within which there is writing: Hebrew lines end raggedly at the
left."""
_LEADING: Final = 4
"""Height of blank paper between two lines that counts as written."""
_WORD_SPACE: Final = 1.1
"""Width of blank paper between two words that counts as written; less than that of the narrowest gutter."""
_MIN_AGREEMENT: Final = 0.65
"""Share of a gutter's written rows that have writing on both sides."""

Runs = NDArray[np.int64]
"""Horizontal runs of cells, shape (count, 3): row, first column, column after the last."""


@dataclass(frozen=True, slots=True)
class Strip:
    """A possible gutter's box in cells: usual left and right edge, first row and the row after the last."""

    left: int
    top: int
    right: int
    bottom: int

    @property
    def width(self) -> int:
        """Return its usual width in cells."""
        return self.right - self.left

    @property
    def height(self) -> int:
        """Return the number of rows from its first to its last."""
        return self.bottom - self.top

    def is_wide(self, letter: float) -> bool:
        """Return whether it is as wide as a wide gutter; `letter` is in cells."""
        return self.width >= _WIDE[0] * letter

    def min_spaces(self, letter: float) -> float:
        """Return the width that it has at least as a gutter, in wide spaces between words."""
        if self.height >= _TALL[0] * letter:
            return _TALL[1]
        return _MIN_SPACES[self.is_wide(letter)]


@dataclass(frozen=True, slots=True, eq=False)
class Cells:
    """A page reduced to cells."""

    written: NDArray[np.uint8]
    """1 where a cell has writing, shape (rows, columns)."""
    side: int
    """Working pixels of a cell's side."""
    letter: float
    """Letter height in cells."""

    @classmethod
    def of(cls, letters: NDArray[np.uint8], letter: float) -> Self:
        """Reduce the lettering of a page; `letter` is the letter height in working pixels."""
        side = max(1, round(letter / CELLS))
        height, width = letters.shape
        padded = np.pad(letters, ((0, -height % side), (0, -width % side)))
        rows = padded.reshape(-1, side, padded.shape[1]).max(axis=1)
        return cls(np.ascontiguousarray(rows.reshape(len(rows), -1, side).max(axis=2)), side, letter / side)


def possible_strips(cells: Cells) -> list[tuple[Runs, Strip]]:
    """Return the strips of blank paper with writing on both sides that are tall enough, with their runs."""
    written, letter = cells.written, cells.letter
    blank = np.zeros_like(written)
    for width, height in (_SLIM, _WIDE):
        rectangle = np.ones((round(height * letter), max(1, round(width * letter))), np.uint8)
        blank |= np.asarray(cv2.morphologyEx(1 - written, cv2.MORPH_OPEN, rectangle), dtype=np.uint8)
    words = cv2.morphologyEx(
        written, cv2.MORPH_CLOSE, np.ones((1, round(_WORD_SPACE * letter) + 1), np.uint8)
    )
    leading = np.ones((round(_LEADING * letter) + 1, 1), np.uint8)
    lines = np.asarray(cv2.morphologyEx(words, cv2.MORPH_CLOSE, leading), dtype=np.uint8)
    runs = _runs(blank & (1 - lines))
    both, either = _sides(lines, runs, letter)
    candidates = _columns_of_runs(runs[both], written.shape, letter)
    return [(inside, strip) for inside in candidates if (strip := _strip(inside, runs[either], letter))]


def _runs(marks: NDArray[np.uint8]) -> Runs:
    """Return the horizontal runs of marked cells, row by row."""
    edges = np.diff(np.pad(marks.astype(np.int8), ((0, 0), (1, 1))), axis=1)
    rows, firsts = np.nonzero(edges == 1)
    _, lasts = np.nonzero(edges == -1)
    return np.stack([rows, firsts, lasts], axis=1)


def _sides(lines: NDArray[np.uint8], runs: Runs, letter: float) -> tuple[Mask, Mask]:
    """Return which runs have writing on both sides, and which have it on one side or both."""
    sums = np.pad(lines.cumsum(axis=1, dtype=np.int64), ((0, 0), (1, 0)))
    rows, firsts, lasts = runs.T
    left, right = (round(reach * letter) for reach in SIDES)
    on_left = sums[rows, firsts] > sums[rows, (firsts - left).clip(0)]
    on_right = sums[rows, (lasts + right).clip(0, lines.shape[1])] > sums[rows, lasts]
    return on_left & on_right, on_left | on_right


def _columns_of_runs(runs: Runs, shape: tuple[int, ...], letter: float) -> list[Runs]:
    """Return the runs that lie one above the other, strip by strip, without those lower than a letter."""
    marks = np.zeros(shape, np.uint8)
    for row, first, last in runs:
        marks[row, first:last] = 1
    tall = cv2.morphologyEx(marks, cv2.MORPH_OPEN, np.ones((max(2, round(letter)), 1), np.uint8))
    closed = cv2.morphologyEx(tall, cv2.MORPH_CLOSE, np.ones((round(_LEADING * letter) + 1, 1), np.uint8))
    _, labels = cv2.connectedComponents(closed, connectivity=4)
    whole = _runs(np.asarray(tall, dtype=np.uint8))
    numbers = np.asarray(labels)[whole[:, 0], whole[:, 1]]
    return [whole[numbers == number] for number in np.unique(numbers)]


def _strip(inside: Runs, written: Runs, letter: float) -> Strip | None:
    """Return the box of a gutter in cells, None where the runs are none; `written` have writing on a side."""
    left, right = np.median(inside[:, 1]), np.median(inside[:, 2])
    top, bottom = inside[:, 0].min(), inside[:, 0].max() + 1
    rows = len(np.unique(inside[:, 0]))
    near = (
        (written[:, 0] >= top) & (written[:, 0] < bottom) & (written[:, 1] < right) & (written[:, 2] > left)
    )
    strip = Strip(int(left), int(top), int(right), int(bottom))
    if rows < _MIN_HEIGHTS[strip.is_wide(letter)] * letter or rows < _MIN_AGREEMENT * len(
        np.unique(written[near, 0])
    ):
        return None
    return strip
