"""Cut a line out of a page, levelled along its baseline: the same for training and reading."""

from collections.abc import Sequence
from typing import Final, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from ketav_engine.lines import PAPER, Grey

MAX_CROP: Final = 8192
"""Pixels that a crop is long at most."""
_BEND_KNOTS: Final = 33
"""Points at which a baseline's deviation from its chord is sampled."""
_BEND_SMOOTHING: Final = 5
"""Knots of the moving average that smooths it."""
_MIN_BEND_POINTS: Final = 4
"""With fewer points a baseline is taken as it is."""


class Axis(NamedTuple):
    """The direction of a line: `origin` is its left end, `along` a unit vector to the right end."""

    origin: NDArray[np.float32]
    along: NDArray[np.float32]


def first_column(baseline: Sequence[Sequence[float]], boundary: Sequence[Sequence[float]]) -> int:
    """Return where column 0 of a crop is: pixels along the line from the left end of its baseline."""
    polygon = np.asarray(boundary, dtype=np.float32).reshape(-1, 2)
    axis = _axis(_left_to_right(np.asarray(baseline, dtype=np.float32).reshape(-1, 2), polygon))
    return int(np.floor(((polygon - axis.origin) @ axis.along).min()))


def crop(page: Grey, baseline: Sequence[Sequence[float]], boundary: Sequence[Sequence[float]]) -> Grey:
    """Cut one line out of a grey page, levelled along its baseline.

    `baseline` and `boundary` are (x, y) points in pixels of `page`. Everything outside the boundary gets the
    paper's median grey, because a black outside is read as ink. A line without area gives a blank 1×1 image.
    """
    polygon = np.asarray(boundary, dtype=np.float32).reshape(-1, 2)
    left, top, width, height = _clip_box(polygon, page.shape)
    if width < 2 or height < 2:
        return np.full((1, 1), PAPER, dtype=np.uint8)
    window = page[top : top + height, left : left + width].copy()
    offset = np.array([left, top], dtype=np.float32)
    mask = np.zeros(window.shape, dtype=np.uint8)
    cv2.fillPoly(mask, [np.rint(polygon - offset).astype(np.int32)], 1)
    inside = mask.astype(bool)
    if not inside.any():
        return np.full((1, 1), PAPER, dtype=np.uint8)
    paper = _paper_level(window[inside])
    window[~inside] = paper
    points = np.asarray(baseline, dtype=np.float32).reshape(-1, 2)
    return _level(window, points - offset, polygon - offset, paper)


def _clip_box(polygon: NDArray[np.float32], shape: tuple[int, ...]) -> tuple[int, int, int, int]:
    """Return the box (left, top, width, height) of a polygon, clipped to a page of shape (height, width).

    Width or height are at most 0 if the polygon is outside the page or has fewer than three points.
    """
    if len(polygon) < 3:
        return 0, 0, 0, 0
    left, top = np.floor(polygon.min(axis=0)).clip(0).astype(int)
    right, bottom = np.ceil(polygon.max(axis=0)).astype(int) + 1
    return int(left), int(top), int(min(right, shape[1]) - left), int(min(bottom, shape[0]) - top)


def _paper_level(pixels: Grey) -> int:
    """Return the median of the lighter class of pixels (Otsu 1979)."""
    level, _ = cv2.threshold(pixels.reshape(1, -1), 0, 255, cv2.THRESH_BINARY + cv2.THRESH_OTSU)
    lighter = pixels[pixels > level]
    return int(np.median(lighter if lighter.size else pixels))


def _level(window: Grey, baseline: NDArray[np.float32], polygon: NDArray[np.float32], paper: int) -> Grey:
    """Resample along the baseline: one rotation for the slope, a shift of each column for the bend."""
    points = _left_to_right(baseline, polygon)
    along = _axis(points).along
    across = np.array([-along[1], along[0]], dtype=np.float32)
    u, v = (polygon - points[0]) @ along, (polygon - points[0]) @ across
    bend = _bend((points - points[0]) @ along, (points - points[0]) @ across)
    columns = np.arange(np.floor(u.min()), min(np.ceil(u.max()), u.min() + MAX_CROP) + 1, dtype=np.float32)
    middle = np.interp(columns, *bend).astype(np.float32)
    over = v - np.interp(u, *bend)
    rows = np.arange(
        np.floor(over.min()), min(np.ceil(over.max()), over.min() + MAX_CROP) + 1, dtype=np.float32
    )
    depth = rows[:, None] + middle[None, :]
    x = points[0][0] + columns[None, :] * along[0] + depth * across[0]
    y = points[0][1] + columns[None, :] * along[1] + depth * across[1]
    return np.asarray(
        cv2.remap(window, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT, borderValue=paper),
        dtype=np.uint8,
    )


def _axis(points: NDArray[np.float32]) -> Axis:
    """Return the axis of a baseline from left to right."""
    chord = points[-1] - points[0]
    return Axis(points[0], chord / max(float(np.hypot(*chord)), 1e-6))


def _left_to_right(baseline: NDArray[np.float32], polygon: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return a baseline from left to right; a level one through the polygon where it has no length.

    One that rises or falls steeply has its order: there letters have their tops on its left-hand side.
    """
    if is_steep(baseline):
        return baseline
    points = baseline if len(baseline) > 1 and np.ptp(baseline[:, 0]) >= 1 else _level_baseline(polygon)
    return points if points[-1][0] >= points[0][0] else points[::-1]


def is_steep(baseline: Sequence[Sequence[float]] | NDArray[np.float32]) -> bool:
    """Return whether a baseline rises or falls more than it goes across: the writing is turned."""
    if len(baseline) < 2:
        return False
    (x0, y0), (x1, y1) = baseline[0], baseline[-1]
    return bool(abs(y1 - y0) > abs(x1 - x0))


def _level_baseline(polygon: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return a level baseline through a polygon, for a line whose own has no length."""
    (left, _), (right, _) = polygon.min(axis=0), polygon.max(axis=0)
    middle = float(polygon[:, 1].mean())
    return np.array([[left, middle], [max(right, left + 1), middle]], dtype=np.float32)


def _bend(u: NDArray[np.float32], v: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Smooth a baseline's deviation from its chord: jitter of single points must not shear the letters."""
    order = np.argsort(u, kind="stable")
    if len(u) < _MIN_BEND_POINTS:
        return u[order], v[order]
    knots = np.linspace(u.min(), u.max(), _BEND_KNOTS, dtype=np.float32)
    even = np.interp(knots, u[order], v[order])
    padded = np.pad(even, _BEND_SMOOTHING // 2, mode="reflect", reflect_type="odd")
    average = np.full(_BEND_SMOOTHING, 1 / _BEND_SMOOTHING)
    return knots, np.convolve(padded, average, mode="valid").astype(np.float32)
