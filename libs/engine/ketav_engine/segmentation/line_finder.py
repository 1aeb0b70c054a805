"""Finding lines: ridges of ink, joined along the writing, with boundaries from the letters themselves."""

from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from ketav_engine.domain import FoundLine, Image, Layout, Point, check_image
from ketav_engine.segmentation.gutters import Gutters, gaps, usual_space
from ketav_engine.segmentation.ink import PageInk, find_ink
from ketav_engine.segmentation.reading_order import reading_order
from ketav_engine.segmentation.ridges import pieces
from ketav_engine.segmentation.strips import Piece, band_ink, band_values, envelopes

_STROKES: Final = 0.35
"""Strokes for each letter's height of its length that a line has at least: a sheet's edge has none."""
_STRENGTH: Final = 0.6
"""Share of the usual line's strength of ink that a short line has at least: a table's grain has half."""
_SHORT: Final = 1 / 3
"""Share of the longest line below which a line is short, so that a long faint one is kept."""


def find_lines(image: Image, layout: Layout) -> tuple[FoundLine, ...]:
    """Find the lines of a grey or RGB image in reading order, right column first; none on a blank page."""
    check_image(image)
    grey = to_grey(image)
    if layout == "line":
        return (whole(grey),)
    ink = find_ink(grey)
    if ink.letter == 0:
        return ()
    found = pieces(ink)
    gutters = Gutters(ink, usual_space(found, ink))
    lines = join([part for piece in found for part in _split(piece, ink, gutters)], ink, gutters)
    return _outline(lines, ink, (grey.shape[1], grey.shape[0]))


def to_grey(image: Image) -> Image:
    """Return a grey or RGB image as grey."""
    return image if image.ndim == 2 else np.asarray(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY), dtype=np.uint8)


def whole(grey: Image) -> FoundLine:
    """Return the line that an image of one line is."""
    right, bottom = max(grey.shape[1] - 1, 1), max(grey.shape[0] - 1, 1)
    hang = round(bottom * 0.3)
    return FoundLine(0, ((0, hang), (right, hang)), ((0, 0), (right, 0), (right, bottom), (0, bottom)))


def join(parts: list[Piece], ink: PageInk, gutters: Gutters) -> list[Piece]:
    """Join pieces that continue each other, nearest first, then drop what is too little to be a line."""
    parts = sorted(parts, key=lambda piece: piece.left)
    while True:
        best = _nearest_pair(parts, ink, gutters)
        if best is None:
            break
        left, right = best
        joined = _bridge(parts[left], parts[right])
        parts = [piece for index, piece in enumerate(parts) if index not in (left, right)]
        parts.append(joined)
        parts.sort(key=lambda piece: piece.left)
    lines = _without_shadows([piece for piece in parts if _is_line(piece, ink)], ink)
    return _without_faint(lines, ink)


def _split(piece: Piece, ink: PageInk, gutters: Gutters) -> list[Piece]:
    """Cut a piece at the gutters between columns that it runs across."""
    parts, start = [], 0
    for end, following in gaps(piece, ink, 1.5):
        one = Piece(piece.left + start, piece.middles[start:end])
        other = Piece(piece.left + following, piece.middles[following:])
        if gutters.between(one, other):
            parts.append(one)
            start = following
    return [*parts, Piece(piece.left + start, piece.middles[start:])]


def _nearest_pair(parts: list[Piece], ink: PageInk, gutters: Gutters) -> tuple[int, int] | None:
    """Return the indices (left, right) of the two pieces with the smallest gap that continue each other."""
    letter, best, least = ink.letter, None, float("inf")
    for left, one in enumerate(parts):
        for right, other in enumerate(parts):
            gap = other.left - one.right
            if left == right or gap >= least or not -1.5 * letter <= gap <= 12 * letter:
                continue
            if other.right <= one.right or other.left <= one.left:
                continue
            if _continues(one, other, gap, letter) and not gutters.between(one, other):
                best, least = (left, right), gap
    return best


def _continues(one: Piece, other: Piece, gap: int, letter: float) -> bool:
    """Tell whether two pieces lie on one course, whichever of them is extended to the other."""
    reach = 5 * letter
    middle = (one.right + other.left) / 2
    apart = abs(one.at(middle, reach) - other.at(middle, reach))
    level = abs(float(one.middles[-1]) - float(other.middles[0]))
    return min(apart, level) <= (0.45 + 0.03 * max(gap, 0) / letter) * letter


def _bridge(one: Piece, other: Piece) -> Piece:
    """Join two pieces, straight across the gap, averaged where they overlap."""
    columns = np.arange(one.left, max(other.right, one.right))
    known = np.concatenate([np.arange(one.left, one.right), np.arange(other.left, other.right)])
    values = np.concatenate([one.middles, other.middles])
    order = np.argsort(known, kind="stable")
    return Piece(one.left, np.interp(columns, known[order], values[order]).astype(np.float32))


def _is_line(piece: Piece, ink: PageInk) -> bool:
    """Tell whether a joined piece is wide enough to be a line and most of its ink is lettering."""
    inked = band_ink(piece, ink.mask, ink.letter).sum()
    lettered = band_ink(piece, ink.letters, ink.letter).sum()
    wide = len(piece.middles) >= 0.6 * ink.letter
    if len(piece.middles) > 2.5 * ink.letter and _strokes(piece, ink) < _STROKES * len(piece.middles):
        return False
    return bool(wide and lettered >= 0.06 * ink.letter**2 and lettered >= 0.5 * inked)


def _strokes(piece: Piece, ink: PageInk) -> float:
    """Return the strokes that rows along a line cross at most, times a letter's height."""
    reach = round(0.5 * ink.letter)
    rows = np.rint(piece.middles).astype(int)[None, :] + np.arange(-reach, reach + 1)[:, None]
    band = ink.mask[rows.clip(0, ink.mask.shape[0] - 1), np.arange(piece.left, piece.right)[None, :]]
    begun = np.count_nonzero(np.diff(band.astype(np.int8), axis=1) == 1, axis=1)
    return float(np.sort(begun)[-max(1, reach // 2) :].mean() * ink.letter)


def _without_shadows(lines: list[Piece], ink: PageInk) -> list[Piece]:
    """Drop what lies close to a much stronger line: its ascenders, descenders, points and rules."""
    weight = [band_ink(line, ink.mask, ink.letter) for line in lines]
    return [
        line
        for index, line in enumerate(lines)
        if not any(
            _shadows(line, weight[index], other, weight[place], ink.letter)
            for place, other in enumerate(lines)
            if place != index
        )
    ]


def _without_faint(lines: list[Piece], ink: PageInk) -> list[Piece]:
    """Drop short lines much fainter than the usual one: grain of a table, sheets' edges, the other side."""
    if not lines:
        return []
    strengths = [_strength(line, ink) for line in lines]
    least, short = _STRENGTH * float(np.median(strengths)), _SHORT * max(len(line.middles) for line in lines)
    return [
        line
        for line, strength in zip(lines, strengths, strict=True)
        if strength >= least or len(line.middles) > short
    ]


def _strength(line: Piece, ink: PageInk) -> float:
    """Return how strong a line's darker ink is."""
    inked, strengths = (band_values(line, values, ink.letter) for values in (ink.mask, ink.strength))
    return float(np.percentile(strengths[inked > 0], 90)) if inked.any() else 0.0


def _shadows(
    line: Piece, ink: NDArray[np.int64], other: Piece, stronger: NDArray[np.int64], letter: float
) -> bool:
    """Tell whether `line` is only a shadow of `other`, which runs on beside it and holds far more ink."""
    left, right = max(line.left, other.left - round(letter)), min(line.right, other.right + round(letter))
    if right - left < 0.5 * (line.right - line.left):
        return False
    centre = (left + right) / 2
    apart = abs(line.at(centre, letter) - other.at(centre, letter))
    if apart > 1.6 * letter:
        return False
    if line.right - line.left < min(3 * letter, (other.right - other.left) / 3) and apart < 1.35 * letter:
        return True
    share = 0.6 if apart < 0.9 * letter else 0.35
    return bool(ink.sum() < share * stronger.sum() and ink.mean() < 0.75 * stronger.mean())


def _outline(lines: list[Piece], ink: PageInk, size: tuple[int, int]) -> tuple[FoundLine, ...]:
    """Give each line its boundary and order, in pixels of the image."""
    found: list[tuple[tuple[Point, ...], tuple[Point, ...]]] = []
    for piece, (columns, tops, bottoms) in zip(lines, envelopes(lines, ink), strict=True):
        hang = np.interp(columns, np.arange(piece.left, piece.right), piece.middles) - 0.5 * ink.letter
        sides = [_points(columns, side, ink.scale, size) for side in (hang, tops, bottoms)]
        found.append((sides[0], sides[1] + sides[2][::-1]))
    order = reading_order([boundary for _, boundary in found])
    return tuple(FoundLine(place, *found[index]) for place, index in enumerate(order))


def _points(
    columns: NDArray[np.float32], rows: NDArray[np.floating], scale: float, size: tuple[int, int]
) -> tuple[Point, ...]:
    """Scale working coordinates to points of the image."""
    xs = np.rint(columns / scale).clip(0, size[0] - 1).astype(int)
    ys = np.rint(rows / scale).clip(0, size[1] - 1).astype(int)
    return tuple(zip(xs.tolist(), ys.tolist(), strict=True))
