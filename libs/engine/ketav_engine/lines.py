"""The one way a line leaves a page: cropping and normalising, shared by training and reading."""

from collections.abc import Sequence
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

Grey = NDArray[np.uint8]
"""A grey image, shape (height, width), 0 is black."""

HEIGHT: Final = 48
"""Pixels of a normalised line unless a model says otherwise."""
CORE: Final = 0.4
"""Share of a normalised line's height that its core band (the letters without ascenders) takes."""
MAX_ASPECT: Final = 48
"""A normalised line is at most this many times as wide as it is high."""
MAX_CROP: Final = 8192
"""Pixels: a crop is at most this long."""

_PAPER: Final = 255
_WORK_HEIGHT: Final = 128
_FAINTEST_INK: Final = 16


def crop(page: Grey, baseline: Sequence[Sequence[float]], boundary: Sequence[Sequence[float]]) -> Grey:
    """Cut one line out of a grey page, levelled along its baseline.

    `baseline` and `boundary` are (x, y) points in pixels of `page`. Everything outside the boundary takes the
    paper's median, because a black outside is read as ink. A line without area gives a blank 1×1 image.
    """
    polygon = np.asarray(boundary, dtype=np.float32).reshape(-1, 2)
    left, top, width, height = _clip_box(polygon, page.shape)
    if width < 2 or height < 2:
        return np.full((1, 1), _PAPER, dtype=np.uint8)
    window = page[top : top + height, left : left + width].copy()
    offset = np.array([left, top], dtype=np.float32)
    mask = np.zeros(window.shape, dtype=np.uint8)
    cv2.fillPoly(mask, [np.rint(polygon - offset).astype(np.int32)], 1)
    inside = mask.astype(bool)
    if not inside.any():
        return np.full((1, 1), _PAPER, dtype=np.uint8)
    paper = _paper_level(window[inside])
    window[~inside] = paper
    return _level(
        window, np.asarray(baseline, dtype=np.float32).reshape(-1, 2) - offset, polygon - offset, paper
    )


def normalise(grey: Grey, height: int = HEIGHT) -> Grey:
    """Bring a line to dark ink on white paper with letters of a constant size.

    Takes a grey crop (h, w) of any size and returns (height, W) uint8, W bounded by `MAX_ASPECT`. The paper
    is flattened, the contrast stretched, and the image scaled so that the core band takes `CORE` of the
    height whatever margins the crop had. A crop without ink gives a white image.
    """
    work = _shrink(np.ascontiguousarray(grey))
    flat, ink = _flatten(work)
    if ink is None:
        width = int(np.clip(round(work.shape[1] * height / work.shape[0]), height, MAX_ASPECT * height))
        return np.full((height, width), _PAPER, dtype=np.uint8)
    core, centre = core_band(ink)
    scale = float(np.clip(CORE * height / core, 0.6 * height / work.shape[0], 2.5 * height / work.shape[0]))
    columns = np.flatnonzero(ink.any(axis=0))
    margin = round(height / 4 / scale)
    half = height / 2 / scale
    rows = (round(centre - half), max(round(centre + half), round(centre - half) + 1))
    window = _window(flat, rows, (int(columns[0]) - margin, int(columns[-1]) + 1 + margin))
    width = int(np.clip(round(window.shape[1] * height / window.shape[0]), 1, MAX_ASPECT * height))
    method = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(window, (width, height), interpolation=method), dtype=np.uint8)


def core_band(ink: NDArray[np.bool_]) -> tuple[float, float]:
    """Estimate height and vertical centre (pixels) of the band that most letters fill.

    Three estimates that err differently are joined by their geometric mean: rows dense in paper-to-ink
    changes (which long strokes and rules do not raise), the spread of those changes, and the median height
    of the connected components.
    """
    height = ink.shape[0]
    changes = np.count_nonzero(np.diff(ink, axis=1), axis=1).astype(np.float64)
    if changes.sum() == 0:
        return height / 2, height / 2
    top, bottom = _dense_rows(changes)
    cumulative = np.cumsum(changes) / changes.sum()
    low, middle, high = np.interp([0.2, 0.5, 0.8], cumulative, np.arange(height))
    estimates = [float(bottom - top), 1.5 * float(high - low)]
    letters = _letter_heights(ink)
    if letters.size:
        estimates.append(float(np.median(letters)))
    core = float(np.exp(np.mean(np.log(np.maximum(estimates, 1.0)))))
    return float(np.clip(core, 0.1 * height, 0.9 * height)), ((top + bottom) / 2 + middle) / 2


def to_tensor(lines: Sequence[Grey], width: int | None = None) -> Any:  # noqa: ANN401
    """Stack normalised lines of one height into a float tensor (N, 1, height, width), ink 1 and paper 0.

    The convention is Kraken's for one-channel networks: scaled to [0, 1] and inverted. Lines are padded with
    paper on the right up to `width`, by default the widest line's.
    """
    import torch

    width = width or max(line.shape[1] for line in lines)
    batch = np.full((len(lines), 1, lines[0].shape[0], width), _PAPER, dtype=np.uint8)
    for index, line in enumerate(lines):
        batch[index, 0, :, : line.shape[1]] = line[:, :width]
    return 1.0 - torch.from_numpy(batch).float() / _PAPER


def _clip_box(polygon: NDArray[np.float32], shape: tuple[int, ...]) -> tuple[int, int, int, int]:
    """Return the box (left, top, width, height) of a polygon, cut to the page."""
    if len(polygon) < 3:
        return 0, 0, 0, 0
    left, top = np.floor(polygon.min(axis=0)).clip(0).astype(int)
    right, bottom = np.ceil(polygon.max(axis=0)).astype(int) + 1
    return int(left), int(top), int(min(right, shape[1]) - left), int(min(bottom, shape[0]) - top)


def _paper_level(pixels: Grey) -> int:
    """Return the median of the lighter class of pixels."""
    level, _ = cv2.threshold(pixels.reshape(1, -1), 0, 255, cv2.THRESH_BINARY + cv2.THRESH_OTSU)
    lighter = pixels[pixels > level]
    return int(np.median(lighter if lighter.size else pixels))


def _level(window: Grey, baseline: NDArray[np.float32], polygon: NDArray[np.float32], paper: int) -> Grey:
    """Resample along the baseline: one rotation for the slope, a shift of each column for the bend."""
    points = baseline if len(baseline) > 1 and np.ptp(baseline[:, 0]) >= 1 else _axis(polygon)
    if points[-1][0] < points[0][0]:
        points = points[::-1]
    course = points[-1] - points[0]
    along = course / max(float(np.hypot(*course)), 1e-6)
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


def _axis(polygon: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return a level axis through a polygon, for a line whose baseline says nothing."""
    (left, _), (right, _) = polygon.min(axis=0), polygon.max(axis=0)
    middle = float(polygon[:, 1].mean())
    return np.array([[left, middle], [max(right, left + 1), middle]], dtype=np.float32)


def _bend(u: NDArray[np.float32], v: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Smooth a baseline's deviation from its chord: jitter of single points must not shear the letters."""
    order = np.argsort(u, kind="stable")
    if len(u) < 4:
        return u[order], v[order]
    knots = np.linspace(u.min(), u.max(), 33, dtype=np.float32)
    even = np.interp(knots, u[order], v[order])
    padded = np.pad(even, 2, mode="reflect", reflect_type="odd")
    return knots, np.convolve(padded, np.full(5, 0.2), mode="valid").astype(np.float32)


def _shrink(grey: Grey) -> Grey:
    """Scale a tall crop down to the working height."""
    height, width = grey.shape
    if height <= _WORK_HEIGHT:
        return grey
    size = (max(1, round(width * _WORK_HEIGHT / height)), _WORK_HEIGHT)
    return np.asarray(cv2.resize(grey, size, interpolation=cv2.INTER_AREA), dtype=np.uint8)


def _flatten(grey: Grey) -> tuple[Grey, NDArray[np.bool_] | None]:
    """Divide by the local paper and stretch the contrast; return the image and its ink, None without any."""
    height, width = grey.shape
    small = cv2.resize(grey, (max(1, width // 4), max(1, height // 4)), interpolation=cv2.INTER_AREA)
    reach = max(3, (height // 8) | 1)
    paper = cv2.blur(cv2.dilate(small, np.ones((reach, reach), np.uint8)), (reach, reach))
    paper = np.maximum(cv2.resize(paper, (width, height), interpolation=cv2.INTER_LINEAR), 1)
    flat = np.asarray(cv2.divide(grey, paper, scale=_PAPER), dtype=np.uint8)
    level, _ = cv2.threshold(flat, 0, _PAPER, cv2.THRESH_BINARY + cv2.THRESH_OTSU)
    ink = flat <= level
    if ink.all() or not ink.any():
        return flat, None
    dark, light = float(flat[ink].mean()), float(np.median(flat[~ink]))
    if light - dark < _FAINTEST_INK:
        return flat, None
    white = light - 0.15 * (light - dark)
    table = np.clip((np.arange(256) - dark) * (_PAPER / (white - dark)), 0, _PAPER)
    return np.asarray(cv2.LUT(flat, np.rint(table).astype(np.uint8)), dtype=np.uint8), ink


def _dense_rows(changes: NDArray[np.float64]) -> tuple[int, int]:
    """Return the rows around the densest one (the middle favoured) above two fifths of its density."""
    height = len(changes)
    reach = max(1, height // 14)
    profile = np.convolve(changes, np.full(reach, 1 / reach), mode="same")
    nearness = 0.65 + 0.35 * np.cos((np.arange(height) - height / 2) / (height / 2) * np.pi * 0.9)
    peak = int(np.argmax(profile * nearness))
    sparse = np.flatnonzero(profile <= 0.4 * profile[peak])
    return int(max(sparse[sparse < peak], default=-1)) + 1, int(min(sparse[sparse > peak], default=height))


def _letter_heights(ink: NDArray[np.bool_]) -> NDArray[np.int32]:
    """Return the heights (pixels) of the connected components that can be letters."""
    height = ink.shape[0]
    _, _, stats, _ = cv2.connectedComponentsWithStats(ink.astype(np.uint8), connectivity=8)
    tall, wide, area = (
        stats[1:, cv2.CC_STAT_HEIGHT],
        stats[1:, cv2.CC_STAT_WIDTH],
        stats[1:, cv2.CC_STAT_AREA],
    )
    letters = (
        (tall > 0.12 * height) & (tall < 0.9 * height) & (wide < 4 * height) & (area > 0.008 * height**2)
    )
    return np.asarray(tall[letters], dtype=np.int32)


def _window(flat: Grey, rows: tuple[int, int], columns: tuple[int, int]) -> Grey:
    """Cut rows and columns that may lie outside the image, which continues as white paper."""
    height, width = flat.shape
    window = np.full((rows[1] - rows[0], columns[1] - columns[0]), _PAPER, dtype=np.uint8)
    top, bottom = max(rows[0], 0), min(rows[1], height)
    left, right = max(columns[0], 0), min(columns[1], width)
    window[top - rows[0] : bottom - rows[0], left - columns[0] : right - columns[0]] = flat[
        top:bottom, left:right
    ]
    return window
