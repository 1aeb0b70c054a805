"""The square letters of scribes of sacred texts: longer roofs, crowns, a het of two zayins."""

from dataclasses import dataclass

import cv2
import numpy as np

from ketav_basemodel.glyphs import PAD, UNIT, Glyph, make_glyph


def stretch_roof(glyph: Glyph, by: float) -> Glyph:
    """Lengthen a letter's roof by `by` core bands: the thinnest column left of its middle is repeated."""
    width = glyph.ink.shape[1]
    low, high = round(0.3 * width), round(0.65 * width)
    amount = glyph.ink[:, low:high].astype(np.int64).sum(axis=0)
    column = low + int(np.argmin(np.where(amount > 0, amount, amount.max() + 1)))
    times = np.ones(width, dtype=int)
    times[column] += round(by * UNIT)
    return Glyph(
        np.repeat(glyph.ink, times, axis=1), np.repeat(glyph.spine, times, axis=1), glyph.top, glyph.bearing
    )


@dataclass(frozen=True, slots=True)
class Crown:
    """One scribe's form of the crowns (tagin). Lengths are in core bands."""

    height: float
    distance: float
    """Between the strokes."""
    thickness: int
    """Pixels of the glyph."""
    head: int
    """Radius of the strokes' heads in pixels of the glyph, 0 for none."""
    fan: float
    """Inclination of the outer strokes: 1 is upright, more leans outwards."""
    single: bool
    """Whether bet, dalet, qof, het, yod and he get a single stroke."""


def make_crown(random: np.random.Generator) -> Crown:
    """Draw the form of a scribe's crowns, from thin and long to short and bold."""
    thickness = int(random.choice([1, 1, 1, 2]))
    return Crown(
        float(random.uniform(0.15, 0.55)),
        float(random.uniform(0.09, 0.2)) + 1.3 * thickness / UNIT,
        thickness,
        int(random.choice([0, 0, thickness])),
        float(random.uniform(0.9, 1.6)),
        bool(random.random() < 0.4),
    )


def add_crown(glyph: Glyph, crown: Crown, strokes: int, random: np.random.Generator) -> Glyph:
    """Add a crown of three strokes, or of one, to the left head of a square letter."""
    height = round(crown.height * float(random.uniform(0.85, 1.15)) * UNIT)
    room = height + crown.head + 1
    ink = np.pad(glyph.ink, ((room, 0), (0, 0)))
    spine = np.pad(glyph.spine, ((room, 0), (0, 0)), constant_values=255)
    columns = np.flatnonzero((glyph.ink > 110).any(axis=0))
    if not columns.size:
        return glyph
    is_narrow = columns[-1] - columns[0] < 0.6 * UNIT
    head = columns[0] + (columns[-1] - columns[0]) * float(
        random.uniform(*((0.4, 0.6) if is_narrow else (0.1, 0.4)))
    )
    distance = crown.distance * UNIT
    for side, rise in ((0, 1.0), (-1, 0.8), (1, 0.8))[:strokes]:
        column = int(np.clip(round(head + side * distance), columns[0], columns[-1]))
        top = int(np.argmax(ink[:, column] > 110)) + 2
        tip = round(column + (crown.fan - 1) * side * distance), max(round(top - rise * height), crown.head)
        cv2.line(ink, (column, top), tip, 255, crown.thickness, cv2.LINE_AA)
        if crown.head:
            cv2.circle(ink, tip, crown.head, 255, -1, cv2.LINE_AA)
    return Glyph(ink, spine, glyph.top - room, glyph.bearing)


def joined_het(left: Glyph, right: Glyph, random: np.random.Generator) -> Glyph:
    """Return the het of scribes: a zayin and a vav under a thin peak (chatoteret)."""
    gap = round(float(random.uniform(0.08, 0.2)) * UNIT)
    peak_height = round(float(random.uniform(0.12, 0.3)) * UNIT)
    parts = [glyph.ink[PAD:-PAD, PAD:-PAD] for glyph in (left, right)]
    height = max(part.shape[0] for part in parts)
    width = parts[0].shape[1] + gap + parts[1].shape[1]
    ink = np.zeros((height + peak_height, width), dtype=np.uint8)
    ink[peak_height : peak_height + parts[0].shape[0], : parts[0].shape[1]] = parts[0]
    ink[peak_height : peak_height + parts[1].shape[0], -parts[1].shape[1] :] = parts[1]
    peak = parts[0].shape[1] + gap // 2
    for foot in (parts[0].shape[1] // 2, width - parts[1].shape[1] // 2):
        cv2.line(ink, (foot, peak_height + 2), (peak, 1), 255, 2, cv2.LINE_AA)
    return make_glyph(ink, min(left.top, right.top) - peak_height, left.bearing)
