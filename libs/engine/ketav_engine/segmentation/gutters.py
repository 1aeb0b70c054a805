"""The space between columns, told from the space between words."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ketav_engine.segmentation.ink import PageInk
from ketav_engine.segmentation.strips import Piece, band_ink

_AROUND: Final = ((-12, -8), (-8, -4), (-4, -0.7), (0.7, 4), (4, 8), (8, 12))
"""Windows above and below a gap, in letters from the line's middle."""
_REACHES: Final = (8, 20)
"""Letters within which there is writing left and right of a gutter: Hebrew lines end raggedly at the left."""
_NARROWEST: Final = 1.2
"""Letters of width that a gutter is blank over at least, whatever the lines' ends do."""
_WIDER: Final = 1.3
"""How many times the usual space between words that is."""
_AGREEING: Final = 0.75
"""Share of the windows with writing that must have it on both sides."""


@dataclass(frozen=True, slots=True, eq=False)
class Gutters:
    """Where columns may part on a page; `space` is the usual space between words in working pixels."""

    ink: PageInk
    space: float

    def between(self, one: Piece, other: Piece) -> bool:
        """Tell whether the gap between two pieces parts columns: some stretch of it is blank far up and down.

        The windows around that have writing on both sides of the stretch are evidence for columns, of which
        two are needed; those with writing on one side alone speak against them.
        """
        letter = self.ink.letter
        least = max(_NARROWEST * letter, _WIDER * self.space)
        if other.left - one.right < least:
            return False
        windows = self._windows((float(one.middles[-1]) + float(other.middles[0])) / 2)
        first, last = longest_blank(np.logical_or.reduce(windows)[one.right : other.left])
        if last - first < least:
            return False
        left, right = one.right + first, one.right + last
        near, far = (int(reach * letter) for reach in _REACHES)
        sides = [(w[max(left - near, 0) : left].any(), w[right : right + far].any()) for w in windows]
        evidence, written = sum(a and b for a, b in sides), sum(a or b for a, b in sides)
        return bool(evidence >= max(2, _AGREEING * written))

    def _windows(self, middle: float) -> list[NDArray[np.bool_]]:
        """Tell for each window around a row which columns hold writing."""
        bounds = [(middle + near * self.ink.letter, middle + far * self.ink.letter) for near, far in _AROUND]
        rows = [slice(max(round(top), 0), max(round(bottom), 0)) for top, bottom in bounds]
        return [np.asarray(self.ink.letters[part].any(axis=0), dtype=np.bool_) for part in rows]


def usual_space(pieces: Sequence[Piece], ink: PageInk) -> float:
    """Return the usual space between words in working pixels: the median gap of half a letter or more."""
    wide = [following - end for piece in pieces for end, following in gaps(piece, ink, 0.5)]
    return float(np.median(wide)) if wide else 0.0


def gaps(piece: Piece, ink: PageInk, least: float) -> list[tuple[int, int]]:
    """Return the gaps of more than `least` letters as columns from the piece's left: first, end."""
    inked = np.flatnonzero(band_ink(piece, ink.mask, ink.letter))
    places = np.flatnonzero(np.diff(inked) > least * ink.letter)
    return [(int(inked[place]) + 1, int(inked[place + 1])) for place in places]


def longest_blank(marked: NDArray[np.bool_]) -> tuple[int, int]:
    """Return the first column of the longest run without a mark and the column after its last."""
    edges = np.flatnonzero(np.diff(np.concatenate([[1], marked.astype(np.int8), [1]])))
    if not edges.size:
        return 0, 0
    starts, ends = edges[::2], edges[1::2]
    longest = int(np.argmax(ends - starts))
    return int(starts[longest]), int(ends[longest])
