"""Photograph a written page: paper, rules, light and camera, with the position of every line."""

from dataclasses import dataclass, replace
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from ketav_basemodel.degrade import Field, smooth
from ketav_basemodel.layout import PageLine, Points, Setting, WrittenPage

_PAPER_TINT: Final = ((1.0, 1.0, 1.0), (1.0, 0.97, 0.88), (0.97, 0.99, 1.0), (1.0, 0.93, 0.78))
"""Colours of paper as shares of red, green and blue."""
_INK_TINT: Final = ((1.0, 1.0, 1.0), (0.75, 0.85, 1.25), (0.9, 0.9, 1.1))
"""Colours of ink as factors of red, green and blue: black, blue, blue-black."""


@dataclass(frozen=True, slots=True)
class Page:
    """The image of a page, shape (height, width, 3), and its lines in reading order.

    A pixel of `owners`, shape (height, width), is the number of the line, from 1, whose ink it shows, or 0.
    """

    image: NDArray[np.uint8]
    lines: list[PageLine]
    owners: NDArray[np.uint8]


def photograph_page(written: WrittenPage, setting: Setting, random: np.random.Generator) -> Page:
    """Return the image of a written page on paper."""
    tone = float(random.uniform(255 - 70 * setting.camera, 255))
    paper = np.full(written.ink.shape, tone, dtype=np.float32)
    _rule(paper, written, setting, random)
    if random.random() < 0.3 * setting.camera:
        paper -= _other_side(written, random) * tone * float(random.uniform(0.03, 0.15))
    if random.random() < 0.3 * setting.camera:
        paper *= 1 - smooth(paper.shape, random, (4, 4)) * np.float32(random.uniform(0.02, 0.12))
    amount = written.ink.astype(np.float32) * np.float32(float(random.uniform(0.6, 1.0)) / 255)
    if random.random() < 0.4:
        amount *= np.clip(0.7 + 0.4 * smooth(paper.shape, random, (6, 3)), 0.4, 1)
    view = _view(written.ink.shape, setting.camera, random)
    flat = _colour(paper, amount, random)
    on_table = _lay_on_table(flat, view, _table(view.size, setting.camera, random))
    image = _add_uneven_light(on_table, setting.camera, random)
    lines = [_move_line(line, view) for line in written.lines]
    owners = _warp(written.owners, view, cv2.INTER_NEAREST, 0)
    return Page(_capture(image, setting.camera, random), lines, owners)


@dataclass(frozen=True, slots=True)
class _View:
    """The camera's view of the paper: columns sink by `bend`, then `matrix` maps the paper into the image."""

    bend: NDArray[np.float32]
    """Pixels, one for each column of the paper."""
    matrix: NDArray[np.float64]
    """Perspective transform, shape (3, 3)."""
    size: tuple[int, int]
    """Rows and columns of the image."""


def _view(shape: tuple[int, ...], camera: float, random: np.random.Generator) -> _View:
    """Draw a view of paper of this shape (height, width).

    With probability `camera` it is a photograph from above with the table around the paper, distorted in
    proportion to `camera` and often bent; otherwise a flat copy, turned by less than a degree.
    """
    height, width = shape
    photographed = random.random() < camera
    table = random.uniform(-0.01, 0.1, 4) if photographed else np.zeros(4)
    scale = float(random.uniform(0.8, 1.8))
    size = (
        round(scale * height * (1 + table[0] + table[1])),
        round(scale * width * (1 + table[2] + table[3])),
    )
    left, top = table[2] * width * scale, table[0] * height * scale
    corners = np.array([[0, 0], [width, 0], [width, height], [0, height]], dtype=np.float32)
    askew = 0.035 * camera * min(shape) * random.normal(0, 1, (4, 2)) * (1.0 if photographed else 0.0)
    turn = float(random.normal(0, 0.012 if photographed else 0.004))
    middle = np.array([width / 2, height / 2])
    spin = np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]])
    in_image = ((corners + askew - middle) @ spin + middle) * scale + (left, top)
    bend = np.zeros(width, dtype=np.float32)
    if photographed and random.random() < 0.5:
        course = np.linspace(0, np.pi * float(random.uniform(0.5, 1.3)), width)
        bend = (float(random.normal(0, 0.012)) * height * np.sin(course)).astype(np.float32)
    matrix = cv2.getPerspectiveTransform(corners, in_image.astype(np.float32))
    return _View(bend, np.asarray(matrix, dtype=np.float64), size)


def _warp(layer: NDArray[np.generic], view: _View, method: int, outside: float) -> NDArray[np.uint8]:
    """Transform a layer of the paper into the image."""
    source = np.asarray(layer)
    if view.bend.any():
        v, u = np.mgrid[0 : source.shape[0], 0 : source.shape[1]].astype(np.float32)
        source = cv2.remap(source, u, v - view.bend[None, :], method, borderMode=cv2.BORDER_REPLICATE)
    warped = cv2.warpPerspective(
        source, view.matrix, view.size[::-1], flags=method, borderValue=(outside, outside, outside)
    )
    return np.asarray(warped, dtype=np.uint8)


def _move_line(line: PageLine, view: _View) -> PageLine:
    """Transform a line's baseline and boundary into the image."""

    def transform(points: Points) -> Points:
        """Return points of the paper in the image."""
        sunk = points[:, 1] + np.interp(points[:, 0], np.arange(len(view.bend)), view.bend)
        flat = np.stack([points[:, 0], sunk], axis=1)[None].astype(np.float64)
        return np.asarray(cv2.perspectiveTransform(flat, view.matrix)[0], dtype=np.float64)

    return replace(line, baseline=transform(line.baseline), boundary=transform(line.boundary))


def _rule(paper: Field, written: WrittenPage, setting: Setting, random: np.random.Generator) -> None:
    """Print rules or squares, and on some papers a margin; a rule runs below every line."""
    if setting.paper == "plain":
        return
    height, width = paper.shape
    faint = 1 - float(random.uniform(0.06, 0.35))
    thickness = 1 if random.random() < 0.7 else 2
    ruled = setting.paper == "ruled"
    step = written.line_distance if ruled else written.line_distance / int(random.integers(1, 4))
    start = (written.first + 0.1 * written.core) % step if ruled else float(random.uniform(0, step))
    for row in np.arange(start, height, step).astype(int):
        paper[row : row + thickness] *= faint
    if not ruled:
        for column in np.arange(float(random.uniform(0, step)), width, step).astype(int):
            paper[:, column : column + thickness] *= faint
    if random.random() < 0.4:
        column = width - round(float(random.uniform(0.5, 1.5)) * written.core)
        paper[:, column : column + thickness + 1] *= faint


def _other_side(written: WrittenPage, random: np.random.Generator) -> Field:
    """Return the mirrored, blurred and shifted ink of the other side of the paper, as a share."""
    ink = cv2.GaussianBlur(written.ink[:, ::-1], (0, 0), 2.0).astype(np.float32) / 255
    return np.asarray(np.roll(ink, int(random.integers(0, ink.shape[0])), axis=0), dtype=np.float32)


def _colour(paper: Field, amount: Field, random: np.random.Generator) -> NDArray[np.uint8]:
    """Return ink of one colour on paper of another, shape (height, width, 3)."""
    tint = np.array(_PAPER_TINT[int(random.integers(len(_PAPER_TINT)))], dtype=np.float32)
    ink = np.array(_INK_TINT[int(random.integers(len(_INK_TINT)))], dtype=np.float32)
    dark = float(random.uniform(10, 90))
    coloured = paper[..., None] * tint
    coloured += amount[..., None] * (dark * ink - coloured)
    return np.asarray(np.clip(coloured, 0, 255), dtype=np.uint8)


def _table(size: tuple[int, int], camera: float, random: np.random.Generator) -> NDArray[np.uint8]:
    """Draw the surroundings of the paper: the white of a copy, or a table, plain or with a grain."""
    if random.random() >= camera:
        return np.full((*size, 3), 255, dtype=np.uint8)
    tone = random.uniform(20, 220) * random.uniform(0.75, 1.0, 3)
    grain = smooth(size, random, (int(random.integers(3, 80)), int(random.integers(3, 12)))) - 0.5
    table = tone[None, None, :] * (1 + float(random.uniform(0, 0.5)) * grain[..., None])
    return np.asarray(np.clip(table, 0, 255), dtype=np.uint8)


def _lay_on_table(paper: NDArray[np.uint8], view: _View, table: NDArray[np.uint8]) -> Field:
    """Return the image of the paper on a table, with its shadow."""
    covered = _warp(np.full(paper.shape[:2], 255, np.uint8), view, cv2.INTER_LINEAR, 0)
    share = covered.astype(np.float32)[..., None] / 255
    image = _warp(paper, view, cv2.INTER_LINEAR, 0).astype(np.float32)
    shadow = cv2.GaussianBlur(covered, (0, 0), 6.0).astype(np.float32)[..., None] / 255
    return np.asarray(image + (1 - share) * table * (1 - 0.4 * shadow), dtype=np.float32)


def _add_uneven_light(image: Field, camera: float, random: np.random.Generator) -> Field:
    """With probability `camera`, darken an image (height, width, 3), values 0 to 255.

    The brightness falls smoothly by up to 45 % across the image and, half of the time, at the soft or sharp
    edge of a shadow.
    """
    if random.random() >= camera:
        return image
    height, width = image.shape[:2]
    light = 1 - np.float32(random.uniform(0, 0.45)) * smooth((height, width), random, (2, 2))
    if random.random() < 0.5:
        v, u = np.mgrid[0:height, 0:width].astype(np.float32)
        angle, soft = float(random.uniform(0, 2 * np.pi)), float(random.uniform(2, 80))
        distance = (u - width * random.random()) * np.cos(angle) + (v - height * random.random()) * np.sin(
            angle
        )
        light *= 1 - float(random.uniform(0.1, 0.5)) / (1 + np.exp(np.clip(-distance / soft, -30, 30)))
    return np.asarray(image * np.clip(light, 0.15, 1)[..., None], dtype=np.float32)


def _capture(image: Field, camera: float, random: np.random.Generator) -> NDArray[np.uint8]:
    """Return an image (h, w, 3; values 0 to 255) as a camera (`camera` 1) or a scanner (0) gives it.

    Noise, and the probabilities of blur and of JPEG compression, grow with `camera`. Three in ten are grey.
    """
    if random.random() < 0.7 * camera:
        image = np.asarray(cv2.GaussianBlur(image, (0, 0), float(random.uniform(0.4, 1.6))), dtype=np.float32)
    spread = float(random.uniform(0, 9 * camera))
    noise = random.standard_normal(image.shape[:2], dtype=np.float32) * np.float32(spread)
    captured = np.asarray(np.clip(image + noise[..., None], 0, 255), dtype=np.uint8)
    if random.random() < 0.3:
        captured = np.repeat(cv2.cvtColor(captured, cv2.COLOR_RGB2GRAY)[..., None], 3, axis=2)
    if random.random() < camera:
        quality = [cv2.IMWRITE_JPEG_QUALITY, int(random.integers(35, 92))]
        coded = cv2.imencode(".jpg", captured, quality)[1]
        captured = np.asarray(cv2.imdecode(coded, cv2.IMREAD_COLOR), dtype=np.uint8)
    return captured
