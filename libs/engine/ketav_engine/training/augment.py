"""Light changes to a normalised line, as another day and another pen would make them."""

from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from ketav_engine.domain import Image

_PAPER: Final = 255


def vary(line: Image, rng: np.random.Generator) -> Image:
    """Return a line (height, W) varied in scale, slant, position, waviness, stroke and contrast."""
    varied = _bend(line, rng)
    if rng.random() < 0.3:
        varied = _stroke(varied, heavier=rng.random() < 0.5)
    return _tone(varied, rng)


def _bend(line: Image, rng: np.random.Generator) -> Image:
    """Resample a line with random scale, slant, shift and a smooth wave."""
    height, width = line.shape
    stretch, zoom = rng.uniform(0.9, 1.12), rng.uniform(0.92, 1.1)
    slant = rng.normal(0, 0.08)
    target = max(8, round(width * stretch * zoom))
    x, y = np.meshgrid(np.arange(target, dtype=np.float32), np.arange(height, dtype=np.float32))
    middle = (height - 1) / 2
    rows = (y - middle) / zoom + middle + rng.uniform(-1.8, 1.8)
    columns = (x + 0.5) * (width / target) - 0.5 + slant * (y - middle)
    rows += _wave(target, rng, period=rng.uniform(60, 160), size=rng.uniform(0, 1.2))[None, :]
    columns += _wave(target, rng, period=rng.uniform(25, 70), size=rng.uniform(0, 1.2))[None, :]
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
    """Return a smooth random curve of `length` values with the given period and size in pixels."""
    knots = rng.normal(0, size, max(2, int(length / period) + 2))
    return np.asarray(np.interp(np.linspace(0, len(knots) - 1, length), np.arange(len(knots)), knots))


def _stroke(line: Image, *, heavier: bool) -> Image:
    """Thicken or thin the strokes a little."""
    changed = (cv2.erode if heavier else cv2.dilate)(line, np.ones((2, 2), np.uint8))
    return np.asarray(cv2.addWeighted(line, 0.4, changed, 0.6, 0), dtype=np.uint8)


def _tone(line: Image, rng: np.random.Generator) -> Image:
    """Change the darkness of the ink and add the grain of paper."""
    ink = (_PAPER - line.astype(np.float32)) * rng.uniform(0.7, 1.15)
    grain = rng.normal(0, rng.uniform(0, 6), line.shape).astype(np.float32)
    return np.asarray((_PAPER - ink + grain).clip(0, _PAPER), dtype=np.uint8)
