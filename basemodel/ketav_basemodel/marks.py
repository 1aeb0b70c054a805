"""Punctuation as short strokes of the writer's own pen."""

from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from ketav_basemodel.glyphs import PAD, SPINE_STEP, UNIT, Glyph

Stroke = tuple[tuple[float, float], ...]
"""A path of (x, y) points in core bands; y = 0 is the core band's upper edge, 1 its lower."""

MARKS: Final[dict[str, tuple[Stroke, ...]]] = {
    ".": (((0.0, 0.97), (0.03, 1.0)),),
    ",": (((0.12, 0.92), (0.08, 1.1), (0.0, 1.28)),),
    ":": (((0.0, 0.35), (0.03, 0.37)), ((0.0, 0.9), (0.03, 0.92))),
    ";": (((0.1, 0.35), (0.12, 0.37)), ((0.12, 0.9), (0.08, 1.1), (0.0, 1.25))),
    "-": (((0.0, 0.52), (0.5, 0.5)),),
    "'": (((0.12, -0.25), (0.0, 0.12)),),
    '"': (((0.12, -0.25), (0.0, 0.12)), ((0.32, -0.25), (0.22, 0.12))),
    "!": (((0.02, -0.4), (0.0, 0.6)), ((0.0, 0.97), (0.02, 1.0))),
    "/": (((0.45, -0.35), (0.0, 1.2)),),
    "+": (((0.0, 0.5), (0.7, 0.5)), ((0.35, 0.15), (0.35, 0.85))),
    "=": (((0.0, 0.38), (0.65, 0.38)), ((0.0, 0.65), (0.65, 0.65))),
    "*": (((0.25, 0.0), (0.25, 0.5)), ((0.03, 0.12), (0.47, 0.38)), ((0.47, 0.12), (0.03, 0.38))),
    "(": (((0.3, -0.4), (0.08, 0.05), (0.0, 0.45), (0.08, 0.9), (0.3, 1.3)),),
    ")": (((0.0, -0.4), (0.22, 0.05), (0.3, 0.45), (0.22, 0.9), (0.0, 1.3)),),
    "[": (((0.3, -0.35), (0.0, -0.33), (0.0, 1.2), (0.3, 1.2)),),
    "]": (((0.0, -0.35), (0.3, -0.33), (0.3, 1.2), (0.0, 1.2)),),
    "<": (((0.5, 0.2), (0.0, 0.52), (0.5, 0.85)),),
    ">": (((0.0, 0.2), (0.5, 0.52), (0.0, 0.85)),),
    "?": (
        ((0.0, -0.15), (0.15, -0.38), (0.4, -0.3), (0.45, -0.05), (0.22, 0.3), (0.2, 0.6)),
        ((0.2, 0.97), (0.22, 1.0)),
    ),
}
"""The strokes of each mark. Geresh and gershayim are written like the apostrophe and the quotation mark."""

FORMS: Final[dict[str, tuple[tuple[Stroke, ...], ...]]] = {
    ".": ((((0.0, 0.97), (0.07, 0.9), (0.1, 1.0), (0.02, 1.03)),), (((0.0, 1.0), (0.12, 0.98)),)),
    ",": ((((0.0, 0.85), (0.0, 1.15)),), (((0.2, 0.9), (0.0, 1.35)),)),
    "-": ((((0.0, 0.47), (0.2, 0.45), (0.4, 0.52), (0.6, 0.48)),), (((0.0, 0.6), (0.9, 0.55)),)),
    "'": (
        (((0.0, -0.3), (0.02, 0.1)),),
        (((0.0, -0.25), (0.12, 0.1)),),
        (((0.1, -0.2), (0.14, -0.05), (0.0, 0.2)),),
        (((0.25, -0.5), (0.0, 0.05)),),
    ),
    '"': (
        (((0.0, -0.3), (0.02, 0.1)), ((0.2, -0.3), (0.22, 0.1))),
        (((0.0, -0.25), (0.1, 0.1)), ((0.25, -0.25), (0.35, 0.1))),
        (((0.1, -0.2), (0.14, -0.05), (0.0, 0.2)), ((0.38, -0.2), (0.42, -0.05), (0.28, 0.2))),
        (((0.22, -0.5), (0.0, 0.0)), ((0.42, -0.5), (0.2, 0.05))),
    ),
    "!": ((((0.0, -0.3), (0.02, 0.7)), ((0.02, 1.0), (0.1, 0.98))),),
    "?": ((((0.0, -0.2), (0.3, -0.4), (0.5, -0.1), (0.25, 0.2), (0.3, 0.6)), ((0.25, 0.95), (0.28, 1.0))),),
}
"""Other forms of some marks; a writer keeps to one."""


def draw_mark(mark: str, random: np.random.Generator, looseness: float = 0.05) -> Glyph:
    """Draw a mark in one of its forms with a hand's own proportions."""
    forms = (MARKS[mark], *FORMS.get(mark, ()))
    return draw_strokes(forms[int(random.integers(len(forms)))], random, looseness)


def draw_strokes(strokes: tuple[Stroke, ...], random: np.random.Generator, looseness: float) -> Glyph:
    """Draw strokes with a hand's own proportions: every point strays by `looseness` core bands."""
    spread = 1.0 + float(random.normal(0, 0.15))
    paths = [
        np.array(stroke) * (spread, 1.0) + random.normal(0, looseness, (len(stroke), 2)) for stroke in strokes
    ]
    points = np.concatenate(paths)
    low, high = points.min(axis=0), points.max(axis=0)
    size = np.ceil((high - low) * UNIT).astype(int) + 1 + 2 * PAD
    canvas = np.full((int(size[1]), int(size[0])), 255, dtype=np.uint8)
    for path in paths:
        pixels = np.rint((_smooth(path) - low) * UNIT + PAD).astype(np.int32)
        cv2.polylines(canvas, [pixels], isClosed=False, color=0)
    far = cv2.distanceTransform(canvas, cv2.DIST_L2, 5)
    spine = np.clip(far * SPINE_STEP, 0, 255).astype(np.uint8)
    ink = np.clip((2.6 - far) * 255, 0, 255).astype(np.uint8)
    return Glyph(ink, spine, float(low[1]) * UNIT, 0.12 * UNIT)


def _smooth(path: NDArray[np.float64]) -> NDArray[np.float64]:
    """Round a path's corners by two passes of corner cutting (Chaikin 1974)."""
    for _ in range(2):
        if len(path) < 3:
            return path
        cut = np.stack([0.75 * path[:-1] + 0.25 * path[1:], 0.25 * path[:-1] + 0.75 * path[1:]], axis=1)
        path = np.concatenate([path[:1], cut.reshape(-1, 2), path[-1:]])
    return path
