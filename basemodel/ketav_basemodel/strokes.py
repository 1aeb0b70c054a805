"""Letters of several strokes: where a hand puts the smaller stroke, and how far apart the strokes stand."""

from dataclasses import replace

import cv2
import numpy as np
from numpy.typing import NDArray

from ketav_basemodel.glyphs import SPINE_STEP, Glyph

_LEAST_AREA = 12


def rearranged(glyph: Glyph, random: np.random.Generator) -> Glyph:
    """Draw the smallest separate stroke of a letter smaller or larger and a little elsewhere."""
    found = _pieces(glyph)
    if found is None:
        return glyph
    own, (x, y, w, h) = found
    scale_x = float(np.clip(np.exp(random.normal(-0.5, 0.45)), 0.22, 1.4))
    scale_y = float(np.clip(np.exp(random.normal(-0.3, 0.35)), 0.4, 1.4))
    move = np.array([[scale_x, 0, 0], [0, scale_y, 0]], dtype=np.float32)
    move[0, 2] = x * (1 - scale_x) + w * (1 - scale_x) * random.random() + random.normal(0, 1.5)
    move[1, 2] = y * (1 - scale_y) + h * (1 - scale_y) * random.random() + random.normal(0, 2.5)
    return _moved(glyph, own, move)


def apart(glyph: Glyph, across: float, down: float) -> Glyph:
    """Move the smallest separate stroke `across` pixels away from the others, and `down` pixels.

    Negative `across` brings the strokes together. The glyph grows in width, never in height.
    """
    found = _pieces(glyph)
    if found is None:
        return glyph
    own, (x, _, w, _) = found
    room = int(np.ceil(abs(across))) + 1
    others = np.flatnonzero(((glyph.ink > 60) & ~own).any(axis=0))
    away = 1 if x + w / 2 > (others[0] + others[-1]) / 2 else -1
    wider = replace(
        glyph,
        ink=np.pad(glyph.ink, ((0, 0), (room, room))),
        spine=np.pad(glyph.spine, ((0, 0), (room, room)), constant_values=255),
    )
    move = np.array([[1, 0, away * across], [0, 1, down]], dtype=np.float32)
    return _moved(wider, np.pad(own, ((0, 0), (room, room))), move)


def _pieces(glyph: Glyph) -> tuple[NDArray[np.bool_], tuple[int, int, int, int]] | None:
    """Return the mask of the smallest separate stroke and its box (x, y, width, height), None without one."""
    count, pieces, stats, _ = cv2.connectedComponentsWithStats(
        (glyph.ink > 60).astype(np.uint8), connectivity=8
    )
    areas = stats[1:, cv2.CC_STAT_AREA]
    if count < 3 or areas.min() < _LEAST_AREA:
        return None
    piece = 1 + int(areas.argmin())
    x, y, w, h = (int(stats[piece, i]) for i in range(4))
    return np.asarray(pieces == piece, dtype=np.bool_), (x, y, w, h)


def _moved(glyph: Glyph, own: NDArray[np.bool_], move: NDArray[np.float32]) -> Glyph:
    """Move one stroke of a glyph and measure the distance to the pen's path anew."""
    size = glyph.ink.shape[::-1]
    path = glyph.spine == 0
    stroke = cv2.warpAffine(np.where(own, glyph.ink, 0).astype(np.uint8), move, size)
    ink = np.maximum(np.where(own, 0, glyph.ink), stroke).astype(np.uint8)
    moved = cv2.warpAffine((path & own).astype(np.uint8) * 255, move, size) > 60
    far = cv2.distanceTransform((~(moved | (path & ~own))).astype(np.uint8), cv2.DIST_L2, 5)
    return replace(glyph, ink=ink, spine=np.clip(far * SPINE_STEP, 0, 255).astype(np.uint8))
