"""What a scribe of sacred texts does to square letters: longer roofs, crowns, a het of two zayins."""

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


def crowned(glyph: Glyph, random: np.random.Generator) -> Glyph:
    """Set a crown of three strokes (tagin) on a square letter's left head."""
    tall = round(float(random.uniform(0.22, 0.55)) * UNIT)
    ink = np.pad(glyph.ink, ((tall, 0), (0, 0)))
    spine = np.pad(glyph.spine, ((tall, 0), (0, 0)), constant_values=255)
    head = PAD + (ink.shape[1] - 2 * PAD) * float(random.uniform(0.15, 0.75))
    top = int(np.argmax((ink > 110).any(axis=1))) + 2
    thick, apart = 1 + int(random.random() < 0.25), float(random.uniform(0.13, 0.24)) * UNIT
    for place, rise in ((-1, 0.8), (0, 1.0), (1, 0.8)):
        tip = round(head + 1.3 * place * apart), round(top - rise * (tall + 1))
        cv2.line(ink, (round(head + place * apart), top), tip, 255, thick, cv2.LINE_AA)
        cv2.circle(ink, tip, thick, 255, -1, cv2.LINE_AA)
    return Glyph(ink, spine, glyph.top - tall, glyph.bearing)


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
