"""Letters that have fallen to pieces: their height is measured too small, the lines' distances correct it.

Faint legs and strokes that coincide with rules are missing from the ink, so that a component is the roof of a
letter. Lengths are in letter heights as measured. Set on synthetic pages (docs/reports/segmentation.md).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ketav_engine.segmentation.pieces import Piece

_MAX_PIXELS: Final = 20
"""Letter height in working pixels up to which letters may be broken: large ones keep their thin strokes."""
_MIN_WIDTH: Final = 1.5
"""Width of a piece from which its distances count."""
_MIN_DISTANCE: Final = 0.3
"""Distance from which two pieces are one above the other."""
_PAIR: Final = (1.45, 0.8)
"""Distance of the two rows of ink of one line at most, also as a share of the distance to the next line."""
_MIN_PAIRED: Final = 0.15
"""Share of the pieces' width in such pairs from which letters are broken: 0.22 to 0.83 on three pages."""
_PAIRED_FACTOR: Final = 1.7
_SPACED: Final = 3.3
"""Usual distance between lines from which letters are broken, or so far apart that it does not matter."""
_USUAL: Final = 2.4
"""Usual distance between lines on other pages."""


@dataclass(frozen=True, slots=True)
class _Distances:
    """Distances of pieces to the nearest above and below, infinite without one, and the pieces' widths."""

    above: NDArray[np.float64]
    below: NDArray[np.float64]
    widths: NDArray[np.int64]


def correction(pieces: Sequence[Piece], letter: float) -> float:
    """Return the factor that corrects a letter height in working pixels: 1 unless letters are broken."""
    if letter > _MAX_PIXELS:
        return 1.0
    distances = _distances([piece for piece in pieces if piece.width > _MIN_WIDTH * letter], letter)
    near, far = np.minimum(distances.above, distances.below), np.maximum(distances.above, distances.below)
    known = np.isfinite(near)
    if not known.any():
        return 1.0
    paired = known & (near < _PAIR[0]) & (near < _PAIR[1] * far)
    if distances.widths[paired].sum() >= _MIN_PAIRED * distances.widths[known].sum():
        return _PAIRED_FACTOR
    spaces = np.repeat(distances.below[known], distances.widths[known])
    usual = float(np.median(spaces))
    return min(_PAIRED_FACTOR, usual / _USUAL) if _SPACED < usual < np.inf else 1.0


def _distances(pieces: Sequence[Piece], letter: float) -> _Distances:
    """Return the distances of pieces that have half of the narrower one's columns in common."""
    lefts, rights = (np.array([getattr(piece, edge) for piece in pieces]) for edge in ("left", "right"))
    above, below = (np.full(len(pieces), np.inf) for _ in range(2))
    for index, piece in enumerate(pieces):
        start, end = np.maximum(lefts, piece.left), np.minimum(rights, piece.right)
        common = end - start > np.minimum(rights - lefts, piece.width) / 2
        common[index] = False
        for other in np.flatnonzero(common).tolist():
            centre = (start[other] + end[other]) / 2
            distance = (pieces[other].at(centre, letter) - piece.at(centre, letter)) / letter
            if distance > _MIN_DISTANCE:
                below[index] = min(below[index], distance)
            elif distance < -_MIN_DISTANCE:
                above[index] = min(above[index], -distance)
    return _Distances(above, below, rights - lefts)
