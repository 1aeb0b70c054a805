"""Notes in a margin that run up or down the page: single lines of ink as high as several letters.

The lines of a turned note are found by turning the part of the page that has them, so everything else of the
line finder stays as it is. Lengths are in letter heights of the page. The constants were set on drawn pages.
"""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from ketav_engine.domain import FoundLine, Image, Point
from ketav_engine.segmentation.components import Mask
from ketav_engine.segmentation.ink import PageInk
from ketav_engine.segmentation.reduction import reduced

_CELLS: Final = 6
"""Reduced pixels of a letter height."""
_MAX_GAP: Final = 1.2
"""Space within a line at most: between words."""
_MIN_LENGTH: Final = 4.0
"""Length of a line at least: three or four letters."""
_WIDTH: Final = (0.8, 2.6)
"""Width of a line: from small letters up to large ones with long strokes. Edges of paper are narrower."""
_MIN_ASPECT: Final = 2.4
"""Length of a line in its widths at least."""
_MAX_BLANK: Final = 0.36
"""Share of its length that spaces take at most: between numbers at the beginnings of lines they take more."""
_LINE_DISTANCE: Final = 0.8
"""Distance of the middles of two lines of a note at least."""
_CLEAR: Final = 0.5
"""Blank paper on both sides of a line, except where the next line of the same note is."""
_MARGIN: Final = 0.5
"""Distance from the sides of the image at least: the edge of a table is nearer."""
_MAX_TOUCHED: Final = 0.1
"""Share of its length along which other ink may be that near."""
_MAX_SHARE: Final = 0.3
"""Share of the page's ink that turned notes have at most: a page on its side is turned before."""
_FRAME: Final = 0.2
"""Blank paper around a note that is turned with it, as a share of its smaller side."""
_MAX_DISTANCE: Final = 2.0
"""Distance between neighbouring lines of one note at most."""


@dataclass(frozen=True, slots=True)
class Area:
    """A part of a page in working pixels: columns and rows, each with the one after the last."""

    left: int
    top: int
    right: int
    bottom: int

    def in_image(self, scale: float) -> "Area":
        """Return the same part in pixels of an image that has `scale` working pixels for each of its own."""
        edges = (round(edge / scale) for edge in (self.left, self.top, self.right, self.bottom))
        return Area(*edges)

    def most_lines(self, letter: float) -> int:
        """Return for how many turned lines there is room; more are pieces of rules or upright lines."""
        return max(1, round((self.right - self.left) / (_LINE_DISTANCE * letter)))


def find_notes(ink: PageInk) -> list[Area]:
    """Return the parts of a page with turned notes, without other writing."""
    cell = max(1, round(ink.letter / _CELLS))
    letter = ink.letter / cell
    small = reduced(ink.mask * np.uint8(255), cell)
    inked = np.asarray(small > 0, dtype=np.bool_)
    gap = np.ones((2 * int(_MAX_GAP * letter / 2) + 1, 1), np.uint8)
    joined = cv2.morphologyEx(inked.astype(np.uint8), cv2.MORPH_CLOSE, gap)
    count, labels, boxes, _ = cv2.connectedComponentsWithStats(joined, connectivity=8)
    shaped = [number for number in range(1, count) if _is_shaped(boxes[number], letter, small.shape[1])]
    if not shaped:
        return []
    possible = np.isin(labels, shaped)
    turned = [
        boxes[number]
        for number in shaped
        if _is_turned(inked & (labels == number), inked & ~possible, boxes[number], letter)
    ]
    areas = _grouped([_area(box) for box in turned], letter)
    share = sum(np.count_nonzero(inked[area.top : area.bottom, area.left : area.right]) for area in areas)
    if share > _MAX_SHARE * np.count_nonzero(inked):
        return []
    return [Area(*(edge * cell for edge in (a.left, a.top, a.right, a.bottom))) for a in areas]


def turned_lines(grey: Image, area: Area, find: Callable[[Image], tuple[FoundLine, ...]]) -> list[FoundLine]:
    """Return the lines in a part of an image, as if they ran up the page; `find` finds upright lines.

    Their baselines run up, on the left of the letters. `reversed_line` is the same line if it runs down.
    """
    margin = round(_FRAME * min(area.right - area.left, area.bottom - area.top))
    left, top = max(area.left - margin, 0), max(area.top - margin, 0)
    part = grey[top : area.bottom + margin, left : area.right + margin]
    bottom = top + part.shape[0] - 1

    def placed(points: tuple[Point, ...]) -> tuple[Point, ...]:
        """Return points of the turned part as points of the image."""
        return tuple((left + y, bottom - x) for x, y in points)

    turned = np.asarray(cv2.rotate(part, cv2.ROTATE_90_CLOCKWISE), dtype=np.uint8)
    return [
        replace(line, baseline=placed(line.baseline), boundary=placed(line.boundary), region="marginalia")
        for line in find(turned)
    ]


def reversed_line(line: FoundLine) -> FoundLine:
    """Return a turned line as if it ran the other way: its baseline on the other side of the letters."""
    sides = [x for x, _ in line.boundary]
    both = min(sides) + max(sides)
    return replace(line, baseline=tuple((both - x, y) for x, y in line.baseline[::-1]))


def in_direction(lines: Sequence[FoundLine], downwards: Collection[int]) -> tuple[FoundLine, ...]:
    """Return lines in reading order; `downwards` has the orders of the turned lines that run down.

    The lines of a note that runs down follow each other the other way, too.
    """
    ordered: list[FoundLine] = []
    for is_down, group in groupby(lines, key=lambda line: line.order in downwards):
        run = list(group)
        ordered += [reversed_line(line) for line in reversed(run)] if is_down else run
    return tuple(replace(line, order=order) for order, line in enumerate(ordered))


def without(ink: PageInk, areas: Sequence[Area]) -> PageInk:
    """Return the ink of a page without that of parts of it."""
    if not areas:
        return ink
    centres = ink.components.centres
    rest = ink.written.copy()
    for area in areas:
        rest &= ~(
            (centres[:, 0] >= area.left)
            & (centres[:, 0] < area.right)
            & (centres[:, 1] >= area.top)
            & (centres[:, 1] < area.bottom)
        )
    return ink.with_written(rest)


def _is_shaped(box: NDArray[np.int32], letter: float, columns: int) -> bool:
    """Return whether a component of joined ink has the size of a turned line; lengths in reduced pixels."""
    left, width, length = (int(box[field]) for field in (0, cv2.CC_STAT_WIDTH, cv2.CC_STAT_HEIGHT))
    margin = _MARGIN * letter
    return (
        margin <= left <= columns - width - margin
        and length >= max(_MIN_LENGTH * letter, _MIN_ASPECT * width)
        and _WIDTH[0] * letter <= width <= _WIDTH[1] * letter
    )


def _is_turned(line: Mask, others: Mask, box: NDArray[np.int32], letter: float) -> bool:
    """Return whether ink is a turned line: hardly interrupted, and clear of the ink of upright lines."""
    area = _area(box)
    rows = slice(area.top, area.bottom)
    blank = 1 - np.count_nonzero(line[rows].any(axis=1)) / (area.bottom - area.top)
    clear = max(1, round(_CLEAR * letter))
    near = others[rows, max(area.left - clear, 0) : area.right + clear].any(axis=1)
    return bool(blank <= _MAX_BLANK and near.mean() <= _MAX_TOUCHED)


def _area(box: NDArray[np.int32]) -> Area:
    """Return OpenCV's box of a component as a part of the page."""
    left, top, width, height = (int(value) for value in box[:4])
    return Area(left, top, left + width, top + height)


def _grouped(areas: list[Area], letter: float) -> list[Area]:
    """Return areas with those next to each other united: the lines of one note, in reduced pixels."""
    groups: list[Area] = []
    for area in sorted(areas, key=lambda one: one.left):
        last = groups[-1] if groups else None
        if last and area.left - last.right < _MAX_DISTANCE * letter and _overlap(area, last):
            top, bottom = min(area.top, last.top), max(area.bottom, last.bottom)
            groups[-1] = Area(last.left, top, max(area.right, last.right), bottom)
        else:
            groups.append(area)
    return groups


def _overlap(one: Area, other: Area) -> bool:
    """Return whether two areas have rows in common."""
    return min(one.bottom, other.bottom) > max(one.top, other.top)
