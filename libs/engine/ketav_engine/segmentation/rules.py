"""Rules, squares, margins and frames on paper: found by their length, erased without cutting letters.

Pixels are those of the working size (`ink.WORK_SIZE`). Constants without a reason of their own were set
together on the synthetic pages of docs/segmentation.md.
"""

from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

_MIN_LENGTH: Final = 90
"""Pixels that a rule is long at least: more than a dash or the roof of a letter."""
_MAX_THICKNESS: Final = 9
"""Pixels of thickness from which a stroke is no rule."""
_EXTRA_THICKNESS: Final = 3
"""Pixels by which a stroke that is thicker than the usual rule of the page belongs to a letter."""
_CELL: Final = 4
"""Columns that are examined together, in a quarter of the time: a rule ends where not all of them do."""
_WAVER: Final = 3
"""Pixels of a vertical dilation that closes the steps of a photographed rule, which wavers by one."""
_SLOPES: Final = (0.0, -0.045, 0.045, -0.09, 0.09)
"""Slopes at which rules are searched for: photographed pages are askew by up to about five degrees."""
_MIN_CONTRAST: Final = 8
"""Grey levels by which a rule is darker than the paper above and below: half of the faintest printed rule."""


def without_rules(mask: NDArray[np.uint8], flat: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return the ink (`mask`) of a page without its rules, level or upright, both up to five degrees askew.

    `flat` is the flattened grey page. Next to letters a rule's contrast is too faint for ink, so that its run
    breaks: it is followed through everything that is thin and darker than the paper on its two sides.
    """
    level_rules = _rules(mask | _thin(flat))
    upright = np.asarray(cv2.transpose(mask), dtype=np.uint8)
    upright_rules = _rules(upright | _thin(np.asarray(cv2.transpose(flat), dtype=np.uint8)))
    erased = _erase(mask, level_rules)
    upright = np.asarray(cv2.transpose(erased), dtype=np.uint8)
    return np.asarray(cv2.transpose(_erase(upright, upright_rules)), dtype=np.uint8)


def _rules(mask: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Mark the level rules of a mask, up to five degrees askew.

    They are sought on cells of `_CELL` columns, which are marked where all their pixels are.
    """
    bridged = cv2.dilate(mask, np.ones((_WAVER, 1), np.uint8))
    whole = cv2.erode(bridged, np.ones((1, _CELL), np.uint8), anchor=(0, 0), borderValue=0)
    cells = np.ascontiguousarray(np.asarray(whole, dtype=np.uint8)[:, ::_CELL])
    rules = np.zeros_like(cells)
    for slope in _SLOPES:
        rules |= _level_rules(cells, slope * _CELL)
    wide = np.repeat(cv2.dilate(rules, np.ones((1, 3), np.uint8)), _CELL, axis=1)
    return np.ascontiguousarray(wide[:, : mask.shape[1]])


def _thin(flat: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Mark the pixels that are thin from top to bottom and darker than the paper on both sides."""
    contrast = cv2.morphologyEx(flat, cv2.MORPH_BLACKHAT, np.ones((_MAX_THICKNESS, 1), np.uint8))
    return np.asarray(contrast >= _MIN_CONTRAST, dtype=np.uint8)


def _usual_thickness(strokes: NDArray[np.uint8]) -> int:
    """Return the median height in pixels of the marked runs of all columns, 0 without any."""
    columns = np.pad(cv2.transpose(strokes), ((0, 0), (1, 1))).ravel()
    inside, following = columns[:-1], columns[1:]
    heights = np.flatnonzero(inside > following) - np.flatnonzero(inside < following)
    return int(np.median(heights)) if heights.size else 0


def _erase(mask: NDArray[np.uint8], rules: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Erase level rules except between ink above and ink below, where a letter crosses the rule."""
    erased = np.asarray(np.where(rules > 0, 0, mask), dtype=np.uint8)
    closed = cv2.morphologyEx(erased, cv2.MORPH_CLOSE, np.ones((_MAX_THICKNESS, 1), np.uint8))
    return erased | (np.asarray(closed, dtype=np.uint8) & mask)


def _level_rules(mask: NDArray[np.uint8], slope: float) -> NDArray[np.uint8]:
    """Mark the long thin strokes along the rows of cells that are sheared by `slope`, rows a column."""
    size = mask.shape[::-1]
    shear = np.array([[1, 0, 0], [slope, 1, -slope * size[0] / 2]], dtype=np.float32)
    level = cv2.warpAffine(mask, shear, size, flags=cv2.INTER_NEAREST) if slope else mask
    opened = cv2.morphologyEx(level, cv2.MORPH_OPEN, np.ones((1, _MIN_LENGTH // _CELL), np.uint8))
    strokes = np.asarray(opened, dtype=np.uint8)
    if not cv2.countNonZero(strokes):
        return strokes
    thickness = min(_MAX_THICKNESS, _usual_thickness(strokes) + _EXTRA_THICKNESS)
    solid = cv2.morphologyEx(strokes, cv2.MORPH_OPEN, np.ones((thickness, 1), np.uint8))
    rules = np.asarray((strokes > 0) & (solid == 0), dtype=np.uint8)
    if not slope:
        return rules
    back = shear * np.array([[1, 1, 1], [-1, 1, -1]], dtype=np.float32)
    return np.asarray(cv2.warpAffine(rules, back, size, flags=cv2.INTER_NEAREST), dtype=np.uint8)
