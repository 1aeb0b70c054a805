"""Boundaries of lines in strips: each letter belongs to its nearest line, which reaches around it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from ketav_engine.segmentation.ink import PageInk

_MARGIN: Final = 0.15
"""Letters of paper kept around the ink."""
_LEAST: Final = 0.75
"""Letters that a line reaches above and below its middle at least."""
_MOST: Final = 1.9
"""Letters that a line reaches above and below its middle at most."""
_BEYOND: Final = (2.2, 1.0)
"""Letters beyond its left and its right end from which a line still takes ink."""
_DASH: Final = 0.35
"""Letters around the middle that ink must keep to more than a letter beyond: it is a dash after a space."""

Envelope = tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]
"""Columns with the top and the bottom of a line at each, in working pixels."""


@dataclass(frozen=True, slots=True, eq=False)
class Piece:
    """A line's course or a part of it: the middle of its letters for each column from `left` on."""

    left: int
    middles: NDArray[np.float32]
    """Working pixels."""

    @property
    def right(self) -> int:
        """Return the column after the last."""
        return self.left + len(self.middles)

    def at(self, column: float, reach: float) -> float:
        """Return the middle at a column, beyond the ends by the slope of the nearest `reach` columns."""
        count = int(min(len(self.middles), max(2, reach)))
        if self.left <= column < self.right:
            return float(self.middles[int(column) - self.left])
        end = self.middles[:count] if column < self.left else self.middles[-count:]
        start = self.left if column < self.left else self.right - count
        slope = np.polyfit(np.arange(count), end, 1)[0] if count > 2 * reach / 3 else 0.0
        return float(end.mean() + slope * (column - start - (count - 1) / 2))


def band_ink(piece: Piece, mask: NDArray[np.uint8], letter: float) -> NDArray[np.int64]:
    """Count for each column the marked pixels within 0.6 letters of the middle."""
    return np.asarray(band_values(piece, mask, letter).sum(axis=0), dtype=np.int64)


def band_values(
    piece: Piece, values: NDArray[np.uint8 | np.float32], letter: float
) -> NDArray[np.uint8 | np.float32]:
    """Return the values within 0.6 letters of the middle, a column each of the piece; 0 off the page."""
    reach = round(0.6 * letter)
    rows = np.rint(piece.middles).astype(int)[None, :] + np.arange(-reach, reach + 1)[:, None]
    columns = np.arange(piece.left, piece.right)[None, :]
    height = values.shape[0]
    return np.where((rows >= 0) & (rows < height), values[rows.clip(0, height - 1), columns], 0)


def envelopes(lines: Sequence[Piece], ink: PageInk) -> list[Envelope]:
    """Return each line's top and bottom, one strip a letter wide after the other."""
    owners = _owners(lines, ink)
    return [_envelope(line, owners == index + 1, ink.letter) for index, line in enumerate(lines)]


def _owners(lines: Sequence[Piece], ink: PageInk) -> NDArray[np.int32]:
    """Give each inked pixel the number (from 1) of its line: whole letters go to the line nearest to them."""
    count, marks, _, centres = cv2.connectedComponentsWithStats(ink.mask, connectivity=8)
    nearest = _nearest(lines, ink)
    owner = np.zeros(count, dtype=np.int32)
    for mark in range(1, count):
        x, y = centres[mark]
        owner[mark] = nearest[int(y), int(x)]
    owners = owner[marks]
    # A stroke that runs through several lines belongs to none as a whole: cut it between them.
    tall = (
        cv2.connectedComponentsWithStats(ink.mask, connectivity=8)[2][:, cv2.CC_STAT_HEIGHT]
        > 2.2 * ink.letter
    )
    return np.where(tall[marks] & (ink.mask > 0), nearest, owners)


def _nearest(lines: Sequence[Piece], ink: PageInk) -> NDArray[np.int32]:
    """Return for each pixel the number of the line nearest above or below, 0 beyond reach of any."""
    height, width = ink.mask.shape
    nearest = np.zeros((height, width), dtype=np.int32)
    distance = np.full((height, width), _MOST * ink.letter, dtype=np.float32)
    rows = np.arange(height, dtype=np.float32)[:, None]
    before, beyond = (int(reach * ink.letter) for reach in _BEYOND)
    for index, line in enumerate(lines):
        left, right = max(line.left - before, 0), min(line.right + beyond, width)
        columns = np.arange(left, right)
        middles = np.interp(columns, np.arange(line.left, line.left + len(line.middles)), line.middles)
        reach = np.where(columns < line.left - ink.letter, _DASH, _MOST) * ink.letter
        top = int(max(middles.min() - _MOST * ink.letter, 0))
        bottom = int(min(middles.max() + _MOST * ink.letter + 1, height))
        away = np.abs(rows[top:bottom] - middles[None, :])
        closer = (away < distance[top:bottom, left:right]) & (away < reach[None, :])
        distance[top:bottom, left:right][closer] = away[closer]
        nearest[top:bottom, left:right][closer] = index + 1
    return nearest


def _envelope(line: Piece, own: NDArray[np.bool_], letter: float) -> Envelope:
    """Follow the top and bottom of a line's own ink, strip by strip, with a margin."""
    right = line.left + len(line.middles)
    before, beyond = (round(reach * letter) for reach in _BEYOND)
    first, last = max(line.left - before, 0), min(right + beyond, own.shape[1])
    inked = np.flatnonzero(own[:, first:last].any(axis=0))
    if inked.size:
        first, last = first + int(inked[0]), first + int(inked[-1]) + 1
    strips = max(1, round((last - first) / (1.5 * letter)))
    edges = np.linspace(first, last, strips + 1)
    centres = (edges[:-1] + edges[1:]) / 2
    middles = np.interp(centres, np.arange(line.left, right), line.middles)
    up, down = np.full(strips, _LEAST * letter), np.full(strips, _LEAST * letter)
    for index in range(strips):
        rows = np.flatnonzero(
            own[:, int(edges[index]) : max(int(edges[index + 1]), int(edges[index]) + 1)].any(axis=1)
        )
        if rows.size:
            up[index] = max(up[index], middles[index] - rows[0])
            down[index] = max(down[index], rows[-1] - middles[index])
    margin = _MARGIN * letter
    columns = np.repeat(edges, 2)[1:-1].astype(np.float32)
    columns[0] -= margin
    columns[-1] += margin
    tops = np.repeat(middles - np.minimum(up, _MOST * letter) - margin, 2)
    bottoms = np.repeat(middles + np.minimum(down, _MOST * letter) + margin, 2)
    return columns, tops.astype(np.float32), bottoms.astype(np.float32)
