"""Ridges of blurred ink: the course of a line or of a part of one.

Lengths are in letter heights. Constants without a reason of their own were set together on the synthetic
pages of docs/segmentation.md.
"""

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from ketav_engine.segmentation.components import Mask
from ketav_engine.segmentation.ink import PageInk
from ketav_engine.segmentation.pieces import Piece, band_ink
from ketav_engine.segmentation.reduction import reduced

_BLUR: Final = (1.6, 0.3)
"""Standard deviations of the blur of the ink along and across the writing: it joins letters and parts
lines."""
_SURROUNDINGS: Final = 0.8
"""Standard deviation across the writing of the surroundings that a ridge rises above."""
_MIN_SIGMA_PIXELS: Final = 2
"""Standard deviation of the blur across the writing after the ink is reduced: enough for a smooth ridge."""
_HIGHEST: Final = 97
"""Percentile of the ridges' heights that counts as the highest of the page."""
_BASE_LEVEL: Final = 0.12
"""Height of a ridge as a share of the page's highest: spaces between words and faint words stay in it."""
_SPLIT_LEVELS: Final = (0.2, 0.3, 0.42, 0.6)
"""Heights at which a ridge that holds two lines is split: letters that touch a neighbouring line make a low
saddle."""
_MIN_RIDGE_WIDTH: Final = 0.8
_MIN_SPLIT_HEIGHT: Final = 1.2
"""Height of a ridge from which it may hold two lines."""
_MIN_OVERLAP: Final = 2.0
"""Width over which two ridges run one above the other for them to be two lines: about a word."""

Field = NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class _Ridges:
    """The ridges of a page on a reduced page."""

    heights: Field
    """Height of each reduced pixel's ridge as a share of the page's highest."""
    reduction: int
    """Working pixels of a side of a reduced pixel."""
    letter: float
    """Letter height in reduced pixels."""


def pieces(ink: PageInk) -> list[Piece]:
    """Follow the ridges of blurred ink: the rows that are denser than the rows a letter above and below."""
    ridges = _ridges(ink)
    above = (ridges.heights > _BASE_LEVEL).astype(np.uint8)
    count, labels, boxes, _ = cv2.connectedComponentsWithStats(above, connectivity=4)
    courses: list[Piece] = []
    for number in range(1, count):
        left, top, width, height, _ = boxes[number]
        if width < _MIN_RIDGE_WIDTH * ridges.letter:
            continue
        window = slice(top, top + height), slice(left, left + width)
        parts = _split(ridges.heights[window], labels[window] == number, ridges.letter, _SPLIT_LEVELS)
        courses += [
            _trim(_course(ridges.heights[window], part, (int(left), int(top)), ridges.reduction), ink)
            for part in parts
        ]
    return [piece for piece in courses if piece.width > 0]


def _ridges(ink: PageInk) -> _Ridges:
    """Return the ridges of a page, reduced as far as they stay smooth."""
    reduction = max(1, int(_BLUR[1] * ink.letter / _MIN_SIGMA_PIXELS))
    mask = reduced(ink.mask * np.uint8(255), reduction).astype(np.float32)
    letter = ink.letter / reduction
    density = cv2.GaussianBlur(mask, (0, 0), sigmaX=_BLUR[0] * letter, sigmaY=_BLUR[1] * letter)
    column = np.ones((1, 1), np.float32)
    kernel = cv2.getGaussianKernel(
        2 * round(4 * _SURROUNDINGS * letter) + 1, _SURROUNDINGS * letter, cv2.CV_32F
    )
    ridge = np.asarray(density - cv2.sepFilter2D(density, cv2.CV_32F, column, kernel), dtype=np.float32)
    highest = float(np.percentile(ridge[ridge > 0], _HIGHEST)) if (ridge > 0).any() else 1.0
    return _Ridges(ridge / highest, reduction, letter)


def _split(ridge: Field, inside: Mask, letter: float, levels: tuple[float, ...]) -> list[Mask]:
    """Split the lines that a ridge holds: above one of the levels each is a ridge of its own."""
    if not levels or inside.shape[0] < _MIN_SPLIT_HEIGHT * letter:
        return [inside]
    higher = (inside & (ridge > levels[0])).astype(np.uint8)
    count, labels, boxes, _ = cv2.connectedComponentsWithStats(higher, connectivity=8)
    wide = [n for n in range(1, count) if boxes[n, cv2.CC_STAT_WIDTH] >= _MIN_OVERLAP * letter]
    columns = [(labels == number).any(axis=0) for number in wide]
    ridges_by_column = np.sum(columns, axis=0, initial=0, dtype=np.int64)
    if np.count_nonzero(ridges_by_column > 1) < _MIN_OVERLAP * letter:
        return _split(ridge, inside, letter, levels[1:])
    seeds = np.where(np.isin(labels, wide), 0, 1).astype(np.uint8)
    _, nearest = cv2.distanceTransformWithLabels(seeds, cv2.DIST_L2, 5)
    parts = [inside & (nearest == nearest[labels == number][0]) for number in wide]
    return [deeper for part in parts for deeper in _split(ridge, part, letter, levels[1:])]


def _course(ridge: Field, inside: Mask, corner: tuple[int, int], reduction: int) -> Piece:
    """Return the middles of a part of a ridge in working pixels; `corner` (left, top) is its window's."""
    columns = np.flatnonzero(inside.any(axis=0))
    weights = np.where(inside, ridge, 0)[:, columns]
    rows = (weights * np.arange(len(weights), dtype=np.float32)[:, None]).sum(axis=0) / weights.sum(axis=0)
    xs, ys = ((corner[axis] + values + 0.5) * reduction - 0.5 for axis, values in enumerate((columns, rows)))
    first, last = (int(corner[0] + edge) * reduction for edge in (columns[0], columns[-1] + 1))
    return Piece(first, np.interp(np.arange(first, last), xs, ys).astype(np.float32))


def _trim(piece: Piece, ink: PageInk) -> Piece:
    """Cut a piece to the columns whose band holds lettering: blurring and reducing lengthened it."""
    piece = piece.part(0, ink.mask.shape[1] - piece.left)
    inked = np.flatnonzero(band_ink(piece, ink.letter_band))
    if inked.size == 0:
        return piece.part(0, 0)
    return piece.part(int(inked[0]), int(inked[-1]) + 1)
