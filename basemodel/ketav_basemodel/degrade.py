"""Photographed crops of drawn lines: paper, rules, neighbours, faint pens, blur, noise, compression."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from ketav_basemodel.compose import DrawnLine
from ketav_basemodel.glyphs import Ink

Field = NDArray[np.float32]
"""A smooth field over an image, shape (height, width)."""


@dataclass(frozen=True, slots=True)
class Neighbours:
    """The lines above and below on the page, and the distance between baselines in pixels."""

    above: DrawnLine | None
    below: DrawnLine | None
    distance: float


def photograph(
    line: DrawnLine, neighbours: Neighbours, strength: float, random: np.random.Generator
) -> NDArray[np.uint8]:
    """Return a grey crop (h, w) of the line as a camera or a tablet records it.

    `strength` from 0 (clean) to 1 is the greatest degradation.
    """
    ink, foot = _with_margins(line, neighbours, random)
    if random.random() < 0.5 * strength:
        ink = _warp(ink, line.core, random)
    amount: Field = ink.astype(np.float32) / np.float32(255)
    pencil = random.random() < 0.12 * strength
    if pencil or random.random() < 0.4 * strength:
        amount = _patchy(amount, random, grainy=pencil or random.random() < 0.5)
    paper, dark = _tones(strength, random)
    if pencil:
        dark = paper * (1 - float(random.uniform(0.18, 0.5)))
    picture: Field = np.full(ink.shape, paper, dtype=np.float32)
    if random.random() < 0.45:
        _rule(picture, (line.core, foot), paper, strength, random)
    if random.random() < 0.03:
        _underline(amount, line, random)
    if random.random() < 0.4 * strength:
        picture *= 1 - smooth(ink.shape, random, (2, 5)) * np.float32(random.uniform(0.05, 0.3))
    if random.random() < 0.08 * strength:
        picture *= _shadow(ink.shape, line.core, random)
    if random.random() < 0.15 * strength:
        picture -= _bleed(ink) * (paper - dark) * random.uniform(0.05, 0.25)
    picture = picture * (1 - amount) + np.float32(dark) * amount
    return _capture(picture, strength, random)


def smooth(shape: tuple[int, ...], random: np.random.Generator, knots: tuple[int, int]) -> Field:
    """Return a smooth random field of values around 0 to 1."""
    grid = random.random(knots).astype(np.float32)
    return np.asarray(cv2.resize(grid, (shape[1], shape[0]), interpolation=cv2.INTER_CUBIC), dtype=np.float32)


def _with_margins(line: DrawnLine, neighbours: Neighbours, random: np.random.Generator) -> tuple[Ink, float]:
    """Return the crop: paper left and right, some room above and below, with ink of the neighbours.

    The second value is the row of the letters' feet.
    """
    side = [round(line.core * float(v)) for v in random.uniform(0.1, 1.2, size=2)]
    own = np.pad(line.ink, ((0, 0), (side[0], side[1])))
    canvas = own.copy()
    for other, direction in ((neighbours.above, -1), (neighbours.below, 1)):
        if other is not None and random.random() < 0.75:
            right = round(float(random.uniform(-30, 10)))
            _overlay(canvas, other.ink, round(direction * neighbours.distance), right)
    if random.random() < 0.3:
        canvas = _within_boundary(canvas, own, line.core * float(random.uniform(0.15, 0.5)))
    tight = random.random() < 0.5
    room = random.uniform(0.1, 0.7, size=2) if tight else random.uniform(0.5, 1.5, size=2)
    inked = np.flatnonzero(line.ink.max(axis=1) > 60)
    reach = (line.top, line.top + line.core) if not inked.size else (float(inked[0]), float(inked[-1]))
    top = max(0, round(min(line.top - room[0] * line.core, reach[0] + 0.15 * line.core)))
    bottom = round(max(line.top + (1 + room[1]) * line.core, reach[1] - 0.15 * line.core))
    return canvas[top : max(bottom, top + 8)], line.top + line.core - top


def _shadow(shape: tuple[int, ...], core: float, random: np.random.Generator) -> Field:
    """Return the share of light near the edge of a shadow."""
    v, u = np.mgrid[0 : shape[0], 0 : shape[1]].astype(np.float32)
    angle = float(random.uniform(0, 2 * np.pi))
    distance = (u - shape[1] * random.random()) * np.cos(angle) + (v - shape[0] / 2) * np.sin(angle)
    soft = core * float(random.uniform(0.1, 3.0))
    depth = float(random.uniform(0.1, 0.5))
    return np.asarray(1 - depth / (1 + np.exp(np.clip(-distance / soft, -30, 30))), dtype=np.float32)


def _within_boundary(canvas: Ink, own: Ink, margin: float) -> Ink:
    """Remove the ink of the neighbours outside the line's boundary, as cropping a line of a page does."""
    reach = (2 * round(3 * margin) + 1, 2 * round(margin) + 1)
    boundary = cv2.dilate(own, cv2.getStructuringElement(cv2.MORPH_RECT, reach))
    return np.where(boundary > 60, canvas, own)


def _overlay(canvas: Ink, ink: Ink, down: int, right: int) -> None:
    """Draw ink on `canvas` in place, moved by `down` and `right` pixels, which may be negative.

    Each pixel gets the larger of the two values; ink outside the canvas is cut off.
    """
    height, width = canvas.shape
    top, left = max(0, down), max(0, right)
    bottom, end = min(height, ink.shape[0] + down), min(width, ink.shape[1] + right)
    if bottom > top and end > left:
        part = canvas[top:bottom, left:end]
        np.maximum(part, ink[top - down : bottom - down, left - right : end - right], out=part)


def _warp(ink: Ink, core: float, random: np.random.Generator) -> Ink:
    """Distort the whole line: a slope, a slow wave, and stretch, size and slant that change along it."""
    ink = np.pad(ink, ((0, 0), (round(0.5 * core), round(0.5 * core))))
    height, width = ink.shape
    v, u = np.mgrid[0:height, 0:width].astype(np.float32)
    knots = max(2, round(width / (4 * core)))
    rise = _course(0.07 * core, knots, width, random)
    push = _course(0.12 * core, knots, width, random)
    drift = np.linspace(-1, 1, width, dtype=np.float32)[None, :]
    size = np.exp(_course(0.03, knots, width, random) + drift * np.float32(random.normal(0, 0.06)))
    slant = _course(0.05, knots, width, random) + drift * np.float32(random.normal(0, 0.06))
    slope = np.float32(random.normal(0, 0.008)) * (u - width / 2)
    above = v - np.float32(height / 2)
    x, y = u + push + slant * above, above * size + np.float32(height / 2) + rise + slope
    return np.asarray(cv2.remap(ink, x, y, cv2.INTER_LINEAR, borderValue=0), dtype=np.uint8)


def _course(spread: float, knots: int, width: int, random: np.random.Generator) -> Field:
    """Return a smooth course of values around 0 along a line, shape (1, width)."""
    values = random.normal(0, spread, (1, knots + 1)).astype(np.float32)
    return np.asarray(cv2.resize(values, (width, 1), interpolation=cv2.INTER_CUBIC), dtype=np.float32)


def _patchy(amount: Field, random: np.random.Generator, *, grainy: bool) -> Field:
    """Return the ink of a pen that runs dry or skips: it varies along the line and with the paper's grain."""
    slow = 0.55 + 0.45 * smooth(amount.shape, random, (2, 12))
    if grainy:
        grain = cv2.GaussianBlur(random.random(amount.shape, dtype=np.float32), (0, 0), 0.8)
        slow = slow * np.clip(0.5 + (grain - 0.38) * float(random.uniform(2, 6)), 0, 1)
    return np.asarray(amount * np.clip(slow, 0.15, 1), dtype=np.float32)


def _tones(strength: float, random: np.random.Generator) -> tuple[float, float]:
    """Draw the grey of the paper and of the ink."""
    paper = float(random.uniform(255 - 110 * strength, 255))
    contrast = float(random.uniform(max(0.25, 1 - 0.75 * strength), 1.0))
    return paper, paper * (1 - contrast)


def _rule(
    picture: Field, line: tuple[float, float], paper: float, strength: float, random: np.random.Generator
) -> None:
    """Draw rules on the paper: lines, squares as in notebooks and drawing programs, or lines and a margin.

    `line` is the core band's height and the row of the letters' feet; half of the papers have a rule there.
    """
    core, foot = line
    dark = paper * (1 - float(random.uniform(0.04, 0.12 + 0.3 * strength)))
    step = core * float(random.uniform(1.2, 3.5))
    thickness = 1 if random.random() < 0.7 else 2
    on_rule = foot + core * float(random.normal(0.06, 0.1))
    start = on_rule % step if random.random() < 0.5 else float(random.uniform(0, step))
    for row in np.arange(start, picture.shape[0], step).astype(int):
        picture[row : row + thickness] = dark
    if random.random() < 0.55:
        for column in np.arange(float(random.uniform(0, step)), picture.shape[1], step).astype(int):
            picture[:, column : column + thickness] = dark
    elif random.random() < 0.2:
        column = int(picture.shape[1] * random.uniform(0, 1))
        picture[:, column : column + thickness] = dark


def _underline(amount: Field, line: DrawnLine, random: np.random.Generator) -> None:
    """Draw a stroke under the line or a part of it."""
    height, width = amount.shape
    row = int(min(height - 3, height * float(random.uniform(0.75, 0.95))))
    left, right = sorted(int(v) for v in random.integers(0, width, size=2))
    cv2.line(
        amount,
        (left, row),
        (right, row + int(random.integers(-2, 3))),
        1.0,
        max(1, round(line.core / 12)),
        cv2.LINE_AA,
    )


def _bleed(ink: Ink) -> Field:
    """Return the mirrored ink of the other side of the paper, as a share."""
    return np.asarray(cv2.GaussianBlur(ink[:, ::-1], (0, 0), 2.0).astype(np.float32) / 255, dtype=np.float32)


def _capture(picture: Field, strength: float, random: np.random.Generator) -> NDArray[np.uint8]:
    """Return a picture (h, w; 0 black to 255 white) as a camera records it, by chance in another size.

    Blur, scaling by 0.55 to 1.3, noise and JPEG compression each have a probability of their own; `strength`,
    0 to 1, is the greatest degradation.
    """
    if random.random() < 0.6:
        reach = float(random.uniform(0.3, 0.4 + 0.8 * strength))
        picture = np.asarray(cv2.GaussianBlur(picture, (0, 0), reach), dtype=np.float32)
    if random.random() < 0.5:
        factor = float(random.uniform(1 - 0.45 * strength, 1.3))
        small = cv2.resize(picture, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA)
        picture = np.asarray(small, dtype=np.float32)
    if random.random() < 0.6:
        spread = float(random.uniform(0, 12 * strength))
        picture = picture + random.standard_normal(picture.shape, dtype=np.float32) * np.float32(spread)
    grey = np.asarray(np.clip(picture, 0, 255), dtype=np.uint8)
    if random.random() < 0.4 * strength:
        _, coded = cv2.imencode(".jpg", grey, [cv2.IMWRITE_JPEG_QUALITY, int(random.integers(25, 90))])
        grey = np.asarray(cv2.imdecode(coded, cv2.IMREAD_GRAYSCALE), dtype=np.uint8)
    return grey
