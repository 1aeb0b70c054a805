"""Reading order of Hebrew: lines from top to bottom, columns from right to left."""

from collections.abc import Sequence

import numpy as np

from ketav_engine.domain import Point
from ketav_engine.segmentation.components import Mask
from ketav_engine.segmentation.line_boxes import LineBoxes
from ketav_engine.segmentation.separators import Separators, find_separators


def reading_order(boundaries: Sequence[Sequence[Point]]) -> list[int]:
    """Return the indices of lines in reading order (`horizontal-rl`)."""
    boxes = LineBoxes.around(boundaries)
    return order_of(boxes, find_separators(boxes))


def order_of(boxes: LineBoxes, separators: Separators) -> list[int]:
    """Return the indices of lines in reading order.

    A separator, such as a heading over two columns, is read after everything above it and before everything
    below it. Between separators two rules order pairs (Breuel, High Performance Document Layout Analysis,
    2003, section 4): a line above another precedes it when they overlap horizontally; a line wholly to the
    right of another precedes it when no line between them in height overlaps both. The pairs are then sorted
    topologically.
    """
    before = _precedes(boxes)
    order: list[int] = []
    part: list[int] = []
    for band in separators.bands:
        if separators.are(band):
            order += [*_sorted(part, before, boxes), *sorted(band, key=lambda index: -boxes.right[index])]
            part = []
        else:
            part += band
    return order + _sorted(part, before, boxes)


def _sorted(part: list[int], before: Mask, boxes: LineBoxes) -> list[int]:
    """Return lines in topological order; among those that are free the highest comes first."""
    lines = np.array(sorted(part, key=lambda index: (boxes.middle[index], -boxes.right[index])), dtype=int)
    precedes = before[np.ix_(lines, lines)]
    waits, left = precedes.sum(axis=0), np.ones(len(lines), dtype=np.bool_)
    order: list[int] = []
    for _ in lines:
        free = np.flatnonzero(left & (waits == 0))
        following = int(free[0]) if free.size else int(np.argmax(left))  # a circle: the highest line
        order.append(int(lines[following]))
        left[following] = False
        waits -= precedes[following]
    return order


def _precedes(boxes: LineBoxes) -> Mask:
    """Return which line must be read before which, shape (lines, lines)."""
    overlaps, middle = boxes.overlaps(), boxes.middle
    above = overlaps & np.less.outer(middle, middle)
    right_of = ~overlaps & np.greater_equal.outer(boxes.left, boxes.right)
    for one in np.flatnonzero(right_of.any(axis=1)):
        others, common = np.flatnonzero(right_of[one]), np.flatnonzero(overlaps[one])
        low, high = np.minimum(middle[one], middle[others]), np.maximum(middle[one], middle[others])
        between = (middle[common] > low[:, None]) & (middle[common] < high[:, None])
        right_of[one, others] = ~(between & overlaps[np.ix_(others, common)]).any(axis=1)
    return np.asarray(above | right_of, dtype=np.bool_)
