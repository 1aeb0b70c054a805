"""Arrows that a writer draws on a page: one straight stroke with two barbs at an end.

They are sought before rules are removed: without its shaft, an arrow's barbs look like letters. Pixels are
those of the working size (`ink.WORK_SIZE`).
"""

from collections.abc import Iterator
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from ketav_engine.segmentation.components import Mask

_CELL: Final = 4
"""Rows and columns that are examined together, in a fraction of the time."""
_MIN_LENGTH: Final = 90
"""Pixels that a shaft is long at least, as a rule is."""
_MAX_LENGTH: Final = 0.45
"""Length of a shaft as a share of the page's longer side at most: longer ones are rules."""
_MAX_CELLS: Final = 6
"""Cells of an arrow for each cell of its length at most: lines of writing have more."""
_MIN_HEAD_CELLS: Final = 4
"""Cells across a stroke that has barbs."""
_SHAFT: Final = 6
"""Pixels on both sides of its middle within which the ink of a shaft lies."""
_SHAFT_CELLS: Final = 2.0
"""The same in cells, to which a shaft is widened."""
_MIN_SHAFT_INK: Final = 0.6
"""Share of an arrow's ink that is its shaft."""
_SECTIONS: Final = 32
"""Sections of a shaft at most, each of which must have ink."""
_MIN_BARB_PIXELS: Final = 20
_MIN_BALANCE: Final = 0.4
"""Ink of the smaller barb as a share of that of the larger one: letters on a rule are on one side of it."""
_HEAD: Final = 0.4
"""Share of the length, from one end, in which the barbs are."""


def erase_arrows(mask: NDArray[np.uint8], inked: NDArray[np.uint8]) -> None:
    """Erase the arrows of the ink of a page (`mask`, 0 or 1) from the same ink without rules (`inked`)."""
    for rows, columns in _candidates(mask):
        _, labels, boxes, _ = cv2.connectedComponentsWithStats(mask[rows, columns], connectivity=8)
        largest = 1 + int(np.argmax(boxes[1:, cv2.CC_STAT_AREA]))
        part = np.asarray(labels == largest, dtype=np.bool_)
        if _is_arrow(part, 1):
            inked[rows, columns][part] = 0


def _candidates(mask: NDArray[np.uint8]) -> Iterator[tuple[slice, slice]]:
    """Yield rows and columns of the long thin components of a mask, found on cells."""
    spread = cv2.dilate(mask, np.ones((_CELL, _CELL), np.uint8), anchor=(0, 0))
    cells = np.ascontiguousarray(np.asarray(spread, dtype=np.uint8)[::_CELL, ::_CELL])
    _, labels, boxes, _ = cv2.connectedComponentsWithStats(cells, connectivity=8)
    widths, heights = boxes[:, cv2.CC_STAT_WIDTH], boxes[:, cv2.CC_STAT_HEIGHT]
    longer, shorter = np.maximum(widths, heights), np.minimum(widths, heights)
    long = (longer >= _MIN_LENGTH // _CELL) & (longer <= _MAX_LENGTH * max(cells.shape))
    thin = (boxes[:, cv2.CC_STAT_AREA] <= _MAX_CELLS * longer) & (shorter >= _MIN_HEAD_CELLS)
    for number in np.flatnonzero(long & thin).tolist():
        left, top, width, height, _ = boxes[number].tolist()
        if not _is_arrow(labels[top : top + height, left : left + width] == number, _CELL):
            continue
        yield (
            slice(max(0, (top - 1) * _CELL), (top + height + 1) * _CELL),
            slice(max(0, (left - 1) * _CELL), (left + width + 1) * _CELL),
        )


def _is_arrow(part: Mask, unit: int) -> bool:
    """Return whether a component is a straight stroke with ink on both sides of one end alone.

    Rows and columns are of `unit` pixels: a look at cells, of which writing fails, costs a tenth.
    """
    points = np.argwhere(part).astype(np.float32)
    distance = cv2.DIST_HUBER if unit == 1 else cv2.DIST_L2  # a single barb turns the least-squares line
    down, right, top, left = cv2.fitLine(points, distance, 0, 0.01, 0.01).ravel()
    rows, columns = points[:, 0] - top, points[:, 1] - left
    along, across = rows * down + columns * right, rows * right - columns * down
    along = along - along.min()
    length = float(along.max())
    on_shaft = np.abs(across) <= (_SHAFT if unit == 1 else _SHAFT_CELLS)
    if length < _MIN_LENGTH // unit - 1 or on_shaft.mean() < _MIN_SHAFT_INK:
        return False
    count = min(_SECTIONS, int(length) // 2)
    sections = (along[on_shaft] * (count - 0.01) / length).astype(np.int64)
    barbs = ~on_shaft
    smaller, larger = sorted(np.count_nonzero(barbs & side) for side in (across < 0, across > 0))
    balanced = smaller >= max(_MIN_BARB_PIXELS / unit**2, _MIN_BALANCE * larger)
    if np.unique(sections).size < count or not balanced:
        return False
    shares = along[barbs] / length
    return bool(shares.max() < _HEAD or shares.min() > 1 - _HEAD)
