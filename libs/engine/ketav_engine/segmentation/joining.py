"""Pieces of lines: split where columns part, joined where one continues the other.

Lengths are in letter heights. Constants without a reason of their own were set together on the synthetic
pages of docs/segmentation.md.
"""

import heapq
from collections.abc import Sequence
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
_MAX_LEVEL: Final = 10
"""Distance between the ends of two pieces of one line at most: lines are less askew."""
_NOWHERE: Final = -(1 << 40)
"""Both ends of a piece that is joined: far from all others."""
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
    pieces = _Pieces(sorted(parts, key=lambda piece: piece.left), ink.letter)
    pairs = [pair for number in range(len(parts)) for pair in pieces.pairs(number) if pair[1] == number]
    heapq.heapify(pairs)
    while pairs:
        gap, left, right = heapq.heappop(pairs)
        if left not in pieces.left_over or right not in pieces.left_over:
            continue
        one, other = pieces.left_over[left], pieces.left_over[right]
        if _continues(one, other, gap, ink.letter) and not gutters.between(one, other):
            for pair in pieces.pairs(pieces.replace(left, right, _bridge(one, other))):
                heapq.heappush(pairs, pair)
    return sorted(pieces.left_over.values(), key=lambda piece: piece.left)


class _Pieces:
    """Numbered pieces while they are joined, with their ends in arrays."""

    def __init__(self, parts: Sequence[Piece], letter: float) -> None:
        """Take pieces, which are numbered from 0, and the letter height in working pixels."""
        self.left_over = dict(enumerate(parts))
        self._letter = letter
        self._count = len(parts)
        beyond = np.full(len(parts), _NOWHERE)  # each joining leaves a piece less
        self._lefts, self._rights = (
            np.append(np.array(ends, dtype=np.int64), beyond)
            for ends in ([piece.left for piece in parts], [piece.right for piece in parts])
        )

    def replace(self, left: int, right: int, joined: Piece) -> int:
        """Replace two pieces by one that joins them; return its number."""
        number = self._count
        self._count += 1
        for replaced in (left, right):
            del self.left_over[replaced]
            self._lefts[replaced] = self._rights[replaced] = _NOWHERE
        self.left_over[number] = joined
        self._lefts[number], self._rights[number] = joined.left, joined.right
        return number

    def pairs(self, number: int) -> list[tuple[int, int, int]]:
        """Return the pairs of a piece with others that are near enough: their gap, left and right number."""
        left, right = self._lefts[number], self._rights[number]
        reach = (-_MAX_OVERLAP * self._letter, _MAX_GAP * self._letter)
        pairs: list[tuple[int, int, int]] = []
        for is_left in (True, False):
            gaps = self._lefts - right if is_left else left - self._rights
            outside = (self._rights > right) & (self._lefts > left)
            outside = outside if is_left else (self._rights < right) & (self._lefts < left)
            near = np.flatnonzero(outside & (gaps >= reach[0]) & (gaps <= reach[1])).tolist()
            pairs += [
                (int(gaps[other]), *((number, other) if is_left else (other, number))) for other in near
            ]
        return pairs


def _continues(left: Piece, right: Piece, gap: int, letter: float) -> bool:
    """Return whether two pieces have one course, whichever of them is extended to the other."""
    limit = (_MAX_OFFSET + _MAX_OFFSET_SLOPE * max(gap, 0) / letter) * letter
    level = abs(float(left.middles[-1]) - float(right.middles[0]))
    if level <= limit:
        return True
    reach = _EXTENSION * letter
    middle = (left.right + right.left) / 2
    return level <= _MAX_LEVEL * letter and abs(left.at(middle, reach) - right.at(middle, reach)) <= limit


def _bridge(left: Piece, right: Piece) -> Piece:
    """Join two pieces: straight across the gap, averaged where they overlap."""
    columns = np.arange(left.left, max(right.right, left.right))
    known = np.concatenate([left.columns, right.columns])
    values = np.concatenate([left.middles, right.middles])
    order = np.argsort(known, kind="stable")
    return Piece(left.left, np.interp(columns, known[order], values[order]).astype(np.float32))
