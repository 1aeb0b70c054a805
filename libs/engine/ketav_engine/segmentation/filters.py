"""Filters of joined pieces: those that are no lines, the fragments of stronger lines, and faint short ones.

Lengths are in letter heights. Constants without a reason of their own were set together on the synthetic
pages of docs/segmentation.md.
"""

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ketav_engine.segmentation.components import Mask
from ketav_engine.segmentation.ink import PageInk
from ketav_engine.segmentation.pieces import Piece, band_ink, band_values

_MIN_WIDTH: Final = 0.6
"""Width of a line."""
_MIN_LETTERING: Final = 0.06
"""Ink of lettering that a line has at least, in squares of the letter height."""
_MIN_LETTERING_SHARE: Final = 0.5
"""Share of its ink that is lettering."""
_LONG: Final = 2.5
"""Width from which a line must have `_MIN_STROKES`."""
_MIN_STROKES: Final = 0.35
"""Strokes that a line has for each letter height of its width: the edge of paper has none."""
_STROKE_BAND: Final = 0.5
"""Rows above and below the middle along which strokes are counted."""

_MIN_STRENGTH: Final = 0.6
"""Share of the usual strength of ink that a short line has at least: the grain of a table has half."""
_GRAIN: Final = (0.45, 0.85)
"""Strength of a table's grain as a share of the strongest line's, and grey level of its ground as a share of
that of the paper under strong lines."""
_SHORT: Final = 1 / 3
"""Share of the longest line's width below which a line is short: a long faint line stays."""
_STRENGTH_PERCENTILE: Final = 90
"""Percentile of a line's ink that is its strength."""

_MIN_FRAGMENT_OVERLAP: Final = 0.5
"""Share of its width over which a fragment runs next to its line."""
_MAX_FRAGMENT_DISTANCE: Final = 1.6
"""Distance between the middles of a fragment and its line at most."""
_FRAGMENT_REACH: Final = 1
"""Distance by which a line rises or falls at most beyond its end, where a fragment of it may be."""
_SMALL_FRAGMENT_WIDTH: Final = 3
"""Width below which a piece is small, if it is also below a third of the line's width."""
_SMALL_FRAGMENT_DISTANCE: Final = 1.35
"""Distance below which a small piece is a fragment with any ink: an ascender, a descender or a point."""
_CLOSE: Final = 0.9
"""Distance below which a piece is close to its line."""
_MAX_CLOSE_FRAGMENT_INK: Final = 0.6
"""Ink below which a close piece is a fragment, as a share of the ink of the line."""
_MAX_FRAGMENT_INK: Final = 0.35
"""Ink below which any other piece is a fragment, as a share of the ink of the line."""
_MAX_FRAGMENT_DENSITY: Final = 0.75
"""Ink for each column that a fragment has at most, as a share of that of the line."""


def is_line(piece: Piece, ink: PageInk, *, alone: bool = False) -> bool:
    """Return whether a joined piece is wide enough to be a line and most of its ink is lettering.

    One that is alone on its page may be as narrow as a vav.
    """
    inked = band_ink(piece, ink.mask_band).sum()
    lettered = band_ink(piece, ink.letter_band).sum()
    if piece.width > _LONG * ink.letter and _strokes(piece, ink) < _MIN_STROKES * piece.width:
        return False
    return bool(
        (alone or piece.width >= _MIN_WIDTH * ink.letter)
        and lettered >= _MIN_LETTERING * ink.letter**2
        and lettered >= _MIN_LETTERING_SHARE * inked
    )


def without_fragments(lines: list[Piece], ink: PageInk) -> list[Piece]:
    """Drop the fragments of stronger lines: their ascenders, descenders, points and rules."""
    inks = [band_ink(line, ink.mask_band) for line in lines]
    near = _near(lines, ink.letter)
    return [
        line
        for index, line in enumerate(lines)
        if not any(
            _is_fragment(line, inks[index], lines[number], inks[number], ink.letter)
            for number in np.flatnonzero(near[index]).tolist()
        )
    ]


def _near(lines: Sequence[Piece], letter: float) -> Mask:
    """Return of which line (second index) a line (first index) may be a fragment by the box around it."""
    lefts, rights = (np.array([getattr(line, edge) for line in lines]) for edge in ("left", "right"))
    tops, bottoms = (np.array([limit(line.middles) for line in lines]) for limit in (np.min, np.max))
    common = np.minimum(rights[:, None], rights + letter) - np.maximum(lefts[:, None], lefts - letter)
    apart = np.maximum(tops[:, None] - bottoms, tops - bottoms[:, None])
    overlapping = common >= _MIN_FRAGMENT_OVERLAP * (rights - lefts)[:, None]
    near = overlapping & (apart <= (_MAX_FRAGMENT_DISTANCE + _FRAGMENT_REACH) * letter)
    np.fill_diagonal(near, val=False)
    return np.asarray(near, dtype=np.bool_)


def without_faint(lines: list[Piece], ink: PageInk) -> list[Piece]:
    """Drop short lines much fainter than the usual one: grain of a table, edges of paper, the other side."""
    if not lines:
        return []
    strengths = np.array([_strength(line, ink) for line in lines])
    on_paper = _on_paper(lines, strengths, ink)
    min_strength = _MIN_STRENGTH * float(np.median(strengths[on_paper]))
    short = _SHORT * max(line.width for line, stays in zip(lines, on_paper, strict=True) if stays)
    return [
        line
        for line, strength, stays in zip(lines, strengths, on_paper, strict=True)
        if stays and (strength >= min_strength or line.width > short)
    ]


def _on_paper(lines: list[Piece], strengths: NDArray[np.float64], ink: PageInk) -> Mask:
    """Return which lines are on the paper of the strong ones: a table's grain is faint on darker ground."""
    strong = float(strengths.max())
    grounds = np.array([np.median(band_values(line, ink.paper, ink.letter)) for line in lines])
    ground = float(np.median(grounds[strengths >= _GRAIN[0] * strong]))
    return np.asarray((strengths >= _GRAIN[0] * strong) | (grounds >= _GRAIN[1] * ground), dtype=np.bool_)


def _strokes(piece: Piece, ink: PageInk) -> float:
    """Return the mean strokes of the rows along a line that cross most, times the letter height."""
    band = band_values(piece, ink.mask, ink.letter, _STROKE_BAND)
    begun = np.count_nonzero(band[:, 1:] > band[:, :-1], axis=1)
    return float(np.sort(begun)[-max(1, len(band) // 4) :].mean() * ink.letter)


def _strength(line: Piece, ink: PageInk) -> float:
    """Return the strength of a line's darker ink, in grey levels."""
    inked = band_values(line, ink.mask, ink.letter) > 0
    squares = band_values(line, ink.squared_strength, ink.letter)[inked]
    return float(np.sqrt(np.percentile(squares, _STRENGTH_PERCENTILE))) if squares.size else 0.0


def _is_fragment(
    line: Piece, ink: NDArray[np.int64], other: Piece, other_ink: NDArray[np.int64], letter: float
) -> bool:
    """Return whether `line` is a fragment of `other`, which runs next to it and has far more ink.

    `ink` and `other_ink` are the inked pixels of each of their columns.
    """
    left, right = max(line.left, other.left - round(letter)), min(line.right, other.right + round(letter))
    if right - left < _MIN_FRAGMENT_OVERLAP * line.width:
        return False
    centre = (left + right) / 2
    distance = abs(line.at(centre, letter) - other.at(centre, letter))
    if distance > _MAX_FRAGMENT_DISTANCE * letter:
        return False
    small = line.width < min(_SMALL_FRAGMENT_WIDTH * letter, other.width / 3)
    if small and distance < _SMALL_FRAGMENT_DISTANCE * letter:
        return True
    share = _MAX_CLOSE_FRAGMENT_INK if distance < _CLOSE * letter else _MAX_FRAGMENT_INK
    return bool(ink.sum() < share * other_ink.sum() and ink.mean() < _MAX_FRAGMENT_DENSITY * other_ink.mean())
