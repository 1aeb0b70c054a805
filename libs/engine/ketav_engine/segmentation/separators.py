"""Separators: lines that stand above, below or between the columns of a page and belong to none of them."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from ketav_engine.segmentation.components import Mask
from ketav_engine.segmentation.line_boxes import LineBoxes

_MAX_PITCH: Final = 1.55
"""Distance, in usual distances between lines, at which a line still continues a column above or below it."""
_ALIGNED: Final = 1.0
"""Distance, in line heights, between right ends that are aligned."""
_MIN_COLUMN: Final = 2
"""Other lines that a column has at least."""
_NEAR: Final = 3.5
"""Distance, in usual distances between lines, of the lines that can contain a line of their column."""


@dataclass(frozen=True, slots=True)
class Separators:
    """The bands of a page's lines, from top to bottom, and which lines are separators."""

    bands: list[list[int]]
    top: frozenset[int]
    """Lines that stand wholly above the columns."""
    middle: frozenset[int]
    """Lines between columns above and columns below."""
    bottom: frozenset[int]
    """Lines that stand wholly below the columns."""

    def are(self, band: list[int]) -> bool:
        """Return whether the lines of a band are separators."""
        return band[0] in self.top or band[0] in self.middle or band[0] in self.bottom


def find_separators(boxes: LineBoxes) -> Separators:
    """Return the separators of a page; one on which every line continues a column has none."""
    overlaps, bands = boxes.overlaps(), boxes.bands()
    positions = _Positions(boxes, overlaps, boxes.pitch(overlaps))
    continuing = positions.continuing()
    top = _leading(bands, positions, continuing)
    bottom = _leading([band for band in bands[::-1] if not top.intersection(band)], positions, continuing)
    rest = [band[0] for band in bands if len(band) == 1 and band[0] not in top | bottom]
    middle = [line for line in rest if not continuing[line] and not positions.is_contained(line)]
    return Separators(bands, frozenset(top), frozenset(middle), frozenset(bottom))


def _leading(bands: list[list[int]], positions: "_Positions", continuing: Mask) -> set[int]:
    """Return the lines of the first bands of which no line continues a column; the last band stays."""
    leading: set[int] = set()
    for band in bands[:-1]:
        column_heads = len(band) > 1 and all(positions.is_centred(line) for line in band)
        if column_heads or continuing[band].any():
            break
        leading.update(band)
    return leading


@dataclass(frozen=True, slots=True, eq=False)
class _Positions:
    """The positions of the lines of a page relative to one another."""

    boxes: LineBoxes
    overlaps: Mask
    pitch: float

    def continuing(self) -> Mask:
        """Return which lines continue a column: lines that end at the right where they do, one of them near.

        A line that also overlaps another column continues none.
        """
        aligned = np.abs(np.subtract.outer(self.boxes.right, self.boxes.right))
        aligned = aligned < _ALIGNED * self.boxes.line_height
        np.fill_diagonal(aligned, val=False)
        distances = np.abs(np.subtract.outer(self.boxes.middle, self.boxes.middle))
        near = (aligned & (distances <= _MAX_PITCH * self.pitch)).any(axis=1)
        in_column = np.count_nonzero(aligned, axis=1) >= _MIN_COLUMN
        column = aligned.astype(np.float32) @ self.overlaps.astype(np.float32) > 0
        return np.asarray(near & in_column & ~(self.overlaps & ~column).any(axis=1), dtype=np.bool_)

    def is_contained(self, line: int) -> bool:
        """Return whether a near line extends as far as a line on both sides: both are in one column."""
        boxes = self.boxes
        near = np.abs(boxes.middle - boxes.middle[line]) <= _NEAR * self.pitch
        near[line] = False
        tolerance = _ALIGNED * boxes.line_height
        wider = (boxes.left <= boxes.left[line] + tolerance) & (boxes.right >= boxes.right[line] - tolerance)
        return bool((near & wider).any())

    def is_centred(self, line: int) -> bool:
        """Return whether a line is centred over or under the nearest wider line that it overlaps."""
        boxes = self.boxes
        wider = self.overlaps[line] & (boxes.width > boxes.width[line])
        if not wider.any():
            return False
        distances = np.where(wider, np.abs(boxes.middle - boxes.middle[line]), np.inf)
        nearest = int(np.argmin(distances))
        return bool(abs(boxes.centre[nearest] - boxes.centre[line]) < _ALIGNED * boxes.line_height)
