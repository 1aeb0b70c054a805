"""Gutters: the gaps between columns, distinguished from the spaces between words.

Lengths are in letter heights. Constants without a reason of their own were set together on the synthetic
pages of docs/segmentation.md.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ketav_engine.segmentation.components import Mask
from ketav_engine.segmentation.ink import PageInk
from ketav_engine.segmentation.pieces import Piece, band_ink

_WINDOWS: Final = ((-12, -8), (-8, -4), (-4, -0.7), (0.7, 4), (4, 8), (8, 12))
"""Windows above and below a gap: first and last row from the line's middle."""
_REACHES: Final = (8, 20)
"""Distances left and right of a gutter within which there is writing: Hebrew lines end raggedly at the
left."""
_MIN_WIDTH: Final = 1.2
"""Width that a gutter is blank over at least, wherever the lines end."""
_MIN_SPACES: Final = 1.3
"""The same in usual spaces between words."""
_MIN_AGREEMENT: Final = 0.75
"""Share of the windows with writing that must have it on both sides."""
_MIN_WINDOWS: Final = 2
"""Windows that must have writing on both sides."""
_MIN_SPACE: Final = 0.5
"""Gap from which it is a space between words and not between letters."""


@dataclass(frozen=True, slots=True, eq=False)
class Gutters:
    """The ink of a page and the usual space between its words, in working pixels."""

    ink: PageInk
    space: float

    def between(self, left: Piece, right: Piece) -> bool:
        """Return whether the gap between two pieces parts columns: a stretch of it is blank far up and down.

        The windows around the gap with writing on both sides of the stretch are evidence of columns, of which
        two are needed; those with writing on one side only are evidence of none.
        """
        letter = self.ink.letter
        min_width = max(_MIN_WIDTH * letter, _MIN_SPACES * self.space)
        if right.left - left.right < min_width:
            return False
        windows = self._windows((float(left.middles[-1]) + float(right.middles[0])) / 2)
        first, last = longest_blank(np.logical_or.reduce(windows)[left.right : right.left])
        if last - first < min_width:
            return False
        start, end = left.right + first, left.right + last
        left_reach, right_reach = (int(reach * letter) for reach in _REACHES)
        sides = [
            (window[max(start - left_reach, 0) : start].any(), window[end : end + right_reach].any())
            for window in windows
        ]
        both = sum(on_left and on_right for on_left, on_right in sides)
        either = sum(on_left or on_right for on_left, on_right in sides)
        return bool(both >= max(_MIN_WINDOWS, _MIN_AGREEMENT * either))

    def _windows(self, middle: float) -> list[Mask]:
        """Return for each window around a row which columns have writing."""
        letter, letters = self.ink.letter, self.ink.letters
        bounds = [(middle + first * letter, middle + last * letter) for first, last in _WINDOWS]
        rows = [slice(max(round(top), 0), max(round(bottom), 0)) for top, bottom in bounds]
        return [np.asarray(letters[part].any(axis=0), dtype=np.bool_) for part in rows]


def usual_space(pieces: Sequence[Piece], ink: PageInk) -> float:
    """Return the usual space between words in working pixels: the median of the wide gaps, 0 without any."""
    spaces = [end - start for piece in pieces for start, end in gaps(piece, ink, _MIN_SPACE)]
    return float(np.median(spaces)) if spaces else 0.0


def gaps(piece: Piece, ink: PageInk, min_letters: float) -> list[tuple[int, int]]:
    """Return the gaps wider than `min_letters` as columns from the piece's left: first, after the last."""
    inked = np.flatnonzero(band_ink(piece, ink.mask, ink.letter))
    before = np.flatnonzero(np.diff(inked) > min_letters * ink.letter)
    return [(int(inked[index]) + 1, int(inked[index + 1])) for index in before]


def longest_blank(marked: NDArray[np.bool_]) -> tuple[int, int]:
    """Return the first column of the longest run without a mark and the column after its last."""
    edges = np.flatnonzero(np.diff(np.concatenate([[1], marked.astype(np.int8), [1]])))
    if not edges.size:
        return 0, 0
    starts, ends = edges[::2], edges[1::2]
    longest = int(np.argmax(ends - starts))
    return int(starts[longest]), int(ends[longest])
