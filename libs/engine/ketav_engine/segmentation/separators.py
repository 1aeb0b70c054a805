"""Separators: lines that stand above, below or between the columns of a page and belong to none of them."""

from dataclasses import dataclass
from typing import Final

import numpy as np

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
    bands = boxes.bands()
    top = _leading(bands, boxes)
    bottom = _leading([band for band in bands[::-1] if not top.intersection(band)], boxes)
    rest = [band[0] for band in bands if len(band) == 1 and band[0] not in top | bottom]
    middle = [line for line in rest if not _continues(line, boxes) and not _is_contained(line, boxes)]
    return Separators(bands, frozenset(top), frozenset(middle), frozenset(bottom))


def _leading(bands: list[list[int]], boxes: LineBoxes) -> set[int]:
    """Return the lines of the first bands of which no line continues a column; the last band stays."""
    leading: set[int] = set()
    for band in bands[:-1]:
        column_heads = len(band) > 1 and all(_is_centred(line, boxes) for line in band)
        if column_heads or any(_continues(line, boxes) for line in band):
            break
        leading.update(band)
    return leading


def _continues(line: int, boxes: LineBoxes) -> bool:
    """Return whether a line continues a column: lines that end at the right where it does, one of them near.

    A line that also overlaps another column continues none.
    """
    aligned = np.abs(boxes.right - boxes.right[line]) < _ALIGNED * boxes.line_height
    distances = np.abs(boxes.middle - boxes.middle[line])
    aligned[line] = False
    near = aligned & (distances <= _MAX_PITCH * boxes.pitch())
    if np.count_nonzero(aligned) < _MIN_COLUMN or not near.any():
        return False
    overlaps = boxes.overlaps()
    column = overlaps[aligned].any(axis=0)
    return not (overlaps[line] & ~column).any()


def _is_contained(line: int, boxes: LineBoxes) -> bool:
    """Return whether a near line extends as far as a line on both sides: both are in one column."""
    near = np.abs(boxes.middle - boxes.middle[line]) <= _NEAR * boxes.pitch()
    near[line] = False
    tolerance = _ALIGNED * boxes.line_height
    wider = (boxes.left <= boxes.left[line] + tolerance) & (boxes.right >= boxes.right[line] - tolerance)
    return bool((near & wider).any())


def _is_centred(line: int, boxes: LineBoxes) -> bool:
    """Return whether a line is centred over or under the nearest wider line that it overlaps."""
    wider = boxes.overlaps()[line] & (boxes.width > boxes.width[line])
    if not wider.any():
        return False
    distances = np.where(wider, np.abs(boxes.middle - boxes.middle[line]), np.inf)
    nearest = int(np.argmin(distances))
    return bool(abs(boxes.centre[nearest] - boxes.centre[line]) < _ALIGNED * boxes.line_height)
