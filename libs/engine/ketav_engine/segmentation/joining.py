"""Pieces of lines: split where columns part, joined where one continues the other.

Lengths are in letter heights. Constants without a reason of their own were set together on the synthetic
pages of docs/segmentation.md.
"""

from collections.abc import Callable
from typing import Final

import numpy as np

from ketav_engine.segmentation.gutters import Gutters, gaps
from ketav_engine.segmentation.ink import PageInk
from ketav_engine.segmentation.pieces import Piece

_MIN_GUTTER_GAP: Final = 1.0
"""Gap within a piece from which a gutter may run through it."""
_MAX_OVERLAP: Final = 1.5
"""Columns that two pieces of one line share at most."""
_MAX_GAP: Final = 12
"""Gap between two pieces of one line at most."""
_EXTENSION: Final = 5
"""End of a piece whose slope extends it towards the next."""
_MAX_OFFSET: Final = 0.45
"""Distance between the courses of two pieces of one line at most, where there is no gap between them."""
_MAX_OFFSET_SLOPE: Final = 0.03
"""Additional distance for each letter height of gap between them."""


def split(piece: Piece, ink: PageInk, gutters: Gutters) -> list[Piece]:
    """Split a piece at the gutters that it runs across."""
    parts: list[Piece] = []
    start = 0
    for gap_start, gap_end in gaps(piece, ink, _MIN_GUTTER_GAP):
        if gutters.between(piece.part(start, gap_start), piece.part(gap_end)):
            parts.append(piece.part(start, gap_start))
            start = gap_end
    return [*parts, piece.part(start)]


def join(parts: list[Piece], ink: PageInk, gutters: Gutters) -> list[Piece]:
    """Join the pieces that continue each other, nearest first, and return them by their left ends."""
    pieces = sorted(parts, key=lambda piece: piece.left)
    known: dict[tuple[Piece, Piece], bool] = {}

    def continues(one: Piece, other: Piece, gap: int) -> bool:
        """Return whether one piece continues the other; each pair is examined once."""
        if (one, other) not in known:
            known[one, other] = _continues(one, other, gap, ink.letter) and not gutters.between(one, other)
        return known[one, other]

    while (pair := _nearest_pair(pieces, ink.letter, continues)) is not None:
        left, right = pair
        rest = [piece for index, piece in enumerate(pieces) if index not in pair]
        pieces = sorted([*rest, _bridge(pieces[left], pieces[right])], key=lambda piece: piece.left)
    return pieces


def _nearest_pair(
    pieces: list[Piece], letter: float, continues: Callable[[Piece, Piece, int], bool]
) -> tuple[int, int] | None:
    """Return the indices (left, right) of the two pieces with the smallest gap that continue each other."""
    nearest: tuple[int, int] | None = None
    smallest = float("inf")
    for left, one in enumerate(pieces):
        for right, other in enumerate(pieces):
            gap = other.left - one.right
            near = -_MAX_OVERLAP * letter <= gap <= _MAX_GAP * letter
            if left == right or gap >= smallest or not near:
                continue
            if other.right <= one.right or other.left <= one.left:
                continue
            if continues(one, other, gap):
                nearest, smallest = (left, right), gap
    return nearest


def _continues(left: Piece, right: Piece, gap: int, letter: float) -> bool:
    """Return whether two pieces have one course, whichever of them is extended to the other."""
    reach = _EXTENSION * letter
    middle = (left.right + right.left) / 2
    extended = abs(left.at(middle, reach) - right.at(middle, reach))
    level = abs(float(left.middles[-1]) - float(right.middles[0]))
    return min(extended, level) <= (_MAX_OFFSET + _MAX_OFFSET_SLOPE * max(gap, 0) / letter) * letter


def _bridge(left: Piece, right: Piece) -> Piece:
    """Join two pieces: straight across the gap, averaged where they overlap."""
    columns = np.arange(left.left, max(right.right, left.right))
    known = np.concatenate([left.columns, right.columns])
    values = np.concatenate([left.middles, right.middles])
    order = np.argsort(known, kind="stable")
    return Piece(left.left, np.interp(columns, known[order], values[order]).astype(np.float32))
