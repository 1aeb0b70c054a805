"""What a scribe of sacred texts does to square letters: longer roofs, crowns, a het of two zayins."""

from dataclasses import dataclass

import cv2
import numpy as np

from ketav_basemodel.glyphs import PAD, UNIT, Glyph, make_glyph


def stretched(glyph: Glyph, by: float) -> Glyph:
    """Lengthen a square letter's roof: the thinnest column left of its middle is repeated `by` core bands."""
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
    """A scribe's way to set crowns (tagin): lengths in core bands, `thick` in glyph pixels."""

    tall: float
    apart: float
    thick: int
    knob: int  # radius of the strokes' heads in pixels, 0 for none
    fan: float  # how far the strokes lean outwards: 1 is upright
    everywhere: bool  # whether bet, dalet, qof, het, yod and he get a single stroke


def make_crown(random: np.random.Generator) -> Crown:
    """Draw a scribe's crowns, from thin and long to short and bold."""
    thick = int(random.choice([1, 1, 1, 2]))
    return Crown(
        float(random.uniform(0.15, 0.55)),
        float(random.uniform(0.09, 0.2)) + 1.3 * thick / UNIT,
        thick,
        int(random.choice([0, 0, thick])),
        float(random.uniform(0.9, 1.6)),
        bool(random.random() < 0.4),
    )


def crowned(glyph: Glyph, crown: Crown, strokes: int, random: np.random.Generator) -> Glyph:
    """Set a crown of three strokes, or of one, on the left head of a square letter."""
    tall = round(crown.tall * float(random.uniform(0.85, 1.15)) * UNIT)
    room = tall + crown.knob + 1
    ink = np.pad(glyph.ink, ((room, 0), (0, 0)))
    spine = np.pad(glyph.spine, ((room, 0), (0, 0)), constant_values=255)
    columns = np.flatnonzero((glyph.ink > 110).any(axis=0))
    if not columns.size:
        return glyph
    narrow = columns[-1] - columns[0] < 0.6 * UNIT
    head = columns[0] + (columns[-1] - columns[0]) * float(
        random.uniform(*((0.4, 0.6) if narrow else (0.1, 0.4)))
    )
    apart = crown.apart * UNIT
    for place, rise in ((0, 1.0), (-1, 0.8), (1, 0.8))[:strokes]:
        column = int(np.clip(round(head + place * apart), columns[0], columns[-1]))
        top = int(np.argmax(ink[:, column] > 110)) + 2
        tip = round(column + (crown.fan - 1) * place * apart), max(round(top - rise * tall), crown.knob)
        cv2.line(ink, (column, top), tip, 255, crown.thick, cv2.LINE_AA)
        if crown.knob:
            cv2.circle(ink, tip, crown.knob, 255, -1, cv2.LINE_AA)
    return Glyph(ink, spine, glyph.top - room, glyph.bearing)


def joined_het(left: Glyph, right: Glyph, random: np.random.Generator) -> Glyph:
    """Build the het of scribes: a zayin and a vav under a thin peak (chatoteret)."""
    gap = round(float(random.uniform(0.08, 0.2)) * UNIT)
    tall = round(float(random.uniform(0.12, 0.3)) * UNIT)
    parts = [glyph.ink[PAD:-PAD, PAD:-PAD] for glyph in (left, right)]
    height = max(part.shape[0] for part in parts)
    width = parts[0].shape[1] + gap + parts[1].shape[1]
    ink = np.zeros((height + tall, width), dtype=np.uint8)
    ink[tall : tall + parts[0].shape[0], : parts[0].shape[1]] = parts[0]
    ink[tall : tall + parts[1].shape[0], -parts[1].shape[1] :] = parts[1]
    peak = parts[0].shape[1] + gap // 2
    for foot in (parts[0].shape[1] // 2, width - parts[1].shape[1] // 2):
        cv2.line(ink, (foot, tall + 2), (peak, 1), 255, 2, cv2.LINE_AA)
    return make_glyph(ink, min(left.top, right.top) - tall, left.bearing)
