"""Strokes that are no letters: those that join two letters, and those that strike words out."""

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from ketav_basemodel.glyphs import Ink
from ketav_basemodel.styles import Style

JOINED: Final = "אבגדהוזחטיךכלםמןנסעףפץצקרשת"
"""Characters that may be joined: letters only."""
_MAX_JOIN: Final = 0.6
"""Core bands that a joining stroke bridges at most."""
_FRACTION_BITS: Final = 4
"""Binary digits of a pixel's fraction in drawn points."""


@dataclass(frozen=True, slots=True)
class PlacedInk:
    """Ink on a line, and the row and column of its corner; `character` is empty for a stroke."""

    ink: Ink
    row: int
    column: int
    character: str = ""


def join(
    left: PlacedInk, right: PlacedInk, style: Style, top: int, random: np.random.Generator
) -> PlacedInk | None:
    """Draw the stroke from a letter to the one after it, on its left; None when they are not joined.

    The pen leaves the foot of the right letter and reaches the head or the foot of the left one. A mark is
    not joined, and neither are letters that are too distant. `top` is the row of the core band's upper edge.
    """
    if left.character not in JOINED or right.character not in JOINED:
        return None
    core = style.core
    high = random.random() < style.join_high_chance
    begin = _tip(right, (top + 0.45 * core, top + 1.25 * core), leftmost=True)
    arrive = (top - 0.1 * core, top + 0.5 * core) if high else (top + 0.5 * core, top + 1.2 * core)
    end = _tip(left, arrive, leftmost=False)
    if begin is None or end is None or not 0 < begin[0] - end[0] < _MAX_JOIN * core:
        return None
    sag = 0.12 * core * float(random.normal(0.5, 0.5))
    middle = (begin[0] + end[0]) / 2, (begin[1] + end[1]) / 2 + sag
    thickness = max(1, round(1.6 * (style.pen.radius or 0.06 * core)))
    return _draw_path(np.array([begin, middle, end]), thickness)


def cross_out(style: Style, random: np.random.Generator) -> Ink:
    """Draw an illegible word that is struck out: a zigzag or a scrawl over one to four core bands."""
    core = style.core
    width = core * float(random.uniform(1.0, 4.0))
    turns = round(width / core * float(random.uniform(7, 12)))
    along = np.linspace(0, 1, turns) + random.normal(0, 0.03, turns)
    scrawl = bool(random.random() < 0.5)
    heights = np.where(np.arange(turns) % 2, 0.1, 1.1) if not scrawl else random.uniform(0.1, 1.1, turns)
    points = np.stack(
        [np.clip(along, 0, 1) * width, (heights + random.normal(0, 0.08, turns)) * core], axis=1
    )
    if scrawl:
        corners = np.stack(
            [0.7 * points[:-1] + 0.3 * points[1:], 0.3 * points[:-1] + 0.7 * points[1:]], axis=1
        )
        points = corners.reshape(-1, 2)
    stroke = _draw_path(points, max(1, round(2 * (style.pen.radius or 0.06 * core))))
    return stroke.ink


def _tip(letter: PlacedInk, rows: tuple[float, float], *, leftmost: bool) -> tuple[float, float] | None:
    """Return the outermost point (x, y) of a letter's ink on one side, between two rows of the line."""
    first, last = (int(np.clip(row - letter.row, 0, letter.ink.shape[0])) for row in rows)
    inked = letter.ink[first:last] > 128
    if not inked.any():
        return None
    sides = inked if leftmost else inked[:, ::-1]
    columns = np.where(inked.any(axis=1), sides.argmax(axis=1), 10**6)
    row = int(columns.argmin())
    column = int(columns[row])
    x = column if leftmost else letter.ink.shape[1] - 1 - column
    return float(letter.column + x), float(letter.row + first + row)


def _draw_path(points: NDArray[np.float64], thickness: int) -> PlacedInk:
    """Draw a path of points (x, y) on the line."""
    if len(points) == 3:
        points = np.concatenate([points[:1], (points[:-1] + points[1:]) / 2, points[2:]])
    corner = np.maximum(np.floor(points.min(axis=0)).astype(int) - thickness, 0)
    size = np.ceil(points.max(axis=0)).astype(int) + thickness + 1 - corner
    canvas = np.zeros((int(size[1]), int(size[0])), dtype=np.uint8)
    path = np.rint((points - corner) * 2**_FRACTION_BITS).astype(np.int32)
    cv2.polylines(
        canvas,
        [path],
        isClosed=False,
        color=255,
        thickness=thickness,
        lineType=cv2.LINE_AA,
        shift=_FRACTION_BITS,
    )
    return PlacedInk(canvas, int(corner[1]), int(corner[0]))
