"""A page's ink at one working size: paper flattened, rules and specks gone, letters measured."""

from dataclasses import dataclass
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

from ketav_engine.domain import Image
from ketav_engine.segmentation.rules import without_rules

WORK_SIZE: Final = 1600
"""Pixels: the longer side of a page while its lines are sought."""
_MAX_ENLARGEMENT: Final = 2.5
_LEAST_CONTRAST: Final = 18
_LEAST_STEP: Final = 9
_THIN: Final = 0.22
"""Share of the ink's usual contrast that a thin stroke still has beside the thick ones that it joins."""
_LONG_STROKE: Final = 2.2
"""Letters of length from which a component that lies may be a stroke that is no writing."""
_TALL_STROKE: Final = 4.5
"""Letters of length for one that stands: a final nun may be a straight stroke of three."""
_STRAIGHT: Final = 0.12
"""Letters that such a stroke strays from its course."""
_SLANT: Final = 0.2
"""Rise of such a stroke in its length at most: sheets lie less askew, strokes of letters slant more."""


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
    strength: NDArray[np.float32]
    """How much darker each pixel is than the paper, in grey levels and as a share: their geometric mean."""


def find_ink(grey: Image) -> PageInk:
    """Find the ink of a grey page; none on a blank one."""
    scale = min(WORK_SIZE / max(grey.shape), _MAX_ENLARGEMENT)
    size = (max(1, round(grey.shape[1] * scale)), max(1, round(grey.shape[0] * scale)))
    work = cv2.resize(grey, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR)
    paper = _paper(work)
    flat = np.asarray(cv2.divide(work, paper, scale=255), dtype=np.uint8)
    strength = np.sqrt(cv2.subtract(paper, work).astype(np.float32) * (255 - flat))
    mask = without_rules(_threshold(flat, paper), flat)
    count, marks, raw, _ = cv2.connectedComponentsWithStats(mask, connectivity=8)
    stats = np.asarray(raw, dtype=np.int32)
    letter = letter_height(stats[1:])
    if count <= 1 or letter == 0:
        return PageInk(np.zeros_like(mask), np.zeros_like(mask), scale, 0.0, strength)
    keep, lettered = np.zeros(count, dtype=np.uint8), np.zeros(count, dtype=np.uint8)
    keep[1:] = _is_writing(stats[1:], letter) & ~_is_cut_off(stats[1:], letter, mask.shape)
    for mark in np.flatnonzero(keep):
        left, top, width, height, _ = stats[mark]
        if width > _LONG_STROKE * letter or height > _TALL_STROKE * letter:
            part = marks[top : top + height, left : left + width] == mark
            keep[mark] = not _is_stroke(part if width >= height else part.T, letter)
    lettered[1:] = keep[1:] & _is_lettering(stats[1:], letter)
    return PageInk(keep[marks], lettered[marks], scale, letter, strength)


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
    ink = ((depth > least) | solid) & (seen | (paper > 2 * _LEAST_STEP) & solid)
    return _with_thin_strokes(ink, seen & (depth > max(_LEAST_STEP, _THIN * level)))


def _with_thin_strokes(ink: NDArray[np.bool_], faint: NDArray[np.bool_]) -> NDArray[np.uint8]:
    """Add to ink what is fainter but joins it: the thin strokes of letters that would fall to pieces."""
    count, marks = cv2.connectedComponents((ink | faint).astype(np.uint8), connectivity=8)
    holds = np.zeros(count, dtype=np.uint8)
    holds[marks[ink]] = 1
    return np.asarray(holds[marks] & (ink | faint), dtype=np.uint8)


def _is_stroke(part: NDArray[np.bool_], letter: float) -> bool:
    """Tell whether a component is one long level stroke, straight or bowed: a sheet's edge, a fold, a rule.

    All its ink keeps to one course: a word struck through does so on the average alone. A slanting stroke is
    a letter's.
    """
    rows, columns = np.nonzero(part)
    course = np.polyfit(columns, rows, 2)
    bottom, top = np.percentile(np.polyval(course, columns), [98, 2])
    stray = np.sqrt(np.mean((rows - np.polyval(course, columns)) ** 2))
    return bool(stray < _STRAIGHT * letter and bottom - top < _SLANT * part.shape[1])


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
