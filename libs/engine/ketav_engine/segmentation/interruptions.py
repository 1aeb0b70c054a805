"""Interruptions of gutters: a word, a stamp or a number inside a gutter, level with lines of the columns.

The gutter goes on between it and the column on its left, whose line begins at the margin at that level. A
heading over the columns has no gutter at its level. Lengths are in letter heights; the constants were set on
drawn pages.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np

from ketav_engine.segmentation.components import Mask
from ketav_engine.segmentation.strips import Cells, Runs

_EDGE: Final = 0.4
"""Width of blank paper between the margin and what is inside the gutter."""
_MAX_HEIGHT: Final = 4.5
"""Height of an interruption of the whole gutter at most: about two lines."""
_MIN_WORD: Final = 1.2
"""Distance of a run from the margin from which a word is between them: the ends of letters cross it, too."""
_NEAR_MARGIN: Final = 0.6
"""Distance from the margin within which the line of the left column begins at that level."""


@dataclass(frozen=True, slots=True)
class Margin:
    """The margin at which the lines of the left column begin, in cells: a straight line."""

    start: float
    """Its column in row 0."""
    slope: float
    """Columns for each row."""

    def at(self, row: int) -> int:
        """Return its column in a row, the first that is blank."""
        return max(round(self.start + self.slope * row) + 1, 0)


def bridge(runs: Runs, margin: Margin, cells: Cells) -> Runs:
    """Return the runs of a gutter with those next to words inside it.

    A word may leave the runs on its right. Runs on the right of ink that crosses the margin are left out: a
    heading has a space there.
    """
    if not len(runs):
        return runs
    starts = {int(row): int(first) for row, first, _ in runs[::-1]}
    interrupted = np.zeros(len(cells.written), dtype=np.bool_)
    for row, first in starts.items():
        word = slice(margin.at(row), first)
        interrupted[row] = first >= word.start + _MIN_WORD * cells.letter and cells.written[row, word].any()
    added: list[tuple[int, int, int]] = []
    crossed = np.zeros(len(cells.written), dtype=np.bool_)
    for top, bottom in _series(interrupted):
        blanks = _runs_beside_ink(slice(top, bottom), margin, cells.written.shape[1], cells)
        crossed[top:bottom] = not blanks
        added += [run for run in blanks if run[1] == margin.at((top + bottom) // 2)]
    right = round(float(np.median(runs[:, 2])))
    covered = np.isin(np.arange(len(cells.written)), runs[:, 0])
    for top, bottom in _series(~covered):
        if runs[0, 0] < top and bottom <= runs[:, 0].max() and bottom - top <= _MAX_HEIGHT * cells.letter:
            added += _runs_beside_ink(slice(top, bottom), margin, right, cells)
    return np.concatenate([runs[~crossed[runs[:, 0]]], np.array(added, dtype=runs.dtype).reshape(-1, 3)])


def _runs_beside_ink(rows: slice, margin: Margin, right: int, cells: Cells) -> list[tuple[int, int, int]]:
    """Return the blank runs left and right of the ink, such as a word, from a margin to the column `right`.

    Runs are (row, first column, column after the last) in cells, for each of `rows`: first those at the left,
    then those at the right. None unless there is ink at least `_EDGE` from both sides, and the left column
    has ink within `_NEAR_MARGIN` of the margin. The margin is that of the middle row.
    """
    start = margin.at((rows.start + rows.stop) // 2)
    edge, near = (max(1, round(length * cells.letter)) for length in (_EDGE, _NEAR_MARGIN))
    block = cells.written[rows]
    word = np.flatnonzero(block[:, start:right].any(axis=0))
    begins = bool(block[:, max(start - near, 0) : start].any())
    if not (begins and word.size and edge <= word[0] and word[-1] < right - start - edge):
        return []
    first, last = start + int(word[0]), start + int(word[-1]) + 1
    lines = range(rows.start, rows.stop)
    return [(row, start, first) for row in lines] + [(row, last, right) for row in lines]


def _series(marks: Mask) -> Iterator[tuple[int, int]]:
    """Yield the first index and the one after the last of each series of marks."""
    edges = np.diff(np.pad(marks.astype(np.int8), 1))
    yield from zip(np.flatnonzero(edges == 1).tolist(), np.flatnonzero(edges == -1).tolist(), strict=True)
