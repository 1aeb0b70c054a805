"""Rules, squares, margins and frames on paper: found by their length, erased without cutting letters."""

from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

_LENGTH: Final = 90
"""Working pixels that a rule runs on at least: more than a dash or the roof of a letter."""
_THICKNESS: Final = 9
"""Working pixels of thickness from which a stroke is no rule."""
_THICKER: Final = 3
"""Working pixels by which a stroke that is thicker than the page's usual rule is a letter's."""
_SLOPES: Final = (0.0, -0.045, 0.045, -0.09, 0.09)
"""Slopes at which rules are sought: a sheet photographed askew has them up to about five degrees."""
_FAINT: Final = 8
"""Grey levels by which a rule is darker than the paper above and below: half of a printer's faintest grey."""


def without_rules(mask: NDArray[np.uint8], flat: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Erase from a page's ink (`mask`) the rules of its flattened grey (`flat`), level or a little askew.

    Beside letters a rule's contrast is too faint to be ink, and its run breaks there: it is followed through
    all that is thin and darker than the paper at its two sides.
    """
    upright = np.ascontiguousarray(flat.T)
    level, standing = mask | _thin(flat), np.ascontiguousarray(mask.T) | _thin(upright)
    rules, posts = np.zeros_like(level), np.zeros_like(standing)
    for slope in _SLOPES:
        rules |= _level_rules(level, slope)
        posts |= _level_rules(standing, slope)
    kept = _healed(mask, rules)
    return np.ascontiguousarray(_healed(np.ascontiguousarray(kept.T), posts).T)


def _thin(flat: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Mark what is thin from top to bottom and darker than the paper on both sides."""
    hollow = cv2.morphologyEx(flat, cv2.MORPH_BLACKHAT, np.ones((_THICKNESS, 1), np.uint8))
    return np.asarray(hollow >= _FAINT, dtype=np.uint8)


def _usual_thickness(strokes: NDArray[np.uint8]) -> int:
    """Return the median height of the marked runs of all columns."""
    edges = np.diff(np.pad(strokes.astype(np.int8), ((1, 1), (0, 0))), axis=0).T
    heights = np.nonzero(edges == -1)[1] - np.nonzero(edges == 1)[1]
    return int(np.median(heights)) if heights.size else 0


def _healed(mask: NDArray[np.uint8], rules: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Erase level rules, but where ink stands above and below: there a letter crosses the rule."""
    kept = np.asarray(np.where(rules > 0, 0, mask), dtype=np.uint8)
    closed = cv2.morphologyEx(kept, cv2.MORPH_CLOSE, np.ones((_THICKNESS, 1), np.uint8))
    return kept | (np.asarray(closed, dtype=np.uint8) & mask)


def _level_rules(mask: NDArray[np.uint8], slope: float) -> NDArray[np.uint8]:
    """Mark the long thin strokes that run along the rows of a mask sheared by `slope`."""
    size = mask.shape[::-1]
    shear = np.array([[1, 0, 0], [slope, 1, -slope * size[0] / 2]], dtype=np.float32)
    level = cv2.warpAffine(mask, shear, size, flags=cv2.INTER_NEAREST) if slope else mask
    # A photographed rule wavers by a pixel: bridge it first.
    bridged = cv2.dilate(level, np.ones((3, 1), np.uint8))
    opened = cv2.morphologyEx(bridged, cv2.MORPH_OPEN, np.ones((1, _LENGTH), np.uint8))
    strokes = np.asarray(opened, dtype=np.uint8)
    thickness = min(_THICKNESS, _usual_thickness(strokes) + _THICKER)
    solid = cv2.morphologyEx(strokes, cv2.MORPH_OPEN, np.ones((thickness, 1), np.uint8))
    rules = np.asarray((strokes > 0) & (solid == 0), dtype=np.uint8)
    if not slope:
        return rules
    back = shear * np.array([[1, 1, 1], [-1, 1, -1]], dtype=np.float32)
    return np.asarray(cv2.warpAffine(rules, back, size, flags=cv2.INTER_NEAREST), dtype=np.uint8)
