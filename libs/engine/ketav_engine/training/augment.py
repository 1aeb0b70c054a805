"""Augmentation: a normalised line as its writer might write it on another day with another pen.

The changes are small enough that a line stays legible; their sizes were chosen by eye on lines 48 pixels
high.
"""

from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from ketav_engine.domain import Image

_PAPER: Final = 255
"""Grey level of paper."""
_MIN_WIDTH: Final = 8
"""Pixels of a varied line's width at least."""
_STRETCH: Final = (0.9, 1.12)
"""Range of the factor along the line."""
_ZOOM: Final = (0.92, 1.1)
"""Range of the factor in both directions."""
_SLANT: Final = 0.08
"""Standard deviation of the slant: columns of shift for each row."""
_SHIFT: Final = 1.8
"""Rows of shift up or down at most."""
_ROW_WAVE: Final = (60, 160)
_COLUMN_WAVE: Final = (25, 70)
"""Range of the period of the waves that move rows and columns, in pixels along the line."""
_WAVE_SIZE: Final = 1.2
"""Greatest standard deviation of a wave in pixels."""
_STROKE_CHANCE: Final = 0.3
"""Share of the lines whose strokes become heavier or lighter."""
_STROKE_WEIGHT: Final = 0.6
"""Share of the changed strokes in the result."""
_INK: Final = (0.7, 1.15)
"""Range of the factor of the ink's darkness."""
_GRAIN: Final = 6
"""Greatest standard deviation of the paper's grain in grey levels."""


def vary(line: Image, rng: np.random.Generator) -> Image:
    """Return a line (height, W) varied in scale, slant, position, waviness, stroke and contrast."""
    varied = _bend(line, rng)
    if rng.random() < _STROKE_CHANCE:
        varied = _change_stroke_width(varied, heavier=rng.random() < 0.5)
    return _tone(varied, rng)


def _bend(line: Image, rng: np.random.Generator) -> Image:
    """Resample a line with random scale, slant, shift and two random curves, of the rows and the columns.

    Takes shape (height, W) and returns shape (height, another W).
    """
    height, width = line.shape
    stretch, zoom = rng.uniform(*_STRETCH), rng.uniform(*_ZOOM)
    slant = rng.normal(0, _SLANT)
    target = max(_MIN_WIDTH, round(width * stretch * zoom))
    x, y = np.meshgrid(np.arange(target, dtype=np.float32), np.arange(height, dtype=np.float32))
    middle = (height - 1) / 2
    rows = (y - middle) / zoom + middle + rng.uniform(-_SHIFT, _SHIFT)
    columns = (x + 0.5) * (width / target) - 0.5 + slant * (y - middle)
    rows += _wave(target, rng, period=rng.uniform(*_ROW_WAVE), size=rng.uniform(0, _WAVE_SIZE))[None, :]
    columns += _wave(target, rng, period=rng.uniform(*_COLUMN_WAVE), size=rng.uniform(0, _WAVE_SIZE))[None, :]
    return np.asarray(
        cv2.remap(
            line,
            columns.astype(np.float32),
            rows.astype(np.float32),
            cv2.INTER_LINEAR,
            borderMode=cv2.BORDER_CONSTANT,
            borderValue=_PAPER,
        ),
        dtype=np.uint8,
    )


def _wave(length: int, rng: np.random.Generator, period: float, size: float) -> NDArray[np.float64]:
    """Return a smooth random curve of `length` values; period and standard deviation (`size`) in pixels."""
    knots = rng.normal(0, size, max(2, int(length / period) + 2))
    return np.asarray(np.interp(np.linspace(0, len(knots) - 1, length), np.arange(len(knots)), knots))


def _change_stroke_width(line: Image, *, heavier: bool) -> Image:
    """Blend 60 % of a 2x2 erosion (heavier) or dilation into a line, shape (height, W), paper 255."""
    changed = (cv2.erode if heavier else cv2.dilate)(line, np.ones((2, 2), np.uint8))
    mixed = cv2.addWeighted(line, 1 - _STROKE_WEIGHT, changed, _STROKE_WEIGHT, 0)
    return np.asarray(mixed, dtype=np.uint8)


def _tone(line: Image, rng: np.random.Generator) -> Image:
    """Change the darkness of the ink and add the grain of paper."""
    ink = (_PAPER - line.astype(np.float32)) * rng.uniform(*_INK)
    grain = rng.normal(0, rng.uniform(0, _GRAIN), line.shape).astype(np.float32)
    return np.asarray((_PAPER - ink + grain).clip(0, _PAPER), dtype=np.uint8)
