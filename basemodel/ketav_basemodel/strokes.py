"""Letters of several strokes: the position of the smaller stroke and the distance between the strokes."""

from dataclasses import replace
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from ketav_basemodel.glyphs import SPINE_STEP, Glyph

_MIN_AREA: Final = 12
"""Pixels of a separate stroke; smaller pieces are debris."""


def vary_small_stroke(glyph: Glyph, random: np.random.Generator) -> Glyph:
    """Return a letter whose smallest separate stroke has another size and a slightly other position."""
    piece = _smallest_piece(glyph)
    if piece is None:
        return glyph
    own, (x, y, w, h) = piece
    scale_x = float(np.clip(np.exp(random.normal(-0.5, 0.45)), 0.22, 1.4))
    scale_y = float(np.clip(np.exp(random.normal(-0.3, 0.35)), 0.4, 1.4))
    move = np.array([[scale_x, 0, 0], [0, scale_y, 0]], dtype=np.float32)
    move[0, 2] = x * (1 - scale_x) + w * (1 - scale_x) * random.random() + random.normal(0, 1.5)
    move[1, 2] = y * (1 - scale_y) + h * (1 - scale_y) * random.random() + random.normal(0, 2.5)
    return _moved(glyph, own, move)


def separate(glyph: Glyph, across: float, down: float) -> Glyph:
    """Move the smallest separate stroke `across` pixels further from the others, and `down` pixels.

    Negative `across` brings the strokes together. The glyph becomes wider, never higher.
    """
    piece = _smallest_piece(glyph)
    if piece is None:
        return glyph
    own, (x, _, w, _) = piece
    room = int(np.ceil(abs(across))) + 1
    others = np.flatnonzero(((glyph.ink > 60) & ~own).any(axis=0))
    direction = 1 if x + w / 2 > (others[0] + others[-1]) / 2 else -1
    wider = replace(
        glyph,
        ink=np.pad(glyph.ink, ((0, 0), (room, room))),
        spine=np.pad(glyph.spine, ((0, 0), (room, room)), constant_values=255),
    )
    move = np.array([[1, 0, direction * across], [0, 1, down]], dtype=np.float32)
    return _moved(wider, np.pad(own, ((0, 0), (room, room))), move)


def _smallest_piece(glyph: Glyph) -> tuple[NDArray[np.bool_], tuple[int, int, int, int]] | None:
    """Return the mask of the smallest separate stroke and its box (x, y, width, height), None without one."""
    count, labels, boxes, _ = cv2.connectedComponentsWithStats(
        (glyph.ink > 60).astype(np.uint8), connectivity=8
    )
    areas = boxes[1:, cv2.CC_STAT_AREA]
    if count < 3 or areas.min() < _MIN_AREA:
        return None
    number = 1 + int(areas.argmin())
    x, y, w, h = (int(boxes[number, i]) for i in range(4))
    return np.asarray(labels == number, dtype=np.bool_), (x, y, w, h)


def _moved(glyph: Glyph, own: NDArray[np.bool_], move: NDArray[np.float32]) -> Glyph:
    """Return a glyph with one stroke moved, and the new distances to the pen's path."""
    size = glyph.ink.shape[::-1]
    path = glyph.spine == 0
    stroke = cv2.warpAffine(np.where(own, glyph.ink, 0).astype(np.uint8), move, size)
    ink = np.maximum(np.where(own, 0, glyph.ink), stroke).astype(np.uint8)
    moved = cv2.warpAffine((path & own).astype(np.uint8) * 255, move, size) > 60
    distance = cv2.distanceTransform((~(moved | (path & ~own))).astype(np.uint8), cv2.DIST_L2, 5)
    return replace(glyph, ink=ink, spine=np.clip(distance * SPINE_STEP, 0, 255).astype(np.uint8))
