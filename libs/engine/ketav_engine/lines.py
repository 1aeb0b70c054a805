"""Normalised lines: what the network reads and learns from, dark ink on white paper, letters of one size.

The core band sets the scale, because box crops of one writer vary 14 % in height and their core bands 9 %.
For the other constants no measurement is recorded; the base model was trained with them, so a change needs a
new one.
"""

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

Grey = NDArray[np.uint8]
"""A grey image, shape (height, width), 0 is black."""

HEIGHT: Final = 48
"""Pixels of a normalised line unless a model has another height."""
CORE: Final = 0.4
"""Share of a normalised line's height that its core band (the letters without ascenders) takes."""
MAX_ASPECT: Final = 48
"""Width of a normalised line at most, in heights."""
PAPER: Final = 255
"""Grey level of paper."""

_WORK_HEIGHT: Final = 128
"""Pixels: a higher crop is scaled down to this before it is measured."""
_MIN_INK_CONTRAST: Final = 16
"""Grey levels between ink and paper below which a crop is blank."""
_SCALE: Final = (0.6, 2.5)
"""Bounds of the scale, as factors of the one that makes the crop as high as the line."""
_MARGIN: Final = 1 / 4
"""Paper left and right of the ink, in heights of the normalised line."""

_PAPER_REDUCTION: Final = 4
"""Factor by which a crop is reduced before its paper is estimated."""
_PAPER_REACH: Final = 8
"""The paper is the lightest grey within this fraction of the crop's height, blurred by as much."""
_MIN_PAPER_REACH: Final = 3
"""Reduced pixels of that reach at least."""
_WHITE: Final = 0.15
"""Share of the contrast below the paper's median from which a pixel becomes white: grain disappears."""

_SPREAD: Final = (0.2, 0.5, 0.8)
"""Quantiles of the paper-to-ink changes by rows; the outer ones measure the spread, the inner one the
centre."""
_SPREAD_TO_CORE: Final = 1.5
"""Height of the core band in those spreads."""
_CORE_LIMITS: Final = (0.1, 0.9)
"""Least and greatest height of the core band as a share of the crop's."""
_DENSITY_SMOOTHING: Final = 14
"""The density of rows is averaged over this fraction of the crop's height."""
_DENSE: Final = 0.4
"""Share of the densest row's density above which the rows around it belong to the core band."""
_CENTRE_PREFERENCE: Final = (0.65, 0.35, 0.9)
"""Weight of a row, a + b·cos(c·π·d) with its distance d from the middle in half heights: prefers central
rows."""
_LETTER_HEIGHT: Final = (0.12, 0.9)
"""Heights of components that can be letters, as shares of the crop's."""
_MAX_LETTER_WIDTH: Final = 4
"""Width of such a component at most, in heights of the crop."""
_MIN_LETTER_AREA: Final = 0.008
"""Area of such a component at least, in squares of the crop's height."""


class NormalisedLine(NamedTuple):
    """A normalised line; its column `c` is column `offset + scale * c` of the crop."""

    image: Grey
    offset: float
    scale: float


def normalise(grey: Grey, height: int = HEIGHT) -> Grey:
    """Bring a line to dark ink on white paper with letters of a constant size, as `normalised` does."""
    return normalised(grey, height).image


def normalised(grey: Grey, height: int = HEIGHT) -> NormalisedLine:
    """Bring a line to dark ink on white paper with letters of a constant size.

    Takes a grey crop (h, w) of any size and returns (height, W) uint8, W bounded by `MAX_ASPECT`. The paper
    is flattened, the contrast stretched, and the image scaled so that the core band takes `CORE` of the
    height whatever margins the crop had. A crop without ink gives a white image.
    """
    work = _shrink(np.ascontiguousarray(grey))
    shrunk = grey.shape[1] / work.shape[1]
    flat, ink = _flatten(work)
    if ink is None:
        width = int(np.clip(round(work.shape[1] * height / work.shape[0]), height, MAX_ASPECT * height))
        return NormalisedLine(np.full((height, width), PAPER, dtype=np.uint8), 0.0, grey.shape[1] / width)
    core, centre = core_band(ink)
    min_scale, max_scale = (limit * height / work.shape[0] for limit in _SCALE)
    scale = float(np.clip(CORE * height / core, min_scale, max_scale))
    columns = np.flatnonzero(ink.any(axis=0))
    margin = round(height * _MARGIN / scale)
    half = height / 2 / scale
    rows = (round(centre - half), max(round(centre + half), round(centre - half) + 1))
    left = int(columns[0]) - margin
    window = _window(flat, rows, (left, int(columns[-1]) + 1 + margin))
    width = int(np.clip(round(window.shape[1] * height / window.shape[0]), 1, MAX_ASPECT * height))
    method = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    image = np.asarray(cv2.resize(window, (width, height), interpolation=method), dtype=np.uint8)
    return NormalisedLine(image, left * shrunk, shrunk * window.shape[1] / width)


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
    low, middle, high = np.interp(_SPREAD, cumulative, np.arange(height))
    estimates = [float(bottom - top), _SPREAD_TO_CORE * float(high - low)]
    letters = _letter_heights(ink)
    if letters.size:
        estimates.append(float(np.median(letters)))
    core = float(np.exp(np.mean(np.log(np.maximum(estimates, 1.0)))))
    core = float(np.clip(core, _CORE_LIMITS[0] * height, _CORE_LIMITS[1] * height))
    return core, ((top + bottom) / 2 + middle) / 2


def to_tensor(lines: Sequence[Grey], width: int | None = None) -> Any:  # noqa: ANN401
    """Stack normalised lines of one height into a float tensor (N, 1, height, width), ink 1 and paper 0.

    The convention is Kraken's for one-channel networks: scaled to [0, 1] and inverted. Lines are padded with
    paper on the right up to `width`, by default the widest line's.
    """
    import torch

    width = width or max(line.shape[1] for line in lines)
    batch = np.full((len(lines), 1, lines[0].shape[0], width), PAPER, dtype=np.uint8)
    for index, line in enumerate(lines):
        batch[index, 0, :, : line.shape[1]] = line[:, :width]
    return 1.0 - torch.from_numpy(batch).float() / PAPER


def _shrink(grey: Grey) -> Grey:
    """Scale a high crop down to the working height."""
    height, width = grey.shape
    if height <= _WORK_HEIGHT:
        return grey
    size = (max(1, round(width * _WORK_HEIGHT / height)), _WORK_HEIGHT)
    return np.asarray(cv2.resize(grey, size, interpolation=cv2.INTER_AREA), dtype=np.uint8)


def _flatten(grey: Grey) -> tuple[Grey, NDArray[np.bool_] | None]:
    """Divide by the local paper and stretch the contrast; return the image and its ink, None without any."""
    height, width = grey.shape
    reduced = (max(1, width // _PAPER_REDUCTION), max(1, height // _PAPER_REDUCTION))
    small = cv2.resize(grey, reduced, interpolation=cv2.INTER_AREA)
    reach = max(_MIN_PAPER_REACH, (height // _PAPER_REACH) | 1)  # odd: the filter has a centre
    paper = cv2.blur(cv2.dilate(small, np.ones((reach, reach), np.uint8)), (reach, reach))
    paper = np.maximum(cv2.resize(paper, (width, height), interpolation=cv2.INTER_LINEAR), 1)
    flat = np.asarray(cv2.divide(grey, paper, scale=PAPER), dtype=np.uint8)
    level, _ = cv2.threshold(flat, 0, PAPER, cv2.THRESH_BINARY + cv2.THRESH_OTSU)
    ink = flat <= level
    if ink.all() or not ink.any():
        return flat, None
    dark, light = float(flat[ink].mean()), float(np.median(flat[~ink]))
    if light - dark < _MIN_INK_CONTRAST:
        return flat, None
    white = light - _WHITE * (light - dark)
    table = np.clip((np.arange(256) - dark) * (PAPER / (white - dark)), 0, PAPER)
    return np.asarray(cv2.LUT(flat, np.rint(table).astype(np.uint8)), dtype=np.uint8), ink


def _dense_rows(changes: NDArray[np.float64]) -> tuple[int, int]:
    """Return the first and the row after the last of the dense rows around the densest central one."""
    height = len(changes)
    reach = max(1, height // _DENSITY_SMOOTHING)
    profile = np.convolve(changes, np.full(reach, 1 / reach), mode="same")
    base, amplitude, decline = _CENTRE_PREFERENCE
    distance = (np.arange(height) - height / 2) / (height / 2)
    peak = int(np.argmax(profile * (base + amplitude * np.cos(distance * np.pi * decline))))
    sparse = np.flatnonzero(profile <= _DENSE * profile[peak])
    return int(max(sparse[sparse < peak], default=-1)) + 1, int(min(sparse[sparse > peak], default=height))


def _letter_heights(ink: NDArray[np.bool_]) -> NDArray[np.int32]:
    """Return the heights (pixels) of the connected components that can be letters."""
    height = ink.shape[0]
    _, _, boxes, _ = cv2.connectedComponentsWithStats(ink.astype(np.uint8), connectivity=8)
    heights, widths, areas = (
        boxes[1:, column] for column in (cv2.CC_STAT_HEIGHT, cv2.CC_STAT_WIDTH, cv2.CC_STAT_AREA)
    )
    letters = (
        (heights > _LETTER_HEIGHT[0] * height)
        & (heights < _LETTER_HEIGHT[1] * height)
        & (widths < _MAX_LETTER_WIDTH * height)
        & (areas > _MIN_LETTER_AREA * height**2)
    )
    return np.asarray(heights[letters], dtype=np.int32)


def _window(flat: Grey, rows: tuple[int, int], columns: tuple[int, int]) -> Grey:
    """Cut rows and columns that may be outside the image, which continues as white paper."""
    height, width = flat.shape
    window = np.full((rows[1] - rows[0], columns[1] - columns[0]), PAPER, dtype=np.uint8)
    top, bottom = max(rows[0], 0), min(rows[1], height)
    left, right = max(columns[0], 0), min(columns[1], width)
    window[top - rows[0] : bottom - rows[0], left - columns[0] : right - columns[0]] = flat[
        top:bottom, left:right
    ]
    return window
