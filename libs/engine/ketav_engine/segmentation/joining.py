"""Pieces of lines: split where columns part, joined where one continues the other.

Lengths are in letter heights. Constants without a reason of their own were set together on the synthetic
pages of docs/segmentation.md.
"""

import heapq
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
    pieces = dict(enumerate(sorted(parts, key=lambda piece: piece.left)))
    pairs = [pair for number in pieces for pair in _pairs(number, pieces, ink.letter) if pair[1] == number]
    heapq.heapify(pairs)
    while pairs:
        gap, left, right = heapq.heappop(pairs)
        if left not in pieces or right not in pieces:
            continue
        one, other = pieces[left], pieces[right]
        if _continues(one, other, gap, ink.letter) and not gutters.between(one, other):
            number = max(pieces) + 1
            del pieces[left], pieces[right]
            pieces[number] = _bridge(one, other)
            for pair in _pairs(number, pieces, ink.letter):
                heapq.heappush(pairs, pair)
    return sorted(pieces.values(), key=lambda piece: piece.left)


def _pairs(number: int, pieces: dict[int, Piece], letter: float) -> list[tuple[int, int, int]]:
    """Return the pairs of a piece with others that are near enough: their gap, left and right number."""
    numbers = np.array(list(pieces))
    lefts, rights = (
        np.array([getattr(piece, edge) for piece in pieces.values()]) for edge in ("left", "right")
    )
    one = pieces[number]
    pairs: list[tuple[int, int, int]] = []
    for is_left in (True, False):
        gaps = lefts - one.right if is_left else one.left - rights
        outside = (rights > one.right) & (lefts > one.left)
        outside = outside if is_left else (rights < one.right) & (lefts < one.left)
        near = outside & (gaps >= -_MAX_OVERLAP * letter) & (gaps <= _MAX_GAP * letter)
        for index in np.flatnonzero(near):
            other = int(numbers[index])
            pairs.append((int(gaps[index]), *((number, other) if is_left else (other, number))))
    return pairs


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
