"""Glyphs: drawn characters with their position on the line, and the instances that a writer makes of them."""

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray
from skimage.morphology import skeletonize

Ink = NDArray[np.uint8]
"""How much ink covers each pixel, shape (height, width), 255 is full."""

UNIT: Final = 32
"""Pixels of the core band (the letters without ascenders) in a stored glyph."""
PAD: Final = 8
"""Empty pixels kept around a stored glyph, so that a thicker pen still fits."""
SPINE_STEP: Final = 16
"""Steps of the stored distance to the pen's path, per pixel."""


@dataclass(frozen=True, slots=True)
class Glyph:
    """One character as drawn.

    `ink` is padded by `PAD` on every side. `spine` has the same shape and the distance of each pixel from the
    pen's path in 1/`SPINE_STEP` pixels, so that any pen can retrace it. `top` is the first row of ink in
    pixels (`UNIT` a core band) below the core band's upper edge; `bearing` is the sum of the paper left and
    right.
    """

    ink: Ink
    spine: NDArray[np.uint8]
    top: float
    bearing: float = 0.0


@dataclass(frozen=True, slots=True)
class Instance:
    """One instance of a glyph as a writer draws it: ink at the line's own scale.

    `left` and `right` are, for each row, the first and last inked column; rows without ink have a column that
    never touches a neighbour's.
    """

    ink: Ink
    top: float
    bearing: float
    left: NDArray[np.float32]
    right: NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Pen:
    """A pen: `radius` in pixels of the result; None keeps the glyph's own stroke.

    `weight` makes own strokes bolder or finer. `pressure` is the spread of the radius along the strokes, as a
    share of it; `nib` is the share by which a broad nib thickens strokes across `angle` (radians) and thins
    those along it.
    """

    radius: float | None
    weight: float = 0.0
    pressure: float = 0.0
    nib: float = 0.0
    angle: float = 0.0


@dataclass(frozen=True, slots=True)
class Distortion:
    """The difference of an instance from its glyph: factors of size, shear, turn (radians), warp (pixels)."""

    scale_x: float
    scale_y: float
    shear: float
    turn: float
    warp: float


def make_glyph(ink: Ink, top: float, bearing: float = 0.0) -> Glyph:
    """Pad tightly cropped ink and measure its distance to the pen's path."""
    padded = np.pad(ink, PAD)
    inked = padded > 110
    path = skeletonize(inked) if inked.any() else inked  # type: ignore[no-untyped-call]
    distance = cv2.distanceTransform((~path).astype(np.uint8), cv2.DIST_L2, 5)
    spine = np.clip(distance * SPINE_STEP, 0, 255).astype(np.uint8)
    return Glyph(padded, spine, top, bearing)


def crop_ink(ink: Ink, threshold: int = 60) -> Ink:
    """Remove the outer rows and columns without ink; an empty image becomes one blank pixel."""
    rows, columns = np.flatnonzero(ink.max(axis=1) > threshold), np.flatnonzero(ink.max(axis=0) > threshold)
    if not rows.size or not columns.size:
        return np.zeros((1, 1), dtype=np.uint8)
    return ink[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]


def draw_instance(
    glyph: Glyph, distortion: Distortion, pen: Pen, scale: float, random: np.random.Generator
) -> Instance:
    """Draw one instance: scaled by `scale` (line pixels per glyph pixel), turned, sheared and warped.

    The smooth warp displaces a 3×3 grid of points; between them it is interpolated.
    """
    source = glyph.ink if pen.radius is None else glyph.spine
    height, width = source.shape
    sx, sy = scale * distortion.scale_x, scale * distortion.scale_y
    reach = abs(distortion.shear) * height * sy + abs(distortion.turn) * max(height * sy, width * sx)
    out_h, out_w = int(height * sy + abs(distortion.turn) * width * sx) + 2, int(width * sx + reach) + 2
    x, y = _backward(out_h, out_w, (height, width), (sx, sy), distortion)
    if distortion.warp:
        grid = random.normal(0.0, distortion.warp, (2, 3, 3)).astype(np.float32)
        x += cv2.resize(grid[0], (out_w, out_h), interpolation=cv2.INTER_CUBIC)
        y += cv2.resize(grid[1], (out_w, out_h), interpolation=cv2.INTER_CUBIC)
    outside = 0 if pen.radius is None else 255
    drawn = cv2.remap(source, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT, borderValue=outside)
    ink = _inked(np.asarray(drawn, dtype=np.uint8), pen, float(np.sqrt(sx * sy)), random)
    return _instance(ink, glyph, sy, out_h - height * sy)


def _backward(
    out_h: int, out_w: int, shape: tuple[int, int], scales: tuple[float, float], distortion: Distortion
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return for each pixel of the result the glyph's pixel (x, y) that it shows."""
    v, u = np.mgrid[0:out_h, 0:out_w].astype(np.float32)
    u -= (out_w - 1) / 2
    v -= (out_h - 1) / 2
    cos, sin = np.float32(np.cos(distortion.turn)), np.float32(np.sin(distortion.turn))
    along, down = cos * u + sin * v, cos * v - sin * u
    along += np.float32(distortion.shear) * down
    return along / np.float32(scales[0]) + (shape[1] - 1) / 2, down / np.float32(scales[1]) + (
        shape[0] - 1
    ) / 2


def _inked(drawn: NDArray[np.uint8], pen: Pen, scale: float, random: np.random.Generator) -> Ink:
    """Convert warped ink, or a warped distance to the pen's path, into the ink of this pen."""
    press = _pressure(drawn.shape, pen.pressure, random) if pen.pressure else np.float32(0)
    if pen.radius is not None:
        distance = drawn.astype(np.float32) * np.float32(scale / SPINE_STEP)
        press = 1 + press + _nib(distance, pen) if pen.nib else 1 + press
        return np.asarray(np.clip((pen.radius * press + 0.5 - distance) * 255, 0, 255), dtype=np.uint8)
    if pen.weight == 0 and not pen.pressure:
        return np.asarray(drawn, dtype=np.uint8)
    soft = cv2.GaussianBlur(drawn, (0, 0), 0.8).astype(np.float32) / 255
    return np.asarray(np.clip((soft - 0.5 + 0.35 * (pen.weight + press)) * 3 + 0.5, 0, 1) * 255, np.uint8)


def _pressure(shape: tuple[int, ...], spread: float, random: np.random.Generator) -> NDArray[np.float32]:
    """Return the excess of the pen's pressure as a share, changing slowly over a character."""
    grid = random.normal(0, spread, (3, 2)).astype(np.float32)
    slow = cv2.resize(grid, (shape[1], shape[0]), interpolation=cv2.INTER_LINEAR)
    return np.asarray(np.clip(slow, -0.5, 0.8), dtype=np.float32)


def _nib(distance: NDArray[np.float32], pen: Pen) -> NDArray[np.float32]:
    """Return the share by which a broad nib thickens each pixel; the gradient is across the stroke."""
    smooth = cv2.GaussianBlur(distance, (0, 0), 1.0)
    right, down = cv2.Sobel(smooth, cv2.CV_32F, 1, 0), cv2.Sobel(smooth, cv2.CV_32F, 0, 1)
    along = right * np.float32(np.cos(pen.angle)) + down * np.float32(np.sin(pen.angle))
    share = np.abs(along) / (np.hypot(right, down) + np.float32(1e-3))
    return np.asarray(pen.nib * (2 * share - 1), dtype=np.float32)


def _instance(ink: Ink, glyph: Glyph, scale_y: float, grown: float) -> Instance:
    """Crop to the ink and measure its outline row by row."""
    rows, columns = np.flatnonzero(ink.max(axis=1) > 60), np.flatnonzero(ink.max(axis=0) > 60)
    if not rows.size:
        empty = np.zeros(1, dtype=np.float32)
        return Instance(np.zeros((1, 1), np.uint8), 0.0, glyph.bearing * scale_y, empty, empty)
    cut = ink[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    inked = cut > 60
    any_ink = inked.any(axis=1)
    left = np.where(any_ink, inked.argmax(axis=1), 1e4).astype(np.float32)
    right = np.where(any_ink, cut.shape[1] - inked[:, ::-1].argmax(axis=1), -1e4).astype(np.float32)
    top = (glyph.top - PAD) * scale_y - grown / 2 + float(rows[0])
    return Instance(cut, top, glyph.bearing * scale_y, left, right)
