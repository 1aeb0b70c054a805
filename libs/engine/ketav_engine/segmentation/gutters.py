"""Gutters: the blank strips between columns, distinguished from the spaces between words.

Of the strips of blank paper with writing on both sides (`strips.py`) those are gutters that are wider than
the spaces elsewhere on the page and at which lines begin or end at one margin. Lengths are in letter heights.
Constants without a reason of their own were set together on the synthetic pages of docs/segmentation.md.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ketav_engine.segmentation.components import Mask
from ketav_engine.segmentation.ink import PageInk
from ketav_engine.segmentation.interruptions import Margin, bridge
from ketav_engine.segmentation.pieces import Piece, band_ink
from ketav_engine.segmentation.strips import CELLS, SIDES, Cells, Runs, Strip, possible_strips

_MIN_RUN: Final = 0.5
"""Share of its usual width that a gutter has in a row: a space in a heading that meets it is narrower."""
_MAX_STRIPS: Final = 8
"""Gutters of a page, counting twice one that something interrupts. Where letters have fallen to pieces, the
letter height is that of a piece, and spaces between words look like more gutters than that."""
_TALL_SHARE: Final = 0.8
"""Share of the tallest gutter's height that one has at least on a page with more gutters."""
_MIN_SPACE: Final = 0.5
"""Gap from which it is a space between words and not between letters."""
_WIDE_SPACE: Final = 85
"""Percentile of the spaces between words that counts as a wide space."""
_LEVEL: Final = 0.5
"""Distance between the middles of two pieces of one line at most, when the space between them is measured."""
_VERY_WIDE: Final = 2.5
"""Width, in wide spaces between words, from which a gutter needs no margin: centred lines have none."""
_MIN_MARKED: Final = 0.4
"""Share of the rows of a letter's height in which a gutter separates two pieces: it may begin there."""
_MARGIN_TOLERANCE: Final = 0.7
"""Distance of a line's end from the margin at a gutter at most."""
_MIN_ALIGNED: Final = 0.6
"""Share of the lines at a gutter that begin or end at one margin: 0.83 or more on drawn pages."""
_MIN_LINES: Final = (5, 3)
"""Lines at a slim and at a wide gutter at least: a space between words that meets others has one or two."""
_MAX_SKEW: Final = 0.1
"""Slope of that margin at most, in columns for each row."""
_SKEWS: Final = 21
"""Slopes that are tried."""


@dataclass(frozen=True, slots=True, eq=False)
class Gutters:
    """The gutters of a page."""

    marks: Mask
    """The cells inside a gutter, shape (rows, columns)."""
    cell: int
    """Working pixels of a cell's side."""

    def between(self, left: Piece, right: Piece) -> bool:
        """Return whether a gutter separates two pieces, one on the left of the other."""
        row = round((float(left.middles[-1]) + float(right.middles[0])) / 2 / self.cell)
        rows = slice(max(row - CELLS // 2, 0), row + CELLS // 2 + 1)
        space = self.marks[rows, left.right // self.cell : -(-right.left // self.cell)]
        return bool(np.count_nonzero(space.any(axis=1)) >= max(1, _MIN_MARKED * len(space)))


def find_gutters(ink: PageInk, pieces: Sequence[Piece]) -> Gutters:
    """Return the gutters of a page with the pieces of its lines: strips wider than the spaces elsewhere."""
    cells = Cells.of(ink.letters, ink.letter)
    possible = possible_strips(cells)
    marks = np.zeros(cells.written.shape, dtype=np.bool_)
    if not possible:
        return Gutters(marks, cells.side)
    space = _wide_space(pieces, [strip for _, strip in possible], ink, cells.side) / cells.side
    inked = [piece.left + np.flatnonzero(band_ink(piece, ink.mask_band)) for piece in pieces]
    lines = [(piece, columns) for piece, columns in zip(pieces, inked, strict=True) if columns.size]
    wide = [one for one in possible if one[1].width >= one[1].min_spaces(cells.letter) * space]
    margins = {strip: _margins(strip, lines, cells) for _, strip in wide}
    likely = [one for one in wide if margins[one[1]] or one[1].width >= _VERY_WIDE * space]
    for inside, strip in _plausible(likely):
        whole = inside[inside[:, 2] - inside[:, 1] >= _MIN_RUN * strip.width]
        begin = margins[strip][0] if margins[strip] else None
        for row, first, last in whole if begin is None else bridge(whole, begin, cells):
            marks[row, first:last] = True
    return Gutters(marks, cells.side)


def _margins(
    strip: Strip, lines: Sequence[tuple[Piece, NDArray[np.int64]]], cells: Cells
) -> tuple[Margin | None, ...]:
    """Return the margin at which lines begin on the left of a strip, None if they end at one on the right.

    Without either there is no item. `lines` are pieces with their inked columns. Hebrew lines begin at the
    right margin of their column, which is on the left of a gutter; justified ones end at one margin, too.
    """
    top, bottom = strip.top * cells.side, strip.bottom * cells.side
    centre, half = (strip.left + strip.right) * cells.side / 2, strip.width * cells.side / 2
    letter = cells.letter * cells.side
    begins, ends = [], []
    for piece, columns in lines:
        middle = float(piece.middles[len(piece.middles) // 2])
        if not top <= middle <= bottom:
            continue
        index = int(np.searchsorted(columns, centre))
        if index > 0 and centre - columns[index - 1] < half + SIDES[0] * letter:
            begins.append((middle / cells.side, columns[index - 1] / cells.side))
        if index < len(columns) and columns[index] - centre < half + SIDES[1] * letter:
            ends.append((middle / cells.side, columns[index] / cells.side))
    min_lines = _MIN_LINES[strip.is_wide(cells.letter)]
    margins = [_margin(side, cells.letter) if len(side) >= min_lines else None for side in (begins, ends)]
    return (margins[0],) if any(margins) else ()


def _margin(points: list[tuple[float, float]], letter: float) -> Margin | None:
    """Return the straight line near which most points (row, column) lie, None without any, in cells."""
    rows, columns = np.array(points).T
    slopes = sorted(np.linspace(-_MAX_SKEW, _MAX_SKEW, _SKEWS).tolist(), key=abs)  # upright first
    starts = columns - np.array(slopes)[:, None] * rows
    near = np.abs(starts[:, :, None] - starts[:, None, :]) < _MARGIN_TOLERANCE * letter
    shares = near.mean(axis=2)
    slope, point = np.unravel_index(int(shares.argmax()), shares.shape)
    if shares[slope, point] < _MIN_ALIGNED:
        return None
    return Margin(float(np.median(starts[slope][near[slope, point]])), slopes[slope])


def _plausible(strips: list[tuple[Runs, Strip]]) -> list[tuple[Runs, Strip]]:
    """Return the strips, but of more than a page has gutters only the tall ones."""
    if len(strips) <= _MAX_STRIPS:
        return strips
    tallest = max(strip.height for _, strip in strips)
    return [one for one in strips if one[1].height >= _TALL_SHARE * tallest]


def gaps(piece: Piece, ink: PageInk, min_letters: float) -> list[tuple[int, int]]:
    """Return the gaps wider than `min_letters` as columns from the piece's left: first, after the last."""
    inked = np.flatnonzero(band_ink(piece, ink.mask_band))
    before = np.flatnonzero(np.diff(inked) > min_letters * ink.letter)
    return [(int(inked[index]) + 1, int(inked[index + 1])) for index in before]


def _wide_space(pieces: Sequence[Piece], strips: Sequence[Strip], ink: PageInk, cell: int) -> float:
    """Return a wide space between words outside the strips, in working pixels: 0 without any."""
    spaces = [
        (piece.left + start, piece.left + end, float(piece.middles[start]))
        for piece in pieces
        for start, end in gaps(piece, ink, _MIN_SPACE)
    ]
    spaces += _spaces_between(pieces, ink.letter)
    widths = [
        end - start
        for start, end, middle in spaces
        if not any(
            strip.top <= middle / cell <= strip.bottom
            and strip.left < end / cell
            and start / cell < strip.right
            for strip in strips
        )
    ]
    return float(np.percentile(widths, _WIDE_SPACE)) if widths else 0.0


def _spaces_between(pieces: Sequence[Piece], letter: float) -> list[tuple[int, int, float]]:
    """Return the spaces between pieces and the next on their right: first column, after the last, middle."""
    lefts, starts = (
        np.array(ends) for ends in ([piece.left for piece in pieces], [piece.middles[0] for piece in pieces])
    )
    spaces: list[tuple[int, int, float]] = []
    for piece in pieces:
        distances = lefts - piece.right
        level = np.abs(starts - piece.middles[-1]) < _LEVEL * letter
        following = lefts[level & (distances > _MIN_SPACE * letter) & (distances < SIDES[0] * letter)]
        if following.size:
            spaces.append((piece.right, int(following.min()), float(piece.middles[-1])))
    return spaces
