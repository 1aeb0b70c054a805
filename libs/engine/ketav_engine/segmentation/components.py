"""Connected components of a page's ink: which of them are writing, and how high a letter is.

Lengths are in letter heights (the usual height of a letter on the page) unless a constant says pixels, which
are those of the working size (`ink.WORK_SIZE`). Constants without a measurement of their own were set
together on the synthetic pages of docs/segmentation.md.
"""

from dataclasses import dataclass
from typing import Final, Self

import cv2
import numpy as np
from numpy.typing import NDArray

Mask = NDArray[np.bool_]

_LETTER_PIXELS: Final = (6, 160)
"""Pixels: least and greatest height of a component that counts when the letter height is measured."""
_MIN_LETTER_WIDTH_PIXELS: Final = 3
_MIN_LETTER_AREA_PIXELS: Final = 12
_MAX_LETTER_ASPECT: Final = 8
"""Width of such a component in its heights: what is longer is a rule or a joined line."""
_MIN_LETTER_FILL: Final = 0.08
"""Share of its box that such a component inks: a frame inks less."""

_MAX_SINGLE_LETTER_PIXELS: Final = 500
"""Height of a component that is alone on the page and counts as a letter at most."""
_MIN_SINGLE_LETTER_PIXELS: Final = 10
_SINGLE_LETTER_ASPECT: Final = (0.3, 3)
_MAX_SINGLE_LETTER_FILL: Final = 0.6
"""Height, widths in its heights and filled share of its box of a letter that is alone on a page."""

_MAX_SPECK: Final = 0.2
"""Greatest extent of a speck."""
_MIN_AREA_PIXELS: Final = 3
_MAX_WRITING: Final = (6, 40)
"""Height and width beyond which a component is a frame or a blot."""
_LONG_RULE: Final = 4
"""Width from which a component that is thin on the average is the remains of a rule."""
_RULE_THICKNESS: Final = 0.22
"""Average thickness below which it is."""
_SHORT_RULE: Final = (2, 0.3)
"""Width from which and height below which a component is the remains of a rule."""
_UPRIGHT: Final = (3, 0.5)
"""Height from which and width below which a component is an upright rule."""

_EDGE_PIXELS: Final = 1
"""A component that comes this near to the image's edge runs out of it."""
_MAX_AT_EDGE: Final = 2.5
"""Extent from which such a component is the edge of the paper, the table or a shadow."""

_LETTERING_HEIGHT: Final = (0.45, 3.5)
_LETTERING_WIDTH: Final = (0.12, 15)
"""Heights and widths of letters and of joined letters."""
_MAX_LETTERING_FILL: Final = 0.75
"""Share of its box that a component of letters inks at most; a filled area inks more."""
_THIN_LETTERING: Final = 0.5
"""Extent below which a component counts as letters however much of its box it inks, as vav and yod do."""

_LONG_STROKE: Final = 2.2
"""Width from which a component may be a stroke that is no writing."""
_TALL_STROKE: Final = 4.5
"""Height from which it may be one: a final nun can be a straight stroke of three letter heights."""
_MAX_STROKE_STRAY: Final = 0.12
"""Root mean square distance of such a stroke's ink from its course."""
_MAX_STROKE_SLOPE: Final = 0.2
"""Rise of such a stroke as a share of its length: pages are less askew, strokes of letters slant more."""
_STROKE_RISE: Final = (2, 98)
"""Percentiles of a stroke's course between which its rise is measured."""


_LONG_CURVE: Final = 5
"""Length from which a component of a single stroke is part of a drawing, such as an arc."""
_WIDE_CURVE: Final = 2.5
"""Extent in both directions from which it is, as a quarter of a circle that was divided as a rule."""
_MAX_CURVE_RUNS: Final = 1.1
"""Strokes that each column along such a curve crosses on the average at most."""


@dataclass(frozen=True, slots=True, eq=False)
class Components:
    """The connected components (8 neighbours) of a mask, numbered from 1; 0 is the background."""

    labels: NDArray[np.int32]
    """Number of each pixel's component, shape (height, width)."""
    boxes: NDArray[np.int32]
    """OpenCV's statistics, shape (count, 5): left, top, width, height, area in pixels; row 0 is the
    background."""
    centres: NDArray[np.float64]
    """Centroids (x, y), shape (count, 2)."""

    @classmethod
    def of(cls, mask: NDArray[np.uint8]) -> Self:
        """Label a mask, shape (height, width), whose pixels are 0 or not."""
        _, labels, boxes, centres = cv2.connectedComponentsWithStatsWithAlgorithm(
            mask, 8, cv2.CV_32S, cv2.CCL_GRANA
        )  # the default algorithm takes three times as long
        return cls(np.asarray(labels, dtype=np.int32), np.asarray(boxes, dtype=np.int32), np.asarray(centres))

    @property
    def widths(self) -> NDArray[np.int32]:
        """Return the width of each component's box."""
        return self.boxes[:, cv2.CC_STAT_WIDTH]

    @property
    def heights(self) -> NDArray[np.int32]:
        """Return the height of each component's box."""
        return self.boxes[:, cv2.CC_STAT_HEIGHT]

    @property
    def areas(self) -> NDArray[np.int32]:
        """Return the number of pixels of each component."""
        return self.boxes[:, cv2.CC_STAT_AREA]

    def part(self, number: int) -> Mask:
        """Return one component in its box."""
        left, top, width, height, _ = self.boxes[number]
        return np.asarray(self.labels[top : top + height, left : left + width] == number, dtype=np.bool_)


def letter_height(components: Components) -> float:
    """Return the usual height of a letter in pixels, 0 without a letter.

    It is the median of the likely letters' heights, weighted by the square root of their areas. A component
    alone on the page must not be filled like a stain or thin like a stroke.
    """
    heights, widths, areas = components.heights, components.widths, components.areas
    shaped = (
        (heights >= _LETTER_PIXELS[0])
        & (widths >= _MIN_LETTER_WIDTH_PIXELS)
        & (widths < _MAX_LETTER_ASPECT * heights)
        & (areas > _MIN_LETTER_AREA_PIXELS)
        & (areas > _MIN_LETTER_FILL * heights * widths)
    )
    shaped[0] = False
    likely = shaped & (heights <= _LETTER_PIXELS[1])
    if np.count_nonzero(likely) < 2:
        likely = (
            shaped
            & (heights >= _MIN_SINGLE_LETTER_PIXELS)
            & (heights <= _MAX_SINGLE_LETTER_PIXELS)
            & (widths >= _SINGLE_LETTER_ASPECT[0] * heights)
            & (widths <= _SINGLE_LETTER_ASPECT[1] * heights)
            & (areas <= _MAX_SINGLE_LETTER_FILL * heights * widths)
        )
    if not likely.any():
        return 0.0
    sizes, weights = heights[likely].astype(np.float64), np.sqrt(areas[likely].astype(np.float64))
    order = np.argsort(sizes)
    middle = np.searchsorted(np.cumsum(weights[order]), weights.sum() / 2)
    return float(sizes[order][middle])


def writing(components: Components, letter: float) -> Mask:
    """Return for each component whether it is writing; `letter` is the letter height in pixels."""
    selected = _is_sized_as_writing(components, letter) & ~_is_cut_off(components, letter)
    selected[0] = False
    long = (components.widths > _LONG_STROKE * letter) | (components.heights > _TALL_STROKE * letter)
    for number in np.flatnonzero(selected & long):
        part = components.part(int(number))
        selected[number] = not (_is_stroke(part, letter) or _is_curve(part, letter))
    return selected


def lettering(components: Components, letter: float) -> Mask:
    """Return for each component whether it has the size of letters and is no filled area."""
    heights, widths, areas = components.heights, components.widths, components.areas
    sized = (
        (heights >= _LETTERING_HEIGHT[0] * letter)
        & (heights <= _LETTERING_HEIGHT[1] * letter)
        & (widths >= _LETTERING_WIDTH[0] * letter)
        & (widths <= _LETTERING_WIDTH[1] * letter)
    )
    drawn = (areas < _MAX_LETTERING_FILL * heights * widths) | (
        np.minimum(heights, widths) < _THIN_LETTERING * letter
    )
    return np.asarray(sized & drawn, dtype=np.bool_)


def _is_sized_as_writing(components: Components, letter: float) -> Mask:
    """Return which components are neither specks nor blots nor frames nor remains of rules."""
    heights, widths, areas = components.heights, components.widths, components.areas
    speck = (np.maximum(heights, widths) < _MAX_SPECK * letter) | (areas < _MIN_AREA_PIXELS)
    frame = (heights > _MAX_WRITING[0] * letter) | (widths > _MAX_WRITING[1] * letter)
    long_rule = (widths > _LONG_RULE * letter) & (areas < _RULE_THICKNESS * letter * widths)
    short_rule = (widths > _SHORT_RULE[0] * letter) & (heights < _SHORT_RULE[1] * letter)
    upright = (heights > _UPRIGHT[0] * letter) & (widths < _UPRIGHT[1] * letter)
    return np.asarray(~(speck | frame | long_rule | short_rule | upright), dtype=np.bool_)


def _is_cut_off(components: Components, letter: float) -> Mask:
    """Return which components are big and run out of the image."""
    height, width = components.labels.shape
    left, top = components.boxes[:, cv2.CC_STAT_LEFT], components.boxes[:, cv2.CC_STAT_TOP]
    right, bottom = left + components.widths, top + components.heights
    touching = (
        (left <= _EDGE_PIXELS)
        | (top <= _EDGE_PIXELS)
        | (right >= width - _EDGE_PIXELS)
        | (bottom >= height - _EDGE_PIXELS)
    )
    extents = np.maximum(components.heights, components.widths)
    return np.asarray(touching & (extents > _MAX_AT_EDGE * letter), dtype=np.bool_)


def _is_stroke(part: Mask, letter: float) -> bool:
    """Return whether a component is one long straight or bowed stroke: the edge of paper, a fold or a rule.

    All its ink keeps to one course, a parabola; the ink of a word that is struck through does so on the
    average only. A stroke that slants belongs to a letter.
    """
    along = part if part.shape[1] >= part.shape[0] else part.T
    rows, columns = np.nonzero(along)
    if _spread_in_columns(rows, columns) >= (_MAX_STROKE_STRAY * letter) ** 2:
        return False
    course = np.polyval(np.polyfit(columns, rows, 2), columns)
    top, bottom = np.percentile(course, _STROKE_RISE)
    stray = np.sqrt(np.mean((rows - course) ** 2))
    return bool(stray < _MAX_STROKE_STRAY * letter and bottom - top < _MAX_STROKE_SLOPE * along.shape[1])


def _is_curve(part: Mask, letter: float) -> bool:
    """Return whether a long component is one stroke however bowed: an arc, a brace or a wave.

    The columns of joined letters cross several strokes.
    """
    along = part if part.shape[1] >= part.shape[0] else part.T
    if along.shape[1] < _LONG_CURVE * letter and along.shape[0] < _WIDE_CURVE * letter:
        return False
    runs = np.count_nonzero(along[0]) + np.count_nonzero(along[1:] & ~along[:-1])
    return bool(runs <= _MAX_CURVE_RUNS * along.shape[1])


def _spread_in_columns(rows: NDArray[np.intp], columns: NDArray[np.intp]) -> float:
    """Return the mean squared distance of ink from the middle of its column: no course has a smaller one."""
    counts = np.bincount(columns)
    sums = np.bincount(columns, rows)[counts > 0]
    return float((np.square(rows, dtype=np.float64).sum() - (sums**2 / counts[counts > 0]).sum()) / len(rows))
