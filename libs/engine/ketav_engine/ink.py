"""A page's ink at one working size: paper flattened, rules and specks gone, letters measured."""

from dataclasses import dataclass
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

from ketav_engine.domain import Image

WORK_SIZE: Final = 1600
"""Pixels: the longer side of a page while its lines are sought."""
_MAX_ENLARGEMENT: Final = 2.5
_LEAST_CONTRAST: Final = 18
_LEAST_STEP: Final = 9
_LONG_STROKE: Final = 2.2
"""Letters of length from which a component that lies may be a stroke that is no writing."""
_TALL_STROKE: Final = 4.5
"""Letters of length for one that stands: a final nun may be a straight stroke of three."""
_STRAIGHT: Final = 0.12
"""Letters that such a stroke strays from its course."""
_RULE_LENGTH: Final = 90
_RULE_THICKNESS: Final = 9
_RULE_SLOPES: Final = (0.0, -0.045, 0.045, -0.09, 0.09)
"""Slopes at which rules are sought: a sheet photographed askew has them up to about five degrees."""


@dataclass(frozen=True, slots=True, eq=False)
class PageInk:
    """The ink of a page."""

    mask: NDArray[np.uint8]
    """1 where there is ink of letters, shape (height, width) at the working size."""
    letters: NDArray[np.uint8]
    """1 where the ink is shaped like letters or joined letters: what a line must hold."""
    scale: float
    """Working pixels per image pixel."""
    letter: float
    """Usual height of a letter in working pixels; 0 on a page without letters."""


def find_ink(grey: Image) -> PageInk:
    """Find the ink of a grey page; none on a blank one."""
    scale = min(WORK_SIZE / max(grey.shape), _MAX_ENLARGEMENT)
    size = (max(1, round(grey.shape[1] * scale)), max(1, round(grey.shape[0] * scale)))
    work = cv2.resize(grey, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR)
    paper = _paper(work)
    flat = np.asarray(cv2.divide(work, paper, scale=255), dtype=np.uint8)
    mask = _without_rules(_threshold(flat, paper))
    count, marks, raw, _ = cv2.connectedComponentsWithStats(mask, connectivity=8)
    stats = np.asarray(raw, dtype=np.int32)
    letter = letter_height(stats[1:])
    if count <= 1 or letter == 0:
        return PageInk(np.zeros_like(mask), np.zeros_like(mask), scale, 0.0)
    keep, lettered = np.zeros(count, dtype=np.uint8), np.zeros(count, dtype=np.uint8)
    keep[1:] = _is_writing(stats[1:], letter) & ~_is_cut_off(stats[1:], letter, mask.shape)
    for mark in np.flatnonzero(keep):
        left, top, width, height, _ = stats[mark]
        if width > _LONG_STROKE * letter or height > _TALL_STROKE * letter:
            part = marks[top : top + height, left : left + width] == mark
            keep[mark] = not _is_stroke(part if width >= height else part.T, letter)
    lettered[1:] = keep[1:] & _is_lettering(stats[1:], letter)
    return PageInk(keep[marks], lettered[marks], scale, letter)


def letter_height(stats: NDArray[np.int32]) -> float:
    """Return the usual height of a letter among connected components (OpenCV's statistics), 0 without any."""
    tall, wide, area = stats[:, cv2.CC_STAT_HEIGHT], stats[:, cv2.CC_STAT_WIDTH], stats[:, cv2.CC_STAT_AREA]
    likely = (
        (tall >= 6)
        & (tall <= 160)
        & (wide >= 3)
        & (wide < 8 * tall)
        & (area > 12)
        & (area > 0.08 * tall * wide)
    )
    if np.count_nonzero(likely) < 2:
        return 0.0
    heights, weights = tall[likely].astype(np.float64), np.sqrt(area[likely].astype(np.float64))
    order = np.argsort(heights)
    middle = np.searchsorted(np.cumsum(weights[order]), weights.sum() / 2)
    return float(heights[order][middle])


def _paper(grey: Any) -> NDArray[np.uint8]:  # noqa: ANN401
    """Return the local paper of a page: dividing by it makes shadows, stains and coloured sheets white."""
    height, width = grey.shape
    small = cv2.resize(grey, (max(1, width // 8), max(1, height // 8)), interpolation=cv2.INTER_AREA)
    paper = cv2.medianBlur(cv2.dilate(small, np.ones((5, 5), np.uint8)), 11)
    wide = cv2.resize(paper, (width, height), interpolation=cv2.INTER_LINEAR)
    return np.asarray(np.maximum(wide, 1), dtype=np.uint8)


def _threshold(flat: NDArray[np.uint8], paper: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Mark what is clearly darker than the paper around it, by the contrast that this page's ink has.

    On a dark table a small difference is a large share: `_LEAST_STEP` grey levels are asked for besides.
    """
    around = cv2.GaussianBlur(flat, (0, 0), 12)
    depth = cv2.subtract(around, flat)
    strong = depth[depth > _LEAST_CONTRAST]
    if strong.size < 20:
        return np.zeros_like(flat)
    level, _ = cv2.threshold(strong.reshape(1, -1), 0, 255, cv2.THRESH_BINARY + cv2.THRESH_OTSU)
    least = max(_LEAST_CONTRAST, 0.45 * level)
    solid = (flat < 110) & (around < 170)
    seen = cv2.multiply(depth, paper, scale=1 / 255) >= _LEAST_STEP
    return np.asarray(((depth > least) | solid) & (seen | (paper > 2 * _LEAST_STEP) & solid), dtype=np.uint8)


def _without_rules(mask: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Erase long thin straight strokes: ruled and squared paper, margins, frames, level or a little askew."""
    rules = np.zeros_like(mask)
    for slope in _RULE_SLOPES:
        rules |= _level_rules(mask, slope)
        rules |= _level_rules(np.ascontiguousarray(mask.T), slope).T
    return np.asarray(np.where(rules > 0, 0, mask), dtype=np.uint8)


def _level_rules(mask: NDArray[np.uint8], slope: float) -> NDArray[np.uint8]:
    """Mark the long thin strokes that run along the rows of a mask sheared by `slope`."""
    size = mask.shape[::-1]
    shear = np.array([[1, 0, 0], [slope, 1, -slope * size[0] / 2]], dtype=np.float32)
    level = cv2.warpAffine(mask, shear, size, flags=cv2.INTER_NEAREST) if slope else mask
    # A photographed rule wavers by a pixel: bridge it first.
    bridged = cv2.dilate(level, np.ones((3, 1), np.uint8))
    strokes = cv2.morphologyEx(bridged, cv2.MORPH_OPEN, np.ones((1, _RULE_LENGTH), np.uint8))
    solid = cv2.morphologyEx(strokes, cv2.MORPH_OPEN, np.ones((_RULE_THICKNESS, 1), np.uint8))
    rules = np.asarray((strokes > 0) & (solid == 0), dtype=np.uint8)
    if not slope:
        return rules
    back = shear * np.array([[1, 1, 1], [-1, 1, -1]], dtype=np.float32)
    return np.asarray(cv2.warpAffine(rules, back, size, flags=cv2.INTER_NEAREST), dtype=np.uint8)


def _is_stroke(part: NDArray[np.bool_], letter: float) -> bool:
    """Tell whether a component is one long stroke, straight or bowed: a sheet's edge, a fold, a rule."""
    columns = np.flatnonzero(part.any(axis=0))
    counts = part[:, columns].sum(axis=0)
    middles = (part[:, columns] * np.arange(part.shape[0])[:, None]).sum(axis=0) / counts
    course = np.polyval(np.polyfit(columns, middles, 2), columns)
    return bool(np.sqrt(np.mean((middles - course) ** 2)) < _STRAIGHT * letter)


def _is_writing(stats: NDArray[np.int32], letter: float) -> NDArray[np.bool_]:
    """Tell which components can be writing: neither specks nor blots nor frames nor remains of rules."""
    tall, wide, area = stats[:, cv2.CC_STAT_HEIGHT], stats[:, cv2.CC_STAT_WIDTH], stats[:, cv2.CC_STAT_AREA]
    speck = (np.maximum(tall, wide) < 0.2 * letter) | (area < 3)
    frame = (tall > 6 * letter) | (wide > 40 * letter)
    rule = (wide > 4 * letter) & (area < 0.22 * letter * wide) | (wide > 2 * letter) & (tall < 0.3 * letter)
    upright = (tall > 3 * letter) & (wide < 0.5 * letter)
    return np.asarray(~(speck | frame | rule | upright), dtype=np.bool_)


def _is_cut_off(stats: NDArray[np.int32], letter: float, shape: tuple[int, ...]) -> NDArray[np.bool_]:
    """Tell which components are big and run out of the image: the sheet's edge, the table, a shadow."""
    left, top = stats[:, cv2.CC_STAT_LEFT], stats[:, cv2.CC_STAT_TOP]
    tall, wide = stats[:, cv2.CC_STAT_HEIGHT], stats[:, cv2.CC_STAT_WIDTH]
    touching = (left <= 1) | (top <= 1) | (left + wide >= shape[1] - 1) | (top + tall >= shape[0] - 1)
    return np.asarray(touching & (np.maximum(tall, wide) > 2.5 * letter), dtype=np.bool_)


def _is_lettering(stats: NDArray[np.int32], letter: float) -> NDArray[np.bool_]:
    """Tell which components have the size of a letter or of joined letters, and are not filled areas."""
    tall, wide, area = stats[:, cv2.CC_STAT_HEIGHT], stats[:, cv2.CC_STAT_WIDTH], stats[:, cv2.CC_STAT_AREA]
    sized = (tall >= 0.45 * letter) & (tall <= 3.5 * letter) & (wide >= 0.12 * letter) & (wide <= 15 * letter)
    drawn = (area < 0.75 * tall * wide) | (np.minimum(tall, wide) < 0.5 * letter)
    return np.asarray(sized & drawn, dtype=np.bool_)
