"""Gutters: the blank strips between columns, distinguished from the spaces between words.

A gutter is sought on a page reduced to cells, as a union of blank rectangles with writing on both sides. What
is inked in it (a heading over the columns, a stamp, a page number) ends the rectangle there and nowhere else.
Lengths are in letter heights. Constants without a reason of their own were set together on the synthetic
pages of docs/segmentation.md.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from ketav_engine.segmentation.components import Mask
from ketav_engine.segmentation.ink import PageInk
from ketav_engine.segmentation.pieces import Piece, band_ink

_CELLS: Final = 4
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
_SIDES: Final = (8, 20)
"""Distances left and right of a gutter within which there is writing: Hebrew lines end raggedly at the
left."""
_LEADING: Final = 4
"""Height of blank paper between two lines that counts as written."""
_WORD_SPACE: Final = 1.1
"""Width of blank paper between two words that counts as written; less than that of the narrowest gutter."""
_MIN_AGREEMENT: Final = 0.65
"""Share of a gutter's written rows that have writing on both sides."""
_MIN_RUN: Final = 0.5
"""Share of its usual width that a gutter has in a row: a space in a heading that meets it is narrower."""
_MAX_STRIPS: Final = 8
"""Gutters of a page, counting twice one that something interrupts. Where letters have fallen to pieces, the
letter height is that of a piece, and spaces between words look like more gutters than that."""
_TALL_SHARE: Final = 0.8
"""Share of the tallest gutter's height that one has at least on a page with more gutters."""
_MIN_SPACE: Final = 0.5
"""Gap from which it is a space between words and not between letters."""
_WIDE_SPACE: Final = 85
"""Percentile of the spaces between words that counts as a wide space."""
_LEVEL: Final = 0.5
"""Distance between the middles of two pieces of one line at most, when the space between them is measured."""

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
class Gutters:
    """The gutters of a page."""

    marks: Mask
    """The cells inside a gutter, shape (rows, columns)."""
    cell: int
    """Working pixels of a cell's side."""

    def between(self, left: Piece, right: Piece) -> bool:
        """Return whether a gutter separates two pieces, one on the left of the other."""
        row = round((float(left.middles[-1]) + float(right.middles[0])) / 2 / self.cell)
        rows = slice(max(row - _CELLS // 2, 0), row + _CELLS // 2 + 1)
        return bool(self.marks[rows, left.right // self.cell : -(-right.left // self.cell)].any())


def find_gutters(ink: PageInk, pieces: Sequence[Piece]) -> Gutters:
    """Return the gutters of a page with the pieces of its lines: strips wider than the spaces elsewhere."""
    cell = max(1, round(ink.letter / _CELLS))
    written = _cells(ink.letters, cell)
    letter = ink.letter / cell
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
    possible = [(inside, strip) for inside in candidates if (strip := _strip(inside, runs[either], letter))]
    space = _wide_space(pieces, [strip for _, strip in possible], ink, cell) / cell
    marks = np.zeros(written.shape, dtype=np.bool_)
    for inside, strip in _plausible(
        [one for one in possible if one[1].width >= one[1].min_spaces(letter) * space]
    ):
        for row, first, last in inside:
            marks[row, first:last] |= last - first >= _MIN_RUN * strip.width
    return Gutters(marks, cell)


def _plausible(strips: list[tuple[Runs, Strip]]) -> list[tuple[Runs, Strip]]:
    """Return the strips, but of more than a page has gutters only the tall ones."""
    if len(strips) <= _MAX_STRIPS:
        return strips
    tallest = max(strip.height for _, strip in strips)
    return [one for one in strips if one[1].height >= _TALL_SHARE * tallest]


def gaps(piece: Piece, ink: PageInk, min_letters: float) -> list[tuple[int, int]]:
    """Return the gaps wider than `min_letters` as columns from the piece's left: first, after the last."""
    inked = np.flatnonzero(band_ink(piece, ink.mask, ink.letter))
    before = np.flatnonzero(np.diff(inked) > min_letters * ink.letter)
    return [(int(inked[index]) + 1, int(inked[index + 1])) for index in before]


def _wide_space(pieces: Sequence[Piece], strips: Sequence[Strip], ink: PageInk, cell: int) -> float:
    """Return a wide space between words outside the strips, in working pixels: 0 without any."""
    spaces = [
        (piece.left + start, piece.left + end, float(piece.middles[start]))
        for piece in pieces
        for start, end in gaps(piece, ink, _MIN_SPACE)
    ]
    spaces += [space for piece in pieces if (space := _space_after(piece, pieces, ink.letter))]
    widths = [
        end - start
        for start, end, middle in spaces
        if not any(
            strip.top <= middle / cell <= strip.bottom
            and strip.left < end / cell
            and start / cell < strip.right
            for strip in strips
        )
    ]
    return float(np.percentile(widths, _WIDE_SPACE)) if widths else 0.0


def _space_after(piece: Piece, pieces: Sequence[Piece], letter: float) -> tuple[int, int, float] | None:
    """Return the space between a piece and the next on its right: first column, after the last, middle."""
    middle = float(piece.middles[-1])
    following = [
        other.left
        for other in pieces
        if _MIN_SPACE * letter < other.left - piece.right < _SIDES[0] * letter
        and abs(float(other.middles[0]) - middle) < _LEVEL * letter
    ]
    return (piece.right, min(following), middle) if following else None


def _cells(letters: NDArray[np.uint8], cell: int) -> NDArray[np.uint8]:
    """Return which cells of a page have writing, 0 or 1."""
    height, width = letters.shape
    padded = np.pad(letters, ((0, -height % cell), (0, -width % cell)))
    rows = padded.reshape(-1, cell, padded.shape[1]).max(axis=1)
    return np.ascontiguousarray(rows.reshape(len(rows), -1, cell).max(axis=2))


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
    left, right = (round(reach * letter) for reach in _SIDES)
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
